import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.audio.buffer import QUIET_SPAN, AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.catalogue.names import lookup
from realtime.errors import EngineError
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.captioning import Captioning
from realtime.session.commands import ClearAudio, CommitAudio, Configure
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import MIN_NEW_SPEECH, Waiting
from realtime.session.events import (
    AudioCommitted,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.session.jobs import CancelJob, Jobs, ScoreWindows, Transcribe, Transcribed
from realtime.session.segment_limits import (
    HARD_SEGMENT_LIMIT,
    MAX_PARTIAL,
    MAX_SEGMENT,
    UNDECODED_SEARCH_RANGE,
    UNDECODED_SEGMENT_LIMIT,
    cut_position,
)
from realtime.session.segments import COMMITTED_CONTEXT, EARLY_FINAL_SILENCE, LEAD_OUT, Segment, Turn
from realtime.session.turns import Turns
from realtime.speech.certainty import MIN_SPAN
from realtime.speech.recognition import LEAD_IN
from realtime.speech.segmentation import Span
from realtime.speech.suppression import SpeechEvidence, Suppression
from realtime.speech.transcript import Hypothesis, Word
from realtime.speech.voice import MIN_VOICE
from tests.support.scripted_conversation import (
    Conversation,
    Microphone,
    configured,
    count_loud,
    hypothesis_of,
    recognize,
    words_between,
)

BY_HAND = configured(turn_detection=None)


def texts(conversation: Conversation) -> list[str]:
    return [event.text for event in conversation.outputs_of(TranscriptCompleted)]


def speaking() -> tuple[Conversation, Microphone]:
    """Ten words have been spoken, and the turn goes on."""
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(3.2))
    return conversation, microphone


def speaking_until_requested() -> tuple[Conversation, Microphone]:
    """A turn has begun, and the first transcription has been requested."""
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    speak_until_requested(conversation, microphone)
    return conversation, microphone


def speak_until_requested(conversation: Conversation, microphone: Microphone) -> None:
    while not conversation.pending(Transcribe):
        conversation.hear(microphone.speech(0.02))


def test_the_transcript_of_a_turn_is_what_was_said() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(3.2), microphone.speech(3.2), microphone.silence(1.0))
    assert texts(conversation) == [words_between(3.2, 6.4)]


def test_words_are_committed_while_the_turn_goes_on() -> None:
    conversation, _ = speaking()
    assert len(conversation.transcript()) > 0
    assert words_between(0, 3.2).startswith(conversation.transcript())


def test_deltas_add_up_to_the_final_text() -> None:
    conversation, microphone = speaking()
    conversation.hear(microphone.silence(1.0))
    assert [conversation.transcript()] == texts(conversation)


@pytest.mark.parametrize("load", LoadLevel)
def test_words_that_probably_stay_are_committed_sooner_under_load(load: LoadLevel) -> None:
    conversation, _ = speaking_until_requested()
    conversation.load = load
    conversation.take()
    conversation.answer(Transcribe, Hypothesis((Word(" it", 0, 0, 0.9),), "en", 0.0, -0.2, 1.2))
    assert conversation.transcript() == ("it" if load.is_high else "")


def test_a_partial_that_ran_away_is_ignored() -> None:
    conversation, microphone = Conversation(configured(include_partials=True), held=(Transcribe,)), Microphone()
    speak_until_requested(conversation, microphone)
    words = [Word(f" {word}", 0, 0, 0.99) for word in ("it", "was", "a", "dark", "and", "stormy", "X-" * 30)]
    conversation.answer(Transcribe, Hypothesis(tuple(words), "en", 0.0, -0.2, 1.2, ended=False))
    assert conversation.outputs_of(TranscriptRevised) == []
    speak_until_requested(conversation, microphone)
    conversation.answer(Transcribe, Hypothesis(tuple(words[:-1]), "en", 0.0, -0.2, 1.2, ended=False))
    assert conversation.transcript() == "it was a dark and stormy"


def test_what_hypotheses_that_lie_far_enough_apart_agree_on_is_committed() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.answer(Transcribe, hypothesis_of("it was a dark and"))
    assert conversation.transcript() == ""
    conversation.hear(microphone.speech(MIN_SPAN / SAMPLE_RATE + 0.04))
    conversation.answer(Transcribe, hypothesis_of("it was a bark and stormy"))
    assert conversation.transcript() == "it was a"


def test_what_hypotheses_agree_on_that_lie_close_together_is_not() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.answer(Transcribe, hypothesis_of("it was a dark and"))
    speak_until_requested(conversation, microphone)
    conversation.answer(Transcribe, hypothesis_of("it was a dark and"))
    assert MIN_NEW_SPEECH[LoadLevel.NORMAL] < MIN_SPAN
    assert conversation.transcript() == ""


def test_a_partial_and_a_final_are_expected_to_begin_like_the_hypothesis_before() -> None:
    conversation, microphone = speaking_until_requested()
    assert conversation.take().expected == ""
    conversation.answer(Transcribe, hypothesis_of("it was a dark and"))
    conversation.hear(microphone.speech(MIN_SPAN / SAMPLE_RATE + 0.04))
    assert conversation.take().expected == " it was a dark and"
    conversation.answer(Transcribe, hypothesis_of("it was a bark and stormy"))
    conversation.hear(microphone.silence(1.0))
    final = conversation.take()
    assert final.final
    assert final.expected == " it was a bark and stormy"


