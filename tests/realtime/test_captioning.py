import numpy as np
import pytest
from scripted_conversation import (
    Conversation,
    Microphone,
    belief,
    configured,
    marks,
    words_between,
)

from realtime.audio import SAMPLE_RATE, WINDOW, AudioBuffer
from realtime.captioning import LONG, LONGEST, Captioning
from realtime.errors import EngineError
from realtime.events import (
    AudioCommitted,
    CancelJob,
    ClearAudio,
    CommitAudio,
    Configure,
    Priority,
    SessionConfig,
    Transcribe,
    Transcribed,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.jobs import Jobs
from realtime.passages import LEAD_OUT

BY_HAND = configured(turn_detection=None)


def transcript(conversation: Conversation) -> str:
    """The deltas so far."""
    return "".join(event.delta for event in conversation.said(TranscriptExtended))


def texts(conversation: Conversation) -> list[str]:
    return [event.text for event in conversation.said(TranscriptCompleted)]


def speaking() -> tuple[Conversation, Microphone]:
    """Somebody has spoken for ten words, and goes on."""
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(3.2))
    return conversation, microphone


def asked() -> tuple[Conversation, Microphone]:
    """Somebody has begun to speak, and the recognizer has been asked for the first time."""
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    speak_until_asked(conversation, microphone)
    return conversation, microphone


def speak_until_asked(conversation: Conversation, microphone: Microphone) -> None:
    while not conversation.questions(Transcribe):
        conversation.hear(microphone.speech(0.02))


def test_the_transcript_of_a_turn_is_what_was_said() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(3.2), microphone.speech(3.2), microphone.silence(1.0))
    assert texts(conversation) == [words_between(3.2, 6.4)]


def test_committed_words_come_while_somebody_speaks() -> None:
    conversation, _ = speaking()
    assert len(transcript(conversation)) > 0
    assert words_between(0, 3.2).startswith(transcript(conversation))


def test_deltas_add_up_to_the_final_text() -> None:
    conversation, microphone = speaking()
    conversation.hear(microphone.silence(1.0))
    assert [transcript(conversation)] == texts(conversation)


def test_only_what_two_hypotheses_agree_on_is_committed() -> None:
    conversation, microphone = asked()
    conversation.answer(Transcribe, belief("it was a dark and"))
    assert transcript(conversation) == ""
    speak_until_asked(conversation, microphone)
    conversation.answer(Transcribe, belief("it was a bark and stormy"))
    assert transcript(conversation) == "it was a"


def test_a_final_that_corrects_a_committed_word_is_the_text_all_the_same() -> None:
    conversation, microphone = asked()
    conversation.answer(Transcribe, belief("it was a dark night"))
    speak_until_asked(conversation, microphone)
    conversation.answer(Transcribe, belief("it was a dark night and"))
    conversation.hear(microphone.silence(1.0))
    conversation.answer(Transcribe, belief("it was a bark night and rain."))
    assert texts(conversation) == ["it was a bark night and rain."]
    assert transcript(conversation) == "it was a dark night and rain."


def test_without_a_wish_for_transcripts_nothing_is_decoded() -> None:
    conversation, microphone = Conversation(configured(transcribe=False)), Microphone()
    conversation.hear(microphone.speech(40.0), microphone.silence(1.0))
    assert conversation.said(Transcribe, TranscriptExtended, TranscriptCompleted) == []


def test_tentative_words_are_told_only_to_those_who_ask() -> None:
    conversation, _ = speaking()
    assert conversation.said(TranscriptRevised) == []
    assert not any(job.request.word_times for job in conversation.said(Transcribe))


def test_tentative_words_have_positions_in_the_session() -> None:
    conversation, microphone = Conversation(configured(include_partials=True)), Microphone()
    conversation.hear(microphone.silence(3.2), microphone.speech(3.2))
    newest = conversation.said(TranscriptRevised)[-1]
    words = newest.committed + newest.tentative
    assert [(word.text, word.start) for word in words] == [
        (f" w{index}", index * 5120) for index in range(10, 10 + len(words))
    ]
    assert len(words) > 5
    assert words[-1].end <= newest.audio_end <= microphone.position


