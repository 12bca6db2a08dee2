"""Pauses between phrases that are synthesized one by one.

Engines end every phrase as if it were a sentence, with silence of a length of their own: hibari with about 0.45 s after
a comma, too, and Piper's voices with 0.1 to 0.2 s after a paragraph. Here a phrase gets the pause that its punctuation
stands for. Speech that begins or breaks off in the middle of a sound, as that of language models may, would click: it
is faded.
"""

from collections.abc import Generator, Iterator
from typing import Final

import numpy as np

from realtime.audio.formats import Samples

PARAGRAPH_PAUSE: Final = 0.75
"""Seconds of silence after a paragraph."""

SENTENCE_PAUSE: Final = 0.45
"""Seconds of silence after a sentence, as in hibari's speech."""

CLAUSE_PAUSE: Final = 0.2
"""Seconds of silence after a clause, about those of both engines at a comma inside a phrase."""

WORD_PAUSE: Final = 0.02
"""Seconds of silence after a phrase that ends between words."""

SILENCE_LEVEL: Final = 1e-3
"""Highest amplitude of silence, -60 dB of full scale."""

FADE_SECONDS: Final = 0.003
"""Seconds in which sound that does not begin or end in silence is faded in or out."""

_CLOSING: Final = "\"'”’)]}»›」』）】》〉*_`"
_SENTENCE_ENDS: Final = ".!?…。！？｡"
_CLAUSE_ENDS: Final = ",;:–—，、､；："


def pause_after(phrase: str) -> float:
    """Return the seconds of silence after a phrase, which may end with white space."""
    text = phrase.rstrip()
    if "\n\n" in phrase[len(text) :].replace("\r", ""):
        return PARAGRAPH_PAUSE
    end = text.rstrip(_CLOSING)[-1:] or "."
    if end in _SENTENCE_ENDS or "\n" in phrase[len(text) :]:
        return SENTENCE_PAUSE
    return CLAUSE_PAUSE if end in _CLAUSE_ENDS else WORD_PAUSE


class TrailingPause:
    """Replaces the silence after a phrase, which comes in chunks, by that of a pause."""

    def __init__(self, seconds: float, sample_rate: int) -> None:
        self._pause = round(seconds * sample_rate)
        self._fade = round(FADE_SECONDS * sample_rate)
        self._held: list[Samples] = []
        """Silence that belongs to the phrase if sound follows."""
        self._begun = False
        self._last = 0.0
        """The last sample of sound."""

    def process(self, chunk: Samples) -> Samples:
        """Take the next chunk; return what of the phrase ends with sound, possibly nothing."""
        sounds = np.flatnonzero(np.abs(chunk) > SILENCE_LEVEL)
        if not len(sounds):
            self._held.append(chunk)
            return chunk[:0]
        end = sounds[-1] + 1
        phrase = np.concatenate([*self._held, chunk[:end]])
        self._held = [chunk[end:]]
        if not self._begun and abs(phrase[0]) > SILENCE_LEVEL:
            fade = min(self._fade, len(phrase))
            phrase[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        self._begun = True
        self._last = float(phrase[-1])
        return phrase

    def finish(self) -> Samples:
        """Return the pause, nothing if there was no sound. It begins where the sound ends, and falls to zero."""
        pause = np.zeros(self._pause if self._begun else 0, np.float32)
        fade = min(self._fade, len(pause))
        pause[:fade] = np.linspace(self._last, 0, fade, dtype=np.float32)
        return pause


def with_pause(chunks: Iterator[Samples], seconds: float, sample_rate: int) -> Generator[Samples, None, None]:
    """Yield the chunks of a phrase, but instead of the silence after it that of a pause.

    A phrase without sound yields nothing. Closing the generator closes `chunks`.
    """
    pause = TrailingPause(seconds, sample_rate)
    for chunk in chunks:
        if len(phrase := pause.process(chunk)):
            yield phrase
    if len(silence := pause.finish()):
        yield silence
