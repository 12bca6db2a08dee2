"""The fork server of decoding processes, as the service sees it.

A process that has imported what decoding needs takes 0.07 s of processor time to start, a fork of it 2 ms and less of
the memory. So one such process (`decoder_process.py`) is started, which reads no file itself and forks the others. It
ends with the service, and kills its forks then.
"""

import os
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from realtime.media.records import FORK, PROCESS

_COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("decoder_process.py")))
_PACKAGES: Final = str(Path(__file__).parents[2])
"""Directory of the package `realtime`, of which the process imports a few modules."""

_ENVIRONMENT: Final = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables Python and PyAV may need to be found; the keys of the service are not passed on."""

_TIMEOUT: Final = 10.0
"""Seconds that the server may take to answer; it needs milliseconds once it has started, and 0.1 s to start."""

_END_TIMEOUT: Final = 1.0
"""Seconds that the server may take to end its forks, which are milliseconds, and itself."""


class ForkServer:
    """Starts and ends forks, each with a socket to the service. It is closed at the latest when nobody refers to it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._finalizer: Callable[[], object] | None = None

    def start(self) -> None:
        """Start the process unless it runs. Raises `OSError`."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        control, other_end = socket.socketpair()
        control.settimeout(_TIMEOUT)
        with other_end:
            try:
                process = subprocess.Popen(  # noqa: S603 - nothing in the command comes from a client
                    _COMMAND,
                    stdin=other_end.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,  # an interrupt from the terminal is for the service to handle
                )
            except OSError:
                control.close()
                raise
        self._process, self._control = process, control
        self._finalizer = weakref.finalize(self, _end, process, control)

    def fork(self) -> tuple[int, socket.socket]:
        """Return the number of a new process and this end of the socket to it. Raises `OSError`."""
        link, other_end = socket.socketpair()
        link.setblocking(False)
        with other_end:
            try:
                process = self._fork(other_end)
            except OSError:
                link.close()
                raise
        if process < 0:
            link.close()
            raise OSError(-process, os.strerror(-process))
        return process, link

    def _fork(self, other_end: socket.socket) -> int:
        """Return the answer to a request for a process that has this end of its socket. Raises `OSError`."""
        self.start()
        try:
            return self._ask(FORK, other_end.fileno())
        except ConnectionError:  # the server has just died
            self.start()
            return self._ask(FORK, other_end.fileno())

    def end(self, process: int) -> int:
        """Kill a process, which takes milliseconds, and return its exit status."""
        try:
            return self._ask(process)
        except OSError:  # the server has died; the process ends with its socket
            return -signal.SIGKILL

    def close(self) -> None:
        """End the server and all of its forks."""
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._control = self._finalizer = None

    def _ask(self, request: int, *descriptors: int) -> int:
        """Return the answer to a request. Raises `OSError`."""
        if self._control is None:
            raise BrokenPipeError
        try:
            socket.send_fds(self._control, [PROCESS.pack(request)], descriptors)
            answer = self._control.recv(PROCESS.size, socket.MSG_WAITALL)
        except OSError:
            self.close()  # what it answers later would be taken for another answer
            raise
        if len(answer) < PROCESS.size:
            self.close()
            raise BrokenPipeError
        (number,) = PROCESS.unpack(answer)
        return int(number)


def _end(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    """End a server, which kills its forks when its socket is closed."""
    control.close()
    try:
        process.wait(_END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Return the environment of a process, in which this package comes before an installed one."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    paths = (_PACKAGES, environment.get("PYTHONPATH"))
    return {**environment, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
