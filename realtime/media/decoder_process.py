"""The program of the fork server and of the processes that it forks, which decode one file or one live stream each.

FFmpeg's demuxers and codecs are a million lines of code that read untrusted input. Here they run in a process that has
one file and one socket, cannot open another file or connection, and has limits on memory and processor time; a crash
fails one upload or session. The program imports little but PyAV, so it starts quickly and holds no secrets.

Standard input of the fork server is a Unix socket, over which it gets orders to fork processes, each with the
descriptor of another socket, and to kill them (`fork_server.py`). It answers nothing.

The other socket belongs to a fork, which first sends its PID. It carries one message to the fork: the processor
seconds granted and the track wanted, with the descriptor of the file (never its name). The fork answers with records of
a kind, a length and a payload (`decoder_child.py`); no more than the socket's buffer is decoded ahead of the reader.
When the service has gone, a fork ends with its next record, or when its processor time is used up.

Without a descriptor the message begins a live stream. Its chunks follow on the socket, each with its size before it,
and the fork answers one before it takes the next. An empty chunk ends the stream, and another may follow.
"""

import contextlib
import gc
import io
import os
import resource
import signal
import socket
import sys
import traceback
import wave
from collections.abc import Iterator
from typing import IO, Final

from realtime.media.decoding import records, survey
from realtime.media.live_decoding import decode_live
from realtime.media.records import ANY_TRACK, CHUNK, HEADER, ORDER, PID, REQUEST, Kind, Record, Refused
from realtime.media.tracks import to_json

_MAX_MEMORY: Final = 256 * 1024 * 1024
"""Bytes of memory the process may allocate."""


def main() -> None:
    """Fork a process for each socket that comes over standard input, until that is closed; then kill all of them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which a service manager sends to all; the service drains first
    warm_up()
    gc.freeze()  # a collection in a fork would copy what it shares
    control, pids = socket.socket(fileno=sys.stdin.fileno()), dict[int, int]()
    try:
        while True:
            order, descriptors, _, _ = socket.recv_fds(control, ORDER.size, 1)
            if not order:
                return
            forking, number = ORDER.unpack(order)
            for descriptor in descriptors:
                with contextlib.suppress(OSError):  # the service sees that the socket is closed
                    pids[number] = fork(control, descriptor)
                os.close(descriptor)
            if not forking and number in pids:
                kill(pids.pop(number))
    finally:
        for pid in pids.values():
            kill(pid)


def fork(control: socket.socket, descriptor: int) -> int:
    """Fork a process that serves a socket, and return its PID. Raises `OSError`."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        control.close()
        os.open(os.devnull, os.O_RDONLY)  # takes its number, that of standard input
        with contextlib.suppress(ConnectionError):  # the service has gone
            serve(socket.socket(fileno=descriptor))
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must not go on in the loop of the server
        traceback.print_exc()
    finally:
        os._exit(status)


def kill(pid: int) -> None:
    """Kill a fork. Before it is reaped here, no other process gets its PID."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def serve(link: socket.socket) -> None:
    """Wait for a file or a live stream, and decode it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # an orphan exits silently
    link.sendall(PID.pack(os.getpid()))
    request, descriptors, _, _ = socket.recv_fds(link, REQUEST.size, 1)
    if not request:
        return  # the service closed the socket without a request
    processor_seconds, track = REQUEST.unpack(request)
    if not descriptors:
        confine(processor_seconds)
        with contextlib.suppress(MemoryError):  # the end of the process is what the service reports
            while True:
                decode_live(lambda: _chunk(link), lambda record: _send(link, record))
        return
    file = os.fdopen(descriptors[0], "rb", buffering=0)
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
    yield Record(Kind.LENGTH, round(found.seconds * 1_000_000).to_bytes(16))
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


def _chunk(link: socket.socket) -> bytes:
    """Return the next chunk of a live stream; exit where the service has closed the socket."""
    (size,) = CHUNK.unpack(_receive(link, CHUNK.size))
    return _receive(link, size)


def _receive(link: socket.socket, size: int) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        data = link.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        os._exit(0)  # from within a callback of FFmpeg, which an exception would not leave
    return data


def _send(link: socket.socket, record: Record) -> None:
    link.sendall(HEADER.pack(record.kind, record.channels, len(record.payload)) + record.payload)


if __name__ == "__main__":
    main()
