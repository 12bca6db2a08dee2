"""The processes of recognizers are killed while clients speak: sessions notice a pause, and no word is lost."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.support.realtime_service import RATE, ProtocolClient, RealtimeService, eventually, realtime_service
from tests.support.recognizer_process import EnginesInProcesses, children, program
from tests.support.recordings import silence
from tests.support.repetitions import SOAKING, repetitions
from tests.support.scripted_engines import say_numbers, transcript_of

COMPLETED = "conversation.item.input_audio_transcription.completed"
KILLS = repetitions(3, 100)
SPEAKERS = repetitions(2, 6)
READY_SECONDS = 2.0
"""Seconds within which the service takes work again, on a machine that no other tests keep busy."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealtimeService]:
    engines = EnginesInProcesses(program(tmp_path_factory.mktemp("kills"), decoding=0.1))
    with realtime_service(engines, load_limit=10.0) as service:
        yield service
    assert not children()


def state() -> tuple[int, int, int]:
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), len(children())


def test_a_killed_recognizer_loses_and_doubles_no_word(server: RealtimeService) -> None:
    chance = random.Random(5)
    slowest = 0.0
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.session("intent=transcription")) for _ in range(SPEAKERS)]
        readiness = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20))
        before: tuple[int, int, int] | None = None
        for _ in range(KILLS):
            said = [[chance.randrange(60) for _ in range(6)] for _ in clients]
            slowest = max(slowest, one_turn(clients, said, readiness, chance.random()))
            before = before or state()  # after the first turn, by which all that is made once is there
        assert eventually(lambda: state() == before)
    assert server.metric("engine_restarts_total", model="whisper-base") == KILLS
    print(f"ready again after {slowest:.2f} s at the most")
    assert not SOAKING or slowest < READY_SECONDS


def one_turn(clients: list[ProtocolClient], said: list[list[int]], readiness: httpx.Client, part: float) -> float:
    """Let clients say a turn, and kill the recognizer at a part of it; return how long the service was not ready."""
    speech = [np.concatenate([silence(0.4, RATE), say_numbers(numbers, RATE), silence(0.8, RATE)]) for numbers in said]
    middle = round(part * len(speech[0]))
    for client, samples in zip(clients, speech, strict=True):
        client.send_audio(samples[:middle])
    (child,) = children()
    child.kill()
    began = time.monotonic()
    for client, samples in zip(clients, speech, strict=True):
        client.send_audio(samples[middle:])
    assert eventually(lambda: child not in children() and readiness.get("/readyz").is_success)
    ready = time.monotonic() - began
    transcripts = [client.wait_for(COMPLETED)["transcript"] for client in clients]
    assert transcripts == [transcript_of(numbers) for numbers in said]
    return ready
