"""The next process of the service, which takes over its listening sockets while this one serves its clients to the end.

It runs the same command, and so the code and the settings that are installed by then. Both processes accept connections
from the same sockets until this one stops, so that none is refused.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

OF_ONE_PROCESS: Final = ("WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
"""Environment variables of systemd that mean the process with one number."""


class Successor:
    """A process with listening sockets of this one."""

    def __init__(self, sockets: Mapping[str, int]) -> None:
        """Start the process with the descriptors of listening sockets, by the options of `serve` that take them.

        Raises `OSError` if it cannot be started.
        """
        self._ready, ready = os.pipe()
        options = {**sockets, "--ready-fd": ready}
        command = [sys.executable, *sys.orig_argv[1:]]
        while len(command) > 2 and command[-2] in options:  # those that this process was given in the same way
            del command[-2:]
        for option, descriptor in options.items():
            command += [option, str(descriptor)]
        environment = {name: value for name, value in os.environ.items() if name not in OF_ONE_PROCESS}
        try:
            self._process = subprocess.Popen(command, env=environment, pass_fds=tuple(options.values()))  # noqa: S603
        except OSError:
            os.close(self._ready)
            raise
        finally:
            os.close(ready)

    @property
    def process_id(self) -> int:
        return self._process.pid

    async def ready(self) -> bool:
        """Wait until the process takes work; return False if it has ended instead. If this is cancelled, end it."""
        loop = asyncio.get_running_loop()
        answered = asyncio.Event()
        loop.add_reader(self._ready, answered.set)
        try:
            await answered.wait()
            answer = os.read(self._ready, 1)
        except asyncio.CancelledError:
            await self.end()
            raise
        finally:
            loop.remove_reader(self._ready)
            os.close(self._ready)
        if not answer:
            self._process.wait()  # it has closed its descriptors, and so is ending
        return bool(answer)

    async def end(self) -> None:
        """Ask the process to end, as a supervisor does, and wait until it has."""
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)
