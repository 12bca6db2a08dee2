"""Two replicas behind HAProxy with the configuration of the documentation. Without HAProxy these tests are skipped."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support.fault_proxy import fault_proxy
from tests.support.markdown import ROOT
from tests.support.realtime_service import SILENT, TIMEOUT, RealtimeService, eventually, realtime_service, utterance
from tests.support.resuming_client import resuming_client
from tests.support.scripted_engines import transcript_of

HAPROXY = shutil.which("haproxy")
CONFIGURATION = (ROOT / "docs/deploy/haproxy-replicas.cfg").read_text()
COMPLETED = "conversation.item.input_audio_transcription.completed"

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="needs HAProxy")


def accepts(port: int) -> bool:
    try:
        with connect(f"ws://127.0.0.1:{port}/v1/realtime", logger=SILENT):
            return True
    except (OSError, InvalidStatus):
        return False


@contextlib.contextmanager
def balanced(path: Path, *replicas: RealtimeService) -> Iterator[int]:
    """Run HAProxy in front of two replicas; provide its port."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    text = CONFIGURATION.replace("bind :8000", f"bind 127.0.0.1:{port}").replace("maxconn 20000", "maxconn 100")
    for place, replica in zip((8001, 8002), replicas, strict=True):
        text = text.replace(f"127.0.0.1:{place}", f"127.0.0.1:{replica.port}")
    path.write_text(text)
    with subprocess.Popen([str(HAPROXY), "-f", str(path), "-db"], stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: accepts(port))
            assert eventually(lambda: sum(replica.sessions for replica in replicas) == 0)
            yield port
        finally:
            process.kill()


def test_a_session_is_resumed_at_the_replica_that_has_it(tmp_path: Path) -> None:
    with (
        realtime_service() as one,
        realtime_service() as two,
        balanced(tmp_path / "haproxy.cfg", one, two) as port,
        fault_proxy(port) as proxy,
        resuming_client(proxy.port, "intent=transcription") as client,
    ):
        for number in range(6):
            client.send_audio(utterance([number]))
            client.until(COMPLETED)
            proxy.cut()
        client.send_audio(utterance([6]))
        client.until(COMPLETED)
        said = [event["transcript"] for event in client.events if event["type"] == COMPLETED]
        assert said == [transcript_of([number]) for number in range(7)]
        assert client.resumed == 6


def test_a_session_that_one_replica_refuses_is_opened_at_the_other(tmp_path: Path) -> None:
    with (
        realtime_service(max_sessions=2) as one,
        realtime_service(max_sessions=2) as two,
        balanced(tmp_path / "haproxy.cfg", one, two) as port,
        contextlib.ExitStack() as stack,
    ):

        def session() -> ClientConnection:
            socket = stack.enter_context(connect(f"ws://127.0.0.1:{port}/v1/realtime", logger=SILENT))
            socket.recv(timeout=TIMEOUT)
            return socket

        with one.session(), one.session():
            for _ in range(2):
                session()
            with pytest.raises(InvalidStatus) as refused:
                session()
        assert eventually(lambda: (one.sessions, two.sessions) == (0, 2))
        assert refused.value.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "retry-after" in refused.value.response.headers


def test_a_replica_that_drains_keeps_its_sessions_and_gets_no_more(tmp_path: Path) -> None:
    with (
        realtime_service(drain_timeout_seconds=20) as one,
        realtime_service() as two,
        balanced(tmp_path / "haproxy.cfg", one, two) as port,
        resuming_client(port, "intent=transcription") as first,
        resuming_client(port, "intent=transcription") as second,
    ):
        assert (one.sessions, two.sessions) == (1, 1)
        for client in (first, second):
            client.send_audio(utterance([1, 2, 3])[:-20_000])
            client.until("input_audio_buffer.speech_started")
        one.signal()
        with connect(f"ws://127.0.0.1:{port}/v1/realtime", logger=SILENT) as third:
            third.recv(timeout=TIMEOUT)
            assert two.sessions == 2
        for client in (first, second):
            client.send_audio(utterance([4]))
            client.until(COMPLETED)
