"""Dynamic time warping: against paths that are known, and against all paths there are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from realtime.engines.whisper import token_times
from realtime.engines.whisper.token_times import token_boundaries

PROMPT = 3


def attention(starts: list[int], frames: int, heads: int = 4) -> NDArray[np.float32]:
    """Return the attention of tokens that are each said from one of the frames on, to the next of them."""
    dice = np.random.default_rng(0)
    weights = dice.uniform(0.01, 0.02, (heads, PROMPT - 1 + len(starts), frames)).astype(np.float32)
    for row, (start, end) in enumerate(zip(starts, [*starts[1:], frames], strict=True), PROMPT - 1):
        weights[:, row, start:end] += 0.5
    return weights


@pytest.mark.parametrize("starts", [[0, 20, 45, 80], [0, 10, 11, 99], [0], [0, 0, 50]])
def test_tokens_begin_where_their_attention_does(starts: list[int]) -> None:
    found = token_boundaries(attention(starts, 100), PROMPT)
    assert len(found) == len(starts)
    assert found == pytest.approx(starts, abs=token_times.MEDIAN_WIDTH // 2)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_audio_of_a_few_frames_has_times(frames: int) -> None:
    starts = token_boundaries(attention([0, 0, 0], frames), PROMPT)
    assert starts == sorted(starts)
    assert 0 <= starts[0] <= starts[-1] < frames


def test_attention_that_is_the_same_everywhere_has_times() -> None:
    starts = token_boundaries(np.full((2, PROMPT + 1, 10), 0.1, np.float32), PROMPT)
    assert starts == sorted(starts)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_path_is_the_cheapest_of_all(rows: int, columns: int, seed: int) -> None:
    costs = np.random.default_rng(seed).normal(size=(rows, columns))
    starts = token_times.warped(costs)
    assert len(starts) == rows
    assert _cost(costs, starts) == pytest.approx(_least(costs, rows - 1, columns - 1))


def _least(costs: NDArray[np.float64], row: int, column: int) -> float:
    """Return the cost of the cheapest path to a cell, by trying all."""
    before = (row - 1, column), (row, column - 1), (row - 1, column - 1)
    return float(costs[row, column]) + min((_least(costs, *each) for each in before if min(each) >= 0), default=0.0)


def _cost(costs: NDArray[np.float64], starts: list[int]) -> float:
    """Return the cost of the cheapest path whose rows begin in these columns."""
    cost = float(costs[-1, starts[-1] :].sum())
    for row, (start, following) in enumerate(pairwise(starts)):
        within = float(costs[row, start:following].sum())
        cost += within + min(0.0, float(costs[row, following])) if following > start else float(costs[row, start])
    return cost
