"""Keys and values of the silence tail, which follows the audio in decoder memories (`windows`).

Those of a frame of silence are the same for all requests: the first ones and the end frames are computed once for a
model, and shared by the requests of a batch. Cross-attention does not depend on the order of frames, so that the rest
of a longer tail may come before them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from realtime.engines.whisper.windows import END_FRAMES, FULL_WINDOW_FRAMES, LENGTH_BUCKET, Encoding, silence_places

KEPT: Final = LENGTH_BUCKET
"""Frames of silence that are kept: all that most partials need. They take 10 MB for `whisper-base`."""

END: Final = FULL_WINDOW_FRAMES - END_FRAMES


def frames_axis(name: str) -> int:
    """Return which axis of keys or values of the memory, by their name, has the frames."""
    return 3 if "keys" in name else 2


class SilenceTail:
    """Keys and values of cross-attention for the first frames of encoded silence, and for the end frames."""

    def __init__(self, memory: onnxruntime.InferenceSession, silence: Encoding) -> None:
        """Compute them with the graph of `decoder_graph.write_memory_graph`; `silence` fills a window."""
        self._silence = silence
        names = [each.name for each in memory.get_outputs()]
        kept = np.concatenate([silence[:KEPT], silence[END:]])
        self._values = dict(zip(names, memory.run(names, {"memory": kept}), strict=True))

    def divide(self, encoding: Encoding, frames: int) -> tuple[Encoding, NDArray[np.int64]]:
        """Return the part of a decoder memory to compute, and which frames of silence complete it from what is kept.

        `frames` are those of the memory without the end frames.
        """
        places = silence_places(len(encoding), frames)
        kept = (places < KEPT) | (places >= END)
        return np.concatenate([encoding, self._silence[places[~kept]]]), places[kept]

    def shared(self, places: Sequence[NDArray[np.int64]]) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
        """Return the inputs of the decoder for a tail with all these places, and which frames of it each request has.

        Between them and behind them it may have others, which no request has.
        """
        within = np.concatenate(places)
        within = within[within < KEPT]
        start, stop = (within.min(), within.max() + 1) if len(within) else (0, 0)
        tail = {}
        for name, values in self._values.items():
            axis = frames_axis(name)
            _, first, _, end = np.split(values, [start, stop, KEPT], axis)
            tail[name.replace("memory", "tail")] = np.concatenate([first, end], axis)
        frames = np.concatenate([np.arange(start, stop), np.arange(END, FULL_WINDOW_FRAMES)])
        return tail, np.array([np.isin(frames, each) for each in places])
