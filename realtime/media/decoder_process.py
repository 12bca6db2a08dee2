"""The program of a process that decodes one file, run by `decoder_pool.py`, and the protocol between them.

FFmpeg's demuxers and codecs are a million lines of code that read untrusted input. Here they run in a process that has
one file and one socket, cannot open another file or connection, and has limits on memory and processor time; a crash
fails one upload. The program imports little but PyAV, so it starts quickly and holds no secrets.

Standard input is a Unix socket. It carries one message to the process: the processor seconds granted and the track
wanted, with the descriptor of the file (never its name). The process answers with records of a kind, a length and a
payload; no more than the socket's buffer is decoded ahead of the reader. The socket closes with the parent process: an
orphan ends with its next record, or when its processor time is used up.
"""

import io
import os
import resource
import signal
import socket
import sys
import wave
from collections.abc import Iterator
from typing import IO, Final

from realtime.media.decoding import records, survey
from realtime.media.records import ANY_TRACK, HEADER, REQUEST, Kind, Record, Refused
from realtime.media.tracks import to_json

_MAX_MEMORY: Final = 256 * 1024 * 1024
"""Bytes of memory the process may allocate."""


def main() -> None:
    """Wait for a file, decode it and exit."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # an orphan exits silently
    warm_up()
    link = socket.socket(fileno=sys.stdin.fileno())
    request, descriptors, _, _ = socket.recv_fds(link, 64, 1)
    if not descriptors:
        return  # the parent closed the socket without sending a file
    file = os.fdopen(descriptors[0], "rb", buffering=0)
    processor_seconds, track = REQUEST.unpack(request)
    confine(processor_seconds)
    try:
        for record in decode(file, None if track == ANY_TRACK else track):
            _send(link, record)
        _send(link, Record(Kind.END))
    except Refused as refusal:
        _send(link, Record(refusal.kind, str(refusal).encode()))
    except MemoryError:
        _send(link, Record(Kind.UNSUPPORTED, b"Decoding the file takes too much memory."))


def warm_up() -> None:
    """Decode a moment of silence, so that PyAV imports all of its modules before imports become impossible."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, 8_000, 0, "NONE", ""))
        recording.writeframes(bytes(1_600))
    assert len(list(decode(file))) == 3


def decode(file: IO[bytes], track: int | None = None) -> Iterator[Record]:
    """Yield the records of the file, but for the last. Raises `Refused`."""
    found = survey(file, track)
    yield Record(Kind.TRACKS, to_json(found.chosen, found.tracks))
    yield Record(Kind.LENGTH, int(found.seconds).to_bytes(16))
    yield from records(file, found.chosen, use_timestamps=found.use_timestamps)


def confine(processor_seconds: int) -> None:
    """Set resource limits: no open files, no writes, no child processes, bounded memory and processor time.

    macOS accepts the limit on memory but does not enforce it.
    """
    for limit, value in (
        (resource.RLIMIT_DATA, _MAX_MEMORY),
        (resource.RLIMIT_CPU, processor_seconds),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def _send(link: socket.socket, record: Record) -> None:
    link.sendall(HEADER.pack(record.kind, record.channels, len(record.payload)) + record.payload)


if __name__ == "__main__":
    main()
