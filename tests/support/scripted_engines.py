"""Deterministic engines: the one fake of `realtime.engines.base` and `Registry`.

Their results depend only on the samples and the text. A *word* is `WORD_MS` of constant amplitude that encodes a
number; `say_numbers` makes such audio. The recognizer writes `word7` for the number 7, the detector takes anything loud
for speech, and the synthesizer speaks a tone as long as its text. Each can be made to take time without using the CPU.

Words are told apart by amplitudes far enough apart to survive a resampler. `scripted_conversation`, without a
resampler, marks every stretch of audio with its exact position instead; the tones of `scripted_models` survive
compressed files.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ModelEntry
from realtime.catalogue.voices import VoicesAtHand
from realtime.engines.base import EngineProgram, VadState
from realtime.errors import VoiceError
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word
from realtime.weights.progress import Step

WORD_MS: Final = 320
NUMBERS: Final = range(100)
"""Numbers that a word can encode."""

SECONDS_PER_CHARACTER: Final = 0.06

_WORD: Final = SAMPLE_RATE * WORD_MS // 1000
_LOWEST: Final = 0.1
_STEP: Final = 0.008
_LOUD: Final = 0.05
_CHUNK: Final = 2_400


def say_numbers(numbers: Sequence[int], sample_rate: int = SAMPLE_RATE) -> Samples:
    """Return audio of these `NUMBERS` without pauses."""
    assert all(number in NUMBERS for number in numbers)
    levels = _LOWEST + _STEP * np.asarray(numbers, np.float32)
    return np.repeat(levels.astype(np.float32), sample_rate * WORD_MS // 1000)


def transcript_of(numbers: Sequence[int]) -> str:
    """Return the transcript of these numbers."""
    return " ".join(f"word{number}" for number in numbers)


Work = Enum("Work", ["SCORING", "DECODING", "SPEAKING"])
"""Kinds of work of an engine."""


class ScriptedEngines:
    """A registry of scripted engines. It records what it loaded and closed and which texts are being spoken."""

    def __init__(self, *, decoding: float = 0.0, speaking: float = 0.0, workers: int = 1) -> None:
        """Set the seconds of work per second of audio, and the `workers` of each recognizer."""
        self.workers = workers
        self.recognizer_class = ScriptedRecognizer
        self._cost = {Work.SCORING: 0.0, Work.DECODING: decoding, Work.SPEAKING: speaking}
        self._never: SimpleQueue[None] = SimpleQueue()
        self.weight_bytes: dict[str, int] = {}
        self.voices_here: dict[str, tuple[str, ...]] = {}
        """Voices of models that are on this machine, by model."""
        self.damaged: dict[str, VoiceError] = {}
        """What is wrong with further models."""
        self.loaded: list[str] = []
        self.closed: list[str] = []
        self.speaking: list[str] = []

    def prepare(self, entry: ModelEntry) -> int:
        return self.weight_bytes.get(entry.name, 0)

    def steps(self) -> Mapping[str, Step]:
        return {}

    def advance(self, step: Step) -> None:
        pass

    def stop(self) -> None:
        pass

    def detector(self) -> "ScriptedDetector":
        return ScriptedDetector(self, "detector")

    def recognizer(self, entry: ModelEntry) -> "ScriptedRecognizer | EngineProgram":
        return self.recognizer_class(self, entry.name, entry.capabilities)

    def synthesizer(self, entry: ModelEntry) -> "ScriptedSynthesizer":
        return ScriptedSynthesizer(self, entry.name, entry.capabilities)

    def installed_voices(self, entries: Collection[ModelEntry]) -> VoicesAtHand:
        names = {entry.name for entry in entries}
        return VoicesAtHand({name: voices for name, voices in self.voices_here.items() if name in names}, self.damaged)

    def language_identifier(self) -> "ScriptedLanguageIdentifier":
        return ScriptedLanguageIdentifier()

    def end_of_turn_model(self) -> "ScriptedEndOfTurnModel":
        return ScriptedEndOfTurnModel(self, "end-of-turn")

    def seconds_of(self, work: Work, audio_seconds: float) -> float:
        return self._cost[work] * audio_seconds

    def work(self, work: Work, audio_seconds: float) -> None:
        """Block the engine's thread for as long as this work takes; subclasses may block for longer."""
        if seconds := self.seconds_of(work, audio_seconds):
            with suppress(Empty):
                self._never.get(timeout=seconds)


