"""Decode the media of one live session, in whichever container its client sends: bytes in, samples at 16 kHz out."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Final

from realtime.errors import ClientError, Overloaded, UnsupportedAudio
from realtime.media.decoder_child import DecoderChild
from realtime.media.decoder_pool import REFUSALS, DecoderPool
from realtime.media.records import BLOCK_BYTES, MAX_CHUNK, MAX_LIVE_SILENCE, Kind, Record

logger = logging.getLogger(__name__)

_FAILED: Final = "The audio cannot be decoded. It may be corrupted."
"""Message to the client whose decoding process fails."""


class DamagedAudio(ClientError):
    """Bytes of a live stream are missing; it goes on after them."""

    code = "damaged_audio"


class LiveDecoder:
    """Decodes chunks of a stream in a process of its own, which the first chunk starts and `close` ends.

    The process answers a chunk before it takes the next, so the samples of a chunk are complete when `decode` returns,
    and a consumer that is slow holds up the process.
    """

    def __init__(self, decoders: DecoderPool) -> None:
        self._decoders = decoders
        self._resources: ExitStack | None = None
        """What ends the process."""
        self._child: DecoderChild | None = None

    async def decode(self, data: bytes) -> AsyncGenerator[bytes | ClientError, None]:
        """Yield what a chunk of any size completes: 16-bit samples at 16 kHz in parts of at most 10 s.

        An error among them is for the client; the stream goes on. Empty `data` ends the stream, and another may follow.

        Raises:
            Overloaded: No process can be started.
            UnsupportedAudio: The process has failed; the decoder is closed.
        """
        child = self._child or self._start()
        for start in range(0, len(data) or 1, MAX_CHUNK):
            chunk = data[start : start + MAX_CHUNK]
            record = await self._exchange(child, chunk)
            while record.kind is not Kind.TAKEN:
                match record.kind:
                    case Kind.AUDIO:
                        yield record.payload
                    case Kind.SILENCE:
                        silence = 2 * int.from_bytes(record.payload)
                        if silence > 2 * MAX_LIVE_SILENCE:
                            raise self._failed("too long a silence")
                        for begin in range(0, silence, BLOCK_BYTES):
                            yield bytes(min(BLOCK_BYTES, silence - begin))
                    case Kind.DAMAGED:
                        skipped = int.from_bytes(record.payload)
                        yield DamagedAudio(
                            f"Part of the audio is missing. {skipped} bytes after it were skipped; the stream goes on.",
                            param="audio",
                        )
                    case kind if kind in REFUSALS:
                        yield REFUSALS[kind](record.payload.decode(errors="replace"), param="audio")
                    case _:
                        raise self._failed("unexpected record")
                record = await self._exchange(child)

    def close(self) -> None:
        """End the process, which takes milliseconds; may be called again."""
        self._child = None
        if self._resources is not None:
            self._resources.close()
            self._resources = None

    def _start(self) -> DecoderChild:
        self._resources = ExitStack()
        self._child = self._resources.enter_context(self._decoders.streaming())
        return self._child

    async def _exchange(self, child: DecoderChild, chunk: bytes | None = None) -> Record:
        """Send a chunk, if there is one, and return the next record."""
        try:
            async with asyncio.timeout(self._decoders.stall_timeout):
                if chunk is not None:
                    await child.send_chunk(chunk)
                return await child.record()
        except Overloaded:
            self.close()
            raise
        except (TimeoutError, EOFError, ConnectionError) as failure:
            raise self._failed(type(failure).__name__) from None

    def _failed(self, reason: str) -> UnsupportedAudio:
        logger.warning("the decoder of a live stream failed: %s", reason)
        self.close()
        return UnsupportedAudio(_FAILED, param="audio")
