"""The framing of a live stream: containers one after another, as a recorder that is restarted sends them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from realtime.audio.signatures import LONGEST_SIGNATURE, find_container, is_container
from realtime.media.framing.base import Framing, Unframed
from realtime.media.framing.matroska import MatroskaFraming
from realtime.media.framing.mp4 import Mp4Framing
from realtime.media.framing.ogg import OggFraming
from realtime.media.framing.wav import WavFraming
from realtime.media.records import Kind, Refused

_FRAMINGS: Final[dict[str, Callable[[], Framing]]] = {
    "matroska": MatroskaFraming,
    "mov": Mp4Framing,
    "ogg": OggFraming,
    "wav": WavFraming,
}
"""Framings by the demuxer of their containers; that of the others is `Unframed`."""

_NO_CONTAINER: Final = (
    "The audio does not begin with the header of a container. Send a stream of WebM, Ogg, fragmented MP4, ADTS, MP3, "
    "FLAC or WAV from its first byte on."
)


@dataclass(frozen=True, slots=True)
class Begin:
    """Another container begins, which FFmpeg's demuxer of this name reads."""

    demuxer: str


@dataclass(frozen=True, slots=True)
class End:
    """The container has ended by its own framing."""


class StreamFraming:
    """Cuts a stream into containers, and each container into pieces.

    A container ends where a chunk begins with the header of another one, or where its own framing finds one.

    Attributes:
        skipped: Bytes skipped so far within containers.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._framing: Framing | None = None
        self._head = b""
        """Bytes outside of a container."""
        self._refused = False

    def feed(self, data: bytes) -> Iterator[Begin | End | bytes | Refused]:
        """Yield the pieces that a chunk completes.

        A refusal among them means that what follows is left out until another container begins: it is in none, or in
        one that cannot be read as a stream.
        """
        if self._framing is not None and is_container(data):
            self.skipped += len(self._framing.rest)
            self._framing = None
        while data or self._head:
            if self._framing is None:
                found = find_container(self._head + data)
                if found is None:
                    yield from self._leave_out(data)
                    return
                demuxer, start = found
                self._framing = _FRAMINGS.get(demuxer, Unframed)()
                self._refused = False
                data, self._head = (self._head + data)[start:], b""
                yield Begin(demuxer)
            framing, skipped = self._framing, self._framing.skipped
            try:
                yield from framing.feed(data)
            except Refused as refusal:
                self.end_container()
                yield refusal
            self.skipped += framing.skipped - skipped
            data = b""
            if framing.ended:
                yield End()
                data, self._framing = framing.rest, None

    def end_container(self) -> None:
        """Leave out the rest of the container, which cannot be decoded."""
        self._framing = None
        self._refused = True

    def _leave_out(self, data: bytes) -> Iterator[Refused]:
        """Keep what may be the beginning of a header, and refuse anything else once."""
        unknown = len(self._head) + len(data) >= LONGEST_SIGNATURE
        self._head = (self._head + data)[1 - LONGEST_SIGNATURE :]
        if unknown and not self._refused:
            self._refused = True
            yield Refused(_NO_CONTAINER, Kind.INVALID_FORMAT)
