"""What is made of taps on push-to-talk, single words and audio without speech: `python -m tests.bench.hard_cases.taps`.

A tap is a cut of 60 to 300 ms out of recorded speech of several languages and levels. Texts with a word that its
recording does not contain are invented. Words are spoken digits, cut out of telephone recordings without the silence
around them. Silence and noise are uploaded with `vad_filter=false`, beside faster-whisper with the same weights.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from clients.playback import decode
from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding, Samples, encode
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, CommitAudio
from realtime.session.config import SessionConfig
from realtime.session.events import Input, TranscriptCompleted
from realtime.session.jobs import ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.weights.locate import locate
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import RATE, SPEECH
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


class Models:
    """The models of the default configuration. It is the detector and the recognizer of an upload."""

    entry = WHISPER_BASE

    def __init__(self) -> None:
        directory = locate(WHISPER_BASE, Settings(offline=True))
        self._detector = Silero()
        self._whisper = Whisper(directory, device="cpu", compute_type="int8", threads=1)
        self._faster_whisper = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)

    async def score(
        self, windows: NDArray[np.float32], state: NDArray[np.float32] | None, *, live: bool
    ) -> tuple[list[float], NDArray[np.float32]]:
        return self._score(windows, state)

    async def transcribe(self, request: TranscriptionRequest, *_: Any) -> Hypothesis:
        return transcribe(self._whisper, request)

    def _score(
        self, windows: NDArray[np.float32], state: NDArray[np.float32] | None
    ) -> tuple[list[float], NDArray[np.float32]]:
        return self._detector.score([(windows, self._detector.initial_state() if state is None else state)])[0]

    def upload(self, cuts: Sequence[Samples], *, vad_filter: bool = True) -> list[str]:
        """Return the text of each cut as an upload."""

        async def text(samples: Samples) -> str:
            async def blocks() -> AsyncIterator[Samples]:
                yield samples

            options = OfflineOptions(vad_filter=vad_filter)
            return (await TranscriptionJob(blocks(), self, self, options).whole()).text

        return [asyncio.run(text(samples)) for samples in cuts]

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

    def whole_file(self, samples: Samples) -> str:
        """Return the text of faster-whisper."""
        segments, _ = self._faster_whisper.transcribe(samples, beam_size=1, temperature=0.0)
        return "".join(segment.text for segment in segments)

    def _session(self, detection: TurnDetection | None) -> Session:
        audio = AudioFormat(Encoding.PCM16, SAMPLE_RATE)
        return Session(SessionConfig(WHISPER_BASE, audio, turn_detection=detection, transcribe=True), lambda kind: kind)

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
    rows = [row for row in _rows() if row["kind"] in {"clean", "telephone"} and row["text"] and 2 < row["seconds"] < 30]
    languages = sorted({row["lang"] for row in rows})
    cuts = []
    for number in range(TAPS_OF_A_LENGTH):
        language = languages[number // 2 % len(languages)] if number % 2 else "en"
        choice = [row for row in rows if row["lang"] == language]
        row = choice[random.integers(len(choice))]
        samples = _load(row["file"])
        start = round(random.uniform(0.2, 0.7) * len(samples))
        cut = samples[start : start + milliseconds * SAMPLE_RATE // 1000] * np.float32(GAINS[number % len(GAINS)])
        cuts.append(Cut(cut, frozenset(plain_words(row["text"]))))
    return cuts


def digits() -> list[Cut]:
    """Return the spoken digits of 250 ms and more."""
    cuts = []
    for row in _rows():
        if "tel_digits" in row["file"]:
            samples = _load(row["file"])
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
    return generated | {row["file"]: _load(row["file"]) for row in _rows() if row["kind"] == "noise"}


def _rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


@cache
def _load(file: str) -> Samples:
    values = np.frombuffer(b"".join(decode(str(SPEECH / file))), "<i2")
    resampled: Samples = soxr.resample(values.astype(np.float32) / np.float32(32_768), RATE, SAMPLE_RATE)
    return resampled


def main() -> None:
    """Print the tables."""
    models = Models()
    ways = {
        "committed": models.committed,
        "in one session": models.committed_in_one_session,
        "server VAD": models.detected,
        "upload": models.upload,
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
        (text,) = models.upload([samples], vad_filter=False)
        table.add_row(name, str(len(text.split())), str(len(models.whole_file(samples).split())))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
