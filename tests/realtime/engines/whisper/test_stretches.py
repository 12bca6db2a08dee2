"""Cutting audio in its pauses, and whether the stretches or the whole are believed; no model is needed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.whisper.stretches import LEAD, MIN_LOG_PROBABILITY, Split, stretches
from realtime.speech.recognition import Thresholds, TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Hypothesis, Word
from tests.support.recordings import silence, tone


def spoken(*seconds: float) -> Samples:
    """Return sound and pauses in turn, sound first."""
    parts = [silence(length) if index % 2 else tone(length) for index, length in enumerate(seconds)]
    return np.concatenate(parts)


def said(text: str, *, seconds: float = 0.3, **changes: Any) -> Hypothesis:
    """Return a hypothesis whose words follow each other."""
    length = round(seconds * SAMPLE_RATE)
    words = tuple(Word(f" {word}", at * length, (at + 1) * length, 0.9) for at, word in enumerate(text.split()))
    return replace(Hypothesis(words, "en", tokens=(1,) * len(words), average_log_probability=-0.3), **changes)


def decoded(audio: Samples, whole: Hypothesis, *texts: Hypothesis) -> Hypothesis:
    """Return the result of a split whose stretches give these texts."""
    split = Split.of(TranscriptionRequest(audio), len(audio), whole)
    assert split is not None
    assert len(split.waiting) == len(texts) - 1
    for text in texts:
        split = split.with_found(text, Thresholds())
        if split.waiting:
            split = replace(split, current=split.waiting[0], waiting=split.waiting[1:])
    return split.result


@pytest.mark.parametrize("pause", [0.2, 0.3, 0.6])
def test_each_repetition_is_a_stretch_of_its_own(pause: float) -> None:
    audio = spoken(*[1.3, pause] * 4)
    cut = stretches(audio)
    assert len(cut) == 4
    for index, stretch in enumerate(cut):
        assert stretch.start == pytest.approx(index * (1.3 + pause) * SAMPLE_RATE, abs=0.21 * SAMPLE_RATE)
        assert not np.any(audio[stretch.end - 800 : stretch.end])


def test_pauses_as_loud_as_the_noise_are_found() -> None:
    audio = spoken(*[1.3, 0.3] * 4)
    noise = 0.03 * np.random.default_rng(0).standard_normal(len(audio)).astype(np.float32)
    assert len(stretches(audio + noise)) == 4


def test_short_pauses_separate_only_long_stretches() -> None:
    assert len(stretches(spoken(0.6, 0.1, 0.6))) == 1
    assert len(stretches(spoken(1.4, 0.1, 1.4))) == 2


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.1, 0.3])
def test_repetitions_are_cut_apart_although_there_are_longer_pauses_in_the_sentence(pause: float) -> None:
    sentence = np.concatenate([tone(0.7, 300), silence(0.3), tone(0.5, 900), tone(0.3, 500), silence(pause)])
    cut = stretches(np.tile(sentence, 5))
    assert len(cut) == 5
    for index, stretch in enumerate(cut[1:], 1):
        assert stretch.start == pytest.approx(index * len(sentence) - pause / 2 * SAMPLE_RATE, abs=0.05 * SAMPLE_RATE)


def test_a_click_is_no_stretch() -> None:
    assert len(stretches(spoken(1.0, 0.3, 0.05))) == 1


def test_silence_is_not_cut() -> None:
    assert stretches(silence(0.0)) == ()
    assert len(stretches(silence(2.0))) == 1
    assert Split.of(TranscriptionRequest(silence(2.0)), 2 * SAMPLE_RATE, said("you")) is None


def test_a_stretch_is_requested_with_its_own_samples_and_voice() -> None:
    audio = spoken(1.0, 0.5, 1.0)
    request = TranscriptionRequest(audio, language="en", voice=(Span(1600, 14_000), Span(24_000, 40_000)))
    split = Split.of(request, len(audio), said("one"))
    assert split is not None
    second = replace(split, current=split.waiting[0]).current_request
    start = split.waiting[0].start
    assert np.array_equal(second.samples, np.concatenate([silence(LEAD / SAMPLE_RATE), audio[start:]]))
    assert second.voice == (Span(LEAD + 24_000 - start, LEAD + 40_000 - start),)


def test_a_word_begins_no_earlier_than_its_stretch() -> None:
    found = decoded(REPEATED, said("wait"), *[said("wait", seconds=0.5)] * 3)
    starts = [stretch.start for stretch in stretches(REPEATED)]
    assert [(word.start, word.end) for word in found.words] == [
        (start, start + SAMPLE_RATE // 2 - LEAD) for start in starts
    ]


REPEATED = spoken(1.3, 0.3, 1.3, 0.3, 1.3)


def test_words_that_the_whole_lacks_come_from_the_stretches_in_their_places() -> None:
    result = decoded(REPEATED, said("wait here"), *[said("wait here")] * 3)
    assert result.text == " wait here" * 3
    starts = [word.start for word in result.words]
    assert starts == sorted(starts)
    assert starts[2] >= 1.3 * SAMPLE_RATE


def test_the_stretches_know_how_often_something_was_said() -> None:
    result = decoded(REPEATED, said("five five five five five"), *[said("five")] * 3)
    assert result.text == " five" * 3


def test_the_text_of_a_loop_is_replaced() -> None:
    result = decoded(REPEATED, said("on and on", compression_ratio=9.0), said("on"), said(""), said("off"))
    assert result.text == " on off"
    assert result.compression_ratio < 2.4


def test_stretches_without_more_words_change_nothing() -> None:
    whole = said("this is said once")
    assert decoded(REPEATED, whole, said("this is"), said("said"), said("ones")) is whole


@pytest.mark.parametrize(
    "doubt",
    [
        {"average_log_probability": MIN_LOG_PROBABILITY - 0.1},
        {"compression_ratio": 2.5},
        {"no_speech_probability": 0.7},
    ],
)
def test_the_implausible_text_of_a_stretch_is_left_out(doubt: dict[str, float]) -> None:
    whole = said("wait wait wait wait")
    assert decoded(REPEATED, whole, said("wait"), said("thanks", **doubt), said("wait")) is whole
    loop = replace(whole, compression_ratio=9.0)
    assert decoded(REPEATED, loop, said("wait"), said("thanks", **doubt), said("wait")).text == " wait wait"


def test_words_that_the_whole_has_too_may_count_as_no_speech_alone() -> None:
    doubt = said("five", no_speech_probability=0.7)
    assert decoded(REPEATED, said("five five five five"), said("five"), doubt, doubt).text == " five" * 3


def test_without_any_plausible_text_the_whole_stays() -> None:
    whole = said("la la la la", compression_ratio=9.0)
    assert decoded(REPEATED, whole, *[said("la", average_log_probability=-2.0)] * 3) is whole


def test_the_probability_of_the_result_is_the_average_over_its_tokens() -> None:
    more, less = said("one two three"), said("four", average_log_probability=-1.1)
    assert decoded(REPEATED, said("one"), more, less, said("")).average_log_probability == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("whole", "text"),
    [
        ("The child hurt the dog.", " The child hurt the dog. The child hurt the dog."),
        ("It rained.", " The child hurt. The dog. The child hurt. The dog."),
        ("– –", " The child hurt. The dog. The child hurt. The dog."),
    ],
)
def test_between_two_stretches_the_text_is_written_as_in_the_whole(whole: str, text: str) -> None:
    audio = spoken(*[1.3, 0.3] * 4)
    found = decoded(audio, said(whole, ended=False), *[said("The child hurt."), said("The dog.")] * 2)
    assert found.text == text
