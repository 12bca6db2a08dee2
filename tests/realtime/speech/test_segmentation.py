"""Cutting recordings into segments: probabilities in, spans out."""

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.speech.segmentation import MAX_SEGMENT, MIN_SEGMENT, Segmentation, Span


def windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / WINDOW)


def speech(seconds: float) -> list[float]:
    return [1.0] * windows(seconds)


def pause(seconds: float) -> list[float]:
    return [0.0] * windows(seconds)


def cut(probabilities: Sequence[float]) -> list[Span]:
    cutter = Segmentation()
    spans = []
    for probability in probabilities:
        needed = cutter.earliest_needed
        found = cutter.update(probability)
        assert all(span.start >= needed for span in found)
        spans += found
    return spans + cutter.finish()


def seconds(span: Span) -> tuple[float, float]:
    return round(span.start / SAMPLE_RATE, 1), round(span.end / SAMPLE_RATE, 1)


def test_silence_has_no_segments() -> None:
    assert cut(pause(60)) == []


def test_short_speech_is_one_segment_with_padding() -> None:
    assert [seconds(span) for span in cut(pause(5) + speech(2) + pause(5))] == [(4.7, 7.5)]


def test_speech_up_to_the_end_of_the_recording_is_not_lost() -> None:
    assert [seconds(span) for span in cut(pause(1) + speech(2))] == [(0.7, 3.0)]


def test_speech_is_joined_across_a_short_pause() -> None:
    spans = cut(speech(2) + pause(1) + speech(2) + pause(1) + speech(2) + pause(1))
    assert [seconds(span) for span in spans] == [(0.0, 8.4)]


def test_a_joined_segment_knows_the_speech_between_its_pauses() -> None:
    (span,) = cut(speech(2) + pause(1) + speech(2) + pause(1))
    assert [seconds(stretch) for stretch in span.stretches] == [(0.0, 2.5), (2.7, 5.5)]


def test_without_a_least_length_every_pause_separates_segments() -> None:
    segmentation = Segmentation(min_segment=0)
    probabilities = speech(2) + pause(1) + speech(2) + pause(1)
    spans = [span for probability in probabilities for span in segmentation.update(probability)]
    assert [seconds(span) for span in spans] == [(0.0, 2.5), (2.7, 5.5)]


def test_a_long_pause_separates_segments() -> None:
    spans = cut(speech(2) + pause(4) + speech(2) + pause(1))
    assert [seconds(span) for span in spans] == [(0.0, 2.5), (5.7, 8.5)]


def test_a_long_enough_segment_ends_at_its_first_pause() -> None:
    spans = cut((speech(4) + pause(1)) * 4)
    assert [seconds(span) for span in spans] == [(0.0, 14.5), (14.7, 19.5)]


def test_a_segment_ends_before_the_next_speech_would_make_it_too_long() -> None:
    spans = cut(speech(8) + pause(1) + speech(25) + pause(1))
    assert [seconds(span) for span in spans] == [(0.0, 8.5), (8.7, 34.5)]


def test_speech_without_a_pause_is_cut_where_it_was_least_likely() -> None:
    probabilities = speech(40)
    probabilities[windows(24)] = 0.6
    probabilities[windows(10)] = 0.4
    assert [seconds(span) for span in cut(probabilities)] == [(0.0, 24.0), (24.0, 40.0)]


def test_a_pending_segment_is_not_held_back_by_a_long_silence() -> None:
    cutter = Segmentation()
    found = [cutter.update(probability) for probability in speech(2) + pause(4)]
    assert any(found)
    assert cutter.earliest_needed > 5 * SAMPLE_RATE


@given(st.lists(st.tuples(st.floats(0.1, 40), st.floats(0.1, 5)), max_size=8))
def test_segments_are_in_order_disjoint_and_never_too_long(turns: list[tuple[float, float]]) -> None:
    spans = cut([probability for talk, rest in turns for probability in speech(talk) + pause(rest)])
    assert all(0 < span.end - span.start <= MAX_SEGMENT for span in spans)
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))


@given(st.lists(st.tuples(st.floats(0.2, 8), st.floats(0.6, 1.5)), min_size=1, max_size=12))
def test_only_the_last_segment_of_steady_speech_is_short(turns: list[tuple[float, float]]) -> None:
    spans = cut([probability for talk, rest in turns for probability in speech(talk) + pause(rest)])
    assert all(span.end - span.start >= MIN_SEGMENT for span in spans[:-1])
