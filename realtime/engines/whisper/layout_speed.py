"""Load a recognizer with each of several layouts, and keep the one that is best on this machine."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE
from realtime.engines.decoder_layouts import DecoderLayout, best_layout
from realtime.engines.whisper.engine import Whisper
from realtime.errors import EngineError
from realtime.speech.recognition import TranscriptionRequest

logger = logging.getLogger(__name__)

SECONDS: Final = 3
"""Seconds of audio in a request, which has noise."""

EXPECTED: Final = " Nothing of this is said in the noise that is heard here."
"""Text that the second decoder verifies, about as long as that of so much speech; CTranslate2 writes what it hears."""

MIN_ROUNDS: Final = 3
MEASURING_SECONDS: Final = 0.4
"""Rounds at least, and seconds after which no further round begins."""

MAX_SECONDS: Final = 20.0
"""Seconds that measuring may take by what the layouts before took, each with loading the model."""


def load_best(
    layouts: Sequence[DecoderLayout],
    usual: DecoderLayout,
    load: Callable[[DecoderLayout], Whisper],
    on_load: Callable[[], None],
) -> tuple[Whisper, str]:
    """Load a model with one of several layouts after the other, never twice at once.

    Return it with the best of them, or with the usual one if not all could be measured, and what was measured in words.
    `on_load` is called before each is loaded, and may raise to end this. Raises what it raises, and `EngineError` if
    the model cannot be loaded with the usual layout either.
    """
    began, seconds = time.monotonic(), dict[DecoderLayout, float]()
    engine: Whisper | None = None
    for layout in reversed(layouts):  # mostly more workers are better: the last is not loaded again
        if engine is not None:
            engine.close()
            engine = None
        on_load()
        try:
            engine = load(layout)
            seconds[layout] = round_seconds(engine)
        except EngineError as exc:
            logger.warning("%s workers x threads cannot be used: %s", layout, exc)
            break
        if (time.monotonic() - began) * (1 + 1 / len(seconds)) > MAX_SECONDS:
            break
    best = best_layout(seconds) if len(seconds) == len(layouts) else usual
    measured = "; ".join(f"{layout}: {layout.workers / each:.1f} partials/s" for layout, each in seconds.items())
    if engine is not None and best == layout:
        return engine, measured
    if engine is not None:
        engine.close()
    on_load()
    return load(best), measured


def round_seconds(engine: Whisper) -> float:
    """Return the seconds after which all workers of a recognizer have decoded a partial each.

    Others may have the machine at the moment, so of several rounds the shortest counts. Raises `EngineError`.
    """
    noise = np.random.default_rng(0).normal(0, 0.01, SECONDS * SAMPLE_RATE).astype(np.float32)
    request = TranscriptionRequest(noise, language="en", final=False, under_load=True, expected=EXPECTED)
    rounds = list[float]()
    with ThreadPoolExecutor(engine.workers) as threads:
        while len(rounds) < MIN_ROUNDS or sum(rounds) < MEASURING_SECONDS:
            began = time.perf_counter()
            list(threads.map(lambda _: engine.decode([engine.encode(request)]), range(engine.workers)))
            rounds.append(time.perf_counter() - began)
    return min(rounds)
