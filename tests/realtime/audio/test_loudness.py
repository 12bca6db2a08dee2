"""Loudness as in ITU-R BS.1770-5, compared with pyloudnorm, and phrases brought to one loudness."""

import warnings

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.audio.loudness import HIGHEST_PEAK, MAX_GAIN, TARGET_LOUDNESS, Loudness, LoudnessLeveller, levelled
from tests.support.recordings import tone

RATE = 24_000
PEAK_OF_TONE = 0.3


def at(level: float, seconds: float = 2.0) -> Samples:
    """Return a tone with a peak of `level` dBFS."""
    return tone(seconds, 997.0, RATE) * np.float32(10 ** (level / 20) / PEAK_OF_TONE)


def loudness(samples: Samples, sample_rate: int = RATE) -> float:
    return Loudness(sample_rate).add(samples)


def in_chunks(phrase: Samples, seconds: float = 0.08, gain: float = 1.0) -> tuple[Samples, float]:
    """Return a phrase that was levelled in chunks, and the last gain."""
    leveller = LoudnessLeveller(RATE, gain)
    chunks = np.split(phrase, range(round(seconds * RATE), len(phrase), round(seconds * RATE)))
    return np.concatenate([leveller.process(chunk) for chunk in chunks]), leveller.gain


def gains(after: Samples, before: Samples) -> Samples:
    sounds = np.abs(before) > 0.01
    return after[sounds] / before[sounds]


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_tone_of_997_hz_at_full_scale_has_minus_3_lufs(rate: int) -> None:
    assert loudness(tone(2.0, 997.0, rate) / np.float32(PEAK_OF_TONE), rate) == pytest.approx(-3.01, abs=0.06)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("pauses", [False, True])
def test_the_loudness_of_noise_is_that_of_pyloudnorm(rate: int, pauses: bool) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    noise = np.cumsum(np.random.default_rng(1).standard_normal(4 * rate) * 0.01) % 0.2 - 0.1
    if pauses:
        noise[rate : 2 * rate] *= 1e-3
        noise[3 * rate :] *= 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pyloudnorm.Meter(rate).integrated_loudness(noise)
    assert loudness(noise.astype(np.float32), rate) == pytest.approx(expected, abs=0.3)


def test_silence_has_no_loudness() -> None:
    assert loudness(np.full(RATE, 1e-5, np.float32)) == float("-inf")


def test_the_loudness_does_not_depend_on_the_chunks() -> None:
    sound = at(-20.0)
    measured, found = Loudness(RATE), 0.0
    for chunk in np.split(sound, [100, 1_000, 1_001, 30_000]):
        found = measured.add(chunk)
    assert found == pytest.approx(loudness(sound))


@pytest.mark.parametrize("level", [-30.0, -22.0, -12.0])
@pytest.mark.parametrize("seconds", [0.5, 3.0])
def test_a_phrase_is_brought_to_the_same_loudness(level: float, seconds: float) -> None:
    assert loudness(levelled(at(level, seconds), RATE)) == pytest.approx(TARGET_LOUDNESS, abs=1.2)


def test_a_phrase_that_comes_at_once_has_one_gain() -> None:
    phrase = np.concatenate([at(-30.0), at(-20.0)])
    found = gains(levelled(phrase, RATE), phrase)
    assert found.max() - found.min() < 1e-4


@pytest.mark.parametrize("level", [-32.0, -12.0])
def test_a_phrase_in_chunks_comes_gradually_to_the_same_loudness(level: float) -> None:
    phrase = at(level, 6.0)
    spoken, _ = in_chunks(phrase)
    found = gains(spoken, phrase)
    assert np.abs(20 * np.log10(found[1:] / found[:-1])).max() < 0.01
    assert loudness(spoken[-2 * RATE :]) == pytest.approx(TARGET_LOUDNESS, abs=1.7)


def test_the_next_phrase_of_a_voice_begins_with_the_gain_of_the_last() -> None:
    _, gain = in_chunks(at(-32.0, 6.0))
    spoken, _ = in_chunks(at(-32.0, 0.5), gain=gain)
    assert loudness(spoken) == pytest.approx(TARGET_LOUDNESS, abs=1.7)


def test_a_loud_moment_of_a_quiet_voice_makes_no_step_and_is_not_clipped() -> None:
    phrase = at(-33.0, 2.0)
    phrase[RATE + 1_500 : RATE + 1_600] *= np.float32(0.7 / np.abs(phrase).max())
    spoken, _ = in_chunks(phrase, gain=3.0)
    assert np.abs(np.diff(gains(spoken, phrase))).max() < 0.3
    assert np.abs(spoken).max() <= HIGHEST_PEAK + 1e-6


@pytest.mark.parametrize("seconds", [0.04, 0.5, 2.0])
def test_speech_in_chunks_that_is_as_loud_as_it_should_be_is_not_changed(seconds: float) -> None:
    phrase = levelled(np.concatenate([at(-24.0), at(-22.0), at(-23.0)]), RATE)
    np.testing.assert_allclose(in_chunks(phrase, seconds)[0], phrase, rtol=1e-5)


def test_silence_is_not_raised() -> None:
    silence = np.full(RATE, 1e-4, np.float32)
    np.testing.assert_array_equal(levelled(silence, RATE), silence)
    np.testing.assert_array_equal(in_chunks(silence)[0], silence)
    assert not len(levelled(np.empty(0, np.float32), RATE))


def test_what_is_very_quiet_is_raised_by_a_limited_gain() -> None:
    assert np.abs(levelled(at(-55.0), RATE)).max() == pytest.approx(10 ** ((-55 + MAX_GAIN) / 20), rel=0.01)


def test_nothing_is_raised_beyond_full_scale() -> None:
    phrase = np.concatenate([at(-40.0), at(0.0, 0.001) * 0.9])
    assert np.abs(levelled(phrase, RATE)).max() == pytest.approx(HIGHEST_PEAK, abs=0.02)


def test_loud_speech_with_clipped_peaks_is_not_lowered_for_them() -> None:
    phrase = np.concatenate([at(TARGET_LOUDNESS + 3.0), np.ones(10, np.float32)])
    assert np.abs(levelled(phrase, RATE)[: 2 * RATE]).max() == pytest.approx(np.abs(phrase[: 2 * RATE]).max(), rel=0.02)
