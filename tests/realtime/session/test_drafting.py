"""Tentative words from a draft model."""

from dataclasses import replace

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.scheduling.cadence import DRAFTED_PATIENCE
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.commands import ClearAudio
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import MIN_NEW_SPEECH
from realtime.session.events import (
    AudioCommitted,
    Output,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.session.jobs import CancelJob, Transcribe, Transcribed
from realtime.session.segment_limits import MAX_SEGMENT
from realtime.speech.certainty import MIN_SPAN
from realtime.speech.transcript import Hypothesis
from tests.support.scripted_conversation import (
    Conversation,
    Microphone,
    configured,
    hypothesis_of,
    words_between,
)

TINY, TINY_ENGLISH = lookup("whisper-tiny"), lookup("whisper-tiny.en")
BASE = lookup("whisper-base")


def drafted(draft: str = "whisper-tiny", **changes: object) -> SessionConfig:
    return configured(recognizer=replace(BASE, draft=lookup(draft)), include_partials=True, **changes)


class Drafted(Conversation):
    """A conversation with a draft model; transcriptions wait for `draft` and `recognize`."""

    def __init__(self, config: SessionConfig | None = None) -> None:
        super().__init__(config or drafted(), held=(Transcribe,))
        self.microphone = Microphone()

    def speak(self, seconds: float) -> None:
        self.hear(self.microphone.speech(seconds))

    def pause(self, seconds: float) -> None:
        self.hear(self.microphone.silence(seconds))

    def job(self, *, draft: bool) -> Transcribe | None:
        return next((job for job in self.pending(Transcribe) if job.draft is draft), None)

    def draft(self, text: str | None = None) -> list[Output]:
        """Answer the draft model's job with this text, or else with what was said."""
        return self._answered(text, draft=True)

    def recognize(self, text: str | None = None) -> list[Output]:
        """Answer the job of the recognizer."""
        return self._answered(text, draft=False)

    def _answered(self, text: str | None, *, draft: bool) -> list[Output]:
        job = self.job(draft=draft)
        assert job is not None
        return self.answer_job(job, None if text is None else hypothesis_of(text))

    @property
    def tentative(self) -> str:
        """The tentative words reported last."""
        return "".join(word.text for word in self.outputs_of(TranscriptRevised)[-1].tentative).strip()


def test_the_words_of_the_draft_are_shown_before_the_recognizer_has_any() -> None:
    conversation = Drafted()
    conversation.speak(0.4)
    (job,) = conversation.pending(Transcribe)
    assert (job.recognizer, job.priority, job.draft) == (TINY, Priority.PARTIAL, True)
    conversation.draft("it was")
    assert conversation.tentative == "It was"


def test_words_of_drafts_alone_are_never_committed() -> None:
    conversation = Drafted()
    for _ in range(8):
        conversation.speak(0.4)
        conversation.draft("it was a dark")
    assert conversation.outputs_of(TranscriptExtended) == []


def test_the_recognizer_is_asked_less_often_where_there_are_drafts() -> None:
    conversation = Drafted()
    while conversation.job(draft=False) is None:
        conversation.speak(0.02)
    least = DRAFTED_PATIENCE * MIN_NEW_SPEECH[LoadLevel.NORMAL] / SAMPLE_RATE
    assert least < conversation.microphone.position / SAMPLE_RATE < least + 0.1


def test_a_draft_is_of_the_newest_audio() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    job = conversation.job(draft=True)
    conversation.speak(2.0)
    assert len(conversation.take(job).samples) > 2.9 * SAMPLE_RATE


def test_both_models_are_expected_to_say_what_the_draft_model_has_said() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.draft("it was a dork")
    conversation.speak(0.5)
    for draft in (True, False):
        assert conversation.take(conversation.job(draft=draft)).expected == " It was a dork"


def test_a_draft_continues_the_words_of_the_recognizer() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.recognize("it was a dark")
    assert conversation.tentative == "It was a dark"
    conversation.speak(0.5)
    conversation.draft("it vas a dark and")
    assert conversation.tentative == "It was a dark and"


def test_an_older_draft_does_not_replace_words_of_the_recognizer() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.take(conversation.job(draft=True))
    conversation.speak(0.5)
    conversation.recognize("it was a dark and stormy")
    conversation.draft("it vas")
    assert conversation.tentative == "It was a dark and stormy"


def test_a_later_draft_confirms_what_it_says_too_as_the_recognizer_has_it() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.recognize("It was a dark.")
    conversation.draft("it was a")
    conversation.speak(MIN_SPAN / SAMPLE_RATE + 0.1)
    assert conversation.transcript() == ""
    conversation.draft("it was a bark and")
    assert conversation.transcript() == "It was a"
    assert conversation.tentative == "bark and"


def test_a_draft_of_nearly_the_same_audio_confirms_nothing() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.recognize("it was a dark")
    conversation.speak(MIN_SPAN / SAMPLE_RATE - 0.2)
    conversation.draft("it was a dark")
    assert conversation.transcript() == ""


def test_an_answer_of_the_recognizer_is_confirmed_by_the_draft_that_came_meanwhile() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.take(conversation.job(draft=False))
    conversation.speak(MIN_SPAN / SAMPLE_RATE + 0.1)
    conversation.draft("it was a bark and stormy")
    conversation.recognize("it was a dark")
    assert conversation.transcript() == "It was a"
    assert conversation.tentative == "bark and stormy"


def test_the_final_decides_about_words_of_drafts() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.draft("it vas a bark")
    conversation.pause(1.0)
    conversation.recognize("It was a dark.")
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert completed.text == "It was a dark."
    assert completed.erased == 3


def test_the_next_turn_has_a_draft_while_the_final_of_the_last_is_due() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.draft("first")
    conversation.pause(1.0)
    conversation.speak(1.0)
    conversation.draft("second")
    first, second = conversation.outputs_of(TranscriptRevised)
    assert first.item_id != second.item_id
    assert conversation.outputs_of(TranscriptCompleted) == []


def test_the_tentative_words_of_a_turn_are_those_of_all_segments_without_their_finals() -> None:
    conversation = Drafted()
    conversation.speak(MAX_SEGMENT[LoadLevel.NORMAL] / SAMPLE_RATE + 0.5)
    conversation.draft("it was")
    conversation.pause(0.45)
    conversation.speak(0.5)
    final = conversation.job(draft=False)
    assert final is not None
    assert final.priority is Priority.FINAL
    if conversation.job(draft=True) is not None:
        conversation.draft("it was a")
    conversation.speak(0.5)
    conversation.draft("dark")
    assert conversation.tentative.endswith("dark")
    assert conversation.tentative.startswith("It was")


def test_in_a_pause_the_last_words_are_drafted_unless_the_final_has_them() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.draft()
    conversation.speak(0.2)
    assert conversation.job(draft=True) is None
    conversation.pause(0.15)
    conversation.draft()
    assert conversation.tentative == words_between(0, 1.2).capitalize()
    conversation.pause(0.2)
    conversation.recognize()
    assert conversation.job(draft=True) is None


def test_a_draft_that_is_answered_after_its_turn_shows_its_words_until_the_final() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.take(conversation.job(draft=True))
    conversation.pause(1.0)
    assert conversation.outputs_of(AudioCommitted) != []
    conversation.draft("it was")
    assert conversation.tentative == "It was"
    assert conversation.transcript() == ""


def test_a_draft_ends_with_the_final_of_its_segment() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    job = conversation.job(draft=True)
    assert job is not None
    conversation.pause(1.0)
    conversation.recognize()
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)
    assert conversation.send(Transcribed(job.number, hypothesis_of("too late"))) == []


