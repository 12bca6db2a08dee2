"""What a partial costs by the estimate that is made when a model is loaded, without a model."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from realtime.engines.whisper.engine import MEASUREMENTS, Whisper


@pytest.mark.parametrize(
    ("seconds", "estimate"),
    [
        ([9.0, 0.2, 0.1, 0.15], 0.2),  # of which the first compiles kernels
        ([9.0, 0.3, 0.25], 0.5),
        ([9.0, 2.0], 4.0),
    ],
)
def test_a_partial_is_estimated_by_the_shortest_of_a_few_measurements(
    monkeypatch: pytest.MonkeyPatch, seconds: Sequence[float], estimate: float
) -> None:
    costs, now = list(seconds), [0.0]

    class Measured(Whisper):
        def __init__(self) -> None:
            """Load nothing."""

        def encode(self, request: Any) -> Any:
            return request

        def decode(self, encoded: Any) -> Any:
            now[0] += costs.pop(0)

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    assert Measured()._measure() == pytest.approx(estimate)
    assert not costs
    assert len(seconds) <= 1 + MEASUREMENTS
