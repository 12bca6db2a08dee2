"""Logits of many places of a batch, computed for a few of them at a time."""

from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

PLACES_AT_ONCE: Final = 32
"""Places whose logits are in memory at once: 6.6 MB with Whisper's vocabulary. A batch may have hundreds of them."""


class Logits:
    """The logits of places, by their number. Those of places that are passed over are mostly not computed."""

    def __init__(self, projection: onnxruntime.InferenceSession, states: NDArray[np.float32]) -> None:
        """Project `states`, (places, model dimension), with the graph of `decoder_graph.write_projection_graph`."""
        self._projection = projection
        self._states = states
        self._computed: NDArray[np.float32] = np.empty((0, 0), np.float32)
        """The logits from the place `_first` on."""
        self._first = 0

    def __getitem__(self, place: int) -> NDArray[np.float32]:
        """Return the logits of a place, (vocabulary,)."""
        if not self._first <= place < self._first + len(self._computed):
            states = self._states[place : place + PLACES_AT_ONCE]
            (self._computed,) = self._projection.run(None, {"states": states})
            self._first = place
        of_place: NDArray[np.float32] = self._computed[place - self._first]
        return of_place
