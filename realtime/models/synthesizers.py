"""Voice models, called from coroutines: their load and handle.

The engine runs in threads of the service, or in processes of its own.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Final

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
from realtime.engines.base import EngineProgram, Synthesizer
from realtime.engines.registry import Registry
from realtime.engines.speech_job import SpeechJob
from realtime.media.time_stretch import TimeStretch, stretched
from realtime.models.queue_bounds import MAX_WAITING
from realtime.models.voice_clips import voice_clips
from realtime.settings import Settings
from realtime.speech.pauses import TrailingPause, pause_after, with_pause
from realtime.speech.style import PLAIN, ReferenceClip, SpeechStyle
from realtime.text_normalization.language import language_of
from realtime.text_normalization.normalizer import SpokenText, spoken_text
from realtime.weights.progress import Stage, Step
from realtime.workers.messages import NO_SAMPLES
from realtime.workers.process_pool import ProcessPool
from realtime.workers.stream import StreamWorker
from realtime.workers.threads import BlockingCalls

MAX_CONCURRENT_PHRASES: Final = 2
"""Phrases that one voice model synthesizes at the same time; further ones are queued."""

MAX_KNOWN_VOICES: Final = 1000
"""Voices of one model whose loudness is remembered, where any name is a voice."""


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

    def _as_spoken(self, text: str | SpokenText, voice: str) -> SpokenText:
        return self.spoken_text(text, voice) if isinstance(text, str) else text

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
        self, text: str | SpokenText, voice: str, speed: float, style: SpeechStyle = PLAIN
    ) -> AsyncGenerator[Samples, None]:
        """Speak one phrase in one of `voices`, as it is written or what `spoken_text` has made of it.

        Closing the generator stops the engine.

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
        text: str | SpokenText,
        voice: str,
        speed: float,
        style: SpeechStyle = PLAIN,  # threads run no engine that has instructions or clones voices
    ) -> AsyncGenerator[Samples, None]:
        own = self.own_speed(speed)

        def speak() -> Iterator[Samples]:
            spoken = self._as_spoken(text, voice)
            chunks = self._engine.synthesize(spoken.text, voice, own)
            chunks = stretched(chunks, self.sample_rate, speed / own)
            return with_pause(chunks, pause_after(spoken.written) / speed, self.sample_rate)

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
        self, text: str | SpokenText, voice: str, speed: float, style: SpeechStyle = PLAIN
    ) -> AsyncGenerator[Samples, None]:
        able = self.entry.capabilities
        clip = (style.clip if able.cloning else None) or self._clips.get(voice)
        spoken = self._as_spoken(text, voice)
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
        pause = TrailingPause(pause_after(spoken.written) / speed, self.sample_rate)
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


def load_synthesizer(entry: ModelEntry, engines: Registry, settings: Settings) -> SynthesizerHandle:
    """Load a voice model, which blocks. Raises `EngineError` and `UnusableModel`."""
    engine = engines.synthesizer(entry)
    british = settings.english_variant == "uk"
    if not isinstance(engine, EngineProgram):
        return ThreadSynthesizerHandle(entry, engine, british=british)
    clips = voice_clips(settings.voices_dir)

    def advance(stage: str) -> None:
        engines.advance(Step(entry.name, Stage(stage)))

    return ProcessSynthesizerHandle(entry, engine, clips, advance, british=british)
