import asyncio
import base64
import json
import math
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

import clients.session
from clients.aio import Session, connect
from clients.captions import caption
from clients.connection import plain
from clients.errors import ConnectionRefused, ProtocolError, RequestFailed, ServerClosed
from clients.events import (
    AudioChunk,
    Committed,
    Completed,
    Delta,
    Event,
    Failed,
    Other,
    Partial,
    ServerError,
    SpeechStarted,
    SpeechStopped,
    Word,
)
from clients.recordings import models
from tests.support.scripted_realtime_server import (
    Message,
    Peer,
    Script,
    audio,
    committed,
    completed,
    delta,
    error,
    failed,
    meet,
    partial,
    response_created,
    response_done,
    response_failed,
    started,
    stopped,
)


def greeted(script: Script) -> Script:
    """Open the session, then play a script."""

    async def play(peer: Peer) -> None:
        await peer.greet()
        await script(peer)

    return play


def saying(*messages: Message) -> Script:
    """Open the session, send messages and close."""

    async def script(peer: Peer) -> None:
        await peer.send(*messages)
        await peer.connection.close()

    return greeted(script)


async def everything(url: str) -> list[Event]:
    """Return the events after the greeting."""
    async with connect(url) as session:
        return [event async for event in session if not event.raw.get("type", "").startswith("session.")]


async def nothing(url: str) -> None:
    async with connect(url, open_timeout=0.5):
        pass


def speaking(text: str = "Hello.", **options: object) -> Callable[[str], Awaitable[list[bytes]]]:
    async def client(url: str) -> list[bytes]:
        async with connect(url, transcription=False) as session:
            return [chunk async for chunk in session.speak(text, **options)]  # type: ignore[arg-type]

    return client


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/realtime"),
        ("/", "/v1/realtime"),
        ("?tenant=a", "/v1/realtime"),
        ("/own", "/own"),
        ("/v1", "/v1/realtime"),
        ("/voice/v1/", "/voice/v1/realtime"),
        ("/voice/v1/realtime", "/voice/v1/realtime"),
    ],
)
def test_an_address_without_a_path_is_completed(suffix: str, path: str) -> None:
    asked: list[str] = []

    async def script(peer: Peer) -> None:
        asked.append(urlsplit(peer.request.path).path)
        await peer.greet()

    async def client(url: str) -> None:
        async with connect(url.removesuffix("/v1/realtime") + suffix):
            pass

    meet(script, client)
    assert asked == [path]


def test_a_session_shows_the_effective_configuration() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()

    async def client(url: str) -> object:
        async with connect(url, transcription=False, voice="anna") as session:
            return session.effective("audio", "output", "voice"), session.effective("audio", "output", "voice", "name")

    assert meet(script, client) == ("anna", None)


def test_a_session_that_listens_is_configured_as_asked() -> None:
    asked: list[Message] = []
    query: dict[str, list[str]] = {}

    async def script(peer: Peer) -> None:
        query.update(parse_qs(urlsplit(peer.request.path).query))
        asked.append(await peer.greet())

    async def client(url: str) -> None:
        async with connect(
            f"{url}?tenant=a",
            language="de",
            prompt="Vivavoce",
            model="whisper-base",
            translate=True,
            silence_ms=300,
            partials=True,
        ):
            pass

    meet(script, client)
    assert query == {"tenant": ["a"], "intent": ["transcription"], "ext": ["partials,resume"]}
    assert asked == [
        {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "transcription": {
                        "language": "de",
                        "prompt": "Vivavoce",
                        "model": "whisper-base",
                        "task": "translate",
                    },
                    "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
                }
            },
        }
    ]


def test_finals_are_asked_for_instead_of_partials() -> None:
    queries: list[str] = []

    async def script(peer: Peer) -> None:
        queries.append(urlsplit(peer.request.path).query)
        await peer.greet()

    async def client(url: str) -> None:
        async with connect(url, finals_only=True, resume_seconds=0):
            pass
        with pytest.raises(ValueError, match="exclude each other"):
            async with connect(url, finals_only=True, partials=True):
                pass

    meet(script, client)
    assert queries == ["intent=transcription&ext=finals"]