def test_what_is_expected_are_the_words_of_the_audio() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(30), microphone.silence(1.0))
    assert all(recognize(request.samples).text.startswith(request.expected) for request in conversation.requests[1:])
    assert all(request.expected for request in conversation.requests[1:])


def test_in_a_pause_the_last_hypothesis_confirms_what_it_says() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.answer(Transcribe, hypothesis_of("it was a dark"))
    conversation.hear(microphone.silence(0.4))
    conversation.answer(Transcribe, hypothesis_of("it was a dark."))
    assert conversation.transcript() == "it was a dark"


@pytest.mark.parametrize(("pause", "committed"), [(0.12, ""), (0.3, "it was a dark")])
def test_a_final_is_of_a_pause_if_its_audio_ends_in_silence(pause: float, committed: str) -> None:
    config = configured(chat=True, create_response=True, prepare_answers=True)  # a final begins after 64 ms
    conversation, microphone = Conversation(config, held=(Transcribe,)), Microphone()
    speak_until_requested(conversation, microphone)
    conversation.answer(Transcribe, hypothesis_of("it was a dark"))
    conversation.hear(microphone.silence(pause))
    assert conversation.take().final
    conversation.hear(microphone.silence(0.1))
    conversation.answer(Transcribe, hypothesis_of("it was a dark."))
    assert conversation.transcript() == committed


def test_a_committed_word_stays_though_the_final_would_rather_have_another() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.answer(Transcribe, hypothesis_of("it was a dark night"))
    conversation.hear(microphone.speech(MIN_SPAN / SAMPLE_RATE + 0.04))
    conversation.answer(Transcribe, hypothesis_of("it was a dark night and"))
    assert conversation.transcript() == "it was a dark night"
    conversation.hear(microphone.silence(1.0))
    conversation.answer(Transcribe, hypothesis_of("it was a bark night and rain."))
    assert texts(conversation) == [conversation.transcript()] == ["it was a dark night and rain."]


def test_the_words_of_a_transcript_spell_it() -> None:
    conversation, microphone = speaking()
    conversation.hear(microphone.silence(1.0))
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert "".join(word.text for word in completed.words).strip() == completed.text
    assert len(completed.commit_lags) == len(completed.words)


def test_without_transcription_nothing_is_decoded() -> None:
    conversation, microphone = Conversation(configured(transcribe=False)), Microphone()
    conversation.hear(microphone.speech(40.0), microphone.silence(1.0))
    assert conversation.outputs_of(Transcribe, TranscriptExtended, TranscriptCompleted) == []


def test_tentative_words_are_reported_only_on_request() -> None:
    conversation, _ = speaking()
    assert conversation.outputs_of(TranscriptRevised) == []


def test_tentative_words_have_positions_in_the_session() -> None:
    conversation, microphone = Conversation(configured(include_partials=True)), Microphone()
    conversation.hear(microphone.silence(3.2), microphone.speech(3.2))
    newest = conversation.outputs_of(TranscriptRevised)[-1]
    words = newest.committed + newest.tentative
    assert [(word.text, word.start) for word in words] == [
        (f" w{index}", index * 5120) for index in range(10, 10 + len(words))
    ]
    assert len(words) > 5
    assert words[-1].end <= newest.audio_end <= microphone.position


# Finals only.


def heard_in_pieces(seed: int | None) -> tuple[list[str], list[bool]]:
    """Transcripts that name what was decoded, and whether each request was a final.

    With a seed, the audio comes in pieces of any size, and what is requested is answered some time later.
    """
    conversation, microphone = Conversation(configured(decode_partials=False), held=(Transcribe,)), Microphone()
    parts = [(microphone.speech if place % 2 else microphone.silence)(seconds) for place, seconds in enumerate(
        (1.0, 3.0, 0.2, 2.0, 0.4, 4.0, 1.0, 25.0, 0.4, 6.0, 1.0, 11.0, 0.35, 2.0, 1.0, 9.37, 0.45, 3.0, 1.5)
    )]  # fmt: skip
    audio, chance = b"".join(parts), random.Random(seed)
    while audio:
        size = 640 if seed is None else 2 * chance.randrange(1, 60_000)
        conversation.hear(audio[:size])
        audio = audio[size:]
        while conversation.pending(Transcribe) and (seed is None or not audio or chance.random() < 0.7):
            request = conversation.take()
            text = f" {count_loud(request.samples).total()} of {len(request.samples)}"
            conversation.answer(Transcribe, hypothesis_of(text))
    return texts(conversation), [request.final for request in conversation.requests]


def test_finals_alone_are_the_same_whenever_the_audio_comes_and_the_recognizer_answers() -> None:
    expected, finals = heard_in_pieces(None)
    assert len(expected) == 4
    assert all(finals)
    for seed in range(12):
        assert heard_in_pieces(seed)[0] == expected


def test_finals_alone_have_the_same_silence_behind_them_where_an_answer_is_prepared() -> None:
    config = configured(chat=True, create_response=True, prepare_answers=True, decode_partials=False)
    conversation, microphone = Conversation(config, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(2.0), microphone.silence(0.15))
    assert not conversation.pending(Transcribe)
    conversation.hear(microphone.silence(0.2))
    request = conversation.take()
    assert request.final
    assert len(request.samples) >= round(2.19 * SAMPLE_RATE)


