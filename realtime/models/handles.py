"""Loaded models, called from coroutines: each has an engine, the threads that run it, and a queue."""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.audio.loudness import LoudnessLeveller
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ModelEntry
from realtime.catalogue.voices import (
    AnyVoice,
    MixableVoices,
    find_voice,
    lists_voice,
    stands_for_any_voice,
    voice_language,
    voice_of_language,
)
from realtime.engines.base import Detector, EndOfTurnModel, EngineProgram, Recognizer, Synthesizer, VadState
from realtime.engines.speech_job import SpeechJob
from realtime.media.time_stretch import TimeStretch, stretched
from realtime.scheduling.cadence import DRAFTED_PATIENCE
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ANONYMOUS, ClientId, LoadLevel, Priority
from realtime.scheduling.queue import Encoded, FifoQueue, RequestProgress, Stage, Ticket
from realtime.speech.pauses import TrailingPause, pause_after, with_pause
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.style import PLAIN, ReferenceClip, SpeechStyle
from realtime.speech.transcript import Hypothesis
from realtime.text_normalization.language import language_of
from realtime.text_normalization.normalizer import SpokenText, spoken_text
from realtime.workers.batch import BatchWorker
from realtime.workers.messages import NO_SAMPLES
from realtime.workers.process_pool import ProcessPool
from realtime.workers.stream import StreamWorker
from realtime.workers.threads import BlockingCalls

MAX_DETECTOR_BATCH: Final = 64
"""Streams whose windows the detector scores in one call."""

SCORING_INTERVAL: Final = 0.02
"""Seconds between the starts of two batches of the detector: half of a frame of 40 ms, the usual size of clients."""

WAITING_PER_SESSION: Final = 8
"""Requests that may be queued for one engine, for each session that a server admits: one or two of each channel."""

WAITING_PER_UPLOAD: Final = 12
"""The same for each upload: its segments that are with the recognizer at the same time."""

MAX_WAITING: Final = 256
"""Requests that may be queued for one engine where no sessions are counted, or few."""

MAX_CONCURRENT_PHRASES: Final = 2
"""Phrases that one voice model synthesizes at the same time; further ones are queued."""

MAX_KNOWN_VOICES: Final = 1000
"""Voices of one model whose loudness is remembered, where any name is a voice."""


class _BatchHandle:
    """An engine that answers requests in batches, and the worker that passes it these."""

    _engine: Recognizer[Any] | Detector | EndOfTurnModel
    _worker: BatchWorker[Any, Any]

    @property
    def seconds_running(self) -> float:
        """Seconds that the longest call in progress has taken so far."""
        return self._worker.seconds_running

    def close(self) -> None:
        self._worker.close()
        self._engine.close()


class RecognizerHandle(_BatchHandle):
    """A loaded speech-to-text model."""

    def __init__(
        self, entry: ModelEntry, engine: Recognizer[Any], load_limit: float, max_waiting: int = MAX_WAITING
    ) -> None:
        self.name = entry.name
        self.entry = replace(entry, capabilities=engine.capabilities)
        """The catalogue's entry, corrected by what the engine has found in the weights."""
        patience = 1.0 if entry.draft is None else DRAFTED_PATIENCE
        self.scheduler = Scheduler(Load(engine.workers, engine.partial_seconds, load_limit, patience=patience))
        self._engine: Recognizer[Any] = engine
        self._worker: BatchWorker[Any, Hypothesis] = BatchWorker(
            entry.name, self._run, self.scheduler, threads=engine.workers, max_waiting=max_waiting
        )

    async def transcribe(
        self, request: TranscriptionRequest, priority: Priority, client_id: ClientId = ANONYMOUS
    ) -> Hypothesis:
        """Transcribe audio. Raises `EngineError`, `Overloaded`, and `ClientError` for an unknown language."""
        return await self.transcribe_newest(lambda _: request, priority, client_id)

    async def transcribe_newest(
        self,
        request: Callable[[LoadLevel], TranscriptionRequest | None],
        priority: Priority,
        client_id: ClientId = ANONYMOUS,
        on_progress: Callable[[RequestProgress], None] | None = None,
    ) -> Hypothesis:
        """Transcribe what `request` returns when an engine is free, given the load at that moment.

        The caller is cancelled if `request` returns None. Raises as `transcribe`.
        """
        return await self._submit(Ticket(request, priority, client_id, on_progress=on_progress))

    async def _submit(self, ticket: Ticket[Any]) -> Hypothesis:
        return await self._worker.submit(ticket)

    def _run(self, stage: Stage, payloads: Sequence[Any]) -> list[Hypothesis | Encoded[Any]]:
        """Encode requests, or decode what the engine made of them."""
        if stage is Stage.ENCODE:
            return [Encoded(self._engine.encode(request)) for request in payloads]
        answers = self._engine.decode(payloads)
        return [answer if isinstance(answer, Hypothesis) else Encoded(answer) for answer in answers]


