import json
from pathlib import Path

import pytest

from realtime.errors import EngineError
from realtime.session.commands import CancelResponse, Speak
from realtime.session.events import CommandRefused, RefusalReason
from realtime.session.jobs import SynthesisFinished, Synthesize
from realtime.wire.codec import Close
from tests.support.deepgram_client import DeepgramClient, Json, opened

GOLDEN = Path(__file__).parents[3] / "data" / "deepgram_speak.jsonl"
FLUSH, CLEAR, CLOSE, KEEP_ALIVE = ({"type": each} for each in ("Flush", "Clear", "Close", "KeepAlive"))
BYTES_PER_CHARACTER = 2 * 24_000 // 10
"""Bytes of the scripted voice."""


def speech(text: str) -> Json:
    return {"type": "Speak", "text": text}


def types(messages: list[Json]) -> list[str]:
    return [message["type"] for message in messages]


def test_a_whole_connection_is_as_recorded() -> None:
    """Whoever changes what is sent writes the file anew, by `GOLDEN.write_text`."""
    client = DeepgramClient("/v1/speak", model="aura-2-thalia-en")
    for text in ("Hello ", "there. ", "How are ", "you?"):
        client.send(speech(text))
    client.send(FLUSH)
    client.send(speech("This is not heard"))
    client.send(CLEAR)
    client.send("Hello")
    client.send(speech("Bye."))
    client.send(CLOSE)
    assert client.closed == Close(1000)
    written = "".join(json.dumps(message, separators=(",", ":")) + "\n" for message in client.messages)
    assert written == GOLDEN.read_text(encoding="utf-8")


def test_the_connection_begins_with_its_metadata() -> None:
    (metadata,) = DeepgramClient("/v1/speak", model="amber").messages
    assert (metadata["type"], metadata["request_id"], metadata["model_name"]) == ("Metadata", "sess_1", "amber")


def test_nothing_is_transcribed() -> None:
    assert DeepgramClient("/v1/speak").codec.only_speaks
    assert not DeepgramClient("/v1/listen").codec.only_speaks


def test_a_flush_is_answered_after_the_speech_of_all_text_before_it() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("Ten chars."))
    assert client.send(FLUSH) == []
    assert client.release(Synthesize) == [{"type": "Flushed", "sequence_id": 0}]
    assert len(client.audio) == 10 * BYTES_PER_CHARACTER


def test_text_of_the_next_flush_is_spoken_after_that_of_the_last() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    for text in ("One.", "Two.", "Three."):
        client.send(speech(text))
        client.send(FLUSH)
    assert [each["sequence_id"] for each in client.release(Synthesize)] == [0, 1, 2]
    client.send(speech("Four."))
    assert client.send(FLUSH) == [{"type": "Flushed", "sequence_id": 3}]
    texts = [job.text for job in client.conversation.outputs_of(Synthesize)]
    assert texts == ["One.", "Two.", "Three.", "Four."]


def test_a_flush_without_text_is_answered() -> None:
    assert DeepgramClient("/v1/speak").send(FLUSH) == [{"type": "Flushed", "sequence_id": 0}]


def test_a_clear_drops_what_was_not_spoken() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("This is a long text. It is cleared."))
    client.send(FLUSH)
    assert client.send(CLEAR) == [{"type": "Cleared", "sequence_id": 0}]
    assert client.release(Synthesize) == []
    assert client.audio == b""
    client.send(speech("New."))
    assert client.send(FLUSH) == [{"type": "Flushed", "sequence_id": 0}]
    assert len(client.audio) == 4 * BYTES_PER_CHARACTER


def test_what_was_spoken_before_a_clear_was_carried_out_is_sent() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("Old."))
    client.send(FLUSH)
    clear = client.codec.decode(json.dumps(CLEAR))
    assert client.release(Synthesize) == [{"type": "Flushed", "sequence_id": 0}]
    assert len(client.audio) == 4 * BYTES_PER_CHARACTER
    for command in clear:
        assert isinstance(command, CancelResponse)
        client.conversation.send(command)
    client.deliver()
    assert client.messages[-1]["type"] == "Cleared"