def test_finals_alone_are_not_shortened_under_load() -> None:
    conversation, microphone = Conversation(configured(decode_partials=False)), Microphone()
    conversation.load = LoadLevel.CRITICAL
    for _ in range(2):
        conversation.hear(microphone.speech(9.0), microphone.silence(1.0))
    assert [len(request.samples) > 9 * SAMPLE_RATE for request in conversation.finals] == [True, True]


# Which audio is decoded when.


def test_new_speech_of_some_length_is_worth_a_partial_and_more_once_words_are_committed() -> None:
    conversation, _ = speaking()
    lengths = [len(request.samples) for request in conversation.requests]
    least = [-(-samples // WINDOW) * WINDOW for samples in (MIN_NEW_SPEECH[LoadLevel.NORMAL], MIN_SPAN // 2)]
    steps = [after - before for before, after in pairwise(lengths)]
    assert steps == sorted(steps)
    assert set(steps) == set(least)
    assert not any(request.final for request in conversation.requests)


def test_a_partial_that_waited_is_about_the_newest_audio() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.hear(microphone.speech(3.0))
    assert len(conversation.pending(Transcribe)) == 1
    request = conversation.take()
    assert len(request.samples) > microphone.position - WINDOW
    assert not request.final


def test_a_partial_that_waited_is_answered_for_all_that_it_heard() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.hear(microphone.speech(3.0))
    conversation.answer(Transcribe)
    assert conversation.pending(Transcribe) == []
    speak_until_requested(conversation, microphone)
    conversation.answer(Transcribe)
    conversation.hear(microphone.speech(MIN_SPAN / SAMPLE_RATE))
    conversation.answer(Transcribe)
    assert len(conversation.transcript().split()) > 8


def test_audio_that_comes_while_an_engine_is_at_work_is_in_the_next_partial() -> None:
    conversation, microphone = speaking_until_requested()
    taken = conversation.take()
    conversation.hear(microphone.speech(2.0))
    conversation.answer(Transcribe)
    assert len(conversation.take().samples) > len(taken.samples) + SAMPLE_RATE


def test_a_partial_that_no_engine_ever_took_is_not_missed() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.hear(microphone.speech(4.8 - microphone.position / SAMPLE_RATE), microphone.silence(1.0))
    conversation.release(Transcribe)
    assert [request.final for request in conversation.requests] == [True]
    assert texts(conversation) == [words_between(0, 4.8)]


@pytest.mark.parametrize("config", [configured(), BY_HAND], ids=["server_vad", "by_hand"])
def test_a_partial_may_be_pulled_after_its_turn_was_cleared(config: SessionConfig) -> None:
    conversation, microphone = Conversation(config, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(3.0))
    conversation.send(ClearAudio())
    conversation.hear(microphone.silence(5.0))
    conversation.take()
    conversation.answer(Transcribe, hypothesis_of("too late"))
    assert conversation.outputs_of(TranscriptExtended) == []


def test_a_cancelled_partial_has_no_request() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(3.0))
    (partial,) = conversation.pending(Transcribe)
    conversation.send(CommitAudio())
    conversation.answer(Transcribe)
    conversation.hear(microphone.silence(10.0))
    assert conversation.session.request_for(partial.number, LoadLevel.NORMAL) is None


def test_a_job_of_the_detector_has_no_request_to_decode() -> None:
    conversation, microphone = Conversation(held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(1.0))
    (job,) = conversation.pending(ScoreWindows)
    assert conversation.session.request_for(job.number, LoadLevel.NORMAL) is None


def test_there_is_one_transcription_at_a_time() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.hear(microphone.silence(1.0), microphone.speech(5.0), microphone.silence(1.0), microphone.speech(1.0))
    assert len(conversation.pending(Transcribe)) == 1


def test_a_final_cancels_the_partial() -> None:
    conversation, _ = speaking_until_requested()
    (partial,) = conversation.pending(Transcribe)
    conversation.send(CommitAudio())
    (final,) = conversation.pending(Transcribe)
    assert conversation.take().final
    assert final.priority is Priority.FINAL
    assert conversation.outputs_of(CancelJob) == [CancelJob(partial.number)]


def test_the_answer_to_a_cancelled_partial_is_dropped() -> None:
    conversation, _ = speaking_until_requested()
    (partial,) = conversation.pending(Transcribe)
    conversation.send(CommitAudio())
    assert conversation.send(Transcribed(partial.number, hypothesis_of("too late"))) == []


def test_the_final_begins_in_the_pause_and_is_used_if_no_speech_follows() -> None:
    conversation, microphone = speaking()
    conversation.hear(microphone.silence(0.3))
    assert conversation.outputs_of(AudioCommitted) == []
    assert conversation.requests[-1].final
    requested = len(conversation.outputs_of(Transcribe))
    conversation.hear(microphone.silence(0.7))
    assert texts(conversation) == [words_between(0, 3.2)]
    assert len(conversation.outputs_of(Transcribe)) == requested


def test_the_final_begins_in_the_pause_though_a_partial_has_heard_all_the_speech() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(96 * WINDOW / SAMPLE_RATE))
    heard = conversation.requests[-1]
    assert not heard.final
    conversation.hear(microphone.silence(0.3))
    assert conversation.outputs_of(AudioCommitted) == []
    assert conversation.requests[-1].final