class DetectorHandle(_BatchHandle):
    """The voice activity detector, shared by all streams."""

    def __init__(self, engine: Detector, max_waiting: int = MAX_WAITING) -> None:
        self._engine: Detector = engine
        self._worker: BatchWorker[tuple[NDArray[np.float32], VadState], tuple[list[float], VadState]] = BatchWorker(
            "detector",
            lambda _, requests: engine.score(requests),
            FifoQueue(MAX_DETECTOR_BATCH, SCORING_INTERVAL),
            threads=1,
            max_waiting=max_waiting,
        )

    async def score(
        self, windows: NDArray[np.float32], state: VadState | None, *, live: bool = True
    ) -> tuple[list[float], VadState]:
        """Score windows of shape (n, 512) that follow `state` (None: the stream begins).

        Windows of a recording, which are not `live`, are scored when no live stream waits.
        """
        request = windows, self._engine.initial_state() if state is None else state
        return await self._worker.submit(Ticket(lambda _: request, Priority.FINAL if live else Priority.UPLOAD))


class EndOfTurnHandle(_BatchHandle):
    """The end-of-turn model, shared by all sessions."""

    def __init__(self, engine: EndOfTurnModel) -> None:
        self._engine = engine
        self._worker: BatchWorker[Samples, float] = BatchWorker(
            "end-of-turn",
            lambda _, turns: [engine.score(turn) for turn in turns],
            FifoQueue(1),  # a batch takes as long, and all of it would wait for the last turn
            threads=1,
            max_waiting=MAX_WAITING,
        )

    async def score(self, turn: Samples) -> float:
        """Return the probability that the speaker of `turn` has finished. Raises `EngineError` and `Overloaded`."""
        return await self._worker.submit(Ticket(lambda _: turn, Priority.FINAL))


class SynthesizerHandle(ABC):
    """A loaded text-to-speech model.

    Attributes:
        name: Its name in the catalogue.
        entry: The catalogue's entry, corrected by what the engine has found in the weights.
        sample_rate: Of the speech, in Hz.
        voices: Names of its voices, the default first.
    """

    name: str
    entry: ModelEntry
    sample_rate: int
    voices: tuple[str, ...]

    def __init__(self, *, british: bool) -> None:
        """Set how written English is read (`spoken_text`)."""
        self._british = british

    def spoken_text(self, text: str, voice: str = "") -> SpokenText:
        """Return the words that the model is given for a text that one of its voices speaks."""
        languages = self.entry.capabilities.languages
        return spoken_text(text, languages, own=voice_language(voice, languages), british=self._british)

    def choose_voice(self, name: str, text: str, language: str = "") -> str | None:
        """Return the voice that a client means by a name for this text; None where it means none.

        A name that stands for a voice of every model, such as the default one or OpenAI's, means one of the language of
        the text. Where the model was chosen for texts in a `language`, so does a voice of the model that was asked for.
        """
        voice = find_voice(name, self.voices)
        named = lists_voice(name, self.voices) if language else not stands_for_any_voice(name)
        if voice is None or named:
            return voice
        languages = self.entry.capabilities.languages
        if not language:
            language = language_of(text, languages, voice_language(voice, languages))
        return voice_of_language(voice, self.voices, languages, language)

    def own_speed(self, speed: float) -> float:
        """Return the speed at which the model itself speaks where `speed` is wanted."""
        able = self.entry.capabilities
        return min(speed, able.fastest) if able.speed else 1.0

    @abstractmethod
    def synthesize(
        self, text: str, voice: str, speed: float, style: SpeechStyle = PLAIN
    ) -> AsyncGenerator[Samples, None]:
        """Speak one phrase, as it is written, in one of `voices`; closing the generator stops the engine.

        At a speed that the model does not speak itself, its speech is stretched. What else it does not support is
        ignored. Raises `EngineError`, `Overloaded`, and `ClientError` for what an
        engine cannot combine.
        """

    @abstractmethod
    def close(self) -> None: ...


