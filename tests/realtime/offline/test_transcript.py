"""Dividing a transcript into cues."""

from dataclasses import replace

import pytest

from realtime.offline.transcript import cues
from tests.support.transcripts import SPOKEN, transcript, word


def test_cues_end_with_sentences_pauses_and_speech_segments() -> None:
    paused = transcript((word(" one", 0, 1), word(" two", 1.6, 2), word(" three", 2.2, 3)), (word(" four", 3.1, 4),))
    assert [cue.text for cue in cues(SPOKEN)] == [" Hello there.", " How are", " you?"]
    assert [cue.text for cue in cues(paused)] == [" one", " two three", " four"]


def test_chinese_punctuation_ends_a_sentence() -> None:
    chinese = transcript((word("你好。", 0, 1), word("再见", 1, 2)), language="zh")
    assert [cue.text for cue in cues(chinese)] == ["你好。", "再见"]


def test_a_quoted_sentence_ends_after_its_quotation_mark() -> None:
    quoted = transcript((word(" “Go!”", 0, 1), word(" he said", 1, 2)))
    assert [cue.text for cue in cues(quoted)] == [" “Go!”", " he said"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Then Mr. Quilter left."),
        ("en", "The U.S. Senate met."),
        ("de", "Wir kommen am 3. Oktober."),
        ("es", "Die Sra. García und Mme. Dupont."),
        ("en", "See No. 5 below."),
    ],
)
def test_no_cue_ends_with_an_abbreviation_or_an_ordinal(language: str, text: str) -> None:
    words = tuple(word(f" {written}", index, index + 1) for index, written in enumerate(text.split()))
    assert [cue.text for cue in cues(transcript(words, language=language))] == [f" {text}"]


def test_the_language_of_a_translation_is_english() -> None:
    words = (word(" am", 0, 1), word(" 25.", 1, 2), word(" Then", 2, 3))
    german = transcript(words, language="de")
    assert len(cues(german)) == 1
    assert len(cues(replace(german, translated=True))) == 2


def test_a_cue_ends_with_an_abbreviation_before_a_pause() -> None:
    assert [cue.text for cue in cues(transcript((word(" Mr.", 0, 1), word(" Go", 1.6, 2))))] == [" Mr.", " Go"]


def test_a_cue_ends_with_a_year_at_the_end_of_a_sentence() -> None:
    years = transcript((word(" in", 0, 1), word(" 1999.", 1, 2), word(" Then", 2, 3)))
    assert [cue.text for cue in cues(years)] == [" in 1999.", " Then"]
