"""Announce the Wyoming listener in the local network, for clients that look for it (DNS-SD over mDNS, RFC 6763)."""

import importlib.util
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

logger = logging.getLogger(__name__)

SERVICE_TYPE: Final = "_wyoming._tcp.local."
"""The type of service that Home Assistant looks for."""


MAX_NAME_BYTES: Final = 63
"""Bytes of UTF-8 of the name of a service (RFC 6763, section 4.1.1)."""


def can_announce() -> bool:
    """Return whether the package that announces services is installed."""
    return importlib.util.find_spec("zeroconf") is not None


@asynccontextmanager
async def announced(listener: socket.socket, name: str) -> AsyncIterator[None]:
    """Announce the address of a listening socket as `name` until the block ends; needs the extra `zeroconf`.

    A number is added to a name that is taken, and a name that is too long is cut off. Where the network does not allow
    it, the log says so, and the service goes on unannounced.
    """
    from zeroconf import Error
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    host, port = listener.getsockname()[:2]
    addresses = _own_addresses() if ipaddress.ip_address(host).is_unspecified else [host]
    async with AsyncExitStack() as stack:
        try:
            service = AsyncServiceInfo(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}", port=port, parsed_addresses=addresses)
            network = AsyncZeroconf()
            stack.push_async_callback(network.async_close)  # takes back what was announced
            await network.async_register_service(service, allow_name_change=True)
        except (OSError, Error) as error:
            reason = str(error) or type(error).__name__
            logger.warning("Wyoming is served, but cannot be announced in the local network: %s", reason)
        yield


def _own_addresses() -> list[str]:
    """Return the IPv4 addresses by which other machines reach this one."""
    import ifaddr

    found = [str(address.ip) for adapter in ifaddr.get_adapters() for address in adapter.ips if address.is_IPv4]
    return [each for each in found if not ipaddress.ip_address(each).is_loopback]
