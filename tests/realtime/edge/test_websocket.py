"""`WS /v1/realtime` with a real server, real sockets and scripted engines."""

import asyncio
import base64
import contextlib
import json
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.sync.client import connect
from websockets.typing import Subprotocol

import clients
from realtime import logs
from realtime.audio.formats import Encoding, encode
from realtime.errors import EngineError
from realtime.models.models import Models
from realtime.server import Server
from realtime.settings import Settings
from realtime.speech.pauses import SENTENCE_PAUSE
from tests.support.realtime_service import (
    RATE,
    SILENT,
    TIMEOUT,
    ProtocolClient,
    RealtimeService,
    eventually,
    read_to_end,
    realtime_service,
    utterance,
)
from tests.support.scripted_engines import ScriptedEngines, Work, say_numbers, transcript_of

COMPLETED = "conversation.item.input_audio_transcription.completed"
LISTENING = "intent=transcription"
KEY = "canary-key"
LONG_TEXT = "A sentence of some length. " * 40
STOP_SECONDS = 15


class Held(ScriptedEngines):
    """Engines whose decoding or scoring blocks while a gate is closed."""

    def __init__(self, *, decoding: float = 0.0) -> None:
        super().__init__(decoding=decoding)
        self.gates = {Work.SCORING: threading.Event(), Work.DECODING: threading.Event()}
        self.entered = {work: threading.Event() for work in self.gates}
        for gate in self.gates.values():
            gate.set()

    def work(self, work: Work, audio_seconds: float) -> None:
        if work in self.gates:
            self.entered[work].set()
            assert self.gates[work].wait(TIMEOUT)
        super().work(work, audio_seconds)


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service(max_message_bytes=40_000) as service:
        yield service


def refusal(url: str, **options: Any) -> Response:
    """Return the HTTP response that refuses a websocket."""
    with pytest.raises(InvalidStatus) as refused, connect(url, logger=SILENT, **options):
        pass
    return refused.value.response


def error_code(response: Response) -> str:
    return str(json.loads(response.body)["error"]["code"])


# Listening.


def test_a_session_begins_with_its_description(server: RealtimeService) -> None:
    with connect(f"{server.url}?{LISTENING}", logger=SILENT) as socket_:
        created = json.loads(socket_.recv(timeout=5))
    assert created["type"] == "session.created"
    assert created["session"]["type"] == "transcription"


@pytest.mark.parametrize("binary", [False, True])
def test_speech_is_transcribed_in_order(server: RealtimeService, binary: bool) -> None:
    said = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8, 9, 7]]
    with server.session(f"{LISTENING}&ext=binary" if binary else LISTENING) as client:
        for numbers in said:
            client.send_audio(utterance(numbers), binary=binary)
        heard = [client.wait_for(COMPLETED)["transcript"] for _ in said]
    assert heard == [transcript_of(numbers) for numbers in said]


def test_every_path_that_clients_build_leads_here(server: RealtimeService) -> None:
    for path in ("/v1/realtime/", "/realtime", "/openai/v1/realtime", "/openai/realtime"):
        with connect(f"ws://127.0.0.1:{server.port}{path}?model=gpt-realtime", logger=SILENT) as socket_:
            assert json.loads(socket_.recv(timeout=5))["type"] == "session.created"