def test_a_session_that_speaks_transcribes_too() -> None:
    asked: list[Message] = []

    async def script(peer: Peer) -> None:
        asked.append(await peer.greet())

    async def client(url: str) -> None:
        async with connect(url, transcription=False, turn_detection=False):
            pass

    meet(script, client)
    assert asked[0]["type"] == "realtime"
    assert asked[0]["audio"]["input"]["transcription"] == {}
    assert asked[0]["audio"]["input"]["turn_detection"] is None


def test_the_key_is_a_bearer_token() -> None:
    async def script(peer: Peer) -> None:
        assert peer.request.headers["Authorization"] == "Bearer secret"
        await peer.greet()

    async def client(url: str) -> None:
        async with connect(url, api_key="secret"):
            pass

    meet(script, client)


def test_every_event_of_a_turn_has_its_type() -> None:
    word = {"word": " off.", "start": 1.1, "end": 1.4, "probability": 0.8}
    messages = [
        started("item_1"),
        delta("item_1", "Please"),
        partial("item_1", "Please", " turn"),
        stopped("item_1"),
        committed("item_1"),
        completed("item_1", "Please turn off.", words=[word], language="en", suppressed=["repetition"]),
        failed("item_2", "the engine broke"),
    ]
    assert meet(saying(*messages), everything) == [
        SpeechStarted("item_1", 180),
        Delta("item_1", "Please"),
        Partial("item_1", "Please", " turn", 900),
        SpeechStopped("item_1", 1980),
        Committed("item_1", None),
        Completed("item_1", "Please turn off.", (Word(" off.", 1.1, 1.4, 0.8),), "en", ("repetition",)),
        Failed("item_2", "engine_failed", "the engine broke"),
    ]


def test_deltas_concatenate_to_the_transcript() -> None:
    messages = [
        delta("item_1", "Please turn"),
        delta("item_1", " the lights off."),
        completed("item_1", "Please turn the lights off."),
    ]
    *deltas, final = meet(saying(*messages), everything)
    assert isinstance(final, Completed)
    assert "".join(event.text for event in deltas if isinstance(event, Delta)) == final.text


def test_an_unknown_event_is_delivered_unchanged() -> None:
    [event] = meet(saying({"type": "rate_limits.updated", "rate_limits": []}), everything)
    assert isinstance(event, Other)
    assert event.raw["rate_limits"] == []


def test_audio_is_sent_in_base64() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        append = await peer.receive("input_audio_buffer.append")
        assert base64.b64decode(append["audio"]) == b"\x01\x02"

    async def client(url: str) -> None:
        async with connect(url) as session:
            await session.send_audio(b"\x01\x02")

    meet(script, client)


def test_audio_is_sent_unencoded_in_a_binary_session() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        assert await peer.connection.recv() == b"\x01\x02"

    async def client(url: str) -> None:
        async with connect(url, binary=True) as session:
            await session.send_audio(b"\x01\x02")

    meet(script, client)


def test_a_refused_request_is_an_event_that_names_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    async def client(url: str) -> tuple[str, ServerError]:
        async with connect(url) as session:
            request = await session.commit()
            async for event in session:
                if isinstance(event, ServerError):
                    return request, event
        raise AssertionError("no answer")

    request, refusal = meet(script, client)
    assert refusal == ServerError("input_audio_buffer_commit_empty", "buffer too small", request)


def test_a_refused_handshake_says_what_the_server_said() -> None:
    body = json.dumps({"error": {"message": "Incorrect API key.", "code": "invalid_api_key"}})
    with pytest.raises(ConnectionRefused, match=r"^Incorrect API key\.$") as refused:
        meet(saying(), nothing, refusal=(HTTPStatus.UNAUTHORIZED, body))
    assert refused.value.status == 401


def test_a_refused_handshake_without_a_json_body_says_what_http_says() -> None:
    with pytest.raises(ConnectionRefused, match=r"^HTTP 503 Service Unavailable$"):
        meet(saying(), nothing, refusal=(HTTPStatus.SERVICE_UNAVAILABLE, "<html>"))


