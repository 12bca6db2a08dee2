"""The figures of a run with many streams."""

import numpy as np

from tests.bench.scoring import SpokenWord, StreamScore
from tests.bench.service_cost import Cost
from tests.bench.speech_tracks import Track
from tests.bench.streams import StreamRecord
from tests.bench.under_load import summary

COST = Cost([0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [500.0, 600.0])


def test_lags_are_those_of_words_that_end_while_all_streams_play() -> None:
    words = tuple(SpokenWord("word", end - 0.2, end) for end in (2.0, 6.0, 9.0))
    track = Track(np.zeros(240_000, np.float32), words, ())
    assert track.seconds == 10.0
    admitted = [(track, StreamRecord(began=100.0)), (track, StreamRecord(began=104.0))]
    scores = [
        StreamScore("word word word", {0: 9.0, 1: 1.0, 2: 2.0}, {}, []),  # the first ends at 102 s
        StreamScore("word word", {0: 4.0, 1: 3.0, 2: 9.0}, {}, []),  # the last at 113 s, when only one plays
    ]
    figures = summary("whisper-base", admitted, scores, COST, {}, refused=0)
    assert figures.lag_over_time == ((10.0, 2.0, 4.0), (15.0, 3.0, 3.0))
    assert figures.commit_lag_p95 == 4.0
    assert figures.words_recognised == 6
