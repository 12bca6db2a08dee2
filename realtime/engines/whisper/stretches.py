"""Stretches of sound between pauses, which are decoded one by one where a decode of the whole fails.

Whisper's decoder writes a sentence that is said ten times in a row once, or thirty times. Cut in the pauses, each
window has the sentence once. Of pauses within the sentence as long as those between its repetitions, half a sentence
would come, which is often misheard: where the audio repeats itself, it is cut where it begins again instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.whisper.drafts import is_broken
from realtime.engines.whisper.repetition import beginnings
from realtime.speech.recognition import Thresholds, TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Hypothesis, Word, mostly_repeats, normalised
from realtime.speech.word_times import HOP, longest_untranscribed

PAUSE_DECIBELS: Final = 35.0
"""Decibels below the loudest hops from which a hop may be part of a pause."""

FLOOR_SHARE: Final = 0.3
"""Share of the range between the quietest and the loudest hops, in decibels, below which a hop is part of a pause.

Where there is noise, a pause is as loud as the noise.
"""

CLEAR_PAUSE: Final = 8
"""Hops of a pause that always separates: 160 ms, longer than the closure of a plosive."""

SHORT_PAUSE: Final = 4
"""Hops of a pause that separates where there is no longer one: 80 ms."""

LONG_STRETCH: Final = 110
"""Hops of a stretch that is cut in short pauses too: 2.2 s."""

MIN_STRETCH: Final = 10
"""Hops of the shortest stretch, 200 ms; a shorter sound belongs to its neighbour."""

MARGIN: Final = 10
"""Hops of a pause that are decoded with each of its neighbours at most: 200 ms."""

LEAD: Final = 3 * SAMPLE_RATE // 10
"""Samples of silence before each stretch, 0.3 s.

Without it Whisper takes a sentence that begins with the audio for the end of another: it writes "that the pencils".
"""

BEFORE_ONSET: Final = 5
"""Hops before the expected begin of a repetition in which it is cut: 100 ms."""

AFTER_ONSET: Final = 2
"""Hops after it: 40 ms, for a repetition at another speed, which is found late."""

MIN_LOG_PROBABILITY: Final = -1.3
"""Average log-probability below which the text of a stretch is left out.

The few tokens of a right sentence of 1 to 2 s have -0.3 to -1.2, less than with more context.
"""

MORE_WORDS: Final = 1.2
"""Words of the stretches for each word of the whole from which the text of the stretches is used.

