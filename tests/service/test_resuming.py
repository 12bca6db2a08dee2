"""A session of the real service over a connection that is cut again and again."""

import asyncio
import random
from collections.abc import Callable

import numpy as np
import pytest

from clients.aio import connect
from clients.events import Completed, Reconnected
from realtime.audio.formats import Samples
from tests.service.conftest import RATE, pcm_frames
from tests.support.fault_proxy import fault_proxy

pytestmark = pytest.mark.models

SENTENCES = ("Please close the windows before the rain begins.", "My brother bought a small boat and painted it green.")


def test_sentences_are_transcribed_once_over_ten_cuts(
    address: str,
    spoken: Callable[[str], Samples],
    word_errors: Callable[[str, str], float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clients.backoff.FIRST_SECONDS", 0.01)
    pause = np.zeros(RATE, np.float32)
    audio = np.concatenate([pause, *(part for sentence in SENTENCES for part in (spoken(sentence), pause))])
    chosen = random.Random(1)
    lifetimes = [10_000, *(chosen.randrange(50_000) for _ in range(9))]

    async def listen(port: int) -> list[str]:
        texts, losses = [], 0
        async with asyncio.timeout(60), connect(f"ws://127.0.0.1:{port}", binary=True, language="en") as session:
            for frame in pcm_frames(audio):
                await session.send_audio(frame)
            async for event in session:
                losses += isinstance(event, Reconnected)
                if isinstance(event, Completed):
                    texts.append(event.text)
                if len(texts) == len(SENTENCES):
                    break
        assert losses > 3
        return texts

    with fault_proxy(int(address.rpartition(":")[2]), lifetimes) as proxy:
        texts = asyncio.run(listen(proxy.port))
        assert proxy.resets == len(lifetimes)
    assert [word_errors(said, text) for said, text in zip(SENTENCES, texts, strict=True)] == [0, 0]
