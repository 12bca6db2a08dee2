import numpy as np

from realtime.audio.formats import Samples
from realtime.speech.speech_timing import SpeechTiming
from realtime.text_normalization.normalizer import spoken_text

RATE = 1000


def sound(samples: int) -> Samples:
    return np.full(samples, 0.5, np.float32)


def timing(*phrases: tuple[str, float]) -> SpeechTiming:
    """Return phrases with their seconds of audio, which comes in two parts."""
    result = SpeechTiming(RATE)
    for text, seconds in phrases:
        result.add_text(text)
        result.add_audio(sound(round(seconds * RATE) // 2))
        result.add_audio(sound(round(seconds * RATE) - round(seconds * RATE) // 2))
    return result


TWO = timing(("One two three four. ", 2.0), ("Five six.", 1.0))


def test_the_whole_text_was_played_at_the_end_of_its_audio() -> None:
    assert TWO.text_until(3.0) == TWO.text_until(99.0) == TWO.text == "One two three four. Five six."
    assert TWO.seconds == 3.0


def test_nothing_was_played_at_the_beginning() -> None:
    assert TWO.text_until(0.0) == ""


def test_a_phrase_is_exact() -> None:
    assert TWO.text_until(2.0) == "One two three four."


def test_within_a_phrase_words_count_from_their_middle_on() -> None:
    assert TWO.text_until(0.1) == ""
    assert TWO.text_until(0.16) == "One"
    assert TWO.text_until(1.0) == "One two"
    assert TWO.text_until(1.1) == "One two three"
    assert TWO.text_until(2.3) == "One two three four. Five"


def test_the_silence_at_the_end_of_a_phrase_has_no_words() -> None:
    pausing = SpeechTiming(RATE)
    pausing.add_text("One two three four. ")
    pausing.add_audio(np.concatenate([sound(2000), np.zeros(500, np.float32)]))
    pausing.add_audio(np.zeros(500, np.float32))
    pausing.add_text("Five six.")
    pausing.add_audio(sound(1000))
    assert pausing.text_until(1.1) == "One two three"
    assert pausing.text_until(2.0) == pausing.text_until(3.0) == "One two three four."
    assert pausing.text_until(3.3) == "One two three four. Five"
    assert pausing.seconds == 4.0


def test_in_chinese_characters_count() -> None:
    assert timing(("今天天气很好。", 7.0)).text_until(3.0) == "今天天"


def test_a_text_without_audio_has_been_played_when_what_came_before_has() -> None:
    silent = timing(("One. ", 1.0), ("… ", 0.0), ("Two.", 1.0))
    assert silent.text_until(0.99) == "One."
    assert silent.text_until(1.0) == "One. …"


def test_what_was_cut_is_forgotten() -> None:
    cut = timing(("One two three four. ", 2.0), ("Five six.", 1.0))
    cut.cut(1.1)
    assert (cut.text, cut.seconds) == ("One two three", 1.1)
    cut.cut(5.0)
    assert (cut.text, cut.seconds) == ("One two three", 1.1)


def test_a_phrase_is_exact_after_a_cut_too() -> None:
    cut = timing(("One two three four. ", 2.0), ("Five six.", 1.0), ("Seven.", 1.0))
    cut.cut(2.9)
    cut.cut(2.0)
    assert (cut.text_until(9.0), cut.seconds) == ("One two three four.", 2.0)


def test_audio_before_any_text_belongs_to_none() -> None:
    silent = SpeechTiming(RATE)
    silent.add_audio(sound(500))
    assert (silent.text_until(1.0), silent.seconds) == ("", 0.5)


def test_a_number_takes_as_long_as_its_words() -> None:
    spoken = spoken_text("In 1984 I left.", ("en",))  # In nineteen eighty-four I left.
    counted = SpeechTiming(RATE)
    counted.add_text(spoken.written, spoken.positions)
    counted.add_audio(sound(31 * 100))
    assert counted.text_until(1.0) == "In"
    assert counted.text_until(1.5) == "In 1984"
    assert counted.text_until(2.5) == "In 1984 I"
    assert counted.text_until(3.1) == "In 1984 I left."
