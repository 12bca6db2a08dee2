"""Scripted models: the one fake of `realtime.models.protocols`.

A tone is a word, named after its pitch: unlike the amplitudes of `scripted_engines` it survives compressed files."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from starlette.testclient import TestClient

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.names import lookup
from realtime.catalogue.table import ENGLISH, ENTRIES, ModelEntry, Task
from realtime.catalogue.voices import VoicesAtHand, find_voice, lists_voice, voice_of_language
from realtime.engines.base import VadState
from realtime.errors import EngineError, ModelInUse, Overloaded, UnspokenLanguage, VoiceError
from realtime.languages import language_name
from realtime.offline.speech_segments import MAX_WINDOWS
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.priority import ClientId, Priority
from realtime.speech.endpointing import Endpointing, Onset, TurnDetection
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.style import PLAIN, SpeechStyle
from realtime.speech.transcript import Hypothesis, Token, Word
from realtime.weights.progress import Step
from tests.support.recordings import tone
from tests.support.scripted_engines import ScriptedLanguageIdentifier

Serve: TypeAlias = Callable[..., TestClient]
"""The fixture `serve`: opens a client of a server with these settings."""

_LOUD = 0.03
_AUDIBLE = 0.005
_RATE = 22_050


class ScriptedDetector:
    """Takes anything loud for speech."""

    async def score(
        self, windows: NDArray[np.float32], state: VadState | None, *, live: bool
    ) -> tuple[list[float], VadState]:
        assert windows.shape[1] == WINDOW
        assert len(windows) <= MAX_WINDOWS
        loudness = np.sqrt((windows**2).mean(axis=1))
        return [float(each > _LOUD) for each in loudness], np.zeros(1, np.float32)


class ScriptedRecognizer:
    """Writes one word for every tone, ` 440.` for 440 Hz, and records its requests.

    All results but the first `free` wait for `gate`; `cancelled` is set when a caller is cancelled. `failure` is raised
    for every request after the first `fails_after`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        entry = lookup(name)
        english = name.endswith(".en")  # also where the catalogue does not know
        self.entry = replace(entry, capabilities=Capabilities(ENGLISH)) if english else entry
        self.requests: list[TranscriptionRequest] = []
        self.priorities: list[Priority] = []
        self.owners: list[ClientId] = []
        self.gate: asyncio.Event | None = None
        self.failure: EngineError | ZeroDivisionError | None = None
        self.fails_after = 0
        self.free = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.cancelled = threading.Event()
        self.decorate: Callable[[TranscriptionRequest, Hypothesis], Hypothesis] = lambda _, said: said

    async def transcribe(self, request: TranscriptionRequest, priority: Priority, client_id: ClientId) -> Hypothesis:
        assert request.seconds <= 30
        self.loop = asyncio.get_running_loop()
        self.requests.append(request)
        self.priorities.append(priority)
        self.owners.append(client_id)
        if self.failure is not None and len(self.requests) > self.fails_after:
            raise self.failure
        try:
            if self.gate is not None and len(self.requests) > self.free:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        said = Hypothesis(tuple(_words(request)), language=request.language or "fr", tokens=(1, 2))
        return self.decorate(request, said)


