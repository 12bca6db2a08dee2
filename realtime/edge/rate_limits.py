"""How often one client may do something: wrong keys and handshakes by its address, requests and audio by its key.

Each limit is a leaky bucket: it takes `count` at once, and what was taken runs out at the rate of `count` in `seconds`.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import HTTPConnection

from realtime.errors import Overloaded, Unauthorized
from realtime.settings import Settings

MAX_CLIENTS: Final = 10_000
"""Clients that each limit remembers; of more, the one that has been seen least recently is forgotten."""

IPV6_NETWORK_BITS: Final = 64
"""Bits of an IPv6 address that identify a client, who usually has all addresses below them (RFC 6177)."""


class RateLimited(Overloaded):
    """A client does something more often than it may; it may again after `retry_after` seconds."""

    code = "rate_limit_exceeded"
    http_status = 429


class RateLimit:
    """At most `count` in `seconds` for each client; 0 is no limit."""

    def __init__(
        self,
        count: float,
        seconds: float,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        unit: float = 1.0,
    ) -> None:
        """Limit `what`, which the error names; there must be room for a `unit` of it."""
        self._count = count
        self._unit = unit
        self._rate = count / seconds
        self._what = what
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How much of each client has not run out, and at what time that was."""

    def check(self, client: str) -> None:
        """Raise `RateLimited` if there is no room for any more."""
        excess = self._level(client) + self._unit - self._count
        if self._count and excess > 0:
            wait = math.ceil(excess / self._rate)
            raise RateLimited(f"Too many {self._what}. Try again in {wait} seconds.", retry_after=wait)

    def add(self, client: str, amount: float = 1.0) -> None:
        """Count what was done, whether or not there was room for it."""
        if self._count:
            self._levels[client] = (self._level(client) + amount, self._clock())
            self._levels.move_to_end(client)
            if len(self._levels) > MAX_CLIENTS:
                self._levels.popitem(last=False)

    def take(self, client: str, amount: float = 1.0) -> None:
        """Count what is about to be done. Raises `RateLimited` if there is no room for any more."""
        self.check(client)
        self.add(client, amount)

    def _level(self, client: str) -> float:
        level, since = self._levels.get(client, (0.0, 0.0))
        return max(0.0, level - self._rate * (self._clock() - since))


class RateLimits:
    """The limits of one service.

    Attributes:
        handshakes: Websockets that an address may open.
        requests: Requests for work of a key, or of an address where the server has no keys.
        audio: Minutes of audio of a key, or of an address.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._failed_keys = RateLimit(settings.max_failed_keys_per_minute, 60, "wrong API keys", clock)
        self.handshakes = RateLimit(settings.max_handshakes_per_minute, 60, "connections", clock)
        self.requests = RateLimit(settings.max_requests_per_minute, 60, "requests", clock)
        self.audio = RateLimit(settings.max_audio_minutes_per_hour, 3600, "minutes of audio", clock, unit=0.0)

    @contextmanager
    def authenticating(self, connection: HTTPConnection, *, presents_key: bool) -> Iterator[None]:
        """Check in the block who the client is; if it presents a key and that is wrong, count it.

        Raises `RateLimited` without running the block if its address has presented too many wrong keys.
        """
        address = address_of(connection)
        self._failed_keys.check(address)
        try:
            yield
        except Unauthorized:
            if presents_key:
                self._failed_keys.add(address)
            raise


def address_of(connection: HTTPConnection) -> str:
    """Return what identifies the address of a client: of IPv6, its network."""
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6 and address.ipv4_mapped:  # a socket for both versions reports IPv4 so
        address = address.ipv4_mapped
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False))
