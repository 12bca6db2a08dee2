"""What a command leaves behind: its exit code, and standard output when the program that reads it has gone."""

import codecs
import io
import os
import sys
from typing import Final

USAGE_ERROR: Final = 2
"""Exit code for wrong arguments or settings, as of argparse."""


def escape_what_cannot_be_written() -> None:
    """Write characters that the encoding of standard output lacks as escapes, which JSON and Python know.

    The encoding of pipes and terminals is that of the system, which on Windows is none of Unicode.
    """
    codecs.register_error("json_escapes", _escape)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="json_escapes")


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)), error.end


def discard_standard_output() -> None:
    """Let what could not be written go nowhere, or Python fails again to write it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