def test_the_draft_of_a_cleared_turn_is_cancelled() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    job = conversation.job(draft=True)
    conversation.send(ClearAudio())
    assert job is not None
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)


def test_a_draft_that_fails_is_only_missing() -> None:
    conversation = Drafted()
    conversation.speak(0.4)
    conversation.fail(Transcribe)
    conversation.speak(0.4)
    conversation.draft("it was")
    conversation.pause(1.0)
    conversation.recognize("it was")
    assert conversation.outputs_of(TranscriptFailed) == []
    assert conversation.transcript() == "It was"


def test_a_draft_that_fails_at_once_is_not_asked_for_again_before_there_is_new_speech() -> None:
    conversation = Drafted()
    conversation.speak(0.4)
    conversation.fail(Transcribe)
    assert conversation.job(draft=True) is None
    conversation.speak(0.4)
    assert conversation.job(draft=True) is not None


def test_a_draft_without_evidence_of_speech_is_not_shown() -> None:
    conversation = Drafted()
    conversation.speak(0.4)
    job = conversation.job(draft=True)
    assert job is not None
    conversation.answer_job(
        job, replace(hypothesis_of("thank you"), no_speech_probability=0.99, average_log_probability=-2.0)
    )
    assert conversation.outputs_of(TranscriptRevised) == []


@pytest.mark.parametrize(("probability", "shown", "later"), [(0.5, 0, None), (0.8, 1, None), (0.99, 1, "de")])
def test_a_draft_is_shown_in_a_likely_language_and_the_next_ones_are_in_a_certain_one(
    probability: float, shown: int, later: str | None
) -> None:
    conversation = Drafted()
    conversation.speak(0.4)
    job = conversation.job(draft=True)
    assert job is not None
    assert conversation.take(job).language is None
    german = replace(hypothesis_of("es war"), language="de", language_probability=probability)
    conversation.answer_job(job, german)
    assert len(conversation.outputs_of(TranscriptRevised)) == shown
    conversation.speak(0.4)
    assert conversation.take(conversation.job(draft=True)).language == later


