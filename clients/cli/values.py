"""Values of arguments, the same checks for every command: a wrong value ends the command with the exit code `USAGE`."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

from clients.cli.audio_file import SUFFIXES
from clients.connection import websocket_url


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


def server_url(address: str) -> str:
    """Read the address of a server, of which `clients.connection.websocket_url` says what it may be."""
    try:
        return websocket_url(address)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