# Which audio is decoded when.


def test_a_partial_comes_for_every_half_second_of_new_speech() -> None:
    conversation, _ = speaking()
    ends = [len(job.request.samples) for job in conversation.said(Transcribe)]
    assert len(ends) == 6
    assert all(job.priority is Priority.PARTIAL and not job.request.final for job in conversation.said(Transcribe))


def test_after_a_slow_answer_the_recognizer_rests() -> None:
    conversation, microphone = asked()
    conversation.now += 1.0
    asked_at = conversation.now
    conversation.answer(Transcribe)
    speak_until_asked(conversation, microphone)
    assert conversation.now - asked_at > 3.0


def test_there_is_one_transcription_at_a_time() -> None:
    conversation, microphone = asked()
    conversation.hear(microphone.silence(1.0), microphone.speech(5.0), microphone.silence(1.0), microphone.speech(1.0))
    assert len(conversation.questions(Transcribe)) == 1


def test_a_final_cancels_the_partial() -> None:
    conversation, _ = asked()
    (partial,) = conversation.questions(Transcribe)
    conversation.send(CommitAudio())
    (final,) = conversation.questions(Transcribe)
    assert final.request.final
    assert final.priority is Priority.FINAL
    assert conversation.said(CancelJob) == [CancelJob(partial.number)]


def test_the_answer_to_a_cancelled_partial_is_dropped() -> None:
    conversation, _ = asked()
    (partial,) = conversation.questions(Transcribe)
    conversation.send(CommitAudio())
    assert conversation.send(Transcribed(partial.number, belief("too late"))) == []


def test_the_final_begins_in_the_pause_and_is_used_when_nobody_speaks_again() -> None:
    conversation, microphone = speaking()
    conversation.hear(microphone.silence(0.3))
    assert conversation.said(AudioCommitted) == []
    assert conversation.said(Transcribe)[-1].request.final
    asked = len(conversation.said(Transcribe))
    conversation.hear(microphone.silence(0.7))
    assert texts(conversation) == [words_between(0, 3.2)]
    assert len(conversation.said(Transcribe)) == asked


def test_a_final_begun_in_the_pause_is_awaited_when_the_turn_ends_before_its_answer() -> None:
    conversation, microphone = speaking()
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(1.0))
    (final,) = conversation.questions(Transcribe)
    assert conversation.said(AudioCommitted) != []
    conversation.answer(Transcribe)
    assert texts(conversation) == [words_between(0, 3.2)]
    assert conversation.said(Transcribe)[-1] == final


def test_a_final_begun_in_the_pause_is_not_used_when_somebody_speaks_again() -> None:
    conversation, microphone = speaking()
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(0.32))
    (stale,) = conversation.questions(Transcribe)
    conversation.hear(microphone.speech(0.32), microphone.silence(1.0))
    conversation.release(Transcribe)
    assert conversation.said(CancelJob) == [CancelJob(stale.number)]
    assert texts(conversation) == [words_between(0, 3.2) + " w11"]


def test_the_final_of_a_pause_answered_before_speech_resumes_is_decoded_again() -> None:
    conversation, microphone = speaking()
    conversation.hear(microphone.silence(0.32), microphone.speech(0.32), microphone.silence(1.0))
    assert texts(conversation) == [words_between(0, 3.2) + " w11"]


def test_finals_are_decoded_and_completed_in_order() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    for _ in range(3):
        conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    for index in range(3):
        (question,) = conversation.questions(Transcribe)
        assert question.request.final
        conversation.answer(Transcribe, belief(f"turn {index}"))
    assert texts(conversation) == ["turn 0", "turn 1", "turn 2"]
    committed = [event.item_id for event in conversation.said(AudioCommitted)]
    assert [event.item_id for event in conversation.said(TranscriptCompleted)] == committed


