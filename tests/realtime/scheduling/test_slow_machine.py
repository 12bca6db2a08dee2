"""Captions while the machine loses speed: real sessions and a real scheduler with a simulated engine and clock.

The simulations take twice as long when coverage is measured, and it is that of the tests of single modules.
"""

from functools import cache

import pytest

from realtime.scheduling.priority import LoadLevel
from tests.support.simulated_load import FAST_THREAD, Simulation

pytestmark = pytest.mark.no_cover

SLOW_FROM = 30.0
END = 70.0
STAGGERS = (0.37, 0.29, 0.41)
"""Seconds between the first words of two users: lags depend on which of them speak in step."""


@cache
def simulated(
    sessions: int, before: float, after: float, *, pauses: bool = True, stagger: float = STAGGERS[0]
) -> Simulation:
    """Let users speak on a machine whose speed changes after `SLOW_FROM` seconds."""
    simulation = Simulation(lambda now: before if now < SLOW_FROM else after, pauses=pauses, stagger=stagger)
    simulation.run(sessions, END)
    return simulation


def p95(simulation: Simulation, start: float, end: float) -> float:
    lags = simulation.lags_between(start, end)
    return lags[int(0.95 * len(lags))]


@pytest.mark.parametrize("pauses", [True, False])
@pytest.mark.parametrize("sessions", [8, 12])
def test_a_machine_that_loses_a_quarter_of_its_speed_captions_all_sessions_in_time(sessions: int, pauses: bool) -> None:
    simulation = simulated(sessions, 1.0, 0.75, pauses=pauses)
    assert p95(simulation, 5.0, SLOW_FROM) < 3.0
    assert p95(simulation, SLOW_FROM, END) < 3.0


@pytest.mark.parametrize("pauses", [True, False])
@pytest.mark.parametrize(("sessions", "speed"), [(8, 0.375), (12, 0.375), (16, 0.3)])
def test_the_lag_does_not_run_away_on_a_machine_that_is_far_too_slow(sessions: int, speed: float, pauses: bool) -> None:
    simulations = [simulated(sessions, 1.0, speed, pauses=pauses, stagger=stagger) for stagger in STAGGERS]
    # Segments that were long already when the machine became slow keep those of others waiting until they end.
    assert all(p95(each, END - 25.0, END - 10.0) < (8.0 if pauses else 12.0) for each in simulations)
    assert all(p95(each, END - 10.0, END) < (7.5 if pauses else 10.5) for each in simulations)


def test_finals_come_in_time_with_less_than_one_core_for_twelve_sessions() -> None:
    simulation = Simulation(cores=0.9)
    simulation.run(12, END - 20.0)
    finals = sorted(lag.seconds for lag in simulation.finals if lag.spoken >= 10.0)
    assert finals[len(finals) // 2] < 1.2
    assert finals[int(0.95 * len(finals))] < 2.0
    assert p95(simulation, 10.0, END) < 6.0


def test_partials_thin_out_and_the_level_stays_critical_as_long_as_the_machine_is_too_slow() -> None:
    simulation = simulated(16, 1.0, 0.3)
    late = [look for look in simulation.looks if SLOW_FROM + 5.0 <= look.at < END - 5.0]
    assert {look.level for look in late} == {LoadLevel.CRITICAL}
    assert all(look.partial_interval is None or look.partial_interval >= 1.2 for look in late)


@pytest.mark.parametrize(("sessions", "speed"), [(8, 0.375), (12, 0.375), (16, 0.3)])
def test_further_sessions_are_refused_seconds_after_the_machine_became_too_slow(sessions: int, speed: float) -> None:
    simulation = simulated(sessions, 1.0, speed)
    first = next(look.at for look in simulation.looks if look.at >= SLOW_FROM and not look.admits)
    assert first <= SLOW_FROM + 5.0
    late = [look.admits for look in simulation.looks if SLOW_FROM + 10.0 <= look.at < END - 5.0]
    assert late.count(False) > 0.6 * len(late)


def test_a_machine_with_time_to_spare_admits_further_sessions() -> None:
    assert all(look.admits for look in simulated(8, 1.0, 0.75).looks if look.at < SLOW_FROM)


@pytest.mark.parametrize(
    ("speed", "estimated", "too_many"),
    [(1.0, 0.05, 1.4), (1.0, 0.2, 1.4), (0.7, 0.2, 1.4), (0.4, 0.1, 1.4), (0.4, 0.4, 1.8)],
)
def test_a_burst_of_speakers_is_let_in_as_far_as_the_machine_can_follow(
    speed: float, estimated: float, too_many: float
) -> None:
    offered, every, seconds = 160, 0.03, 30.0

    def lag(sessions: int, stagger: float, *, limited: bool) -> tuple[int, float]:
        simulation = Simulation(
            lambda _: speed,
            cores=2.0,
            costs=FAST_THREAD,
            mishears=True,
            stagger=stagger,
            limited=limited,
            estimated_partial=estimated,
        )
        simulation.run(sessions, seconds)
        return sessions - simulation.refused, p95(simulation, 7.0, seconds)

    admitted, late = lag(offered, every, limited=True)
    assert late < 3.5
    assert lag(round(too_many * admitted), offered * every / (too_many * admitted), limited=False)[1] > 3.0
