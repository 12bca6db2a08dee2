"""Dividing a transcript into cues."""

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