class _Engine:
    def __init__(self, engines: ScriptedEngines, name: str) -> None:
        self._engines = engines
        self._name = name
        engines.loaded.append(name)

    def close(self) -> None:
        self._engines.closed.append(self._name)


class ScriptedLanguageIdentifier:
    """Takes a text that begins with `Das` for German, others for English, and those of one word for neither."""

    def language(self, text: str, spoken: Collection[str]) -> str | None:
        if " " not in text.strip():
            return None
        return "de" if text.startswith("Das ") else "en"

    def among(self, text: str, languages: Collection[str]) -> str | None:
        language = self.language(text, languages)
        return language if language in languages else None


class ScriptedDetector(_Engine):
    """Takes anything loud for speech; its state counts the windows of the stream."""

    def initial_state(self) -> VadState:
        return np.zeros(1, np.float32)

    def score(self, requests: Sequence[tuple[NDArray[np.float32], VadState]]) -> list[tuple[list[float], VadState]]:
        longest = max(len(windows) for windows, _ in requests)
        self._engines.work(Work.SCORING, longest * WINDOW / SAMPLE_RATE)
        return [(_probabilities(windows), state + np.float32(len(windows))) for windows, state in requests]


def _probabilities(windows: NDArray[np.float32]) -> list[float]:
    return [min(1.0, float(each) / _LOWEST) for each in np.sqrt(np.square(windows).mean(axis=1))]


class ScriptedEndOfTurnModel(_Engine):
    """Takes a turn for finished if the last number is even."""

    def score(self, turn: Samples) -> float:
        return float(_last_number(turn) % 2 == 0)


def _last_number(samples: Samples) -> int:
    *_, last = _words(samples)
    return int(last.text.removeprefix(" word"))


class ScriptedRecognizer(_Engine):
    """Writes a word for every number, also for half of one."""

    def __init__(self, engines: ScriptedEngines, name: str, capabilities: Capabilities) -> None:
        super().__init__(engines, name)
        self.capabilities = capabilities
        self.workers = engines.workers
        self.partial_seconds = 3 * engines.seconds_of(Work.DECODING, 1.0)

    def encode(self, request: TranscriptionRequest) -> TranscriptionRequest:
        return request

    def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
        seconds = [request.seconds for request in encoded]
        # A batch of eight takes a real decoder about as long as three single requests.
        self._engines.work(Work.DECODING, max(seconds) + (sum(seconds) - max(seconds)) / 4)
        return [Hypothesis(tuple(_words(request.samples)), request.language or "en") for request in encoded]


def _words(samples: Samples) -> Iterator[Word]:
    loud = np.concatenate([[False], np.abs(samples) > _LOUD, [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1])
    for start, end in edges.reshape(-1, 2):
        for begin in range(start, start + round((end - start) / _WORD) * _WORD, _WORD):
            # The middle of the word, away from the ringing of a resampler.
            level = float(np.median(samples[begin + _WORD // 4 : min(end, begin + _WORD * 3 // 4)]))
            yield Word(f" word{round((level - _LOWEST) / _STEP)}", begin, min(int(end), begin + _WORD), 1.0)


class ScriptedSynthesizer(_Engine):
    """Speaks a tone."""

    sample_rate = 24_000
    voices: tuple[str, ...] = ("amber", "birch")

    def __init__(self, engines: ScriptedEngines, name: str, capabilities: Capabilities) -> None:
        super().__init__(engines, name)
        self.capabilities = capabilities

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        assert voice in self.voices
        times = np.arange(round(len(text) * SECONDS_PER_CHARACTER / speed * self.sample_rate)) / self.sample_rate
        tone = (0.5 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)
        self._engines.speaking.append(text)
        try:
            for chunk in np.split(tone, range(_CHUNK, len(tone), _CHUNK)):
                self._engines.work(Work.SPEAKING, len(chunk) / self.sample_rate)
                yield chunk
        finally:
            self._engines.speaking.remove(text)
