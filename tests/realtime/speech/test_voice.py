"""Voice activity: probabilities of windows in, voiced spans out."""

import numpy as np
import pytest

from realtime.audio.formats import WINDOW, Samples
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.voice import VoiceActivity, sound_shape


def heard(*probabilities: float, threshold: float = 0.5, start: int = 0) -> VoiceActivity:
    """Return the activity of successive windows from window number `start` on."""
    activity = VoiceActivity(threshold)
    for number, probability in enumerate(probabilities, start):
        activity.add(number * WINDOW, (number + 1) * WINDOW, probability)
    return activity


def spans(activity: VoiceActivity) -> list[tuple[int, int]]:
    """Return first and last window, exclusively, of each span."""
    return [(span.start // WINDOW, span.end // WINDOW) for span in activity.between(0, 100 * WINDOW)]


def test_voice_begins_above_the_threshold() -> None:
    assert spans(heard(0.0, 0.45, 0.5, 0.9, 0.0)) == [(2, 4)]


def test_voice_lasts_while_the_probability_falls_only_a_little_below_the_threshold() -> None:
    assert spans(heard(0.9, 0.4, 0.36, 0.3, 0.4)) == [(0, 3)]


def test_a_low_threshold_has_an_end_of_voice_too() -> None:
    assert spans(heard(0.2, 0.06, 0.04, threshold=0.1)) == [(0, 2)]


def test_a_single_window_is_a_click_and_no_voice() -> None:
    assert spans(heard(0.0, 0.9, 0.0, 0.0, 0.9, 0.9)) == [(4, 6)]


def test_windows_that_do_not_follow_each_other_are_apart() -> None:
    activity = heard(0.9, 0.9)
    activity.add(5 * WINDOW, 6 * WINDOW, 0.9)
    activity.add(6 * WINDOW, 7 * WINDOW, 0.9)
    assert spans(activity) == [(0, 2), (5, 7)]


def test_spans_count_from_where_they_are_asked_for() -> None:
    activity = heard(0.9, 0.9, 0.0, 0.9, 0.9)
    assert activity.between(WINDOW, 4 * WINDOW - 100) == (Span(0, WINDOW), Span(2 * WINDOW, 3 * WINDOW - 100))


def test_the_voice_before_a_position_can_be_forgotten() -> None:
    activity = heard(0.9, 0.9, 0.0, 0.9, 0.9, 0.9).since(3 * WINDOW + 100)
    assert activity.between(0, 9 * WINDOW) == (Span(3 * WINDOW + 100, 6 * WINDOW),)
    activity.add(6 * WINDOW, 7 * WINDOW, 0.4)
    assert activity.between(0, 9 * WINDOW) == (Span(3 * WINDOW + 100, 7 * WINDOW),)


def test_part_of_a_request_has_the_voice_of_that_part() -> None:
    request = TranscriptionRequest(np.arange(1000, dtype=np.float32), voice=(Span(0, 200), Span(400, 700)))
    part = request.part(500, 600)
    assert part.samples.tolist() == list(range(500, 600))
    assert part.voice == (Span(0, 100),)


def levels(*decibels: float) -> Samples:
    """Return 10 ms of sound for each level."""
    return np.repeat(10 ** (np.asarray(decibels) / 20), 160).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "milliseconds"),
    [
        (levels()[:0], 0),
        (np.zeros(1600, np.float32), 0),
        (levels(-90, -20, -40, -20, -90), 30),
        (levels(-51, -49, -20, -90, -90, -45), 50),
        (levels(-20)[:100], 10),
    ],
)
def test_sound_extends_from_the_first_10_ms_within_30_db_of_the_loudest_to_the_last(
    samples: Samples, milliseconds: int
) -> None:
    extent, _ = sound_shape(samples)
    assert extent == milliseconds * 16


@pytest.mark.parametrize(
    ("samples", "decibels"),
    [
        (levels(-90, -25, -20, -23, -90), -5),
        (levels(-20, -45), -25),
        (levels(-51, -49, -20, -30), -29),
        (np.zeros(1600, np.float32), -30),
    ],
)
def test_the_edge_level_of_sound_is_that_of_its_quieter_end_relative_to_the_loudest(
    samples: Samples, decibels: float
) -> None:
    _, edges = sound_shape(samples)
    assert edges == pytest.approx(decibels, abs=0.01)
