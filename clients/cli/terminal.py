"""Terminals: whether a line on one can be written anew, and which text is safe to write to one."""

import os
import sys
from typing import Final, TextIO

_JOINERS: Final = "\u200c\u200d"
"""Format characters that belong to words, of Persian and of Indian languages; all others can reorder a line."""


def is_interactive(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal that can move its cursor.

    Unlike Rich's `is_terminal` it is no matter of `FORCE_COLOR`, which wants colours in files, but no cursor movements.
    """
    return stream is not None and stream.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}


def printable(text: str) -> str:
    """Remove control characters, so that text from a server cannot control the terminal."""
    return "".join(character for character in text if character.isprintable() or character in _JOINERS)


def either(text: str, plainer: str) -> str:
    """Return a text, or a plainer one where the encoding of standard output lacks it, as those of Windows may."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return plainer
    return text


def warn(command: str, message: str) -> None:
    """Print a line to standard error that names the command; without one, the program."""
    if sys.stderr is not None:
        sys.stderr.write(f"{f'vivavoce {command}'.strip()}: {printable(message)}\n")
        sys.stderr.flush()
