"""What is made of taps on push-to-talk, single words and audio without speech.

    python -m tests.bench.hard_cases.taps [taps] [words] [sounds] [--folder FOLDER] [--texts]

A tap is a cut of 60 to 300 ms out of recorded speech of several languages and levels. Its text is *heard* if it is a
word that is said there, whole or nearly; every other text is *invented*. Words are spoken digits, cut out of telephone
recordings without the silence around them, and the single words of FOLDER, the unpacked Debian package
`asterisk-core-sounds-en-wav`. Silence and noise are uploaded with `vad_filter=false`, beside faster-whisper with the
same weights.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jiwer
import numpy as np
from faster_whisper.audio import decode_audio
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.catalogue.table import WHISPER_BASE
from realtime.offline.options import OfflineOptions
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, CommitAudio
from realtime.session.config import SessionConfig
from realtime.session.events import Input, TranscriptCompleted
from realtime.session.jobs import ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.session.session import Session
from realtime.speech.endpointing import TurnDetection
from tests.bench.hard_cases.in_process import PCM16, Models
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import SPEECH
from tests.support.recognizing import transcribe

MILLISECONDS: Final = (60, 100, 160, 200, 250, 300)
TAPS_OF_A_LENGTH: Final = 24
GAINS: Final = (1.0, 1.0, 0.3, 0.1)
SOUND: Final = 0.02
"""Level of 10 ms with sound, as a share of the loudest in its recording."""

HOP: Final = SAMPLE_RATE // 100

MIN_WORD_HOPS: Final = 25
"""Steps of 10 ms (250 ms) of the shortest single word."""

TOLERANCE: Final = 0.1
"""Seconds by which the aligned times of a word may be wrong."""

NEARLY: Final = 1 / 3
"""Character error rate up to which a text is nearly a word."""

SHORTEST_UPLOAD: Final = 100
"""Milliseconds of the shortest upload that is not refused."""

FOLDERS: Final = ("digits", "letters", "phonetic")
"""Folders of the package of prompts with single words: "seven", "August", "star", "W", "dash", "Tango"."""


Ways = dict[str, Callable[[Sequence[Samples]], list[str]]]
"""Ways into the service by name, each from cuts to their texts."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut out of a recording, and the words that are said there.

    Where the times of the words are not known, in other languages than English, these are all words of the recording.
    """

    samples: Samples
    words: frozenset[str]

    def says(self, text: str) -> bool:
        """Return whether every word of the text is said, whole or nearly."""
        return all(any(jiwer.cer(word, heard) <= NEARLY for word in self.words) for heard in plain_words(text))


class TapModels(Models):
    """The models of the default configuration, called with cuts."""

    def uploaded(self, cuts: Sequence[Samples], *, vad_filter: bool = True) -> list[str]:
        """Return the text of each cut as an upload."""
        return [self.upload(samples, OfflineOptions(vad_filter=vad_filter)).text for samples in cuts]

    def committed(self, cuts: Sequence[Samples]) -> list[str]:
        """Return the text of each cut, committed by hand in a session of its own."""
        return [text for samples in cuts for text in self.committed_in_one_session([samples])]

    def committed_in_one_session(self, cuts: Sequence[Samples]) -> list[str]:
        """Return the text of each cut, committed by hand one after another in one session."""
        session = self._session(None)
        return ["".join(self._hear(session, samples, CommitAudio())) for samples in cuts]

    def detected(self, cuts: Sequence[Samples]) -> list[str]:
        """Return the text of each cut between silences, with server VAD."""
        padding = np.zeros(SAMPLE_RATE, np.float32)
        return [
            " ".join(self._hear(self._session(TurnDetection()), np.concatenate([padding, samples, padding])))
            for samples in cuts
        ]

    def _session(self, detection: TurnDetection | None) -> Session:
        return Session(SessionConfig(WHISPER_BASE, PCM16, turn_detection=detection, transcribe=True), lambda kind: kind)

    def _hear(self, session: Session, samples: Samples, *then: Input) -> Iterator[str]:
        inputs: list[Input] = [AppendAudio(encode(samples, Encoding.PCM16)), *then]
        while inputs:
            for output in session.receive(inputs.pop(0), 0.0):
                match output:
                    case ScoreWindows(number, windows, state):
                        inputs.append(WindowsScored(number, *self._score(windows, state)))
                    case Transcribe(number):
                        if request := session.request_for(number, LoadLevel.LOW):
                            inputs.append(Transcribed(number, transcribe(self._whisper, request)))
                    case TranscriptCompleted(text=text):
                        yield text


@cache
def word_times() -> dict[str, list[tuple[str, float, float]]]:
    """Return the words of the recordings whose words were all found by alignment, with start and end in seconds."""
    recordings = map(json.loads, (SPEECH / "words.jsonl").read_text(encoding="utf-8").splitlines())
    return {
        each["file"]: [(*word,) for utterance in each["utterances"] for word in utterance["words"]]
        for each in recordings
        if each["matched"] == 1.0
    }


def taps(milliseconds: int) -> list[Cut]:
    """Return cuts of this length from within speech, in English and in another language in turn."""
    random = np.random.default_rng(milliseconds)
    spoken = [
        row
        for row in rows()
        if row["kind"] in {"clean", "telephone"} and row["text"] and 2 < row["seconds"] < 30
        if row["lang"] != "en" or row["file"] in word_times()
    ]
    languages = sorted({row["lang"] for row in spoken} - {"en"})
    cuts = []
    for number in range(TAPS_OF_A_LENGTH):
        language = languages[number // 2 % len(languages)] if number % 2 else "en"
        choice = [row for row in spoken if row["lang"] == language]
        row = choice[random.integers(len(choice))]
        samples = load(row["file"])
        start = round(random.uniform(0.2, 0.7) * len(samples))
        cut = samples[start : start + milliseconds * SAMPLE_RATE // 1000] * np.float32(GAINS[number % len(GAINS)])
        cuts.append(Cut(cut, frozenset(_said(row, start / SAMPLE_RATE, milliseconds / 1000))))
    return cuts


def _said(row: dict[str, Any], start: float, seconds: float) -> Iterator[str]:
    """Yield the words that are said in these seconds of a recording, or all where their times are not known."""
    if row["lang"] != "en":
        yield from plain_words(row["text"])
    for word, first, last in word_times().get(row["file"], ()):
        if first < start + seconds + TOLERANCE and last > start - TOLERANCE:
            yield from plain_words(word)


def digits() -> list[Samples]:
    """Return the spoken digits of 250 ms and more."""
    return [
        stretch
        for row in rows()
        if "tel_digits" in row["file"]
        for stretch in _stretches(load(row["file"]), longest_gap=8)
    ]


def prompts(folder: Path) -> list[Samples]:
    """Return the single words of the package of prompts, of 250 ms and more."""
    files = sorted(file for name in FOLDERS for file in folder.rglob(f"{name}/*.wav"))
    recordings = (decode_audio(str(file), sampling_rate=SAMPLE_RATE) for file in files)
    return [stretch for each in recordings for stretch in _stretches(each, longest_gap=len(each))]


def _stretches(samples: Samples, longest_gap: int) -> list[Samples]:
    """Return what has sound, without the silence around it; it goes on after gaps of up to so many steps of 10 ms."""
    hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    level = np.sqrt(np.mean(hops**2, axis=1))
    sounding = np.flatnonzero(level > SOUND * level.max())
    stretches = np.split(sounding, np.flatnonzero(np.diff(sounding) > longest_gap) + 1)
    return [samples[each[0] * HOP : (each[-1] + 1) * HOP] for each in stretches if len(each) >= MIN_WORD_HOPS]


def sounds() -> dict[str, Samples]:
    """Return audio without speech."""
    noise = np.random.default_rng(0).normal(size=10 * SAMPLE_RATE).astype(np.float32)
    generated = {"silence 10 s": np.zeros(10 * SAMPLE_RATE, np.float32)}
    generated["silence 30 s"] = np.zeros(30 * SAMPLE_RATE, np.float32)
    generated |= {f"noise {level} dBFS": noise * np.float32(10 ** (level / 20)) for level in (-25, -40, -60)}
    return generated | {row["file"]: load(row["file"]) for row in rows() if row["kind"] == "noise"}


def taps_table(ways: Ways, texts: bool) -> Table:
    """Return how many texts of taps are invented and how many are heard."""
    table = Table("taps: invented, heard", *ways)
    for milliseconds in MILLISECONDS:
        cuts = taps(milliseconds)
        counts = []
        for name, way in ways.items():
            if name == "upload" and milliseconds < SHORTEST_UPLOAD:
                counts.append("")
                continue
            written = [(cut, text) for cut, text in zip(cuts, way([cut.samples for cut in cuts]), strict=True) if text]
            invented = [(cut, text) for cut, text in written if not cut.says(text)]
            counts.append(f"{len(invented)}, {len(written) - len(invented)} of {len(cuts)}")
            if texts:
                for cut, text in invented:
                    print(f"{milliseconds} ms, {name}: {text!r} for {sorted(cut.words)[:8]}", flush=True)
        table.add_row(f"{milliseconds} ms", *counts)
    return table


def words_table(ways: Ways, folder: Path | None) -> Table:
    """Return how many single words have a text."""
    table = Table("words with a text", *ways)
    for name, words in {"digits": digits(), "prompts": prompts(folder) if folder else []}.items():
        table.add_row(name, *(f"{sum(map(bool, way(words)))} of {len(words)}" for way in ways.values()))
    return table


def sounds_table(models: TapModels) -> Table:
    """Return the words for audio without speech without the detector."""
    table = Table("vad_filter=false", "words", "faster-whisper")
    for name, samples in sounds().items():
        (text,) = models.uploaded([samples], vad_filter=False)
        table.add_row(name, str(len(text.split())), str(len(models.whole_file(samples).split())))
    return table


def main() -> None:
    """Print the tables named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", choices=("taps", "words", "sounds", []))
    parser.add_argument("--folder", type=Path, help="the unpacked prompts")
    parser.add_argument("--texts", action="store_true", help="print the invented texts of the taps")
    arguments = parser.parse_args()
    models = TapModels()
    ways: Ways = {
        "committed": models.committed,
        "in one session": models.committed_in_one_session,
        "server VAD": models.detected,
        "upload": models.uploaded,
    }
    tables: dict[str, Callable[[], Table]] = {
        "taps": lambda: taps_table(ways, arguments.texts),
        "words": lambda: words_table(ways, arguments.folder),
        "sounds": lambda: sounds_table(models),
    }
    for name in arguments.tables or tables:
        Console(width=120).print(tables[name]())


if __name__ == "__main__":
    main()
