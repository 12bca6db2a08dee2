"""Whatever a client of the OpenAI dialect sends, and whenever: one error for each message, and the session goes on."""

import base64
import json
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ClientError
from realtime.session.events import CommandRefused
from realtime.session.generation import ChatFinished, ChatFinishReason, ChatTextDelta
from realtime.session.jobs import CancelJob, Generate, ScoreTurn, ScoreWindows, Synthesize, Transcribe
from realtime.wire.codec import Answer, MediaChunk, VoiceRecording
from tests.support.openai_dialect import BETA, CHAT, CONVERSATION, TRANSCRIPTION, Client, Json, checked, create
from tests.support.scripted_conversation import Conversation

LOUD: Final = base64.b64encode(b"\x10\x27" * 24_000).decode()
ODD: Final = base64.b64encode(b"\x10" * 4_001).decode()
ITEMS: Final = ("item_1", "item_a", "", "root", "x" * 200)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 10**30, -(10**30), 1e308, 0.5, 2**63]),
    st.sampled_from(["", "auto", "text", "audio", "none", "inf", "realtime", "\u0000", "\ud800", "x" * 5_000, *ITEMS]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
deep = st.sampled_from(["[" * 100_000, '{"type":' * 5_000, '{"a":' * 2_000 + "1" + "}" * 2_000])
parts = st.builds(
    lambda kind, text: {"type": kind, "text": text, "transcript": text, "audio": ODD},
    st.sampled_from(["input_text", "output_text", "input_audio", "input_image", "audio", "x"]),
    st.sampled_from(["Hello.", "", "x" * 40_000]),
)
messages_of = st.builds(
    lambda role, content, more: {"type": "message", "role": role, "content": content, **more},
    st.sampled_from(["user", "assistant", "system"]),
    st.lists(parts, max_size=3),
    st.sampled_from([{"id": "item_a"}, {"id": "item_b"}, {}]),
)
calls = st.sampled_from(
    [
        {"type": "function_call", "call_id": "call_1", "name": "dim", "arguments": "{"},
        {"type": "function_call_output", "call_id": "call_9", "output": ""},
        {"type": "item_reference", "id": "item_a"},
        {"type": "item_reference", "id": "item_none"},
    ]
)
detections = st.sampled_from(
    [
        None,
        {"type": "server_vad"},
        {"type": "semantic_vad", "eagerness": "high"},
        {"type": "server_vad", "threshold": 7},
    ]
)
sessions = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["realtime", "transcription", "x"]),
        "instructions": values,
        "output_modalities": st.sampled_from([["text"], ["audio"], [], "text"]),
        "audio": st.builds(
            lambda detection, kind, rate: {
                "input": {"turn_detection": detection, "format": {"type": kind, "rate": rate}, "transcription": {}}
            },
            detections,
            st.sampled_from(["audio/pcm", "audio/pcmu", "audio/webm", "audio/opus"]),
            st.sampled_from([None, 8_000, 24_000, 44_100]),
        ),
        "tools": values,
        "max_output_tokens": values,
        "turn_detection": detections,
    },
)


def event(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional={"event_id": scalars, **fields})


