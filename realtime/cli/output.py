"""Standard output when the program that reads it has gone."""

import os
import sys


def discard_standard_output() -> None:
    """Let what could not be written go nowhere, or Python fails again to write it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
