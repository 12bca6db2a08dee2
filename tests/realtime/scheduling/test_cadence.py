"""The ledger of a recognizer, with a clock wound by hand."""

import pytest

from realtime.scheduling.cadence import (
    ACTIVE_SECONDS,
    DEFAULT_LOAD_LIMIT,
    MAX_PARTIAL_INTERVAL,
    MIN_PARTIAL_INTERVAL,
    PROMISED_INTERVAL,
    Load,
)
from realtime.scheduling.cost import AVERAGING_SECONDS, COST_SAMPLES, TARGET_BATCH_SIZE, DecayingRate
from realtime.scheduling.priority import ANONYMOUS, ClientId, LoadLevel, Priority

NOW = 1000.0


def client_id(number: int, account: str = "") -> ClientId:
    return ClientId(account, f"session {number}")


def ledger(workers: int, partial_cost: float) -> Load:
    return Load(workers, partial_cost / 2, partial_cost / 2)


def talk(load: Load, talkers: int, now: float, *, cost: float) -> None:
    """So many sessions get a partial of this cost each, decoded in company."""
    for number in range(talkers):
        load.encoded(client_id(number), Priority.PARTIAL, cost / 2, now)
    for first in range(0, talkers, TARGET_BATCH_SIZE):
        batch = [
            (client_id(number), Priority.PARTIAL) for number in range(first, min(talkers, first + TARGET_BATCH_SIZE))
        ]
        load.decoded(batch, len(batch) * cost / 2, now)


def finish(load: Load, seconds: float, now: float) -> None:
    """Somebody gets a final that costs so much, in company."""
    load.decoded([(client_id(1), Priority.FINAL)] * TARGET_BATCH_SIZE, seconds, now)


# Averages.


def test_an_average_fades_when_nothing_happens() -> None:
    average = DecayingRate()
    assert average.read(NOW) == 0.0
    average.add(AVERAGING_SECONDS, NOW)
    assert average.read(NOW) == 1.0
    assert 0.3 < average.read(NOW + AVERAGING_SECONDS) < 0.4
    assert average.read(NOW + 20 * AVERAGING_SECONDS) < 1e-8


def test_what_goes_on_all_the_time_has_its_rate() -> None:
    average = DecayingRate()
    for second in range(10 * round(AVERAGING_SECONDS)):
        average.add(0.25, NOW + second)
    assert average.read(NOW + 10 * AVERAGING_SECONDS) == pytest.approx(0.25, rel=0.05)


# The step of the partials.


def test_without_load_partials_come_quickly() -> None:
    assert ledger(1, 0.1).partial_interval(NOW) == MIN_PARTIAL_INTERVAL


def test_a_step_grows_with_the_talkers() -> None:
    steps = []
    for talkers in (1, 6, 9):
        load = ledger(1, 0.1)
        talk(load, talkers, NOW, cost=0.1)
        steps.append(load.partial_interval(NOW) or 0.0)
    assert steps[0] == MIN_PARTIAL_INTERVAL < steps[1] < steps[2] < MAX_PARTIAL_INTERVAL


@pytest.mark.parametrize(
    ("talkers", "level"),
    [
        (6, LoadLevel.NORMAL),
        (14, LoadLevel.BUSY),
        (17, LoadLevel.BUSY),
        (19, LoadLevel.CRITICAL),
        (60, LoadLevel.CRITICAL),
    ],
)
def test_the_more_talkers_the_less_time_there_is(talkers: int, level: LoadLevel) -> None:
    load = ledger(1, 0.05)
    talk(load, talkers, NOW, cost=0.05)
    assert load.level(NOW) is level


def test_a_step_grows_with_the_cost_of_partials() -> None:
    load = ledger(1, 0.1)
    talk(load, 6, NOW, cost=0.1)
    before = load.partial_interval(NOW) or 0.0
    for round_ in range(20):
        talk(load, 6, NOW + round_, cost=0.2)
    assert (load.partial_interval(NOW + 20) or MAX_PARTIAL_INTERVAL) > before


