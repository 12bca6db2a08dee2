from collections.abc import Iterator

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.speech.pauses import CLAUSE_PAUSE, PARAGRAPH_PAUSE, SENTENCE_PAUSE, WORD_PAUSE, pause_after, with_pause

RATE = 1_000


def sound(length: int) -> Samples:
    return np.full(length, 0.5, np.float32)


def silence(length: int) -> Samples:
    return np.full(length, 1e-4, np.float32)


def shaped(*chunks: Samples, seconds: float = 0.3) -> Samples:
    return np.concatenate([np.empty(0, np.float32), *with_pause(iter(chunks), seconds, RATE)])


@pytest.mark.parametrize(
    ("phrase", "pause"),
    [
        ("Good morning. ", SENTENCE_PAUSE),
        ('"Good morning!" ', SENTENCE_PAUSE),
        ("你好。", SENTENCE_PAUSE),
        ("Well, ", CLAUSE_PAUSE),
        ("(or so it seems), ", CLAUSE_PAUSE),
        ("我说，", CLAUSE_PAUSE),
        ("a long row of words ", WORD_PAUSE),
        ("A heading\n", SENTENCE_PAUSE),
        ("A heading,\n", SENTENCE_PAUSE),
        ("The end.\n\n", PARAGRAPH_PAUSE),
        ("The end.\r\n\r\n", PARAGRAPH_PAUSE),
        ("", SENTENCE_PAUSE),
        ("**", SENTENCE_PAUSE),
    ],
)
def test_a_pause_is_that_of_the_punctuation(phrase: str, pause: float) -> None:
    assert pause_after(phrase) == pause


def test_the_silence_after_a_phrase_becomes_the_pause() -> None:
    assert [*shaped(sound(50), silence(200))] == [*sound(50), *np.zeros(300)]


def test_silence_before_a_phrase_stays() -> None:
    assert [*shaped(silence(90), sound(50))] == [*silence(90), *sound(50), *np.zeros(300)]


def test_silence_inside_a_phrase_stays() -> None:
    inside = np.concatenate([sound(50), silence(80)])
    assert [*shaped(inside, silence(40), sound(10), silence(9))] == [
        *inside, *silence(40), *sound(10), *np.zeros(300),
    ]  # fmt: skip


def test_a_phrase_without_sound_yields_nothing() -> None:
    assert [*with_pause(iter([silence(100)]), 0.3, RATE)] == []


def test_a_phrase_without_a_pause_ends_with_its_sound() -> None:
    assert [*shaped(sound(5), silence(5), seconds=0)] == [*sound(5)]


def test_sound_is_yielded_before_the_next_chunk_is_made() -> None:
    made = []

    def engine() -> Iterator[Samples]:
        for _ in range(3):
            made.append(1)
            yield sound(10)

    chunks = with_pause(engine(), 0.3, RATE)
    next(chunks)
    assert len(made) == 1


def test_closing_it_closes_the_engine() -> None:
    closed = []

    def engine() -> Iterator[Samples]:
        try:
            yield sound(10)
            yield sound(10)
        finally:
            closed.append(True)

    chunks = with_pause(engine(), 0.3, RATE)
    next(chunks)
    chunks.close()
    assert closed
