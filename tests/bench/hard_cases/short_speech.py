"""Whether the language of 0.8 to 2 s of speech is identified: `python -m tests.bench.hard_cases.short_speech [FOLDER]`.

The speech is cut out of the middle of the recordings beside the checkout; the constants of detection were chosen on
their beginnings. FOLDER has recordings of other origin: the unpacked Debian packages `asterisk-core-sounds-*-wav` and
`tuxpaint-stamps-default`, whose descriptions of pictures are short sentences in twelve languages. faster-whisper with
the same weights detects beside us, and we detect the first speech of a session and speech after another language.
"""

import argparse
import re
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.speech.language_evidence import prior_from
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.locate import locate
from tests.bench.hard_cases.languages import clips

SECONDS: Final = (0.8, 1.2, 1.6, 2.0)
"""Lengths of the cuts, which take turns."""

PLACES: Final = (0.35, 0.6)
"""Where cuts begin, as a share of the recording."""

PER_LANGUAGE: Final = 15
"""Recordings of one package and language at most, evenly spaced among its files."""

STAMP: Final = re.compile(r"_desc_([a-z]{2})\.ogg$")
SOUND: Final = re.compile(r"/asterisk/sounds/([a-z]{2})_.*\.wav$")


def middles() -> Iterator[tuple[str, Samples]]:
    """Yield the language and the samples of cuts from the middle of the recordings beside the checkout."""
    lengths = cycle(SECONDS)
    for clip in clips():
        for place in PLACES if clip.language != "en" else PLACES[:1]:
            start, length = round(place * len(clip.samples)), round(next(lengths) * SAMPLE_RATE)
            if start + length <= len(clip.samples):
                yield clip.language, clip.samples[start : start + length]


def others(folder: Path) -> Iterator[tuple[str, str, Samples]]:
    """Yield the package, language and samples of recordings of other origin, the longer ones cut in their middle."""
    files: dict[tuple[str, str], list[Path]] = {}
    for path in sorted([*folder.rglob("*.ogg"), *folder.rglob("*.wav")]):
        for package, pattern in (("stamps", STAMP), ("prompts", SOUND)):
            if found := pattern.search(str(path)):
                files.setdefault((package, found[1]), []).append(path)
    lengths = cycle(SECONDS)
    for (package, language), paths in files.items():
        spoken = (_spoken(path) for path in paths[:: max(1, len(paths) // (3 * PER_LANGUAGE))])
        for samples in islice((each for each in spoken if len(each) >= SECONDS[0] * SAMPLE_RATE), PER_LANGUAGE):
            length = round(next(lengths) * SAMPLE_RATE)
            start = max(0, len(samples) - length) // 2
            yield package, language, samples[start : start + length]


def _spoken(path: Path) -> Samples:
    """Return a recording from its first loud sample to its last."""
    samples = decode_audio(str(path), sampling_rate=SAMPLE_RATE)
    (loud,) = np.nonzero(np.abs(samples) > 0.05 * np.abs(samples).max(initial=0.0))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    folder = parser.parse_args().folder
    directory = str(locate(WHISPER_BASE, Settings(offline=True)))
    whisper = Whisper(Path(directory), device="cpu", compute_type="int8", threads=1)
    peer = WhisperModel(directory, device="cpu", compute_type="int8", cpu_threads=1)

    def detected(samples: Samples, before: str = "") -> str:
        prior = prior_from([[{before: 1.0}]]) if before else {}
        return whisper.encode(TranscriptionRequest(samples, language_prior=prior)).language

    counts: dict[str, list[int]] = {}
    cuts = [("recordings", *cut) for cut in middles()] + ([*others(folder)] if folder else [])
    for origin, language, samples in cuts:
        group = counts.setdefault(f"{origin}, {'English' if language == 'en' else 'others'}", [0] * 5)
        another = "de" if language == "en" else "en"
        answers = peer.transcribe(samples)[1].language, *(detected(samples, each) for each in ("", another, language))
        for index, right in enumerate((True, *(answer == language for answer in answers))):
            group[index] += right
    table = Table("origin", "cuts", "faster-whisper", "first", "after another language", "after its own")
    for name, group in counts.items():
        table.add_row(name, *map(str, group))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
