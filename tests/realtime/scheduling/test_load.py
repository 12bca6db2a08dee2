"""The load of an engine and the service its clients received, with a clock set by hand."""

import pytest

from realtime.scheduling.cadence import ACTIVE_SECONDS, MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS
from realtime.scheduling.priority import ANONYMOUS, Priority
from tests.support.engine_load import NOW, client_id, load_of


def test_an_account_received_what_its_sessions_received() -> None:
    load = load_of(1, 0.1)
    for number in range(3):
        load.record_encode(client_id(number, "account"), Priority.FINAL, 0.25, NOW)
        load.record_decode([(client_id(number, "account"), Priority.FINAL)], 0.25, NOW)
    account, session = load.service_received(client_id(1, "account"), NOW)
    assert session == pytest.approx(0.5 / AVERAGING_SECONDS)
    assert account == pytest.approx(3 * session)


def test_the_time_of_a_batch_is_divided_among_its_requests() -> None:
    load = load_of(1, 0.1)
    load.record_decode([(client_id(number), Priority.FINAL) for number in range(4)], 1.0, NOW)
    assert [load.service_received(client_id(number), NOW)[1] for number in range(4)] == pytest.approx(
        [0.25 / AVERAGING_SECONDS] * 4
    )


def test_how_busy_the_engine_is_counts_all_workers_and_all_work() -> None:
    load = load_of(2, 0.1)
    for second in range(10 * round(AVERAGING_SECONDS)):
        load.record_encode(ANONYMOUS, Priority.UPLOAD, 0.5, NOW + second)
        load.record_decode([(ANONYMOUS, Priority.UPLOAD)], 0.5, NOW + second)
    assert load.busy.read(NOW + 10 * AVERAGING_SECONDS) == pytest.approx(0.5, rel=0.1)


def test_the_mean_batch_is_that_of_the_last_decodes() -> None:
    load = load_of(1, 0.1)
    assert load.mean_batch(NOW) == 0
    for second in range(10 * round(AVERAGING_SECONDS)):
        load.record_decode([(client_id(each), Priority.PARTIAL) for each in range(1 + second % 2)], 0.1, NOW + second)
    assert load.mean_batch(NOW + 10 * AVERAGING_SECONDS) == pytest.approx(1.5, rel=0.1)


def test_uploads_take_no_capacity_from_live_sessions() -> None:
    load = load_of(1, 0.1)
    load.record_encode(client_id(1), Priority.UPLOAD, AVERAGING_SECONDS, NOW)
    load.record_decode([(client_id(1), Priority.UPLOAD)], AVERAGING_SECONDS, NOW)
    assert load.admission.can_admit(NOW)
    assert load.cadence.partial_interval(NOW) == MIN_PARTIAL_INTERVAL


def test_removed_sessions_leave_no_state() -> None:
    load = load_of(1, 0.1)
    for number in range(1000):
        session = client_id(number, f"account {number}")
        load.admission.add_session(session.session, NOW + number)
        for priority in Priority:
            load.record_encode(session, priority, 0.01, NOW + number)
            load.record_decode([(session, priority)], 0.01, NOW + number)
        load.admission.remove_session(session.session)
    assert len(load.admission._promised) == 0
    assert len(load._service_received) <= 2 * (4 * AVERAGING_SECONDS + 1)
    assert len(load.cadence._last_active) <= ACTIVE_SECONDS + 1
