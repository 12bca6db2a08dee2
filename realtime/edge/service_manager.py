"""What the process that has started the service is told of it: that it is ready, alive, reloading, and ending.

That is a service manager with the protocol of systemd, sd_notify(3), or one that passes a descriptor and waits for a
line from it, as s6 does.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

BEATS_PER_WATCHDOG_PERIOD: Final = 3
"""Signs of life within one period of the watchdog; sd_watchdog_enabled(3) recommends two or more."""


FIRST_DESCRIPTOR: Final = 3
"""The first descriptor that systemd passes to a process; see sd_listen_fds(3)."""


def passed_sockets(environ: Mapping[str, str] = os.environ) -> list[tuple[str, int]]:
    """Return the names and the descriptors of the listening sockets that systemd has passed to this process."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    count = int(environ.get("LISTEN_FDS", "0"))
    return [(names[index] if index < len(names) else "", FIRST_DESCRIPTOR + index) for index in range(count)]


class ServiceManager:
    """The manager of the service; where there is none, nothing is sent.

    Attributes:
        heartbeat_seconds: How often it is to be told that the service is alive; None if it does not watch.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, ready_descriptor: int | None = None) -> None:
        """Read the address and the period of the watchdog from the environment, where systemd puts them."""
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._ready_descriptor = ready_descriptor
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        period = environ.get("WATCHDOG_USEC", "")
        self.heartbeat_seconds = (
            int(period) / 1e6 / BEATS_PER_WATCHDOG_PERIOD
            if self._address and watched and period.isdecimal() and int(period)
            else None
        )

    def ready(self) -> None:
        """Say that the service takes work, and which process that is: it may have taken over from another one."""
        self._notify(f"READY=1\nMAINPID={os.getpid()}")
        if self._ready_descriptor is not None:
            with suppress(OSError):  # nobody waits for it any longer
                os.write(self._ready_descriptor, b"\n")
                os.close(self._ready_descriptor)
            self._ready_descriptor = None

    def alive(self) -> None:
        """Say that the service works as it should."""
        self._notify("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that another process is about to take over; `ready` says that it has, or that this one goes on."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the service is about to end."""
        self._notify("STOPPING=1")

    def leave(self) -> None:
        """Say nothing from now on: another process speaks for the service."""
        self._address = ""

    def _notify(self, state: str) -> None:
        """Send a state. A manager that cannot take it now, or is gone, does not hold up the service."""
        if self._address:
            address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), address)
