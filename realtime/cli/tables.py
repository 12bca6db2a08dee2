"""Tables of the commands, on terminals and in pipes."""

import os
import sys
from typing import Final

from rich.console import Console

from clients.cli.terminal import is_interactive

TABLE_WIDTH: Final = 1_000
"""Characters of a line of a table in a file or a pipe, where each row is one line for `grep` and others."""


def table_console() -> Console:
    """Return a console for tables: as wide as the terminal, or as wide as the rows where there is none."""
    wide = not is_interactive(sys.stdout) and "COLUMNS" not in os.environ
    return Console(highlight=False, markup=False, width=TABLE_WIDTH if wide else None)
