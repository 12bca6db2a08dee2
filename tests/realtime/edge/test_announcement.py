"""The announcement of the Wyoming listener, found as Home Assistant finds it."""

import asyncio
import ipaddress
import socket

import pytest

from realtime.edge.announcement import MAX_NAME_BYTES, SERVICE_TYPE, announced

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


@pytest.mark.parametrize("name", ["Vivavoce in a test", "Vivavoce on " + "ä" * 40])
def test_the_listener_is_found_by_its_name_while_it_is_announced(name: str, caplog: pytest.LogCaptureFixture) -> None:
    async def look() -> tuple[list[str], int | None] | None:
        async with announced(listener, name):
            return await found(name.encode()[:MAX_NAME_BYTES].decode(errors="ignore"))

    with socket.create_server(("0.0.0.0", 0)) as listener:
        service = asyncio.run(look())
        if caplog.messages:
            pytest.skip(f"this network has no multicast: {caplog.messages}")
        assert service is not None
        addresses, port = service
        assert port == listener.getsockname()[1]
        assert not any(ipaddress.ip_address(address).is_loopback for address in addresses)


def test_a_failure_to_announce_is_a_line_of_the_log_and_the_service_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def serve() -> bool:
        async with announced(listener, "a name with a control character \x07"):
            return True

    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert asyncio.run(serve())
    (line,) = caplog.messages
    assert line.startswith("Wyoming is served, but cannot be announced in the local network: ")


def test_a_network_without_multicast_stops_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zeroconf.asyncio

    def unreachable() -> None:
        raise OSError(101, "Network is unreachable")

    async def serve() -> bool:
        async with announced(listener, "Vivavoce in a test"):
            return True

    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", unreachable)
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert asyncio.run(serve())
    assert "Network is unreachable" in caplog.text
