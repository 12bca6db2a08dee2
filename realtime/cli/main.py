"""The command `vivavoce` and its subcommands; the environment and the arguments become `Settings` here."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Final, NamedTuple

from realtime import __version__
from realtime.cli.output import USAGE_ERROR, discard_standard_output
from realtime.environment import settings_from
from realtime.errors import VoiceError
from realtime.settings import Settings


class Command(NamedTuple):
    """A subcommand: its module has `add_arguments(parser)` and `run(options)`, or `run(options, settings)`."""

    module: str
    purpose: str
    takes_settings: bool = False


COMMANDS: Final = {
    "serve": Command("realtime.cli.serve", "run the service", takes_settings=True),
    "listen": Command("clients.cli.listen", "live captions of a file or a microphone"),
    "transcribe": Command(
        "realtime.cli.transcribe", "transcribe recordings to text, subtitles or JSON", takes_settings=True
    ),
    "say": Command("clients.cli.say", "speak a text"),
    "trace": Command("realtime.cli.trace", "explain a session from its trace, or replay it"),
    "doctor": Command("realtime.cli.doctor", "check this installation"),
    "voices": Command("realtime.cli.voices", "list voices, and make samples to hear", takes_settings=True),
    "models": Command("realtime.cli.models", "list, download and delete models", takes_settings=True),
}
"""The subcommands. Only the module of the one that is run is imported: clients start without the service."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_line(arguments).parse_args(arguments)
    try:
        if options.command.takes_settings:
            code = options.run(options, read_settings(os.environ, options))
        else:
            code = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()  # while an error can still be handled
    except BrokenPipeError:
        discard_standard_output()
        return 1
    except VoiceError as error:
        print(f"vivavoce: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return int(code)


def command_line(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser for these arguments: it knows all subcommands, but only the options of the one they name."""
    parser = argparse.ArgumentParser(
        prog="vivavoce", description="Self-hosted real-time speech recognition and synthesis."
    )
    parser.add_argument("--version", action="version", version=f"vivavoce {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    named = next((argument for argument in arguments if argument in COMMANDS), None)
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.purpose)
        if name == named:
            module = import_module(command.module)
            module.add_arguments(subparser)
            subparser.set_defaults(command=command, run=module.run)
    return parser


def read_settings(environ: Mapping[str, str], options: argparse.Namespace) -> Settings:
    """Read the settings from the environment; options of the command line override them.

    Raises:
        SystemExit: A setting is unknown or has a wrong value; a line on standard error says which.

    """
    try:
        settings = settings_from(environ)
    except ValueError as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        raise SystemExit(USAGE_ERROR) from None
    given = {name: getattr(options, name, None) for name in ("host", "port", "transcription_model")}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
