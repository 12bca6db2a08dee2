"""The program of a process that runs one engine, one job or call at a time; `worker_process.py` is the service's end.

Standard input is a Unix socket with the messages of `messages.py`. The first one names the engine. A thread reads the
socket while the engine works, so that a job can be cancelled within it. The process ends with the socket, and so with
the service. Signals that ask the service to end are for the service: it still needs its engines while it drains.

It may run in another Python environment, with the libraries of the engine. So it imports the package `realtime` from
beside this file and no other package from there, and what it needs of it depends on numpy only.
"""

import contextlib
import ctypes
import importlib.util
import logging
import os
import queue
import resource
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from realtime.audio.formats import Samples
    from realtime.engines.base import CalledEngine, ProcessEngine
    from realtime.workers.messages import Message

PR_SET_PDEATHSIG: Final = 1
"""The option of Linux' `prctl` for the signal that a process gets when the thread that started it ends."""


def import_package() -> None:
    """Make the package `realtime` importable, and nothing else of the directory in which it lies."""
    directory = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        directory.name, directory / "__init__.py", submodule_search_locations=[str(directory)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[directory.name] = package
    spec.loader.exec_module(package)


class Link:
    """This end of the socket."""

    def __init__(self) -> None:
        self._sending = threading.Lock()
        self._socket = socket.socket(fileno=os.dup(0))
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)  # what the libraries start does not inherit the socket

    def send(self, message: "Message") -> None:
        with self._sending:
            for buffer in message.buffers():
                self._socket.sendall(buffer)

    def receive(self) -> "Message":
        """Wait for a message. Raises `EOFError` when the service has closed the socket."""
        from realtime.workers import messages

        kind, sizes = messages.body_sizes(self._read(messages.HEADER.size))
        return messages.decode_body(kind, sizes, self._read(sum(sizes)))

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view, position = memoryview(data), 0
        while position < size:
            received = self._socket.recv_into(view[position:])
            if not received:
                raise EOFError
            position += received
        return data


class Log(logging.Handler):
    """Sends records to the log of the service."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        from realtime.workers.messages import Kind, Message

        fields = {"logger": record.name, "level": record.levelno, "message": record.getMessage()}
        self._link.send(Message(Kind.LOG, fields))


class Jobs:
    """The jobs and calls of the service, which a thread reads, and the cancellation of the present job."""

    def __init__(self, link: Link, engine: "ProcessEngine | CalledEngine", rest_seconds: float) -> None:
        """Return freed memory after `rest_seconds` without work: tensors of many sizes leave it in pieces."""
        self._link = link
        self._engine = engine
        self._rest_seconds = rest_seconds
        self._waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled = -1
        threading.Thread(target=self._read, daemon=True).start()

    def run(self) -> None:
        """Run the jobs and calls one after another, for ever."""
        from realtime.workers.messages import Kind, Message

        while True:
            job = self._next()
            try:
                if job.kind is Kind.CALL:
                    answer = cast("CalledEngine", self._engine).call(job.fields["name"], job.data)
                    outcome = Message(Kind.ANSWER, data=(answer,))
                else:
                    for fields, samples in self._results(job):
                        self._link.send(Message(Kind.RESULT, fields, samples))
                    outcome = Message(Kind.DONE)
            except Exception as exc:  # noqa: BLE001 - raised again in the service
                outcome = failure(exc)
            self._link.send(outcome)

    def _next(self) -> "Message":
        """Wait for a job or call."""
        from realtime.freed_memory import return_freed_memory

        try:
            return self._waiting.get(timeout=self._rest_seconds)
        except queue.Empty:
            return_freed_memory()
            return self._waiting.get()

    def _results(self, job: "Message") -> Iterator["tuple[dict[str, Any], Samples]"]:
        results = cast("ProcessEngine", self._engine).run(job.fields, job.samples)
        with contextlib.closing(results):
            for result in results:
                if self._cancelled == job.fields["number"]:
                    return
                yield result

    def _read(self) -> None:
        from realtime.workers.messages import Kind

        try:
            while True:
                message = self._link.receive()
                if message.kind is Kind.CANCEL:
                    self._cancelled = message.fields["number"]
                    cast("ProcessEngine", self._engine).interrupt()
                else:
                    self._waiting.put(message)
        finally:
            os._exit(0)  # the service has closed the socket


def failure(exc: Exception) -> "Message":
    """Return the message for an exception; of a foreign one it has the type and the place, but no text of a client."""
    from realtime.errors import VoiceError
    from realtime.workers.messages import Kind, Message

    if isinstance(exc, VoiceError):
        fields = {"error": type(exc).__name__, "message": exc.message, "param": exc.param}
    else:
        place = traceback.extract_tb(exc.__traceback__)[-1]
        fields = {"error": "", "message": f"{type(exc).__name__} at {Path(place.filename).name}:{place.lineno}"}
    return Message(Kind.ERROR, fields)


def main() -> None:
    """Load the engine that the first message names, then run jobs or calls until the service closes the socket."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    import_package()
    from realtime.freed_memory import return_freed_memory
    from realtime.workers.messages import Kind, Message

    link = Link()
    start = link.receive().fields
    if start["ends_with_thread"] and sys.platform == "linux":  # also while native code holds the lock of Python
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = logging.getLogger("realtime")  # those of libraries may hold texts of clients
    log.setLevel(start["log_level"])
    log.addHandler(Log(link))
    log.propagate = False
    if start["max_memory_bytes"]:
        resource.setrlimit(resource.RLIMIT_DATA, (start["max_memory_bytes"], start["max_memory_bytes"]))
    module, _, name = start["engine"].partition(":")
    try:
        make = getattr(importlib.import_module(module), name)
        engine: ProcessEngine | CalledEngine = make(
            start["arguments"], lambda stage: link.send(Message(Kind.STAGE, {"stage": stage}))
        )
    except Exception as exc:  # noqa: BLE001 - raised again in the service
        link.send(failure(exc))
        return
    return_freed_memory()
    link.send(Message(Kind.READY, engine.description))
    Jobs(link, engine, start["rest_seconds"]).run()


if __name__ == "__main__":
    main()
