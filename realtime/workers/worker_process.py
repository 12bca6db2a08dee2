"""One process of an engine as the service sees it: its start and calls, which block, and its jobs, which are awaited.

The process runs `engine_process.py`. What it sends is checked, and how long it may take is bounded; it is killed when
it does not keep to that.
"""

import asyncio
import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from realtime.audio.formats import Samples
from realtime.engines.base import EngineProgram
from realtime.errors import ClientError, EngineError, UnknownVoice, UnsupportedAudio, UnusableModel
from realtime.workers.cpu_times import CpuTimes, cpu_times
from realtime.workers.messages import HEADER, Buffer, Kind, Message, body_sizes, decode_body

MAX_START_SECONDS: Final = 600.0
"""Seconds that a process may take to load its engine; a model of several gigabytes on a slow disk takes minutes."""

START_POLL: Final = 0.2
"""Seconds between two looks at whether a start is still wanted."""


class ProcessEnded(EngineError):
    """The process of an engine has ended, or was killed, before it had answered."""


class ProcessStalled(ProcessEnded):
    """The process of an engine was killed because it has not answered in time; `spent` is what it did meanwhile."""

    def __init__(self, message: str, spent: CpuTimes) -> None:
        super().__init__(message)
        self.spent = spent


_RAISED: Final = {kind.__name__: kind for kind in (ClientError, UnknownVoice, UnsupportedAudio, UnusableModel)}
"""Errors of an engine that are raised as they are, by name; any other becomes an `EngineError`."""

_PROGRAM: Final = str(Path(__file__).with_name("engine_process.py"))

_PASSED_ON: Final = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "USER", "HF_HOME", "HF_HUB_CACHE")
_PREFIXES: Final = (
    "BLIS_", "CT2_", "CUDA_", "DNNL_", "DYLD_", "GOMP_", "KMP_", "LD_", "MKL_", "NPY_", "NUMBA_", "NVIDIA_", "OMP_",
    "ONEDNN_", "OPENBLAS_", "PYTORCH_", "TORCH", "VECLIB_", "XDG_",
)  # fmt: skip
"""Variables that libraries for models read; the keys of the service are not passed on."""


