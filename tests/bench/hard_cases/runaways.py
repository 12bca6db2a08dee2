"""Whether any recording makes the recognizer repeat itself or run on: `python -m tests.bench.hard_cases.runaways`.

Every recording is transcribed as an upload and live, without being told its language, and so are sounds without speech.
A phrase said three times or more that makes up half of a text, words by the dozen that nobody said, and more words than
anybody can say in the time are runaways. `--every N` takes every N-th recording.
"""

import argparse
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.options import OfflineOptions
from realtime.speech.transcript import Word, mostly_repeats
from tests.bench.hard_cases.in_process import Models
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import plain_words

WORDS_PER_SECOND: Final = 6.0
"""Words in a second that the fastest speakers of the recordings do not reach."""

MANY: Final = 12
"""Words more than were said."""


def faults(text: str, row: dict[str, Any], seconds: float) -> Iterator[str]:
    """Yield what is wrong with a transcript."""
    written, said = plain_words(text), plain_words(row["text"])

    def repeats(words: tuple[str, ...]) -> bool:
        return mostly_repeats([Word(f" {word}", 0, 0, 0.0) for word in words])

    if repeats(written) and not repeats(said):
        yield "repeats"
    if row["wer_ok"] and len(written) > len(said) + MANY:
        yield f"{len(written) - len(said)} words more"
    if len(written) > WORDS_PER_SECOND * (1 + seconds):
        yield f"{len(written)} words in {seconds:.1f} s"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N")
    models, chosen = Models(), rows()[:: parser.parse_args().every]
    table = Table("recording", "way", "fault", "text")
    for row in chosen:
        samples = load(row["file"])
        if len(samples) < SAMPLE_RATE // 10:
            continue
        texts = {
            "upload": models.upload(samples, OfflineOptions()).text,
            "live": " ".join(turn.text for turn in models.live(samples)),
        }
        for way, text in texts.items():
            for fault in faults(text, row, len(samples) / SAMPLE_RATE):
                table.add_row(row["file"].removeprefix("audio/"), way, fault, text[:80])
    Console(width=150).print(table)
    print(f"{table.row_count} faults in {len(chosen)} recordings")


if __name__ == "__main__":
    main()