def test_one_keyword_needs_no_list() -> None:
    async def script(peer: Peer) -> None:
        session = await peer.greet()
        assert session["audio"]["input"]["transcription"]["keywords"] == ["Vivavoce"]

    async def client(url: str) -> None:
        async with caption(b"", url, keywords="Vivavoce"):
            pass

    meet(script, client)


def test_a_key_may_have_a_line_break_after_it() -> None:
    async def script(peer: Peer) -> None:
        assert peer.request.headers["Authorization"] == "Bearer secret"
        await peer.greet()

    async def client(url: str) -> None:
        async with connect(url, api_key="secret\n"):
            pass

    meet(script, client)


@pytest.mark.parametrize("key", ["secret\nsecret", "секрет"])
def test_what_cannot_be_a_key_is_refused_and_not_quoted(key: str) -> None:
    async def client(url: str) -> None:
        async with connect(url, api_key=key):
            pass

    with pytest.raises(ConnectionRefused) as refused:
        meet(saying(), client)
    assert refused.value.code == "invalid_api_key"
    assert key not in str(refused.value)
    with pytest.raises(ConnectionRefused) as refused:
        models("127.0.0.1:9", api_key=key)
    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize("scheme", ["ws://", "http://", ""])
def test_a_server_that_cannot_be_reached_is_a_refused_connection(scheme: str) -> None:
    async def client(_url: str) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            await nothing(f"{scheme}127.0.0.1:{unused.getsockname()[1]}")

    with pytest.raises(ConnectionRefused, match=r"no server answers at 127\.0\.0\.1:\d+$"):
        meet(saying(), client)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:99999", "http://[::1", "file:///etc/passwd"])
def test_what_is_no_address_is_a_refused_connection(url: str) -> None:
    async def client() -> None:
        async with connect(url):
            pass

    with pytest.raises(ConnectionRefused, match=r"is no address of a server, such as 127\.0\.0\.1:8000"):
        asyncio.run(client())


def test_an_error_of_windows_is_told_in_its_words_and_others_without_their_addresses() -> None:
    error = OSError(22, "The semaphore timeout period has expired")
    assert plain(error) == "Invalid argument"
    windows = type("OfWindows", (OSError,), {"winerror": 121})
    assert plain(windows(22, "The semaphore timeout period has expired")) == "The semaphore timeout period has expired"


def test_an_address_may_be_a_host_and_a_port() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()

    async def client(url: str) -> None:
        await nothing(urlsplit(url).netloc)

    meet(script, client)


@pytest.mark.parametrize(
    ("field", "message", "code"),
    [
        ("model", "the server has no model no-such for captions", "model_not_found"),
        ("language", "the model does not transcribe xx", "invalid_value"),
        ("voice", "the server has no voice nobody", "invalid_voice"),
    ],
)
def test_a_session_for_which_the_server_has_something_else_is_refused(field: str, message: str, code: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"x_substituted": [field]})

    async def client(url: str) -> None:
        voice = {"transcription": False, "voice": "nobody"} if field == "voice" else {}
        async with connect(url, model="no-such", language="xx", **voice):  # type: ignore[arg-type]
            pass

    with pytest.raises(RequestFailed, match=message) as refusal:
        meet(script, client)
    assert refusal.value.code == code


