"""What becomes of sessions and requests when the service is stopped and has time to drain."""

import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import socket
import time
from collections.abc import Coroutine, Iterator
from http import HTTPStatus

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from realtime.edge import drain
from realtime.edge.tasks import serve_tasks
from realtime.errors import RETRY_LATER, VoiceError
from tests.support.held_engines import HeldDecoding
from tests.support.realtime_service import (
    RATE,
    SILENT,
    TIMEOUT,
    Message,
    ProtocolClient,
    RealtimeService,
    eventually,
    read_to_end,
    realtime_service,
    utterance,
)
from tests.support.recordings import silence, wav_file
from tests.support.resuming_client import resuming_client
from tests.support.scripted_engines import say_numbers, transcript_of
from tests.support.wyoming_client import wyoming_client

LISTENING = "intent=transcription"
COMPLETED = "conversation.item.input_audio_transcription.completed"
RESTART = 1012
LONG_TEXT = "This is one sentence of a long text. " * 20
NO_TIME = 0.0
PLENTY = 60.0


@contextlib.contextmanager
def held_open(server: RealtimeService) -> Iterator[ProtocolClient]:
    """Open a session with a turn in progress, so that the service keeps draining."""
    with server.session(LISTENING) as client:
        client.send_audio(say_numbers([1, 2, 3], RATE))
        client.wait_for("input_audio_buffer.speech_started")
        yield client


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what is in progress no time to end by itself."""
    monkeypatch.setattr(drain, "NATURAL_SHARE", 0.0)


def get(server: RealtimeService, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{server.port}{path}", timeout=TIMEOUT)


# Sessions.


def test_a_session_with_nothing_in_progress_is_closed_at_once_for_a_restart() -> None:
    with realtime_service(drain_timeout_seconds=PLENTY) as server, server.session(LISTENING) as client:
        client.send_audio(silence(0.5, RATE))
        began = time.monotonic()
        server.signal()
        assert read_to_end(client.socket) == RESTART
    assert time.monotonic() - began < PLENTY / 2


def test_a_turn_in_progress_may_end_and_its_transcript_is_delivered_before_the_close() -> None:
    with realtime_service(drain_timeout_seconds=PLENTY) as server, held_open(server) as client:
        server.signal()
        assert eventually(lambda: get(server, "/readyz").status_code == HTTPStatus.SERVICE_UNAVAILABLE)
        client.send_audio(say_numbers([4, 5], RATE))
        client.send_audio(silence(0.8, RATE))
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([1, 2, 3, 4, 5])
        assert read_to_end(client.socket) == RESTART


@pytest.mark.parametrize("detection", [{"type": "server_vad"}, None], ids=["detected", "by hand"])
def test_a_turn_that_does_not_end_is_transcribed_before_the_time_is_over(
    detection: Message | None, brief: None
) -> None:
    with realtime_service(drain_timeout_seconds=PLENTY) as server, server.session(LISTENING) as client:
        update = {"type": "transcription", "audio": {"input": {"turn_detection": detection}}}
        client.send("session.update", session=update)
        client.send_audio(say_numbers([1, 2, 3], RATE))
        client.send("session.update", session=update)
        for _ in range(2):  # the second one is answered when the audio before it has been heard
            client.wait_for("session.updated")
        server.signal()
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([1, 2, 3])
        assert read_to_end(client.socket) == RESTART


def test_a_transcript_that_is_being_made_is_delivered() -> None:
    engines = HeldDecoding()
    with realtime_service(engines, drain_timeout_seconds=PLENTY) as server, server.session(LISTENING) as client:
        client.send_audio(utterance([1, 2]))
        client.wait_for("input_audio_buffer.committed")
        server.signal()
        assert eventually(lambda: server.drain.begun)
        engines.gate.set()
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([1, 2])
        assert read_to_end(client.socket) == RESTART


@pytest.mark.usefixtures("brief")
def test_a_long_response_ends_with_a_phrase() -> None:
    with realtime_service(drain_timeout_seconds=PLENTY) as server, server.session() as client:
        client.speak(LONG_TEXT)
        client.wait_for("response.output_audio.delta")
        server.signal()
        messages = client.until("response.done")
        assert messages[-1]["response"]["status"] == "incomplete"
        done = next(each for each in messages if each["type"] == "response.output_audio_transcript.done")
        assert done["transcript"].rstrip().endswith("text.")
        server.signal()  # without waiting until it has been played
        assert read_to_end(client.socket) == RESTART


def test_clients_that_ask_for_it_are_told() -> None:
    with (
        realtime_service(drain_timeout_seconds=PLENTY) as server,
        server.session(f"{LISTENING}&ext=draining") as told,
        server.session(LISTENING) as untold,
    ):
        server.signal()
        notice = told.receive()
        assert notice["type"] == "x.session.draining"
        assert 0 < notice["deadline_ms"] <= 1000 * PLENTY
        assert read_to_end(told.socket) == RESTART
        assert read_to_end(untold.socket) == RESTART


def test_what_does_not_end_in_time_is_cut_off() -> None:
    engines = HeldDecoding()
    with realtime_service(engines, drain_timeout_seconds=0.5) as server, server.session(LISTENING) as client:
        client.send_audio(utterance([1, 2]))
        assert engines.entered.wait(TIMEOUT)
        server.signal()
        assert read_to_end(client.socket) == RESTART
        engines.gate.set()


def test_a_client_that_has_lost_its_connection_may_come_back_for_its_transcript() -> None:
    engines = HeldDecoding()
    with (
        realtime_service(engines, drain_timeout_seconds=PLENTY) as server,
        resuming_client(server.port, LISTENING) as client,
    ):
        client.send_audio(utterance([1, 2]))
        client.until("input_audio_buffer.committed")
        client.socket.socket.shutdown(socket.SHUT_RDWR)
        server.signal()
        assert eventually(lambda: server.drain.begun)
        engines.gate.set()
        client.until(COMPLETED)
        assert client.events[-1]["transcript"] == transcript_of([1, 2])
        assert client.resumed == 1
        assert read_to_end(client.socket) == RESTART


def test_a_request_of_a_wyoming_client_is_answered_before_the_connection_ends() -> None:
    engines = HeldDecoding()
    with (
        realtime_service(engines, wyoming_uri="tcp://127.0.0.1:0", drain_timeout_seconds=PLENTY) as server,
        wyoming_client(server.wyoming_port) as client,
    ):
        client.send_command(utterance([3]), RATE)
        assert engines.entered.wait(TIMEOUT)
        server.signal()
        assert eventually(lambda: server.drain.begun)
        engines.gate.set()
        assert client.wait_for("transcript").data["text"] == "word3"
        while client.receive() is not None:
            pass


# New work.


def test_a_service_that_drains_is_alive_but_not_ready_and_takes_no_sessions_and_no_work() -> None:
    with realtime_service(drain_timeout_seconds=PLENTY) as server, held_open(server) as client:
        server.signal()
        assert eventually(lambda: server.drain.begun)
        ready = get(server, "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert int(ready.headers["retry-after"]) == RETRY_LATER
        assert ready.headers["connection"] == "close"
        assert get(server, "/livez").status_code == HTTPStatus.OK
        with pytest.raises(InvalidStatus) as refused, connect(server.url, logger=SILENT):
            pass
        response = refused.value.response
        assert (response.status_code, response.headers["retry-after"]) == (503, str(RETRY_LATER))
        assert json.loads(response.body)["error"]["code"] == "server_overloaded"
        speech = httpx.post(f"http://127.0.0.1:{server.port}/v1/audio/speech", json={"input": "No."}, timeout=TIMEOUT)
        assert (speech.status_code, speech.json()["error"]["code"]) == (503, "server_overloaded")
        assert int(speech.headers["retry-after"]) == RETRY_LATER
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)) as connection:
            connection.request("POST", "/v1/audio/transcriptions", body=bytes(8_000_000))  # which it sends to the end
            assert connection.getresponse().status == HTTPStatus.SERVICE_UNAVAILABLE
        client.send_audio(silence(0.8, RATE))
        assert read_to_end(client.socket) == RESTART


def test_a_request_in_progress_is_answered() -> None:
    engines = HeldDecoding()
    with (
        realtime_service(engines, drain_timeout_seconds=PLENTY) as server,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        upload = pool.submit(
            httpx.post,
            f"http://127.0.0.1:{server.port}/v1/audio/transcriptions",
            data={"model": "whisper-1"},
            files={"file": wav_file(say_numbers([1, 2, 3]))},
            timeout=TIMEOUT,
        )
        assert engines.entered.wait(TIMEOUT)
        server.signal()
        assert eventually(lambda: server.drain.begun)
        engines.gate.set()
        answer = upload.result(TIMEOUT)
    assert (answer.status_code, answer.json()["text"]) == (200, transcript_of([1, 2, 3]))


# The end.


def test_half_open_requests_and_stuck_readers_do_not_keep_the_service() -> None:
    with contextlib.ExitStack() as sockets:
        with realtime_service(drain_timeout_seconds=PLENTY, send_timeout_seconds=0.5) as server:
            for beginning in (b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n"):
                half = sockets.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                half.sendall(beginning)
            assert eventually(lambda: server.connections == 2)
            began = time.monotonic()
            server.signal()
        assert time.monotonic() - began < PLENTY / 2


def test_a_second_signal_ends_the_service_at_once() -> None:
    with realtime_service(drain_timeout_seconds=PLENTY) as server, held_open(server) as client:
        began = time.monotonic()
        server.signal()
        assert eventually(lambda: server.drain.begun)
        server.signal()
        assert read_to_end(client.socket) == RESTART
    assert time.monotonic() - began < PLENTY / 2


def test_without_time_to_drain_everything_is_cut_off() -> None:
    with realtime_service(drain_timeout_seconds=NO_TIME) as server, held_open(server) as client:
        server.signal()
        assert read_to_end(client.socket) == RESTART


def test_a_drain_that_begins_while_a_connection_fails_does_not_disturb_its_end() -> None:
    reported: list[VoiceError] = []

    async def scenario() -> None:
        ending, loop = drain.Drain(), asyncio.get_running_loop()

        async def fail() -> None:
            loop.call_soon(loop.call_soon, ending.begin, PLENTY)  # when the others are being cancelled
            raise VoiceError("failed")

        async def settle() -> None:
            pytest.fail("there is nothing left to settle")

        async def close(error: VoiceError) -> None:
            reported.append(error)

        def first(group: asyncio.TaskGroup) -> Coroutine[object, object, None]:
            group.create_task(fail())
            return read(asyncio.Event())

        await serve_tasks(first, drain=ending, ending=[settle], gone=ConnectionError, close=close)
        assert ending.begun

    async def read(endless: asyncio.Event) -> None:
        await endless.wait()

    asyncio.run(scenario())
    assert [error.message for error in reported] == ["failed"]
