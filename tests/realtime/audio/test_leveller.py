import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.audio.leveller import LOWEST_LEVEL, MAX_GAIN, TARGET_LEVEL, levelled, raised
from tests.support.recordings import tone


def windows(level: float, seconds: float = 1.0) -> Samples:
    """Return windows of a tone whose root mean square is `level` dBFS."""
    samples = tone(seconds, 500.0) / np.float32(0.3) * np.float32(2**0.5 * 10 ** (level / 20))
    return samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)


def first(stream: Samples) -> Samples:
    """Return the raised windows at the beginning of a stream."""
    return raised(stream, LOWEST_LEVEL)[0]


def levels(audio: Samples) -> Samples:
    found: Samples = 10 * np.log10(np.mean(audio.reshape(-1, WINDOW) ** 2, axis=1))
    return found


def test_speech_at_a_normal_level_is_not_changed() -> None:
    speech = windows(-20)
    np.testing.assert_array_equal(first(speech), speech)
    np.testing.assert_array_equal(levelled(speech.reshape(-1)), speech.reshape(-1))


def test_quiet_speech_is_raised_to_the_target_from_its_first_window_on() -> None:
    quiet = windows(-60)
    assert levels(first(quiet)) == pytest.approx(TARGET_LEVEL, abs=0.1)
    assert levels(levelled(quiet.reshape(-1))) == pytest.approx(TARGET_LEVEL, abs=0.1)


@given(st.lists(st.floats(-100, 0), min_size=1, max_size=20), st.integers(0, WINDOW - 1))
def test_no_sample_is_ever_raised_beyond_full_scale(peaks: list[float], position: int) -> None:
    clicks = np.zeros((len(peaks), WINDOW), np.float32)
    clicks[:, position] = 10 ** (np.asarray(peaks) / 20)
    assert first(clicks).max() <= 1.0001
    assert levelled(clicks.reshape(-1)).max() <= 1.0001
    assert levelled(clicks[0, position : position + 1]).max() <= 1.0001


def test_the_gain_is_bounded_and_silence_stays_silent() -> None:
    silent = np.zeros((50, WINDOW), np.float32)
    assert not first(silent).any()
    assert not levelled(silent.reshape(-1)).any()
    faint = windows(-95)
    assert levels(first(faint)) == pytest.approx(-95 + MAX_GAIN, abs=0.1)
    assert levels(levelled(faint.reshape(-1))) == pytest.approx(-95 + MAX_GAIN, abs=0.1)


def test_how_the_stream_is_cut_makes_no_difference() -> None:
    stream = np.concatenate([windows(-50), windows(-20), windows(-90), windows(-45)])
    parts, level = [], LOWEST_LEVEL
    for part in np.split(stream, [1, 7, 7]):
        found, level = raised(part, level)
        parts.append(found)
    np.testing.assert_array_equal(np.concatenate(parts), first(stream))


def test_a_pause_after_normal_speech_is_raised_slowly() -> None:
    _, level = raised(windows(-20), LOWEST_LEVEL)
    pause = windows(-60, seconds=5)
    gains = levels(raised(pause, level)[0]) - levels(pause)
    at = [round(seconds * SAMPLE_RATE / WINDOW) for seconds in (0.5, 1, 4)]
    assert gains[at] == pytest.approx([0, 5, 33], abs=1.5)


def test_a_click_lowers_the_speech_after_it_by_half_of_its_excess() -> None:
    _, level = raised(windows(-50), LOWEST_LEVEL)
    click = np.zeros((1, WINDOW), np.float32)
    click[0, 0] = 10 ** ((-30 - TARGET_LEVEL) / 20)  # a window at -30 dBFS
    _, level = raised(click, level)
    assert levels(raised(windows(-50), level)[0])[0] == pytest.approx(-37, abs=2)


def test_a_quiet_speaker_is_raised_beside_a_loud_one_and_the_pauses_of_the_loud_one_are_not() -> None:
    loud, quiet = windows(-20, seconds=3), windows(-50, seconds=3)
    for parts in ((loud, quiet), (quiet, loud)):
        audio = np.concatenate(parts).reshape(-1)
        gains = levels(levelled(audio)) - levels(audio)
        order = gains if parts[0] is loud else gains[::-1]
        assert not order[: len(loud)].any()
        assert order[-1] == pytest.approx(TARGET_LEVEL + 50, abs=0.1)
    pause = np.concatenate([loud, windows(-60, seconds=0.5), loud]).reshape(-1)
    np.testing.assert_array_equal(levelled(pause), pause)


def test_audio_shorter_than_a_window_has_a_level_too() -> None:
    assert len(levelled(np.zeros(0, np.float32))) == 0
    loud = np.full(100, 0.5, np.float32)
    np.testing.assert_array_equal(levelled(loud), loud)
