"""The command `vivavoce` as the documents use it, run against the service under test.

`listen` and `say` go to `$SERVICE` unless they name a server. `serve` would never end, so that only its arguments and
the settings in its environment are read.
"""

import os
import sys
from collections.abc import Sequence

from realtime.cli.commands import command_line
from realtime.cli.main import main, read_settings


def run(arguments: Sequence[str]) -> int:
    match arguments[:1]:
        case ["listen" | "say"] if "--url" not in arguments:
            return main([*arguments, "--url", f"ws://{os.environ['SERVICE']}"])
        case ["serve"]:
            read_settings(os.environ, command_line(arguments).parse_args(arguments))
            return 0
        case _:
            return main(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
