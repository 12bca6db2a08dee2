"""The progress of making a model available: shown by the terminal, the log and HTTP."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

logger = logging.getLogger(__name__)

LOGGED_PARTS: Final = 4
"""Log lines for one stage, besides the first."""


class Stage(StrEnum):
    """A stage of making a model available."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    CONVERTING = "converting"
    PREPARING = "preparing"
    """The files of a bundled model are verified or assembled."""
    STARTING = "starting"
    """The process of the engine starts, and imports its libraries."""
    LOADING = "loading"
    """The weights are read into memory."""


@dataclass(frozen=True, slots=True)
class Step:
    """The stage of one model, and its progress in bytes; `total_bytes` is 0 if unknown."""

    model: str
    stage: Stage
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def fraction(self) -> float:
        """Progress of this stage, 0 to 1."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else 0.0

    def __str__(self) -> str:
        return f"{self.stage}, {self.fraction:.0%}" if self.total_bytes else self.stage.value


Progress: TypeAlias = Callable[[Step], None]
"""A callback for every step, called from any thread; an exception it raises ends the preparation."""

Report: TypeAlias = Callable[[int, int], None]
"""A callback for the progress of one stage: bytes done, bytes in total."""


def silent(_: Step) -> None:
    """Ignore a step; the default `Progress`."""


def reporter(progress: Progress, model: str, stage: Stage) -> Report:
    """Return the `Report` of one stage, which passes steps to `progress`."""
    return lambda done, total: progress(Step(model, stage, done, total))


class LoggedProgress:
    """A `Progress` that logs the start of each stage and every quarter of it."""

    def __init__(self) -> None:
        self._logged: dict[str, tuple[Stage, int]] = {}

    def __call__(self, step: Step) -> None:
        reached = step.stage, int(step.fraction * LOGGED_PARTS)
        if self._logged.get(step.model) != reached:
            self._logged[step.model] = reached
            logger.info("%s: %s", step.model, step)