def test_a_partial_of_all_the_speech_is_awaited_and_then_comes_the_final() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(96 * WINDOW / SAMPLE_RATE))
    conversation.take()
    conversation.hear(microphone.silence(0.4))
    (partial,) = conversation.pending(Transcribe)
    assert partial.priority is Priority.PARTIAL
    conversation.answer(Transcribe)
    (final,) = conversation.pending(Transcribe)
    assert final.priority is Priority.FINAL
    assert conversation.outputs_of(CancelJob) == []


def test_a_partial_that_still_waits_when_it_grows_quiet_makes_room_for_the_final() -> None:
    conversation, microphone = speaking_until_requested()
    (partial,) = conversation.pending(Transcribe)
    conversation.hear(microphone.silence((EARLY_FINAL_SILENCE + 2 * WINDOW) / SAMPLE_RATE))
    assert conversation.outputs_of(CancelJob) == [CancelJob(partial.number)]
    (final,) = conversation.pending(Transcribe)
    assert final.priority is Priority.FINAL


def test_a_final_that_waits_in_the_pause_is_not_withdrawn_while_it_stays_quiet() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(0.2), microphone.silence(3.0))
    (final,) = conversation.pending(Transcribe)
    assert final.priority is Priority.FINAL
    assert conversation.outputs_of(CancelJob) == []


def test_a_final_begun_in_the_pause_is_awaited_when_the_turn_ends_before_its_answer() -> None:
    conversation, microphone = speaking()
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(1.0))
    (final,) = conversation.pending(Transcribe)
    assert conversation.outputs_of(AudioCommitted) != []
    conversation.answer(Transcribe)
    assert texts(conversation) == [words_between(0, 3.2)]
    assert conversation.outputs_of(Transcribe)[-1] == final


def test_a_final_begun_in_the_pause_is_not_used_if_speech_follows() -> None:
    conversation, microphone = speaking()
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(0.32))
    (stale,) = conversation.pending(Transcribe)
    conversation.hear(microphone.speech(0.32), microphone.silence(1.0))
    conversation.release(Transcribe)
    assert conversation.outputs_of(CancelJob) == [CancelJob(stale.number)]
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
        assert conversation.take().final
        conversation.answer(Transcribe, hypothesis_of(f"turn {index}"))
    assert texts(conversation) == ["turn 0", "turn 1", "turn 2"]
    committed = [event.item_id for event in conversation.outputs_of(AudioCommitted)]
    assert [event.item_id for event in conversation.outputs_of(TranscriptCompleted)] == committed


def test_nothing_of_a_turn_is_decoded_before_the_final_of_the_one_before() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0), microphone.speech(4.0))
    assert not conversation.outputs_of(TranscriptCompleted)
    conversation.answer(Transcribe, hypothesis_of("first"))
    speak_until_requested(conversation, microphone)
    assert not conversation.take().final
    assert texts(conversation) == ["first"]


def test_words_of_no_more_than_two_windows_are_not_decoded() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.024), microphone.speech(0.064), microphone.silence(1.0))
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert (completed.text, completed.suppressed) == ("", ())
    assert conversation.outputs_of(Transcribe) == []


@pytest.mark.parametrize(("milliseconds", "decoded"), [(80, 0), (200, 0), (256, 1)])
def test_a_tap_that_the_client_commits_is_not_decoded(milliseconds: int, decoded: int) -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    for _ in range(2):
        conversation.hear(microphone.speech(milliseconds / 1000))
        conversation.send(CommitAudio())
    assert len(conversation.outputs_of(TranscriptCompleted)) == 2
    finals = [job for job in conversation.outputs_of(Transcribe) if job.priority is Priority.FINAL]
    assert len(finals) == 2 * decoded


def test_a_tap_between_silences_has_no_text_not_even_tentative_text() -> None:
    conversation, microphone = Conversation(configured(include_partials=True), held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(1.024), microphone.speech(0.288))
    conversation.answer(Transcribe, replace(hypothesis_of("you"), sound=2560))
    conversation.hear(microphone.silence(1.0))
    conversation.answer(Transcribe, replace(hypothesis_of("you"), sound=2560))
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert (completed.text, completed.suppressed) == ("", ())
    assert not conversation.outputs_of(TranscriptRevised)


def test_speech_that_begins_a_turn_is_decoded_after_silence_and_keeps_its_times() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(0.96))
    conversation.send(CommitAudio())
    (request,) = conversation.finals
    assert not request.samples[:LEAD_IN].any()
    assert request.samples[LEAD_IN:].all()
    assert request.voice == (Span(LEAD_IN, LEAD_IN + 30 * WINDOW),)
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert (completed.words[0].start, completed.words[-1].end) == (0, 30 * WINDOW)


