"""Decode audio files to 16 kHz in child processes (`decoder_process.py`), block by block as they are consumed.

A process decodes one file, or the live stream of one session, and exits, so none can affect or observe another. It is
forked from one that has imported what decoding needs (`fork_server.py`). The child is not trusted: its records are
bounded, the seconds it sends are counted here, and it is killed when it stalls, when its consumer leaves, and after its
last record. However it failed, the client gets the same error.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.channels import ChannelMixer
from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooLong, ClientError, InvalidFileFormat, NoAudioStream, Overloaded, UnsupportedAudio
from realtime.media.decoder_child import NOT_STARTED, DecoderChild
from realtime.media.fork_server import ForkServer
from realtime.media.records import ANY_TRACK, BLOCK_BYTES, Kind, Record
from realtime.media.tracks import AudioTrack, from_json

logger = logging.getLogger(__name__)

_STALL_TIMEOUT: Final = 10.0
"""Seconds a process may take for one record."""

_MIN_PROCESSOR_SECONDS: Final = 20
"""Processor seconds granted for a file of any length."""

_AUDIO_PER_PROCESSOR_SECOND: Final = 100
"""Seconds of audio per further processor second; a slow processor decodes the most expensive codec at 500."""

_LIVE_PROCESSOR_SECONDS: Final = 3600
"""Processor seconds granted for a live stream: a day of Opus takes 500."""

REFUSALS: Final = {
    Kind.UNSUPPORTED: UnsupportedAudio,
    Kind.INVALID_FORMAT: InvalidFileFormat,
    Kind.NO_AUDIO: NoAudioStream,
}
"""The error for the client, by the record with its message."""

_FAILED: Final = "The file cannot be decoded. It may be corrupted."
"""Message to the client whose decoding process fails."""

_BLOCK: Final = BLOCK_BYTES // 2
"""Samples of a block: 10 s."""

_FULL_SCALE: Final = np.float32(32_768)


class _Places:
    """Room for at most `most` at a time."""

    def __init__(self, most: int, refusal: str) -> None:
        self._free = most
        self._refusal = refusal

    @contextmanager
    def one(self) -> Iterator[None]:
        """Occupy one place until the block ends. Raises `Overloaded` with the refusal if all are occupied."""
        if self._free <= 0:
            raise Overloaded(self._refusal)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class DecoderPool:
    """The decoding processes of one service, at most `max_files` and `max_streams`, and what they are forked from.

    The server gives the pool the limits that it applies to uploads before it reads them (`max_concurrent_uploads`) and
    to sessions. The pool applies them again so that no caller can start more processes than that.

    Attributes:
        stall_timeout: Seconds a process may take for one record.
    """

    def __init__(self, *, max_files: int, max_streams: int = 0, stall_timeout: float = _STALL_TIMEOUT) -> None:
        """Kill a process that takes longer than `stall_timeout` seconds for a block."""
        self.stall_timeout = stall_timeout
        self._files = _Places(max_files, "Too many files are being decoded.")
        self._streams = _Places(max_streams, "Too many live streams are being decoded.")
        self._server: ForkServer | None = None

    def close(self) -> None:
        """End all processes. The next file starts them again."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @asynccontextmanager
    async def decoding(
        self, file: IO[bytes], max_seconds: float, track: int | None = None
    ) -> AsyncIterator["DecodedAudio"]:
        """Decode an audio track of `file` until the block ends: the one that a player would choose, or number `track`.

        `file` must have a file descriptor, or create one when asked for it. Iterating over the result raises
        `AudioTooLong` for more than `max_seconds`, before the first block if the length is known by then.

        Raises:
            Overloaded: `max_files` files are being decoded, or no process can be started.
        """
        with self._files.one(), self._process() as process:
            processor_seconds = _MIN_PROCESSOR_SECONDS + int(max_seconds / _AUDIO_PER_PROCESSOR_SECOND)
            process.start(file, processor_seconds, ANY_TRACK if track is None else track)
            yield DecodedAudio(process, max_seconds, self.stall_timeout)

    @contextmanager
    def streaming(self) -> Iterator[DecoderChild]:
        """Provide a process for a live stream until the block ends.

        Raises:
            Overloaded: `max_streams` streams are being decoded, or no process can be started.
        """
        with self._streams.one(), self._process() as process:
            process.start_live(_LIVE_PROCESSOR_SECONDS)
            yield process

    @contextmanager
    def _process(self) -> Iterator[DecoderChild]:
        """Provide a process, and end it with the block."""
        try:
            process = DecoderChild(self._running_server())
        except OSError as error:
            raise Overloaded(NOT_STARTED) from error
        try:
            yield process
        finally:
            process.end()

    def _running_server(self) -> ForkServer:
        """Return the fork server, which the first file starts, or another one if it has died. Raises `OSError`."""
        if self._server is None or not self._server.alive:
            self._server = ForkServer()
        return self._server


