"""Words bounded by the voice in their audio. A tone is voice, unless the test says that the detector missed it."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Word
from realtime.speech.word_times import bounded, longest_untranscribed
from tests.support.recordings import silence, tone

TWO_TONES = np.concatenate([silence(0.5), tone(1), silence(1), tone(1), silence(0.5)])
"""Tones from 0.5 to 1.5 and from 2.5 to 3.5 s."""

DETECTED = ((0.51, 1.57), (2.52, 3.58))
"""What a detector makes of them: it hears the end of voice late."""


def spans(*seconds: tuple[float, float]) -> list[Span]:
    return [Span(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in seconds]


def words(*seconds: tuple[float, float]) -> list[Word]:
    return [Word(f" w{number}", span.start, span.end, 0.9) for number, span in enumerate(spans(*seconds))]


def times(given_words: list[Word], samples: Samples, *voice: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the bounded times in seconds."""
    found = bounded(given_words, samples, spans(*voice))
    assert [word.text for word in found] == [word.text for word in given_words]
    return [(word.start / SAMPLE_RATE, word.end / SAMPLE_RATE) for word in found]


def noise(seconds: float, level: float) -> Samples:
    samples = level * np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE))
    return samples.astype(np.float32)


def near(*seconds: tuple[float, float], within: float = 0.021) -> list[Any]:
    return [pytest.approx(each, abs=within) for each in seconds]


def test_a_word_that_lasts_through_a_pause_ends_with_its_voice() -> None:
    assert times(words((0.5, 2.4), (2.4, 3.9)), TWO_TONES, *DETECTED) == near((0.5, 1.5), (2.5, 3.5))


def test_a_word_that_starts_in_a_pause_starts_with_its_voice() -> None:
    assert times(words((0.2, 1.6), (1.6, 3.5)), TWO_TONES, *DETECTED) == near((0.5, 1.5), (2.5, 3.5))


@pytest.mark.parametrize("level", [0.0067, 0.021, 0.067])
def test_background_does_not_lengthen_words(level: float) -> None:
    """Noise 30, 20 and 10 dB below the tone."""
    samples = TWO_TONES + noise(4, level)
    assert times(words((0.1, 2.2), (2.2, 4)), samples, *DETECTED) == near((0.5, 1.5), (2.5, 3.5), within=0.05)


def test_a_quiet_speaker_after_a_loud_one_has_times_too() -> None:
    samples = np.concatenate([TWO_TONES, np.float32(0.01) * TWO_TONES])
    later = tuple((start + 4, end + 4) for start, end in DETECTED)
    found = times(words((0.5, 2.4), (2.4, 4), (4, 6.4), (6.4, 8)), samples, *DETECTED, *later)
    assert found == near((0.5, 1.5), (2.5, 3.5), (4.5, 5.5), (6.5, 7.5))


def test_a_fricative_that_the_detector_missed_belongs_to_its_word() -> None:
    samples = np.concatenate([tone(1), noise(0.2, 0.02), silence(1)])
    assert times(words((0, 2)), samples, (0, 1)) == near((0, 1.2))
    assert times(words((0, 2.2)), samples[::-1], (1.2, 2.2)) == near((1.0, 2.2))


def test_the_release_of_a_final_stop_belongs_to_its_word() -> None:
    samples = np.concatenate([tone(1), silence(0.05), noise(0.05, 0.02), silence(1)])
    assert times(words((0, 2)), samples, (0, 1)) == near((0, 1.1))


def test_a_click_in_a_pause_belongs_to_no_word() -> None:
    samples = np.concatenate([tone(1), silence(0.2), noise(0.02, 0.1), silence(1)])
    assert times(words((0, 2)), samples, (0, 1)) == near((0, 1))


def test_a_word_does_not_last_through_noise_that_fills_a_pause() -> None:
    samples = np.concatenate([tone(1), noise(0.4, 0.02), tone(0.6), silence(5)])
    ((_, end), (start, _)) = times(words((0, 1.3), (1.3, 2)), samples, (0, 1), (1.4, 2))
    assert end <= start == pytest.approx(1.3, abs=0.01)


def test_a_word_is_not_cut_where_the_voice_is_interrupted_briefly() -> None:
    samples = np.concatenate([tone(0.5), silence(0.15), tone(0.4), silence(1)])
    assert times(words((0, 1.8)), samples, (0, 0.5), (0.66, 1.1)) == near((0, 1.05))


def test_the_outer_words_of_a_stretch_of_speech_fill_it() -> None:
    found = times(words((0.7, 0.9), (0.9, 1.3), (2.4, 3.4)), TWO_TONES, *DETECTED)
    assert found == near((0.5, 0.9), (0.9, 1.5), (2.5, 3.5))


def test_a_word_is_not_lengthened_over_speech_that_is_longer_than_a_word() -> None:
    assert times(words((0.95, 1.05)), TWO_TONES, *DETECTED) == near((0.95, 1.05))


def test_a_word_without_voice_is_short_and_keeps_its_start() -> None:
    assert times(words((0.5, 1.5), (1.6, 2.5), (2.5, 3.5)), TWO_TONES, *DETECTED)[1] == near((1.6, 2.1))[0]


def test_where_voice_was_not_detected_all_sound_is_taken_for_speech() -> None:
    assert times(words((0.5, 2.4), (2.4, 3.9)), TWO_TONES) == near((0.5, 1.5), (2.5, 3.5))


def test_in_digital_silence_words_stay_within_the_audio() -> None:
    assert times(words((0.5, 0.5), (1.0, 1.0)), silence(1)) == near((0.5, 0.52), (0.98, 1.0))


def test_more_words_than_fit_into_the_audio_have_a_length_too() -> None:
    found = times(words(*[(0.04, 0.04)] * 9), tone(0.1))
    assert all(start < end for start, end in found)


def test_nothing_has_no_words() -> None:
    assert times([], silence(0)) == []


@given(
    edges=st.lists(st.integers(0, 150), min_size=2, max_size=40),
    voice=st.lists(st.integers(0, 150), max_size=12, unique=True),
    loud=st.booleans(),
)
def test_words_stay_in_order_without_overlap_and_have_a_length(
    edges: list[int], voice: list[int], *, loud: bool
) -> None:
    """Edges are in units of 20 ms; successive words may be empty."""
    edges, voice = sorted(edges), sorted(voice)
    aligned = words(*((start / 50, end / 50) for start, end in pairwise(edges)))
    detected = [(start / 50, end / 50) for start, end in zip(voice[::2], voice[1::2], strict=False)]
    samples = tone(3) if loud else noise(3, 0.001)
    found = bounded(aligned, samples, spans(*detected))
    bounds = [bound for word in found for bound in (word.start, word.end)]
    assert bounds == sorted(bounds)
    assert all(word.end > word.start for word in found)
    assert not bounds or (bounds[0] >= 0 and bounds[-1] <= len(samples))


def test_the_longest_speech_without_a_word_is_found() -> None:
    """Between the starts of the words there are 1.0 s of speech, before the first 0.3 s, and after the last 0.5 s."""
    found = longest_untranscribed(words((0.8, 1.5), (2.8, 3.0)), TWO_TONES, spans(*DETECTED))
    assert found / SAMPLE_RATE == pytest.approx(1.0, abs=0.05)
