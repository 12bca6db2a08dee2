"""The commands `vivavoce models list | pull | rm | path`, and progress bars for the preparation of models."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Column, Table

from clients.cli.terminal import is_interactive, warn
from realtime.catalogue.names import lookup
from realtime.catalogue.table import ENTRIES
from realtime.cli.tables import table_console
from realtime.errors import EngineError, UnusableModel, VoiceError
from realtime.settings import Settings
from realtime.weights import locate as weights
from realtime.weights.progress import Stage, Step

UNUSABLE: Final = "unusable"
"""What tables say of a model whose files are on this machine and cannot be used."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `vivavoce models`; `list` is the default."""
    parser.set_defaults(act=_list)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("list", help="list the known models, and which of them are on this machine")
    for name, function, what in (
        ("pull", _pull, "download, convert or assemble models, so that they can be loaded offline"),
        ("rm", _remove, "delete the downloaded, converted or assembled files of models"),
        ("path", _path, "print the directories with the weights of models"),
    ):
        subparser = commands.add_parser(name, help=what)
        subparser.add_argument(
            "names",
            nargs="+",
            metavar="NAME",
            help="name of a model, or owner/name of a Hugging Face repository",
        )
        subparser.set_defaults(act=function)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the subcommand and return its exit code. Raises `VoiceError`."""
    return int(options.act(options, settings))


def _list(_: argparse.Namespace, settings: Settings) -> int:
    table = Table("model", "languages", "licence", Column("here", justify="right"), box=None)
    table.columns[0].no_wrap = True
    errors: dict[str, VoiceError] = {}
    for entry in ENTRIES:
        languages = ", ".join(entry.languages) if len(entry.languages) < 6 else str(len(entry.languages))
        try:
            directory = weights.find(entry, settings)
            here = f"{weights.size(directory) / 1e6:,.0f} MB" if directory else ""
        except (EngineError, UnusableModel) as error:
            errors[entry.name], here = error, UNUSABLE
        table.add_row(entry.name, languages, entry.licence, here)
    table_console().print(table)
    print_errors("models", errors)
    return 0


def print_errors(command: str, errors: Mapping[str, VoiceError]) -> None:
    """Say on standard error what is wrong with models, those with the same message together."""
    names: dict[str, list[str]] = {}
    for name, error in errors.items():
        names.setdefault(error.message, []).append(name)
    for message, affected in names.items():
        warn(command, f"{', '.join(affected)}: {message}")


def _pull(options: argparse.Namespace, settings: Settings) -> int:
    allowed = replace(settings, allow_downloads=True)  # the setting restricts clients, not the operator
    with Bars() as progress:
        for name in options.names:
            print(f"{name}: {weights.locate(lookup(name), allowed, progress)}")
    return 0


def _remove(options: argparse.Namespace, settings: Settings) -> int:
    code = 0
    for name in options.names:
        freed = weights.remove(lookup(name), settings)
        remaining = weights.remaining(lookup(name), settings)
        where = ", ".join(map(str, remaining))
        kept = f"; {sum(remaining.values()) / 1e6:,.1f} MB of packages or your own remain: {where}" if remaining else ""
        if freed or remaining:
            print(f"{name}: {f'{freed / 1e6:,.1f} MB freed' if freed else 'nothing to delete'}{kept}")
        else:
            warn("models", f"{name} is not on this machine")
            code = 1
    return code


def _path(options: argparse.Namespace, settings: Settings) -> int:
    code = 0
    for name in options.names:
        if directory := weights.find(lookup(name), settings):
            print(directory)
        else:
            warn("models", f"{name} is not on this machine. Get it: vivavoce models pull {name}")
            code = 1
    return code


class Bars:
    """Progress bars on standard error, shown while models are prepared."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=is_interactive(sys.stdout),  # otherwise what goes to a file would be shown here
        )
        self._tasks: dict[tuple[str, Stage], TaskID] = {}

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._tasks:
            self._bars.stop()

    def __call__(self, step: Step) -> None:
        """Show a step; implements `Progress`. Without a terminal nothing is shown, not even the bar's last newline."""
        if not is_interactive(sys.stderr):
            return
        key = step.model, step.stage
        if key not in self._tasks:
            self._bars.start()
            self._tasks[key] = self._bars.add_task(f"{step.stage} {step.model}", total=step.total_bytes)
        self._bars.update(self._tasks[key], completed=step.done_bytes, total=step.total_bytes)
        if step.done_bytes >= step.total_bytes:
            self._bars.remove_task(self._tasks.pop(key))
            if not self._tasks:
                self._bars.stop()
