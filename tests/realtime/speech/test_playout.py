import numpy as np
import pytest

from realtime.speech.playout import CHUNK_SECONDS, FIRST_CHUNK_SECONDS, MAX_LEAD_SECONDS, Chunk, Playout

RATE = 8000


def ramp(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.arange(round(seconds * RATE), dtype=np.float32)


def audio(chunks: list[Chunk]) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return [chunk for chunk in chunks if isinstance(chunk, np.ndarray)]


def seconds(chunks: list[Chunk]) -> float:
    return sum(len(chunk) for chunk in audio(chunks)) / RATE


def test_the_first_chunk_is_short_and_the_others_are_not() -> None:
    playout = Playout(RATE, paced=False)
    playout.add_audio(ramp(1.0))
    playout.add_audio(ramp(0.5))
    lengths = [len(chunk) / RATE for chunk in audio(playout.release(0.0))]
    assert lengths[0] == FIRST_CHUNK_SECONDS
    assert max(lengths[1:]) == CHUNK_SECONDS
    assert lengths.count(FIRST_CHUNK_SECONDS) == 1


def test_chunks_are_the_audio_in_order() -> None:
    playout = Playout(RATE, paced=False)
    playout.add_audio(ramp(1.23))
    np.testing.assert_array_equal(np.concatenate(audio(playout.release(0.0))), ramp(1.23))


def test_a_text_comes_before_its_audio() -> None:
    playout = Playout(RATE, paced=False)
    playout.add_text("one ")
    playout.add_audio(ramp(0.04))
    playout.add_text("two")
    playout.add_audio(ramp(0.2))
    kinds = [len(chunk) if isinstance(chunk, np.ndarray) else chunk for chunk in playout.release(0.0)]
    assert kinds == ["one ", 320, "two", 1600]


def test_no_more_than_the_lead_is_ahead_of_the_listener() -> None:
    playout = Playout(RATE, paced=True)
    playout.add_audio(ramp(20.0))
    assert MAX_LEAD_SECONDS <= seconds(playout.release(100.0)) <= MAX_LEAD_SECONDS + CHUNK_SECONDS
    assert playout.release(100.0) == []
    assert seconds(playout.release(102.0)) == pytest.approx(2.0, abs=CHUNK_SECONDS)


def test_a_listener_who_had_nothing_to_play_plays_on_from_then() -> None:
    playout = Playout(RATE, paced=True)
    playout.add_audio(ramp(1.0))
    playout.release(100.0)
    playout.add_audio(ramp(20.0))
    assert seconds(playout.release(110.0)) == pytest.approx(MAX_LEAD_SECONDS, abs=2 * CHUNK_SECONDS)
    assert playout.began == 109.0


def test_a_mark_is_released_after_all_that_was_added_before() -> None:
    playout = Playout(RATE, paced=True)
    playout.add_audio(ramp(10.0))
    playout.add_mark()
    assert playout.release(0.0)[-1] is not None
    playout.release(2.5)
    playout.release(5.0)
    assert playout.release(7.5)[-1] is None


def test_at_the_deadline_there_is_something_to_send_and_before_it_nothing() -> None:
    playout = Playout(RATE, paced=True)
    playout.add_audio(ramp(10.0))
    playout.release(0.0)
    deadline = playout.deadline()
    assert deadline is not None
    assert playout.release(deadline - 0.001) == []
    assert len(playout.release(deadline)) == 1


def test_without_pacing_everything_goes_at_once() -> None:
    playout = Playout(RATE, paced=False)
    playout.add_audio(ramp(20.0))
    assert seconds(playout.release(0.0)) == 20.0
    assert playout.deadline() is None


def test_the_clock_of_the_listener_starts_with_the_first_audio() -> None:
    playout = Playout(RATE, paced=True)
    playout.add_text("hello")
    assert playout.release(0.0) == ["hello"]
    playout.add_audio(ramp(10.0))
    assert MAX_LEAD_SECONDS <= seconds(playout.release(50.0)) <= MAX_LEAD_SECONDS + CHUNK_SECONDS


def test_waiting_counts_the_seconds_not_yet_sent() -> None:
    playout = Playout(RATE, paced=True)
    playout.add_audio(ramp(10.0))
    assert playout.waiting == 10.0
    sent = seconds(playout.release(0.0))
    assert playout.waiting == pytest.approx(10.0 - sent)
