"""Bound the times of words by the voice in the audio.

A recognizer that aligns text with audio leaves no gaps: it assigns a pause to one of the words beside it. Where a word
may be is known better: the voice activity detector finds the voice to a window of 32 ms, and the energy against that of
the background finds its edges.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Word

HOP: Final = SAMPLE_RATE // 50
"""Samples whose energy is measured together: 20 ms."""

SILENCE_ENERGY: Final = 10**-3.5
"""Energy of a silent hop, as a share of that of the loudest hop near it: 35 dB below it."""

BACKGROUND_PERCENTILE: Final = 90
"""Percentile of the energy of the hops with background alone that stands for the background."""

NOISE_MARGIN: Final = 3.0
"""Energy of a hop with sound, as a multiple of that of the background: 5 dB above it.

Of 50 natural pauses in recordings with room noise none was inside a word, and 2 with the median and a margin of 6 dB.
"""

MIN_PAUSE: Final = SAMPLE_RATE // 5
"""Samples without voice that count as a pause (200 ms); in a word, the closure of a stop consonant is shorter."""

CERTAIN_PAUSE: Final = SAMPLE_RATE * 300 // 1000
"""Samples between voiced spans that are a pause, whatever sounds in it (300 ms): the noise of an audience, say."""

REACH: Final = 15
"""Hops (300 ms) outside of the voice that the detector found in which sound may still belong to a word.

It misses fricatives and aspiration at either end of a word.
"""

CLOSURE: Final = 3
"""Silent hops within such sound (60 ms), as before the release of a final stop."""

LATE_ONSET: Final = 1
"""Hops without sound (20 ms) at the beginning of detected voice that are no part of a word."""

LATE_OFFSET: Final = 5
"""Hops without sound (100 ms) at the end of detected voice that are no part of a word.

The detector's probability falls late: 40 ms after the end of the voice on clean speech, 100 ms in noise 10 dB below it.
"""

BACKGROUND_DISTANCE: Final = 5
"""Hops between voice and the audio that counts as background: 100 ms."""

MAX_FILL: Final = SAMPLE_RATE * 400 // 1000
"""Samples (400 ms) by which the outer words of a stretch of speech are lengthened to fill it; more may be other words.

