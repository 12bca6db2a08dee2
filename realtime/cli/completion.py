"""The command `vivavoce completion`: scripts for shells, which complete commands, options, names and files."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from realtime.catalogue.table import ENTRIES, Task
from realtime.catalogue.voices import OPENAI_VOICES
from realtime.cli.commands import COMMANDS, parser_of
from realtime.languages import LANGUAGES

SHELLS: Final = ("bash", "zsh", "fish")

_RECOGNIZERS: Final = tuple(entry.name for entry in ENTRIES if entry.task is Task.TRANSCRIPTION)
_VOICES: Final = tuple(entry.name for entry in ENTRIES if entry.task is Task.SPEECH)

_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "--language": tuple(LANGUAGES),
    "--model": _RECOGNIZERS,
    "--voice": tuple(OPENAI_VOICES),
    "--sample": _VOICES,
    "NAME": (*_RECOGNIZERS, *_VOICES),
}
"""What may follow an option, or stand for a positional argument of this name in the help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("shell", choices=SHELLS, help="shell that reads the script")


def run(options: argparse.Namespace) -> int:
    """Print the script and return the exit code."""
    print(script(options.shell))
    return 0


def script(shell: str) -> str:
    """Return the script for a shell."""
    import shtab  # here, because everything else of the command line works without it

    parser = parser_of(COMMANDS)
    for action in _actions(parser):
        _describe(action, shtab.FILE, shtab.DIRECTORY)
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _actions(subparser)


def _describe(action: argparse.Action, file: object, directory: object) -> None:
    """Note in an argument what its value may be, for shtab alone: the parser is not used to parse."""
    names = next((_NAMES[each] for each in (*action.option_strings, str(action.metavar)) if each in _NAMES), None)
    if names is not None:
        action.choices = names
    elif str(action.metavar).startswith("FILE"):
        action.complete = file  # type: ignore[attr-defined]
    elif action.metavar == "DIR":
        action.complete = directory  # type: ignore[attr-defined]