def test_a_step_shrinks_with_the_workers() -> None:
    one, two = ledger(1, 0.1), ledger(2, 0.1)
    for load in (one, two):
        talk(load, 8, NOW, cost=0.1)
    assert (two.partial_interval(NOW) or 0.0) < (one.partial_interval(NOW) or 0.0)


def test_the_partials_of_a_step_fit_into_their_share_of_the_engine() -> None:
    load = ledger(2, 0.1)
    talk(load, 16, NOW, cost=0.1)
    partial_interval = load.partial_interval(NOW)
    assert partial_interval is not None
    assert 16 * load.partial_cost / partial_interval <= load.workers + 1e-9


def test_where_finals_alone_fill_the_engine_there_are_no_partials() -> None:
    load = ledger(1, 0.1)
    finish(load, AVERAGING_SECONDS + 1e-9, NOW)
    assert load.partial_interval(NOW) is None


def test_where_far_too_many_talk_there_are_none_either() -> None:
    load = ledger(1, 0.5)
    talk(load, 20, NOW, cost=0.5)
    assert load.partial_interval(NOW) is None


def test_partials_come_back_when_the_finals_are_done() -> None:
    load = ledger(1, 0.1)
    finish(load, AVERAGING_SECONDS, NOW)
    assert load.partial_interval(NOW + AVERAGING_SECONDS / 2) is not None
    assert load.partial_interval(NOW + 5 * AVERAGING_SECONDS) == MIN_PARTIAL_INTERVAL


def test_partials_come_back_when_nobody_has_talked_for_a_while_though_nothing_was_served() -> None:
    load = ledger(1, 0.5)
    talk(load, 20, NOW, cost=0.5)
    assert load.partial_interval(NOW + ACTIVE_SECONDS) is None
    assert load.partial_interval(NOW + ACTIVE_SECONDS + 0.1) == MIN_PARTIAL_INTERVAL


# Costs.


def test_the_cost_of_a_partial_follows_what_was_measured() -> None:
    load = ledger(1, 0.1)
    for round_ in range(10 * COST_SAMPLES):
        talk(load, TARGET_BATCH_SIZE, NOW + round_, cost=0.3)
    assert load.partial_cost == pytest.approx(0.3, rel=0.05)


def test_a_partial_alone_is_not_taken_for_what_it_costs_in_company() -> None:
    load = ledger(1, 0.1)
    for round_ in range(10 * COST_SAMPLES):
        talk(load, 1, NOW + round_, cost=0.1)
    assert load.partial_cost < 0.1


def test_what_finals_and_uploads_cost_says_nothing_of_partials() -> None:
    load = ledger(1, 0.1)
    for priority in (Priority.FINAL, Priority.UPLOAD):
        load.encoded(client_id(1), priority, 5.0, NOW)
        load.decoded([(client_id(1), priority)], 5.0, NOW)
    assert load.partial_cost == 0.1


def test_an_account_has_received_what_its_sessions_have() -> None:
    load = ledger(1, 0.1)
    for number in range(3):
        load.encoded(client_id(number, "account"), Priority.FINAL, 0.25, NOW)
        load.decoded([(client_id(number, "account"), Priority.FINAL)], 0.25, NOW)
    account, session = load.service_received(client_id(1, "account"), NOW)
    assert session == pytest.approx(0.5 / AVERAGING_SECONDS)
    assert account == pytest.approx(3 * session)


def test_what_a_batch_took_is_shared_among_those_in_it() -> None:
    load = ledger(1, 0.1)
    load.decoded([(client_id(number), Priority.FINAL) for number in range(4)], 1.0, NOW)
    assert [load.service_received(client_id(number), NOW)[1] for number in range(4)] == pytest.approx(
        [0.25 / AVERAGING_SECONDS] * 4
    )


