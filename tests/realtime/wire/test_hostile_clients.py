"""Hostile clients of Twilio's, Vosk's and WhisperLive's dialects: wrong messages between right ones, in any order."""

import base64
import json
from collections import Counter
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from realtime.session.jobs import Generate, ScoreWindows, Synthesize, Transcribe
from realtime.wire.codec import Close, Codec
from realtime.wire.first_message import FirstMessageCodec
from realtime.wire.twilio.codec import TwilioCodec
from realtime.wire.whisperlive.codec import WhisperLiveCodec
from realtime.wire.whisperlive.messages import END_OF_AUDIO
from tests.support.dialect_client import DialectClient
from tests.support.hostile import HOSTILE, hostile_texts
from tests.support.scripted_conversation import EngineJob, Microphone

SPEECH: Final = (b"\x80" * 8 + b"\x00" * 8) * 500
SILENCE: Final = b"\xff" * 8000
"""A second of sound and of silence, in mu-law."""


class Machine(RuleBasedStateMachine):
    """A client behind a session whose engines answer when the machine says so."""

    kinds: ClassVar[tuple[type[EngineJob], ...]] = (ScoreWindows, Transcribe)

    def __init__(self, open_codec: Any, **handshake: Any) -> None:
        super().__init__()
        self.client = DialectClient(open_codec, held=self.kinds, **handshake)
        self.microphone = Microphone()

    @property
    def codec(self) -> Codec:
        return self.client.codec

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.client.wait(seconds)

    @precondition(lambda self: self.client.conversation.waiting)
    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        conversation = self.client.conversation
        kinds = sorted({type(job) for job in conversation.waiting.values()}, key=lambda kind: kind.__name__)
        kind = data.draw(st.sampled_from(kinds))
        if fails and kind is not ScoreWindows:
            conversation.fail(kind)
        else:
            conversation.answer(kind)
        self.client.wait(0.0)

    def answer_all(self) -> None:
        for kind in self.kinds:
            self.client.conversation.release(kind)
        self.client.wait(0.0)


class TwilioMachine(Machine):
    """A telephone call."""

    kinds = (ScoreWindows, Transcribe, Generate, Synthesize)

    def __init__(self) -> None:
        super().__init__(TwilioCodec.open, chat=True)
        self.send("start", streamSid="MZ1", start={"customParameters": {"greeting": "Hello there, who is it?"}})

    def send(self, event: str, **fields: Any) -> None:
        self.client.send({"event": event, **fields})

    @rule(seconds=st.sampled_from([0.02, 0.5, 1.0]), loud=st.booleans(), track=st.sampled_from(["inbound", "outbound"]))
    def hear(self, seconds: float, loud: bool, track: str) -> None:
        sound = (SPEECH if loud else SILENCE)[: round(seconds * 8000)]
        self.send("media", media={"track": track, "payload": base64.b64encode(sound).decode()})

    @rule(key=st.sampled_from("0123456789*#ABCD"))
    def press(self, key: str) -> None:
        self.send("dtmf", dtmf={"digit": key})

    @rule(number=st.integers(-3, 50), name=st.text(max_size=5))
    def return_mark(self, number: int, name: str) -> None:
        marks = [each["mark"]["name"] for each in self.client.received() if each["event"] == "mark"]
        self.send("mark", mark={"name": marks[number % len(marks)] if marks and number >= 0 else name})

    @rule(text=hostile_texts(()) | st.binary(max_size=20))
    def send_nonsense(self, text: str | bytes) -> None:
        before = len(self.client.frames)
        self.client.send(text)
        assert len(self.client.frames) == before

    def teardown(self) -> None:
        assert {each["event"] for each in self.client.received()} <= {"media", "mark", "clear"}
        self.answer_all()
        before = len(self.client.frames)
        self.press("1")
        self.press("#")
        assert "media" in {each["event"] for each in self.client.received(before)}, "the call is alive to the end"
        self.send("stop")
        assert self.client.closed == Close()


class VoskMachine(Machine):
    """A client of vosk-server at the path that it shares."""

    def __init__(self) -> None:
        super().__init__(FirstMessageCodec)
        self.owed: Counter[str] = Counter()
        self.client.send({"config": {"sample_rate": 16_000}})

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.5]), loud=st.booleans())
    def hear(self, seconds: float, loud: bool) -> None:
        self.owed["answers"] += 1
        self.client.send(self.microphone.speech(seconds) if loud else self.microphone.silence(seconds))

    @rule(data=st.binary(max_size=333).filter(lambda data: data != END_OF_AUDIO))
    def send_any_bytes(self, data: bytes) -> None:
        self.owed["answers"] += 1
        self.client.send(data)

    @rule(words=st.booleans(), rate=st.sampled_from([8_000, 16_000, 48_000]), phrases=st.lists(st.text(), max_size=3))
    def configure(self, words: bool, rate: int, phrases: list[str]) -> None:
        self.client.send({"config": {"words": words, "sample_rate": rate, "phrase_list": phrases}})

    @rule()
    def reset(self) -> None:
        self.owed["answers"] += 1
        self.client.send({"reset": 1})

    @rule(text=hostile_texts(()))
    def send_nonsense(self, text: str) -> None:
        self.owed["errors"] += 1
        self.client.send(text)

    def teardown(self) -> None:
        self.client.send({"eof": 1})
        self.answer_all()
        *answers, close = self.client.received()
        assert close == Close()
        errors = [each for each in answers if "error" in each]
        assert len(errors) == self.owed["errors"]
        assert len(answers) - len(errors) == self.owed["answers"] + 1
        assert "text" in answers[-1]


class WhisperLiveMachine(Machine):
    """A client of WhisperLive."""

    def __init__(self) -> None:
        super().__init__(WhisperLiveCodec.open)
        self.warnings = 0
        self.client.send({"uid": "me", "audio_format": "int16", "send_last_n_segments": 3})

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.5]), loud=st.booleans())
    def hear(self, seconds: float, loud: bool) -> None:
        self.client.send(self.microphone.speech(seconds) if loud else self.microphone.silence(seconds))

    @rule(data=st.binary(max_size=333).filter(lambda data: data != END_OF_AUDIO))
    def send_any_bytes(self, data: bytes) -> None:
        self.client.send(data)

    @rule(text=hostile_texts(()))
    def send_nonsense(self, text: str) -> None:
        self.warnings += 1
        self.client.send(text)

    def teardown(self) -> None:
        self.client.send(END_OF_AUDIO)
        self.answer_all()
        *messages, close = self.client.received()
        assert close == Close()
        assert sum("status" in each for each in messages) == self.warnings
        for segments in (each["segments"] for each in messages if "segments" in each):
            assert len(segments) <= 4
            assert all(each["completed"] for each in segments[:-1])
            times = [float(each[edge]) for each in segments for edge in ("start", "end")]
            assert times == sorted(times), "clients drop a segment that begins before the end of the last"
        json.dumps(messages)


TestTwilio = TwilioMachine.TestCase
TestTwilio.settings = HOSTILE
TestVosk = VoskMachine.TestCase
TestVosk.settings = HOSTILE
TestWhisperLive = WhisperLiveMachine.TestCase
TestWhisperLive.settings = HOSTILE
