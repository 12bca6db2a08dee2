"""How far the preparation of a model has come: what the terminal draws and HTTP tells."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

logger = logging.getLogger(__name__)

PARTS: Final = 4
"""Lines of the log about one stage, besides its first."""


class Stage(StrEnum):
    """What is being done to have a model."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    CONVERTING = "converting"
    PREPARING = "preparing"
    """Its bundled files are checked, or joined."""
    LOADING = "loading"
    """Its weights are on this machine and are being read."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of one model, and how many of its bytes are done; no total where it is not known."""

    model: str
    stage: Stage
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def fraction(self) -> float:
        """Of this stage, 0 to 1."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else 0.0

    def __str__(self) -> str:
        return f"{self.stage}, {self.fraction:.0%}" if self.total_bytes else self.stage.value


Progress: TypeAlias = Callable[[Step], None]
"""Told of every step, from any thread; what it raises ends the preparation."""

Report: TypeAlias = Callable[[int, int], None]
"""A `Progress` whose model and stage are known: bytes done, bytes in all."""


def silent(_: Step) -> None:
    """The progress nobody watches."""


def reporter(progress: Progress, model: str, stage: Stage) -> Report:
    """The `Report` of one stage."""
    return lambda done, total: progress(Step(model, stage, done, total))


class LoggedProgress:
    """Writes to the log how far each model is, when a stage begins and after every quarter of it; a `Progress`."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Stage, int]] = {}

    def __call__(self, step: Step) -> None:
        reached = step.stage, int(step.fraction * PARTS)
        if self._told.get(step.model) != reached:
            self._told[step.model] = reached
            logger.info("%s: %s", step.model, step)
