import logging

import pytest

from realtime.errors import EngineError
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, Speak
from realtime.session.jobs import JobFailed, Synthesize, Transcribe
from realtime.tracing.observers import ObservedSession, SessionLog
from tests.support.scripted_conversation import CONFIG, Conversation, Microphone


class LoggedConversation(Conversation):
    """A conversation whose session writes its log."""

    def __init__(self, *, held: tuple[type[Transcribe] | type[Synthesize], ...] = ()) -> None:
        super().__init__(held=held)
        self.session = ObservedSession(CONFIG, lambda prefix: f"{prefix}_1", [SessionLog("sess_7")], lambda: self.now)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def test_a_turn_is_logged_with_its_job_and_without_its_words(log: pytest.LogCaptureFixture) -> None:
    conversation, microphone = LoggedConversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.6), microphone.silence(1))
    assert "turn item_1 started at 0.18 s" in log.text
    assert "partial with whisper-base" in log.text
    assert "answered with 5 words" in log.text
    assert "turn item_1 transcribed: 5 words, suppressed: none" in log.text
    assert " w1" not in log.text


def test_every_record_names_the_session_whatever_task_it_was_made_in(log: pytest.LogCaptureFixture) -> None:
    conversation, microphone = LoggedConversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.6), microphone.silence(1))
    assert {getattr(record, "session", "") for record in log.records} == {"sess_7"}


def test_a_change_of_load_is_logged_once(log: pytest.LogCaptureFixture) -> None:
    conversation, microphone = LoggedConversation(), Microphone()
    conversation.load = LoadLevel.BUSY
    conversation.hear(microphone.silence(0.5), microphone.speech(2), microphone.silence(1))
    assert log.text.count("load is busy") == 1


def test_the_time_in_the_queue_is_logged(log: pytest.LogCaptureFixture) -> None:
    conversation, microphone = LoggedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    asked = log.text.count("asked: partial")
    conversation.now += 1.5
    conversation.take()
    assert asked
    assert ", queued for 1." in log.text or ", queued for 2." in log.text


def test_a_failed_job_is_logged_with_its_code(log: pytest.LogCaptureFixture) -> None:
    conversation = LoggedConversation(held=(Synthesize,))
    conversation.send(Speak("A secret."))
    (job,) = conversation.pending(Synthesize)
    conversation.send(JobFailed(job.number, EngineError("the reason")))
    assert f"job {job.number} failed (engine_failed)" in log.text
    assert "secret" not in log.text


def test_an_observed_session_answers_as_any_other() -> None:
    microphone = Microphone()
    audio = [microphone.silence(0.5), microphone.speech(3), microphone.silence(1)]
    plain, logged = Conversation(), LoggedConversation()
    plain.send(AppendAudio(b""))
    logged.send(AppendAudio(b""))
    for conversation in (plain, logged):
        conversation.hear(*audio)
    assert len(plain.outputs) == len(logged.outputs)
    assert [type(output) for output in plain.outputs] == [type(output) for output in logged.outputs]
