"""Whether speech is written in its own language: short clips, uploads and sessions in several languages, prompts.

    python -m tests.bench.hard_cases.languages [short] [uploads] [live] [prompts]

Needs the recordings beside a development checkout. The first words of each recording are taken for short speech.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

import numpy as np
from faster_whisper import WhisperModel

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.catalogue.names import lookup
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.session.events import Input, TranscriptCompleted
from realtime.session.jobs import ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.weights.locate import locate
from tests.bench.hard_cases.recordings import load, rows
from tests.support.recognizing import transcribe
from tests.support.scripted_conversation import Conversation, EngineJob, configured

KINDS: Final = ("clean", "telephone", "noisy")
SHORT_SECONDS: Final = (1.0, 1.5, 2.5)
PAUSE_SECONDS: Final = (0.8, 1.5, 2.5, 4.0)
MIN_LIKENESS: Final = 0.5
"""Likeness of the letters of a transcript to those said from which it is in the language spoken."""

PROMPT: Final = (
    "The child almost hurt the small dog. Drop the two when you add the figures. At that high level the air is pure. "
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background."
)


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording of one language, from its first sound on."""

    name: str
    language: str
    text: str
    kind: str
    samples: Samples = field(repr=False)

    def first(self, seconds: float) -> Samples:
        return self.samples[: round(seconds * SAMPLE_RATE)]


@cache
def clips() -> list[Clip]:
    """Return the recordings with speech, one of each text; long ones cut to 30 s."""
    chosen: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows():
        plain = row["wer_ok"] and row["kind"] in KINDS and row["seconds"] < 80
        if row["text"] and row["lang"] and plain:
            chosen.setdefault((row["kind"], row["file"] if row["kind"] == "noisy" else row["text"]), row)
    return [_clip(row) for row in chosen.values()]


