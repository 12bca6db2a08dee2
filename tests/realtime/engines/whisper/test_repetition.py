"""Where audio that repeats itself begins again; no model is needed."""

import numpy as np
import pytest
import soxr

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.whisper.repetition import beginnings
from tests.support.recordings import silence, tone


def sentence(*frequencies: int) -> Samples:
    """Return tones of 0.3 s, with a pause after every second one."""
    parts = [
        np.concatenate([tone(0.3, frequency), silence(0.1 * (at % 2))]) for at, frequency in enumerate(frequencies)
    ]
    return np.concatenate(parts)


SENTENCE = sentence(300, 900, 2000, 500, 1500)


def seconds(samples: Samples) -> list[float]:
    """Return where the samples begin, and begin again, in seconds."""
    return [at / SAMPLE_RATE for at in beginnings(samples, 0, len(samples))]


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.604])
@pytest.mark.parametrize("times", [2, 3, 10])
def test_a_repeated_sentence_begins_after_each_pause(pause: float, times: int) -> None:
    repeated = np.tile(np.concatenate([SENTENCE, silence(pause)]), times)
    expected = np.arange(times) * len(repeated) / times / SAMPLE_RATE
    assert seconds(repeated) == pytest.approx(expected, abs=0.02)


def test_the_sentence_may_be_said_at_other_speeds_levels_and_pauses() -> None:
    generator = np.random.default_rng(0)
    parts: list[Samples] = []
    expected: list[float] = []
    for _ in range(8):
        expected.append(sum(len(part) for part in parts) / SAMPLE_RATE)
        said = soxr.resample(SENTENCE, SAMPLE_RATE, SAMPLE_RATE * generator.uniform(0.95, 1.05))
        parts += [said * np.float32(generator.uniform(0.4, 1.0)), silence(generator.uniform(0.0, 0.5))]
    assert seconds(np.concatenate(parts)) == pytest.approx(expected, abs=0.03)


def test_noise_does_not_hide_the_repetition() -> None:
    repeated = np.tile(SENTENCE, 4)
    level = 10 ** (-10 / 20) * np.sqrt(np.mean(repeated**2))
    noise = level * np.random.default_rng(0).standard_normal(len(repeated))
    expected = np.arange(4) * len(SENTENCE) / SAMPLE_RATE
    assert seconds((repeated + noise).astype(np.float32)) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    "samples",
    [
        sentence(300, 900, 2000, 500, 1500, 600, 1200, 350, 800, 2500),
        np.concatenate([SENTENCE, SENTENCE, *[tone(0.2, 400), silence(0.2), tone(0.5, 3000)] * 4]),
        tone(4.0, 100),
        silence(4.0),
        np.random.default_rng(0).normal(0, 0.1, 4 * SAMPLE_RATE).astype(np.float32),
        tone(0.01, 300),
    ],
    ids=["other tones at equal times", "a long other sentence after two", "hum", "silence", "noise", "a click"],
)
def test_other_sound_does_not_begin_again(samples: Samples) -> None:
    assert beginnings(samples, 0, len(samples)) == ()
