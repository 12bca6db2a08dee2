"""The arguments of the library's functions: their types, and their names in what the server says of them."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from clients.errors import RequestFailed

_PARAMETERS: Final[Mapping[str, str]] = {
    "session.audio.input.format.rate": "rate",
    "session.audio.input.turn_detection.silence_duration_ms": "silence_ms",
    "session.audio.input.turn_detection.": "",
    "session.audio.input.transcription.task": "translate",
    "session.audio.input.transcription.": "",
    "session.audio.output.": "",
    "session.": "",
    "response.audio.output.": "",
    "response.input[0].content[0].text": "text",
    "response.input": "text",
    "keywords[]": "keywords",
}
"""What begins the names of the protocol, and what arguments are called instead; the first one that fits counts."""


def check_strings(**arguments: object) -> None:
    """Raise `TypeError`, which names the argument, unless each is a string or None."""
    for name, value in arguments.items():
        if not isinstance(value, str | None):
            raise TypeError(f"{name} is a string, not {type(value).__name__}")


def check_whole_numbers(**arguments: object) -> None:
    """Raise `TypeError`, which names the argument, unless each is a whole number or None."""
    for name, value in arguments.items():
        if not isinstance(value, int | None) or isinstance(value, bool):
            raise TypeError(f"{name} is an int, not {type(value).__name__}")


def check_numbers(**arguments: object) -> None:
    """Raise `TypeError` or `ValueError`, which name the argument, unless each is a number, not negative, or None."""
    for name, value in arguments.items():
        if not isinstance(value, int | float | None) or isinstance(value, bool):
            raise TypeError(f"{name} is a number, not {type(value).__name__}")
        if value is not None and (math.isnan(value) or value < 0):
            raise ValueError(f"{name} is a number of at least 0, not {value:g}")


def strings_of(name: str, given: object) -> tuple[str, ...]:
    """Return an argument that is a string, or any number of them. Raises `TypeError`, which names it."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise TypeError(f"{name} is a string, or strings, not {type(given).__name__}")
    strings = tuple(given)
    for each in strings:
        if not isinstance(each, str):
            raise TypeError(f"{name} are strings, not {type(each).__name__}")
    return strings


def request_failed(code: str, message: str, param: object = None) -> RequestFailed:
    """Return the error for a request that the server refused, in which arguments have the names of this library."""
    if not isinstance(param, str) or not param:
        return RequestFailed(code, message)
    wire = next((each for each in _PARAMETERS if param.startswith(each)), "")
    name = param.replace(wire, _PARAMETERS.get(wire, ""), 1) if wire else param
    message = message.replace(param, name)
    return RequestFailed(code, message if name in message else f"{name}: {message}", name)
