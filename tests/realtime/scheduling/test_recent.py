"""Names and when something last happened to them, with a clock set by hand."""

from realtime.scheduling.recent import RecentTimes


def test_a_name_is_known_for_the_horizon_after_its_last_time() -> None:
    times = RecentTimes(3.0)
    times.note("one", 10.0)
    times.note("two", 11.0)
    times.note("one", 12.0)
    assert list(times.names(14.0)) == ["two", "one"]
    assert list(times.names(15.0)) == ["one"]
    assert (times.get("one", 0.0), times.get("two", 0.0), len(times)) == (12.0, 0.0, 1)


def test_a_name_can_be_dropped() -> None:
    times = RecentTimes(3.0)
    times.note("one", 10.0)
    times.drop("one")
    times.drop("one")
    assert list(times.names(10.0)) == []
