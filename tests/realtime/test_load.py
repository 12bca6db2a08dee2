"""The ledger of a recognizer, with a clock wound by hand."""

import pytest

from realtime.events import Pace, Priority
from realtime.load import (
    CAPACITY,
    COMPANY,
    HORIZON,
    MEMORY,
    NOBODY,
    NOMINAL,
    QUICKEST,
    SLOWEST,
    TALKING,
    Average,
    Load,
    Owner,
)

NOW = 1000.0


def owner(number: int, account: str = "") -> Owner:
    return Owner(account, f"session {number}")


def ledger(workers: int, partial_cost: float) -> Load:
    return Load(workers, partial_cost / 2, partial_cost / 2)


def talk(load: Load, talkers: int, now: float, *, cost: float) -> None:
    """So many sessions get a partial of this cost each, decoded in company."""
    for number in range(talkers):
        load.encoded(owner(number), Priority.PARTIAL, cost / 2, now)
    for first in range(0, talkers, COMPANY):
        batch = [(owner(number), Priority.PARTIAL) for number in range(first, min(talkers, first + COMPANY))]
        load.decoded(batch, len(batch) * cost / 2, now)


def finish(load: Load, seconds: float, now: float) -> None:
    """Somebody gets a final that costs so much, in company."""
    load.decoded([(owner(1), Priority.FINAL)] * COMPANY, seconds, now)


# Averages.


def test_an_average_fades_when_nothing_happens() -> None:
    average = Average()
    assert average.read(NOW) == 0.0
    average.add(HORIZON, NOW)
    assert average.read(NOW) == 1.0
    assert 0.3 < average.read(NOW + HORIZON) < 0.4
    assert average.read(NOW + 20 * HORIZON) < 1e-8


def test_what_goes_on_all_the_time_has_its_rate() -> None:
    average = Average()
    for second in range(10 * round(HORIZON)):
        average.add(0.25, NOW + second)
    assert average.read(NOW + 10 * HORIZON) == pytest.approx(0.25, rel=0.05)


# The step of the partials.


def test_without_load_partials_come_quickly() -> None:
    assert ledger(1, 0.1).step(NOW) == QUICKEST


def test_a_step_grows_with_the_talkers() -> None:
    steps = []
    for talkers in (1, 6, 9):
        load = ledger(1, 0.1)
        talk(load, talkers, NOW, cost=0.1)
        steps.append(load.step(NOW) or 0.0)
    assert steps[0] == QUICKEST < steps[1] < steps[2] < SLOWEST


@pytest.mark.parametrize(
    ("talkers", "pace"),
    [(6, Pace.LEISURELY), (14, Pace.HURRIED), (17, Pace.HURRIED), (19, Pace.PRESSED), (60, Pace.PRESSED)],
)
def test_the_more_talkers_the_less_time_there_is(talkers: int, pace: Pace) -> None:
    load = ledger(1, 0.05)
    talk(load, talkers, NOW, cost=0.05)
    assert load.pace(NOW) is pace


def test_a_step_grows_with_the_cost_of_partials() -> None:
    load = ledger(1, 0.1)
    talk(load, 6, NOW, cost=0.1)
    before = load.step(NOW) or 0.0
    for round_ in range(20):
        talk(load, 6, NOW + round_, cost=0.2)
    assert (load.step(NOW + 20) or SLOWEST) > before


def test_a_step_shrinks_with_the_workers() -> None:
    one, two = ledger(1, 0.1), ledger(2, 0.1)
    for load in (one, two):
        talk(load, 8, NOW, cost=0.1)
    assert (two.step(NOW) or 0.0) < (one.step(NOW) or 0.0)


def test_the_partials_of_a_step_fit_into_their_share_of_the_engine() -> None:
    load = ledger(2, 0.1)
    talk(load, 16, NOW, cost=0.1)
    step = load.step(NOW)
    assert step is not None
    assert 16 * load.partial_cost / step <= load.workers + 1e-9


def test_where_finals_alone_fill_the_engine_there_are_no_partials() -> None:
    load = ledger(1, 0.1)
    finish(load, HORIZON + 1e-9, NOW)
    assert load.step(NOW) is None


def test_where_far_too_many_talk_there_are_none_either() -> None:
    load = ledger(1, 0.5)
    talk(load, 20, NOW, cost=0.5)
    assert load.step(NOW) is None


def test_partials_come_back_when_the_finals_are_done() -> None:
    load = ledger(1, 0.1)
    finish(load, HORIZON, NOW)
    assert load.step(NOW + HORIZON / 2) is not None
    assert load.step(NOW + 5 * HORIZON) == QUICKEST


def test_partials_come_back_when_nobody_has_talked_for_a_while_though_nothing_was_served() -> None:
    load = ledger(1, 0.5)
    talk(load, 20, NOW, cost=0.5)
    assert load.step(NOW + TALKING) is None
    assert load.step(NOW + TALKING + 0.1) == QUICKEST


# Costs.