def test_a_voice_for_a_session_that_does_not_speak_is_refused() -> None:
    async def client() -> None:
        async with connect("127.0.0.1:9", voice="alloy"):
            pass

    with pytest.raises(ValueError, match="voice needs transcription=False"):
        asyncio.run(client())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": 5}, "text is a string, not int"),
        ({"text": b"Hello."}, "text is a string, not bytes"),
        ({"voice": 5}, "voice is a string, not int"),
        ({"speed": "x"}, "speed is a number, not str"),
        ({"speed": math.nan}, "speed is a number of at least 0, not nan"),
    ],
)
def test_speech_with_an_argument_of_another_type_is_refused_at_once(arguments: dict[str, Any], error: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()

    with pytest.raises((TypeError, ValueError), match=error):
        meet(script, speaking(**arguments))


@pytest.mark.parametrize("binary", [True, False])
def test_samples_are_sent_as_their_bytes_and_those_of_other_types_are_refused(binary: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        message = await peer.connection.recv()
        pcm = message if isinstance(message, bytes) else base64.b64decode(json.loads(message)["audio"])
        assert pcm == b"\x01\x00\x02\x00"

    async def client(url: str) -> None:
        async with connect(url, binary=binary) as session:
            for wrong in (np.zeros(2, np.float32), "abcd", 5):
                with pytest.raises(TypeError, match=r"a source yields .*16 bits, not"):
                    await session.send_audio(wrong)  # type: ignore[arg-type]
            await session.send_audio(np.array([1, 2], "<i2"))

    meet(script, client)


def test_a_message_that_is_no_json_is_not_sent() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()

    async def client(url: str) -> None:
        async with connect(url) as session:
            with pytest.raises(ValueError, match="JSON compliant"):
                await session.send({"type": "response.create", "response": {"temperature": math.inf}})

    meet(script, client)


def test_the_server_refuses_speech_by_the_names_of_arguments() -> None:
    async def script(peer: Peer) -> None:
        request = await peer.receive("response.create")
        refusal = error("invalid_value", "Invalid 'response.audio.output.speed': too large.", request["event_id"])
        refusal["error"]["param"] = "response.audio.output.speed"
        await peer.send(refusal)

    with pytest.raises(RequestFailed, match=r"^Invalid 'speed': too large\.$") as refused:
        meet(greeted(script), speaking(speed=9.0))
    assert refused.value.param == "speed"


def test_what_was_not_asked_for_may_be_replaced() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"x_substituted": ["model", "language", "voice"]})

    meet(script, nothing)


def test_a_server_that_opens_no_session_refuses() -> None:
    async def script(peer: Peer) -> None:
        await peer.connection.wait_closed()

    async def client(url: str) -> None:
        async with connect(url, open_timeout=0.2):
            pass

    with pytest.raises(ConnectionRefused, match=r"did not open a session within 0\.2 s"):
        meet(script, client)


def test_a_refused_configuration_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": "session.created", "session": {}})
        await peer.send(error("invalid_value", "no such language"))

    with pytest.raises(RequestFailed, match="no such language") as refused:
        meet(script, nothing)
    assert refused.value.code == "invalid_value"


def test_a_server_of_another_protocol_is_recognized() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": "Metadata"})

    with pytest.raises(ProtocolError, match="Metadata"):
        meet(script, nothing)


@pytest.mark.parametrize(
    "message", ["not json", "[]", '{"type": "error"}', '{"type": "response.output_audio.delta"}', b"\x00"]
)
def test_a_malformed_message_ends_the_session(message: str | bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.connection.send(message)

    with pytest.raises(ProtocolError):
        meet(greeted(script), everything)


def test_a_server_that_closes_early_is_an_error() -> None:
    async def script(peer: Peer) -> None:
        await peer.connection.close(1001, "shutting down")

    with pytest.raises(ServerClosed) as closed:
        meet(greeted(script), everything)
    assert (closed.value.code, closed.value.reason) == (1001, "shutting down")


def test_a_connection_that_breaks_is_an_error() -> None:
    async def script(peer: Peer) -> None:
        peer.connection.transport.abort()

    with pytest.raises(ServerClosed) as closed:
        meet(greeted(script), everything)
    assert closed.value.code == 1006


def test_sending_to_a_server_that_closed_raises_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.connection.close(1013, "try later")

    async def client(url: str) -> None:
        async with connect(url) as session:
            with pytest.raises(ServerClosed):
                async for _ in session:
                    pass
            await session.send_audio(b"\x00\x00")

    with pytest.raises(ServerClosed) as closed:
        meet(greeted(script), client)
    assert closed.value.code == 1013


def test_an_iteration_that_ended_stays_ended() -> None:
    async def client(url: str) -> list[Event]:
        async with connect(url) as session:
            async for _ in session:
                pass
            return [event async for event in session]

    assert meet(saying(), client) == []


def test_closing_ends_the_iteration() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()

    async def client(url: str) -> list[Event]:
        async with connect(url) as session:
            await session.close()
            return [event async for event in session if isinstance(event, Completed)]

    assert meet(script, client) == []


def test_an_unread_session_ends_when_too_many_events_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.session, "MAX_WAITING", 5)

    async def script(peer: Peer) -> None:
        await peer.send(*[delta("item_1", " word")] * 6)
        await peer.connection.wait_closed()

    async def client(url: str) -> None:
        async with connect(url) as session:
            await session._connection.socket.wait_closed()
            async for _ in session:
                pass

    with pytest.raises(ProtocolError, match="waiting to be read"):
        meet(greeted(script), client)


