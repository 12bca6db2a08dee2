"""What published clients rely on beyond the protocol's text, with the messages that they send.

`make conformance` runs the clients themselves; each of these tests states one cause for which one of them failed.
"""

from dataclasses import replace
from typing import Any

from realtime.session.generation import ChatRole
from realtime.session.jobs import Generate, Synthesize
from realtime.wire.openai.session_object import WireSession
from tests.support.openai_dialect import CHAT, CONVERSATION, Client, Json, create, types

PROMPT = "You are a text-to-speech renderer. Speak only the supplied words."


def jobs(client: Client, message: Json) -> list[Any]:
    """Return what a message asks of the engines and the chat backend."""
    outputs = [each for command in client.send(message) for each in client.session.receive(command, 0.0)]
    return [each for each in outputs if isinstance(each, Generate | Synthesize)]


def instructed(session: WireSession) -> Client:
    return Client(replace(session, config=replace(session.config, instructions="You are Bob.")))


def user_text(text: str) -> Json:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def test_open_webui_takes_anything_between_the_greeting_and_its_update_for_a_refusal() -> None:
    client = Client(CHAT)
    assert types(client.greeting()) == ["session.created"]
    vad = {"type": "server_vad", "interrupt_response": False, "create_response": False}
    listening = {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": vad}
    shown = client.update(type="realtime", audio={"input": listening}, tools=[], tool_choice="auto")
    assert shown["audio"]["input"]["turn_detection"]["create_response"] is False


def test_open_webui_has_a_text_read_aloud_by_a_user_message_outside_of_the_conversation() -> None:
    client = Client()
    client.update(instructions=PROMPT, audio={"input": {"turn_detection": None, "transcription": None}})
    response = {"conversation": "none", "instructions": PROMPT, "input": [user_text("Good morning.")]}
    (spoken,) = jobs(client, {"type": "response.create", "response": response})
    assert spoken.text == "Good morning."


def test_open_webui_speaks_a_status_beside_the_answer_and_ends_the_call_at_an_error() -> None:
    client = Client(CHAT)
    client.ask(create("Good morning.", "user"))
    assert types(client.ask({"type": "response.create"})) == ["response.created", "rate_limits.updated"]
    status = {
        "conversation": "none",
        "input": [],
        "tools": [],
        "instructions": "Say: one moment.",
        "tool_choice": "none",
    }
    beside = client.ask({"type": "response.create", "response": {**status, "metadata": {"status": "working"}}})
    assert beside[0]["type"] == "response.created"
    assert beside[0]["response"]["metadata"] == {"status": "working"}


def test_livekit_puts_the_instructions_of_the_agent_before_a_greeting_which_are_not_read_aloud() -> None:
    asked = "You are Bob.\nGreet the user."
    message = {"type": "response.create", "response": {"instructions": asked, "metadata": {"client_event_id": "e1"}}}
    (request,) = jobs(instructed(CHAT), message)
    assert isinstance(request, Generate)
    assert [(each.role, each.text) for each in request.request.messages] == [(ChatRole.SYSTEM, asked)]
    assert jobs(instructed(CONVERSATION), message) == []


def test_livekit_finds_its_response_by_the_metadata() -> None:
    message = {"type": "response.create", "response": {"metadata": {"client_event_id": "e1"}}}
    assert Client(CHAT).ask(message)[0]["response"]["metadata"] == {"client_event_id": "e1"}
