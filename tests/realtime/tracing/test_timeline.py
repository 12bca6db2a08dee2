"""Timelines of traces."""

from dataclasses import replace
from pathlib import Path

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.errors import EngineError
from realtime.scheduling.priority import LoadLevel
from realtime.scheduling.queue import RequestProgress
from realtime.session.commands import CommitAudio, Speak
from realtime.session.jobs import JobFailed, ScoreTurn, Transcribe
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.tracing.replay import read
from realtime.tracing.timeline import LateWord, Timeline, Turn
from realtime.tracing.timeline_reader import timeline
from tests.support.scripted_conversation import CONFIG, Microphone, configured, hypothesis_of
from tests.support.traced_conversation import TracedConversation, speak_and_listen

RECORDED = Path(__file__).parents[2] / "data" / "trace.jsonl"


def only(turns: list[Turn]) -> Turn:
    (turn,) = turns
    return turn


def timeline_of(conversation: TracedConversation) -> Timeline:
    return timeline(conversation.trace)


def first_word(found: Timeline) -> LateWord:
    """Return the first word of the turn, after checking that its parts make up its lag."""
    first = next(word for word in found.worst_words if word.text == " w2")
    assert first.detection + first.queue + first.engine + first.agreement == pytest.approx(first.lag)
    return first


def decode(conversation: TracedConversation, seconds: float) -> None:
    """Have the engine take the request that waits, and answer it so many seconds later."""
    conversation.take()
    conversation.now += seconds
    conversation.answer(Transcribe)


def test_drafts_are_told_from_the_decodes_that_write_words() -> None:
    recognizer = replace(CONFIG.recognizer, draft=lookup("whisper-tiny"))
    conversation, microphone = TracedConversation(configured(recognizer=recognizer)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(2.56), microphone.silence(1))
    turn = only(timeline_of(conversation).turns)
    assert {decode.kind for decode in turn.decodes} == {"draft", "partial", "final"}
    assert {decode.kind for decode in turn.own_decodes} == {"partial", "final"}


def test_a_turn_is_reported_with_its_decodes_and_its_text() -> None:
    conversation, microphone = TracedConversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(2.56), microphone.silence(1))
    turn = only(timeline_of(conversation).turns)
    assert turn.start / SAMPLE_RATE == pytest.approx(0.2, abs=0.05)
    assert turn.end is not None
    assert turn.end / SAMPLE_RATE == pytest.approx(3.56, abs=0.05)
    assert turn.started < turn.decodes[0].requested < (turn.stopped or 0) <= (turn.completed or 0)
    assert {decode.kind for decode in turn.decodes} == {"partial", "final"}
    assert {decode.outcome for decode in turn.decodes} == {"answered"}
    assert "".join(delta.text or "" for delta in turn.deltas) == "w2 w3 w4 w5 w6 w7 w8 w9"
    assert turn.words == 8


def test_the_time_in_the_queue_and_in_the_engine_are_reported_separately() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    conversation.now += 0.7
    conversation.take()
    conversation.now += 0.3
    conversation.answer(Transcribe)
    (first, *_) = only(timeline_of(conversation).turns).decodes
    assert first.queue_seconds >= 0.7
    assert first.engine_seconds == pytest.approx(0.3)


def test_the_time_in_the_engine_is_reported_by_its_parts() -> None:
    turns = timeline(read(RECORDED)).turns
    decodes = [decode for turn in turns for decode in turn.decodes if decode.outcome == "answered"]
    assert len(decodes) > 10
    for decode in decodes:
        assert decode.encode_seconds > 0
        assert decode.decode_seconds > 0
        parts = decode.encode_seconds + decode.batch_seconds + decode.decode_seconds
        assert parts == pytest.approx(decode.engine_seconds)


def test_the_processes_that_ended_with_a_decode_are_counted_and_take_none_of_its_time() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    conversation.take()
    job = conversation.outputs_of(Transcribe)[-1].number
    for seconds, progress in ((0.1, RequestProgress.ENCODED), (0.2, RequestProgress.DECODING), (0.3, None)):
        conversation.now += seconds
        conversation.observer.progressed(job, progress or RequestProgress.PROCESS_ENDED)
    conversation.answer(Transcribe)
    (first, *_) = only(timeline_of(conversation).turns).decodes
    assert (first.ended_processes, first.outcome) == (1, "answered")
    assert first.decode_seconds == pytest.approx(0.3)


def test_a_commit_after_the_last_turn_is_not_reported_as_refused() -> None:
    conversation, microphone = TracedConversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1), microphone.silence(1))
    conversation.send(CommitAudio())
    assert timeline_of(conversation).refused == []
    conversation = TracedConversation(configured(turn_detection=None))
    conversation.send(CommitAudio(min_samples=1_600))
    assert [reason for _, reason in timeline_of(conversation).refused] == ["too_little_to_commit"]


@pytest.mark.parametrize(("queue", "engine", "cause"), [(3.0, 0.1, "queue"), (0.1, 6.0, "engine")])
def test_the_cause_of_a_late_word_is_what_it_waited_for_longest(queue: float, engine: float, cause: str) -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(2.56))
    conversation.now += queue
    decode(conversation, engine)
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(1.28), microphone.silence(1))
    assert first_word(timeline_of(conversation)).cause == cause


