"""What requests cost, with a clock set by hand."""

import pytest

from realtime.scheduling.cost import (
    AVERAGING_SECONDS,
    COST_SAMPLES,
    FIXED_SECONDS,
    TARGET_BATCH_SIZE,
    USUAL_SECONDS,
    DecayingRate,
)
from realtime.scheduling.priority import Priority
from tests.support.engine_load import NOW, client_id, load_of, talk


def test_a_rate_decays_when_nothing_is_added() -> None:
    average = DecayingRate()
    assert average.read(NOW) == 0.0
    average.add(AVERAGING_SECONDS, NOW)
    assert average.read(NOW) == 1.0
    assert 0.3 < average.read(NOW + AVERAGING_SECONDS) < 0.4
    assert average.read(NOW + 20 * AVERAGING_SECONDS) < 1e-8


def test_a_constant_amount_per_second_is_its_own_rate() -> None:
    average = DecayingRate()
    for second in range(10 * round(AVERAGING_SECONDS)):
        average.add(0.25, NOW + second)
    assert average.read(NOW + 10 * AVERAGING_SECONDS) == pytest.approx(0.25, rel=0.05)


def test_the_cost_of_a_partial_follows_what_was_measured() -> None:
    load = load_of(1, 0.1)
    for round_ in range(10 * COST_SAMPLES):
        talk(load, TARGET_BATCH_SIZE, NOW + round_, cost=0.3)
    assert load.cost.seconds == pytest.approx(0.3, rel=0.05)


def test_the_estimate_counts_for_two_partials_beside_those_that_were_measured() -> None:
    load = load_of(1, 2.0)  # it was made while others had the machine
    talk(load, TARGET_BATCH_SIZE, NOW, cost=0.1)
    assert load.cost.seconds == pytest.approx((2 * 2.0 + TARGET_BATCH_SIZE * 0.1) / (2 + TARGET_BATCH_SIZE))


def test_a_first_partial_that_took_very_long_counts_as_twice_the_estimate_at_most() -> None:
    load = load_of(1, 0.1)
    talk(load, 1, NOW, cost=3.0)  # as when kernels are compiled for it
    assert load.cost.seconds == pytest.approx(0.1 * 4 / 3)


def test_the_usual_cost_is_that_of_partials_of_the_usual_length() -> None:
    load = load_of(1, 0.1)
    assert load.cost.usual_seconds == pytest.approx(0.1)
    for _ in range(10 * COST_SAMPLES):
        load.record_encode(client_id(1), Priority.PARTIAL, 0.02, NOW, audio_seconds=1.0)
        load.record_decode([(client_id(1), Priority.PARTIAL)] * TARGET_BATCH_SIZE, 0.02 * TARGET_BATCH_SIZE, NOW)
    assert load.cost.seconds == pytest.approx(0.04, rel=0.01)
    ratio = (USUAL_SECONDS + FIXED_SECONDS) / (1.0 + FIXED_SECONDS)
    assert load.cost.usual_seconds == pytest.approx(0.04 * ratio, rel=0.01)


def test_the_cost_of_a_single_decode_is_normalised_to_a_batch() -> None:
    load = load_of(1, 0.1)
    for round_ in range(10 * COST_SAMPLES):
        talk(load, 1, NOW + round_, cost=0.1)
    assert load.cost.seconds < 0.1


def test_finals_and_uploads_do_not_change_the_cost_of_a_partial() -> None:
    load = load_of(1, 0.1)
    for priority in (Priority.FINAL, Priority.UPLOAD):
        load.record_encode(client_id(1), priority, 5.0, NOW)
        load.record_decode([(client_id(1), priority)], 5.0, NOW)
    assert load.cost.seconds == 0.1
