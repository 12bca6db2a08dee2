"""Whatever a client sends, at any pace of the engines: one answer each, and no connection that hangs."""

import json
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from realtime.session.jobs import ScoreWindows, Synthesize, Transcribe
from tests.support.deepgram_client import DeepgramClient
from tests.support.hostile import HOSTILE, hostile_texts
from tests.support.scripted_conversation import EngineJob, Microphone

LISTEN_MESSAGES: Final = ("KeepAlive", "Finalize", "Configure")
SPEAK_MESSAGES: Final = ("Flush", "Clear", "KeepAlive")


class ListenMachine(RuleBasedStateMachine):
    """A client of `/v1/listen` behind a session whose engines answer when the machine says so."""

    kinds: tuple[type[EngineJob], ...] = (ScoreWindows, Transcribe)
    channels = 1

    def __init__(self) -> None:
        super().__init__()
        self.client = DeepgramClient(
            "/v1/listen", held=self.kinds, encoding="linear16", sample_rate="16000", interim_results="true",
            utterance_end_ms="1000", vad_events="true", multichannel="true", channels=str(self.channels),
        )  # fmt: skip
        self.microphone = Microphone()
        self.finalized = 0
        self.configured = 0

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.5, 2.5]), loud=st.booleans())
    def hear(self, seconds: float, loud: bool) -> None:
        self.client.send(self.microphone.speech(seconds) if loud else self.microphone.silence(seconds))

    @rule(data=st.binary(max_size=333))
    def send_any_bytes(self, data: bytes) -> None:
        self.client.send(data)

    @rule(kind=st.sampled_from(LISTEN_MESSAGES))
    def send(self, kind: str) -> None:
        self.finalized += kind == "Finalize"
        self.configured += kind == "Configure"
        self.client.send({"type": kind})

    @rule(text=hostile_texts(LISTEN_MESSAGES))
    def send_nonsense(self, text: str) -> None:
        errors = len(self.client.of("Error"))
        self.client.send(text)
        assert len(self.client.of("Error")) == errors + 1

    @precondition(lambda self: self.client.conversation.waiting)
    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        kinds = sorted({type(job) for job in self.client.conversation.waiting.values()}, key=lambda kind: kind.__name__)
        kind = data.draw(st.sampled_from(kinds))
        if fails and kind is Transcribe:
            self.client.conversation.fail(kind)
        else:
            self.client.conversation.answer(kind)
        self.client.deliver()

    def teardown(self) -> None:
        self.client.send({"type": "CloseStream"})
        for kind in self.kinds:
            self.client.release(kind)
        assert self.client.closed is not None
        assert self.client.messages[-1]["type"] == "Metadata"
        assert len(self.client.of("ConfigureSuccess")) == self.configured
        for channel in range(self.channels):
            index = [channel, self.channels]
            results = [result for result in self.client.of("Results") if result["channel_index"] == index]
            assert sum(result["from_finalize"] for result in results) == self.finalized
            starts = [result["start"] for result in results if result["is_final"]]
            assert starts == sorted(starts), "the results of a channel are in the order of the audio"


class StereoMachine(ListenMachine):
    """A client with two speakers, whose samples are those of one stream in turn."""

    channels = 2


class SpeakMachine(RuleBasedStateMachine):
    """A client of `/v1/speak` behind a session whose voice answers when the machine says so."""

    def __init__(self) -> None:
        super().__init__()
        self.client = DeepgramClient("/v1/speak", held=(Synthesize,))
        self.flushed = 0
        self.cleared = 0

    @rule(text=st.text(alphabet="ab .,\n!ζ", max_size=60))
    def speak(self, text: str) -> None:
        self.client.send({"type": "Speak", "text": text})

    @rule(kind=st.sampled_from(SPEAK_MESSAGES))
    def send(self, kind: str) -> None:
        self.cleared += kind == "Clear"
        self.flushed += kind == "Flush"
        self.client.send({"type": kind})

    @rule(text=hostile_texts((*SPEAK_MESSAGES, "Close")) | st.binary(max_size=20))
    def send_nonsense(self, text: str | bytes) -> None:
        warnings = len(self.client.of("Warning"))
        self.client.send(text)
        assert len(self.client.of("Warning")) == warnings + 1

    @precondition(lambda self: self.client.conversation.waiting)
    @rule()
    def answer(self) -> None:
        self.client.conversation.answer(Synthesize)
        self.client.deliver()

    def teardown(self) -> None:
        self.client.send({"type": "Close"})
        self.client.release(Synthesize)
        assert self.client.closed is not None
        assert len(self.client.of("Cleared")) == self.cleared
        assert len(self.client.of("Flushed")) <= self.flushed, "a cleared flush may have no answer"
        numbers = [message["sequence_id"] for message in self.client.of("Flushed")]
        assert numbers == list(range(len(numbers)))
        json.dumps(self.client.messages)


TestListening = ListenMachine.TestCase
TestListening.settings = HOSTILE
TestListeningToTwo = StereoMachine.TestCase
TestListeningToTwo.settings = HOSTILE
TestSpeaking = SpeakMachine.TestCase
TestSpeaking.settings = HOSTILE
