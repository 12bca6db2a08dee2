"""Speech with known words: the recordings beside a development checkout or, without them, the bundled voice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from clients.playback import decode
from realtime.audio.formats import Encoding, Samples, encode
from realtime.engines.hibari import Hibari
from tests.bench.scoring import SpokenWord, plain_words
from tests.bench.word_times import ask_word_times
from tests.support.running_service import RunningService

SPEECH: Final = Path(__file__).parents[2] / "../shared/speech"
READING: Final = "audio/en_long_lj001.flac"
RATE: Final = 24_000
SENTENCE_SECONDS: Final = (3.0, 10.0)
CLIP_SECONDS: Final = (1.0, 20.0)

MIN_MATCHED: Final = 0.7
"""Of a clip's words, the share whose times must have been measured rather than interpolated between neighbours."""

BREATH: Final = 0.2
"""Seconds between the sentences of the bundled voice when it reads them as one text."""

TEXTS: Final = (
    "The museum on the corner shows paintings from the last two centuries.",
    "Yesterday we walked along the beach until the sun went down.",
    "Could you tell me when the next bus to the airport leaves?",
    "Their new kitchen has a large window and a wooden floor.",
    "Nobody expected the river to rise so quickly in the spring.",
    "She plays the piano every morning before she goes to work.",
    "A good carpenter measures twice and cuts only once.",
    "The children built a tower of snow in front of the house.",
    "Most of the shops in this street close at six in the evening.",
    "He found an old map of the island in his grandfather's desk.",
    "Fresh bread and strong coffee make every morning better.",
    "The doctor told him to rest for a week and to drink more water.",
    "Our neighbours keep three chickens and a very noisy goat.",
    "In autumn the whole valley turns yellow and red.",
    "Please leave your wet shoes in front of the door.",
    "The first snow fell on the mountains in the middle of October.",
    "She wrote the address on the back of a postcard.",
    "It takes two hours to reach the lake on foot.",
    "They painted the fence white and planted roses behind it.",
)
"""What is spoken to measure the voice, and to make up for recordings."""


@dataclass(frozen=True, slots=True)
class SpeechClip:
    """PCM at 24 kHz, what is said in it, and when: the words of `text`, without marks, in seconds of the clip.

    `matched` is the share of words whose times were measured; there are no words at all where it is 0.
    """

    text: str
    samples: Samples = field(repr=False)
    words: tuple[SpokenWord, ...] = field(default=(), repr=False)
    matched: float = 0.0

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


@dataclass(frozen=True, slots=True)
class Speech:
    """Everything the benchmark plays; all clips but the `sentences` have word times."""

    kind: str
    sentences: list[SpeechClip]
    """One sentence each, for a single stream and for the error rate of all of them."""
    clips: list[SpeechClip]
    """For many streams."""
    reading: SpeechClip
    """One reader who hardly pauses."""


def load_speech(service: RunningService) -> Speech:
    """Load the recordings or, without them, synthesize speech and let `service` measure the times of its words."""
    return recorded() if (SPEECH / "manifest.jsonl").is_file() else _spoken(service)


def recorded() -> Speech:
    """Load the recordings."""
    timings = {row["file"]: row for row in _rows("words.jsonl")}
    rows = [row for row in _rows("manifest.jsonl") if row["lang"] == "en" and row["wer_ok"] and row["text"]]
    clean = [row for row in rows if row["kind"] == "clean"]
    texts = {row["file"]: row["text"] for row in rows}
    timed = [row for row in clean if row["file"] in timings and timings[row["file"]]["matched"] >= MIN_MATCHED]

    @cache
    def clip(file: str) -> SpeechClip:
        values = np.frombuffer(b"".join(decode(str(SPEECH / file))), "<i2")
        samples = values.astype(np.float32) / np.float32(32_768)
        timing = timings.get(file, {"utterances": [], "matched": 0.0})
        words = tuple(SpokenWord(*word) for utterance in timing["utterances"] for word in utterance["words"])
        return SpeechClip(texts[file], samples, words, timing["matched"])

    return Speech(
        kind="recorded speech",
        sentences=[clip(file) for file in _distinct(clean, SENTENCE_SECONDS)],
        clips=[clip(file) for file in _distinct(timed, CLIP_SECONDS)],
        reading=clip(READING),
    )


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SPEECH / name).read_text(encoding="utf-8").splitlines()]


def _distinct(rows: Sequence[dict[str, Any]], seconds: tuple[float, float]) -> list[str]:
    """Return the files of this length; of several with the same text, often one in several containers, the first."""
    files: dict[tuple[str, ...], str] = {}
    for row in rows:
        if seconds[0] <= row["seconds"] <= seconds[1]:
            files.setdefault(plain_words(row["text"]), row["file"])
    return list(files.values())


def _spoken(service: RunningService) -> Speech:
    voice = Hibari()
    clips = []
    for text in TEXTS:
        samples = np.concatenate(list(voice.synthesize(text, voice.voices[0], 1.0)))
        clips.append(SpeechClip(text, samples, *ask_word_times(service, text, pcm(samples), RATE)))
    timed = [clip for clip in clips if clip.matched >= MIN_MATCHED]
    return Speech("speech of the bundled voice", sentences=clips, clips=timed, reading=_joined(timed))


def _joined(clips: Sequence[SpeechClip]) -> SpeechClip:
    """Join the clips into one text, without the silence at their edges."""
    breath = np.zeros(round(BREATH * RATE), np.float32)
    parts, words, position = [breath], [], BREATH
    for clip in clips:
        first, last = clip.words[0].start, clip.words[-1].end
        parts += [clip.samples[round(first * RATE) : round(last * RATE)], breath]
        words += [word.moved(position - first) for word in clip.words]
        position += last - first + BREATH
    return SpeechClip(" ".join(clip.text for clip in clips), np.concatenate(parts), tuple(words), MIN_MATCHED)


def pcm(samples: Samples) -> bytes:
    return encode(samples, Encoding.PCM16)
