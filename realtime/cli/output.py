"""What a command leaves behind: its exit code, and standard output when the program that reads it has gone."""

import os
import sys
from typing import Final

USAGE_ERROR: Final = 2
"""Exit code for wrong arguments or settings, as of argparse."""


def discard_standard_output() -> None:
    """Let what could not be written go nowhere, or Python fails again to write it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
