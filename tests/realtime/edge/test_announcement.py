"""The announcement of the Wyoming listener, found as Home Assistant finds it."""

import asyncio
import ipaddress
import socket

import pytest

from realtime.edge.announcement import SERVICE_TYPE, announced

pytest.importorskip("zeroconf", reason="the extra zeroconf is not installed")


async def found(name: str) -> tuple[list[str], int | None] | None:
    """Look for a service of this name in the local network."""
    from zeroconf.asyncio import AsyncZeroconf

    network = AsyncZeroconf()
    try:
        service = await network.async_get_service_info(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}", 2000)
        return None if service is None else (service.parsed_addresses(), service.port)
    finally:
        await network.async_close()


def test_the_listener_is_found_by_its_name_while_it_is_announced() -> None:
    async def look() -> tuple[list[str], int | None] | None:
        async with announced(listener, "Vivavoce in a test"):
            return await found("Vivavoce in a test")

    with socket.create_server(("0.0.0.0", 0)) as listener:
        try:
            service = asyncio.run(look())
        except OSError as error:
            pytest.skip(f"this network has no multicast: {error}")
        assert service is not None
        addresses, port = service
        assert port == listener.getsockname()[1]
        assert not any(ipaddress.ip_address(address).is_loopback for address in addresses)
