"""The fork server of decoding processes (`decoder_process.py`), as the service sees it.

To import what decoding needs takes 0.07 s of processor time, to fork a process that has done so 2 ms, and the fork
shares its memory. So the service starts one such process, which reads no audio itself and forks one for each file and
stream. It ends with the service, and kills its forks then.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Final

from realtime.media.records import FORK, PROCESS

_COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("decoder_process.py")))
_PACKAGES: Final = str(Path(__file__).parents[2])
"""Directory of the package `realtime`, of which the process imports a few modules."""

_ENVIRONMENT: Final = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables Python and PyAV may need to be found; the keys of the service are not passed on."""

_END_TIMEOUT: Final = 1.0
"""Seconds that the server may take to kill its forks and to exit, for which it needs milliseconds."""


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
        self.close = weakref.finalize(self, _end, self._process, self._control)
        """End the server and all of its forks; may be called again."""

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def fork(self) -> socket.socket:
        """Return this end of the socket to a new process. Raises `OSError`.

        The first that comes is the number of the process. If it cannot be forked, the socket is closed instead.
        """
        link, other_end = socket.socketpair()
        link.setblocking(False)
        with other_end:
            try:
                socket.send_fds(self._control, [PROCESS.pack(FORK)], [other_end.fileno()])
            except OSError:
                link.close()
                raise
        return link

    def end(self, process: int) -> None:
        """Have a fork killed, which takes a moment."""
        try:
            self._control.send(PROCESS.pack(process))
        except OSError:  # the server has died, and its forks are nobody's
            with contextlib.suppress(OSError):
                if os.getpgid(process) == self._process.pid:
                    os.kill(process, signal.SIGKILL)


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
