"""Windows, tail padding, the silence tail and batches; no model is needed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.leveller import TARGET_LEVEL
from realtime.engines.whisper.windows import (
    END_FRAMES,
    FRAME,
    FULL_WINDOW_FRAMES,
    LENGTH_BUCKET,
    MIN_TAIL,
    SECOND_WINDOW,
    SHAPE_MULTIPLE,
    DecodeState,
    batches,
    padded,
    padded_length,
    second_window,
    with_silence,
)
from realtime.speech.recognition import DecodingOptions, TranscriptionRequest
from realtime.speech.segmentation import Span


def sound(seconds: float) -> Samples:
    return np.ones(round(seconds * SAMPLE_RATE), np.float32)


def encoding(frames: int) -> Any:
    return np.zeros((frames, 4), np.float32)


def state(encoded: int, **changes: Any) -> DecodeState:
    """Return a decode state of 2 s of sound with so many frames of encoding."""
    request = TranscriptionRequest(sound(2.0), language="en")
    made = DecodeState(request, encoding(encoded), language="en", task=[1, 2, 3], timestamps=False)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("final", "under_load", "seconds"), [(False, False, 2.5), (False, True, 2.5), (True, True, 3.0), (True, False, 6.0)]
)
def test_the_tail_padding_depends_on_the_kind_of_request(final: bool, under_load: bool, seconds: float) -> None:
    window = padded(TranscriptionRequest(sound(2.0), final=final, under_load=under_load))
    assert len(window) == seconds * SAMPLE_RATE
    assert window.sum() == 2 * SAMPLE_RATE


def test_quiet_audio_is_levelled_before_it_is_encoded() -> None:
    request = TranscriptionRequest(0.001 * sound(2.0))
    for window in (padded(request), second_window(request)):
        assert window[0] == pytest.approx(10 ** (TARGET_LEVEL / 20), rel=0.01)
    assert padded(replace(request, raise_level=False))[0] == np.float32(0.001)


def test_no_window_is_longer_than_30_s() -> None:
    assert len(padded(TranscriptionRequest(sound(31.0)))) == FULL_WINDOW_FRAMES * FRAME
    assert len(second_window(TranscriptionRequest(sound(31.0)))) == FULL_WINDOW_FRAMES * FRAME


@pytest.mark.parametrize("seconds", [1.0, 5.013, 9.0, 20.1])
def test_the_second_window_of_live_speech_is_wider_and_cheaper_than_the_full_one(seconds: float) -> None:
    request = TranscriptionRequest(sound(seconds))
    assert len(padded(request)) < len(second_window(request)) < FULL_WINDOW_FRAMES * FRAME
    assert len(second_window(request)) >= SECOND_WINDOW * FRAME


@pytest.mark.parametrize("seconds", [0.01, 5.013, 9.77, 20.1, 29.99])
@pytest.mark.parametrize("window", [padded, second_window])
def test_windows_have_few_different_lengths(window: Callable[[TranscriptionRequest], Samples], seconds: float) -> None:
    assert len(window(TranscriptionRequest(sound(seconds)))) % (SHAPE_MULTIPLE * FRAME) == 0


def test_a_thorough_second_decode_has_the_full_window() -> None:
    request = TranscriptionRequest(sound(1.0), decoding=DecodingOptions(thorough=True))
    assert len(second_window(request)) == FULL_WINDOW_FRAMES * FRAME


def test_a_single_word_is_never_decoded_in_the_full_window() -> None:
    request = TranscriptionRequest(sound(3.0), voice=(Span(16_000, 22_000),), decoding=DecodingOptions(thorough=True))
    assert len(padded(request)) < len(second_window(request)) == SECOND_WINDOW * FRAME


def test_a_decoder_memory_ends_like_the_full_window() -> None:
    silence = np.arange(FULL_WINDOW_FRAMES, dtype=np.float32)[:, None] * np.ones(4, np.float32)
    memory = with_silence(encoding(100), silence, 100 + MIN_TAIL)
    assert len(memory) == 100 + MIN_TAIL + END_FRAMES
    assert memory[100:, 0].tolist() == [
        *range(100, 100 + MIN_TAIL),
        *range(FULL_WINDOW_FRAMES - END_FRAMES, FULL_WINDOW_FRAMES),
    ]


@pytest.mark.parametrize("frames", [FULL_WINDOW_FRAMES, FULL_WINDOW_FRAMES - 3, FULL_WINDOW_FRAMES - MIN_TAIL])
def test_a_long_decoder_memory_has_no_frame_twice(frames: int) -> None:
    silence = np.arange(FULL_WINDOW_FRAMES, dtype=np.float32)[:, None]
    memory = with_silence(silence[:frames], silence, padded_length(silence[:frames]))
    assert memory[:, 0].tolist() == list(range(FULL_WINDOW_FRAMES))


@pytest.mark.parametrize(("timestamps", "lengths"), [(True, (100, 300)), (False, (100, 1000))])
def test_states_of_different_lengths_share_a_batch(timestamps: bool, lengths: Sequence[int]) -> None:
    assert batches([state(each, timestamps=timestamps) for each in lengths]) == [[0, 1]]


def test_with_timestamps_states_of_very_different_lengths_share_none() -> None:
    assert batches([state(100, timestamps=True), state(1000, timestamps=True)]) == [[0], [1]]


@pytest.mark.parametrize(
    "other",
    [
        state(100, timestamps=True),
        state(100, task=[1, 2, 3, 4]),
        state(100, step=1),
        state(100, request=TranscriptionRequest(sound(2.0), decoding=DecodingOptions(beam_size=5))),
    ],
    ids=["timestamps", "prompt", "temperature", "search"],
)
def test_states_with_different_decoding_options_share_no_batch(other: DecodeState) -> None:
    assert batches([state(100), other, state(100)]) == [[0, 2], [1]]


@pytest.mark.parametrize(("language", "most"), [("en", 45), ("th", 105)])
def test_the_token_bound_is_above_any_speech(language: str, most: int) -> None:
    assert state(100, language=language).max_tokens == most


def test_a_state_can_be_truncated() -> None:
    whole = state(100)
    beginning = whole.truncated_to(25)
    assert beginning.frames == 25
    assert beginning.encoding is whole.encoding


@pytest.mark.parametrize(("timestamps", "frames"), [(False, 100 + MIN_TAIL), (True, LENGTH_BUCKET)])
def test_without_timestamps_a_decoder_memory_has_its_shortest_length(timestamps: bool, frames: int) -> None:
    assert state(100, timestamps=timestamps).memory == frames
