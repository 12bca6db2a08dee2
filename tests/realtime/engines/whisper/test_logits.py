"""Logits of many places: those of one pass, a few at a time."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.engines.onnx import load_model
from realtime.engines.whisper.decoder_graph import write_projection_graph
from realtime.engines.whisper.logits import PLACES_AT_ONCE, Logits
from realtime.engines.whisper.stored_weights import StoredWeights
from tests.support.tiny_whisper import WIDTH, write_tiny_whisper

PLACES = 3 * PLACES_AT_ONCE
STATES = np.random.default_rng(1).normal(size=(PLACES, WIDTH)).astype(np.float32)


class Projection:
    """The projection of a random model, which notes how many places each run has."""

    def __init__(self, directory: Path) -> None:
        write_tiny_whisper(directory)
        with closing(StoredWeights(directory / "model.bin")) as weights:
            write_projection_graph(weights, directory / "projection.onnx")
        self._session = load_model(directory / "projection.onnx", "The projection")
        self.runs: list[int] = []

    def run(self, names: None, inputs: dict[str, Any]) -> Any:
        self.runs.append(len(inputs["states"]))
        return self._session.run(names, inputs)


@pytest.fixture
def projection(tmp_path: Path) -> Any:
    return Projection(tmp_path)


def test_logits_are_those_of_one_pass(projection: Any) -> None:
    (expected,) = projection.run(None, {"states": STATES})
    logits = Logits(projection, STATES)
    assert np.array_equal([logits[place] for place in range(PLACES)], expected)
    assert projection.runs[1:] == [PLACES_AT_ONCE] * 3


def test_places_that_are_passed_over_are_not_computed(projection: Any) -> None:
    logits = Logits(projection, STATES)
    logits[0], logits[1], logits[PLACES - 2], logits[PLACES - 1]
    assert projection.runs == [PLACES_AT_ONCE, 2]
