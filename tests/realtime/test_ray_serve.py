"""Replicas of Ray Serve with scripted engines, on one machine: `make ray`. Without Ray these tests are skipped."""

import asyncio
import contextlib
import math
import os
import re
import signal
import socket
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode
from websockets.sync.client import connect

from clients.captions import caption
from clients.events import Completed, Event, Reconnected
from clients.playback import FRAME_BYTES, SAMPLE_RATE
from realtime.audio.formats import Encoding, encode
from realtime.settings import Settings
from tests.support.realtime_service import RATE, SILENT, ProtocolClient, read_to_end, utterance
from tests.support.recordings import silence
from tests.support.repetitions import repetitions
from tests.support.scripted_engines import ScriptedEngines, say_numbers, transcript_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ray's own, while it is imported
    ray = pytest.importorskip("ray", reason="needs Ray (make ray)")
    from ray import serve
    from ray.exceptions import RayActorError
    from ray.serve.config import HTTPOptions

    from realtime.ray_serve import NAME, TARGET_SHARE, _some_replica_stops, application

pytestmark = pytest.mark.filterwarnings("default")

PLACES = 6
STREAMS = 4
UNDISTURBED = repetitions(STREAMS, 20)
TIMES = repetitions(1, 16)
SPEED = repetitions(4, 1)
"""Of the undisturbed streams: five minutes in real time in the long form."""

TURNS = [list(range(start, start + 8)) for start in range(0, 40, 8)]
AUDIO = encode(np.concatenate([utterance(turn) for turn in TURNS]), Encoding.PCM16)
COMPLETED = "conversation.item.input_audio_transcription.completed"
MANY_SECONDS = 90.0
"""Seconds in which Ray has changed the replicas, also on a busy machine."""


class Cluster:
    """Ray Serve on this machine, and its replicas."""

    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self.url = f"ws://{self.address}/v1/realtime"
        self._options: dict[str, Any] = {}

    def run(self, *, wait: bool = True, **options: Any) -> None:
        """Run the application with these replicas, if they do not run yet, and perhaps wait until they are there."""
        if options == self._options:
            return
        self._options = options.copy()
        settings = Settings(max_sessions=options.pop("max_sessions", 100), drain_timeout_seconds=10)
        engines = lambda _: ScriptedEngines()  # noqa: E731 - sent to the replicas as it is
        voice = application(settings, num_cpus=0.2, engines=engines, **options)
        target = serve.RunTarget(target=voice, name="voice", route_prefix="/")
        serve.run_many([target], wait_for_applications_running=wait)

    @property
    def running(self) -> int:
        """How many replicas take sessions."""
        deployment = serve.status().applications["voice"].deployments[NAME]
        return int(deployment.replica_states.get("RUNNING", 0))

    def becomes(self, running: int) -> bool:
        deadline = time.monotonic() + MANY_SECONDS
        while self.running != running and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.running == running

    def process_ids(self) -> list[int]:
        """Return the processes of the replicas."""
        names = [path.name for path in Path("/proc").iterdir() if path.name.isdecimal()]
        titles = {name: Path("/proc", name, "cmdline") for name in names}
        found = []
        for name, title in titles.items():
            with contextlib.suppress(OSError):
                if title.read_bytes().startswith(f"ray::ServeReplica:voice:{NAME}".encode()):
                    found.append(int(name))
        return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=port))
    try:
        yield Cluster(port)
    finally:
        serve.shutdown()
        ray.shutdown()


async def frames(at: dict[int, Callable[[], object]], times: int, speed: float) -> AsyncIterator[bytes]:
    """Yield the audio so many times, at so many times its pace, and do something `at` a frame."""
    began = time.monotonic()
    for number, start in enumerate(list(range(0, len(AUDIO), FRAME_BYTES)) * times):
        if action := at.pop(number, None):
            action()
        await asyncio.sleep(began + number * FRAME_BYTES / 2 / SAMPLE_RATE / speed - time.monotonic())
        yield AUDIO[start : start + FRAME_BYTES]


async def captions(
    cluster: Cluster, at: dict[int, Callable[[], object]], *, times: int = 1, speed: float = 4.0
) -> list[Event]:
    seconds = times * len(AUDIO) / 2 / SAMPLE_RATE / speed
    async with asyncio.timeout(MANY_SECONDS + seconds), caption(frames(at, times, speed), cluster.url) as events:
        return [event async for event in events]


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Completed)]


