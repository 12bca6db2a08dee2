"""A session of the real service over a connection that is cut again and again."""

import asyncio
import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from clients.aio import connect
from clients.events import Completed, Reconnected
from realtime.audio.formats import Samples
from tests.service.conftest import RATE, pcm_frames
from tests.support.fault_proxy import fault_proxy

pytestmark = pytest.mark.models

SENTENCES = ("Please close the windows before the rain begins.", "My brother bought a small boat and painted it green.")


def heard(
    port: int, audio: Samples, turns: int, *, finals_only: bool, lifetimes: Sequence[int] = ()
) -> tuple[list[str], int]:
    """Return the transcripts of the turns, over connections that are cut, and how often the session was resumed."""

    async def listen(port: int) -> tuple[list[str], int]:
        texts, losses = [], 0
        address = f"ws://127.0.0.1:{port}"
        async with (
            asyncio.timeout(60),
            connect(address, binary=True, language="en", finals_only=finals_only) as session,
        ):
            for frame in pcm_frames(audio):
                await session.send_audio(frame)
            async for event in session:
                losses += isinstance(event, Reconnected)
                if isinstance(event, Completed):
                    texts.append(event.text)
                if len(texts) == turns:
                    break
        return texts, losses

    with fault_proxy(port, lifetimes) as proxy:
        result = asyncio.run(listen(proxy.port))
        assert proxy.resets == len(lifetimes)
    return result


@pytest.fixture
def audio(spoken: Callable[[str], Samples]) -> Samples:
    pause = np.zeros(RATE, np.float32)
    return np.concatenate([pause, *(part for sentence in SENTENCES for part in (spoken(sentence), pause))])


@pytest.fixture(autouse=True)
def reconnect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.backoff.FIRST_SECONDS", 0.01)


def random_lifetimes(seed: int) -> list[int]:
    chosen = random.Random(seed)
    return [10_000, *(chosen.randrange(50_000) for _ in range(9))]


def test_sentences_are_transcribed_once_over_ten_cuts(
    address: str, audio: Samples, word_errors: Callable[[str, str], float]
) -> None:
    port = int(address.rpartition(":")[2])
    texts, losses = heard(port, audio, len(SENTENCES), finals_only=False, lifetimes=random_lifetimes(1))
    assert losses > 3
    assert [word_errors(said, text) for said, text in zip(SENTENCES, texts, strict=True)] == [0, 0]


@pytest.mark.parametrize("seed", [2, 3])
def test_with_finals_only_cuts_change_no_character(address: str, audio: Samples, seed: int) -> None:
    port = int(address.rpartition(":")[2])
    noisy = audio + np.float32(0.05) * np.random.default_rng(1).standard_normal(len(audio), np.float32)
    turns = len(SENTENCES)
    whole, _ = heard(port, noisy, turns, finals_only=True)
    cut, losses = heard(port, noisy, turns, finals_only=True, lifetimes=random_lifetimes(seed))
    assert losses > 3
    assert cut == whole
