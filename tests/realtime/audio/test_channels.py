"""Mixing of channels to mono."""

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.audio.channels import ChannelMixer
from realtime.audio.formats import SAMPLE_RATE, Samples


def noise(seconds: float, level_db: float, seed: int = 0) -> Samples:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def voice(seconds: float, level_db: float, seed: int = 0) -> Samples:
    """Return noise in bursts of 0.4 s every 0.6 s, as loud as `level_db` in the bursts."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return noise(seconds, level_db, seed) * (times % 0.6 < 0.4)


def mixed(*channels: Samples) -> Samples:
    """Mix the channels in blocks of 10 s."""
    block = np.stack(channels, axis=1)
    mixer = ChannelMixer(len(channels))
    size = 10 * SAMPLE_RATE
    return np.concatenate([mixer.mix(block[start : start + size]) for start in range(0, len(block), size)])


def level(samples: NDArray[np.float32]) -> float:
    """Return the level in dB of the loud parts."""
    return float(20 * np.log10(np.percentile(np.abs(samples), 95) / 2))


def test_one_channel_is_left_as_it_is() -> None:
    samples = voice(1.0, -20)
    assert np.array_equal(mixed(samples), samples)


def test_equal_channels_are_averaged() -> None:
    samples = voice(12.0, -20)
    assert np.allclose(mixed(samples, samples, samples), samples, atol=1e-6)


def test_different_channels_of_a_similar_level_are_averaged() -> None:
    left, right = voice(12.0, -20), voice(12.0, -24, seed=1)
    assert np.allclose(mixed(left, right), (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("factor", [-1.0, -0.5])
def test_opposite_channels_do_not_cancel(factor: float) -> None:
    samples = voice(12.0, -20)
    left, right = samples + noise(12.0, -60, 1), np.float32(factor) * samples + noise(12.0, -60, 2)
    assert level(mixed(left, right)) == pytest.approx(level(samples) + 20 * np.log10((1 - factor) / 2), abs=0.5)


@pytest.mark.parametrize("quieter", [10, 20, 30, 40])
def test_the_quiet_side_of_a_call_becomes_as_loud_as_the_other(quieter: int) -> None:
    pause = np.zeros(3 * SAMPLE_RATE, np.float32)
    near = np.concatenate([voice(3.0, -20), pause, voice(3.0, -20), pause, voice(3.0, -20)])
    far = np.concatenate([pause, voice(3.0, -20 - quieter, 1), pause, voice(3.0, -20 - quieter, 1), pause])
    call = mixed(near + noise(15.0, -70, 2), far + noise(15.0, -90, 3))
    sides = [level(call[start * SAMPLE_RATE : (start + 3) * SAMPLE_RATE]) for start in (0, 3, 6, 9, 12)]
    assert sides == pytest.approx([-26.0] * 5, abs=1.5)


def test_the_noise_of_a_silent_side_is_not_raised() -> None:
    near, far = voice(20.0, -20), noise(20.0, -50, 1)
    assert np.allclose(mixed(near, far), (near + far) / 2, atol=1e-6)


def test_a_voice_in_loud_noise_is_raised_only_as_far_as_the_noise_allows() -> None:
    pause = np.zeros(3 * SAMPLE_RATE, np.float32)
    near = np.concatenate([voice(3.0, -20), pause])
    far = np.concatenate([pause, voice(3.0, -45, 1)]) + noise(6.0, -60, 2)
    assert level(mixed(near, far)[3 * SAMPLE_RATE :]) == pytest.approx(-30 - 6, abs=3)


def test_crosstalk_is_not_raised() -> None:
    near = voice(12.0, -20) + noise(12.0, -80, 1)
    far = np.float32(0.03) * np.roll(near, 80) + noise(12.0, -80, 2)
    assert np.allclose(mixed(near, far), (near + far) / 2, atol=1e-6)


def test_clicks_are_not_raised() -> None:
    near, far = np.concatenate([voice(5.0, -20), noise(5.0, -80)]), noise(10.0, -80, 1)
    far[6 * SAMPLE_RATE :: SAMPLE_RATE] = 0.01
    assert np.allclose(mixed(near, far), (near + far) / 2, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 100, 700])
def test_a_short_block_is_averaged(samples: int) -> None:
    left, right = noise(1.0, -20)[:samples], noise(1.0, -50, 1)[:samples]
    assert np.allclose(mixed(left, right), (left + right) / 2, atol=1e-6)


def test_silence_stays_silent() -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert not mixed(silence, silence).any()
