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
from realtime.speech.recognition import TranscriptionRequest

logger = logging.getLogger(__name__)

SECONDS: Final = 3
"""Seconds of audio in a request, which has noise."""

EXPECTED: Final = " Nothing of this is said in the noise that is heard here."
"""Text that is expected of it: it is verified in vain, as about that many tokens are verified or written otherwise."""

MIN_ROUNDS: Final = 3
MEASURING_SECONDS: Final = 0.4
"""Rounds at least, and seconds after which no further round begins."""

MAX_SECONDS: Final = 20.0
"""Seconds after which no further layout is measured: `whisper-large-v3` takes seconds to load, and to answer."""


def load_best(
    name: str, layouts: Sequence[DecoderLayout], load: Callable[[DecoderLayout], Whisper], on_load: Callable[[], None]
) -> Whisper:
    """Load a model with one of several layouts after the other, never twice at once; return it with the best.

    `on_load` is called before each is loaded, and may raise to end this. Raises what it and `load` raise.
    """
    began, seconds = time.monotonic(), dict[DecoderLayout, float]()

    def measured(layout: DecoderLayout) -> Whisper:
        on_load()
        engine = load(layout)
        seconds[layout] = partial_seconds(engine)
        return engine

    loaded, engine = layouts[0], measured(layouts[0])
    for layout in layouts[1:]:
        if time.monotonic() - began > MAX_SECONDS:
            break
        engine.close()
        loaded, engine = layout, measured(layout)
    best = best_layout(seconds)
    per_second = ", ".join(f"{layout} {layout.workers / each:.1f}" for layout, each in seconds.items())
    logger.info("%s runs on %s (workers x threads; partials a second: %s)", name, best, per_second)
    if loaded != best:
        engine.close()
        on_load()
        engine = load(best)
    return engine


def partial_seconds(engine: Whisper) -> float:
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
