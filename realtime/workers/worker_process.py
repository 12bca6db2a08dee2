"""One process of an engine as the service sees it: its start, which blocks, and its jobs, which are awaited.

The process runs `engine_process.py`. What it sends is checked, and how long it may take is bounded; it is killed when
it does not keep to that.
"""

import asyncio
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from realtime.audio.formats import Samples
from realtime.engines.base import EngineProgram
from realtime.errors import ClientError, EngineError, UnknownVoice, UnsupportedAudio, UnusableModel
from realtime.workers.messages import HEADER, Kind, Message, body_sizes, decode_body

MAX_START_SECONDS: Final = 600.0
"""Seconds that a process may take to load its engine; a model of several gigabytes on a slow disk takes minutes."""

START_POLL: Final = 0.2
"""Seconds between two looks at whether a start is still wanted."""

_RAISED: Final = {kind.__name__: kind for kind in (ClientError, UnknownVoice, UnsupportedAudio, UnusableModel)}
"""Errors of an engine that are raised as they are, by name; any other becomes an `EngineError`."""

_PROGRAM: Final = str(Path(__file__).with_name("engine_process.py"))

_PASSED_ON: Final = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "USER", "HF_HOME", "HF_HUB_CACHE")
_PREFIXES: Final = (
    "CUDA_", "DYLD_", "GOMP_", "KMP_", "LD_", "MKL_", "NUMBA_", "NVIDIA_", "OMP_", "PYTORCH_", "TORCH", "XDG_",
)  # fmt: skip
"""Variables that libraries for models read; the keys of the service are not passed on."""


class WorkerProcess:
    """A process with a loaded engine. It belongs to the event loop that first runs a job in it."""

    def __init__(self, program: EngineProgram, on_stage: Callable[[str], None]) -> None:
        """Start the process and wait until its engine is loaded.

        `on_stage` is called with each stage, and again every `START_POLL` seconds; what it raises ends the start.
        Raises `EngineError`, and what the engine raises.
        """
        self.description: Mapping[str, Any] = {}
        self._program = program
        self._jobs = 0
        self._busy = False
        self._header: tuple[Kind, int, int] | None = None
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
            self._load(on_stage)
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

    def _load(self, on_stage: Callable[[str], None]) -> None:
        start = {
            "engine": self._program.engine,
            "arguments": self._program.arguments,
            "max_memory_bytes": self._program.max_memory_bytes,
        }
        stage, deadline = "starting", time.monotonic() + MAX_START_SECONDS
        try:
            self._socket.sendall(Message(Kind.START, start).encode())
            while not self.description:
                on_stage(stage)
                if time.monotonic() > deadline:
                    raise EngineError(f"{self._program.name} was not loaded in {MAX_START_SECONDS:g} s.")
                if not select.select([self._socket], [], [], START_POLL)[0]:
                    continue
                message = self._receive()
                if message.kind is Kind.STAGE:
                    stage = message.fields["stage"]
                else:
                    self.description = self._checked(message).fields
        except (EOFError, ConnectionError, ValueError) as exc:
            raise self._ended() from exc

    def _receive(self) -> Message:
        kind, fields, samples = body_sizes(self._read(HEADER.size))
        return decode_body(kind, fields, self._read(fields + samples))

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            received = self._socket.recv(size - len(data))
            if not received:
                raise EOFError
            data += received
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
            if self._header is None:
                self._header = body_sizes(await reader.readexactly(HEADER.size))
            kind, fields, samples = self._header
            message = decode_body(kind, fields, await reader.readexactly(fields + samples))
        self._header = None
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

    def _ended(self) -> EngineError:
        """End the process, and return the error that says how it ended."""
        status = self._process.poll()
        if status is None:
            self._wait_briefly()
            status = self._process.poll()
        self.end()
        if status is None:
            how = "sent what is no message"
        elif status < 0:
            how = f"was ended by {signal.Signals(-status).name}"
        else:
            how = f"ended with exit status {status}"
        return EngineError(f"The process of {self._program.name} {how}.")

    def _wait_briefly(self) -> None:
        """Wait for a process that has closed its socket and is about to end."""
        try:
            self._process.wait(START_POLL)
        except subprocess.TimeoutExpired:
            return

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


def _environment() -> dict[str, str]:
    """Return the variables for a process. Its libraries get their files from the service and download none."""
    passed_on = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PREFIXES)}
    return passed_on | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
