"""Formats, G.711, resampling and the buffer."""

import tracemalloc
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Decoder, Encoding, Samples, encode
from realtime.audio.resampler import Resampler
from realtime.errors import UnsupportedAudio

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]
EVERY_VALUE = np.arange(-32_768, 32_768, dtype=np.int16)
EVERY_SAMPLE: Samples = EVERY_VALUE.astype(np.float32) / np.float32(32_768)


def noise(length: int) -> Samples:
    return np.random.default_rng(1).uniform(-0.5, 0.5, length).astype(np.float32)


def test_a_pcm16_sample_has_two_bytes_and_a_companded_one_has_one() -> None:
    assert AudioFormat(Encoding.PCM16, 24_000).bytes_per_sample == 2
    assert AudioFormat(Encoding.MULAW, 8_000).bytes_per_sample == 1
    assert AudioFormat(Encoding.ALAW, 8_000).bytes_per_sample == 1


def test_the_duration_of_audio_follows_from_its_format() -> None:
    assert AudioFormat(Encoding.PCM16, 24_000, channels=2).seconds(bytes(96_000)) == 1.0
    assert AudioFormat(Encoding.MULAW, 8_000).seconds(bytes(4_000)) == 0.5


@pytest.mark.parametrize("sample_rate", [0, 7_999, 48_001])
def test_a_rate_out_of_range_is_refused(sample_rate: int) -> None:
    with pytest.raises(UnsupportedAudio):
        AudioFormat(Encoding.PCM16, sample_rate)


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.ALAW])
def test_companded_audio_is_at_8_khz_only(encoding: Encoding) -> None:
    with pytest.raises(UnsupportedAudio):
        AudioFormat(encoding, 16_000)


def test_pcm16_is_little_endian() -> None:
    decoded = Decoder(AudioFormat(Encoding.PCM16, 24_000)).decode(b"\x00\x40\x00\x80")
    assert decoded.dtype == np.float32
    assert decoded.tolist() == [0.5, -1.0]


@given(cuts=st.lists(st.integers(0, 40)))
def test_half_a_sample_waits_for_the_next_message(cuts: list[int]) -> None:
    data = encode(noise(20), Encoding.PCM16)
    audio_format = AudioFormat(Encoding.PCM16, 24_000)
    edges = [0, *sorted(cuts), len(data)]
    decoder = Decoder(audio_format)
    pieces = [decoder.decode(data[start:end]) for start, end in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(pieces), Decoder(audio_format).decode(data))


@pytest.mark.parametrize("encoding", Encoding)
def test_channels_are_mixed_wherever_a_message_is_cut(encoding: Encoding) -> None:
    left, right = noise(8_000), noise(8_000)[::-1]
    data = encode(np.stack([left, right], axis=1).reshape(-1), encoding)
    audio_format = AudioFormat(encoding, 8_000, channels=2)
    decoder = Decoder(audio_format)
    pieces = [decoder.decode(data[start : start + 7]) for start in range(0, len(data), 7)]
    np.testing.assert_array_equal(np.concatenate(pieces), Decoder(audio_format).decode(data))
    np.testing.assert_allclose(np.concatenate(pieces), (left + right) / 2, atol=0.02)


@pytest.mark.parametrize("channels", [0, 9])
def test_a_number_of_channels_that_cannot_be_mixed_is_refused(channels: int) -> None:
    with pytest.raises(UnsupportedAudio, match=f"between 1 and 8 channels, not {channels}"):
        AudioFormat(Encoding.PCM16, 16_000, channels)


def test_every_pcm16_value_survives_decoding_and_encoding() -> None:
    data = EVERY_VALUE.astype("<i2").tobytes()
    assert encode(Decoder(AudioFormat(Encoding.PCM16, 24_000)).decode(data), Encoding.PCM16) == data


def test_samples_beyond_full_scale_are_clipped_and_others_rounded() -> None:
    samples = np.array([2.0, 1.0, -1.0, -2.0, 0.6 / 32_768, 0.4 / 32_768], np.float32)
    assert np.frombuffer(encode(samples, Encoding.PCM16), "<i2").tolist() == [32_767, 32_767, -32_768, -32_768, 1, 0]