def test_text_against_the_evidence_is_suppressed() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.answer(Transcribe, hypothesis_of("thanks for watching", average_log_probability=-2.0))
    speak_until_requested(conversation, microphone)
    conversation.answer(Transcribe, hypothesis_of("thanks for watching", average_log_probability=-2.0))
    assert conversation.transcript() == ""
    conversation.hear(microphone.silence(1.0))
    conversation.answer(Transcribe, hypothesis_of("la " * 30, compression_ratio=9.0))
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert (completed.text, completed.words, completed.suppressed) == ("", (), (Suppression.REPETITION,))


def in_language(text: str, language: str, probability: float, **others: float) -> Hypothesis:
    """A hypothesis whose language was detected with this probability."""
    return replace(
        hypothesis_of(text),
        language=language,
        language_probability=probability,
        languages={language: probability, **others},
    )


def test_the_language_of_earlier_turns_is_a_prior_for_the_next() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    for language in ("de", "de", "en"):
        conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
        conversation.answer(Transcribe, in_language("eins", language, 0.9))
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    prior = conversation.take().language_prior
    assert conversation.requests[0].language_prior == {}
    assert prior["en"] > prior["de"] > 0


def test_the_language_of_a_turn_without_text_does_not_matter() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.answer(Transcribe, replace(in_language("ja", "de", 0.9), average_log_probability=-2.0))
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    assert conversation.take().language_prior == {}


def test_a_partial_in_a_doubtful_language_commits_nothing() -> None:
    conversation, microphone = speaking_until_requested()
    for _ in range(3):
        conversation.answer(Transcribe, in_language("the sand are white", "en", 0.5, es=0.4))
        speak_until_requested(conversation, microphone)
    assert conversation.transcript() == ""
    conversation.hear(microphone.silence(1.0))
    conversation.answer(Transcribe, in_language("las arenas son blancas", "es", 0.9))
    assert conversation.transcript() == " las arenas son blancas".lstrip()


def test_a_final_in_a_doubtful_language_commits_nothing_in_a_pause() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(0.4), microphone.silence(1.0))
    doubtful = in_language("the sand", "en", 0.5, es=0.4)
    sure = replace(doubtful, words=tuple(replace(word, probability=0.999) for word in doubtful.words))
    assert conversation.take().final
    conversation.answer(Transcribe, sure)
    assert conversation.transcript() == ""
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.send(CommitAudio())
    while conversation.pending(Transcribe):
        conversation.answer(Transcribe, in_language("las arenas son blancas", "es", 0.9))
    assert texts(conversation) == ["las arenas son blancas"]


def test_the_language_of_a_segment_is_detected_until_it_is_certain_and_again_for_its_final() -> None:
    conversation, microphone = speaking_until_requested()
    for probability in (0.9, 0.96, 1.0):
        conversation.answer(Transcribe, in_language("las arenas", "es", probability))
        speak_until_requested(conversation, microphone)
    conversation.hear(microphone.silence(1.0))
    while conversation.pending(Transcribe):
        conversation.answer(Transcribe, in_language("las arenas", "es", 1.0))
    assert [request.language for request in conversation.requests if not request.final] == [None, None, "es"]
    assert {request.language for request in conversation.finals} == {None}


def test_the_language_is_detected_among_those_of_the_configuration() -> None:
    several, one = (Conversation(configured(languages=languages)) for languages in (("de", "fr"), ("de",)))
    for conversation in (several, one):
        conversation.hear(Microphone().speech(1.0))
    assert (several.requests[0].language, several.requests[0].candidates) == (None, ("de", "fr"))
    assert one.requests[0].language == "de"


def test_speech_that_trails_off_is_decoded_as_long_as_it_keeps_the_turn_open() -> None:
    buffer = AudioBuffer()
    buffer.append(np.zeros(3 * SAMPLE_RATE, np.float32))
    turns = Turns(configured(), buffer)
    captioning = Captioning(turns, Jobs(), buffer)
    turns.begin("item_1", 0, 0)
    for window in range(60):
        turns.add_window(window * WINDOW, (window + 1) * WINDOW, 0.9 if window < 20 else 0.4)
    turns.end(80 * WINDOW)
    (job,) = [output for output in captioning.advance() if isinstance(output, Transcribe)]
    request = captioning.request_for(job.number, LoadLevel.NORMAL)
    assert request is not None
    assert len(request.samples) == 60 * WINDOW + LEAD_OUT


def test_language_prompt_and_recognizer_are_those_of_the_configuration() -> None:
    conversation = Conversation(configured(language="de", prompt="Namen", recognizer=lookup("whisper-large-v3")))
    conversation.hear(Microphone().speech(1.0))
    job, request = conversation.outputs_of(Transcribe)[0], conversation.requests[0]
    assert (job.recognizer.name, request.language, request.prompt) == ("whisper-large-v3", "de", "Namen")


