"""The records that a decoding process (`decoder_process.py`) sends to the service, and what the service sends it."""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

SAMPLE_RATE: Final = 16_000
"""Sample rate of decoded audio in Hz."""

BLOCK_BYTES: Final = 10 * SAMPLE_RATE * 2
"""Size of a block: 10 s of 16-bit samples of one channel."""

MAX_CHANNELS: Final = 8
"""Most channels of a file that is decoded."""

REQUEST: Final = struct.Struct("=IB")
"""Message to a process: the processor seconds granted, and the index of the audio track or `ANY_TRACK`.

It comes with the descriptor of a file; without one it begins a live stream.
"""

ORDER: Final = struct.Struct("=?I")
"""Message to the fork server: whether to fork a process, with the descriptor of a socket for it, or to kill it; and the
number that the service has given to the process.
"""

PID: Final = struct.Struct("=i")
"""The first that a fork sends: its PID."""

CHUNK: Final = struct.Struct("=I")
"""Header of a chunk of a live stream: its size in bytes."""

MAX_CHUNK: Final = 1024 * 1024
"""Largest chunk in bytes; a larger message of a client is several chunks."""

MAX_LIVE_SILENCE: Final = 60 * SAMPLE_RATE
"""Silent samples that a gap in a live stream becomes at most; a longer one ends the turn in any case."""

MAX_NUMBER_BYTES: Final = 16
"""Largest payload that is a number."""

ANY_TRACK: Final = 255
"""Stands for the track that a player would choose."""

HEADER: Final = struct.Struct("=BBI")
"""Header of a record: its kind, the number of channels of its audio or 0, and the size of its payload in bytes.

No payload is larger than a block with all channels.
"""


class Kind(IntEnum):
    """Kind of a record, which tells what its payload is."""

    TRACKS = 0
    """The audio tracks of the file and which is decoded, as `tracks.to_json` writes them. The first record."""
    LENGTH = 1
    """Microseconds of audio and gaps in the file, a big-endian integer, counted without decoding: there may be more."""
    AUDIO = 2
    """16-bit samples at 16 kHz, in native byte order, those of the channels interleaved."""
    SILENCE = 3
    """Number of silent samples that the file does not contain but a player would play, as a big-endian integer."""
    END = 4
    """No payload. The last record."""
    UNSUPPORTED = 5
    """The audio cannot be decoded; the payload is a message for the client. It ends a file, as the next two do."""
    INVALID_FORMAT = 6
    """The file is in no supported format; the payload is a message for the client."""
    NO_AUDIO = 7
    """The file has no audio stream; the payload is a message for the client."""
    DAMAGED = 8
    """Bytes of a live stream that were skipped because others were lost, as a big-endian integer."""
    TAKEN = 9
    """No payload. The chunk of a live stream is decoded: the last record of each chunk."""


class Record(NamedTuple):
    """A record. `channels` is the number of channels of `Kind.AUDIO`."""

    kind: Kind
    payload: bytes = b""
    channels: int = 0


class Refused(Exception):
    """The file cannot be decoded; `kind` says why, the message is for the client."""

    def __init__(self, message: str, kind: Kind = Kind.UNSUPPORTED) -> None:
        super().__init__(message)
        self.kind = kind