async def _captions(url: str, said: Sequence[Sequence[int]], *, binary: bool) -> list[str]:
    async with asyncio.timeout(20), clients.connect(url, partials=True, binary=binary) as session:

        async def talk() -> None:
            for numbers in said:
                audio = encode(utterance(numbers), Encoding.PCM16)
                for start in range(0, len(audio), RATE // 5):
                    await session.send_audio(audio[start : start + RATE // 5])

        talking = asyncio.create_task(talk())
        heard: list[str] = []
        deltas = ""
        async for event in session:
            match event:
                case clients.Delta(text=text):
                    deltas += text
                case clients.Completed(text=text):
                    assert deltas == text
                    heard.append(text)
                    deltas = ""
            if len(heard) == len(said):
                break
        await talking
        return heard


@pytest.mark.parametrize("decoding", [0.0, 0.03])
def test_eight_concurrent_sessions_get_the_transcripts_that_each_would_get_alone(decoding: float) -> None:
    said = [[[10 * who + number for number in range(who + 1)], [who, 99, who]] for who in range(8)]

    async def together(url: str) -> list[list[str]]:
        return await asyncio.gather(*(_captions(url, each, binary=who % 2 == 0) for who, each in enumerate(said)))

    with realtime_service(ScriptedEngines(decoding=decoding, workers=2)) as server:
        heard = asyncio.run(together(server.url))
    assert heard == [[transcript_of(numbers) for numbers in each] for each in said]


# Access.


@pytest.fixture(scope="module")
def locked() -> Iterator[RealtimeService]:
    with realtime_service(api_keys=("another-key", KEY)) as service:
        yield service


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"additional_headers": {"Authorization": "Bearer canary-wrong"}},
        {"additional_headers": {"api-key": "canary-wrong"}},
        {"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.canary-wrong")]},
    ],
)
def test_without_a_key_of_the_server_a_client_is_refused(locked: RealtimeService, options: dict[str, Any]) -> None:
    response = refusal(locked.url, **options)
    assert response.status_code == HTTPStatus.UNAUTHORIZED
    assert response.headers["content-type"] == "application/json"
    assert error_code(response) == "invalid_api_key"
    assert b"canary" not in response.body + str(response.headers).encode()


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": f"Bearer {KEY}"}, {"api-key": KEY}, {"x-api-key": KEY}],
    ids=lambda each: next(iter(each)),
)
def test_a_key_in_a_header_opens(locked: RealtimeService, headers: dict[str, str]) -> None:
    with locked.session(additional_headers=headers) as client:
        assert client.socket.response is not None
        assert KEY not in str(client.socket.response.headers)


def test_a_key_among_the_subprotocols_opens_and_is_not_echoed(locked: RealtimeService) -> None:
    subprotocols = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{KEY}")]
    with locked.session(subprotocols=subprotocols) as client:
        assert client.socket.subprotocol == "realtime"
        assert client.socket.response is not None
        assert KEY not in str(client.socket.response.headers)


@pytest.mark.parametrize("key", ["schlüssel", "ключ"])
def test_a_key_beyond_ascii_opens_a_session(key: str) -> None:
    with realtime_service(api_keys=(key,)) as server:
        header = f"Bearer {key}".encode().decode("latin-1")  # the library encodes headers as Latin-1
        with server.session(additional_headers={"Authorization": header}):
            assert server.sessions == 1


def test_pages_of_other_origins_are_refused(server: RealtimeService) -> None:
    response = refusal(server.url, origin="https://evil.example")
    assert (response.status_code, error_code(response)) == (HTTPStatus.FORBIDDEN, "origin_not_allowed")


def test_an_invalid_origin_is_refused(server: RealtimeService) -> None:
    assert refusal(server.url, origin="http://[").status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", ["/nowhere", "/v1/dictate", "/v1/realtime/calls", "/v1/audio/speech"])
def test_a_websocket_at_an_unknown_path_is_not_found(server: RealtimeService, path: str) -> None:
    response = refusal(f"ws://127.0.0.1:{server.port}{path}")
    assert (response.status_code, error_code(response)) == (HTTPStatus.NOT_FOUND, "not_found")
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_at_the_path_of_the_websocket_is_told_to_upgrade(server: RealtimeService, method: str) -> None:
    response = httpx.request(method, f"http://127.0.0.1:{server.port}/v1/realtime")
    assert (response.status_code, response.headers["upgrade"]) == (HTTPStatus.UPGRADE_REQUIRED, "websocket")
    assert response.json()["error"]["code"] == "upgrade_required"