def test_a_final_that_waits_keeps_the_configuration_of_its_turn() -> None:
    conversation, microphone = Conversation(configured(language="de", prompt="Namen"), held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.send(Configure(configured(language="fr", prompt="noms")))
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.release(Transcribe)
    assert [(request.language, request.prompt) for request in conversation.finals] == [("de", "Namen"), ("fr", "noms")]


def test_a_translation_is_asked_for_where_it_is_wanted() -> None:
    conversation, microphone = Conversation(configured(translate=True)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    assert {request.translate for request in conversation.requests} == {True}


# Failure.


def test_a_failed_final_fails_its_turn_only() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    for _ in range(3):
        conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.answer(Transcribe, hypothesis_of("first"))
    conversation.fail(Transcribe)
    conversation.answer(Transcribe, hypothesis_of("third"))
    _, second, _ = (event.item_id for event in conversation.outputs_of(AudioCommitted))
    (failed,) = conversation.outputs_of(TranscriptFailed)
    assert failed.item_id == second
    assert isinstance(failed.error, EngineError)
    assert texts(conversation) == ["first", "third"]


def test_a_failed_partial_is_only_late() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.fail(Transcribe)
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(4.8 - microphone.position / 16_000), microphone.silence(1.0))
    assert conversation.outputs_of(TranscriptFailed) == []
    assert texts(conversation) == [words_between(0, 4.8)]


def test_a_partial_that_fails_at_once_is_not_asked_for_again_before_there_is_new_speech() -> None:
    conversation, microphone = speaking_until_requested()
    conversation.fail(Transcribe)
    assert conversation.pending(Transcribe) == []
    conversation.hear(microphone.speech(0.5))
    assert len(conversation.pending(Transcribe)) == 1


def test_a_final_that_failed_in_the_pause_is_asked_for_again() -> None:
    conversation, microphone = speaking()
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(0.3))
    conversation.fail(Transcribe)
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(0.7))
    assert texts(conversation) == [words_between(0, 3.2)]


def test_a_turn_fails_after_its_last_segment_where_the_final_of_one_failed() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(30.0))
    conversation.send(CommitAudio())
    conversation.fail(Transcribe)
    assert conversation.outputs_of(TranscriptFailed) == []
    conversation.release(Transcribe)
    assert len(conversation.outputs_of(TranscriptFailed)) == 1
    assert conversation.outputs_of(TranscriptCompleted) == []


# Long turns.


@pytest.mark.parametrize("seconds", [32.0, 96.0])
def test_of_a_long_turn_without_a_pause_every_sample_is_decoded_once(seconds: float) -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(speech := microphone.speech(seconds), frame_seconds=0.1)
    conversation.send(CommitAudio())
    conversation.release(Transcribe)
    finals = [request.samples for request in conversation.finals]
    assert len(finals) > 1
    assert max(map(len, finals)) <= HARD_SEGMENT_LIMIT
    assert sum((count_loud(final) for final in finals), start=count_loud(finals[0][:0])).total() == len(speech) // 2
    assert set().union(*map(count_loud, finals)) == {1000 + index for index in range(round(seconds / 0.32))}
    assert texts(conversation) == [words_between(0, seconds)]


def test_a_segment_that_nobody_decodes_is_cut_early_when_the_load_is_critical() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.load = LoadLevel.CRITICAL
    conversation.hear(microphone.speech(1.92), microphone.silence(0.96))  # so that the session learns of the load
    conversation.held = (Transcribe,)
    conversation.hear(microphone.speech(19.2), microphone.silence(0.96), frame_seconds=0.1)
    conversation.release(Transcribe)
    _, *finals = [len(request.samples) for request in conversation.finals]
    assert max(finals) <= UNDECODED_SEGMENT_LIMIT + WINDOW
    assert min(finals[:-1]) >= UNDECODED_SEGMENT_LIMIT - UNDECODED_SEARCH_RANGE
    assert texts(conversation) == [words_between(0, 1.92), words_between(2.88, 22.08)]


@pytest.mark.parametrize("load", [LoadLevel.NORMAL, LoadLevel.BUSY])
def test_a_segment_that_nobody_decodes_is_not_cut_early_when_the_load_is_not_critical(load: LoadLevel) -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.load = load
    conversation.hear(microphone.speech(1.92), microphone.silence(0.96))
    conversation.held = (Transcribe,)
    conversation.hear(microphone.speech(12.8), microphone.silence(0.96), frame_seconds=0.1)
    conversation.release(Transcribe)
    assert len(conversation.finals) == 2


def test_the_deltas_of_all_segments_add_up_to_the_text() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(64.0), microphone.silence(1.0), frame_seconds=0.1)
    assert texts(conversation) == [words_between(0, 64.0)]
    assert conversation.transcript() == words_between(0, 64.0)


def test_a_segment_without_a_pause_is_cut_where_it_is_quietest() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(19.2), microphone.silence(0.16), microphone.speech(12.64))
    conversation.send(CommitAudio())
    conversation.release(Transcribe)
    first = conversation.finals[0]
    assert len(first.samples) == pytest.approx(LEAD_IN + 19.28 * 16_000, abs=1)


@pytest.mark.parametrize("missing", [QUIET_SPAN - 1, QUIET_SPAN])
def test_a_segment_is_not_cut_before_words_that_have_just_been_committed(missing: int) -> None:
    segment, buffer = Segment(Turn("item", 0), 0, SpeechEvidence(0.5)), AudioBuffer()
    buffer.append(np.full(HARD_SEGMENT_LIMIT, 0.1, np.float32))
    segment.scored_until = segment.speech_end = HARD_SEGMENT_LIMIT
    heard = HARD_SEGMENT_LIMIT - missing
    segment.agreement.update([Word(" hello", 0, 0, 0.999), Word(" world", 0, 0, 0.999)], heard, partial=True)
    assert segment.agreement.confirmed_until == heard
    cut = cut_position(segment, LoadLevel.NORMAL, buffer)
    assert cut is not None
    assert heard <= cut <= HARD_SEGMENT_LIMIT


