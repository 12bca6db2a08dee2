"""Keys and values of the silence tail, which follows the audio in decoder memories (`windows`).

Those of a frame of silence are the same for all requests: they are computed once for a model, and a batch shares them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from realtime.engines.whisper.windows import END_FRAMES, FULL_WINDOW_FRAMES, Encoding, silence_places, with_silence

MAX_BYTES: Final = 10 << 20
"""Bound on what is kept: 8.5 s of silence for `whisper-base`, enough for partials with timestamps, whose memories have
`windows.LENGTH_BUCKET` frames for the most part. Tails of longer audio are computed for each request."""

END: Final = FULL_WINDOW_FRAMES - END_FRAMES


class SilenceTail:
    """Keys and values of cross-attention for the first frames of encoded silence, and for the end frames."""

    def __init__(self, memory: onnxruntime.InferenceSession, silence: Encoding) -> None:
        """Compute them with the graph of `decoder_graph.write_memory_graph`; `silence` fills a window."""
        self._silence = silence
        names = [each.name for each in memory.get_outputs()]
        self._kept = min(END, MAX_BYTES // (len(names) * silence[0].nbytes))
        kept = np.concatenate([silence[: self._kept], silence[END:]])[None]
        self._values = dict(zip(names, memory.run(names, {"memory": kept}), strict=True))

    def divide(self, encoding: Encoding, frames: int) -> tuple[Encoding, NDArray[np.int64]]:
        """Divide the memory of an encoding, of so many frames, into what is to be computed, and places in what is kept.

        Places are frames of the silence; there are none if not all that are needed are kept.
        """
        if max(len(encoding), frames) > self._kept:
            return with_silence(encoding, self._silence, frames), np.zeros(0, np.int64)
        return encoding, silence_places(len(encoding), frames)

    def shared(self, places: Sequence[NDArray[np.int64]]) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
        """Return the inputs of the decoder for all these places together, and which of them each request has."""
        together = np.unique(np.concatenate([[END], *places]))  # a graph cannot split off nothing
        kept = np.where(together < self._kept, together, together - END + self._kept)
        values = {
            name.replace("memory", "tail"): values.take(kept, axis=3 if "keys" in name else 2)
            for name, values in self._values.items()
        }
        return values, np.array([np.isin(together, each) for each in places])