@pytest.mark.parametrize(
    "announced",
    [
        {"additional_headers": {"OpenAI-Beta": "realtime=v1"}},
        {"subprotocols": ["realtime", "openai-beta.realtime-v1"]},
    ],
)
def test_a_transcription_client_of_the_beta_gets_its_transcripts(server: RealtimeService, announced: Any) -> None:
    with connect(f"{server.url}?intent=transcription", logger=SILENT, **announced) as socket_:
        client = ProtocolClient(socket_)
        assert client.receive()["type"] == "transcription_session.created"
        client.send("transcription_session.update", session={"input_audio_format": "pcm16"})
        assert client.receive()["type"] == "transcription_session.updated"
        client.send_audio(utterance([3, 1, 4]))
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([3, 1, 4])


def test_a_full_server_sends_retry_after_and_has_room_again_after_a_close() -> None:
    with realtime_service(max_sessions=1) as server:
        for _ in range(2):
            with server.session():
                response = refusal(server.url)
                assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
                assert int(response.headers["retry-after"]) > 0
                assert response.headers["x-request-id"]
                assert error_code(response) == "server_overloaded"
            assert eventually(lambda: server.sessions == 0)


def test_a_client_that_disconnects_makes_room() -> None:
    with realtime_service(max_sessions=1) as server:
        for _ in range(2):
            with Peer(server):
                assert eventually(lambda: server.sessions == 1)
            assert eventually(lambda: server.sessions == 0)


def fill(server: RealtimeService, stack: contextlib.ExitStack) -> list[ProtocolClient]:
    """Open sessions until one is refused."""
    insiders: list[ProtocolClient] = []
    with contextlib.suppress(InvalidStatus):
        while len(insiders) < 30:
            insiders.append(stack.enter_context(server.session(LISTENING)))
    return insiders


def test_a_refusal_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    with realtime_service(api_keys=(KEY,)) as server:
        assert refusal(server.url).status_code == HTTPStatus.UNAUTHORIZED
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.WARNING] == []


def test_a_session_beyond_the_capacity_of_the_engine_is_refused_at_once_and_disturbs_no_other() -> None:
    engines = Held(decoding=0.1)
    with realtime_service(engines) as server, contextlib.ExitStack() as stack:
        insiders = fill(server, stack)
        assert len(insiders) > 1
        engines.gates[Work.DECODING].clear()
        engines.entered[Work.DECODING].clear()
        insiders[0].send_audio(utterance([3, 1, 4]))
        assert engines.entered[Work.DECODING].wait(TIMEOUT)
        response = refusal(f"{server.url}?{LISTENING}")  # while the engine is busy
        engines.gates[Work.DECODING].set()
        assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert int(response.headers["retry-after"]) > 0
        error = json.loads(response.body)["error"]
        assert (error["type"], error["code"], error["param"]) == ("server_error", "server_overloaded", None)
        insiders[-1].send_audio(utterance([1, 5, 9]))
        assert insiders[0].wait_for(COMPLETED)["transcript"] == transcript_of([3, 1, 4])
        assert insiders[-1].wait_for(COMPLETED)["transcript"] == transcript_of([1, 5, 9])
        assert server.sessions == len(insiders)


def test_a_closed_session_makes_room_for_another() -> None:
    with realtime_service(ScriptedEngines(decoding=0.1)) as server, contextlib.ExitStack() as stack:
        *_, leaving = fill(server, stack)
        inside = server.sessions
        leaving.socket.close()
        assert eventually(lambda: server.sessions == inside - 1)
        with server.session(LISTENING):
            assert server.sessions == inside


# Invalid messages and failures.


@pytest.mark.parametrize(
    "mistake",
    [
        "garbage",
        "[1, 2",
        "17",
        "😀",
        json.dumps({"type": "no.such.event"}),
        json.dumps({"audio": "AAAA"}),
        json.dumps({"type": "input_audio_buffer.append", "audio": "!!!"}),
        json.dumps({"type": "input_audio_buffer.append"}),
        json.dumps({"type": "session.update", "session": {"type": 7}}),
        "[" * 9_000,
    ],
)
def test_an_invalid_message_is_answered_with_one_error(server: RealtimeService, mistake: str) -> None:
    with server.session(LISTENING) as client:
        client.socket.send(mistake)
        client.send("input_audio_buffer.clear")
        answers = client.until("input_audio_buffer.cleared")
        assert [answer["type"] for answer in answers] == ["error", "input_audio_buffer.cleared"]
        client.send_audio(utterance([7]))
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([7])


