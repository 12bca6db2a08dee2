"""When tokens are said, by dynamic time warping over the cross-attention of the decoder that generated them.

Source: openai/whisper, `timing.py`; Giorgino, "Computing and Visualizing Dynamic Time Warping Alignments in R" (2009).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

ATTENTION: Final = "attention"
"""The output of the decoder's graph that shows when tokens are said."""

MEDIAN_WIDTH: Final = 7
"""Frames of the median filter."""


def token_boundaries(attention: NDArray[np.float32], prompt_length: int) -> list[int]:
    """Return the frame in which each token of the text begins, and the one in which the last ends.

    `attention` is (alignment heads, tokens fed, frames of the audio), from the start of transcript on; the first
    `prompt_length` tokens are not of the text. The row that predicts a token, which is that of the token before it,
    shows where it is said.
    """
    return warped(-_smoothed(_normalized(attention)).mean(axis=0)[prompt_length - 1 :].astype(np.float64))


def warped(costs: NDArray[np.float64]) -> list[int]:
    """Return the first column of each row on the cheapest path through a matrix, from its first cell to its last.

    A step goes to the next row, to the next column, or to both.
    """
    totals = np.empty_like(costs)
    totals[0] = costs[0].cumsum()
    for row in range(1, len(costs)):
        entering = totals[row - 1].copy()
        entering[1:] = np.minimum(entering[1:], totals[row - 1, :-1])
        # The path enters the row where that is cheapest, counted with what the row costs from there on.
        within = costs[row].cumsum()
        totals[row] = within + np.minimum.accumulate(entering + costs[row] - within)
    return _starts(totals.tolist())


def _starts(totals: list[list[float]]) -> list[int]:
    """Follow the cheapest path back from its end."""
    starts = [0] * len(totals)
    column = len(totals[0]) - 1
    for row in range(len(totals) - 1, 0, -1):
        above, here = totals[row - 1], totals[row]
        while column > 0 and here[column - 1] < min(above[column - 1], above[column]):
            column -= 1
        starts[row] = column
        if column > 0 and above[column - 1] <= above[column]:
            column -= 1
    return starts


def _normalized(attention: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much more each token attends to a frame than the others do."""
    shares = attention / np.maximum(attention.sum(axis=2, keepdims=True), np.finfo(np.float32).tiny)
    deviation = np.maximum(shares.std(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    normalized: NDArray[np.float32] = (shares - shares.mean(axis=1, keepdims=True)) / deviation
    return normalized


def _smoothed(attention: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply a median filter along the frames."""
    margin = MEDIAN_WIDTH // 2
    if attention.shape[2] <= margin:
        return attention
    padded = np.pad(attention, ((0, 0), (0, 0), (margin, margin)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_WIDTH, axis=2)
    smoothed: NDArray[np.float32] = np.partition(windows, margin, axis=3)[..., margin]
    return smoothed