def test_nothing_of_a_turn_is_decoded_before_the_final_of_the_one_before() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0), microphone.speech(4.0))
    assert not conversation.said(TranscriptCompleted)
    conversation.answer(Transcribe, belief("first"))
    speak_until_asked(conversation, microphone)
    (question,) = conversation.questions(Transcribe)
    assert not question.request.final
    assert texts(conversation) == ["first"]


def test_words_of_no_more_than_two_windows_are_not_decoded() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.024), microphone.speech(0.064), microphone.silence(1.0))
    (completed,) = conversation.said(TranscriptCompleted)
    assert (completed.text, completed.suppressed) == ("", None)
    assert conversation.said(Transcribe) == []


def test_an_answer_the_evidence_speaks_against_is_withheld() -> None:
    conversation, microphone = asked()
    conversation.answer(Transcribe, belief("thanks for watching", average_log_probability=-2.0))
    speak_until_asked(conversation, microphone)
    conversation.answer(Transcribe, belief("thanks for watching", average_log_probability=-2.0))
    assert transcript(conversation) == ""
    conversation.hear(microphone.silence(1.0))
    conversation.answer(Transcribe, belief("la " * 30, compression_ratio=9.0))
    (completed,) = conversation.said(TranscriptCompleted)
    assert (completed.text, completed.words, completed.suppressed) == ("", (), "repetition")


def languages_of_finals(*seconds: float) -> list[str | None]:
    """What language the finals of turns of such lengths are asked in."""
    conversation, microphone = Conversation(), Microphone()
    for length in seconds:
        conversation.hear(microphone.speech(length), microphone.silence(1.0))
    return [job.request.language for job in conversation.said(Transcribe) if job.request.final]


def test_a_short_turn_is_in_the_language_of_the_last_one_that_was_long_enough_to_tell() -> None:
    assert languages_of_finals(4.0, 1.0) == [None, "en"]


def test_a_turn_too_short_to_tell_does_not_settle_the_language_of_others() -> None:
    assert languages_of_finals(1.0, 1.0) == [None, None]


def test_a_long_turn_may_be_in_any_language() -> None:
    assert languages_of_finals(4.0, 4.0) == [None, None]


def test_speech_that_trails_off_is_decoded_as_long_as_it_keeps_the_turn_open() -> None:
    buffer = AudioBuffer()
    buffer.append(np.zeros(3 * SAMPLE_RATE, np.float32))
    captioning = Captioning(SessionConfig(transcribe=True), Jobs(), buffer)
    captioning.begin("item_1", 0)
    for window in range(60):
        captioning.hear(window * WINDOW, (window + 1) * WINDOW, 0.9 if window < 20 else 0.4)
    captioning.end(80 * WINDOW)
    (job,) = [output for output in captioning.advance(0.0) if isinstance(output, Transcribe)]
    assert len(job.request.samples) == 60 * WINDOW + LEAD_OUT


def test_language_prompt_and_recognizer_are_those_of_the_configuration() -> None:
    conversation = Conversation(configured(language="de", prompt="Namen", recognizer="whisper-large"))
    conversation.hear(Microphone().speech(1.0))
    job = conversation.said(Transcribe)[0]
    assert (job.recognizer, job.request.language, job.request.prompt) == ("whisper-large", "de", "Namen")


# Failure.


def test_a_failed_final_is_missing_from_its_item_only() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    for _ in range(3):
        conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.answer(Transcribe, belief("first"))
    conversation.fail(Transcribe)
    conversation.answer(Transcribe, belief("third"))
    _, second, _ = (event.item_id for event in conversation.said(AudioCommitted))
    (failed,) = conversation.said(TranscriptFailed)
    assert failed.item_id == second
    assert isinstance(failed.error, EngineError)
    assert texts(conversation) == ["first", "third"]


def test_a_failed_partial_is_only_late() -> None:
    conversation, microphone = asked()
    conversation.fail(Transcribe)
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(4.8 - microphone.position / 16_000), microphone.silence(1.0))
    assert conversation.said(TranscriptFailed) == []
    assert texts(conversation) == [words_between(0, 4.8)]