def test_a_binary_message_without_the_extension_ends_the_session(server: RealtimeService) -> None:
    with server.session(LISTENING) as client:
        client.socket.send(bytes(100))
        assert client.receive()["error"]["code"] == "unsupported_audio"
        assert read_to_end(client.socket) == 1003


def test_a_message_that_is_too_large_ends_only_its_session(server: RealtimeService) -> None:
    with server.session(f"{LISTENING}&ext=binary") as client:
        client.socket.send(bytes(40_002))
        assert read_to_end(client.socket) == 1009
    with server.session(f"{LISTENING}&ext=binary") as client:
        client.socket.send(bytes(40_000))
        client.send("input_audio_buffer.clear")
        client.wait_for("input_audio_buffer.cleared")


def test_a_bug_ends_its_own_session_and_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(ScriptedEngines):
        def work(self, work: Work, audio_seconds: float) -> None:
            if work is Work.DECODING:
                raise ZeroDivisionError("the secret of the house")

    with realtime_service(Buggy()) as server, server.session(LISTENING) as client, server.session(LISTENING) as other:
        client.send_audio_until_closed(utterance([1]))
        error = client.wait_for("error")["error"]
        assert (error["type"], error["code"]) == ("server_error", "internal_error")
        assert "secret" not in str(error)
        assert read_to_end(client.socket) == 1011
        other.send("input_audio_buffer.clear")
        other.wait_for("input_audio_buffer.cleared")
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.name == "realtime.edge.tasks"


def test_a_failing_engine_is_reported_and_the_session_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(ScriptedEngines):
        def work(self, work: Work, audio_seconds: float) -> None:
            if work is Work.DECODING:
                raise EngineError("/models/whisper lacks model.bin")

    with realtime_service(Failing()) as server, server.session(LISTENING) as client:
        for _ in range(2):
            client.send_audio(utterance([1]))
            failed = client.wait_for("conversation.item.input_audio_transcription.failed")
            assert failed["error"]["code"] == "engine_failed"
            assert "/models" not in failed["error"]["message"]
    # A partial that fails before its final is logged as well.
    assert sum("/models/whisper lacks model.bin" in record.getMessage() for record in caplog.records) >= 2


# Timeouts and slow readers.


def test_an_idle_session_is_closed() -> None:
    with realtime_service(idle_timeout_seconds=0.3) as server, server.session() as client:
        assert client.wait_for("error")["error"]["code"] == "session_idle"
        assert read_to_end(client.socket) == 1001
        assert eventually(lambda: server.sessions == 0)


def test_a_session_is_not_idle_while_a_response_is_played() -> None:
    with realtime_service(idle_timeout_seconds=1.0) as server, server.session() as client:
        client.speak("Ninety characters, of which fifty are sent at once, and the others as they would be heard.")
        messages = client.until("response.done")
        assert messages[-1]["response"]["status"] == "completed"
        assert client.receive()["error"]["code"] == "session_idle"


def test_a_pong_may_wait_behind_the_audio_of_a_saturated_session() -> None:
    chosen = Settings()
    assert Server(Models(chosen, ScriptedEngines()), chosen).config.ws_ping_timeout is None


