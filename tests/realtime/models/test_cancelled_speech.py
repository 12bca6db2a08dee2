"""The real default voice, when its listeners leave at random times."""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import aclosing, suppress

import pytest

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.engines.hibari import Hibari
from realtime.models.synthesizers import ThreadSynthesizerHandle
from tests.support.scenarios import run, until

pytestmark = pytest.mark.models

TEXT = "Fresh bread makes every morning better. Do you like it?"
TIMES = 10


class WatchedHibari(Hibari):
    """hibari, which counts the phrases in progress and the chunks that were made."""

    speaking = chunks = 0

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        self.speaking += 1
        try:
            for chunk in super().synthesize(text, voice, speed):
                self.chunks += 1
                yield chunk
        finally:
            self.speaking -= 1


def test_after_each_of_many_cancellations_the_voice_is_idle_within_a_chunk() -> None:
    async def scenario() -> None:
        engine, drawn = WatchedHibari(), random.Random(3)
        handle = ThreadSynthesizerHandle(lookup("hibari-tts"), engine)
        threads = threading.active_count()
        for _ in range(TIMES):
            async with aclosing(handle.synthesize(TEXT, "heart", 1.0)) as chunks:
                with suppress(TimeoutError):
                    async with asyncio.timeout(drawn.uniform(0, 0.04)):
                        async for _ in chunks:
                            pass
            made = engine.chunks
            await until(lambda: engine.speaking == 0)
            assert engine.chunks <= made + 1
        assert threading.active_count() == threads
        await asyncio.to_thread(handle.close)

    run(scenario())