def test_a_final_that_failed_in_the_pause_is_asked_for_again() -> None:
    conversation, microphone = speaking()
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(0.3))
    conversation.fail(Transcribe)
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(0.7))
    assert texts(conversation) == [words_between(0, 3.2)]


def test_an_item_of_which_one_passage_failed_has_failed_once_its_last_is_decoded() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(30.0))
    conversation.send(CommitAudio())
    conversation.fail(Transcribe)
    assert conversation.said(TranscriptFailed) == []
    conversation.release(Transcribe)
    assert len(conversation.said(TranscriptFailed)) == 1
    assert conversation.said(TranscriptCompleted) == []


# Long turns.


@pytest.mark.parametrize("seconds", [32.0, 96.0])
def test_of_a_long_turn_without_a_pause_every_sample_is_decoded_once(seconds: float) -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(speech := microphone.speech(seconds), frame_seconds=0.1)
    conversation.send(CommitAudio())
    conversation.release(Transcribe)
    finals = [job.request.samples for job in conversation.said(Transcribe) if job.request.final]
    assert len(finals) > 1
    assert max(map(len, finals)) <= LONGEST
    assert sum((marks(final) for final in finals), start=marks(finals[0][:0])).total() == len(speech) // 2
    assert set().union(*map(marks, finals)) == {1000 + index for index in range(round(seconds / 0.32))}
    assert texts(conversation) == [words_between(0, seconds)]


def test_the_deltas_of_all_passages_add_up_to_the_text() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(64.0), microphone.silence(1.0), frame_seconds=0.1)
    assert texts(conversation) == [words_between(0, 64.0)]
    assert transcript(conversation) == words_between(0, 64.0)


def test_a_passage_without_a_pause_is_cut_where_it_is_quietest() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(19.2), microphone.silence(0.16), microphone.speech(12.64))
    first = next(job for job in conversation.said(Transcribe) if job.request.final)
    assert len(first.request.samples) == pytest.approx(19.28 * 16_000, abs=1)


def test_a_long_turn_is_cut_in_a_pause_without_losing_or_repeating_speech() -> None:
    conversation, microphone = Conversation(), Microphone()
    first, second = microphone.speech(16.0), b""
    conversation.hear(first, microphone.silence(0.32), second := microphone.speech(16.0), microphone.silence(1.0))
    finals = [marks(job.request.samples) for job in conversation.said(Transcribe) if job.request.final]
    assert [final.total() * 2 for final in finals] == [len(first), len(second)]
    assert len(conversation.said(AudioCommitted)) == 1
    assert texts(conversation) == [words_between(0, 16.0) + " " + words_between(16.32, 32.32)]


def test_no_loud_sample_is_decoded_twice_when_a_pause_begins_before_a_passage_is_long() -> None:
    conversation, microphone = Conversation(), Microphone()
    begun = microphone.speech((LONG - 4000) / 16_000)
    conversation.hear(begun, microphone.silence(0.48), rest := microphone.speech(4.0), microphone.silence(1.0))
    finals = [marks(job.request.samples) for job in conversation.said(Transcribe) if job.request.final]
    assert [final.total() * 2 for final in finals] == [len(begun), len(rest)]


def test_clearing_a_long_turn_forgets_its_first_passages_too() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(40.0), frame_seconds=0.1)
    conversation.send(ClearAudio())
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(1.0))
    assert conversation.said(TranscriptExtended, TranscriptCompleted) == []


def test_a_turn_ends_without_a_transcript_when_none_is_wanted_any_more() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(40.0), frame_seconds=0.1)
    conversation.send(Configure(configured(transcribe=False)))
    conversation.hear(microphone.silence(1.0))
    conversation.release(Transcribe)
    assert len(conversation.said(AudioCommitted)) == 1
    assert conversation.said(TranscriptExtended, TranscriptCompleted, TranscriptFailed) == []
