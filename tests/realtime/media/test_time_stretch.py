import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.media.time_stretch import TimeStretch, stretched

RATE = 24_000
PITCH = 200.0


def voice(seconds: float = 2.0) -> Samples:
    """Return a tone that swells three times a second."""
    times = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(0.3 * np.sin(2 * np.pi * PITCH * times) * (1 + np.sin(6 * np.pi * times)), np.float32)


def at(speed: float, samples: Samples, chunk: int = RATE) -> Samples:
    chunks = iter(np.split(samples, range(chunk, len(samples), chunk)))
    return np.concatenate([np.empty(0, np.float32), *stretched(chunks, RATE, speed)])


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.1, 1.5, 2.0, 3.0, 4.0])
def test_speech_becomes_so_much_shorter_or_longer_at_the_same_pitch_and_loudness(speed: float) -> None:
    original, changed = voice(), at(speed, voice())
    assert len(changed) == pytest.approx(len(original) / speed, rel=0.02)
    spectrum = np.abs(np.fft.rfft(changed * np.hanning(len(changed))))
    assert np.argmax(spectrum) * RATE / len(changed) == pytest.approx(PITCH, abs=4)
    assert np.sqrt(np.mean(changed**2)) == pytest.approx(np.sqrt(np.mean(original**2)), rel=0.1)


@pytest.mark.parametrize("speed", [0.3, 1.5, 3.5])
def test_no_sample_depends_on_the_chunks_and_none_jumps(speed: float) -> None:
    whole = at(speed, voice(), 10**6)
    for chunk in (960, 2_400, 20_160):
        pieces = at(speed, voice(), chunk)
        assert len(pieces) == pytest.approx(len(whole), abs=RATE // 100)
        assert np.abs(np.diff(pieces)).max() < 1.5 * np.abs(np.diff(voice())).max()


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_the_first_speech_comes_after_a_tenth_of_a_second(speed: float) -> None:
    assert len(TimeStretch(RATE, speed).process(voice()[: RATE // 10])) > 0


@pytest.mark.parametrize("speed", [1.0, 1.5])
def test_no_speech_stays_none(speed: float) -> None:
    assert not len(at(speed, voice()[:0]))


def test_the_normal_speed_changes_nothing() -> None:
    assert np.array_equal(at(1.0, voice()), voice())