def test_how_busy_the_engine_is_counts_all_workers_and_all_work() -> None:
    load = ledger(2, 0.1)
    for second in range(10 * round(AVERAGING_SECONDS)):
        load.encoded(ANONYMOUS, Priority.UPLOAD, 0.5, NOW + second)
        load.decoded([(ANONYMOUS, Priority.UPLOAD)], 0.5, NOW + second)
    assert load.busy.read(NOW + 10 * AVERAGING_SECONDS) == pytest.approx(0.5, rel=0.1)


# Admission.


def capacity(load: Load) -> int:
    """How many sessions are let in, one after the other at the same moment."""
    admitted = 0
    while load.can_admit(NOW):
        load.add_session(f"session {admitted}", NOW)
        admitted += 1
    return admitted


def test_newcomers_count_at_once() -> None:
    assert capacity(ledger(1, 0.125)) == int(DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125)


def test_there_is_room_for_more_where_there_are_more_workers() -> None:
    assert capacity(ledger(2, 0.125)) == int(2 * DEFAULT_LOAD_LIMIT * PROMISED_INTERVAL / 0.125)


def test_an_engine_that_costs_nothing_has_room_for_everybody() -> None:
    load = ledger(1, 0.0)
    for number in range(1000):
        assert load.can_admit(NOW)
        load.add_session(f"session {number}", NOW)


def test_who_leaves_makes_room() -> None:
    load = ledger(1, 0.1)
    admitted = capacity(load)
    load.remove_session("session 0")
    assert load.can_admit(NOW)
    assert capacity(load) == 1
    assert admitted > 1


def test_a_session_that_says_little_makes_room() -> None:
    load = ledger(1, 0.1)
    capacity(load)
    assert load.can_admit(NOW + AVERAGING_SECONDS)


def test_sessions_that_talk_keep_their_room() -> None:
    load = ledger(1, 0.1)
    admitted = capacity(load)
    now = NOW
    for _ in range(100):
        talk(load, admitted, now, cost=0.1)
        now += load.partial_interval(now) or MAX_PARTIAL_INTERVAL
    # What COMPANY takes together was measured; the last batch had fewer, and cost a little less than expected.
    load.add_session("session late", now)
    assert not load.can_admit(now)


def test_partials_that_come_quicker_than_was_promised_take_no_more_room() -> None:
    load, now = ledger(1, 0.1), NOW
    load.add_session("session 0", now)
    while now < NOW + 10 * AVERAGING_SECONDS:
        talk(load, 1, now, cost=0.1)
        now += MIN_PARTIAL_INTERVAL
    assert load.partial_interval(now) == MIN_PARTIAL_INTERVAL
    assert load._promised["session 0"].read(now) <= 1.1 * load.partial_cost / PROMISED_INTERVAL


def test_uploads_take_no_room_from_talkers() -> None:
    load = ledger(1, 0.1)
    load.encoded(client_id(1), Priority.UPLOAD, AVERAGING_SECONDS, NOW)
    load.decoded([(client_id(1), Priority.UPLOAD)], AVERAGING_SECONDS, NOW)
    assert load.can_admit(NOW)
    assert load.partial_interval(NOW) == MIN_PARTIAL_INTERVAL


def test_nothing_is_kept_of_those_who_have_left() -> None:
    load = ledger(1, 0.1)
    for number in range(1000):
        session = client_id(number, f"account {number}")
        load.add_session(session.session, NOW + number)
        for priority in Priority:
            load.encoded(session, priority, 0.01, NOW + number)
            load.decoded([(session, priority)], 0.01, NOW + number)
        load.remove_session(session.session)
    assert len(load._promised) == 0
    assert len(load._service_received) <= 2 * (4 * AVERAGING_SECONDS + 1)
    assert len(load._last_active) <= ACTIVE_SECONDS + 1
