"""Positions of pieces of audio by their timestamps."""

import pytest

from realtime.media.timeline import Timeline


def gaps(times: list[float | None], duration: float = 1.0, origin: float = 0.0) -> list[float]:
    """Return the gaps before pieces of audio of equal duration."""
    timeline = Timeline(origin)
    following = [*times[1:], None]
    return [timeline.add(time, duration, after) for time, after in zip(times, following, strict=True)]


def test_consecutive_pieces_have_no_gaps() -> None:
    assert gaps([0.0, 1.0, 2.0]) == [0.0, 0.0, 0.0]


def test_a_late_first_piece_and_a_missing_one_leave_gaps() -> None:
    assert gaps([4.0, 5.0, 16.0, 17.0]) == [4.0, 0.0, 10.0, 0.0]


def test_timestamps_count_from_the_origin() -> None:
    assert gaps([100.0, 103.0, 104.0], origin=99.5) == [0.5, 2.0, 0.0]


def test_the_first_piece_loses_what_lies_before_the_origin() -> None:
    assert gaps([0.0, 1.0], origin=0.05) == [-0.05, 0.0]


def test_a_first_piece_long_before_the_origin_is_kept() -> None:
    assert gaps([0.0, 1.0], origin=3.0) == [0.0, 0.0]


def test_small_differences_are_no_gaps_until_they_add_up() -> None:
    assert gaps([0.0, 1.06, 2.03, 3.09, 4.15]) == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.15])


def test_pieces_without_timestamps_follow_each_other() -> None:
    assert gaps([None, 1.0, None, 5.0]) == [0.0, 0.0, 0.0, 2.0]


def test_a_counter_that_wraps_goes_on_where_it_was() -> None:
    assert gaps([95_442.0, 0.0, 1.0, 4.0], origin=95_442.0) == [0.0, 0.0, 0.0, 2.0]


def test_a_gap_of_a_year_is_not_filled_and_later_ones_are() -> None:
    year = 365 * 24 * 3600.0
    assert gaps([0.0, year, year + 1, year + 5]) == [0.0, 0.0, 0.0, 3.0]


def test_a_single_wrong_timestamp_is_ignored() -> None:
    assert gaps([0.0, 1.0, 500.0, 3.0, 4.0]) == [0.0] * 5


@pytest.mark.parametrize(("bursts", "plausible"), [(0.1, False), (2.0, True)])
def test_gaps_are_plausible_between_bursts_as_long_as_words(bursts: float, *, plausible: bool) -> None:
    timeline = Timeline(0.0)
    for number in range(30):
        timeline.add(3 * bursts * number, bursts, None)
    assert timeline.plausible == plausible