events = st.one_of(
    event("input_audio_buffer.append", audio=st.sampled_from([LOUD, LOUD, ODD, "", "?", "AAA", 7])),
    event("input_audio_buffer.commit"),
    event("input_audio_buffer.clear"),
    event("output_audio_buffer.clear"),
    event("session.update", session=sessions | values),
    event("transcription_session.update", session=sessions | values),
    event("conversation.item.create", item=messages_of | calls | values, previous_item_id=st.sampled_from(ITEMS)),
    event("conversation.item.delete", item_id=st.sampled_from(ITEMS)),
    event("conversation.item.retrieve", item_id=st.sampled_from(ITEMS)),
    event("conversation.item.truncate", item_id=st.sampled_from(ITEMS), content_index=values, audio_end_ms=values),
    event(
        "response.create",
        response=st.fixed_dictionaries(
            {},
            optional={
                "conversation": st.sampled_from(["auto", "none", 1]),
                "input": st.lists(messages_of | calls, max_size=2) | values,
                "instructions": st.sampled_from(["Hello.", None, 1]),
                "output_modalities": st.sampled_from([["text"], ["audio"], None]),
                "metadata": values,
                "x_text_follows": st.booleans(),
            },
        )
        | values,
    ),
    event(
        "x.response.text.append",
        text=st.sampled_from(["Hello. How", " are you", "", "x" * 40_000, 1]),
        flush=st.booleans(),
        final=st.booleans(),
    ),
    event("response.cancel", response_id=st.sampled_from(["resp_1", "resp_9", None, 1])),
    event("x", session=values),
    values,
)
texts = st.one_of(events.map(json.dumps), deep, st.text(max_size=20))
steps = st.one_of(texts, texts, texts, st.binary(max_size=9), st.sampled_from([("answer",), ("wait",)]))


class HostileClient(Client):
    """A client whose session has engines that answer when they are told to."""

    def __init__(self, session: Any, *, beta: bool) -> None:
        super().__init__(session, handshake=BETA if beta else None)
        self.engines = Conversation(session.config, held=(ScoreWindows, ScoreTurn, Transcribe, Synthesize, Generate))
        self.engines.chat = lambda _: [ChatTextDelta("It is ten."), ChatFinished(ChatFinishReason.STOP)]
        self.beta = beta
        self.reported = 0

    def step(self, step: Any) -> None:
        """Take one step; what a client sends is answered by one error at most."""
        if step == ("answer",):
            for job in list(self.engines.waiting.values())[:1]:
                self.engines.answer(type(job))
            self.report()
        elif step == ("wait",):
            self.engines.wait(0.5)
            self.report()
        else:
            assert self.say(step) <= 1

    def say(self, message: str | bytes) -> int:
        """Send a message; return the number of errors that answer it at once."""
        try:
            commands = self.codec.decode(message)
        except ClientError as error:
            self.check(self.codec.encode_error(error))
            return 1
        for command in commands:
            if not isinstance(command, MediaChunk | VoiceRecording | Answer):
                self.engines.send(command)
        return self.report()

    def report(self) -> int:
        """Encode what the session has reported since; return the number of errors."""
        fresh = self.engines.outputs[self.reported :]
        self.reported = len(self.engines.outputs)
        for output in fresh:
            if not isinstance(output, ScoreWindows | ScoreTurn | Transcribe | Synthesize | Generate | CancelJob):
                self.check(self.codec.encode(output))
        return sum(isinstance(output, CommandRefused) for output in fresh)

    def check(self, frames: Any) -> None:
        # The types of OpenAI's client have neither the beta's events nor the formats that are an extension.
        checked([frame for frame in frames if not (self.beta or '"session":' in frame)])
        assert all(len(frame) < 2**20 for frame in frames if isinstance(frame, str | bytes))


@given(
    st.lists(steps, max_size=12),
    st.sampled_from([(CHAT, False), (CONVERSATION, False), (TRANSCRIPTION, False), (CHAT, True)]),
)
def test_a_hostile_client_gets_one_error_for_each_message_and_its_session_goes_on(
    script: list[Any], opening: tuple[Any, bool]
) -> None:
    session, beta = opening
    client = HostileClient(session, beta=beta)
    for step in script:
        client.step(step)
    for held in (ScoreWindows, ScoreTurn, Transcribe, Synthesize, Generate):
        client.engines.release(held)
    client.engines.wait(60)
    client.report()
    assert client.say(json.dumps({"type": "session.update", "session": {}})) == 0
    if session is not TRANSCRIPTION and not any("transcription" in each for each in script if isinstance(each, str)):
        assert client.say(json.dumps(create("Hello.", item={"id": "item_last"}))) == 0
        assert client.say(json.dumps({"type": "conversation.item.retrieve", "item_id": "item_last"})) == 0
