"""Values of arguments, the same checks for every command: a wrong value ends the command with the exit code `USAGE`."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from clients.cli.audio_file import SUFFIXES

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}

_NOT_IN_HOSTS = frozenset(" \"'<>\\^`{|}\t\r\n")


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number between two bounds, which belong to it."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise ArgumentTypeError(f"must be a whole number {bounds}, not {text!r}")
        return value

    return read


def decimal_number(least: float, most: float) -> Callable[[str], float]:
    """Return what reads a number between two bounds, which belong to it."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be a number from {least:g} to {most:g}, not {text!r}")
        return value

    return read


def audio_path(text: str) -> Path:
    """Read the name of a file that audio is written to; its ending names the format, and none means WAV."""
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        written = ", ".join(suffix for suffix in SUFFIXES if suffix)
        raise ArgumentTypeError(f"{text} has no format that can be written: its name must end with one of {written}")
    return path


def websocket_url(address: str) -> str:
    """Return the address as one of a websocket: `http` means `ws`, `https` means `wss`, and nothing means `ws`.

    Raises `ArgumentTypeError` if there can be no server at it.
    """
    scheme, separator, rest = address.strip().partition("://")
    if not separator:
        scheme, rest = "ws", address.strip()
    url = f"{_SCHEMES.get(scheme.lower(), '')}://{rest}"
    try:
        parts = urlsplit(url)
        # Where the scheme is misspelt (`http//host`, `http:/host`), its name is in the place of the host.
        is_host = bool(parts.hostname) and not _NOT_IN_HOSTS.intersection(parts.netloc)
        is_host = is_host and (parts.hostname not in _SCHEMES or bool(separator)) and not parts.netloc.endswith(":")
        is_address = is_host and bool(parts.scheme) and parts.port != 0 and not parts.path.startswith("//")
    except ValueError:
        is_address = False
    if not is_address:
        raise ArgumentTypeError(f"{address} is no address of a server, such as wss://voice.example.org")
    return url
