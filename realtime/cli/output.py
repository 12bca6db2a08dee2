"""What a command prints and leaves behind: tables, its exit code, standard output whose reader has gone."""

import os
import sys
from typing import Final

from rich.console import Console

from clients.cli.terminal import is_interactive

TABLE_WIDTH: Final = 1_000
"""Characters of a line of a table in a file or a pipe, where each row is one line for `grep` and others."""

USAGE_ERROR: Final = 2
"""Exit code for wrong arguments or settings, as of argparse."""


def discard_standard_output() -> None:
    """Let what could not be written go nowhere, or Python fails again to write it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def table_console() -> Console:
    """Return a console for tables: as wide as the terminal, or as wide as the rows where there is none."""
    wide = not is_interactive(sys.stdout) and "COLUMNS" not in os.environ
    return Console(highlight=False, markup=False, width=TABLE_WIDTH if wide else None)
