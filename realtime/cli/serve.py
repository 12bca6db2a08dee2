"""The command `vivavoce serve`: open the port, and then import and run the service (`realtime.cli.serving`)."""

import argparse
import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from clients.cli.exit_codes import ExitCode
from clients.cli.terminal import warn
from clients.cli.values import whole_number
from realtime.cpus import usable_cpus
from realtime.edge.listening_sockets import inherited_socket, listening_error, listening_socket, wyoming_socket
from realtime.edge.service_manager import passed_sockets
from realtime.environment import MAX_PORT
from realtime.freed_memory import limit_arenas
from realtime.settings import Settings

_NO_ADDRESS: Final = frozenset({errno.EADDRNOTAVAIL, socket.EAI_NONAME})
"""What is wrong with an address that is none, or not one of this machine."""

CPUS_PER_ARENA: Final = 4
"""CPUs for each arena of freed memory: on two, with twelve speakers, one arena saves 75 MB."""

WYOMING: Final = "wyoming"
"""Name (`FileDescriptorName=`) of the socket for Wyoming clients among those that systemd passes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=whole_number(0, MAX_PORT), help="port to listen on (default 8000)")
    parser.add_argument(
        "--model", dest="transcription_model", help="default speech-to-text model (default whisper-base)"
    )
    parser.add_argument(
        "--draft-model", help="smaller speech-to-text model that writes the tentative words of live speech"
    )
    parser.add_argument(
        "--fd",
        type=whole_number(0),
        help="file descriptor of a listening TCP socket to use instead (default: that of systemd)",
    )
    parser.add_argument("--wyoming-fd", type=whole_number(0), help="the same for the socket of VIVAVOCE_WYOMING_URI")
    parser.add_argument(
        "--ready-fd", type=whole_number(0), help="file descriptor to write a line to when the service is ready"
    )
    parser.add_argument("--insecure", action="store_true", help="allow clients on other machines without an API key")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the service until it is stopped, and return the exit code. Raises what ended the service."""
    limit_arenas(max(1, usable_cpus() // CPUS_PER_ARENA))
    descriptors = _descriptors(options)
    if len(dict(descriptors)) < len(descriptors):
        _warn(f"systemd has passed too many sockets: one is used, and one with FileDescriptorName={WYOMING}")
        return ExitCode.USAGE
    inherited: dict[str, socket.socket] = {}
    for option, descriptor in descriptors:
        try:
            inherited[option] = inherited_socket(descriptor, settings)
        except OSError as error:
            _warn(f"cannot use {option} {descriptor}: {listening_error(error)}")
            return ExitCode.USAGE
    settings = at_inherited(settings, inherited)
    if settings.lacks_api_keys and not options.insecure:
        _warn(
            f"refusing to listen on {settings.host} without API keys. "
            "Set VIVAVOCE_API_KEYS, or pass --insecure to allow it."
        )
        return ExitCode.USAGE
    with ExitStack() as sockets:
        try:
            place = f"{settings.host}, port {settings.port}"
            listener = sockets.enter_context(inherited.get("--fd") or listening_socket(settings))
            place = str(settings.wyoming_uri)
            if wyoming := inherited.get("--wyoming-fd") or wyoming_socket(settings):
                sockets.enter_context(wyoming)
        except (OSError, OverflowError) as error:
            _warn(f"cannot listen on {place}: {listening_error(error)}")
            return ExitCode.USAGE if getattr(error, "errno", None) in _NO_ADDRESS else ExitCode.FAILED
        from realtime.cli.serving import serve  # takes a second, in which the first clients wait for their answers

        return serve(settings, listener, wyoming, successor="--fd" in inherited, ready_descriptor=options.ready_fd)


def _descriptors(options: argparse.Namespace) -> list[tuple[str, int]]:
    """Return the descriptors of listening sockets that this process has been given, with the options that take them.

    For an option that is given, those of systemd do not count.
    """
    passed = [("--wyoming-fd" if name == WYOMING else "--fd", descriptor) for name, descriptor in passed_sockets()]
    named = {"--fd": options.fd, "--wyoming-fd": options.wyoming_fd}
    given = [(option, descriptor) for option, descriptor in named.items() if descriptor is not None]
    return given + [(option, descriptor) for option, descriptor in passed if named[option] is None]


def at_inherited(settings: Settings, inherited: Mapping[str, socket.socket]) -> Settings:
    """Return the settings with the addresses of inherited sockets, by the options that take them."""
    if "--fd" in inherited:
        host, port = inherited["--fd"].getsockname()[:2]
        settings = replace(settings, host=host, port=port)
    if "--wyoming-fd" in inherited:
        host, port = inherited["--wyoming-fd"].getsockname()[:2]
        settings = replace(settings, wyoming_uri=f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}")
    return settings


def _warn(message: str) -> None:
    warn("serve", message)
