"""Where a transcript is cut for subtitles; more in `tests/realtime/offline/test_transcript.py`."""

from realtime.speech.cues import cut_into_cues
from realtime.speech.transcript import Word


def spoken(text: str, pause_before: str = "") -> list[Word]:
    """Return words of 0.1 s with 0.1 s between them, and 0.6 s before one of them."""
    words, end = [], 0
    for each in text.split():
        start = end + (9_600 if each == pause_before else 1_600)
        end = start + 1_600
        words.append(Word(f" {each}", start, end, 0.9))
    return words


def cut(text: str, pause_before: str = "", language: str = "en") -> list[str]:
    return ["".join(word.text for word in cue).strip() for cue in cut_into_cues(spoken(text, pause_before), language)]


def test_a_transcript_is_cut_at_ends_of_sentences_and_at_pauses() -> None:
    assert cut("Hello there. How are you?", pause_before="you?") == ["Hello there.", "How are", "you?"]


def test_abbreviations_and_marks_without_a_word_end_no_cue_or_one() -> None:
    assert cut("Mr. Smith said “Well …” and left.") == ["Mr. Smith said “Well …”", "and left."]
    assert cut("Ask Dr. Who! Now.") == ["Ask Dr. Who!", "Now."]
    assert cut("Wait... What?") == ["Wait...", "What?"]


def test_nothing_has_no_cues() -> None:
    assert cut("") == []