class Peer:
    """A client on the level of bytes, which reads only when asked to; used as a context manager."""

    def __init__(self, server: RealtimeService, query: str = "") -> None:
        self.socket = socket.socket()
        try:
            self._open(server.port, query)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        if self.socket.fileno() >= 0:
            self.drop()

    def _open(self, port: int, query: str) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /v1/realtime?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"session.created" not in answer:
            received = self.socket.recv(4096)
            assert received, answer
            answer += received

    def send(self, message_type: str, **fields: object) -> None:
        data = json.dumps({"type": message_type, **fields}).encode()
        self.socket.sendall(Frame(Opcode.TEXT, data).serialize(mask=True))

    def send_until_stuck(self, message_type: str, seconds: float = 1.0, **fields: object) -> None:
        """Send until the server reads nothing for so long, or closes the connection."""
        self.socket.settimeout(seconds)
        with contextlib.suppress(OSError):
            while True:
                self.send(message_type, **fields)

    def drop(self) -> None:
        """Reset the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def test_a_client_that_does_not_read_is_disconnected_and_its_work_stops() -> None:
    with realtime_service(send_timeout_seconds=0.5) as server, Peer(server) as peer:
        # Outside the conversation audio is not paced: about 20 minutes of it, far more than the sockets buffer.
        peer.send("response.create", response={"instructions": LONG_TEXT * 18, "conversation": "none"})
        assert eventually(lambda: server.sessions == 1)
        assert eventually(lambda: server.sessions == 0)
        assert eventually(lambda: not server.engines.speaking)
        with server.session() as client:  # others are served
            client.send("input_audio_buffer.clear")
            client.wait_for("input_audio_buffer.cleared")
        assert eventually(lambda: server.connections == 0)  # the kernel has given it up


def test_a_client_that_floods_and_does_not_read_is_disconnected() -> None:
    with realtime_service(send_timeout_seconds=0.5) as server, Peer(server) as peer:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 5_000}]}
        peer.send_until_stuck("conversation.item.create", TIMEOUT, item=item)
        assert eventually(lambda: server.sessions == 0)


def test_a_client_that_disconnects_during_an_utterance_leaves_no_task() -> None:
    engines = Held()
    with realtime_service(engines) as server, Peer(server, LISTENING) as peer:
        engines.gates[Work.DECODING].clear()
        audio = encode(say_numbers([1, 2, 3], RATE), Encoding.PCM16)
        peer.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())
        assert engines.entered[Work.DECODING].wait(5)
        assert len(server.jobs()) > 1  # the task of the connection that runs the session, and one decode
        peer.drop()
        assert eventually(lambda: server.sessions == 0)
        assert server.jobs() == []
        engines.gates[Work.DECODING].set()


def test_a_client_that_disconnects_during_a_response_stops_the_synthesizer() -> None:
    with realtime_service(ScriptedEngines(speaking=0.3)) as server, Peer(server) as peer:
        peer.send("response.create", response={"instructions": LONG_TEXT})
        assert eventually(lambda: bool(server.engines.speaking))
        peer.drop()
        assert eventually(lambda: server.sessions == 0)
        assert eventually(lambda: not server.engines.speaking)
        assert server.jobs() == []


# Speaking.


@pytest.mark.parametrize("binary", [False, True])
def test_a_text_is_spoken(server: RealtimeService, binary: bool) -> None:
    async def speak() -> bytes:
        async with asyncio.timeout(10), clients.connect(server.url, transcription=False, binary=binary) as session:
            return b"".join([chunk async for chunk in session.speak("Ten chars.")])

    assert len(asyncio.run(speak())) == pytest.approx(2 * (0.6 + SENTENCE_PAUSE) * RATE, abs=8)


def test_a_response_of_the_conversation_is_spoken(server: RealtimeService) -> None:
    with server.session() as client:
        client.speak("Ten chars.")
        messages = client.until("response.done")
    audio = b"".join(
        base64.b64decode(each["delta"]) for each in messages if each["type"] == "response.output_audio.delta"
    )
    assert len(audio) == pytest.approx(2 * (0.6 + SENTENCE_PAUSE) * RATE, abs=8)
    assert messages[-1]["response"]["status"] == "completed"


ITEM = {
    "id": "a",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": LONG_TEXT}],
}


def test_an_item_that_a_client_creates_is_spoken_and_requests_keep_their_order(server: RealtimeService) -> None:
    with server.session() as client:
        client.send("conversation.item.create", item=ITEM)
        client.send("response.create")
        client.send("response.cancel")
        response = client.wait_for("response.done")["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")


def test_a_deleted_item_is_not_spoken(server: RealtimeService) -> None:
    with server.session() as client:
        client.send("conversation.item.create", item=ITEM)
        client.send("conversation.item.delete", item_id="a")
        client.send("response.create")
        error = client.wait_for("response.done")["response"]["status_details"]["error"]
        assert error["code"] == "backend_not_configured"


def test_a_text_longer_than_the_setting_is_refused() -> None:
    with realtime_service(max_input_characters=10) as server, server.session() as client:
        client.speak("Ten chars..")
        error = client.wait_for("error")["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "response.input[0].content")
        client.speak("Ten chars.")
        assert client.wait_for("response.done")["response"]["status"] == "completed"


def test_unknown_names_leave_the_current_recognizer_and_voice(server: RealtimeService) -> None:
    with server.session() as client:
        for model, voice in (("whisper-tiny.en", "birch"), ("gpt-realtime", "no-such-voice")):
            audio = {"input": {"transcription": {"model": model}}, "output": {"voice": voice}}
            client.send("session.update", session={"type": "realtime", "audio": audio})
            shown = client.wait_for("session.updated")["session"]["audio"]
            assert shown["input"]["transcription"]["model"] == "whisper-tiny.en"
            assert shown["output"]["voice"] == "birch"


def test_a_translation_is_granted_to_a_model_that_can(server: RealtimeService) -> None:
    def update(**transcription: str) -> None:
        audio = {"input": {"transcription": {"task": "translate", **transcription}}}
        client.send("session.update", session={"type": "transcription", "audio": audio})

    with server.session(LISTENING) as client:
        update()
        shown = client.wait_for("session.updated")["session"]["audio"]["input"]["transcription"]
        assert (shown["model"], shown["task"]) == ("whisper-base", "translate")
        update(model="whisper-tiny.en")
        error = client.wait_for("error")["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "session.audio.input.transcription.task")


def test_a_response_can_be_cancelled_in_mid_audio() -> None:
    with realtime_service(ScriptedEngines(speaking=0.3)) as server, server.session() as client:
        client.speak(LONG_TEXT)
        client.wait_for("response.output_audio.delta")
        client.send("response.cancel")
        response = client.wait_for("response.done")["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        assert eventually(lambda: not server.engines.speaking)
        client.speak("Once more.")
        assert client.wait_for("response.done")["response"]["status"] == "completed"


def test_speech_during_a_response_interrupts_it() -> None:
    with realtime_service(ScriptedEngines(speaking=0.3)) as server, server.session() as client:
        client.speak(LONG_TEXT)
        client.wait_for("response.output_audio.delta")
        client.send_audio(utterance([5]))
        messages = client.until("response.done")
        response = messages[-1]["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert "input_audio_buffer.speech_started" in [message["type"] for message in messages]
        assert eventually(lambda: not server.engines.speaking)


# Metrics and logs.


def test_sessions_are_counted_and_so_are_refusals() -> None:
    with realtime_service(max_sessions=1, api_keys=(KEY,)) as server:
        headers = {"Authorization": f"Bearer {KEY}"}
        refusal(server.url)
        with server.session(additional_headers=headers):
            refusal(server.url, additional_headers=headers)
            assert server.metric("sessions_open", KEY) == 1
        assert eventually(lambda: server.metric("sessions_open", KEY) == 0)
        assert server.metric("sessions_admitted_total", KEY) == 1
        assert server.metric("sessions_refused_total", KEY, reason="invalid_api_key") == 1
        assert server.metric("sessions_refused_total", KEY, reason="server_overloaded") == 1


def test_what_a_session_does_is_measured() -> None:
    with realtime_service() as server, server.session(f"{LISTENING}&ext=partials") as client:
        client.send_audio(utterance([1, 2, 3]))
        client.wait_for(COMPLETED)
        assert server.metric("turns_completed_total") == 1
        assert server.metric("words_committed_total") == 3
        assert server.metric("final_latency_seconds_count") == 1


def test_a_client_may_be_told_when_each_word_is_spoken() -> None:
    with realtime_service() as server, server.session("ext=words") as client:
        client.speak("It is 10.")
        timed = client.wait_for("x.response.speech.words")["words"]
        client.wait_for("response.done")
    assert [word["word"] for word in timed] == ["It", "is", "10."]
    assert [word["start_ms"] for word in timed] == sorted(word["start_ms"] for word in timed)
    assert 0 == timed[0]["start_ms"] < timed[0]["end_ms"] <= timed[1]["start_ms"] < timed[2]["end_ms"]


def test_the_wait_for_a_voice_is_measured() -> None:
    with realtime_service() as server, server.session() as client:
        client.speak("Ten chars.")
        client.wait_for("response.done")
        assert server.metric("first_audio_seconds_count") == 1


# Shutdown.


def test_a_server_that_stops_ends_its_sessions_in_time_and_quietly(caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.ExitStack() as peers:
        with realtime_service(ScriptedEngines(speaking=0.3)) as server:
            peers.enter_context(Peer(server, LISTENING))
            speaking = peers.enter_context(Peer(server))
            speaking.send("response.create", response={"instructions": LONG_TEXT})
            assert eventually(lambda: bool(server.engines.speaking))
            with server.session() as client:
                began = time.monotonic()
                server.stop(timeout=STOP_SECONDS)
                assert read_to_end(client.socket) == 1012
                assert eventually(lambda: server.sessions == 0)
        assert time.monotonic() - began < STOP_SECONDS
    assert [
        record.getMessage() for record in caplog.records if record.exc_info or record.levelno > logging.WARNING
    ] == []


def test_a_server_stops_in_time_though_a_session_is_saturated(caplog: pytest.LogCaptureFixture) -> None:
    engines = Held()
    with contextlib.ExitStack() as peers, realtime_service(engines) as server:
        engines.gates[Work.SCORING].clear()
        peer = peers.enter_context(Peer(server, LISTENING))
        frame = base64.b64encode(bytes(2 * RATE)).decode()
        peer.send_until_stuck("input_audio_buffer.append", audio=frame)
        server.stop(timeout=1)
        assert eventually(lambda: server.sessions == 0)
        engines.gates[Work.SCORING].set()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


# What is never logged.


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, log_format: str) -> Iterator[pytest.LogCaptureFixture]:
    """Collect all log output in this format."""
    formatter = caplog.handler.formatter
    logs.prepare(caplog.handler, log_format)
    yield caplog
    caplog.handler.setFormatter(formatter)
    caplog.handler.removeFilter(logs.add_session)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_log_contains_nothing_that_clients_send(log: pytest.LogCaptureFixture) -> None:
    for name in (None, "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets", "websockets.server"):
        log.set_level(logging.DEBUG, logger=name)
    headers = {"Authorization": f"Bearer {KEY}"}
    with realtime_service(api_keys=(KEY,), max_message_bytes=40_000) as server:
        refusal(f"{server.url}?canary=query", additional_headers={"api-key": "canary-wrong"})
        refusal(f"ws://127.0.0.1:{server.port}/nowhere?canary=query")
        with server.session("canary=query&model=canary-model", additional_headers=headers) as client:
            update = {"type": "realtime", "instructions": "canary-instructions"}
            update["audio"] = {"input": {"transcription": {"prompt": "canary-prompt"}}}  # type: ignore[assignment]
            client.send("session.update", session=update)
            for mistake in ("canary-garbage", json.dumps({"type": "canary-type", "event_id": "canary-id"})):
                client.socket.send(mistake)
            client.speak("A canary-text.")
            spoken = client.wait_for("response.output_audio.delta")["delta"][:80]
            client.wait_for("response.done")
            client.send_audio(utterance([77]))
            assert client.wait_for(COMPLETED)["transcript"] == "word77"
            client.socket.send(b"canary-bytes")
            assert read_to_end(client.socket) == 1003
        with server.session("canary=query", additional_headers=headers) as client:
            client.socket.send("canary" * 10_000)
            assert read_to_end(client.socket) == 1009
    written = log.text
    assert "WebSocket /v1/realtime" in written
    assert "sess_" in written
    assert "answered with 1 words" in written
    audio = base64.b64encode(encode(say_numbers([77], RATE)[:30], Encoding.PCM16)).decode()
    for said in ("canary", "word77", audio, spoken):
        assert said not in written
