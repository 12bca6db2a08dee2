"""The fork server of decoding processes (`decoder_process.py`), as the service sees it.

To import what decoding needs takes 0.07 s of processor time, to fork a process that has done so 2 ms, and the fork
shares its memory. So the service starts one such process when it is first needed, which reads no audio itself and forks
one for each file and stream. It ends with the service, and kills its forks then, unless it was killed itself.
"""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Final

from realtime.media.records import ORDER

_COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("decoder_process.py")))
_PACKAGES: Final = str(Path(__file__).parents[2])
"""Directory of the package `realtime`, of which the process imports a few modules."""

_ENVIRONMENT: Final = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables Python and PyAV may need to be found; the keys of the service are not passed on."""

_END_TIMEOUT: Final = 1.0
"""Seconds that the server may take to kill its forks and to exit, for which it mostly needs milliseconds."""


class ForkServer:
    """A process that forks others. Nothing here waits for it, but `close`.

    It is closed at the latest when nobody refers to it any more.
    """

    def __init__(self) -> None:
        """Start the process. Raises `OSError`."""
        self._control, other_end = socket.socketpair()
        with other_end:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - nothing in the command comes from a client
                    _COMMAND,
                    stdin=other_end.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,  # an interrupt from the terminal is for the service to handle
                )
            except OSError:
                self._control.close()
                raise
        self._control.setblocking(False)
        self._numbers = itertools.count()
        self._killed = False
        self.close = weakref.finalize(self, _end, self._process, self._control)
        """End the server and its forks; may be called again."""

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    def kill(self) -> None:
        """End the server because it hangs. What it has forked goes on, and ends with those who read it."""
        self._killed = True
        self._process.kill()

    def fork(self) -> tuple[int, socket.socket]:
        """Return the number of a new process, and this end of the socket to it. Raises `OSError`.

        The first that comes over the socket is the PID of the process. If it cannot be forked, the socket is closed.
        """
        number = next(self._numbers)
        link, other_end = socket.socketpair()
        link.setblocking(False)
        with other_end:
            try:
                socket.send_fds(self._control, [ORDER.pack(True, number)], [other_end.fileno()])
            except OSError:
                link.close()
                raise
        return number, link

    def end(self, number: int, pid: int | None) -> None:
        """Kill a fork, if its PID is known; the server reaps it, or kills one whose PID is not known yet."""
        with contextlib.suppress(OSError):
            if pid is not None and os.getpgid(pid) == self._process.pid:  # the server may have died
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._control.send(ORDER.pack(False, number))


def _end(process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
    """End a server, which kills its forks when its socket is closed."""
    control.close()
    try:
        process.wait(_END_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment() -> dict[str, str]:
    """Return the environment of a process, in which this package comes before an installed one."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    paths = (_PACKAGES, environment.get("PYTHONPATH"))
    return {**environment, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
