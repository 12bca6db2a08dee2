"""Checks of the listener for Wyoming clients: by `vivavoce doctor`, and of its announcement by `vivavoce serve`."""

import contextlib
import socket
from typing import Final

from realtime.cli.findings import Finding, Findings, Status
from realtime.cli.service_checks import listening_advice
from realtime.edge.announcement import can_announce
from realtime.edge.listening_sockets import listening_error, wyoming_socket
from realtime.errors import VoiceError
from realtime.settings import PREFIX, Settings
from realtime.wire.wyoming.framing import EventReader, WyomingEvent

_PROBE_SECONDS: Final = 1.0
"""Timeout in seconds for the server at the configured address to answer; Home Assistant has the same."""

_MAX_ANSWER_BYTES: Final = 64 * 1024
"""Bytes of the answer of that server at most."""


def announcement_problem(settings: Settings) -> str | None:
    """Return why the listener cannot be announced although the settings ask for that; None if it can, or need not."""
    if not settings.wyoming_zeroconf:
        return None
    if not settings.wyoming_is_open:
        return (
            f"{PREFIX}WYOMING_ZEROCONF needs an address that other machines reach: "
            f"set {PREFIX}WYOMING_URI=tcp://0.0.0.0:10300"
        )
    if not can_announce():
        return f"{PREFIX}WYOMING_ZEROCONF needs the package zeroconf: pip install zeroconf"
    return None


def check_wyoming(settings: Settings) -> Findings:
    """Report whether Wyoming clients can be served, if the settings ask for that."""
    if problem := announcement_problem(settings):
        yield Finding("wyoming", Status.FAILURE, problem, f"Or unset {PREFIX}WYOMING_ZEROCONF.")
    announced = "zeroconf is installed" if can_announce() else "zeroconf is not installed (pip install zeroconf)"
    if settings.wyoming_address is None:
        if not problem:
            yield Finding("wyoming", Status.OK, f"not served: {PREFIX}WYOMING_URI is not set; {announced}")
        return
    try:
        listener = wyoming_socket(settings)
        assert listener is not None
        listener.close()
    except (OSError, OverflowError) as error:
        if _answers(*settings.wyoming_address):
            yield Finding("wyoming", Status.OK, f"a Wyoming server is running on {settings.wyoming_uri}")
            return
        found = f"cannot listen on {settings.wyoming_uri}: {listening_error(error)}"
        place = f"in {PREFIX}WYOMING_URI"
        yield Finding("wyoming", Status.FAILURE, found, listening_advice(error, place, place))
        return
    reach = "every machine that reaches it, without an API key" if settings.wyoming_is_open else "this machine"
    yield Finding("wyoming", Status.OK, f"{settings.wyoming_uri} is free; for clients on {reach}; {announced}")


def _answers(host: str, port: int) -> bool:
    """Return whether a server at this address answers as Wyoming servers do."""
    with contextlib.suppress(OSError, VoiceError), socket.create_connection((host, port), _PROBE_SECONDS) as connection:
        connection.sendall(WyomingEvent("describe").frame())
        reader = EventReader(_MAX_ANSWER_BYTES)
        while data := connection.recv(_MAX_ANSWER_BYTES):
            if any(event.type == "info" for event in reader.feed(data)):
                return True
    return False
