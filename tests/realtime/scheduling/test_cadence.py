"""How often partials are affordable, with a clock set by hand."""

import pytest

from realtime.scheduling.cadence import ACTIVE_SECONDS, MAX_PARTIAL_INTERVAL, MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS
from realtime.scheduling.priority import LoadLevel
from tests.support.engine_load import NOW, finish, load_of, talk


def test_without_load_the_interval_is_the_shortest() -> None:
    assert load_of(1, 0.1).cadence.partial_interval(NOW) == MIN_PARTIAL_INTERVAL


def test_the_interval_grows_with_the_number_of_active_sessions() -> None:
    intervals = []
    for talkers in (1, 6, 9):
        load = load_of(1, 0.1)
        talk(load, talkers, NOW, cost=0.1)
        intervals.append(load.cadence.partial_interval(NOW) or 0.0)
    assert intervals[0] == MIN_PARTIAL_INTERVAL < intervals[1] < intervals[2] < MAX_PARTIAL_INTERVAL


@pytest.mark.parametrize(
    ("talkers", "level"),
    [
        (3, LoadLevel.LOW),
        (4, LoadLevel.NORMAL),
        (6, LoadLevel.NORMAL),
        (14, LoadLevel.BUSY),
        (17, LoadLevel.BUSY),
        (19, LoadLevel.CRITICAL),
        (60, LoadLevel.CRITICAL),
    ],
)
def test_the_load_level_rises_with_the_number_of_active_sessions(talkers: int, level: LoadLevel) -> None:
    load = load_of(1, 0.05)
    talk(load, talkers, NOW, cost=0.05)
    assert load.cadence.level(NOW) is level


@pytest.mark.parametrize("talkers", [1, 6, 14, 17, 19, 60, 100])
def test_patience_multiplies_the_interval_that_a_load_allows(talkers: int) -> None:
    load, patient = load_of(1, 0.05), load_of(1, 0.15, patience=3.0)
    talk(load, talkers, NOW, cost=0.05)
    talk(patient, talkers, NOW, cost=0.15)
    interval = load.cadence.partial_interval(NOW)
    assert patient.cadence.partial_interval(NOW) == (interval and pytest.approx(3 * interval))
    assert patient.cadence.level(NOW) is load.cadence.level(NOW)
    assert len(patient.cadence.active_sessions(NOW + 2.5 * ACTIVE_SECONDS)) == talkers


def test_the_interval_grows_with_the_cost_of_partials() -> None:
    load = load_of(1, 0.1)
    talk(load, 6, NOW, cost=0.1)
    before = load.cadence.partial_interval(NOW) or 0.0
    for round_ in range(20):
        talk(load, 6, NOW + round_, cost=0.2)
    assert (load.cadence.partial_interval(NOW + 20) or MAX_PARTIAL_INTERVAL) > before


def test_the_interval_shrinks_with_the_workers() -> None:
    one, two = load_of(1, 0.1), load_of(2, 0.1)
    for load in (one, two):
        talk(load, 8, NOW, cost=0.1)
    assert (two.cadence.partial_interval(NOW) or 0.0) < (one.cadence.partial_interval(NOW) or 0.0)


def test_the_partials_of_an_interval_fit_into_the_time_of_the_engine() -> None:
    load = load_of(2, 0.1)
    talk(load, 16, NOW, cost=0.1)
    partial_interval = load.cadence.partial_interval(NOW)
    assert partial_interval is not None
    assert 16 * load.cost.seconds / partial_interval <= load.workers + 1e-9


def test_there_are_no_partials_while_finals_take_all_the_time() -> None:
    load = load_of(1, 0.1)
    finish(load, AVERAGING_SECONDS + 1e-9, NOW)
    assert load.cadence.partial_interval(NOW) is None


def test_there_are_no_partials_with_far_too_many_active_sessions() -> None:
    load = load_of(1, 0.5)
    talk(load, 20, NOW, cost=0.5)
    assert load.cadence.partial_interval(NOW) is None


def test_partials_return_when_the_finals_are_done() -> None:
    load = load_of(1, 0.1)
    finish(load, AVERAGING_SECONDS, NOW)
    assert load.cadence.partial_interval(NOW + AVERAGING_SECONDS / 2) is not None
    assert load.cadence.partial_interval(NOW + 5 * AVERAGING_SECONDS) == MIN_PARTIAL_INTERVAL


def test_partials_return_when_the_sessions_are_no_longer_active() -> None:
    load = load_of(1, 0.5)
    talk(load, 20, NOW, cost=0.5)
    assert load.cadence.partial_interval(NOW + ACTIVE_SECONDS) is None
    assert load.cadence.partial_interval(NOW + ACTIVE_SECONDS + 0.1) == MIN_PARTIAL_INTERVAL


def test_a_session_whose_request_waits_is_active_however_long_it_waits() -> None:
    load = load_of(1, 0.5)
    for number in range(20):
        load.cadence.add_queued(f"session {number}")
    assert load.cadence.partial_interval(NOW + 10 * ACTIVE_SECONDS) is None
    for number in range(20):
        load.cadence.remove_queued(f"session {number}", NOW + 20.0)
    assert load.cadence.partial_interval(NOW + 20.0 + ACTIVE_SECONDS) is None
    assert load.cadence.partial_interval(NOW + 20.1 + ACTIVE_SECONDS) == MIN_PARTIAL_INTERVAL


def test_a_session_with_several_requests_counts_once() -> None:
    load = load_of(1, 0.1)
    for _ in range(20):
        load.cadence.add_queued("session")
    load.cadence.remove_queued("session", NOW)
    assert len(load.cadence.active_sessions(NOW)) == 1
    assert len(load.cadence.active_sessions(NOW + 2 * ACTIVE_SECONDS)) == 1
