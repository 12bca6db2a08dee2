"""Speech with known words: the recordings beside a development checkout or, without them, the embedded voice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from clients.replay import decode
from realtime.audio import Encoding, Samples, encode
from realtime.engines.hibari import Hibari

SPEECH: Final = Path(__file__).parents[2] / "../shared/speech"
RATE: Final = 24_000
NOISE: Final = 0.0006
"""The level between clips: a quiet room, -64 dBFS."""

GAP_SECONDS: Final = 1.5
RECORDED_SECONDS: Final = (3.0, 10.0)

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
    "After the concert the musicians met in a small restaurant.",
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
    """PCM at 24 kHz and what is said in it; `first_word` is when its first word begins and ends, if that is known."""

    text: str
    samples: Samples = field(repr=False)
    first_word: tuple[float, float] | None


def recorded_clips() -> list[SpeechClip]:
    """Clean English recordings of a sentence each, of every text one; none where they are absent."""
    if not (SPEECH / "manifest.jsonl").is_file():
        return []
    timings = {row["file"]: row for row in _rows("words.jsonl")}
    shortest, longest = RECORDED_SECONDS
    clips: dict[str, SpeechClip] = {}
    for row in _rows("manifest.jsonl"):
        suits = (row["kind"], row["lang"]) == ("clean", "en") and shortest <= row["seconds"] <= longest
        if suits and row["wer_ok"] and row["text"] not in clips:
            values = np.frombuffer(b"".join(decode(str(SPEECH / row["file"]))), "<i2")
            samples = values.astype(np.float32) / np.float32(32_768)
            clips[row["text"]] = SpeechClip(row["text"], samples, _first_word(timings.get(row["file"])))
    return list(clips.values())


def _first_word(timing: dict[str, Any] | None) -> tuple[float, float] | None:
    """Where the times of all words were measured rather than guessed, those of the first."""
    if timing is None or timing["matched"] < 1:
        return None
    _, start, end = timing["utterances"][0]["words"][0]
    return start, end


def spoken_clips() -> list[SpeechClip]:
    """The texts in the embedded voice."""
    voice = Hibari()
    clips = []
    for text in TEXTS:
        samples = np.concatenate(list(voice.synthesize(text, voice.voices[0], 1.0)))
        clips.append(SpeechClip(text, samples, None))
    return clips


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SPEECH / name).read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True, slots=True)
class Track:
    """Clips one after another with a quiet room between them; `starts` are seconds."""

    clips: tuple[SpeechClip, ...]
    starts: tuple[float, ...]
    samples: Samples = field(repr=False)


def pcm(samples: Samples) -> bytes:
    return encode(samples, Encoding.PCM16)


def track(clips: Sequence[SpeechClip], seconds: float) -> Track:
    """As many of the clips as `seconds` hold, taken evenly from those whose first word is known, or else from all."""
    clips = [clip for clip in clips if clip.first_word] or clips
    mean = sum(len(clip.samples) / RATE + GAP_SECONDS for clip in clips) / len(clips)
    count = max(1, min(len(clips), round(seconds / mean)))
    chosen = tuple(clips[index * len(clips) // count] for index in range(count))
    gap = np.zeros(round(GAP_SECONDS * RATE), np.float32)
    parts, starts, position = [gap], [], len(gap)
    for clip in chosen:
        starts.append(position / RATE)
        parts += [clip.samples, gap]
        position += len(clip.samples) + len(gap)
    room = NOISE * np.random.default_rng(1).standard_normal(position)
    return Track(chosen, tuple(starts), np.concatenate(parts) + room.astype(np.float32))
