"""Announce the Wyoming listener in the local network, for clients that look for it (DNS-SD over mDNS, RFC 6763)."""

import importlib.util
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

SERVICE_TYPE: Final = "_wyoming._tcp.local."
"""The type of service that Home Assistant looks for."""


def can_announce() -> bool:
    """Return whether the package that announces services is installed."""
    return importlib.util.find_spec("zeroconf") is not None


@asynccontextmanager
async def announced(listener: socket.socket, name: str) -> AsyncIterator[None]:
    """Announce the address of a listening socket as `name` until the block ends; needs the extra `zeroconf`.

    A number is added to a name that is taken.
    """
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    host, port = listener.getsockname()[:2]
    addresses = _own_addresses() if ipaddress.ip_address(host).is_unspecified else [host]
    service = AsyncServiceInfo(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}", port=port, parsed_addresses=addresses)
    network = AsyncZeroconf()
    try:
        await network.async_register_service(service, allow_name_change=True)
        yield
    finally:
        await network.async_close()  # takes back what was announced


def _own_addresses() -> list[str]:
    """Return the IPv4 addresses by which other machines reach this one."""
    import ifaddr

    found = [str(address.ip) for adapter in ifaddr.get_adapters() for address in adapter.ips if address.is_IPv4]
    return [each for each in found if not ipaddress.ip_address(each).is_loopback]
