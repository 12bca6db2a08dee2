"""What one simulated speaker says, and when: clips one after another in a quiet room."""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from realtime.audio.formats import Samples
from tests.bench.scoring import SpokenWord
from tests.bench.speech_clips import RATE, SpeechClip

NOISE: Final = 0.0006
"""The level of the room, everywhere: -64 dBFS."""

LEAD_IN: Final = 0.5

BREATH: Final = 0.35
"""Seconds before a reader begins again: too short to be the end of an utterance."""


@dataclass(frozen=True, slots=True)
class Track:
    """The audio of one stream, PCM at 24 kHz, and the words in it, each clip an utterance."""

    samples: Samples = field(repr=False)
    words: tuple[SpokenWord, ...] = field(repr=False)
    clips: tuple[SpeechClip, ...] = field(repr=False)

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def lay_out(clips: Iterable[SpeechClip], gap: float, seed: int, lead_in: float = LEAD_IN) -> Track:
    """Return the clips with `gap` seconds after each; `seed` determines the noise."""
    parts, words, position = [np.zeros(round(lead_in * RATE), np.float32)], [], round(lead_in * RATE)
    clips = tuple(clips)
    for number, clip in enumerate(clips):
        words += [word.moved(position / RATE, number) for word in clip.words]
        parts += [clip.samples, np.zeros(round(gap * RATE), np.float32)]
        position += len(parts[-2]) + len(parts[-1])
    samples = np.concatenate(parts)
    noise = NOISE * np.random.default_rng(seed).standard_normal(len(samples), np.float32)
    return Track(samples + noise, tuple(words), clips)


def spread_track(clips: Sequence[SpeechClip], seconds: float, gap: float) -> Track:
    """Return as many clips as fit into `seconds`, taken evenly from those with measured word times if possible."""
    clips = [clip for clip in clips if clip.matched == 1] or clips
    mean = sum(clip.seconds + gap for clip in clips) / len(clips)
    count = max(1, min(len(clips), round(seconds / mean)))
    return lay_out([clips[index * len(clips) // count] for index in range(count)], gap, seed=1, lead_in=gap)


def shuffled_track(clips: Sequence[SpeechClip], seconds: float, gap: float, seed: int) -> Track:
    """Return at least `seconds` of clips in an order determined by `seed`; no clip repeats before all were played."""

    def chosen() -> Iterator[SpeechClip]:
        order: list[SpeechClip] = []
        position = LEAD_IN
        while position < seconds:
            if not order:
                order = random.Random(f"{seed}/{position}").sample(clips, len(clips))
            clip = order.pop()
            position += clip.seconds + gap
            yield clip

    return lay_out(chosen(), gap, seed)


def monologue(reading: SpeechClip, seconds: float) -> Track:
    """Return about `seconds` of the reading, which repeats from its beginning."""
    times = math.ceil(seconds / (reading.seconds + BREATH))
    whole = lay_out([reading] * times, BREATH, seed=1)
    words = tuple(word for word in whole.words if word.end <= seconds)
    end = round((words[-1].end + BREATH) * RATE)
    quiet = NOISE * np.random.default_rng(2).standard_normal(RATE, np.float32)
    return Track(np.concatenate([whole.samples[:end], quiet]), words, whole.clips)


def cut_into_utterances(reading: SpeechClip, seconds: float) -> list[SpeechClip]:
    """Cut the reading into clips of about `seconds`, in the widest gap between words within a quarter of that."""
    clips: list[SpeechClip] = []
    rest = list(reading.words)
    begin = rest[0].start
    while True:
        near = [index for index, word in enumerate(rest[:-1]) if 0.75 * seconds <= word.end - begin <= 1.25 * seconds]
        if not near:
            return clips
        last = max(near, key=lambda index: rest[index + 1].start - rest[index].end)
        end = (rest[last].end + rest[last + 1].start) / 2
        words = tuple(word.moved(-begin) for word in rest[: last + 1])
        samples = reading.samples[round(begin * RATE) : round(end * RATE)]
        clips.append(SpeechClip(" ".join(word.text for word in words), samples, words, reading.matched))
        rest, begin = rest[last + 1 :], end