def test_a_clear_without_text_is_answered() -> None:
    client = DeepgramClient("/v1/speak")
    assert [client.send(CLEAR)[0]["sequence_id"] for _ in range(3)] == [0, 1, 2]


def test_a_clear_of_speech_that_is_over_is_answered() -> None:
    client = DeepgramClient("/v1/speak")
    commands = client.codec.decode(json.dumps(CLEAR))
    (frame,) = client.codec.encode(CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, commands[-1]))  # type: ignore[arg-type]
    assert isinstance(frame, str)
    assert json.loads(frame)["type"] == "Cleared"


def test_the_connection_ends_after_the_rest_of_the_speech() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("The rest"))
    client.send(CLOSE)
    assert client.send(speech("More")) == client.send(FLUSH) == []
    assert client.closed is None
    client.release(Synthesize)
    assert client.closed == Close(1000)
    assert len(client.audio) == 8 * BYTES_PER_CHARACTER


def test_a_connection_without_text_can_be_closed() -> None:
    client = DeepgramClient("/v1/speak")
    client.send(KEEP_ALIVE)
    client.send(CLOSE)
    assert client.closed == Close(1000)


def test_text_that_waits_is_limited_and_spoken_text_does_not_count() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("Words. " * 20))
    (warning,) = client.send(speech("Words. " * 20))
    assert (warning["type"], warning["code"], warning["warn_code"]) == ("Warning", "too_large", "too_large")
    client.send(FLUSH)
    client.release(Synthesize)
    assert client.send(speech("Words. " * 20)) == []


def test_text_of_which_nothing_can_be_spoken_is_a_warning() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("ζ"))
    client.send(CLOSE)
    (number,) = client.conversation.waiting
    client.conversation.send(SynthesisFinished(number))
    client.deliver()
    warning = client.messages[-1]
    assert (warning["type"], warning["code"]) == ("Warning", "unsupported_language")
    assert client.closed == Close(1000)


def test_a_voice_that_fails_ends_the_connection() -> None:
    client = DeepgramClient("/v1/speak", held=(Synthesize,))
    client.send(speech("Hello there."))
    client.send(FLUSH)
    client.conversation.fail(Synthesize)
    client.deliver()
    error = client.messages[-1]
    assert (error["type"], error["code"]) == ("Error", EngineError.code)
    assert client.closed is not None
    assert (client.closed.code, client.closed.reason[:8]) == (1011, "NET-0000")


def test_speech_is_sent_as_fast_as_it_is_made_and_does_not_keep_the_session_busy() -> None:
    client = DeepgramClient("/v1/speak")
    client.send(speech("A sentence of ten seconds, " * 4))
    client.send(FLUSH)
    assert len(client.audio) > 10 * 48_000
    assert not client.conversation.session.responding
    assert opened("/v1/speak").idle_timeout_seconds is None


def test_the_speed_and_the_voice_of_the_query_are_those_of_the_speech() -> None:
    client = DeepgramClient("/v1/speak", model="amber", speed="1.5", held=(Synthesize,))
    client.send(speech("Hello there."))
    client.send(FLUSH)
    (job,) = client.conversation.pending(Synthesize)
    assert (job.voice, job.speed) == ("amber", 1.5)


@pytest.mark.parametrize("message", [b"", b"Hello", "Hello", '{"type":"Speak"}', '{"type":"Finalize"}'])
def test_a_message_that_is_none_of_the_protocol_has_one_warning_and_the_connection_goes_on(
    message: str | bytes,
) -> None:
    client = DeepgramClient("/v1/speak")
    assert types(client.send(message)) == ["Warning"]
    assert types(client.send(FLUSH)) == ["Flushed"]


def test_other_events_of_the_session_mean_nothing_here() -> None:
    assert opened("/v1/speak").encode(CommandRefused(RefusalReason.RESPONSE_IN_PROGRESS, Speak("x"))) == []
