"""The subcommands of `vivavoce`, and the parser of its command line."""

import argparse
import itertools
from collections.abc import Container, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from clients.cli.exit_codes import ExitCode, explained
from realtime import __version__
from realtime.errors import ClientError
from realtime.languages import WHERE_LISTED, language_code

_OF_ANY: Final = (ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE)
_OF_CLIENTS: Final = (*_OF_ANY, ExitCode.NO_SERVER, ExitCode.REFUSED)


class Command(NamedTuple):
    """A subcommand: its module has `add_arguments(parser)` and `run(options)`, or `run(options, settings)`."""

    module: str
    purpose: str
    example: str
    takes_settings: bool = False
    exit_codes: tuple[ExitCode, ...] = _OF_ANY


class HelpFormatter(argparse.HelpFormatter):
    """Wraps texts of one line, as of the description, and keeps the lines of others."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


COMMANDS: Final = {
    "serve": Command("realtime.cli.serve", "run the service", "vivavoce serve --port 9000", takes_settings=True),
    "listen": Command(
        "clients.cli.listen",
        "live captions of a file or a microphone",
        "vivavoce listen --mic --language en",
        exit_codes=(*_OF_CLIENTS, ExitCode.NO_SPEECH),
    ),
    "transcribe": Command(
        "realtime.cli.transcribe",
        "transcribe recordings to text, subtitles or JSON",
        "vivavoce transcribe talk.mp3 --format srt > talk.srt",
        takes_settings=True,
        exit_codes=(*_OF_ANY, ExitCode.NO_SPEECH),
    ),
    "say": Command(
        "clients.cli.say", "speak a text", 'vivavoce say "Good morning." -o morning.wav', exit_codes=_OF_CLIENTS
    ),
    "talk": Command(
        "clients.cli.talk",
        "talk with the chat model of the server",
        "vivavoce talk --voice nova --language en",
        exit_codes=(*_OF_CLIENTS, ExitCode.NO_SPEECH),
    ),
    "trace": Command(
        "realtime.cli.trace", "explain a session from its trace, or replay it", "vivavoce trace traces/sess_4f2a.jsonl"
    ),
    "doctor": Command("realtime.cli.doctor", "check this installation", "vivavoce doctor --quick"),
    "voices": Command(
        "realtime.cli.voices",
        "list voices, and make samples to hear",
        "vivavoce voices --sample heart -o heart.wav",
        takes_settings=True,
    ),
    "models": Command(
        "realtime.cli.models",
        "list, download and delete models",
        "vivavoce models pull whisper-tiny.en",
        takes_settings=True,
    ),
    "completion": Command(
        "realtime.cli.completion",
        "print a script that lets a shell complete commands, options and names",
        'eval "$(vivavoce completion bash)"',
    ),
}
"""The subcommands. Only the module of the one that is run is imported: clients start without the service."""


def command_line(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser for these arguments: it knows all subcommands, but only the options of the one they name."""
    return parser_of(set(itertools.islice((each for each in arguments if each in COMMANDS), 1)))


def parser_of(loaded: Container[str]) -> argparse.ArgumentParser:
    """Return a parser that knows all subcommands, and the options of those in `loaded`."""
    every = tuple(ExitCode)
    parser = argparse.ArgumentParser(
        prog="vivavoce",
        description="Self-hosted real-time speech recognition and synthesis.",
        epilog=f"exit codes:\n{explained(every)}\n\n`vivavoce COMMAND --help` has the options and an example of each.",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"vivavoce {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=command.purpose,
            description=f"{command.purpose[0].upper()}{command.purpose[1:]}.",
            epilog=f"example:\n  {command.example}\n\nexit codes:\n{explained(command.exit_codes)}",
            formatter_class=HelpFormatter,
        )
        if name in loaded:
            module = import_module(command.module)
            module.add_arguments(subparser)
            for action in subparser._actions:
                if "--language" in action.option_strings:
                    action.type = _language  # which clients cannot check: they do without the service's languages
            subparser.set_defaults(name=name, command=command, parser=subparser, run=module.run)
    return parser


def _language(text: str) -> str:
    """Check a language as programs write it. Raises `ArgumentTypeError`."""
    try:
        language_code(text)
    except ClientError as error:
        message = error.message.removeprefix("`language` ").removesuffix(WHERE_LISTED)
        raise argparse.ArgumentTypeError(message) from None
    return text