@pytest.mark.parametrize(
    ("encoding", "code", "value"),
    [
        (Encoding.MULAW, 0xFF, 0),
        (Encoding.MULAW, 0x7F, 0),
        (Encoding.MULAW, 0x80, 32_124),
        (Encoding.MULAW, 0x00, -32_124),
        (Encoding.MULAW, 0xFE, 8),
        (Encoding.MULAW, 0xEF, 132),
        (Encoding.ALAW, 0xD5, 8),
        (Encoding.ALAW, 0x55, -8),
        (Encoding.ALAW, 0xAA, 32_256),
        (Encoding.ALAW, 0x2A, -32_256),
        (Encoding.ALAW, 0xC5, 264),
    ],
)
def test_g711_codes_have_the_values_of_the_recommendation(encoding: Encoding, code: int, value: int) -> None:
    assert Decoder(AudioFormat(encoding, 8_000)).decode(bytes([code])).tolist() == [value / 32_768]


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.ALAW])
def test_every_g711_code_survives_decoding_and_encoding(encoding: Encoding) -> None:
    codes = np.arange(256, dtype=np.uint8)
    again = np.frombuffer(encode(Decoder(AudioFormat(encoding, 8_000)).decode(codes.tobytes()), encoding), np.uint8)
    other = codes[again != codes].tolist()
    assert other == ([0x7F] if encoding is Encoding.MULAW else [])  # mu-law's negative zero is written as zero


def test_g711_agrees_with_audioop_on_every_value() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop", reason="Python 3.13 has no audioop")
    assert encode(EVERY_SAMPLE, Encoding.ALAW) == audioop.lin2alaw(EVERY_VALUE.tobytes(), 2)
    # audioop rounds negative values away from zero before it compresses them; the recommendation knows no such thing.
    positive = EVERY_VALUE >= 0
    assert encode(EVERY_SAMPLE[positive], Encoding.MULAW) == audioop.lin2ulaw(EVERY_VALUE[positive].tobytes(), 2)
    for encoding, expand in ((Encoding.MULAW, audioop.ulaw2lin), (Encoding.ALAW, audioop.alaw2lin)):
        values = np.frombuffer(expand(bytes(range(256)), 2), np.int16)
        decoded = Decoder(AudioFormat(encoding, 8_000)).decode(bytes(range(256)))
        np.testing.assert_array_equal(decoded * 32_768, values)


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.ALAW])
def test_a_negative_value_has_the_code_of_its_complement_with_the_sign_turned(encoding: Encoding) -> None:
    codes = np.frombuffer(encode(EVERY_SAMPLE, encoding), np.uint8)
    np.testing.assert_array_equal(codes[:32_768][::-1], codes[32_768:] ^ 0x80)


def resampled(source_rate: int, target_rate: int, pieces: list[Samples]) -> Samples:
    resampler = Resampler(source_rate, target_rate)
    return np.concatenate([*(resampler.process(piece) for piece in pieces), resampler.flush()])


@settings(deadline=None)
@given(
    source_rate=st.sampled_from(RATES),
    target_rate=st.sampled_from(RATES),
    length=st.integers(0, 6_000),
    cuts=st.lists(st.integers(0, 6_000), max_size=40),
)
def test_resampling_is_the_same_however_the_input_was_cut(
    source_rate: int, target_rate: int, length: int, cuts: list[int]
) -> None:
    samples = noise(length)
    np.testing.assert_array_equal(
        resampled(source_rate, target_rate, np.split(samples, sorted(cuts))),
        resampled(source_rate, target_rate, [samples]),
    )


@pytest.mark.parametrize("source_rate", RATES)
@pytest.mark.parametrize("target_rate", RATES)
def test_resampling_one_sample_at_a_time_changes_nothing(source_rate: int, target_rate: int) -> None:
    samples = noise(2_000)
    np.testing.assert_array_equal(
        resampled(source_rate, target_rate, np.split(samples, len(samples))),
        resampled(source_rate, target_rate, [samples]),
    )