def test_speech_is_asked_for_outside_the_conversation() -> None:
    asked: list[Message] = []

    async def script(peer: Peer) -> None:
        request = await peer.receive("response.create")
        asked.append(request["response"])
        await peer.send(response_created(request), audio(b"\x01\x00"), audio(b"\x02\x00"), response_done())

    assert meet(greeted(script), speaking("Hello.", voice="anna", speed=1.2)) == [b"\x01\x00", b"\x02\x00"]
    [response] = asked
    assert response["conversation"] == "none"
    assert response["input"] == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    ]
    assert response["audio"] == {
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "anna", "speed": 1.2}
    }


def test_speech_in_a_voice_that_the_server_does_not_have_is_refused_and_cancelled() -> None:
    async def script(peer: Peer) -> None:
        created = response_created(await peer.receive("response.create"))
        created["response"]["x_substituted"] = ["voice"]
        await peer.send(created, audio(b"\x01\x00"))
        assert (await peer.receive("response.cancel"))["response_id"] == "resp_1"

    with pytest.raises(RequestFailed, match="the server has no voice nobody") as refusal:
        meet(greeted(script), speaking("Hello.", voice="nobody"))
    assert refusal.value.code == "invalid_voice"


def test_binary_speech_is_found_by_the_number_of_its_response() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": "response.created", "response": {"id": "resp_0", "metadata": None}})
        await peer.send(response_created(await peer.receive("response.create")))
        await peer.connection.send(struct.pack("<II", 0, 480) + b"\x09\x00")
        await peer.connection.send(struct.pack("<II", 1, 0) + b"\x01\x00")
        await peer.send(response_done())

    async def client(url: str) -> tuple[list[bytes], list[Event]]:
        async with connect(url, transcription=False, binary=True) as session:
            spoken = [chunk async for chunk in session.speak("Hello.")]
            await session.close()
            return spoken, [event async for event in session if isinstance(event, AudioChunk)]

    spoken, others = meet(greeted(script), client)
    assert spoken == [b"\x01\x00"]
    assert others == [AudioChunk("resp_0", b"\x09\x00", 480)]


def test_ids_of_responses_that_are_over_are_forgotten() -> None:
    async def script(peer: Peer) -> None:
        for number in range(3):
            request = await peer.receive("response.create")
            await peer.send(response_created(request))
            await peer.connection.send(struct.pack("<II", number, 0) + b"\x01\x00")
            await peer.send(response_done())

    async def client(url: str) -> tuple[list[bytes], dict[int, str]]:
        async with connect(url, transcription=False, binary=True) as session:
            spoken = [chunk for _ in range(3) async for chunk in session.speak("Hello.")]
            return spoken, session._responses

    assert meet(greeted(script), client) == ([b"\x01\x00"] * 3, {})


def test_audio_of_a_finished_response_is_malformed() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(response_created({"response": {"metadata": {}}}), response_done())
        await peer.connection.send(struct.pack("<II", 0, 0) + b"\x01\x00")

    with pytest.raises(ProtocolError):
        meet(greeted(script), everything)


def test_a_server_that_throttles_is_given_time_and_may_send_long_messages() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send(delta("item_1", "x" * (2 * 1024 * 1024)))
        await peer.connection.close()

    async def client(url: str) -> tuple[float | None, list[int]]:
        async with connect(url) as session:
            return session._connection.socket.ping_timeout, [
                len(each.text) async for each in session if isinstance(each, Delta)
            ]

    assert meet(script, client) == (None, [2 * 1024 * 1024])


