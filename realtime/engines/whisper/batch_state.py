"""What a decoder has of each request of a batch while it generates."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MASKED: Final = -1e9
"""What is added to the attention score of a place that must not be seen."""


class BatchState:
    """What the decoder has of each row of a batch: its memory, and the keys and values of the tokens fed so far.

    All rows have the `shared` inputs. They share the slots of the tokens; `_visible`, (rows, slots), says which of them
    count.
    """

    def __init__(
        self, attended: dict[str, NDArray[Any]], shared: dict[str, NDArray[Any]], caches: int, heads: int, head: int
    ) -> None:
        self._attended = attended
        self._shared = shared
        rows = len(attended["memory_mask"])
        self.cache: list[NDArray[np.float32]] = [np.zeros((rows, heads, 0, head), np.float32)] * caches
        """Keys and values of each layer by turns, each (rows, heads, slots, dimensions of a head)."""
        self._visible = np.zeros((rows, 0), bool)
        self._new = 0

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        """The inputs of the graph that stay, or have grown."""
        names = (f"{each}_{layer}" for layer in range(len(self.cache) // 2) for each in ("keys", "values"))
        return self._attended | self._shared | dict(zip(names, self.cache, strict=True))

    def drop(self, row: int) -> None:
        """Put the last row in the place of this one, which is cheaper than to copy all others."""
        for values in (*self._attended.values(), *self.cache, self._visible):
            values[row] = values[-1]
        self._attended = {name: values[:-1] for name, values in self._attended.items()}
        self.cache = [values[:-1] for values in self.cache]
        self._visible = self._visible[:-1]

    def extended(self, length: int) -> NDArray[np.float32]:
        """Add slots for so many tokens; return the mask with which they see those before and each other."""
        self._new = length
        seen = np.repeat(self._visible[:, None], length, axis=1)
        new = np.broadcast_to(np.tri(length, dtype=bool), (len(seen), length, length))
        self._visible = np.pad(self._visible, ((0, 0), (0, length)))
        mask = np.where(np.concatenate([seen, new], axis=2), np.float32(0), np.float32(MASKED))
        return mask[:, None]

    def show(self, row: int, right: int) -> None:
        """Let the first `right` of the newest slots of a row count."""
        begin = self._visible.shape[1] - self._new
        self._visible[row, begin : begin + right] = True
