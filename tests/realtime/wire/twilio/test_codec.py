"""The dialect of Twilio's Media Streams."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from realtime.audio.formats import AudioFormat, Encoding
from realtime.session.conversation import Message
from realtime.session.generation import ChatNotConfigured
from realtime.wire.codec import Close
from realtime.wire.twilio.codec import IDLE_SECONDS, TwilioCodec
from realtime.wire.twilio.keypad import ENTRY_PAUSE, MAX_KEYS, Keypad
from realtime.wire.twilio.playback import MAX_MARKS, Heard, Playback
from tests.support.dialect_client import DialectClient, handshake

GOLDEN = Path(__file__).parents[3] / "data" / "twilio_call.jsonl"
SPEECH, SILENCE = (b"\x80" * 8 + b"\x00" * 8) * 10, b"\xff" * 160
"""20 ms of sound and of silence, in mu-law."""
GREETING = "Hello, this is the office, how may I help you?"


class Call(DialectClient):
    """A telephone call; it returns marks when it has played what is before them."""

    def __init__(self, *, media_format: Any = None, **parameters: Any) -> None:
        super().__init__(TwilioCodec.open, chat=True)
        self.returned = 0
        """Messages of the session that were looked at for marks."""
        self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {"streamSid": "MZ1", "callSid": "CA1", "customParameters": parameters, "tracks": ["inbound"]}
        start |= {"mediaFormat": media_format} if media_format else {}
        self.send({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start})

    def hear(self, sound: bytes, seconds: float, track: str = "inbound") -> list[Any]:
        """Send a sound again and again in real time; return what came meanwhile."""
        before = len(self.frames)
        for _ in range(round(seconds * 50)):
            media = {"track": track, "chunk": "1", "timestamp": "5", "payload": base64.b64encode(sound).decode()}
            self.send({"event": "media", "sequenceNumber": "2", "streamSid": "MZ1", "media": media})
            self.wait(0.02)
        return self.received(before)

    def play(self, milliseconds: int) -> None:
        """Return the marks of the speech so far that ends within this time of its item."""
        for message in self.received(self.returned):
            self.returned += 1
            if not isinstance(message, Close) and message["event"] == "mark":
                if int(message["mark"]["name"].rpartition(":")[2]) > milliseconds:
                    return
                self.send(message)

    def press(self, keys: str) -> list[Any]:
        before = len(self.frames)
        for key in keys:
            self.send({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": key}})
        return self.received(before)

    @property
    def said(self) -> list[str]:
        """The messages of the conversation, as the chat backend is sent them."""
        items = self.conversation.session._conversation
        return [item.content.text for item in items if isinstance(item.content, Message)]


def kinds(messages: list[Any]) -> set[str]:
    return {message["event"] for message in messages}


def test_a_call_without_a_chat_backend_is_refused() -> None:
    with pytest.raises(ChatNotConfigured):
        TwilioCodec.open(handshake())


def test_a_call_is_in_the_format_of_the_telephone_and_ends_when_nothing_comes() -> None:
    call = Call()
    mulaw = AudioFormat(Encoding.MULAW, 8000)
    assert call.codec.config.input_format == call.codec.config.output_format == mulaw
    assert call.codec.idle_timeout_seconds == IDLE_SECONDS
    assert call.frames == []


def test_the_parameters_of_the_stream_configure_the_call() -> None:
    config = Call(language="de-DE", voice="bright", instructions="You are a baker.").codec.config
    assert (config.language, config.voice, config.instructions) == ("de", "bright", "You are a baker.")
    assert Call(voice="unknown").codec.config.voice == "calm"


def test_the_greeting_is_the_first_that_the_caller_hears() -> None:
    call = Call(greeting=GREETING)
    play, mark = call.received()[:2]
    assert (play["event"], play["streamSid"]) == ("media", "MZ1")
    assert len(base64.b64decode(play["media"]["payload"])) == 40 * 8
    assert mark["event"] == "mark"
    assert mark["mark"]["name"].endswith(":40")
    call.wait(10)
    assert call.said == [GREETING]


def test_a_spoken_turn_is_answered() -> None:
    call = Call()
    call.hear(SPEECH, 1.0)
    assert call.hear(SILENCE, 1.0) == []
    assert kinds(call.transcribe("Good morning.")) == {"media", "mark"}
    assert call.said == ["Good morning.", "You said: Good morning."]


def test_a_caller_who_interrupts_is_not_spoken_over_and_the_answer_keeps_what_was_heard() -> None:
    call = Call(greeting=GREETING)
    call.hear(SILENCE, 2.0)
    call.play(1400)
    assert call.hear(SPEECH, 0.5) == [{"event": "clear", "streamSid": "MZ1"}]
    assert call.said[0] == "Hello, this"


def test_marks_that_come_back_after_clear_say_nothing() -> None:
    call = Call(greeting=GREETING)
    call.hear(SILENCE, 2.0)
    call.play(1400)
    call.hear(SPEECH, 0.5)
    call.play(10_000)
    call.hear(SPEECH, 0.5)
    assert call.said[0] == "Hello, this"


def test_where_no_mark_ever_comes_back_the_answer_keeps_what_was_played_by_the_clock() -> None:
    call = Call(greeting=GREETING)
    call.hear(SILENCE, 1.0)
    assert call.hear(SPEECH, 0.5)[-1]["event"] == "clear"
    assert call.said[0] == "Hello, this"


def test_a_caller_who_speaks_after_the_end_of_an_answer_interrupts_nothing() -> None:
    call = Call(greeting=GREETING)
    call.wait(10)
    call.play(10_000)
    assert call.hear(SPEECH, 0.5) == []
    assert call.said == [GREETING]


def test_the_other_track_of_a_stream_is_not_listened_to() -> None:
    call = Call()
    call.hear(SPEECH, 1.0, track="outbound")
    call.hear(SILENCE, 1.0)
    assert call.said == []


def test_keys_up_to_the_hash_are_one_message_and_are_answered() -> None:
    call = Call()
    assert call.press("12") == []
    assert kinds(call.press("#")) == {"media", "mark"}
    assert call.said == ["DTMF: 12", "You said: DTMF: 12"]


def test_keys_without_a_hash_are_complete_after_a_pause() -> None:
    call = Call()
    call.press("1")
    assert call.hear(SILENCE, ENTRY_PAUSE - 0.1) == []
    assert kinds(call.hear(SILENCE, 0.1)) == {"media", "mark"}
    assert call.said == ["DTMF: 1", "You said: DTMF: 1"]


def test_a_key_interrupts_what_is_said() -> None:
    call = Call(greeting=GREETING)
    call.wait(2.0)
    call.play(1400)
    assert call.press("1") == [{"event": "clear", "streamSid": "MZ1"}]
    call.press("2#")
    assert call.said[:2] == ["Hello, this", "DTMF: 12"]


def test_the_end_of_the_stream_ends_the_connection() -> None:
    call = Call()
    assert call.send({"event": "stop", "sequenceNumber": "5", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}) == [
        Close()
    ]


@pytest.mark.parametrize(
    ("parameters", "close"),
    [
        ({"language": "Klingon"}, Close(1008, "invalid_value")),
        ({"greeting": "x" * 1001}, Close(1009, "too_large")),
        ({"media_format": {"encoding": "audio/x-l16", "sampleRate": 8000}}, Close(1003, "unsupported_audio")),
        ({"media_format": {"encoding": "audio/x-mulaw", "sampleRate": 16000}}, Close(1003, "unsupported_audio")),
    ],
)
def test_a_stream_that_cannot_be_served_as_asked_for_is_closed(parameters: Any, close: Close) -> None:
    assert Call(**parameters).frames == [close]


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        b"\xff\xfe",
        "[" * 100_000,
        "\ud800",
        json.dumps({"event": "unknown"}),
        json.dumps({"event": "media", "media": {"payload": "!"}}),
        json.dumps({"event": "dtmf", "dtmf": {"digit": "12"}}),
        json.dumps({"event": "start", "streamSid": "MZ2", "start": {}}),
    ],
)
def test_a_message_that_is_refused_has_no_answer_and_the_call_goes_on(message: str | bytes) -> None:
    call = Call()
    assert call.send(message) == []
    assert kinds(call.press("1#")) == {"media", "mark"}


def test_nothing_is_taken_before_the_stream_begins() -> None:
    client = DialectClient(TwilioCodec.open, chat=True)
    assert client.send({"event": "dtmf", "dtmf": {"digit": "#"}}) == []
    assert client.conversation.outputs == []


# Parts.


def test_marks_that_are_never_returned_are_forgotten_at_last() -> None:
    playback = Playback()
    names = [playback.add("item", number) for number in range(MAX_MARKS + 1)]
    playback.reached(names[0])
    assert playback.clear() == []
    assert not playback.playing


def test_of_an_item_that_nobody_has_begun_to_hear_nothing_is_kept() -> None:
    playback = Playback()
    playback.reached(playback.add("one", 100))
    playback.add("one", 200)
    playback.add("two", 100)
    assert playback.clear() == [Heard("one", 100), Heard("two", 0)]


def test_an_entry_is_complete_with_its_last_possible_key() -> None:
    keypad = Keypad()
    assert [keypad.press("1") for _ in range(MAX_KEYS)] == [""] * (MAX_KEYS - 1) + ["1" * MAX_KEYS]


def test_a_hash_alone_is_an_entry() -> None:
    assert Keypad().press("#") == "#"


# The golden conversation.


def short(message: Any) -> Any:
    """Return a message with the length of its audio instead of the audio."""
    if isinstance(message, Close):
        return {"close": message.code}
    if "payload" in message.get("media", {}):
        audio = base64.b64decode(message["media"]["payload"])
        message["media"]["payload"] = f"<{len(audio)} bytes of mu-law>"
    return message


def test_a_call_looks_as_documented() -> None:
    """Compare the golden call, in which `times` repeats a message and `heard` is what the recognizer makes of it."""
    golden = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    client = DialectClient(TwilioCodec.open, chat=True)
    lines: list[Any] = []
    for line in golden:
        if line["from"] == "twilio":
            before = len(client.frames)
            message = json.dumps(line["message"])
            for name, sound in (("<speech>", SPEECH), ("<silence>", SILENCE)):
                message = message.replace(name, base64.b64encode(sound).decode())
            for _ in range(line.get("times", 1)):
                client.send(message)
                client.wait(0.02)
            client.transcribe(line.get("heard", ""))
            lines += [line, *({"from": "vivavoce", "message": short(each)} for each in client.received(before))]
    assert lines == golden
