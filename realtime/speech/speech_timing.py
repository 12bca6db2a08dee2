"""Speech timing: which part of a spoken text had been played at a time.

Engines report no times of words, so what is said of a phrase is spread over its audio by characters, without the
silence at its end: those of "nineteen eighty-four", not of "1984". Within a phrase a time is right to about a word;
from phrase to phrase it is exact.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from realtime.audio.formats import Samples

SILENCE: Final = 0.01
"""Level of full scale (-40 dB) below which speech has ended. The bundled voice ends each phrase with 0.5 s of it."""

_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\S+")
"""A word; in Chinese and Japanese, a character."""


@dataclass(slots=True)
class _Phrase:
    text: str
    positions: Sequence[float]
    """The place in the text of each character that is said, in rising order; empty: the text is said as it is."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word as it is written, with the samples of the speech at which it begins and ends."""

    text: str
    start: int
    end: int


class SpeechTiming:
    """The phrases of one speech, each with the samples it was spoken in."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._phrases: list[_Phrase] = []
        self.samples = 0
        """Samples of audio added, as far as they have not been cut off."""

    def add_text(self, text: str, positions: Sequence[float] = ()) -> None:
        """Add the text of the audio that is added next.

        `positions` are the places in it of the characters that are said, in rising order; without any, the text is
        said as it is.
        """
        self._phrases.append(_Phrase(text, positions, self.samples, self.samples))

    def add_audio(self, samples: Samples) -> None:
        """Add the audio that follows."""
        if self._phrases and (audible := audible_samples(samples)):
            self._phrases[-1].end = self.samples + audible
        self.samples += len(samples)

    def last_words(self) -> tuple[SpokenWord, ...]:
        """Return the words of the text that was added last; marks that are not said begin and end at once."""
        phrase = self._phrases[-1]
        length = phrase.end - phrase.start
        return tuple(
            SpokenWord(word[0], phrase.start + round(begins * length), phrase.start + round(ends * length))
            for word, begins, ends in _words(phrase)
        )

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return self.samples / self._rate

    @property
    def text(self) -> str:
        """The text of all the audio."""
        return self.text_until(self.seconds)

    def text_until(self, seconds: float) -> str:
        """Return the text of which more than half of each word had been played after `seconds` of audio."""
        played = min(seconds * self._rate, self.samples)
        whole = [phrase.text for phrase in self._phrases if phrase.end <= played]
        rest = self._phrases[len(whole)] if len(whole) < len(self._phrases) else None
        if rest is not None and rest.start < played:
            whole.append(_beginning(rest, (played - rest.start) / (rest.end - rest.start)))
        return "".join(whole).rstrip()

    def cut(self, seconds: float) -> None:
        """Forget what comes after `seconds`."""
        self.samples = min(self.samples, round(seconds * self._rate))


def audible_samples(samples: Samples) -> int:
    """Return how many samples there are without the silence at their end."""
    loud = np.flatnonzero(np.abs(samples) > SILENCE)
    return int(loud[-1]) + 1 if len(loud) else 0


def _beginning(phrase: _Phrase, share: float) -> str:
    """Return the words whose middle is said within the first `share` of a phrase."""
    end = 0
    for word, begins, ends in _words(phrase):
        if (begins + ends) / 2 > share:
            break
        end = word.end()
    return phrase.text[:end]


def _words(phrase: _Phrase) -> Iterator[tuple[re.Match[str], float, float]]:
    """Yield the words of a phrase, each with the shares of what is said before it and up to its end."""
    said = len(phrase.positions) or len(phrase.text)

    def share(place: int) -> float:
        return (bisect_right(phrase.positions, place) if phrase.positions else place) / said

    for word in _WORD.finditer(phrase.text):
        yield word, share(word.start()), share(word.end())