def test_captions_go_on_while_the_session_speaks() -> None:
    async def script(peer: Peer) -> None:
        request = await peer.receive("response.create")
        await peer.send(started("item_1"), response_created(request), delta("item_1", "Stop"), audio(b"\x01\x00"))
        await peer.send(completed("item_1", "Stop."), response_done())

    async def client(url: str) -> list[Event]:
        async with connect(url, transcription=False) as session:
            assert [chunk async for chunk in session.speak("Once upon a time")] == [b"\x01\x00"]
            await session.close()
            return [event async for event in session if not isinstance(event, Other)]

    assert meet(greeted(script), client) == [
        SpeechStarted("item_1", 180),
        Delta("item_1", "Stop"),
        Completed("item_1", "Stop."),
    ]


def test_speech_that_failed_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(
            response_created(await peer.receive("response.create")), response_failed("engine_failed", "no voice")
        )

    with pytest.raises(RequestFailed, match="no voice") as failure:
        meet(greeted(script), speaking())
    assert failure.value.code == "engine_failed"


def test_speech_that_was_interrupted_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(response_created(await peer.receive("response.create")))
        await peer.send(response_done("cancelled", {"type": "cancelled", "reason": "turn_detected"}))

    with pytest.raises(RequestFailed, match="cancelled") as failure:
        meet(greeted(script), speaking())
    assert failure.value.code == "turn_detected"


def test_speech_that_is_refused_raises() -> None:
    async def script(peer: Peer) -> None:
        request = await peer.receive("response.create")
        await peer.send(error("invalid_voice", "no voice of this name", request["event_id"]))

    with pytest.raises(RequestFailed, match="no voice of this name"):
        meet(greeted(script), speaking())


def test_speech_that_the_server_cuts_short_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(response_created(await peer.receive("response.create")), audio(b"\x01\x00"))
        await peer.connection.close(1012, "restarting")

    with pytest.raises(ServerClosed, match="restarting"):
        meet(greeted(script), speaking())


def test_abandoned_speech_is_cancelled() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(response_created(await peer.receive("response.create")), audio(b"\x01\x00"), audio(b"\x02\x00"))
        assert (await peer.receive("response.cancel"))["response_id"] == "resp_1"

    async def first_chunk(session: Session) -> bytes:
        async with aclosing(session.speak("A long story")) as speech:
            return await anext(speech)

    async def client(url: str) -> tuple[bytes, list[Event]]:
        async with connect(url, transcription=False) as session:
            chunk = await first_chunk(session)
            await session.close()
            return chunk, [event async for event in session if isinstance(event, AudioChunk)]

    assert meet(greeted(script), client) == (b"\x01\x00", [])


def test_abandoned_speech_is_cancelled_even_before_it_begins() -> None:
    given_up = asyncio.Event()

    async def script(peer: Peer) -> None:
        request = await peer.receive("response.create")
        await given_up.wait()
        await peer.send(response_created(request))
        assert (await peer.receive("response.cancel"))["response_id"] == "resp_1"
        await peer.send(response_done("cancelled"))
        await peer.connection.close()

    async def client(url: str) -> list[Event]:
        async with connect(url, transcription=False) as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), aclosing(session.speak("A long story")) as speech:
                    await anext(speech)
            given_up.set()
            others = [event async for event in session if not isinstance(event, Other)]
            assert not session._speeches
            assert not session._cancellations
            return others

    assert meet(greeted(script), client) == []


def test_a_session_closes_although_abandoned_speech_never_began() -> None:
    async def script(peer: Peer) -> None:
        await peer.receive("response.create")

    async def client(url: str) -> None:
        async with connect(url, transcription=False) as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), aclosing(session.speak("A long story")) as speech:
                    await anext(speech)

    meet(greeted(script), client)


def test_an_event_without_a_type_of_its_own_is_shown_with_that_of_the_protocol() -> None:
    assert repr(Other(raw={"type": "rate_limits.updated"})) == "Other('rate_limits.updated')"
