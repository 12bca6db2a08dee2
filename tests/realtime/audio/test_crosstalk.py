"""Crosstalk between channels, with noise whose level changes like that of speech."""

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.audio.crosstalk import CrosstalkGate
from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples


def voice(seed: int, seconds: float = 2.0) -> Samples:
    """Return low noise in syllables of 200 ms, at about -20 dBFS."""
    generator = np.random.default_rng(seed)
    noise = np.convolve(generator.standard_normal(round(seconds * SAMPLE_RATE)), np.ones(8) / 8, "same")
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 5 * np.arange(len(noise)) / SAMPLE_RATE)
    return (0.3 * noise * syllables).astype(np.float32)


def delayed(samples: Samples, seconds: float, decibels: float) -> Samples:
    shift = round(seconds * SAMPLE_RATE)
    copy = np.concatenate([np.zeros(shift, np.float32), samples])[: len(samples)]
    return copy * np.float32(10 ** (decibels / 20))


def gated(*channels: Samples) -> NDArray[np.float32]:
    gate = CrosstalkGate(len(channels))
    return np.concatenate([gate.process(np.stack(channels)), gate.flush()], axis=1)


def share_muted(samples: NDArray[np.float32]) -> float:
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    return float((windows == 0).all(axis=1).mean())


@pytest.mark.parametrize(("delay", "decibels"), [(0.0, -20.0), (0.004, -40.0), (0.15, -30.0)])
def test_a_quiet_copy_of_another_channel_is_muted(delay: float, decibels: float) -> None:
    speaker = voice(1)
    near, far = gated(speaker, delayed(speaker, delay, decibels))
    assert np.array_equal(near, speaker)
    assert share_muted(far[round(delay * SAMPLE_RATE) :]) > 0.95


def test_two_speakers_at_once_are_left_as_they_are() -> None:
    channels = np.stack([voice(1), voice(2) / 4])
    assert np.array_equal(gated(*channels), channels)


def test_a_speaker_over_crosstalk_is_left_as_they_are() -> None:
    speaker, other = voice(1, 4.0), voice(2, 4.0)
    other[: 2 * SAMPLE_RATE] = 0
    far = other + delayed(speaker, 0.004, -30.0)
    _, kept = gated(speaker, far)
    assert share_muted(kept[: 2 * SAMPLE_RATE]) > 0.95
    assert np.array_equal(kept[2 * SAMPLE_RATE + 2 * WINDOW :], far[2 * SAMPLE_RATE + 2 * WINDOW :])


def test_crosstalk_under_noise_is_muted_once_its_gain_is_known() -> None:
    speaker = voice(1, 4.0)
    copy = delayed(speaker, 0.004, -30.0)
    copy[2 * SAMPLE_RATE :] += voice(3, 2.0) * 10 ** (-30 / 20)
    assert share_muted(gated(speaker, copy)[1][2 * SAMPLE_RATE :]) > 0.9


def test_crosstalk_of_another_delay_is_muted_too() -> None:
    speaker = voice(1, 4.0)
    copy = delayed(speaker, 0.004, -30.0)
    copy[2 * SAMPLE_RATE :] = delayed(speaker, 0.15, -30.0)[2 * SAMPLE_RATE :]
    assert share_muted(gated(speaker, copy)[1]) > 0.9


def test_equal_channels_are_left_as_they_are() -> None:
    channels = np.stack([voice(1), voice(1)])
    assert np.array_equal(gated(*channels), channels)


def test_what_is_too_quiet_to_be_crosstalk_is_left_as_it_is() -> None:
    channels = np.stack([voice(1) / 10_000, voice(1) / 100_000])
    assert np.array_equal(gated(*channels), channels)


def test_all_samples_come_out_however_they_are_cut() -> None:
    speaker = voice(1)
    channels = np.stack([speaker, delayed(speaker, 0.004, -30.0)])
    gate = CrosstalkGate(2)
    parts = [gate.process(part) for part in np.split(channels, [100, 700, 5_000, 5_001], axis=1)]
    assert np.array_equal(np.concatenate([*parts, gate.flush()], axis=1), gated(*channels))
    assert gate.flush().shape == (2, 0)
