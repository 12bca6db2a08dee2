"""The command `vivavoce`; the environment and the arguments become `Settings` here."""

import argparse
import errno
import io
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from realtime.cli.output import USAGE_ERROR, discard_standard_output
from realtime.errors import VoiceError
from realtime.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for text that the encoding of a pipe or a terminal lacks
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # while an error can still be handled
    except BrokenPipeError:
        discard_standard_output()
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        discard_standard_output()
        print(f"vivavoce: {error.strerror}", file=sys.stderr)
        return 1
    except VoiceError as error:
        print(f"vivavoce: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(arguments: Sequence[str]) -> int:
    from realtime.cli.commands import command_line  # here, where Ctrl-C ends the imports without a traceback

    options = command_line(arguments).parse_args(arguments)
    if options.command.takes_settings:
        return int(options.run(options, read_settings(os.environ, options)))
    return int(options.run(options))


def read_settings(environ: Mapping[str, str], options: argparse.Namespace) -> Settings:
    """Read the settings from the environment; options of the command line override them.

    Raises:
        SystemExit: A setting is unknown or has a wrong value; a line on standard error says which.

    """
    from realtime.environment import settings_from

    try:
        settings = settings_from(environ)
    except ValueError as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        raise SystemExit(USAGE_ERROR) from None
    given = {name: getattr(options, name, None) for name in ("host", "port", "transcription_model")}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