def test_the_draft_is_in_the_language_that_the_recognizer_has_heard() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    job = conversation.job(draft=False)
    assert job is not None
    conversation.draft("it was")
    conversation.answer_job(job, replace(hypothesis_of("es war"), language="de", language_probability=0.99))
    conversation.speak(0.4)
    assert conversation.take(conversation.job(draft=True)).language == "de"


@pytest.mark.parametrize(
    ("changes", "used"),
    [
        ({"language": "en"}, True),
        ({"languages": ("en",)}, True),
        ({"language": "de"}, False),
        ({}, False),
        ({"language": "en", "translate": True}, False),
    ],
)
def test_an_english_draft_model_is_used_where_the_language_is_known_to_be_english(
    changes: dict[str, object], *, used: bool
) -> None:
    conversation = Drafted(drafted("whisper-tiny.en", **changes))
    conversation.speak(1.0)
    assert (conversation.job(draft=True) is not None) is used


def test_an_english_recognizer_has_an_english_draft_model_for_all_that_it_hears() -> None:
    english = replace(lookup("whisper-base.en"), draft=TINY_ENGLISH)
    conversation = Drafted(configured(recognizer=english))
    conversation.speak(0.4)
    assert conversation.job(draft=True) is not None
    conversation.draft("it was")
    assert conversation.outputs_of(TranscriptRevised) == []


@pytest.mark.parametrize(("language", "used"), [("en", True), ("de", False)])
def test_after_a_turn_the_draft_model_is_that_for_its_language(language: str, *, used: bool) -> None:
    conversation = Drafted(drafted("whisper-tiny.en"))
    conversation.speak(1.0)
    conversation.pause(1.0)
    job = conversation.job(draft=False)
    assert job is not None
    spoken = Hypothesis(hypothesis_of("well").words, language, languages={language: 0.9, "nl": 0.1})
    conversation.answer_job(job, spoken)
    conversation.speak(0.4)
    assert (conversation.job(draft=True) is not None) is used


def test_a_draft_model_that_does_not_know_a_language_is_not_used_for_it() -> None:
    conversation = Drafted(drafted(language="yue"))
    conversation.speak(1.0)
    assert conversation.job(draft=True) is None


def test_the_drafts_of_a_translation_are_translations() -> None:
    conversation = Drafted(drafted(translate=True))
    conversation.speak(0.4)
    assert conversation.take().translate


def test_without_transcription_nothing_is_drafted() -> None:
    conversation = Drafted(drafted(transcribe=False))
    conversation.speak(2.0)
    assert conversation.pending(Transcribe) == []


def test_a_turn_begins_with_a_capital_though_both_models_take_it_for_the_middle_of_a_sentence() -> None:
    conversation = Drafted()
    conversation.speak(1.0)
    conversation.draft("for a full")
    assert conversation.tentative == "For a full"
    conversation.recognize("for a full hour")
    assert conversation.tentative == "For a full hour"
    conversation.speak(MIN_SPAN / SAMPLE_RATE + 0.1)
    conversation.draft("for a full hour he")
    assert (conversation.transcript(), conversation.tentative) == ("For a full hour", "he")
    conversation.pause(1.0)
    conversation.recognize("for a full hour he had")
    assert conversation.transcript() == "For a full hour he had"


def test_the_final_of_a_turn_begins_with_a_capital() -> None:
    conversation = Drafted()
    conversation.speak(0.4)
    conversation.pause(1.0)
    conversation.recognize("for an hour.")
    assert conversation.transcript() == "For an hour."


@pytest.mark.parametrize(("before", "after"), [("It was.", "Dark"), ("It was", "dark")])
def test_the_next_segment_of_a_turn_begins_as_the_one_before_has_ended(before: str, after: str) -> None:
    conversation = Drafted()
    conversation.speak(MAX_SEGMENT[LoadLevel.NORMAL] / SAMPLE_RATE + 0.5)
    conversation.pause(0.45)
    conversation.speak(0.5)
    conversation.recognize(before)
    conversation.speak(0.5)
    conversation.draft("dark")
    assert conversation.tentative == after


def test_without_a_draft_model_text_is_as_the_recognizer_writes_it() -> None:
    conversation = Drafted(configured(include_partials=True))
    conversation.speak(1.0)
    conversation.recognize("for a full")
    assert conversation.tentative == "for a full"
