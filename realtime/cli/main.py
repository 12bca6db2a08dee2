"""The command `vivavoce`; the environment and the arguments become `Settings` here."""

import argparse
import difflib
import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from realtime.cli.output import USAGE_ERROR, discard_standard_output, escape_what_cannot_be_written
from realtime.errors import ClientError, TooLarge, UnknownModel, UnsupportedAudio, UnusableModel, VoiceError
from realtime.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    escape_what_cannot_be_written()
    command = ""
    try:
        try:
            options = _parse(sys.argv[1:] if arguments is None else arguments)
            command = options.name
            return _run(options)
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
        _warn(command, str(error.strerror))
        return 1
    except VoiceError as error:
        advice = " `vivavoce models` lists the known ones." if isinstance(error, UnknownModel) else ""
        _warn(command, error.message + advice)
        return USAGE_ERROR if _is_wrong_value(error) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _warn(command: str, message: str) -> None:
    from clients.cli.terminal import warn  # imported by now

    warn(command, message)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    from realtime.cli.commands import command_line  # here, where Ctrl-C ends the imports without a traceback

    parser = command_line(arguments)
    if not arguments:
        parser.print_help(sys.stderr)
        raise SystemExit(USAGE_ERROR)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.parser.error(_refusal(unknown, options.parser))  # of the command, not of all of them
    return options


def _refusal(unknown: Sequence[str], parser: argparse.ArgumentParser) -> str:
    """Return what is said of arguments that a command does not have: of its options, or else of those too many.

    The value of an unknown option may have been taken for an argument, so that a right one is left over.
    """
    names = [each.partition("=")[0] for each in unknown if each.startswith("-")]
    if not names:
        return f"too many arguments: {' '.join(unknown)} (an argument with spaces needs quotation marks)"
    close = difflib.get_close_matches(names[0], parser._option_string_actions, n=1, cutoff=0.8)
    advice = f" (did you mean {close[0]}?)" if close else f"; `{parser.prog} --help` lists those that it has"
    return f"unknown option{'s' if len(names) > 1 else ''}: {' '.join(names)}{advice}"


def _run(options: argparse.Namespace) -> int:
    if options.command.takes_settings:
        return int(options.run(options, read_settings(os.environ, options)))
    return int(options.run(options))


def _is_wrong_value(error: VoiceError) -> bool:
    """Return whether an argument or a setting has a wrong value: one that would be wrong on any machine."""
    return isinstance(error, ClientError) and not isinstance(error, UnusableModel | UnsupportedAudio | TooLarge)


def read_settings(environ: Mapping[str, str], options: argparse.Namespace) -> Settings:
    """Read the settings from the environment; options of the command line override them.

    Raises:
        SystemExit: Settings are unknown or have wrong values; lines on standard error say which.

    """
    from realtime.environment import WrongSettings, settings_from

    try:
        settings = settings_from(environ)
    except WrongSettings as error:
        for problem in error.problems:
            _warn(options.name, problem)
        raise SystemExit(USAGE_ERROR) from None
    given = {name: getattr(options, name, None) for name in ("host", "port", "transcription_model", "draft_model")}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