def _words(request: TranscriptionRequest) -> list[Word]:
    endpointing = Endpointing(TurnDetection(prefix_padding=0, silence=3 * WINDOW))
    windows = request.samples[: len(request.samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    spans: list[tuple[int, int]] = []
    start = end = 0
    for window in windows:
        loud = bool(np.sqrt((window**2).mean()) > _AUDIBLE)
        change = endpointing.update(float(loud))
        if loud:
            end = endpointing.position
        if isinstance(change, Onset):
            start = change.voiced
        elif change is not None:
            spans.append((start, end))
    if endpointing.speaking:
        spans.append((start, end))
    return [
        Word(
            f" {_pitch(request.samples[start:end])}.",
            start if request.word_times else 0,
            end if request.word_times else 0,
            0.9,
            (Token(7, f" {_pitch(request.samples[start:end])}.".encode(), 0.5),) if request.word_times else (),
        )
        for start, end in spans
    ]


def _pitch(samples: Samples) -> int:
    spectrum = np.abs(np.fft.rfft(samples))
    return round(float(spectrum.argmax()) * SAMPLE_RATE / len(samples) / 10) * 10


class ScriptedSynthesizer:
    """Speaks a chunk of a tenth of a second per character; `💥` makes it fail.

    All chunks after the first wait for `gate`; `closed` is set when a phrase has ended.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.sample_rate = _RATE
        self.voices: tuple[str, ...] = ("amber", "birch")
        self.spoken: list[tuple[str, str, float]] = []
        self.styles: list[SpeechStyle] = []
        self.gate: asyncio.Event | None = None
        self.closed = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.mute = False
        self.languages: tuple[str, ...] = ("en",)

    def choose_voice(self, name: str, text: str, language: str = "") -> str | None:
        voice = find_voice(name, self.voices)
        named = lists_voice(name, self.voices)
        return voice if voice is None or named else voice_of_language(voice, self.voices, self.languages, language)

    async def synthesize(
        self, text: str, voice: str, speed: float, style: SpeechStyle = PLAIN
    ) -> AsyncGenerator[Samples, None]:
        self.loop = asyncio.get_running_loop()
        self.spoken.append((text, voice, speed))
        self.styles.append(style)
        try:
            for position, character in enumerate("" if self.mute else text):
                if character == "💥":
                    raise EngineError("The voice broke.")
                if position and self.gate is not None:
                    await self.gate.wait()
                yield tone(0.1 / speed, sample_rate=_RATE)
        finally:
            self.closed.set()


class ScriptedModels:
    """A `ModelService` of scripted models."""

    def __init__(self) -> None:
        self.detector = ScriptedDetector()
        self.recognizers: dict[str, ScriptedRecognizer] = {}
        self.synthesizers: dict[str, ScriptedSynthesizer] = {}
        self.steps: dict[str, Step] = {}
        self.ready = True
        self.stalled = False
        self.recovering = False
        self.restarts: dict[str, int] = {}
        self.busy: set[str] = set()
        """Models that cannot be unloaded."""
        self.voices_by_language: dict[str, ModelEntry] = {}
        self.damaged: dict[str, VoiceError] = {}
        """Voice models that cannot speak, and why."""
        self.broken: VoiceError | None = None
        """The error of every question whether a model is loaded."""
        self.language_of_voice = ""
        """The language of texts that the model of another language speaks, instead of that one."""
        self.owners: dict[str, ModelEntry] = {}
        """Models by the names of voices that only they have."""
        self.refuses_languages = False
        self.refusals: dict[str, Overloaded] = {}
        """Errors for the next lease of a recognizer, by name."""
        self.gate: asyncio.Event | None = None
        """Loads wait until it is set."""
        self.schedulers: dict[str, Scheduler] = {}

    def memory(self) -> dict[str, int]:
        return dict.fromkeys([*self.recognizers, *self.synthesizers], 1_000_000)

    async def load(self, entry: ModelEntry) -> None:
        if self.gate is not None:
            await self.gate.wait()
        lease = self.lease_recognizer if entry.task is Task.TRANSCRIPTION else self.lease_synthesizer
        async with lease(entry):
            pass

    async def unload(self, entry: ModelEntry) -> None:
        if entry.name in self.busy:
            raise ModelInUse(f"{entry.name} is in use.", param="model")
        self.recognizers.pop(entry.name, None)
        self.synthesizers.pop(entry.name, None)

    def progress(self) -> dict[str, Step]:
        return self.steps

    async def unspoken_language(self, text: str, entry: ModelEntry) -> str | None:
        language = ScriptedLanguageIdentifier().language(text, entry.languages)
        return None if language in entry.languages else language

    async def voices_at_hand(self) -> VoicesAtHand:
        return VoicesAtHand({name: each.voices for name, each in self.synthesizers.items()}, self.damaged)

    async def speaker(self, text: str, entry: ModelEntry) -> ModelEntry:
        language = ScriptedLanguageIdentifier().language(text, entry.languages) or ""
        if self.refuses_languages and language not in entry.languages:
            raise UnspokenLanguage(language_name(language), entry.name)
        return self.voices_by_language.get(language, entry)

    async def language_for(self, text: str, entry: ModelEntry) -> str:
        languages = (language for language, each in self.voices_by_language.items() if each == entry)
        return self.language_of_voice or next(languages, "")

    async def owner_of_voice(self, name: str, entry: ModelEntry) -> ModelEntry:
        return self.owners.get(name, entry)

    @asynccontextmanager
    async def lease_recognizer(self, entry: ModelEntry) -> AsyncIterator[ScriptedRecognizer]:
        if entry.name in self.refusals:
            raise self.refusals.pop(entry.name)
        yield self.recognizers.setdefault(entry.name, ScriptedRecognizer(entry.name))

    @asynccontextmanager
    async def lease_synthesizer(self, entry: ModelEntry) -> AsyncIterator[ScriptedSynthesizer]:
        yield self.synthesizers.setdefault(entry.name, ScriptedSynthesizer(entry.name))

    def is_loaded(self, entry: ModelEntry) -> bool:
        if self.broken is not None:
            raise self.broken
        return entry.name in self.recognizers or entry.name in self.synthesizers

    def loaded(self) -> list[ModelEntry]:
        return [entry for entry in ENTRIES if self.is_loaded(entry)]
