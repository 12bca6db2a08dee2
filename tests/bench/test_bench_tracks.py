import numpy as np
import pytest

from tests.bench.scoring import SpokenWord
from tests.bench.speech_clips import RATE, SpeechClip
from tests.bench.speech_tracks import cut_into_utterances, lay_out, monologue, shuffled_track


def clip(text: str, seconds: float = 1.0) -> SpeechClip:
    return SpeechClip(text, np.ones(round(seconds * RATE), np.float32), (SpokenWord(text, 0.1, 0.9),), 1.0)


def reading(pauses: set[int], seconds_a_word: float = 0.5) -> SpeechClip:
    """Words without gaps but for a gap of 0.2 s after each number of words in `pauses`."""
    words, position = [], 0.0
    for number in range(1, 41):
        words.append(SpokenWord(f"w{number}", position, position + seconds_a_word))
        position += seconds_a_word + (0.2 if number in pauses else 0.0)
    return SpeechClip("", np.zeros(round(position * RATE), np.float32), tuple(words), 1.0)


def test_the_words_of_a_clip_move_to_its_place_in_the_stream() -> None:
    track = lay_out([clip("one"), clip("two")], gap=1.0, seed=1)
    assert track.seconds == pytest.approx(4.5)
    assert [(word.text, word.utterance) for word in track.words] == [("one", 0), ("two", 1)]
    assert [word.start for word in track.words] == pytest.approx([0.6, 2.6])
    assert np.abs(track.samples[round(2.6 * RATE) : round(3.4 * RATE)] - 1).max() < 0.01


def test_a_seed_says_the_same_in_every_run_and_another_one_something_else() -> None:
    clips = [clip(f"w{number}") for number in range(20)]
    first, again, other = (shuffled_track(clips, 20, 1.0, seed) for seed in (1, 1, 2))
    assert first.text == again.text
    assert first.text != other.text
    assert len(set(first.text.split())) == len(first.words)


def test_a_reading_is_cut_in_its_pauses() -> None:
    clips = cut_into_utterances(reading(pauses={9, 19, 31}), 5.0)
    assert [len(clip.words) for clip in clips] == [9, 10, 12, 8]
    assert clips[1].words[0].start == pytest.approx(0.1)
    assert clips[1].seconds == pytest.approx(5.2)


def test_a_monologue_repeats_its_reading_and_ends_with_a_word() -> None:
    track = monologue(reading(pauses=set()), 30.0)
    assert track.words[40].text == "w1"
    assert track.words[-1].end == pytest.approx(30.0, abs=0.5)
    assert track.seconds == pytest.approx(track.words[-1].end + 1.35, abs=0.01)
