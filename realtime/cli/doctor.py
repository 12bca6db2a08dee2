"""The command `vivavoce doctor`: check this installation, with advice for every problem.

Every check reports findings. The last one is a self-test: the default voice speaks a sentence, and the default
recognizer transcribes it.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Final

from rich.console import Console
from rich.text import Text

from clients.cli.terminal import either
from clients.cli.values import whole_number
from realtime import __version__
from realtime.cli.chat_checks import check_chat
from realtime.cli.dialect_checks import check_dialects
from realtime.cli.findings import Finding, Findings, Status
from realtime.cli.machine_checks import check_memory, check_packages, check_platform, check_processor
from realtime.cli.model_checks import check_models, check_speech
from realtime.cli.service_checks import check_access, check_cache, check_port, check_tls, check_traces
from realtime.cli.wyoming_checks import check_wyoming
from realtime.environment import MAX_PORT, WrongSettings, settings_from
from realtime.settings import PREFIX, Settings

CHECKS: Final = (
    check_platform,
    check_packages,
    check_processor,
    check_memory,
    check_cache,
    check_traces,
    check_port,
    check_tls,
    check_access,
    check_dialects,
    check_wyoming,
    check_chat,
    check_models,
)
"""All checks but the self-test, in the order of the report."""

_MARKS: Final = {
    Status.OK: ("✓", "+", "green"),
    Status.WARNING: ("!", "!", "yellow"),
    Status.FAILURE: ("✗", "x", "red"),
}
"""The mark of each status, one for where standard output lacks that, and its colour."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--host", help="address that the service will listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=whole_number(0, MAX_PORT), help="port that the service will use (default 8000)")
    parser.add_argument("--model", dest="transcription_model", help="default speech-to-text model")
    parser.add_argument("--draft-model", help="model that will write the tentative words of live speech")
    parser.add_argument("--quick", action="store_true", help="do not load models")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print all findings; return 0 if all are green, else 1."""
    settings, about_settings = _read_settings(options)
    checks = CHECKS if options.quick else (*CHECKS, check_speech)
    report = _print_json if options.json else _print_text
    return report(itertools.chain(about_settings, *(_findings(check, settings) for check in checks)))


def _findings(check: Callable[[Settings], Findings], settings: Settings) -> Findings:
    """Run one check; if it crashes, report that as a failure, so that the other checks still run."""
    try:
        yield from check(settings)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        found = f"the check crashed: {error or type(error).__name__}"
        advice = f"Look at the {PREFIX}* settings that this check uses."
        yield Finding(check.__name__.removeprefix("check_"), Status.FAILURE, found, advice)


def _print_text(findings: Findings) -> int:
    console, wrong = Console(), 0
    for finding in findings:
        mark, plainer, colour = _MARKS[finding.status]
        wrong += finding.status is not Status.OK
        console.print(
            Text.assemble((either(mark, plainer), colour), " ", (finding.name, "bold"), f": {finding.detail}"),
            soft_wrap=True,
        )
        if finding.advice:
            console.print(f"    {finding.advice}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"\n{'No problems found.' if not wrong else f'Problems found: {wrong}.'}")
    return min(wrong, 1)


def _print_json(findings: Findings) -> int:
    all_of_them = list(findings)
    ok = all(finding.status is Status.OK for finding in all_of_them)
    json.dump(
        {"version": __version__, "ok": ok, "findings": [asdict(finding) for finding in all_of_them]},
        sys.stdout,
        indent=2,
        default=str,
    )
    print()
    return 0 if ok else 1


def _read_settings(options: argparse.Namespace) -> tuple[Settings, list[Finding]]:
    """Return the settings, or the defaults if the environment is invalid, and findings about the environment."""
    names = sorted(name for name in os.environ if name.startswith(PREFIX))
    try:
        settings = settings_from(os.environ)
    except WrongSettings as error:
        settings = Settings()
        advice = "Correct or unset this environment variable; the other checks use the defaults of all settings."
        found = [Finding("settings", Status.FAILURE, problem, advice) for problem in error.problems]
    else:
        detail = f"{len(names)} set in the environment ({', '.join(names)})" if names else "all have their defaults"
        changed = {
            each.name: str(value)
            for each in fields(settings)
            if each.repr and (value := getattr(settings, each.name)) != each.default
        }
        found = [Finding("settings", Status.OK, detail, data={"changed": changed})]
    given = {name: getattr(options, name) for name in ("host", "port", "transcription_model", "draft_model")}
    return replace(settings, **{name: value for name, value in given.items() if value is not None}), found
