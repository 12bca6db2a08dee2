"""What is made of taps on push-to-talk, single words and audio without speech: `python -m tests.bench.hard_cases.taps`.

A tap is a cut of 60 to 300 ms out of recorded speech of several languages and levels. Texts with a word that its
recording does not contain are invented. Words are spoken digits, cut out of telephone recordings without the silence
around them. Silence and noise are uploaded with `vad_filter=false`, beside faster-whisper with the same weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
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
from tests.support.recognizing import transcribe

MILLISECONDS: Final = (60, 80, 100, 120, 160, 200, 250, 300)
TAPS_OF_A_LENGTH: Final = 12
GAINS: Final = (1.0, 1.0, 0.3, 0.1)
SOUND: Final = 0.02
"""Level of 10 ms with sound, as a share of the loudest in its recording."""

HOP: Final = SAMPLE_RATE // 100


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut out of a recording, and the words of the recording."""

    samples: Samples
    words: frozenset[str]


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
                        if request := session.request_for(number, LoadLevel.NORMAL):
                            inputs.append(Transcribed(number, transcribe(self._whisper, request)))
                    case TranscriptCompleted(text=text):
                        yield text


def taps(milliseconds: int) -> list[Cut]:
    """Return cuts of this length from within speech."""
    random = np.random.default_rng(milliseconds)
    spoken = [
        row for row in rows() if row["kind"] in {"clean", "telephone"} and row["text"] and 2 < row["seconds"] < 30
    ]
    languages = sorted({row["lang"] for row in spoken})
    cuts = []
    for number in range(TAPS_OF_A_LENGTH):
        language = languages[number // 2 % len(languages)] if number % 2 else "en"
        choice = [row for row in spoken if row["lang"] == language]
        row = choice[random.integers(len(choice))]
        samples = load(row["file"])
        start = round(random.uniform(0.2, 0.7) * len(samples))
        cut = samples[start : start + milliseconds * SAMPLE_RATE // 1000] * np.float32(GAINS[number % len(GAINS)])
        cuts.append(Cut(cut, frozenset(plain_words(row["text"]))))
    return cuts


def digits() -> list[Cut]:
    """Return the spoken digits of 250 ms and more."""
    cuts = []
    for row in rows():
        if "tel_digits" in row["file"]:
            samples = load(row["file"])
            hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
            level = np.sqrt(np.mean(hops**2, axis=1))
            sounds = np.flatnonzero(level > SOUND * level.max())
            stretches = [each for each in np.split(sounds, np.flatnonzero(np.diff(sounds) > 8) + 1) if len(each) >= 25]
            cuts += [Cut(samples[each[0] * HOP : (each[-1] + 1) * HOP], frozenset()) for each in stretches]
    return cuts


def sounds() -> dict[str, Samples]:
    """Return audio without speech."""
    noise = np.random.default_rng(0).normal(size=10 * SAMPLE_RATE).astype(np.float32)
    generated = {"silence 10 s": np.zeros(10 * SAMPLE_RATE, np.float32)}
    generated["silence 30 s"] = np.zeros(30 * SAMPLE_RATE, np.float32)
    generated |= {f"noise {level} dBFS": noise * np.float32(10 ** (level / 20)) for level in (-25, -40, -60)}
    return generated | {row["file"]: load(row["file"]) for row in rows() if row["kind"] == "noise"}


def main() -> None:
    """Print the tables."""
    models = TapModels()
    ways = {
        "committed": models.committed,
        "in one session": models.committed_in_one_session,
        "server VAD": models.detected,
        "upload": models.uploaded,
    }
    table = Table("invented", *ways)
    for milliseconds in MILLISECONDS:
        cuts = taps(milliseconds)
        counts = []
        for name, way in ways.items():
            texts = [] if name == "upload" and milliseconds < 100 else way([cut.samples for cut in cuts])
            invented = sum(not cut.words.issuperset(plain_words(text)) for cut, text in zip(cuts, texts, strict=False))
            counts.append(f"{invented} of {len(texts)}" if texts else "")
        table.add_row(f"{milliseconds} ms", *counts)
    words = [cut.samples for cut in digits()]
    kept = [f"{sum(map(bool, way(words)))} of {len(words)}" for way in ways.values()]
    table.add_row("digits with a text", *kept)
    Console(width=120).print(table)
    table = Table("vad_filter=false", "words", "faster-whisper")
    for name, samples in sounds().items():
        (text,) = models.uploaded([samples], vad_filter=False)
        table.add_row(name, str(len(text.split())), str(len(models.whole_file(samples).split())))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
