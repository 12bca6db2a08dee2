"""What the checks of `vivavoce doctor` report."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class Status(StrEnum):
    """Outcome of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of a check; `advice` says how to solve a problem, `data` holds figures for `--json`."""

    name: str
    status: Status
    detail: str
    advice: str = ""
    data: dict[str, object] = field(default_factory=dict)


Findings: TypeAlias = Iterator[Finding]
"""What a check yields."""


def pip_install(target: str) -> str:
    """Return the command that installs the service, with the extras in `target`: it is on no package index."""
    return f"pip install -e '{target}' in the Vivavoce folder"
