"""Whether a sentence is transcribed as often as it is said: `python -m tests.bench.hard_cases.repeats`.

Short recorded sentences are said ten times in a row with pauses of known length. Each track is transcribed live, as an
upload, and by faster-whisper with the same weights.
"""

import json
from typing import Final

import jiwer
import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from clients.playback import decode
from realtime.audio.formats import SAMPLE_RATE, Samples
from tests.bench.hard_cases.times import Figures, Models, Track
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import RATE, SPEECH

PAUSES: Final = (0.1, 0.3, 0.6)
"""Seconds between the repetitions."""

TIMES: Final = 10
SENTENCE_SECONDS: Final = 2.1
SENTENCES: Final = 8
QUIET: Final = 0.02
"""Amplitude below which the ends of a recording are cut off, as a share of the largest."""


def tracks(pause: float) -> list[Track]:
    """Return a track for each of the shortest sentences."""
    rows = [json.loads(line) for line in (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [
        row
        for row in rows
        if row["lang"] == "en"
        and row["kind"] == "clean"
        and row["wer_ok"]
        and row["seconds"] < SENTENCE_SECONDS
        and row.get("check", {}).get("value") == 0
    ]
    return [_repeated(row["file"], row["text"], pause) for row in rows[:SENTENCES]]


def _repeated(file: str, text: str, pause: float) -> Track:
    values = np.frombuffer(b"".join(decode(str(SPEECH / file))), "<i2")
    sentence: Samples = soxr.resample(values.astype(np.float32) / np.float32(32_768), RATE, SAMPLE_RATE)
    loud = np.flatnonzero(np.abs(sentence) > QUIET * np.abs(sentence).max())
    silence = np.zeros(round(pause * SAMPLE_RATE), np.float32)
    parts = [sentence[loud[0] : loud[-1] + 1], silence] * TIMES
    return Track(np.concatenate([silence, *parts]), " ".join([text] * TIMES), [])


def main() -> None:
    """Print the table."""
    models = Models()
    table = Table("pause s", "by", "words kept", "words too many")
    for pause in PAUSES:
        for name, way in (("upload", models.upload), ("live", models.live), ("faster-whisper", models.whole_file)):
            figures = Figures()
            for track in tracks(pause):
                way(track, figures)
            said, heard = ([" ".join(plain_words(text)) for text in side] for side in zip(*figures.texts, strict=True))
            words = jiwer.process_words(said, heard)
            kept = f"{words.hits} of {words.hits + words.substitutions + words.deletions}"
            table.add_row(f"{pause}", name, kept, str(words.insertions))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