def test_the_cost_of_a_partial_follows_what_was_measured() -> None:
    load = ledger(1, 0.1)
    for round_ in range(10 * MEMORY):
        talk(load, COMPANY, NOW + round_, cost=0.3)
    assert load.partial_cost == pytest.approx(0.3, rel=0.05)


def test_a_partial_alone_is_not_taken_for_what_it_costs_in_company() -> None:
    load = ledger(1, 0.1)
    for round_ in range(10 * MEMORY):
        talk(load, 1, NOW + round_, cost=0.1)
    assert load.partial_cost < 0.1


def test_what_finals_and_uploads_cost_says_nothing_of_partials() -> None:
    load = ledger(1, 0.1)
    for priority in (Priority.FINAL, Priority.UPLOAD):
        load.encoded(owner(1), priority, 5.0, NOW)
        load.decoded([(owner(1), priority)], 5.0, NOW)
    assert load.partial_cost == 0.1


def test_an_account_has_received_what_its_sessions_have() -> None:
    load = ledger(1, 0.1)
    for number in range(3):
        load.encoded(owner(number, "account"), Priority.FINAL, 0.25, NOW)
        load.decoded([(owner(number, "account"), Priority.FINAL)], 0.25, NOW)
    account, session = load.received(owner(1, "account"), NOW)
    assert session == pytest.approx(0.5 / HORIZON)
    assert account == pytest.approx(3 * session)


def test_what_a_batch_took_is_shared_among_those_in_it() -> None:
    load = ledger(1, 0.1)
    load.decoded([(owner(number), Priority.FINAL) for number in range(4)], 1.0, NOW)
    assert [load.received(owner(number), NOW)[1] for number in range(4)] == pytest.approx([0.25 / HORIZON] * 4)


def test_how_busy_the_engine_is_counts_all_workers_and_all_work() -> None:
    load = ledger(2, 0.1)
    for second in range(10 * round(HORIZON)):
        load.encoded(NOBODY, Priority.UPLOAD, 0.5, NOW + second)
        load.decoded([(NOBODY, Priority.UPLOAD)], 0.5, NOW + second)
    assert load.busy.read(NOW + 10 * HORIZON) == pytest.approx(0.5, rel=0.1)


# Admission.


def capacity(load: Load) -> int:
    """How many sessions are let in, one after the other at the same moment."""
    admitted = 0
    while load.has_room(NOW):
        load.join(f"session {admitted}", NOW)
        admitted += 1
    return admitted


def test_newcomers_count_at_once() -> None:
    assert capacity(ledger(1, 0.125)) == int(CAPACITY * NOMINAL / 0.125)


def test_there_is_room_for_more_where_there_are_more_workers() -> None:
    assert capacity(ledger(2, 0.125)) == int(2 * CAPACITY * NOMINAL / 0.125)


def test_an_engine_that_costs_nothing_has_room_for_everybody() -> None:
    load = ledger(1, 0.0)
    for number in range(1000):
        assert load.has_room(NOW)
        load.join(f"session {number}", NOW)


def test_who_leaves_makes_room() -> None:
    load = ledger(1, 0.1)
    admitted = capacity(load)
    load.leave("session 0")
    assert load.has_room(NOW)
    assert capacity(load) == 1
    assert admitted > 1


def test_a_session_that_says_little_makes_room() -> None:
    load = ledger(1, 0.1)
    capacity(load)
    assert load.has_room(NOW + HORIZON)


def test_sessions_that_talk_keep_their_room() -> None:
    load = ledger(1, 0.1)
    admitted = capacity(load)
    now = NOW
    for _ in range(100):
        talk(load, admitted, now, cost=0.1)
        now += load.step(now) or SLOWEST
    # What COMPANY takes together was measured; the last batch had fewer, and cost a little less than expected.
    load.join("session late", now)
    assert not load.has_room(now)


def test_partials_that_come_quicker_than_was_promised_take_no_more_room() -> None:
    load, now = ledger(1, 0.1), NOW
    load.join("session 0", now)
    while now < NOW + 10 * HORIZON:
        talk(load, 1, now, cost=0.1)
        now += QUICKEST
    assert load.step(now) == QUICKEST
    assert load._promised["session 0"].read(now) <= 1.1 * load.partial_cost / NOMINAL


def test_uploads_take_no_room_from_talkers() -> None:
    load = ledger(1, 0.1)
    load.encoded(owner(1), Priority.UPLOAD, HORIZON, NOW)
    load.decoded([(owner(1), Priority.UPLOAD)], HORIZON, NOW)
    assert load.has_room(NOW)
    assert load.step(NOW) == QUICKEST


def test_nothing_is_kept_of_those_who_have_left() -> None:
    load = ledger(1, 0.1)
    for number in range(1000):
        session = owner(number, f"account {number}")
        load.join(session.session, NOW + number)
        for priority in Priority:
            load.encoded(session, priority, 0.01, NOW + number)
            load.decoded([(session, priority)], 0.01, NOW + number)
        load.leave(session.session)
    assert len(load._promised) == 0
    assert len(load._received) <= 2 * (4 * HORIZON + 1)
    assert len(load._talked) <= TALKING + 1