def _clip(row: dict[str, Any]) -> Clip:
    samples = load(row["file"])
    loud = np.convolve(samples**2, np.ones(320) / 320, "same")
    start = max(0, int(np.argmax(loud > 0.01 * loud.max())) - SAMPLE_RATE // 10)
    return Clip(row["file"], row["lang"], row["text"], row["kind"], samples[start : start + 30 * SAMPLE_RATE])


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def likeness(said: str, written: str) -> float:
    """Return how alike the letters of two texts are, 0 to 1."""
    one, other = ("".join(each for each in text.lower() if each.isalnum()) for text in (said, written))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


class DirectRecognizer:
    """An engine called at once, without a scheduler."""

    entry = lookup("whisper-base")

    def __init__(self, engine: Whisper) -> None:
        self.engine = engine

    async def transcribe(self, request: TranscriptionRequest, *_: object) -> Hypothesis:
        return transcribe(self.engine, request)


class DirectDetector:
    """A detector called at once."""

    def __init__(self, engine: Silero) -> None:
        self.engine = engine

    async def score(self, windows: Any, state: Any, *, live: bool = True) -> Any:
        return self.engine.score([(windows, self.engine.initial_state() if state is None else state)])[0]


class RealConversation(Conversation):
    """A session over real engines, which answer at once."""

    def __init__(self, whisper: Whisper, silero: Silero, **config: object) -> None:
        super().__init__(configured(**config))
        self.whisper, self.silero = whisper, silero

    def _answer(self, job: EngineJob, hypothesis: Hypothesis | None) -> None:
        del self.waiting[job.number]
        match job:
            case ScoreWindows(number, windows, state):
                request = windows, self.silero.initial_state() if state is None else state
                result: Input = WindowsScored(number, *self.silero.score([request])[0])
            case Transcribe(number):
                result = Transcribed(number, hypothesis or transcribe(self.whisper, self._take_up(job)))
            case _:
                raise TypeError(job)
        self._take(self.session.receive(result, self.now))

    def say(self, samples: Samples) -> list[TranscriptCompleted]:
        """Send speech and the silence after it; return the turns that it completes."""
        before = len(self.outputs_of(TranscriptCompleted))
        self.hear(encode(samples, Encoding.PCM16), encode(quiet(1.5), Encoding.PCM16))
        return self.outputs_of(TranscriptCompleted)[before:]


def uploaded(whisper: Whisper, silero: Silero, samples: Samples, **options: Any) -> tuple[str, str]:
    """Return the language and the text of an upload."""

    async def audio() -> AsyncIterator[Samples]:
        yield samples

    detector, recognizer = DirectDetector(silero), DirectRecognizer(whisper)
    job = TranscriptionJob(audio(), detector, recognizer, OfflineOptions(**options))
    transcript = asyncio.run(job.whole())
    return transcript.language, transcript.text


def short(whisper: Whisper, model: WhisperModel, _: Silero) -> None:
    """Tell the language of the first words of each recording, beside faster-whisper on the same weights."""
    for seconds in SHORT_SECONDS:
        for group, chosen in (("English", english()), ("others", foreign())):
            right = [0, 0, 0]
            for clip in chosen:
                samples = clip.first(seconds)
                peer = model.transcribe(samples)[1].language
                partial, final = (
                    transcribe(whisper, TranscriptionRequest(samples, final=final)).language for final in (False, True)
                )
                for index, detected in enumerate((peer, partial, final)):
                    right[index] += detected == clip.language
            print(f"{seconds} s, {group}: of {len(chosen)} peer {right[0]}, partial {right[1]}, final {right[2]}")


def english() -> list[Clip]:
    return [clip for clip in clips() if clip.language == "en" and len(clip.samples) > 2.5 * SAMPLE_RATE]


def foreign() -> list[Clip]:
    return [clip for clip in clips() if clip.language != "en" and len(clip.samples) > 2.5 * SAMPLE_RATE]


def uploads(whisper: Whisper, __: WhisperModel, silero: Silero) -> None:
    """Transcribe a short first utterance, a pause and the rest, and two languages one after the other."""
    others = foreign()
    for pause in PAUSE_SECONDS:
        right = alike = 0
        for clip in others:
            samples = np.concatenate([clip.first(1.2), quiet(pause), clip.first(12)])
            language, text = uploaded(whisper, silero, samples)
            known = uploaded(whisper, silero, samples, languages=(clip.language,))[1]
            right += language == clip.language
            alike += likeness(known, text) > 0.8
        print(f"upload, {pause} s after a short beginning, of {len(others)}: language {right}, text {alike}")
    first = next(clip for clip in clips() if "fellow Americans" in clip.text and clip.kind == "clean")
    for pause in PAUSE_SECONDS:
        good = [0, 0]
        for clip in others:
            samples = np.concatenate([first.samples, quiet(pause), clip.first(10)])
            known = uploaded(whisper, silero, clip.first(10), languages=(clip.language,))[1]
            for multilingual in (False, True):
                text = uploaded(whisper, silero, samples, multilingual=multilingual)[1]
                good[multilingual] += likeness(first.text + known, text) > 0.85
        print(f"upload, {pause} s between English and others, of {len(others)}: both {good[0]}, multilingual {good[1]}")


def live(whisper: Whisper, _: WhisperModel, silero: Silero) -> None:
    """Say an English sentence, then short speech in another language, and the other way round."""
    sentences = [clip for clip in english() if clip.kind == "clean" and len(clip.samples) < 6 * SAMPLE_RATE]
    for seconds in (1.5, 2.5):
        right = good = back = 0
        for index, clip in enumerate(foreign()):
            conversation = RealConversation(whisper, silero)
            conversation.say(sentences[index % 8].samples)
            turns = conversation.say(clip.first(seconds))
            text = " ".join(turn.text for turn in turns)
            known = transcribe(whisper, TranscriptionRequest(clip.first(seconds), language=clip.language)).text
            right += any(turn.language == clip.language for turn in turns)
            good += likeness(known, text) > MIN_LIKENESS
            conversation.say(clip.samples[: 4 * SAMPLE_RATE])
            back += conversation.say(sentences[index % 8].first(2.0))[-1].language == "en"
        print(f"live, {seconds} s after English, of {len(foreign())}: language {right}, text {good}; English {back}")


def prompts(whisper: Whisper, _: WhisperModel, __: Silero) -> None:
    """Transcribe sentences in noise with a prompt that is not said."""
    noise = np.random.default_rng(0).standard_normal(30 * SAMPLE_RATE).astype(np.float32)
    sentences = [clip for clip in english() if clip.kind == "clean" and clip.text[:20] not in PROMPT][:30]
    for decibels in (0, -5, -10):
        echoed = 0
        for clip in sentences:
            level = float(np.sqrt((clip.samples**2).mean())) * 10 ** (-decibels / 20)
            mixed = ((clip.samples + level * noise[: len(clip.samples)]) / 10).astype(np.float32)
            text = transcribe(whisper, TranscriptionRequest(mixed, language="en", prompt=PROMPT)).text
            echoed += any(sentence in text for sentence in PROMPT.split(". "))
        print(f"prompt, {decibels} dB: of {len(sentences)} sentences {echoed} echo it")


def main(names: Sequence[str]) -> None:
    """Run the measurements named, or all."""
    directory = locate(lookup("whisper-base"), Settings(offline=True))
    whisper = Whisper(directory, device="cpu", compute_type="int8", threads=1)
    model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)
    measurements: dict[str, Callable[[Whisper, WhisperModel, Silero], None]] = {
        each.__name__: each for each in (short, uploads, live, prompts)
    }
    for name in names or measurements:
        measurements[name](whisper, model, Silero())


if __name__ == "__main__":
    main(sys.argv[1:])
