"""The listening sockets of the service: opened, or taken over from the process that has started it.

Connections wait in them until the service accepts them. This module imports nothing heavy, so that `vivavoce serve` can
open them before it imports the rest: until then clients are told that there is no server.
"""

import errno
import socket
from typing import Final

from realtime.settings import Settings

USER_TIMEOUT_FACTOR: Final = 4
"""Unacknowledged data closes a connection after this many times `send_timeout_seconds`, if the session did not."""


def listening_socket(settings: Settings) -> socket.socket:
    """Open the listening socket for HTTP and websockets.

    Raises:
        OSError: The address or the port is not available.
        OverflowError: The port is out of range.

    """
    return _listen(settings.host, settings.port, settings)


def wyoming_socket(settings: Settings) -> socket.socket | None:
    """Open the listening socket for Wyoming clients; None without the setting. Raises as `listening_socket`."""
    return None if settings.wyoming_address is None else _listen(*settings.wyoming_address, settings)


def _listen(host: str, port: int, settings: Settings) -> socket.socket:
    """Open a listening socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _guarded(socket.create_server((host, port), family=family, backlog=128), settings)


def inherited_socket(descriptor: int, settings: Settings) -> socket.socket:
    """Take over a listening socket that the parent process has opened, such as systemd.

    Raises `OSError` if the descriptor is not one of TCP.
    """
    listener = socket.socket(fileno=descriptor)
    listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listening or listener.family not in (socket.AF_INET, socket.AF_INET6):
        listener.detach()
        raise OSError(errno.EINVAL, "this is no listening TCP socket")
    return _guarded(listener, settings)


def _guarded(listener: socket.socket, settings: Settings) -> socket.socket:
    """Have connections of a listening socket closed when the peer is gone or does not read."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        timeout_ms = int(1000 * USER_TIMEOUT_FACTOR * settings.send_timeout_seconds)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
    return listener


def listening_error(error: OSError | OverflowError) -> str:
    """Describe in words why `listening_socket` failed, without the address, which `socket` appends."""
    return (getattr(error, "strerror", None) or str(error)).partition(" (while ")[0]
