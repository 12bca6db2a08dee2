"""How many sessions are admitted, with a clock set by hand."""

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT, PROMISED_INTERVAL
from realtime.scheduling.cadence import MAX_PARTIAL_INTERVAL, MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS
from realtime.scheduling.load import Load
from tests.support.engine_load import NOW, load_of, talk


def capacity(load: Load) -> int:
    """How many sessions are let in, one after the other at the same moment."""
    admitted = 0
    while load.admission.can_admit(NOW):
        load.admission.add_session(f"session {admitted}", NOW)
        admitted += 1
    return admitted


def test_newcomers_count_at_once() -> None:
    assert capacity(load_of(1, 0.125)) == int(DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125)


def test_there_is_room_for_more_where_there_are_more_workers() -> None:
    assert capacity(load_of(2, 0.125)) == int(2 * DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125)


def test_an_engine_that_costs_nothing_has_room_for_everybody() -> None:
    load = load_of(1, 0.0)
    for number in range(1000):
        assert load.admission.can_admit(NOW)
        load.admission.add_session(f"session {number}", NOW)


def test_who_leaves_makes_room() -> None:
    load = load_of(1, 0.1)
    admitted = capacity(load)
    load.admission.remove_session("session 0")
    assert load.admission.can_admit(NOW)
    assert capacity(load) == 1
    assert admitted > 1


def test_a_session_that_says_little_makes_room() -> None:
    load = load_of(1, 0.1)
    capacity(load)
    assert load.admission.can_admit(NOW + AVERAGING_SECONDS)


def test_sessions_that_talk_keep_their_room() -> None:
    load = load_of(1, 0.1)
    admitted = capacity(load)
    now = NOW
    for _ in range(100):
        talk(load, admitted, now, cost=0.1)
        now += load.cadence.partial_interval(now) or MAX_PARTIAL_INTERVAL
    # What COMPANY takes together was measured; the last batch had fewer, and cost a little less than expected.
    load.admission.add_session("session late", now)
    assert not load.admission.can_admit(now)


def test_partials_that_come_quicker_than_was_promised_take_no_more_room() -> None:
    load, now = load_of(1, 0.1), NOW
    load.admission.add_session("session 0", now)
    while now < NOW + 10 * AVERAGING_SECONDS:
        talk(load, 1, now, cost=0.1)
        now += MIN_PARTIAL_INTERVAL
    assert load.cadence.partial_interval(now) == MIN_PARTIAL_INTERVAL
    assert load.admission._promised["session 0"].read(now) <= 1.1 * load.cost.seconds / PROMISED_INTERVAL
