"""Whether quiet speech is understood and quiet sounds stay silent: `python -m tests.bench.hard_cases.quiet`.

Every recording is played at several levels in 16 bits, whose quantization noise stays. Sounds without speech,
recorded and generated, are played at the same levels. `--all` takes all recordings of speech instead of every fourth.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.offline.options import OfflineOptions
from tests.bench.hard_cases.in_process import MULAW, Models
from tests.bench.hard_cases.recordings import attenuated, load, rows
from tests.bench.scoring import plain_words, word_error_rate

LEVELS: Final = (0, -30, -40, -45)
"""Decibels by which the recordings are attenuated."""

LONGEST: Final = 28.0
"""Seconds of the longest recording that is used."""

NOISE_SECONDS: Final = 10

_ENGLISH: Final = OfflineOptions(("en",))


def english() -> list[dict[str, Any]]:
    """Return the English recordings with distinct texts, clean, noisy and by telephone, in turn of their speakers."""
    chosen: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows():
        if row["lang"] == "en" and row["wer_ok"] and row["text"] and 1 <= row["seconds"] <= LONGEST:
            chosen.setdefault(plain_words(row["text"]), row)
    return list(chosen.values())


def sounds() -> Iterator[tuple[str, Samples]]:
    """Yield sounds without speech: those recorded, and noises and tones whose loudest windows are at -15 dBFS."""
    for row in rows():
        if row["kind"] in ("noise", "silence") and row["seconds"]:
            yield row["file"].removeprefix("audio/"), load(row["file"])
    for name, sound in _generated():
        windows = sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW)
        loudest = np.sqrt(np.mean(windows**2, axis=1).max())
        yield name, (sound * 10 ** (-15 / 20) / loudest).astype(np.float32)


def _generated() -> Iterator[tuple[str, NDArray[np.float64]]]:
    random = np.random.default_rng(0)
    count = NOISE_SECONDS * SAMPLE_RATE
    times = np.arange(count) / SAMPLE_RATE
    spectrum = np.fft.rfft(random.standard_normal(count))
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), count)
    overtones = np.asarray([1, 2, 3, 4, 6, 8])[:, None]
    hum = np.sum(np.sin(2 * np.pi * 50 * overtones * times) / overtones, axis=0)
    keys = np.zeros(count)
    for position in range(2_000, count - 3_000, 3_400):
        start = position + int(random.integers(0, 900))
        keys[start : start + 800] += random.standard_normal(800) * np.exp(-np.arange(800) / 80)
    yield "white noise", random.standard_normal(count)
    yield "pink noise", pink
    yield "hum", hum
    yield "fan", pink / pink.std() * (1 + 0.3 * np.sin(2 * np.pi * 12 * times)) + 0.3 * np.sin(2 * np.pi * 120 * times)
    yield "keys", keys
    yield "breath", pink * np.maximum(0, np.sin(2 * np.pi * times / 3)) ** 2
    yield "tone", np.sin(2 * np.pi * 440 * times)
    yield "dial", (np.sin(2 * np.pi * 770 * times) + np.sin(2 * np.pi * 1336 * times)) * (times % 0.5 < 0.2)


def handovers(clips: Sequence[dict[str, Any]]) -> list[tuple[str, Samples]]:
    """Return pairs of clips in one recording: after a pause of 1 s, the second is 30 dB below the first."""
    pause = np.zeros(SAMPLE_RATE, np.float32)
    return [
        (
            f"{one['text']} {other['text']}",
            np.concatenate([load(one["file"]), pause, attenuated(load(other["file"]), -30)]),
        )
        for one, other in zip(clips[::2], clips[1::2], strict=False)
    ]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    clips = english()[:: 1 if parser.parse_args().all else 4]
    models = Models()

    def live(samples: Samples) -> str:
        return " ".join(turn.text for turn in models.live(samples, language="en"))

    def telephone(samples: Samples) -> str:
        return " ".join(turn.text for turn in models.live(samples, audio_format=MULAW, language="en"))

    def upload(samples: Samples) -> str:
        return models.upload(samples, _ENGLISH).text

    ways: dict[str, Callable[[Samples], str]] = {"live": live, "live, mu-law": telephone, "upload": upload}
    table = Table("level", *(f"{way}: WER %" for way in (*ways, "faster-whisper")))
    texts = [clip["text"] for clip in clips]
    for level in LEVELS:
        played = [attenuated(load(clip["file"]), level) for clip in clips]
        errors = [word_error_rate(texts, [way(samples) for samples in played]) for way in ways.values()]
        errors.append(word_error_rate(texts, [models.whole_file(samples, "en") for samples in played]))
        table.add_row(f"{level} dB", *(f"{100 * error:.1f}" for error in errors))
    said, pairs = zip(*handovers(clips), strict=True)
    errors = [word_error_rate(said, [way(samples) for samples in pairs]) for way in ways.values()]
    errors.append(word_error_rate(said, [models.whole_file(samples, "en") for samples in pairs]))
    table.add_row("0, then -30 dB", *(f"{100 * error:.1f}" for error in errors))
    Console(width=120).print(table)

    silent = Table("sound with words", "level", *ways)
    for name, sound in sounds():
        for level in LEVELS:
            words = [way(attenuated(sound, level)) if len(sound) >= SAMPLE_RATE // 10 else "" for way in ways.values()]
            if any(words):
                silent.add_row(name, f"{level} dB", *words)
    Console(width=120).print(silent)


if __name__ == "__main__":
    main()