With 250 ms, of 63 words before a pause in clean speech one in twenty ended 0.28 s early, with 350 ms and more 0.10 s.
"""

MAX_UNVOICED: Final = SAMPLE_RATE // 2
"""Longest duration, in samples (500 ms), of a word where there is no voice."""


def bounded(words: Sequence[Word], samples: Samples, voice: Sequence[Span]) -> tuple[Word, ...]:
    """Bound words by the stretches of speech in their audio, so that none lasts through a pause.

    `voice` is where voice was detected, in samples of `samples`; where it is empty, it is all that is not silent. A
    word is narrowed to the stretch that has most of it, and the outer words of a stretch are lengthened to fill it. A
    word without speech keeps its start. The words returned are in the same order, do not overlap,
    and have a length.
    """
    stretches = speech_stretches(samples, voice)
    narrowed = [_narrowed(word, stretches) for word in _separated(words, len(samples))]
    for stretch in stretches:
        inside = [
            index for index, word in enumerate(narrowed) if stretch.start <= word.start and word.end <= stretch.end
        ]
        if inside:
            first, last = inside[0], inside[-1]
            if narrowed[first].start - stretch.start <= MAX_FILL:
                narrowed[first] = replace(narrowed[first], start=stretch.start)
            if stretch.end - narrowed[last].end <= MAX_FILL:
                narrowed[last] = replace(narrowed[last], end=stretch.end)
    return tuple(narrowed)


def longest_untranscribed(words: Sequence[Word], samples: Samples, voice: Sequence[Span]) -> int:
    """Return the most samples of speech between the starts of two neighbouring words; if many, words are missing."""
    starts = [0, *(word.start for word in words), len(samples)]
    stretches = speech_stretches(samples, voice)
    return max(
        sum(max(0, min(stretch.end, after) - max(stretch.start, before)) for stretch in stretches)
        for before, after in pairwise(starts)
    )


def _separated(words: Sequence[Word], end: int) -> list[Word]:
    """Return the words with starts a hop apart at least, where there is room, and no end after a later start."""
    if not words:
        return []
    offsets = max(1, min(HOP, end // len(words))) * np.arange(len(words) + 1)
    starts = np.maximum.accumulate([*(word.start for word in words), end] - offsets) + offsets
    starts = np.maximum(0, np.minimum(starts, end - offsets[::-1])).tolist()
    return [
        replace(word, start=start, end=min(max(word.end, start + HOP), after))
        for word, (start, after) in zip(words, pairwise(starts), strict=True)
    ]


def _narrowed(word: Word, stretches: Sequence[Span]) -> Word:
    """Return the part of a word in the stretch that has most of it, or the beginning of a word without speech."""
    parts = [Span(max(word.start, stretch.start), min(word.end, stretch.end)) for stretch in stretches]
    longest = max(parts, key=lambda part: part.end - part.start, default=Span(0, 0))
    if longest.end > longest.start:
        return replace(word, start=longest.start, end=longest.end)
    return replace(word, end=min(word.end, word.start + MAX_UNVOICED))


def speech_stretches(samples: Samples, voice: Sequence[Span]) -> list[Span]:
    """Return the stretches of speech between pauses: the voiced spans, with edges moved to where the sound ends."""
    hops = np.pad(samples, (0, -len(samples) % HOP)).reshape(-1, HOP)
    energy = np.einsum("ij,ij->i", hops, hops)
    spans = list(voice) or _sounding(energy)
    noise = _background(energy, spans)
    stretches: list[Span] = []
    voiced_until = 0
    for span in spans:
        first, last = span.start // HOP, min(-(-span.end // HOP), len(energy))
        peak = energy[first:last].max(initial=0.0)
        sound = energy > max(SILENCE_ENERGY * peak, NOISE_MARGIN * noise)
        before, after = sound[max(0, first - REACH) : first][::-1], sound[last : last + REACH]
        start = first - (_reach(before) or -_silent(sound[first:last], LATE_ONSET))
        end = last + (_reach(after) or -_silent(sound[first:last][::-1], LATE_OFFSET))
        start, end = start * HOP, end * HOP
        if stretches and start - stretches[-1].end < MIN_PAUSE:
            if span.start - voiced_until < CERTAIN_PAUSE:
                start = stretches.pop().start
            else:
                start = max(start, stretches[-1].end)
        stretches.append(Span(start, min(max(end, start + HOP), len(samples))))
        voiced_until = span.end
    return stretches


def _sounding(energy: NDArray[np.float32]) -> list[Span]:
    """Return the spans, between pauses, that are not silent."""
    hops = np.flatnonzero(energy > SILENCE_ENERGY * energy.max(initial=0.0))
    if not len(hops):
        return []
    runs = np.split(hops, np.flatnonzero(np.diff(hops) > MIN_PAUSE // HOP) + 1)
    return [Span(int(run[0]) * HOP, (int(run[-1]) + 1) * HOP) for run in runs]


def _background(energy: NDArray[np.float32], spans: Sequence[Span]) -> float:
    """Return the energy of the hops away from voice; 0 if there are none."""
    away = np.ones(len(energy), bool)
    for span in spans:
        away[max(0, span.start // HOP - BACKGROUND_DISTANCE) : -(-span.end // HOP) + BACKGROUND_DISTANCE] = False
    return float(np.percentile(energy[away], BACKGROUND_PERCENTILE)) if away.any() else 0.0


def _reach(sound: NDArray[np.bool_]) -> int:
    """Return up to where sound goes on from the beginning, with interruptions of at most `CLOSURE` hops."""
    hops = np.flatnonzero(sound)
    ends = np.flatnonzero(np.diff(hops, prepend=-1) > CLOSURE + 1)
    hops = hops[: ends[0]] if len(ends) else hops
    return int(hops[-1]) + 1 if len(hops) else 0


def _silent(sound: NDArray[np.bool_], limit: int) -> int:
    """Return the number of hops without sound at the beginning, at most `limit`."""
    hops = np.flatnonzero(sound[:limit])
    return int(hops[0]) if len(hops) else min(limit, len(sound))