def test_words_without_times_get_none_where_the_audio_begins_later() -> None:
    conversation, microphone = Conversation(configured(include_partials=True), held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(3.0))
    speak_until_requested(conversation, microphone)
    conversation.answer(Transcribe, hypothesis_of("it was a dark"))
    (revised,) = conversation.outputs_of(TranscriptRevised)
    assert {(word.start, word.end) for word in revised.tentative} == {(0, 0)}


def test_a_long_turn_is_cut_in_a_pause_without_losing_or_repeating_speech() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(16.0), microphone.silence(0.32), microphone.speech(16.0))
    conversation.hear(microphone.silence(1.0))
    first, second = (set(count_loud(request.samples)) for request in conversation.finals)
    assert not first & second
    assert len(conversation.outputs_of(AudioCommitted)) == 1
    assert texts(conversation) == [words_between(0, 16.0) + " " + words_between(16.32, 32.32)]


def test_no_loud_sample_is_decoded_twice_when_a_pause_begins_before_a_segment_is_long() -> None:
    conversation, microphone = Conversation(), Microphone()
    begun = microphone.speech((MAX_SEGMENT[LoadLevel.NORMAL] - 4000) / 16_000)
    conversation.hear(begun, microphone.silence(0.48), rest := microphone.speech(4.0), microphone.silence(1.0))
    finals = [count_loud(request.samples) for request in conversation.finals]
    assert [final.total() * 2 for final in finals] == [len(begun), len(rest)]


def test_clearing_a_long_turn_drops_its_first_segments_too() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(40.0), frame_seconds=0.1)
    conversation.send(ClearAudio())
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(1.0))
    assert conversation.outputs_of(TranscriptExtended, TranscriptCompleted) == []


def test_a_turn_ends_without_a_transcript_when_none_is_wanted_any_more() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(40.0), frame_seconds=0.1)
    conversation.send(Configure(configured(transcribe=False)))
    conversation.hear(microphone.silence(1.0))
    conversation.release(Transcribe)
    assert len(conversation.outputs_of(AudioCommitted)) == 1
    assert conversation.outputs_of(TranscriptExtended, TranscriptCompleted, TranscriptFailed) == []


# Trimmed segments, and shorter partials.


@pytest.mark.parametrize("seconds", [1.6, 3.2, 4.8, 6.4, 8.0, 9.6, 12.8, 16.0, 32.0])
@pytest.mark.parametrize("pause", [0.0, 0.32])
def test_no_word_is_lost_or_doubled_however_long_a_turn_is(seconds: float, pause: float) -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(seconds), microphone.silence(pause))
    resumed = microphone.position / SAMPLE_RATE
    conversation.hear(microphone.speech(1.6), microphone.silence(1.0))
    assert texts(conversation) == [f"{words_between(0, seconds)} {words_between(resumed, resumed + 1.6)}"]


@pytest.mark.parametrize("load", LoadLevel)
def test_a_decode_is_of_bounded_length_however_long_a_turn_is(load: LoadLevel) -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.load = load
    conversation.hear(microphone.speech(64.0))
    conversation.hear(microphone.silence(1.0))
    for final, limit in ((False, MAX_PARTIAL[load]), (True, MAX_SEGMENT[load])):
        longest = max(len(request.samples) for request in conversation.requests if request.final is final)
        assert longest <= limit + COMMITTED_CONTEXT[load] + 2 * MIN_SPAN
    assert {request.under_load for request in conversation.requests} == {load.is_high}


def test_a_long_partial_is_decoded_with_word_times_and_a_short_one_without() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(20.0))
    assert all(
        request.word_times is (len(request.samples) > MAX_PARTIAL[LoadLevel.NORMAL])
        for request in conversation.requests
    )


def test_a_final_is_of_all_the_segment_though_partials_leave_out_committed_words() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(9.6), microphone.silence(1.0))
    partials = [request for request in conversation.requests if not request.final]
    assert len(partials[-1].samples) < 6 * SAMPLE_RATE
    assert all(len(final.samples) > 9.6 * SAMPLE_RATE for final in conversation.finals)
    assert texts(conversation) == [words_between(0, 9.6)]


def test_partials_that_leave_out_words_are_in_the_language_of_those_words() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    while len(conversation.requests) < 12:
        conversation.hear(microphone.speech(0.5))
        answer = replace(recognize(conversation.take().samples), language="de", language_probability=0.8)
        conversation.answer(Transcribe, answer)
    lengths = [len(request.samples) for request in conversation.requests]
    shorter = next(index for index in range(1, 12) if lengths[index] < lengths[index - 1])
    languages = [request.language for request in conversation.requests]
    assert languages == [None] * shorter + ["de"] * (12 - shorter)


