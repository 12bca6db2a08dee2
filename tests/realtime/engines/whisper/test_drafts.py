"""Which of several drafts is better, and when one suffices."""

from types import SimpleNamespace
from typing import Any

import pytest

from realtime.engines.whisper.drafts import Draft, compression_ratio, parse_output
from realtime.speech.recognition import Thresholds

DEFAULT_DECODING = Thresholds()


def draft(log_probability: float, ratio: float = 1.5, no_speech: float = 0.0, *, ended: bool = True) -> Draft:
    return Draft([1, 2], log_probability, no_speech, ratio, ended, 0.0)


@pytest.mark.parametrize(
    ("better", "other"),
    [
        pytest.param(draft(-0.8), draft(-0.2, ratio=5.0), id="likely text rather than a loop"),
        pytest.param(draft(-0.3, ratio=3.0), draft(-1.3), id="a likely repetition rather than a guess"),
        pytest.param(draft(-1.2), draft(-0.1, ended=False), id="a guess rather than what never ends"),
        pytest.param(draft(-1.05), draft(-1.3, no_speech=0.7), id="the likelier of two guesses"),
        pytest.param(draft(-0.2), draft(-0.4), id="the likelier of two texts"),
    ],
)
def test_the_better_draft_has_the_higher_score(better: Draft, other: Draft) -> None:
    assert better.score(DEFAULT_DECODING) > other.score(DEFAULT_DECODING)


@pytest.mark.parametrize(
    ("found", "enough"),
    [
        (draft(-0.9), True),
        (draft(-1.1), False),
        (draft(-1.1, no_speech=0.7), True),
        (draft(-0.2, ratio=2.5), False),
        (draft(-0.2, ended=False), False),
    ],
)
def test_a_probable_draft_or_one_without_speech_meets_the_thresholds(found: Draft, *, enough: bool) -> None:
    assert found.meets(DEFAULT_DECODING) == enough


def test_repetition_raises_the_compression_ratio() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("The quick brown fox jumps over the lazy dog.") < 1.5
    assert compression_ratio("and so on " * 20) > DEFAULT_DECODING.compression_ratio


VOCABULARY: Any = SimpleNamespace(eot=90, timestamp_begin=100)


@pytest.mark.parametrize(
    ("generated", "text", "end"),
    [
        ([1, 2, 3], [1, 2, 3], 0),
        ([100, 1, 2, 110, 110, 3, 140, 90], [1, 2, 3], 40),
        pytest.param([100, 1, 2, 151, 151, 3, 160], [1, 2], 60, id="text after the end of the audio"),
        pytest.param([100, 1, 2, 151, 90], [1, 2], 51, id="an end that is a little late"),
        pytest.param([155, 1, 2, 160], [1, 2], 60, id="all that was said in very short audio"),
    ],
)
def test_text_tokens_and_the_last_timestamp_are_parsed(generated: list[int], text: list[int], end: int) -> None:
    places, last = parse_output(generated, VOCABULARY, 50)
    assert ([generated[place] for place in places], last) == (text, end)
