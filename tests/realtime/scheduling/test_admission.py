"""How many sessions are admitted, with a clock set by hand."""

import pytest

from realtime.scheduling.admission import COST_WEIGHT, DEFAULT_LOAD_LIMIT, PROMISED_INTERVAL, PROMISED_WAIT
from realtime.scheduling.cadence import BUSY_MIN_INTERVAL, MAX_PARTIAL_INTERVAL, MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS, TARGET_BATCH_SIZE
from realtime.scheduling.load import Load
from realtime.scheduling.priority import Priority
from tests.support.engine_load import NOW, client_id, load_of, talk

COST = 0.075
"""Engine seconds of a partial; a speaker gets one every `PROMISED_INTERVAL`."""

RATE = COST / PROMISED_INTERVAL
"""Engine seconds per second that a speaker is promised."""


def capacity(load: Load) -> int:
    """Return how many sessions are admitted at the same time."""
    admitted = 0
    while load.admission.can_admit(NOW):
        load.admission.add_session(f"session {admitted}", NOW)
        admitted += 1
    return admitted


def test_a_new_session_counts_at_once() -> None:
    assert capacity(load_of(1, COST)) == int(DEFAULT_LOAD_LIMIT / RATE)


def test_each_speaker_of_a_session_counts() -> None:
    load = load_of(1, COST)
    load.admission.add_session("call", NOW, speakers=3)
    assert capacity(load) == int(DEFAULT_LOAD_LIMIT / RATE) - 3
    load = load_of(1, COST)
    load.admission.add_session("session", NOW)
    assert load.admission.can_admit(NOW, speakers=14)
    assert not load.admission.can_admit(NOW, speakers=15)


def test_capacity_grows_with_the_workers() -> None:
    assert capacity(load_of(2, COST)) == int(2 * DEFAULT_LOAD_LIMIT / RATE)


@pytest.mark.parametrize(
    ("cost", "interval"),
    [(0.05, PROMISED_INTERVAL), (0.12, PROMISED_WAIT - 0.12 * COST_WEIGHT), (0.4, BUSY_MIN_INTERVAL)],
)
def test_a_slower_engine_promises_partials_more_often_because_each_takes_longer(cost: float, interval: float) -> None:
    load = load_of(10, cost)
    load.admission.add_session("session", NOW)
    assert load.admission.promised_rate(NOW) == pytest.approx(cost / interval)


@pytest.mark.parametrize("cost", [0.02, 0.08])
def test_sessions_that_have_said_nothing_yet_are_expected_to_cost_what_others_are_seen_to_cost(cost: float) -> None:
    load = load_of(10, 0.04)
    for number in range(100):
        load.admission.add_session(f"session {number}", NOW)
    for _ in range(10):
        talk(load, TARGET_BATCH_SIZE, NOW, cost=cost)
    assert load.cost.seconds == pytest.approx(cost, rel=0.1)
    unheard = (100 - TARGET_BATCH_SIZE) * load.cost.seconds / PROMISED_INTERVAL
    assert unheard <= load.admission.promised_rate(NOW) <= 1.15 * unheard


def test_the_first_partials_which_are_short_do_not_make_room_for_more_speakers_than_fit() -> None:
    load = load_of(1, COST)
    admitted = capacity(load)
    for number in range(1000):
        load.record_encode(client_id(number % admitted), Priority.PARTIAL, COST / 5, NOW, audio_seconds=1.0)
        load.record_decode([(client_id(number % admitted), Priority.PARTIAL)] * TARGET_BATCH_SIZE, COST * 6 / 5, NOW)
    for number in range(admitted):
        load.admission.remove_session(f"session {number}")
    assert load.cost.seconds == pytest.approx(2 * COST / 5)
    assert capacity(load) == admitted


def test_with_patience_a_session_is_promised_a_partial_less_often() -> None:
    assert capacity(load_of(1, 0.375, patience=3.0)) == capacity(load_of(1, 0.125))


def test_what_the_draft_model_has_promised_counts_too() -> None:
    load, draft = load_of(1, COST), load_of(1, COST / 2)
    load.admission.draft = lambda: draft.admission
    draft.admission.add_session("of its own", NOW, speakers=3)
    for each in (load, draft):
        each.admission.add_session("both", NOW)
    taken = 3 * RATE / 2 + RATE + RATE / 2
    assert load.admission.taken_share(NOW) == pytest.approx(taken / DEFAULT_LOAD_LIMIT)
    assert load.admission.headroom(NOW, 32) == int((DEFAULT_LOAD_LIMIT - taken) / (1.5 * RATE))


def test_what_the_draft_model_takes_is_a_share_of_the_machine_as_that_of_the_recognizer() -> None:
    load, draft = load_of(2, COST), load_of(8, COST)
    load.admission.draft = lambda: draft.admission
    draft.admission.add_session("session", NOW)
    assert load.admission.taken_share(NOW) == pytest.approx(draft.admission.taken_share(NOW))
    assert load.admission.headroom(NOW, 32) == int((2 * DEFAULT_LOAD_LIMIT - RATE / 4) / (1.25 * RATE))


def test_an_engine_that_costs_nothing_admits_every_session() -> None:
    load = load_of(1, 0.0)
    for number in range(1000):
        assert load.admission.can_admit(NOW)
        load.admission.add_session(f"session {number}", NOW)


def test_the_headroom_is_how_many_further_sessions_are_admitted() -> None:
    load = load_of(1, COST)
    assert (load.admission.headroom(NOW, 4), load.admission.headroom(NOW, 32)) == (4, 15)
    load.admission.add_session("call", NOW, speakers=3)
    assert load.admission.headroom(NOW, 32) == capacity(load) == 12
    assert load.admission.headroom(NOW, 32) == 0


def test_the_share_that_is_taken_is_that_of_the_promises_or_of_those_who_speak() -> None:
    load = load_of(1, COST)
    assert (load.admission.taken_share(NOW), load.admission.sessions) == (0, 0)
    load.admission.add_session("one", NOW)
    load.admission.add_session("two", NOW)
    assert load.admission.taken_share(NOW) == pytest.approx(2 * RATE / DEFAULT_LOAD_LIMIT)
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
    assert load.admission.promised_rate(now) <= 1.1 * load.cost.seconds / PROMISED_INTERVAL


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
