"""Whether a sentence is transcribed as often as it is said: `python -m tests.bench.hard_cases.repeats`.

Short recorded sentences in three languages are said several times in a row, with pauses of known length or, as a
recording that a player loops, as they are. With `--varied` each repetition has another speed, level and pause, and
there is noise. Each track is transcribed as an upload, live, and by faster-whisper with the same weights. With each
pause a sixth of the sentences is said, in turn; with `--all` every one. `--quick` says four sentences with two pauses.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import jiwer
import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.offline.options import OfflineOptions
from tests.bench.hard_cases.in_process import Models
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import plain_words

SENTENCES: Final = (
    "en_sb_spk1_snt1.wav",
    "en_sb_spk1_snt3.wav",
    "en_sb_spk1_snt4.wav",
    "en_sb_spk1_snt6.wav",
    "en_sb_spk2_snt1.wav",
    "en_sb_spk2_snt2.wav",
    "en_sb_spk2_snt5.wav",
    "en_ls_1089-134691-0000.flac",
    "en_LJ001-0008.wav",
    "en_az_weather.wav",
    "de_thorsten_04.wav",
    "de_pvc_de.wav",
    "pt_pvl_pt.wav",
)

PAUSES: Final = (None, 0.0, 0.1, 0.2, 0.3, 0.6)
"""Seconds between the repetitions, whose silent ends are cut off; None: the recording as it is."""

TIMES: Final = (4, 10)
QUICK: Final = ((4, 0.1), (10, 0.3))
"""Times and pauses of `--quick`, which takes every fourth sentence."""

QUIET: Final = 0.02
"""Amplitude below which the ends of a recording are cut off, as a share of the largest."""


@dataclass(frozen=True, slots=True)
class Track:
    """A sentence said several times."""

    samples: Samples
    text: str
    language: str
    name: str


def tracks(pause: float | None, times: int, *, varied: bool) -> Iterator[Track]:
    """Yield a track for each of the sentences."""
    generator = np.random.default_rng(0)
    by_file: dict[str, dict[str, Any]] = {row["file"]: row for row in rows()}
    for name in SENTENCES:
        row = by_file[f"audio/{name}"]
        sentence = load(row["file"])
        if pause is not None:
            loud = np.flatnonzero(np.abs(sentence) > QUIET * np.abs(sentence).max())
            silence = np.zeros(round(pause * SAMPLE_RATE), np.float32)
            sentence = np.concatenate([sentence[loud[0] : loud[-1] + 1], silence])
        repeated = _varied(sentence, times, generator) if varied else np.tile(sentence, times)
        yield Track(repeated, " ".join([row["text"]] * times), row["lang"], name)


def _varied(sentence: Samples, times: int, generator: np.random.Generator) -> Samples:
    """Return the sentence with its pause, each time up to 6 % faster or slower and 6 dB lower, in noise of -35 dB."""
    parts = [
        soxr.resample(sentence, SAMPLE_RATE, SAMPLE_RATE * generator.uniform(0.94, 1.06))
        * 10 ** (generator.uniform(-6, 0) / 20)
        for _ in range(times)
    ]
    repeated = np.concatenate(parts)
    level = 10 ** (-35 / 20) * np.sqrt(np.mean(sentence**2))
    noisy: Samples = (repeated + level * generator.standard_normal(len(repeated))).astype(np.float32)
    return noisy


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="every sentence with every pause instead of a sixth of them")
    parser.add_argument("--quick", action="store_true", help="four sentences with two pauses")
    parser.add_argument("--varied", action="store_true", help="vary speed, level and pause, and add noise")
    parser.add_argument("--texts", action="store_true", help="print the texts of the tracks with errors")
    arguments = parser.parse_args()
    models = Models()
    ways: dict[str, Callable[[Track], str]] = {
        "upload": lambda track: models.upload(track.samples, OfflineOptions(languages=(track.language,))).text,
        "live": lambda track: " ".join(turn.text for turn in models.live(track.samples, language=track.language)),
        "faster-whisper": lambda track: models.whole_file(track.samples, track.language),
    }
    table = Table("pause s", "times", "by", "words kept", "%", "words too many")
    rounds = QUICK if arguments.quick else [(times, pause) for times in TIMES for pause in PAUSES]
    for number, (times, pause) in enumerate(rounds):
        possible = list(tracks(pause, times, varied=arguments.varied))
        sixth = possible if arguments.all else possible[number % 6 :: 6]
        chosen = possible[::4] if arguments.quick else sixth
        for name, way in ways.items():
            kept = said = added = 0
            for track in chosen:
                heard = " ".join(plain_words(way(track)))
                words = jiwer.process_words(" ".join(plain_words(track.text)), heard)
                kept += words.hits
                said += words.hits + words.substitutions + words.deletions
                added += words.insertions
                if arguments.texts and words.wer:
                    print(f"{pause} s, {times} times, {name}, {track.name}: {words.hits}: {heard}", flush=True)
            shown = "as it is" if pause is None else str(pause)
            table.add_row(shown, str(times), name, f"{kept} of {said}", f"{100 * kept / said:.0f}", str(added))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
