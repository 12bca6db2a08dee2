from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.speech.pauses import (
    CLAUSE_PAUSE,
    PARAGRAPH_PAUSE,
    SENTENCE_PAUSE,
    SILENCE_LEVEL,
    WORD_PAUSE,
    pause_after,
    with_pause,
)

RATE = 1_000


def sound(length: int) -> Samples:
    """Return sound that begins and ends as softly as speech."""
    samples = np.full(length, 0.5, np.float32)
    samples[0], samples[-1] = 0.9 * SILENCE_LEVEL, 1.1 * SILENCE_LEVEL
    return samples


def broken_off(length: int) -> Samples:
    return np.full(length, 0.5, np.float32)


def silence(length: int) -> Samples:
    return np.full(length, 1e-4, np.float32)


def close(samples: Samples, expected: Sequence[float]) -> None:
    np.testing.assert_allclose(samples, expected, atol=2 * SILENCE_LEVEL)


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
    close(shaped(sound(50), silence(200)), [*sound(50), *np.zeros(300)])


def test_silence_before_a_phrase_stays() -> None:
    close(shaped(silence(90), sound(50)), [*silence(90), *sound(50), *np.zeros(300)])


def test_silence_inside_a_phrase_stays() -> None:
    inside = np.concatenate([sound(50), silence(80)])
    close(shaped(inside, silence(40), sound(10), silence(9)), [*inside, *silence(40), *sound(10), *np.zeros(300)])


def test_sound_that_breaks_off_falls_to_silence_in_the_pause() -> None:
    assert [*shaped(silence(50), broken_off(50))[97:]] == [0.5, 0.5, 0.5, 0.5, 0.25, *np.zeros(298)]


def test_sound_that_begins_at_once_is_faded_in() -> None:
    assert [*shaped(broken_off(50), broken_off(50))[:100]] == [0, 0.25, *np.full(98, 0.5)]


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
