"""Measure how fast a layout of decoder workers is on this machine, with the model that it is for."""

import time
from pathlib import Path
from typing import Final

import ctranslate2
import numpy as np

from realtime.engines.decoder_layouts import DecoderLayout
from realtime.engines.whisper.cpu import enable_avx512
from realtime.errors import EngineError

FRAMES: Final = 300
"""Frames of features in a request, 10 ms each: the window of a short partial."""

PROMPT: Final = ("<|startoftranscript|>", *["<|notimestamps|>"] * 8)
"""Tokens that are given: the decoder takes a step for each, whatever it hears."""

MIN_ROUNDS: Final = 3
MEASURING_SECONDS: Final = 0.4
"""Rounds at least, and seconds after which no further round begins."""


def answer_seconds(directory: Path, layout: DecoderLayout, compute_type: str) -> float:
    """Return the seconds after which all workers of a layout have answered a request each, on the CPU.

    Others may have the machine at the moment, so of several rounds the shortest counts. Raises `EngineError`.
    """
    enable_avx512()
    try:
        model = ctranslate2.models.Whisper(
            str(directory),
            device="cpu",
            compute_type=compute_type,
            inter_threads=layout.workers,
            intra_threads=layout.threads,
        )
        silence = ctranslate2.StorageView.from_array(np.zeros((1, model.n_mels, FRAMES), np.float32))
        rounds = list[float]()
        while len(rounds) < MIN_ROUNDS or sum(rounds) < MEASURING_SECONDS:
            began = time.perf_counter()
            requests = [
                model.generate(silence, [PROMPT], beam_size=1, max_length=2, asynchronous=True)
                for _ in range(layout.workers)
            ]
            for (answer,) in requests:
                answer.result()
            rounds.append(time.perf_counter() - began)
        model.unload_model()
    except (RuntimeError, ValueError) as exc:
        raise EngineError(f"The Whisper model could not be measured: {exc}") from exc
    return min(rounds)