@pytest.mark.parametrize("source_rate", RATES)
@pytest.mark.parametrize("target_rate", RATES)
def test_resampling_keeps_length_and_level(source_rate: int, target_rate: int) -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(source_rate) / source_rate).astype(np.float32)
    result = resampled(source_rate, target_rate, [tone])
    assert abs(len(result) - target_rate) <= 2
    middle = result[target_rate // 4 : target_rate * 3 // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(0.5), rel=1e-3)


@pytest.mark.parametrize("source_rate", RATES)
@pytest.mark.parametrize("target_rate", RATES)
def test_resampling_holds_back_at_most_30_ms(source_rate: int, target_rate: int) -> None:
    resampler = Resampler(source_rate, target_rate)
    frame = noise(source_rate // 100)
    heard = 0
    for count in range(1, 51):
        heard += len(resampler.process(frame))
        assert count * len(frame) / source_rate - heard / target_rate < 0.0305


def test_equal_rates_leave_the_samples_alone() -> None:
    samples = noise(100)
    np.testing.assert_array_equal(resampled(16_000, 16_000, [samples]), samples)


def test_after_a_flush_another_stream_begins() -> None:
    resampler = Resampler(24_000, 16_000)
    samples = noise(3_000)
    first = np.concatenate([resampler.process(samples), resampler.flush()])
    second = np.concatenate([resampler.process(samples), resampler.flush()])
    np.testing.assert_array_equal(first, second)


@settings(deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 30_000), st.floats(0, 1)), max_size=12))
def test_a_buffer_holds_what_was_appended_and_not_discarded(steps: list[tuple[int, float]]) -> None:
    buffer = AudioBuffer()
    everything = np.empty(0, np.float32)
    for length, share in steps:
        piece = noise(length) + len(everything)
        everything = np.concatenate([everything, piece])
        buffer.append(piece)
        before = buffer.start + int(share * (buffer.end - buffer.start))
        buffer.discard(before)
        assert (buffer.start, buffer.end) == (before, len(everything))
        np.testing.assert_array_equal(buffer.slice(buffer.start, buffer.end), everything[before:])


def test_a_slice_is_a_copy() -> None:
    buffer = AudioBuffer()
    buffer.append(np.zeros(4, np.float32))
    buffer.slice(0, 4)[:] = 1
    assert buffer.slice(0, 4).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(("start", "end"), [(1, 4), (3, 7), (5, 4), (-1, 3)])
def test_a_slice_outside_the_buffer_is_an_error(start: int, end: int) -> None:
    buffer = AudioBuffer()
    buffer.append(np.zeros(6, np.float32))
    buffer.discard(2)
    with pytest.raises(ValueError, match="holds 2 to 6"):
        buffer.slice(start, end)


def test_discarding_reaches_no_further_than_the_end() -> None:
    buffer = AudioBuffer()
    buffer.append(np.zeros(6, np.float32))
    buffer.discard(100)
    assert (buffer.start, buffer.end) == (6, 6)
    buffer.discard(3)
    assert (buffer.start, buffer.end) == (6, 6)


def test_an_hour_of_appending_and_discarding_keeps_memory_constant() -> None:
    frame = np.zeros(SAMPLE_RATE // 10, np.float32)
    buffered = 10 * SAMPLE_RATE
    buffer = AudioBuffer()
    tracemalloc.start()
    try:
        for _ in range(36_000):
            buffer.append(frame)
            buffer.discard(buffer.end - buffered)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert buffer.end == 3_600 * SAMPLE_RATE
    assert held <= 4 * buffered * frame.itemsize
    assert peak <= 7 * buffered * frame.itemsize


def test_discarding_gives_memory_back() -> None:
    tracemalloc.start()
    try:
        buffer = AudioBuffer()
        buffer.append(np.zeros(600 * SAMPLE_RATE, np.float32))
        buffer.discard(buffer.end)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held <= 2 * SAMPLE_RATE * 4