class WorkerProcess:
    """A process with a loaded engine: for jobs, of the event loop that first runs one in it, or for calls."""

    def __init__(
        self, program: EngineProgram, on_stage: Callable[[str], None], *, ends_with_thread: bool = False
    ) -> None:
        """Start the process and wait until its engine is loaded.

        `on_stage` is called with each stage, and again every `START_POLL` seconds; what it raises ends the start. With
        `ends_with_thread` the kernel kills the process when the calling thread ends (Linux only).

        Raises `EngineError`, and what the engine raises.
        """
        self.description: Mapping[str, Any] = {}
        self._program = program
        self._jobs = 0
        self._busy = False
        self._header: tuple[Kind, tuple[int, int, int]] | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._socket, child_socket = socket.socketpair()
        try:
            with child_socket:
                self._process = subprocess.Popen(  # noqa: S603 - nothing in the command comes from a client
                    (program.python, "-P", _PROGRAM),
                    stdin=child_socket.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # the libraries write texts of clients there
                    env={**_environment(), **program.environment},
                    process_group=0,  # an interrupt from the terminal is for the service to handle
                )
        except OSError as exc:
            self._socket.close()
            raise EngineError(f"No process can be started for {program.name} with {program.python}.") from exc
        try:
            self._load(on_stage, ends_with_thread=ends_with_thread)
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def busy(self) -> bool:
        """Whether a job has begun whose end has not been received."""
        return self._busy

    def _load(self, on_stage: Callable[[str], None], *, ends_with_thread: bool) -> None:
        start = {
            "engine": self._program.engine,
            "arguments": self._program.arguments,
            "max_memory_bytes": self._program.max_memory_bytes,
            "ends_with_thread": ends_with_thread,
            "rest_seconds": self._program.rest_seconds,
            "log_level": logging.getLogger("realtime").getEffectiveLevel(),
        }
        stage, deadline = "starting", time.monotonic() + MAX_START_SECONDS
        try:
            self._socket.sendall(Message(Kind.START, start).encode())
            while not self.description:
                on_stage(stage)
                if time.monotonic() > deadline:
                    raise EngineError(f"{self._program.name} was not loaded in {MAX_START_SECONDS:g} s.")
                if not self._readable(START_POLL):
                    continue
                message = self._receive()
                if message.kind is Kind.STAGE:
                    stage = message.fields["stage"]
                elif message.kind is Kind.LOG:
                    _log(message)
                else:
                    self.description = self._checked(message).fields
        except (EOFError, ConnectionError, ValueError) as exc:
            raise self._ended() from exc

    def call(self, name: str, data: Sequence[Buffer], timeout: float) -> Buffer:
        """Call the engine, one call at a time, and return its answer, which blocks.

        Raises what the engine raises, `ProcessEnded` if the process has ended, and `ProcessStalled` if it is killed
        because it has not answered within `timeout` seconds.
        """
        deadline, before = time.monotonic() + timeout, cpu_times(self._process.pid)
        try:
            self._socket.settimeout(timeout)
            for buffer in Message(Kind.CALL, {"name": name}, data=data).buffers():
                self._socket.sendall(buffer)
            while (message := self._receive(deadline)).kind is Kind.LOG:
                _log(message)
        except TimeoutError as exc:
            spent = cpu_times(self._process.pid) - before
            self.end()
            raise ProcessStalled(
                f"{self._program.name} has not answered within {timeout:.0f} s, and its process was killed.", spent
            ) from exc
        except (EOFError, OSError, ValueError) as exc:
            raise self._ended() from exc
        (answer,) = self._checked(message).data
        return answer

    def _receive(self, deadline: float | None = None) -> Message:
        """Wait for a message. Raises `EOFError` at the end of the socket, and `TimeoutError` at the deadline."""
        kind, sizes = body_sizes(self._read(HEADER.size, deadline))
        return decode_body(kind, sizes, self._read(sum(sizes), deadline))

    def _read(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        view, position = memoryview(data), 0
        while position < size:
            if deadline is not None:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))  # 0 would not wait at all
            received = self._socket.recv_into(view[position:])
            if not received:
                raise EOFError
            position += received
        return data

    async def run(self, job: Mapping[str, Any], samples: Samples) -> AsyncGenerator[Message, None]:
        """Yield the parts of the result of a job.

        If it is left early, `settle` must be called before the next one. Raises what the engine raises, and
        `EngineError` if the process has ended, or is killed because it has sent nothing for `stall_timeout` seconds.
        """
        self._jobs += 1
        self._busy = True
        try:
            await self._send(Message(Kind.JOB, {**job, "number": self._jobs}, samples))
            while (message := await self._next(self._program.stall_timeout)).kind is Kind.RESULT:
                yield message
        except TimeoutError as exc:
            await asyncio.to_thread(self.end)
            raise EngineError(f"{self._program.name} has stalled, and its process was killed.") from exc
        except (EOFError, ConnectionError, ValueError) as exc:
            raise await asyncio.to_thread(self._ended) from exc
        self._checked(message)

    async def settle(self) -> None:
        """Cancel the present job, and wait for its end; kill the process if that takes `cancel_timeout`."""
        try:
            async with asyncio.timeout(self._program.cancel_timeout):
                await self._send(Message(Kind.CANCEL, {"number": self._jobs}))
                while self._busy:
                    await self._next(None)
        except (TimeoutError, EOFError, ConnectionError, ValueError):
            await asyncio.to_thread(self.end)

    async def _send(self, message: Message) -> None:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(sock=self._socket)
        self._streams[1].write(message.encode())
        await self._streams[1].drain()

    async def _next(self, timeout: float | None) -> Message:
        """Return the next message; if the caller is cancelled, no part of a message is lost."""
        assert self._streams is not None
        reader, _ = self._streams
        async with asyncio.timeout(timeout):
            while True:
                if self._header is None:
                    self._header = body_sizes(await reader.readexactly(HEADER.size))
                kind, sizes = self._header
                message = decode_body(kind, sizes, await reader.readexactly(sum(sizes)))
                self._header = None
                if kind is not Kind.LOG:
                    break
                _log(message)
        self._busy = kind is Kind.RESULT
        return message

    def _checked(self, message: Message) -> Message:
        """Return the message unless it is an error, which is raised."""
        if message.kind is not Kind.ERROR:
            return message
        kind, text = message.fields["error"], message.fields["message"]
        if raised := _RAISED.get(kind):
            raise raised(text, param=message.fields["param"])
        raise EngineError(text if kind else f"{self._program.name} failed: {text}.")

    def _ended(self) -> ProcessEnded:
        """End the process, and return the error that says how it ended."""
        if self.alive:
            self._wait_briefly()
        misbehaved = self.alive
        self.end()
        return ProcessEnded(
            f"The process of {self._program.name} sent what is no message." if misbehaved else self.ending()
        )

    def ending(self) -> str:
        """Return how the process has ended, as a sentence."""
        status = self._process.wait()
        how = f"was ended by {_signal_name(-status)}" if status < 0 else f"ended with exit status {status}"
        return f"The process of {self._program.name} {how}."

    def _wait_briefly(self) -> None:
        """Wait for a process that has closed its socket and is about to end."""
        try:
            self._process.wait(START_POLL)
        except subprocess.TimeoutExpired:
            return

    def wait(self) -> None:
        """Wait until the process has ended."""
        self._process.wait()

    def kill(self) -> None:
        """Kill the process without waiting for its end; may be called from any thread."""
        self._process.kill()

    @property
    def hung_up(self) -> bool:
        """Whether the process has ended or closed its end of the socket, also where `alive` does not show it yet.

        To be asked between two calls.
        """
        try:
            self._socket.setblocking(False)
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _readable(self, seconds: float) -> bool:
        """Wait so long for something to read, which may be the end of the socket."""
        poll = select.poll()  # `select` knows no descriptor beyond 1023
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def end(self) -> None:
        """Kill the process and wait for its end, which takes longer the more memory it has; may be called again."""
        self._process.kill()
        self._process.wait()
        if self._streams is None:
            self._socket.close()

    def close_streams(self) -> None:
        """Close this end of the socket; called in the event loop once the process has ended."""
        if self._streams is not None:
            self._streams[1].close()


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _log(message: Message) -> None:
    """Log what the process has logged."""
    fields = message.fields
    logging.getLogger(fields["logger"]).log(fields["level"], "%s", fields["message"])


def _environment() -> dict[str, str]:
    """Return the variables for a process. Its libraries get their files from the service and download none."""
    passed_on = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PREFIXES)}
    return passed_on | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