EXPECTED = [transcript_of(turn) for turn in TURNS]


def test_a_replica_goes_on_while_rays_controller_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def status() -> None:
        raise RayActorError

    monkeypatch.setattr(serve, "status", status)
    assert not _some_replica_stops()


def test_streams_of_two_replicas_keep_their_words(cluster: Cluster) -> None:
    cluster.run(min_replicas=2, max_replicas=2)

    async def streams() -> list[list[Event]]:
        return await asyncio.gather(*(captions(cluster, {}, times=TIMES, speed=SPEED) for _ in range(UNDISTURBED)))

    assert [texts(events) for events in asyncio.run(streams())] == [EXPECTED * TIMES] * UNDISTURBED


def test_words_are_neither_lost_nor_doubled_when_a_replica_is_killed(cluster: Cluster) -> None:
    cluster.run(min_replicas=2, max_replicas=2)
    victim, _ = cluster.process_ids()

    async def streams() -> list[list[Event]]:
        kill: dict[int, Callable[[], object]] = {100: partial(os.kill, victim, signal.SIGKILL)}
        return await asyncio.gather(*(captions(cluster, kill) for _ in range(STREAMS)))

    events = asyncio.run(streams())
    assert [texts(each) for each in events] == [EXPECTED] * STREAMS
    assert any(isinstance(event, Reconnected) for each in events for event in each)
    assert cluster.becomes(running=2)


def test_ray_exports_the_metrics_of_all_replicas(cluster: Cluster) -> None:
    cluster.run(min_replicas=2, max_replicas=2)
    node = ray.nodes()[0]
    url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    deadline = time.monotonic() + MANY_SECONDS
    replicas: set[str] = set()
    while len(replicas) < 2 and time.monotonic() < deadline:
        text = httpx.get(url, timeout=MANY_SECONDS).text
        replicas = set(re.findall(r'^ray_vivavoce_sessions_open\{.*replica="(\w+)"', text, re.MULTILINE))
        time.sleep(1)
    assert len(replicas) == 2


def test_a_replica_that_is_full_refuses_sessions_before_the_handshake(cluster: Cluster) -> None:
    cluster.run(max_sessions=2)
    with connect(cluster.url, logger=SILENT), connect(cluster.url, logger=SILENT):
        with pytest.raises(InvalidStatus) as refused, connect(cluster.url, logger=SILENT):
            pass
        assert refused.value.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "retry-after" in refused.value.response.headers


def test_more_replicas_are_started_for_more_sessions_and_drained_when_they_have_gone(cluster: Cluster) -> None:
    cluster.run(max_sessions=PLACES, max_replicas=2, upscale_seconds=1, downscale_seconds=1)
    assert cluster.running == 1
    with contextlib.ExitStack() as open_sessions:
        for _ in range(math.ceil(PLACES * TARGET_SHARE) + 1):
            open_sessions.enter_context(connect(cluster.url, logger=SILENT))
        assert cluster.becomes(running=2)
    assert cluster.becomes(running=1)


@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_replica_that_is_stopped_delivers_what_was_said(cluster: Cluster, how: str) -> None:
    cluster.run(min_replicas=2, max_replicas=2)
    words = [[number, number + 1] for number in range(0, 2 * STREAMS, 2)]
    with contextlib.ExitStack() as stack:
        query = "?intent=transcription"
        clients = [ProtocolClient(stack.enter_context(connect(cluster.url + query, logger=SILENT))) for _ in words]
        for client, numbers in zip(clients, words, strict=True):
            client.wait_for("session.created")
            client.send_audio(np.concatenate([silence(0.4, RATE), say_numbers(numbers, RATE)]))
            client.wait_for("input_audio_buffer.speech_started")
        if how == "replaced":
            cluster.run(min_replicas=1, max_replicas=1, wait=False)
        else:
            serve.delete("voice", _blocking=False)
        for client in clients:
            client.send_audio(silence(0.8, RATE))
        assert [client.wait_for(COMPLETED)["transcript"] for client in clients] == [
            transcript_of(each) for each in words
        ]
        assert {read_to_end(client.socket) for client in clients} == {CloseCode.SERVICE_RESTART}
