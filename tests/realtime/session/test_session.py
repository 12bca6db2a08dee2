import io
import itertools
import pickle
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.errors import EngineError
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, CommitAudio, Configure, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCommitted,
    Event,
    Input,
    Output,
    SessionConfigured,
    SpeechStarted,
    TranscriptCompleted,
)
from realtime.session.jobs import (
    JobFailed,
    ScoreWindows,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
    Transcribe,
    Transcribed,
    WindowsScored,
)
from realtime.session.listening import MAX_DEFERRED
from realtime.session.response_events import ResponseAudioExtended, ResponseFinished, ResponseStatus
from realtime.session.session import Session
from realtime.speech.recognition import TranscriptionRequest
from tests.support.scripted_conversation import Conversation, Microphone, configured, hypothesis_of, words_between

Kind = TypeVar("Kind")

TEXT = "This is an answer of one sentence that takes a while to speak. And this is another one of the kind."


def interrupted(**changes: object) -> Conversation:
    """The user begins to speak while a response is being spoken."""
    conversation, microphone = Conversation(configured(**changes)), Microphone()
    conversation.send(Speak(TEXT))
    conversation.hear(microphone.silence(0.5), microphone.speech(0.5))
    assert len(conversation.outputs_of(SpeechStarted)) == 1
    return conversation


def memory(conversation: Conversation) -> int:
    """Samples of audio the session has room for: the one place where a session could grow."""
    return len(conversation.buffers[0]._data)


# Barge-in.


def test_speech_interrupts_the_response() -> None:
    conversation = interrupted()
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.reason) == (ResponseStatus.CANCELLED, "turn_detected")
    order = [type(event) for event in conversation.outputs_of(SpeechStarted, ResponseFinished)]
    assert order == [SpeechStarted, ResponseFinished]


def test_after_a_barge_in_no_audio_of_the_response_is_sent() -> None:
    conversation = interrupted()
    sent = len(conversation.outputs_of(ResponseAudioExtended))
    conversation.wait(60.0)
    assert len(conversation.outputs_of(ResponseAudioExtended)) == sent


def test_speech_interrupts_only_where_that_is_wanted() -> None:
    conversation = interrupted(interrupt_response=False)
    assert conversation.outputs_of(ResponseFinished) == []
    conversation.wait(60.0)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.status is ResponseStatus.COMPLETED


def test_speech_does_not_interrupt_a_recording() -> None:
    conversation, microphone = Conversation(held=(Synthesize,)), Microphone()
    conversation.send(Speak(TEXT, in_conversation=False))
    conversation.hear(microphone.speech(1.0))
    conversation.release(Synthesize)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.text) == (ResponseStatus.COMPLETED, TEXT)


def test_a_turn_committed_by_hand_interrupts_nothing() -> None:
    conversation, microphone = Conversation(configured(turn_detection=None), held=(Synthesize,)), Microphone()
    conversation.send(Speak(TEXT))
    conversation.hear(microphone.speech(1.0))
    conversation.send(CommitAudio())
    assert conversation.outputs_of(ResponseFinished) == []


def test_the_user_is_understood_while_a_response_is_spoken() -> None:
    conversation, microphone = Conversation(configured(interrupt_response=False)), Microphone()
    conversation.send(Speak(TEXT * 5))
    conversation.hear(microphone.speech(3.2), microphone.silence(1.0))
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert completed.text == words_between(0, 3.2)


TALK, PAUSE, IGNORE, INTERRUPT = "talk", "pause", "ignore", "interrupt"


@given(
    steps=st.lists(st.sampled_from([TALK, TALK, PAUSE, PAUSE, IGNORE, INTERRUPT]), max_size=8),
    answers=st.lists(st.integers(0, 3), min_size=8, max_size=8),
)
@example(steps=[IGNORE, PAUSE, TALK], answers=[0] * 8)
@example(steps=[TALK, IGNORE, PAUSE, TALK], answers=[0] * 8)
def test_whether_speech_interrupts_depends_on_the_audio_and_not_on_the_detectors_speed(
    steps: list[str], answers: list[int]
) -> None:
    """A long response is in progress; after each step so many scores are answered, and in the end all."""

    def outcome(held: tuple[type[ScoreWindows], ...]) -> list[Event]:
        conversation, microphone = Conversation(configured(transcribe=False), held=held), Microphone()
        conversation.send(Speak(TEXT * 5))
        for step, count in zip(steps, answers, strict=False):
            match step:
                case "talk":
                    conversation.send(AppendAudio(microphone.speech(0.5)))
                case "pause":
                    conversation.send(AppendAudio(microphone.silence(1.0)))
                case _:
                    interrupts = step == INTERRUPT
                    conversation.send(Configure(configured(transcribe=False, interrupt_response=interrupts)))
            for _ in range(count):
                if conversation.pending(ScoreWindows):
                    conversation.answer(ScoreWindows)
        conversation.release(ScoreWindows)
        return conversation.events

    assert outcome((ScoreWindows,)) == outcome(())


# Answers and requests.


@pytest.mark.parametrize(
    "answer",
    [
        WindowsScored(99, [1.0] * 8, np.zeros(1, np.float32)),
        Transcribed(99, hypothesis_of("unasked")),
        SpeechSynthesized(99, np.ones(2400, np.float32), 24_000),
        SynthesisFinished(99),
        JobFailed(99, EngineError("unasked")),
    ],
)
def test_an_answer_that_is_not_awaited_is_dropped(answer: Input) -> None:
    conversation, microphone = Conversation(held=(ScoreWindows, Transcribe, Synthesize)), Microphone()
    conversation.hear(microphone.speech(0.1))
    conversation.send(Speak(TEXT))
    assert conversation.send(answer) == []


