"""`x_text_follows`: a response to which the client adds text as a chat model writes it."""

from typing import Any

import pytest

from realtime.session.commands import CancelResponse, ExtendSpeech
from realtime.session.jobs import Synthesize
from realtime.wire.openai.client_events import RefusedRequest
from tests.support.openai_dialect import CHAT, CONVERSATION, LONGEST, Client, Json


def begin(client: Client, text: str = "", **response: Any) -> list[Json]:
    """Begin a response, in whose `input` is the beginning of its text."""
    if text:
        part = {"type": "output_text", "text": text}
        response["input"] = [{"type": "message", "role": "assistant", "content": [part]}]
    return client.ask({"type": "response.create", "response": {"x_text_follows": True, **response}})


def append(text: str = "", **more: Any) -> Json:
    return {"type": "x.response.text.append", "text": text, **more}


def phrases(client: Client, message: Json) -> list[str]:
    """Return the phrases for which a message asks the voice."""
    outputs = [output for command in client.send(message) for output in client.session.receive(command, 0.0)]
    return [output.text for output in outputs if isinstance(output, Synthesize)]


@pytest.mark.parametrize("session", [CONVERSATION, CHAT], ids=["without a chat backend", "with one"])
@pytest.mark.parametrize("conversation", ["auto", "none"])
def test_text_is_spoken_from_its_first_phrase_on(session: Any, conversation: str) -> None:
    client = Client(session)
    assert begin(client, conversation=conversation)[0]["type"] == "response.created"
    assert phrases(client, append("Good morn")) == []
    assert phrases(client, append("ing. How are")) == ["Good morning. "]


def test_text_continues_the_message_of_the_assistant_in_the_input() -> None:
    client = Client()
    begin(client, "Good morn")
    assert phrases(client, append("ing. How are")) == ["Good morning. "]


def test_a_flush_speaks_what_there_is() -> None:
    client = Client()
    begin(client)
    assert phrases(client, append("Good morn")) == []
    assert phrases(client, append(flush=True)) == ["Good morn"]


def test_written_text_is_completed_by_its_last_part() -> None:
    client = Client()
    begin(client, output_modalities=["text"])
    assert [each["delta"] for each in client.ask(append("Good morn"))] == ["Good morn"]
    done = client.ask(append("ing.", final=True))[-1]
    assert done["response"]["status"] == "completed"
    assert done["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Good morning."}]


def test_a_cancelled_response_takes_no_more_text() -> None:
    client = Client()
    begin(client)
    assert client.send({"type": "response.cancel"}) == [CancelResponse()]
    assert client.ask({"type": "response.cancel"})[-1]["response"]["status"] == "cancelled"
    (error,) = client.ask(append("More.", event_id="event_7"))
    assert (error["error"]["code"], error["error"]["event_id"]) == ("response_not_active", "event_7")


def test_a_response_that_was_not_created_for_it_takes_no_text() -> None:
    client = Client()
    begin(client, "Good morning.", x_text_follows=False)
    assert client.ask(append("More."))[0]["error"]["code"] == "response_not_active"


def test_the_text_of_a_response_is_bounded() -> None:
    client = Client()
    begin(client)
    assert client.send(append("x" * LONGEST)) == [ExtendSpeech("x" * LONGEST)]
    with pytest.raises(RefusedRequest, match=f"at most {LONGEST} characters"):
        client.send(append("x"))
    begin(client, conversation="none")
    assert client.send(append("x")) == [ExtendSpeech("x")]


def test_the_text_of_a_response_ends_although_a_part_of_it_was_too_long() -> None:
    client = Client()
    begin(client, output_modalities=["text"])
    client.ask(append("Good morning."))
    with pytest.raises(RefusedRequest):
        client.send(append("x" * LONGEST))
    assert client.ask(append(final=True))[-1]["response"]["status"] == "completed"