@pytest.mark.parametrize("wait", [0.3, 1.1, 2.7, 5.0])
def test_no_word_is_lost_or_doubled_where_engines_are_slow(wait: float) -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    while microphone.position < 48 * SAMPLE_RATE:
        conversation.hear(microphone.speech(wait / 2))
        if conversation.pending(Transcribe):
            conversation.take()
        conversation.hear(microphone.speech(wait / 2))
        if conversation.pending(Transcribe):
            conversation.answer(Transcribe)
    end = -(-microphone.position // 5120) * 5120
    conversation.hear(microphone.speech((end - microphone.position) / SAMPLE_RATE), microphone.silence(1.0))
    conversation.release(Transcribe)
    assert texts(conversation) == [words_between(0, end / SAMPLE_RATE)]


def timed(*words: tuple[str, float, float]) -> Hypothesis:
    """An answer with word times in seconds."""
    said = (Word(f" {text}", round(start * SAMPLE_RATE), round(end * SAMPLE_RATE), 0.9) for text, start, end in words)
    return replace(hypothesis_of(""), words=tuple(said))


@pytest.mark.parametrize("pause", [0.2, 0.4, 1.0])
def test_every_request_says_where_its_audio_has_voice(pause: float) -> None:
    conversation, microphone = Conversation(), Microphone()
    for seconds in (3.0, 30.0, 2.0):  # the second is trimmed, and cut in the pause
        conversation.hear(microphone.silence(pause), microphone.speech(seconds))
    conversation.hear(microphone.silence(1))
    for request in conversation.requests:
        voiced = np.zeros(len(request.samples), bool)
        for span in request.voice:
            voiced[span.start : span.end] = True
        loud = request.samples > 0
        assert voiced[:-MIN_VOICE][loud[:-MIN_VOICE]].all()  # later voice may yet turn out to be a click
        assert not voiced[~np.convolve(loud, np.ones(2 * WINDOW + 1), "same").astype(bool)].any()


@pytest.mark.parametrize("first_end", [0.0, 0.09])
def test_a_segment_may_be_trimmed_right_after_a_short_first_word(first_end: float) -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(3.0), microphone.speech(MAX_SEGMENT[LoadLevel.NORMAL] / SAMPLE_RATE + 1))
    begun = ("Yes.", 0.0, first_end), ("then", first_end, 2.0)
    for last in ("a", "b", "c"):
        conversation.take()
        conversation.answer(Transcribe, timed(*begun, (last, 2.0 + QUIET_SPAN / SAMPLE_RATE, 4.0)))
        conversation.hear(microphone.speech(MIN_SPAN / SAMPLE_RATE + 0.1))
    assert conversation.transcript() == "Yes. then"


def test_no_audio_is_trimmed_beside_a_word_that_lasts_too_long() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(3.0), microphone.speech(MAX_SEGMENT[LoadLevel.NORMAL] / SAMPLE_RATE + 1))
    begun = ("Yes.", 0.0, 0.5), ("then", 0.6, 1.0), ("again", 1.1, 8.0)
    for last in ("a", "b", "c"):
        conversation.take()
        conversation.answer(Transcribe, timed(*begun, (last, 9.0, 9.5)))
        conversation.hear(microphone.speech(MIN_SPAN / SAMPLE_RATE + 0.1))
    assert conversation.transcript() == "Yes. then again"
    lengths = [len(request.samples) for request in conversation.requests]
    assert lengths == sorted(lengths)


WORD = 5120 / SAMPLE_RATE


@settings(max_examples=60, deadline=None)
@given(
    turns=st.lists(st.tuples(st.integers(1, 70), st.sampled_from([1, 1, 2, 3])), min_size=1, max_size=4),
    waits=st.lists(st.tuples(st.floats(0.02, 4.0), st.floats(0.0, 4.0)), min_size=1, max_size=8),
)
def test_whenever_engines_take_and_answer_no_word_is_lost_or_doubled(
    turns: list[tuple[int, int]], waits: list[tuple[float, float]]
) -> None:
    """Turns of so many words and pauses of as many words' length; seconds until a request is taken, and answered."""
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    said, audio = [], b""
    for words, pause in turns:
        begun = microphone.position / SAMPLE_RATE
        audio += microphone.speech(words * WORD) + microphone.silence(pause * WORD)
        said.append(words_between(begun, begun + words * WORD))
    engine = engine_that_waits(conversation, waits)
    for start in range(0, len(audio), 3200):
        conversation.hear(audio[start : start + 3200], frame_seconds=0.1)
        next(engine)
    conversation.hear(microphone.silence(1.0))
    conversation.release(Transcribe)
    assert " ".join(texts(conversation)) == " ".join(said)


def engine_that_waits(conversation: Conversation, waits: list[tuple[float, float]]) -> Iterator[None]:
    """Takes and answers one request after the other, with these pauses in turn; looks at the time at every step."""
    for take, answer in cycle(waits):
        began = conversation.now
        while conversation.now < began + take or not conversation.pending(Transcribe):
            yield
        (taken,) = conversation.pending(Transcribe)
        conversation.take()
        began = conversation.now
        while conversation.now < began + answer:
            yield
        if taken in conversation.pending(Transcribe):
            conversation.answer(Transcribe)
        yield


def test_the_session_says_why_it_requests_nothing() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    assert conversation.session.waiting is None
    conversation.hear(microphone.silence(0.5), microphone.speech(1.28))
    assert conversation.session.waiting is Waiting.IN_FLIGHT
    conversation.hear(microphone.silence(1), microphone.speech(0.64))
    assert conversation.session.waiting is Waiting.EARLIER_SEGMENT
