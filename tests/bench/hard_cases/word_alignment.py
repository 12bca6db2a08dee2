"""Whether words have the times of the alignment: `python -m tests.bench.hard_cases.word_alignment`.

The alignment is that of faster-whisper with the weights of the default model. It says when a word is said within
speech. Beside a pause it does not: it assigns pauses to words, and lets no word before one last longer than twice the
median of all words. `tests.bench.hard_cases.times` measures the times there, against the pauses themselves.

Compared are the words that were recognized, in recordings of which the alignment has measured nearly all words instead
of interpolating them. Each recording is transcribed as an upload and live. With `--worst N`, the N words are printed
whose times differ most.
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.offline.options import OfflineOptions
from tests.bench.hard_cases.in_process import Models
from tests.bench.hard_cases.recordings import load
from tests.bench.scoring import SpokenWord, plain_words, recognised
from tests.bench.speech_clips import SPEECH

PAUSE: Final = 0.2
"""Seconds between two words that are a pause."""

MATCHED: Final = 0.9
"""Share of the words of a recording whose times the alignment has measured, at least."""


@dataclass(slots=True)
class Differences:
    """Seconds by which words begin and end after the times of the alignment."""

    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    within_speech: list[float] = field(default_factory=list)
    """The `ends` of words that no pause follows."""
    names: list[str] = field(default_factory=list)

    def add(self, file: str, aligned: Sequence[SpokenWord], found: Sequence[SpokenWord]) -> None:
        """Compare the words that both have."""
        texts = [[word.text for word in words] for words in (aligned, found)]
        for one, other in recognised(texts[0], [0.0] * len(aligned), texts[1], [0.0] * len(found)).items():
            self.starts.append(found[other].start - aligned[one].start)
            self.ends.append(found[other].end - aligned[one].end)
            if max(_silence_after(aligned, one), _silence_after(found, other)) < PAUSE:
                self.within_speech.append(self.ends[-1])
            self.names.append(f"{file} {aligned[one].text!r} at {aligned[one].start:.2f}-{aligned[one].end:.2f}")

    def worst(self, count: int) -> Iterator[str]:
        """Yield the words whose beginning or end differs most."""
        largest = np.maximum(np.abs(self.starts), np.abs(self.ends))
        for index in np.argsort(-largest)[:count]:
            yield f"{self.names[index]}: begins {self.starts[index]:+.2f}, ends {self.ends[index]:+.2f}"


def _silence_after(words: Sequence[SpokenWord], index: int) -> float:
    return words[index + 1].start - words[index].end if index + 1 < len(words) else math.inf


def _plain(words: Sequence[tuple[str, float, float]]) -> list[SpokenWord]:
    """Return the plain words, the parts of a compound as long as they have letters."""
    plain: list[SpokenWord] = []
    for text, start, end in words:
        parts = plain_words(text)
        edges = np.interp(np.cumsum([0, *map(len, parts)]), [0, max(1, sum(map(len, parts)))], [start, end]).tolist()
        plain += [SpokenWord(*each) for each in zip(parts, edges, edges[1:], strict=False)]
    return plain


class AlignedModels(Models):
    """The models of the default configuration, asked for the times of words in seconds."""

    def upload_words(self, samples: Samples) -> list[SpokenWord]:
        """Return the words of an upload."""
        transcript = self.upload(samples, OfflineOptions(languages=("en",), word_times=True))
        words = [word for segment in transcript.segments for word in segment.words]
        return _plain([(word.text, word.start / SAMPLE_RATE, word.end / SAMPLE_RATE) for word in words])

    def live_words(self, samples: Samples) -> list[SpokenWord]:
        """Return the words of the turns of a live stream."""
        words = [word for turn in self.live(samples, language="en") for word in turn.words]
        return _plain([(word.text, word.start / SAMPLE_RATE, word.end / SAMPLE_RATE) for word in words])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="words to print for each way")
    arguments = parser.parse_args()
    rows = map(json.loads, (SPEECH / "words.jsonl").read_text(encoding="utf-8").splitlines())
    aligned: dict[tuple[str, ...], tuple[str, list[SpokenWord]]] = {}
    for row in rows:
        words = _plain([word for utterance in row["utterances"] for word in utterance["words"]])
        if row["matched"] >= MATCHED:
            aligned.setdefault(tuple(word.text for word in words), (row["file"], words))  # other containers are copies
    models = AlignedModels()
    table = Table("by", "words", "begin p50/p95 ms", "end p50/p95 ms", "end within speech p50/p95 ms")
    worst: list[str] = []
    for name, way in {"upload": models.upload_words, "live": models.live_words}.items():
        differences = Differences()
        for file, words in aligned.values():
            differences.add(file, words, way(load(file)))
        table.add_row(
            name,
            str(len(differences.starts)),
            *(
                f"{1000 * np.median(errors):+.0f} / {1000 * np.percentile(np.abs(errors), 95):.0f}"
                for errors in (differences.starts, differences.ends, differences.within_speech)
            ),
        )
        worst += [f"{name}: {line}" for line in differences.worst(arguments.worst)]
    Console(width=120).print(table)
    for line in worst:
        print(line)


if __name__ == "__main__":
    main()
