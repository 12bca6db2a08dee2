"""Many sessions on one event loop with an overloaded engine: transcripts may be late, but must be right."""

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding, Samples, encode
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import WHISPER_BASE, ModelEntry
from realtime.edge.driver import Driver
from realtime.models.models import Models
from realtime.scheduling.priority import ClientId
from realtime.session.commands import AppendAudio
from realtime.session.config import SessionConfig
from realtime.session.events import Event, TranscriptCompleted, TranscriptExtended
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word
from tests.support.recordings import silence
from tests.support.scripted_engines import (
    NUMBERS,
    WORD_MS,
    ScriptedEngines,
    ScriptedRecognizer,
    say_numbers,
    transcript_of,
)

SESSIONS: Final = 50
FRAME: Final = SAMPLE_RATE // 10
SPEEDUP: Final = 16
"""Factor over real time at which audio is sent: slow enough for some partials."""

LOWEST, HIGHER = (float(say_numbers([number])[0]) for number in (0, 1))
LEVEL: Final = HIGHER - LOWEST
WORD: Final = SAMPLE_RATE * WORD_MS // 1000
CONFIG: Final = SessionConfig(
    WHISPER_BASE,
    input_format=AudioFormat(Encoding.PCM16, SAMPLE_RATE),
    transcribe=True,
)


class Faithful(ScriptedRecognizer):
    """Transcribes the audio exactly, wherever it was cut: a word for each half or whole stretch of one level."""

    def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
        return [
            replace(hypothesis, words=tuple(_words(request.samples)))
            for request, hypothesis in zip(encoded, super().decode(encoded), strict=True)
        ]


def _words(samples: Samples) -> Iterator[Word]:
    edges = [0, *(np.flatnonzero(np.abs(np.diff(samples)) > LEVEL / 2) + 1).tolist(), len(samples)]
    for start, end in pairwise(edges):
        count = round((end - start) / WORD)  # the same number may be repeated
        for begin in range(start, start + count * WORD, WORD) if start < end and samples[start] > LOWEST / 2 else ():
            yield Word(f" word{round((samples[start] - LOWEST) / LEVEL)}", begin, min(end, begin + WORD), 1.0)


class Engines(ScriptedEngines):
    def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
        return Faithful(self, entry.name, Capabilities())


class Talker:
    """Sends its turns quickly, or as fast as the session accepts them, and collects the events."""

    def __init__(self, models: Models, number: int) -> None:
        dice = random.Random(number)
        self.turns = [[dice.choice(NUMBERS) for _ in range(dice.choice([1, 5, 12, 64]))] for _ in range(3)]
        self.texts: list[str] = []
        self.deltas: defaultdict[str, str] = defaultdict(str)
        self.items: list[str] = []
        ids = itertools.count(1)
        client_id = ClientId(f"account {number % 7}", f"session {number}")
        session = Session(CONFIG, lambda kind: f"{kind}_{next(ids)}")
        recognizer = models.admit(client_id.session, CONFIG.recognizer)
        self._driver = Driver(session, models, recognizer, self._hear, client_id=client_id)
        self._finished = asyncio.Event()

    @property
    def audio(self) -> Samples:
        parts = [part for turn in self.turns for part in (silence(0.5), say_numbers(turn), silence(1.0))]
        return np.concatenate(parts)

    async def talk(self) -> None:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self._driver.run(group))
            audio = self.audio
            for start in range(0, len(audio), FRAME):
                await self._driver.inbox.put(AppendAudio(encode(audio[start : start + FRAME], Encoding.PCM16)))
                await asyncio.sleep(FRAME / SAMPLE_RATE / SPEEDUP)
            await self._finished.wait()
            serving.cancel()

    async def _hear(self, event: Event) -> None:
        match event:
            case TranscriptExtended(item_id, delta):
                self.deltas[item_id] += delta
            case TranscriptCompleted(item_id, text):
                self.items.append(item_id)
                self.texts.append(text)
                if len(self.texts) == len(self.turns):
                    self._finished.set()
            case _:
                pass


@pytest.mark.parametrize(("workers", "decoding"), [(1, 0.006), (3, 0.02)])
def test_fifty_sessions_on_a_busy_engine_lose_repeat_and_confuse_no_word(workers: int, decoding: float) -> None:
    async def scenario() -> None:
        models = Models(Settings(load_limit=1000.0), Engines(decoding=decoding, workers=workers))
        await models.open()
        try:
            talkers = [Talker(models, number) for number in range(SESSIONS)]
            async with asyncio.timeout(60):
                await asyncio.gather(*(talker.talk() for talker in talkers))
            for talker in talkers:
                assert talker.texts == [transcript_of(turn) for turn in talker.turns]
                assert [talker.deltas[item] for item in talker.items] == talker.texts
            (scheduler,) = models.schedulers.values()
            assert len(scheduler) == 0
            assert scheduler.partials_run > 0
            assert scheduler.partials_shed > 0, "the engine had more to do than it could"
        finally:
            await models.close()

    asyncio.run(scenario())