def test_the_engine_is_the_cause_where_the_decode_that_confirms_a_word_takes_long() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.28))
    decode(conversation, 0.1)
    conversation.hear(microphone.speech(1.28))
    decode(conversation, 5.0)
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(1))
    first = first_word(timeline_of(conversation))
    assert first.cause == "engine"
    assert first.engine == pytest.approx(5.1)


def test_a_decode_that_was_cancelled_in_the_queue_takes_no_time_of_the_engine() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.28))
    decode(conversation, 0.1)
    conversation.hear(microphone.speech(1.28))
    conversation.now += 2.0
    conversation.hear(microphone.silence(0.4))
    decode(conversation, 0.1)
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(1))
    found = timeline_of(conversation)
    assert "cancelled" in {decode.outcome for decode in only(found.turns).decodes}
    first = first_word(found)
    assert first.engine == pytest.approx(0.2)
    assert first.queue >= 2.0


def test_where_engines_are_quick_words_wait_for_agreement() -> None:
    conversation, microphone = TracedConversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(2.56), microphone.silence(1))
    assert {word.cause for word in timeline_of(conversation).worst_words[:5]} == {"agreement"}


def test_it_is_reported_why_no_transcription_was_requested() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.28))
    conversation.now += 2.0
    conversation.answer(Transcribe)
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(1.28), microphone.silence(1))
    found = timeline_of(conversation)
    waited = only(found.turns).waited
    assert set(waited) >= {"new_speech", "in_flight"}
    assert waited["in_flight"] >= 2.0
    assert "new_speech" in {word.waiting for word in found.worst_words}


def test_suppressed_text_is_reported_with_its_reason() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1), microphone.silence(1))
    while conversation.pending(Transcribe):
        conversation.answer(Transcribe, hypothesis_of("Thank you.", average_log_probability=-3))
    turn = only(timeline_of(conversation).turns)
    assert turn.suppressed == ["improbable"]
    answered = [decode for decode in turn.decodes if decode.outcome == "answered"]
    assert {decode.suppressed for decode in answered} == {"improbable"}
    assert turn.words == 0


def test_a_request_that_was_cancelled_in_the_queue_is_reported() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1), microphone.silence(0.2))
    assert [decode.outcome for decode in only(timeline_of(conversation).turns).decodes] == ["cancelled"]


def test_a_failed_transcription_is_reported_with_its_code() -> None:
    conversation, microphone = TracedConversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1), microphone.silence(1))
    conversation.take()
    (job,) = conversation.pending(Transcribe)
    conversation.send(JobFailed(job.number, EngineError("broken")))
    turn = only(timeline_of(conversation).turns)
    assert turn.error == "engine_failed"
    assert turn.decodes[-1].outcome == "engine_failed"


def test_a_turn_that_the_client_commits_is_reported() -> None:
    conversation, microphone = TracedConversation(configured(turn_detection=None)), Microphone()
    for _ in range(2):
        conversation.hear(microphone.speech(1.28), microphone.silence(0.1))
        conversation.send(CommitAudio())
    first, second = timeline_of(conversation).turns
    assert (first.words, second.words) == (4, 4)
    assert first.end == second.start


def test_changes_of_load_are_reported() -> None:
    conversation, microphone = TracedConversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    conversation.load = LoadLevel.BUSY
    conversation.hear(microphone.speech(2))
    conversation.load = LoadLevel.NORMAL
    conversation.hear(microphone.speech(2))
    assert [level for _, level in timeline_of(conversation).loads] == ["busy", "normal"]


def test_a_response_is_reported_with_its_first_audio() -> None:
    conversation = TracedConversation()
    conversation.send(Speak("Hello, my friend. And a second sentence."))
    conversation.wait(20)
    (reply,) = timeline_of(conversation).replies
    assert (reply.status, reply.phrases) == ("completed", 2)
    assert reply.first_audio == reply.started


def test_a_trace_without_text_has_the_same_timeline_but_for_the_text() -> None:
    timelines = []
    for text in (True, False):
        conversation = TracedConversation(text=text)
        speak_and_listen(conversation)
        timelines.append(timeline_of(conversation))
    with_text, without = timelines
    assert [turn.decodes for turn in with_text.turns] == [turn.decodes for turn in without.turns]
    assert [word.lag for word in with_text.worst_words] == [word.lag for word in without.worst_words]
    assert {delta.text for turn in without.turns for delta in turn.deltas} == {None}


def test_the_judgements_of_pauses_are_reported() -> None:
    detection = TurnDetection(end_of_turn=EndOfTurn(shortest=8_000, longest=32_000))
    conversation, microphone = TracedConversation(configured(turn_detection=detection)), Microphone()
    conversation.finished = 0.25
    conversation.hear(microphone.speech(1), microphone.silence(0.5), microphone.speech(1))
    conversation.held = (ScoreTurn,)
    conversation.hear(microphone.silence(0.5))
    conversation.fail(ScoreTurn)
    turn = only(timeline_of(conversation).turns)
    assert [finished for _, finished in turn.pauses] == [0.25, None]
