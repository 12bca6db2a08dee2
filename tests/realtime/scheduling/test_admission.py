"""How many sessions are admitted, with a clock set by hand."""

import pytest

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT, PROMISED_INTERVAL
from realtime.scheduling.cadence import MAX_PARTIAL_INTERVAL, MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS
from realtime.scheduling.load import Load
from tests.support.engine_load import NOW, load_of, talk


def capacity(load: Load) -> int:
    """Return how many sessions are admitted at the same time."""
    admitted = 0
    while load.admission.can_admit(NOW):
        load.admission.add_session(f"session {admitted}", NOW)
        admitted += 1
    return admitted


def test_a_new_session_counts_at_once() -> None:
    assert capacity(load_of(1, 0.125)) == int(DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125)


def test_each_speaker_of_a_session_counts() -> None:
    load = load_of(1, 0.125)
    load.admission.add_session("call", NOW, speakers=3)
    assert capacity(load) == int(DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125) - 3
    load = load_of(1, 0.125)
    load.admission.add_session("session", NOW)
    assert load.admission.can_admit(NOW, speakers=6)
    assert not load.admission.can_admit(NOW, speakers=7)


def test_capacity_grows_with_the_workers() -> None:
    assert capacity(load_of(2, 0.125)) == int(2 * DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125)


def test_with_patience_a_session_is_promised_a_partial_less_often() -> None:
    assert capacity(load_of(1, 0.375, patience=3.0)) == capacity(load_of(1, 0.125))


def test_what_the_draft_model_has_promised_counts_too() -> None:
    load, draft = load_of(1, 0.125), load_of(1, 0.0625)
    load.admission.draft = lambda: draft.admission
    draft.admission.add_session("of its own", NOW, speakers=3)
    for each in (load, draft):
        each.admission.add_session("both", NOW)
    taken = 3 * 0.0625 + 0.125 + 0.0625
    assert load.admission.taken_share(NOW) == pytest.approx(taken / DEFAULT_LOAD_LIMIT)
    assert load.admission.headroom(NOW, 32) == int((DEFAULT_LOAD_LIMIT - taken) / (0.125 + 0.0625))


def test_what_the_draft_model_takes_is_a_share_of_the_machine_as_that_of_the_recognizer() -> None:
    load, draft = load_of(2, 0.125), load_of(8, 0.125)
    load.admission.draft = lambda: draft.admission
    draft.admission.add_session("session", NOW)
    assert load.admission.taken_share(NOW) == pytest.approx(draft.admission.taken_share(NOW))
    assert load.admission.headroom(NOW, 32) == int((2 * DEFAULT_LOAD_LIMIT - 0.125 / 4) / (0.125 + 0.125 / 4))


def test_an_engine_that_costs_nothing_admits_every_session() -> None:
    load = load_of(1, 0.0)
    for number in range(1000):
        assert load.admission.can_admit(NOW)
        load.admission.add_session(f"session {number}", NOW)


def test_the_headroom_is_how_many_further_sessions_are_admitted() -> None:
    load = load_of(1, 0.125)
    assert (load.admission.headroom(NOW, 4), load.admission.headroom(NOW, 32)) == (4, 7)
    load.admission.add_session("call", NOW, speakers=3)
    assert load.admission.headroom(NOW, 32) == capacity(load) == 4
    assert load.admission.headroom(NOW, 32) == 0


def test_the_share_that_is_taken_is_that_of_the_promises_or_of_those_who_speak() -> None:
    load = load_of(1, 0.19)
    assert (load.admission.taken_share(NOW), load.admission.sessions) == (0, 0)
    load.admission.add_session("one", NOW)
    load.admission.add_session("two", NOW)
    assert load.admission.taken_share(NOW) == pytest.approx(2 * 0.19 / DEFAULT_LOAD_LIMIT)
    assert load.admission.sessions == 2


def test_the_first_session_is_admitted_by_an_engine_that_is_too_slow_for_it() -> None:
    load = load_of(1, 2.0)
    assert (load.admission.headroom(NOW, 0), load.admission.headroom(NOW, 32), capacity(load)) == (0, 1, 1)


def test_a_removed_session_makes_room() -> None:
    load = load_of(1, 0.1)
    admitted = capacity(load)
    load.admission.remove_session("session 0")
    assert load.admission.can_admit(NOW)
    assert capacity(load) == 1
    assert admitted > 1


def test_sessions_that_have_spoken_until_they_ended_leave_their_room_at_once() -> None:
    load = load_of(1, 0.1)
    admitted = capacity(load)
    for number in range(admitted):
        load.cadence.record_partial(f"session {number}", NOW)
    for number in range(1, admitted):
        load.admission.remove_session(f"session {number}")
    assert load.admission.headroom(NOW, 32) == admitted - 1


def test_a_quiet_session_makes_room() -> None:
    load = load_of(1, 0.1)
    capacity(load)
    assert load.admission.can_admit(NOW + AVERAGING_SECONDS)


def test_sessions_that_speak_all_the_time_keep_their_share() -> None:
    load = load_of(1, 0.1)
    admitted = capacity(load)
    now = NOW
    for _ in range(100):
        talk(load, admitted, now, cost=0.1)
        now += load.cadence.partial_interval(now) or MAX_PARTIAL_INTERVAL
    # The last batch was smaller than the target size and cost a little less than expected.
    load.admission.add_session("session late", now)
    assert not load.admission.can_admit(now)


def test_partials_that_come_more_often_than_promised_count_at_the_promised_rate() -> None:
    load, now = load_of(1, 0.1), NOW
    load.admission.add_session("session 0", now)
    while now < NOW + 10 * AVERAGING_SECONDS:
        talk(load, 1, now, cost=0.1)
        now += MIN_PARTIAL_INTERVAL
    assert load.cadence.partial_interval(now) == MIN_PARTIAL_INTERVAL
    assert load.admission._promised["session 0"].read(now) <= 1.1 * load.cost.seconds / PROMISED_INTERVAL


def test_no_session_is_admitted_while_those_that_speak_take_all_the_time() -> None:
    load = load_of(1, 0.1)
    for number in range(3):
        load.admission.add_session(f"session {number}", NOW)
    assert load.admission.can_admit(NOW)
    for round_ in range(10):
        talk(load, 3, NOW + round_, cost=0.35)  # the machine has become slow
    assert not load.admission.can_admit(NOW + 10)


def test_partials_that_are_not_affordable_take_capacity_too() -> None:
    load = load_of(1, 0.1)
    for number in range(12):
        load.admission.add_session(f"session {number}", NOW)
        load.cadence.add_queued(f"session {number}")
    assert not load.admission.can_admit(NOW + 10 * AVERAGING_SECONDS)
