"""Whether terms to expect are found, and what else they change: `python -m tests.bench.hard_cases.keyterms`.

The terms are the names in the texts of English recordings. A recording with names is transcribed without terms and with
ten, its own names among them; and so is every recording with ten names that are not said in it. All of that as an
upload, live (finals) and by faster-whisper. `--every N` takes every N-th recording.

Found: names that stand in the transcript. Errors: of all other words. Invented: terms in the transcripts that nobody
said. Changed: transcripts in which terms that are not said change any word. CPU: seconds of this process.
"""

import argparse
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.offline.options import OfflineOptions
from realtime.session.config import SessionConfig
from realtime.speech.endpointing import TurnDetection
from tests.bench.hard_cases.in_process import PCM16, Models
from tests.bench.hard_cases.quiet import english
from tests.bench.hard_cases.recordings import load
from tests.bench.scoring import plain_words, word_error_rate

TERMS: Final = 10
"""Terms that are given with each recording."""

NOT_NAMES: Final = frozenset({"press", "english", "sunday"})
"""Words in capitals that every model knows."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording of speech, and the names in it, in lower case."""

    text: str
    names: tuple[str, ...]
    samples: Samples = field(repr=False)


@dataclass(slots=True)
class Tally:
    """What one way made of all recordings, with or without terms."""

    found: int = 0
    said: int = 0
    invented: int = 0
    changed: int = 0
    """Transcripts in which any word is another one than without terms."""
    cpu_seconds: float = 0.0
    texts: list[str] = field(default_factory=list)
    """Transcripts without terms."""
    references: list[str] = field(default_factory=list)

    def add(self, clip: Clip, terms: Sequence[str], text: str) -> None:
        """Count a transcript."""
        words = plain_words(text)
        self.found += sum(name in words for name in clip.names)
        self.said += len(clip.names)
        self.invented += sum(term in words for term in terms if term not in clip.names)
        self.texts.append(" ".join(word for word in words if word not in terms))
        self.references.append(" ".join(word for word in plain_words(clip.text) if word not in terms))


def names(text: str) -> Iterator[str]:
    """Yield the words in capitals within sentences, of four letters or more."""
    for before, word in re.findall(r"(\S+)\s+(?=([A-Z][a-z]{3,})\b)", text):
        if before[-1] not in ".!?:\"'" and word.lower() not in NOT_NAMES:
            yield word.lower()


def clips(every: int) -> list[Clip]:
    """Return the recordings."""
    return [
        Clip(row["text"], tuple(dict.fromkeys(names(row["text"]))), load(row["file"])) for row in english()[::every]
    ]


def live(models: Models, samples: Samples, terms: str) -> str:
    """Transcribe a live stream whose session has a prompt."""
    config = SessionConfig(
        models.entry, PCM16, turn_detection=TurnDetection(), transcribe=True, language="en", prompt=terms
    )
    turns = models.play(encode(np.pad(samples, (0, SAMPLE_RATE)), Encoding.PCM16), config)
    return " ".join(turn.text for turn in turns)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--texts", action="store_true", help="print the transcripts that terms change")
    parser.add_argument("--only", nargs="+", choices=["upload", "live", "faster-whisper"])
    arguments = parser.parse_args()
    models, chosen = Models(), clips(arguments.every)
    known = list(dict.fromkeys(name for clip in clips(1) for name in clip.names))
    all_ways: dict[str, Callable[[Samples, str], str]] = {
        "upload": lambda samples, terms: models.upload(samples, OfflineOptions(("en",), hotwords=terms)).text,
        "live": lambda samples, terms: live(models, samples, terms),
        "faster-whisper": lambda samples, terms: models.whole_file(samples, "en", hotwords=terms or None),
    }
    ways = {way: all_ways[way] for way in arguments.only or all_ways}
    table = Table("by", "terms", "names found", "other words: errors %", "invented", "transcripts changed", "CPU s")
    for way, transcribe in ways.items():
        tallies = {given: Tally() for given in ("none, with names", "own, with names", "none, all", "others, all")}
        for number, clip in enumerate(chosen):
            others = [each for each in known if each not in plain_words(clip.text)]
            others = [others[(number * 7 + index * 3) % len(others)] for index in range(TERMS)]
            own = [*others[: TERMS - len(clip.names)], *clip.names]
            own = own[len(own) // 2 :] + own[: len(own) // 2]
            began = time.process_time()
            plain = transcribe(clip.samples, "")
            middle = time.process_time()
            with_others = transcribe(clip.samples, _written(others))
            tallies["none, all"].add(clip, others, plain)
            tallies["none, all"].cpu_seconds += middle - began
            tallies["others, all"].add(clip, others, with_others)
            tallies["others, all"].cpu_seconds += time.process_time() - middle
            tallies["others, all"].changed += plain_words(plain) != plain_words(with_others)
            if arguments.texts and plain_words(plain) != plain_words(with_others):
                print(
                    f"{way}: {others}\n  said     {clip.text}\n  without  {plain}\n  with     {with_others}", flush=True
                )
            if clip.names:
                tallies["none, with names"].add(clip, own, plain)
                with_own = transcribe(clip.samples, _written(own))
                tallies["own, with names"].add(clip, own, with_own)
                if arguments.texts and not set(clip.names) <= set(plain_words(with_own)):
                    print(
                        f"{way}: {own}\n  said     {clip.text}\n  without  {plain}\n  own      {with_own}", flush=True
                    )
        for given, tally in tallies.items():
            errors = word_error_rate(tally.references, tally.texts)
            changed, cpu = (str(tally.changed), f"{tally.cpu_seconds:.0f}") if given.endswith("all") else ("", "")
            found = f"{tally.found} of {tally.said}"
            table.add_row(way, given, found, f"{100 * errors:.2f}", str(tally.invented), changed, cpu)
    Console(width=120).print(table)


def _written(terms: Sequence[str]) -> str:
    return ", ".join(term.title() for term in terms)


if __name__ == "__main__":
    main()
