from tests.bench.many_streams import measure


def test_streams_in_real_time_lose_and_double_no_word() -> None:
    figures = measure(4, 1.5)
    assert (figures.heard.lost, figures.heard.doubled) == (0, 0)
    assert figures.heard.words >= 4
    assert 0 < figures.lag_p50 <= figures.lag_p99
    assert figures.loop_cpu > 0
