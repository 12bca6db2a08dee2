"""The period of audio that repeats itself; no model is needed."""

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.whisper.repetition import period_of
from tests.support.recordings import silence, tone


def sentence(*frequencies: int) -> Samples:
    """Return tones of 0.3 s, with a pause after every second one."""
    parts = [
        np.concatenate([tone(0.3, frequency), silence(0.1 * (at % 2))]) for at, frequency in enumerate(frequencies)
    ]
    return np.concatenate(parts)


SENTENCE = sentence(300, 900, 2000, 500, 1500)


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.604])
@pytest.mark.parametrize("times", [2, 3, 10])
def test_the_period_is_the_length_of_the_sentence_with_its_pause(pause: float, times: int) -> None:
    repeated = np.tile(np.concatenate([SENTENCE, silence(pause)]), times)
    assert period_of(repeated) == pytest.approx(len(repeated) / times, abs=0.01 * SAMPLE_RATE)


def test_after_many_repetitions_the_period_is_exact() -> None:
    repeated = np.tile(np.concatenate([SENTENCE, silence(0.2037)]), 12)
    assert period_of(repeated) == pytest.approx(len(repeated) / 12, abs=0.001 * SAMPLE_RATE)


def test_noise_does_not_hide_the_period() -> None:
    repeated = np.tile(SENTENCE, 4)
    level = 10 ** (-10 / 20) * np.sqrt(np.mean(repeated**2))
    noise = level * np.random.default_rng(0).standard_normal(len(repeated))
    assert period_of((repeated + noise).astype(np.float32)) == pytest.approx(len(SENTENCE), abs=0.01 * SAMPLE_RATE)


@pytest.mark.parametrize(
    "samples",
    [
        sentence(300, 900, 2000, 500, 1500, 600, 1200, 350, 800, 2500),
        tone(4.0, 100),
        silence(4.0),
        np.random.default_rng(0).normal(0, 0.1, 4 * SAMPLE_RATE).astype(np.float32),
        tone(0.01, 300),
    ],
    ids=["other tones at equal times", "hum", "silence", "noise", "a click"],
)
def test_other_sound_has_no_period(samples: Samples) -> None:
    assert period_of(samples) is None