A window with little context has more errors, and errors can be words too: where no word is missing, it is up to 1.1.
"""


@dataclass(frozen=True, slots=True)
class Split:
    """A decode stretch by stretch: what the decode of the whole found, and what the stretches have given so far."""

    request: TranscriptionRequest
    """The request whose audio is split."""
    length: int
    """Samples at its beginning that are split; the remainder is decoded later."""
    whole: Hypothesis
    """The hypothesis for those samples, used where that of the stretches is no better."""
    current: Span
    """The stretch that is decoded."""
    waiting: tuple[Span, ...]
    """The stretches after it."""
    found: Hypothesis | None = None
    """The text of the stretches before it."""
    gap: bool = False
    """Whether the text of one of them was left out."""

    @classmethod
    def of(cls, request: TranscriptionRequest, length: int, whole: Hypothesis) -> "Split | None":
        """Return the split of audio whose hypothesis is doubtful; None if it has no pause to cut in."""
        cut = stretches(request.samples[:length])
        return cls(request, length, whole, cut[0], cut[1:]) if len(cut) > 1 else None

    @property
    def current_request(self) -> TranscriptionRequest:
        """The request for the audio of the current stretch, after silence."""
        part = self.request.part(self.current.start, self.current.end)
        voice = tuple(Span(each.start + LEAD, each.end + LEAD) for each in part.voice)
        return replace(part, samples=np.pad(part.samples, (LEAD, 0)), voice=voice)

    def with_found(self, hypothesis: Hypothesis, thresholds: Thresholds) -> "Split":
        """Add the text of `current`, unless it is implausible."""
        if not hypothesis.words:
            return self
        if (
            is_broken(hypothesis)
            or hypothesis.average_log_probability < MIN_LOG_PROBABILITY
            or (hypothesis.no_speech_probability > thresholds.no_speech and not self._is_known(hypothesis))
        ):
            return replace(self, gap=True)
        words = tuple(
            replace(word, start=max(word.start, LEAD), end=max(word.end, LEAD)).shifted(self.current.start - LEAD)
            for word in hypothesis.words
        )
        moved = replace(hypothesis, words=words)
        if self.found is None:
            return replace(self, found=moved)
        lengths = len(self.found.tokens), len(moved.tokens)
        average = np.average([self.found.average_log_probability, moved.average_log_probability], weights=lengths)
        joined = _joined(self.found.words, moved.words, self.whole.words)
        found = replace(self.found.followed_by(moved, 0), words=joined, average_log_probability=float(average))
        return replace(self, found=found)

    def _is_known(self, hypothesis: Hypothesis) -> bool:
        """Whether the whole has all words of the hypothesis. Alone, a digit often counts as no speech."""
        return {normalised(word.text) for word in hypothesis.words} <= {
            normalised(word.text) for word in self.whole.words
        }

    @property
    def result(self) -> Hypothesis:
        """The better hypothesis: that of the stretches, if it has words where the whole has sound without any.

        The stretches are also used where the whole is mostly a repetition: they show how often it is said.
        """
        found, whole = self.found, self.whole
        if found is None:
            return whole
        if is_broken(whole) or (mostly_repeats(whole.words) and not self.gap):
            return found
        more = len(found.words) >= MORE_WORDS * len(whole.words)
        part = self.request.part(0, self.length)
        lost, before = (longest_untranscribed(each.words, part.samples, part.voice) for each in (found, whole))
        return found if more and lost < before else whole


def _joined(before: tuple[Word, ...], after: tuple[Word, ...], whole: Sequence[Word]) -> tuple[Word, ...]:
    """Join the words of two stretches, written as in `whole` where it has the same two words in a row.

    A stretch that ends within a sentence ends with a full stop all the same, and the next one may begin with a capital.
    """
    pair = (normalised(before[-1].text), normalised(after[0].text))
    for first, second in pairwise(whole):
        if all(pair) and (normalised(first.text), normalised(second.text)) == pair:
            last = replace(before[-1], text=first.text, tokens=first.tokens)
            following = replace(after[0], text=second.text, tokens=second.tokens)
            return (*before[:-1], last, following, *after[1:])
    return before + after


def stretches(samples: Samples) -> tuple[Span, ...]:
    """Cut audio where its repetitions begin or, if it does not repeat itself, in its pauses.

    What lies between two stretches is silent. There are at most two stretches per second of repetitions and three per
    second between pauses.
    """
    if not len(samples):
        return ()
    level = _decibels(samples)
    quiet = level < _threshold(level)
    sound = np.flatnonzero(~quiet)
    onsets = beginnings(samples, int(sound[0]) * HOP, (int(sound[-1]) + 1) * HOP)
    spans = _repetitions(level, quiet, onsets) if onsets else _spans(quiet, 0, len(quiet))
    return tuple(Span(first * HOP, min(last * HOP, len(samples))) for first, last in spans)


def _repetitions(
    level: NDArray[np.float64], quiet: NDArray[np.bool_], onsets: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield the repetitions, cut in the middle of the pause before each or, without any, where the sound is lowest."""
    sound = np.flatnonzero(~quiet)
    cuts = [0]
    for onset in onsets[1:]:
        near = slice(onset // HOP - BEFORE_ONSET, onset // HOP + AFTER_ONSET)
        lowest = int(near.start + np.argmin(level[near]))
        before, after = sound[sound <= lowest], sound[sound >= lowest]
        cuts.append((int(before[-1]) + 1 + int(after[0])) // 2)
    for first, last in pairwise([*cuts, len(quiet)]):
        yield _trimmed(quiet, first, last)


def _spans(quiet: NDArray[np.bool_], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches between the hops `first` and `last`, split at the longest pause while it is worth it."""
    sound = np.flatnonzero(~quiet[first:last]) + first
    begin, end = int(sound[0]), int(sound[-1]) + 1
    gaps = np.diff(sound) - 1
    enough = CLEAR_PAUSE if end - begin <= LONG_STRETCH else SHORT_PAUSE
    # The part on either side must be long enough to be decoded.
    possible = (sound[1:] - begin >= MIN_STRETCH) & (end - sound[1:] >= MIN_STRETCH) & (gaps >= enough)
    if possible.any():
        index = int(np.argmax(np.where(possible, gaps, 0)))
        middle = int(sound[index] + 1 + gaps[index] // 2)
        yield from _spans(quiet, first, middle)
        yield from _spans(quiet, middle, last)
    else:
        yield _trimmed(quiet, first, last)


def _trimmed(quiet: NDArray[np.bool_], first: int, last: int) -> tuple[int, int]:
    """Return the sound between two hops with its margins."""
    sound = np.flatnonzero(~quiet[first:last]) + first
    return max(first, int(sound[0]) - MARGIN), min(last, int(sound[-1]) + 1 + MARGIN)


def _decibels(samples: Samples) -> NDArray[np.float64]:
    """Return the level of each hop; no lower than 80 dB below full scale."""
    hops = np.pad(samples, (0, -len(samples) % HOP)).reshape(-1, HOP).astype(np.float64)
    level: NDArray[np.float64] = 10 * np.log10(np.einsum("ij,ij->i", hops, hops) / HOP + 1e-8)
    return level


def _threshold(level: NDArray[np.float64]) -> float:
    """Return the level below which a hop is part of a pause."""
    floor, loud = np.percentile(level, [5, 95])
    return float(max(loud - PAUSE_DECIBELS, floor + FLOOR_SHARE * (loud - floor)))