def test_an_answer_given_twice_is_dropped_the_second_time() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    (job,) = conversation.pending(Transcribe)
    conversation.answer(Transcribe)
    assert conversation.send(Transcribed(job.number, hypothesis_of("again"))) == []


def test_a_configuration_is_confirmed() -> None:
    config = configured(voice="alto")
    assert Conversation().send(Configure(config)) == [SessionConfigured(config)]


def test_a_configuration_is_confirmed_when_the_audio_before_it_has_been_heard() -> None:
    conversation, microphone = Conversation(held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(1.0))
    assert conversation.send(Configure(configured(turn_detection=None))) == []
    conversation.release(ScoreWindows)
    assert len(conversation.outputs_of(SpeechStarted)) == len(conversation.outputs_of(SessionConfigured)) == 1


# Limits.


def test_a_session_takes_no_more_while_the_detector_is_far_behind() -> None:
    conversation, microphone = Conversation(held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(19.0), frame_seconds=1.0)
    assert not conversation.session.saturated
    conversation.hear(microphone.speech(2.0), frame_seconds=1.0)
    assert conversation.session.saturated
    conversation.release(ScoreWindows)
    assert not conversation.session.saturated


def test_a_session_takes_no_more_while_many_commands_wait_for_the_detector() -> None:
    conversation, microphone = Conversation(held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(0.1))
    for _ in range(MAX_DEFERRED):
        conversation.send(CommitAudio())
    assert not conversation.session.saturated
    conversation.send(CommitAudio())
    assert conversation.session.saturated
    conversation.release(ScoreWindows)
    assert not conversation.session.saturated


def test_a_session_takes_no_more_while_finals_pile_up() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    for _ in range(5):
        assert not conversation.session.saturated
        conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    assert conversation.session.saturated
    conversation.release(Transcribe)
    assert not conversation.session.saturated
    assert len(conversation.outputs_of(TranscriptCompleted)) == 5


def test_finals_that_fail_do_not_hold_a_session_up() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    for _ in range(5):
        conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.fail(Transcribe)
    assert not conversation.session.saturated


@pytest.mark.no_cover
@pytest.mark.parametrize("config", [configured(), configured(turn_detection=None)], ids=["server_vad", "by_hand"])
def test_an_hour_of_silence_takes_no_memory(config: SessionConfig) -> None:
    conversation, microphone = Conversation(config), Microphone()
    for _ in range(360):
        conversation.hear(microphone.silence(10.0), frame_seconds=10.0)
        assert memory(conversation) <= 60 * 16_000
    conversation.hear(microphone.silence(0.1))
    assert memory(conversation) <= 8 * 16_000


@pytest.mark.no_cover
@pytest.mark.parametrize("transcribe", [True, False])
def test_an_hour_of_speech_without_a_pause_takes_no_more_memory_than_a_minute(transcribe: bool) -> None:
    conversation, microphone = Conversation(configured(transcribe=transcribe)), Microphone()
    for _ in range(360):
        conversation.hear(microphone.speech(10.0), frame_seconds=10.0)
        assert memory(conversation) <= 4 * 60 * 16_000
    conversation.hear(microphone.silence(2.0))
    assert memory(conversation) <= 8 * 16_000
    assert len(conversation.outputs_of(AudioCommitted)) == 1
    assert len(conversation.outputs_of(TranscriptCompleted)) == transcribe


# Recording.


class Recorded(Session):
    """A session that records its calls, pickled, and the outcome of each."""

    def __init__(self) -> None:
        numbers = itertools.count()
        super().__init__(configured(include_partials=True), lambda prefix: f"{prefix}_{next(numbers)}")
        self.calls: list[bytes] = []
        self.outcomes: list[bytes] = []

    def receive(self, message: Input, now: float) -> list[Output]:
        return self._record(super().receive(message, now), "receive", message, now)

    def handle_timer(self, now: float) -> list[Output]:
        return self._record(super().handle_timer(now), "handle_timer", now)

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        return self._record(super().request_for(job, load), "request_for", job, load)

    def _record(self, outcome: Kind, *call: object) -> Kind:
        self.calls.append(pickled(call))
        self.outcomes.append(pickled(outcome))
        return outcome


def pickled(value: object) -> bytes:
    """Equal values have equal bytes: nothing is a reference to what came before."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()


def test_a_recorded_session_can_be_replayed() -> None:
    conversation, microphone, recorded = Conversation(), Microphone(), Recorded()
    conversation.session = recorded
    conversation.send(Speak(TEXT))
    conversation.hear(microphone.silence(1.0), microphone.speech(13.0), microphone.silence(1.0))
    conversation.load = LoadLevel.CRITICAL
    conversation.send(Speak("Good bye."))
    conversation.hear(microphone.speech(2.0))
    conversation.send(Configure(configured(turn_detection=None)))
    conversation.held = (Transcribe,)
    conversation.hear(microphone.speech(1.0))
    conversation.send(CommitAudio())
    conversation.fail(Transcribe)
    conversation.wait(5.0)
    replayed = Recorded()
    for call in recorded.calls:
        name, *arguments = pickle.loads(call)
        getattr(replayed, name)(*arguments)
    assert replayed.outcomes == recorded.outcomes