class ThreadSynthesizerHandle(SynthesizerHandle):
    """A loaded text-to-speech model, in threads of the service."""

    def __init__(self, entry: ModelEntry, engine: Synthesizer, *, british: bool = False) -> None:
        super().__init__(british=british)
        self.name = entry.name
        self.entry = replace(entry, capabilities=engine.capabilities)
        self.sample_rate = engine.sample_rate
        self.voices = engine.voices
        self._engine = engine
        self._worker: StreamWorker[Samples] = StreamWorker(
            entry.name, concurrency=MAX_CONCURRENT_PHRASES, max_waiting=MAX_WAITING
        )

    def synthesize(
        self,
        text: str,
        voice: str,
        speed: float,
        style: SpeechStyle = PLAIN,  # threads run no engine that has instructions or clones voices
    ) -> AsyncGenerator[Samples, None]:
        own = self.own_speed(speed)

        def speak() -> Iterator[Samples]:
            chunks = self._engine.synthesize(self.spoken_text(text, voice).text, voice, own)
            chunks = stretched(chunks, self.sample_rate, speed / own)
            return with_pause(chunks, pause_after(text) / speed, self.sample_rate)

        return self._worker.stream(speak, time.monotonic() + style.seconds_ahead)

    def close(self) -> None:
        self._worker.close()
        self._engine.close()


class ProcessSynthesizerHandle(SynthesizerHandle):
    """A loaded text-to-speech model, in processes of its own."""

    def __init__(
        self, entry: ModelEntry, program: EngineProgram, clips: Mapping[str, ReferenceClip],
        on_stage: Callable[[str], None], *, british: bool = False,
    ) -> None:  # fmt: skip
        """Start a process, which blocks until it has loaded the model; `clips` are further voices, by name.

        `on_stage` is called with the stages of the load; what it raises ends it. Raises what the engine raises.
        """
        super().__init__(british=british)
        self.name = entry.name
        self._threads = BlockingCalls(MAX_CONCURRENT_PHRASES)
        self._pool = ProcessPool(program, on_stage, max_waiting=MAX_WAITING)
        described = self._pool.description
        languages, abilities = described["capabilities"].pop("languages"), described["capabilities"]
        self.entry = replace(entry, capabilities=Capabilities(tuple(languages), **abilities))
        self.sample_rate = described["sample_rate"]
        self._gains: dict[str, float] = {}
        """The last gain of each voice; see `LoudnessLeveller`."""
        able = self.entry.capabilities
        self._clips = clips if able.cloning else {}
        voices = tuple(dict.fromkeys((*described["voices"], *self._clips)))
        self.voices = AnyVoice(voices) if able.any_voice else MixableVoices(voices) if able.mixing else voices

    async def synthesize(
        self, text: str, voice: str, speed: float, style: SpeechStyle = PLAIN
    ) -> AsyncGenerator[Samples, None]:
        able = self.entry.capabilities
        clip = (style.clip if able.cloning else None) or self._clips.get(voice)
        spoken = self.spoken_text(text, voice)
        job = SpeechJob(
            spoken.text,
            voice,
            self.own_speed(speed),
            style.instructions if able.instructions else "",
            clip.transcript if clip else "",
            style.streamed,
            spoken.language,
        )
        leveller = LoudnessLeveller(self.sample_rate, 1.0 if style.clip else self._gains.get(voice, 1.0))
        stretch = None if speed == job.speed else TimeStretch(self.sample_rate, speed / job.speed)
        pause = TrailingPause(pause_after(text) / speed, self.sample_rate)
        deadline = time.monotonic() + style.seconds_ahead
        parts = self._pool.run(job.fields(), clip.samples if clip else NO_SAMPLES, deadline)
        async with aclosing(parts) as results:
            async for result in results:
                chunk = leveller.process(result.samples)
                if stretch is not None:
                    chunk = await self._threads.run(stretch.process, chunk)
                if len(phrase := pause.process(chunk)):
                    yield phrase
        if stretch is not None and len(phrase := pause.process(await self._threads.run(stretch.flush))):
            yield phrase
        if len(silence := pause.finish()):
            yield silence
        if not style.clip and (voice in self._gains or len(self._gains) < MAX_KNOWN_VOICES):
            self._gains[voice] = leveller.gain

    @property
    def restarts(self) -> int:
        """How many processes have ended by themselves, or were killed as hung; each is replaced when it is needed."""
        return self._pool.restarts

    def close(self) -> None:
        self._pool.close()


Handle: TypeAlias = RecognizerHandle | SynthesizerHandle
"""A loaded model of either task."""