class DecodedAudio:
    """Async iterator over the samples of one file in blocks of at most 10 s. A truncated file ends early.

    Little is decoded ahead of the consumer. Gaps in the timeline of the file are silent.

    Attributes:
        declared_seconds: Length of the audio by the packets of the file, which may be too low; None before the first
            block.
        track: The track that is decoded; None before the first record.
    """

    def __init__(self, process: DecoderChild, max_seconds: float, stall_timeout: float) -> None:
        """Read from `process`."""
        self.declared_seconds: float | None = None
        self.track: AudioTrack | None = None
        self._tracks: tuple[AudioTrack, ...] = ()
        self._process = process
        self._max_seconds = max_seconds
        self._stall_timeout = stall_timeout
        self._mixer = ChannelMixer(1)
        self._samples = 0
        self._silence = 0
        """Silent samples to return before the next record."""

    def __aiter__(self) -> "DecodedAudio":
        return self

    async def tracks(self) -> tuple[AudioTrack, ...]:
        """Return all audio tracks of the file. Raises `UnsupportedAudio` if it is not audio, or cannot be decoded."""
        if not self._tracks:
            self._receive_tracks(await self._record())
        return self._tracks

    async def __anext__(self) -> Samples:
        """Return the next block, of which the channels are mixed. Raises as `_block`."""
        block = await self._block()
        if block is None:
            raise StopAsyncIteration
        length, channels = block.shape
        if not channels:
            return np.zeros(length, np.float32)
        if self._mixer.channels != channels:
            self._mixer = ChannelMixer(channels)
        return self._mixer.mix(block)

    async def separate(self) -> AsyncGenerator[NDArray[np.float32], None]:
        """Yield the blocks, of shape (channels, n), instead of iterating. Raises as `_block`.

        The number of channels is that of the first audio; where it changes later, each of them is the mix. Those of
        surround sound are mixed in any case.
        """
        channels, silence = 0, 0
        while (block := await self._block()) is not None:
            if not block.shape[1]:
                silence += len(block)
                continue
            channels = channels or block.shape[1]
            for samples in _silent_blocks(silence, channels):
                yield samples
            silence = 0
            if block.shape[1] != channels:
                block = block.mean(axis=1, keepdims=True).repeat(channels, axis=1)
            yield np.ascontiguousarray(block.T)
        for samples in _silent_blocks(silence, channels or 1):
            yield samples

    async def _block(self) -> NDArray[np.float32] | None:
        """Return the next block, of shape (n, channels), with no channels for silence; None at the end.

        Raises:
            UnsupportedAudio: The file is not audio, or cannot be decoded.
            AudioTooLong: The audio is longer than the limit.
            Overloaded: The process could not be started.
        """
        while True:
            if self._silence:
                await asyncio.sleep(0)  # hours of silence take no longer to return than a block to decode
                block = np.zeros((min(self._silence, _BLOCK), 0), np.float32)
                self._silence -= len(block)
                return block
            record = await self._record()
            kind, payload, channels = record
            match kind:
                case Kind.TRACKS:
                    self._receive_tracks(record)
                case Kind.LENGTH:
                    self.declared_seconds = int.from_bytes(payload) / 1_000_000
                    self._check_length(self.declared_seconds)
                case Kind.AUDIO:
                    samples = np.frombuffer(payload, np.int16).astype(np.float32).reshape(-1, channels) / _FULL_SCALE
                    self._samples += len(samples)
                    self._check_length(self._samples / SAMPLE_RATE)
                    return samples
                case Kind.SILENCE:
                    self._silence = int.from_bytes(payload)
                    self._samples += self._silence
                    self._check_length(self._samples / SAMPLE_RATE)
                case Kind.END:
                    self._process.end()
                    return None
                case _:
                    raise _refusal(record)

    def _receive_tracks(self, record: Record) -> None:
        if record.kind is not Kind.TRACKS:
            raise _refusal(record)
        try:
            self.track, self._tracks = from_json(record.payload)
        except ValueError:
            raise UnsupportedAudio(_FAILED, param="file") from None

    async def _record(self) -> Record:
        try:
            async with asyncio.timeout(self._stall_timeout):
                return await self._process.record()
        except (TimeoutError, EOFError, ConnectionError) as failure:
            logger.warning("a decoder failed: %s", type(failure).__name__)
            self._process.end()
            raise UnsupportedAudio(_FAILED, param="file") from None

    def _check_length(self, seconds: float) -> None:
        if seconds > self._max_seconds:
            raise AudioTooLong(f"The audio is longer than {self._max_seconds:g} seconds.", param="file")


def _silent_blocks(length: int, channels: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, length, _BLOCK):
        yield np.zeros((channels, min(_BLOCK, length - start)), np.float32)


def _refusal(record: Record) -> ClientError:
    """Return the error that a process sends as its last record."""
    if record.kind not in REFUSALS:
        return UnsupportedAudio(_FAILED, param="file")
    return REFUSALS[record.kind](record.payload.decode(errors="replace"), param="file")
