"""Conversations with a chat backend over HTTP, through the whole service with scripted engines."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from realtime.backends.scripted_server import scripted_app
from tests.support.http_service import listening
from tests.support.realtime_service import ProtocolClient, RealtimeService, eventually, realtime_service, utterance

LIGHT = {"type": "function", "name": "light_on", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    with listening(scripted_app()) as url:
        yield url


@pytest.fixture(scope="module")
def service(backend: str) -> Iterator[RealtimeService]:
    with realtime_service(chat_base_url=backend) as service:
        yield service


@contextmanager
def conversation(service: RealtimeService, **session: Any) -> Iterator[ProtocolClient]:
    """Open a conversation whose turns are transcribed."""
    with service.session() as client:
        transcription = {"input": {"transcription": {"model": "whisper-1"}}}
        client.send("session.update", session={"type": "realtime", "audio": transcription, **session})
        client.wait_for("session.updated")
        yield client


def say(client: ProtocolClient, text: str) -> None:
    """Add a message of the user."""
    content = [{"type": "input_text", "text": text}]
    client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})


def answered(client: ProtocolClient) -> tuple[str, str]:
    """Return the status and the spoken text of the next response."""
    messages = client.until("response.done")
    spoken = [each["delta"] for each in messages if each["type"] == "response.output_audio_transcript.delta"]
    return messages[-1]["response"]["status"], "".join(spoken)


def test_a_spoken_turn_is_answered_aloud(service: RealtimeService) -> None:
    with conversation(service) as client:
        client.send_audio(utterance([1, 2]))
        assert answered(client) == ("completed", "You said: word1 word2")


def test_the_backend_is_sent_the_conversation_so_far(service: RealtimeService) -> None:
    with conversation(service) as client:
        for text in ("One.", "Two."):
            say(client, text)
            client.send("response.create")
            status, spoken = answered(client)
            assert status == "completed"
    assert spoken == "You said: Two. Before that you said: One."


def test_a_tool_is_called_and_its_result_is_spoken(service: RealtimeService) -> None:
    with conversation(service, tools=[LIGHT]) as client:
        say(client, "Light on!")
        client.send("response.create")
        call = client.wait_for("response.function_call_arguments.done")
        assert (call["name"], json.loads(call["arguments"])) == ("light_on", {})
        client.wait_for("response.done")
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "It is on."}
        client.send("conversation.item.create", item=output)
        client.send("response.create")
        assert answered(client) == ("completed", "The tool says: It is on.")


@pytest.mark.parametrize(
    ("text", "code"),
    [("Make an error.", "backend_unavailable"), ("Please break off in the middle.", "backend_interrupted")],
)
def test_a_failure_of_the_backend_is_reported_and_the_session_goes_on(
    service: RealtimeService, text: str, code: str
) -> None:
    with conversation(service) as client:
        say(client, text)
        client.send("response.create")
        done = client.wait_for("response.done")["response"]
        assert done["status"] == "failed"
        assert done["status_details"]["error"]["code"] == code
        say(client, "Hello.")
        client.send("response.create")
        assert answered(client) == ("completed", f"You said: Hello. Before that you said: {text}")


def test_a_cancelled_answer_is_counted_as_cancelled(service: RealtimeService) -> None:
    before = service.metric("chat_requests_total", outcome="cancelled")
    with conversation(service) as client:
        say(client, "Be slow.")
        client.send("response.create")
        client.wait_for("response.created")
        client.send("response.cancel")
        assert client.wait_for("response.done")["response"]["status"] == "cancelled"
    assert eventually(lambda: service.metric("chat_requests_total", outcome="cancelled") == before + 1)


def test_without_a_backend_an_answer_fails_and_says_why() -> None:
    with realtime_service() as service, conversation(service) as client:
        say(client, "Hello.")
        client.send("response.create")
        done = client.wait_for("response.done")["response"]
        assert done["status_details"]["error"]["code"] == "backend_not_configured"
