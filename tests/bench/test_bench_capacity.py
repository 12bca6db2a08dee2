from collections.abc import Mapping

import pytest

from tests.bench.under_load import MAX_RUNS_BESIDE, capacity, next_beside, next_count


def tried_until_known(held_up_to: int, known: Mapping[int, bool], max_streams: int = 64) -> tuple[list[int], int]:
    held = dict(known)
    tried = []
    while (streams := next_count(held, max_streams)) is not None:
        tried.append(streams)
        held[streams] = streams <= held_up_to
    return tried, capacity(held)


def test_the_search_goes_up_from_the_sweep_and_then_between() -> None:
    assert tried_until_known(27, {12: True, 16: True}) == ([24, 32, 28], 24)


@pytest.mark.parametrize(("held_up_to", "found"), [(3, 0), (4, 4), (11, 8), (12, 12), (64, 64)])
def test_the_search_finds_the_largest_number_to_within_four(held_up_to: int, found: int) -> None:
    assert tried_until_known(held_up_to, {})[1] == found


def test_a_sweep_that_shows_the_limit_needs_no_search() -> None:
    assert tried_until_known(12, {8: True, 12: True, 16: False}) == ([], 12)


def test_the_search_ends_where_the_plan_says() -> None:
    assert tried_until_known(100, {1: True, 4: True}, max_streams=4) == ([], 4)


def tried_beside(admitted: int, held_up_to: int, max_streams: int = 64) -> dict[int, bool]:
    held: dict[int, bool] = {}
    while (streams := next_beside(held, admitted, max_streams)) is not None:
        held[streams] = streams <= held_up_to
    return held


@pytest.mark.parametrize(("admitted", "held_up_to"), [(20, 20), (20, 23), (20, 19), (20, 16), (1, 1)])
def test_the_search_beside_those_admitted_bounds_the_capacity_by_two(admitted: int, held_up_to: int) -> None:
    held = tried_beside(admitted, held_up_to)
    assert held_up_to - 1 <= capacity(held) <= held_up_to
    assert held[capacity(held) + 2] is False


def test_the_search_beside_those_admitted_has_a_bound() -> None:
    assert len(tried_beside(20, 60)) == len(tried_beside(40, 3)) == MAX_RUNS_BESIDE
    assert list(tried_beside(6, 60, max_streams=4)) == [6]
