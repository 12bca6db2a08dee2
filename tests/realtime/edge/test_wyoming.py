"""The Wyoming listener: a whole service with scripted engines, and a client on a socket."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import EngineError
from realtime.wire.wyoming.framing import WyomingEvent
from tests.support.realtime_service import RealtimeService, eventually, has_rested, realtime_service
from tests.support.recordings import silence
from tests.support.scripted_engines import ScriptedEngines, Work, say_numbers, transcript_of
from tests.support.wyoming_client import TIMEOUT, WyomingClient, wyoming_client

URI = "tcp://127.0.0.1:0"
RATE = 16_000
NUMBERS = [4, 8, 15, 16, 23, 42]


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service(wyoming_uri=URI) as service:
        yield service


@pytest.fixture
def client(server: RealtimeService) -> Iterator[WyomingClient]:
    with wyoming_client(server.wyoming_port) as one:
        yield one


def command(numbers: list[int], rate: int = RATE) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.concatenate([silence(0.3, rate), say_numbers(numbers, rate), silence(0.3, rate)])


def test_a_server_says_what_it_offers_and_needs_no_session_for_that(
    server: RealtimeService, client: WyomingClient
) -> None:
    client.send("describe")
    data = client.wait_for("info").data
    assert [model["name"] for model in data["asr"][0]["models"]] == ["whisper-base"]
    assert [voice["name"] for voice in data["tts"][0]["voices"]] == list(server.models.voice_names.voices)
    assert server.sessions == 0


def test_a_ping_is_answered(client: WyomingClient) -> None:
    client.send("ping", text="there?")
    assert client.receive() == WyomingEvent("pong", {"text": "there?"})


@pytest.mark.parametrize("rate", [16_000, 8_000, 44_100])
def test_a_command_is_transcribed(client: WyomingClient, rate: int) -> None:
    client.send_command(command(NUMBERS, rate), rate, language="en")
    events = client.until("transcript-stop")
    assert events[-2].data["text"] == transcript_of(NUMBERS)
    assert "".join(event.data["text"] for event in events if event.type == "transcript-chunk") == transcript_of(NUMBERS)


def test_silence_is_transcribed_as_nothing(client: WyomingClient) -> None:
    client.send_command(silence(1.5, RATE), RATE)
    assert client.wait_for("transcript").data == {"text": ""}


def test_commands_that_are_sent_without_waiting_are_answered_in_order(client: WyomingClient) -> None:
    for number in range(4):
        client.send_command(command([number]), RATE)
    for number in range(4):
        assert client.wait_for("transcript").data["text"] == transcript_of([number])


def test_a_text_is_spoken_as_fast_as_it_is_made(client: WyomingClient) -> None:
    client.send("synthesize", text="What a fine day this is. " * 20)
    events = client.until("audio-stop")
    assert events[0].type == "audio-start"
    assert sum(len(event.payload) for event in events) > 20 * 2 * 24_000


def test_texts_that_are_sent_without_waiting_are_spoken_one_after_the_other(client: WyomingClient) -> None:
    for text in ("Hello.", "Goodbye."):
        client.send("synthesize", text=text)
    for _ in range(2):
        kinds = [event.type for event in client.until("audio-stop")]
        assert kinds == ["audio-start", *["audio-chunk"] * (len(kinds) - 2), "audio-stop"]


def test_the_audio_of_a_text_in_parts_begins_before_the_text_ends(client: WyomingClient) -> None:
    client.send("synthesize-start", voice={"name": "heart"})
    client.send("synthesize-chunk", text="This is the first sentence. And this ")
    client.wait_for("audio-chunk")
    client.send("synthesize-chunk", text="is the second.")
    client.send("synthesize", text="This is the first sentence. And this is the second.")
    client.send("synthesize-stop")
    assert [event.type for event in client.until("synthesize-stopped")][-2:] == ["audio-stop", "synthesize-stopped"]


def test_speaking_and_transcribing_go_on_at_the_same_time(client: WyomingClient) -> None:
    client.send("synthesize", text="What a fine day this is. " * 5)
    client.send_command(command([7]), RATE)
    events = client.until("audio-stop", "transcript-stop")
    events += client.until("audio-stop", "transcript-stop")
    assert {"audio-stop", "transcript-stop"} <= {event.type for event in events}


def test_events_that_are_unknown_are_ignored(client: WyomingClient) -> None:
    client.send("run-satellite", start_stage="wake")
    client.send("select-program", name="Vivavoce")
    client.send("ping")
    assert client.receive() == WyomingEvent("pong", {"text": None})


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "invalid_event"),
        (b"x" * 70_000, "too_large"),
        (b'{"type": "ping", "payload_length": 99999999999}\n', "too_large"),
        (WyomingEvent("ping", {"text": 1}).frame(), "invalid_event"),
        (WyomingEvent("transcribe", {"language": "Klingon"}).frame(), "invalid_value"),
        (WyomingEvent("audio-start", {"rate": 1}).frame(), "unsupported_audio"),
    ],
)
def test_an_error_is_reported_and_ends_the_connection(
    server: RealtimeService, client: WyomingClient, sent: bytes, code: str
) -> None:
    """A client that waits for the answer to its request would wait for ever."""
    client.socket.sendall(sent)
    error = client.receive()
    assert error is not None
    assert (error.type, error.data["code"]) == ("error", code)
    assert client.receive() is None
    assert eventually(lambda: server.sessions == 0)


def test_an_error_reaches_a_client_that_is_still_sending(client: WyomingClient) -> None:
    client.send_command(silence(60, RATE), RATE, language="Klingon")
    assert client.wait_for("error").data["code"] == "invalid_value"
    assert client.receive() is None


def test_a_client_that_goes_on_sending_after_an_error_is_disconnected() -> None:
    with realtime_service(wyoming_uri=URI) as server, wyoming_client(server.wyoming_port) as client:
        client.send("transcribe", language="Klingon")
        client.wait_for("error")
        assert server.sessions == 0
        chunk = WyomingEvent("audio-chunk", {"rate": RATE, "width": 2, "channels": 1}, bytes(3200)).frame()

        def refused() -> bool:
            try:
                client.socket.sendall(chunk)
            except ConnectionError:
                return True
            return False

        assert eventually(refused)


def test_a_client_that_leaves_during_its_command_leaves_no_session() -> None:
    with realtime_service(wyoming_uri=URI) as server:
        with wyoming_client(server.wyoming_port) as client:
            client.send("audio-start", rate=RATE, width=2, channels=1)
            client.send("audio-chunk", bytes(2 * RATE), rate=RATE, width=2, channels=1)
            assert eventually(lambda: server.sessions == 1)
        assert eventually(lambda: server.sessions == 0)
        assert eventually(lambda: server.jobs() == [])


def test_a_client_that_leaves_during_speech_stops_it() -> None:
    engines = ScriptedEngines(speaking=0.5)
    with realtime_service(engines, wyoming_uri=URI) as server:
        with wyoming_client(server.wyoming_port) as client:
            client.send("synthesize", text="A long sentence without any end " * 50)
            client.wait_for("audio-chunk")
        assert eventually(lambda: server.sessions == 0)
        assert eventually(lambda: engines.speaking == [])


def test_a_client_that_does_not_read_is_disconnected() -> None:
    with (
        realtime_service(wyoming_uri=URI, send_timeout_seconds=0.3) as server,
        wyoming_client(server.wyoming_port) as client,
    ):
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send("synthesize", text="A long sentence. " * 1500)
        assert eventually(lambda: server.sessions == 1)
        assert eventually(lambda: server.sessions == 0)


def test_a_client_that_sends_nothing_is_disconnected() -> None:
    with (
        realtime_service(wyoming_uri=URI, idle_timeout_seconds=0.2) as server,
        wyoming_client(server.wyoming_port) as client,
    ):
        error = client.receive()
        assert error is not None
        assert error.data["code"] == "session_idle"
        assert client.receive() is None


def test_a_client_that_sends_nothing_has_its_session_give_memory_back(tmp_path: Path) -> None:
    with (
        realtime_service(wyoming_uri=URI, trace=tmp_path, idle_timeout_seconds=0.5) as server,
        wyoming_client(server.wyoming_port) as client,
    ):
        client.send("synthesize", text="Hello.")
        assert client.wait_for("error").data["code"] == "session_idle"
        assert eventually(lambda: not server.sessions)
    assert has_rested(tmp_path)


def test_a_client_that_waits_for_an_answer_is_not_idle() -> None:
    with (
        realtime_service(ScriptedEngines(speaking=1.5), wyoming_uri=URI, idle_timeout_seconds=1.0) as server,
        wyoming_client(server.wyoming_port) as client,
    ):
        client.send("synthesize", text="A sentence that takes its time.")
        client.wait_for("audio-stop")


def test_a_full_server_refuses_requests_and_still_says_what_it_offers() -> None:
    with realtime_service(wyoming_uri=URI, max_sessions=1) as server, server.session():
        with wyoming_client(server.wyoming_port) as client:
            client.send("describe")
            client.wait_for("info")
            client.send("synthesize", text="Hello.")
            assert client.wait_for("error").data["code"] == "server_overloaded"
        assert server.metric("sessions_refused_total", reason="server_overloaded") == 1


def test_a_request_waits_for_a_session_that_is_about_to_end() -> None:
    with realtime_service(wyoming_uri=URI, max_sessions=1) as server, wyoming_client(server.wyoming_port) as client:
        with server.session():
            client.send("synthesize", text="Hello.")
            client.send("ping")  # is read behind the request, which waits
            client.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.receive()
            client.socket.settimeout(TIMEOUT)
        client.wait_for("audio-stop")
        assert server.metric("sessions_refused_total", reason="server_overloaded") == 0


def test_connections_without_a_session_have_a_limit_too() -> None:
    with realtime_service(wyoming_uri=URI, max_sessions=1) as server:
        connections = [socket.create_connection(("127.0.0.1", server.wyoming_port), 5) for _ in range(40)]
        try:
            last = WyomingClient(connections[-1])
            assert last.wait_for("error").data["code"] == "server_overloaded"
            first = WyomingClient(connections[0])
            first.send("ping")
            first.wait_for("pong")
        finally:
            for connection in connections:
                connection.close()


def test_while_the_models_load_a_client_waits_as_others_do() -> None:
    with realtime_service(wyoming_uri=URI, ready=False) as server, wyoming_client(server.wyoming_port) as client:
        client.send("describe")
        client.wait_for("info")


def test_sessions_are_counted_with_all_others(server: RealtimeService, client: WyomingClient) -> None:
    before = server.metric("sessions_admitted_total")
    client.send_command(command([1]), RATE)
    client.wait_for("transcript")
    assert server.metric("sessions_admitted_total") == before + 1
    assert server.sessions == 1


def test_a_request_that_fails_is_an_error_for_its_client_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(ScriptedEngines):
        def work(self, work: Work, audio_seconds: float) -> None:
            if work is Work.SPEAKING:
                raise EngineError("at /secret/place")

    with (
        realtime_service(Failing(), wyoming_uri=URI) as server,
        wyoming_client(server.wyoming_port) as client,
        wyoming_client(server.wyoming_port) as other,
    ):
        client.send("synthesize", text="Hello.")
        error = client.wait_for("error")
        assert error.data["code"] == "engine_failed"
        assert "secret" not in str(error.data)
        assert client.receive() is None
        other.send_command(command([3]), RATE)
        other.wait_for("transcript")


def test_a_bug_ends_its_own_connection_and_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(ScriptedEngines):
        def work(self, work: Work, audio_seconds: float) -> None:
            if work is Work.SCORING:
                raise ValueError("secret")

    with realtime_service(Buggy(), wyoming_uri=URI) as server, wyoming_client(server.wyoming_port) as client:
        client.send_command(command([3]), RATE)
        error = client.wait_for("error")
        assert error.data == {"text": "Internal error.", "code": "internal_error"}
        assert client.receive() is None


def test_a_server_that_stops_ends_its_connections_quietly(caplog: pytest.LogCaptureFixture) -> None:
    with realtime_service(wyoming_uri=URI) as server, wyoming_client(server.wyoming_port) as client:
        client.send("synthesize", text="A sentence.")
        client.wait_for("audio-stop")
        server.stop()
        while client.receive() is not None:
            pass
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_the_log_contains_nothing_that_clients_send(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with realtime_service(wyoming_uri=URI) as server, wyoming_client(server.wyoming_port) as client:
        client.send("synthesize", text="password one")
        client.wait_for("audio-stop")
        client.send_command(command(NUMBERS), RATE, transcript_names=["password two"])
        client.wait_for("transcript-stop")
        client.send("transcribe", language="password three")
        client.wait_for("error")
    assert "session opened" in caplog.text
    assert "password" not in caplog.text
    assert "word42" not in caplog.text
