"""Files that the decoder decodes and refuses, with the decoder running in the process of the tests."""

import io
import os

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.media.decoding import records, survey
from realtime.media.records import BLOCK_BYTES, Kind, Refused
from tests.support.recordings import compressed_file, film, rifx_file, silence, timed_file, tone, wav_file


def decoded(data: bytes) -> NDArray[np.int16]:
    """Decode a file as a process does, put silence where it says, and mix channels plainly."""
    file = io.BytesIO(data)
    found = survey(file)
    parts = records(file, found.chosen, use_timestamps=found.use_timestamps)
    pieces = [
        np.zeros(int.from_bytes(payload), np.int16)
        if kind is Kind.SILENCE
        else np.frombuffer(payload, np.int16).reshape(-1, channels).mean(axis=1).astype(np.int16)
        for kind, payload, channels in parts
    ]
    return np.concatenate([np.zeros(0, np.int16), *pieces])


def length(file: io.BytesIO) -> float:
    return survey(file).seconds


@pytest.mark.parametrize(
    ("muxer", "codec", "rate"),
    [
        ("mp3", "libmp3lame", 44_100),
        ("flac", "flac", 96_000),
        ("ogg", "libopus", 48_000),
        ("adts", "aac", 24_000),
        ("mp4", "aac", 44_100),
        ("webm", "libopus", 48_000),
        ("aiff", "pcm_s16be", 8_000),
        ("caf", "alac", 44_100),
        ("au", "pcm_s16be", 16_000),
        ("w64", "pcm_s16le", 16_000),
        ("avi", "pcm_s16le", 16_000),
        ("flv", "aac", 44_100),
        ("mpegts", "aac", 44_100),
        ("mpeg", "mp2", 48_000),
        ("3gp", "libopencore_amrnb", 8_000),
        ("wv", "wavpack", 44_100),
        ("tta", "tta", 44_100),
        ("ac3", "ac3", 48_000),
        ("voc", "pcm_s16le", 22_050),
        ("wav", "pcm_mulaw", 8_000),
    ],
)
def test_every_usual_container_becomes_16_khz_mono(muxer: str, codec: str, rate: int) -> None:
    samples = decoded(compressed_file(tone(1.0, 440, rate), muxer, codec, rate))
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.0, abs=0.1)
    loudest = int(np.abs(np.fft.rfft(samples[:SAMPLE_RATE])).argmax())
    assert loudest * SAMPLE_RATE / min(len(samples), SAMPLE_RATE) == pytest.approx(440, abs=5)


@pytest.mark.parametrize(("bits", "values"), [(16, ">i2"), (32, ">i4")])
def test_a_big_endian_wav_file_is_read_as_such(bits: int, values: str) -> None:
    sound = tone(1.0)
    assert np.allclose(decoded(rifx_file(sound, bits, values)), sound * 32_768, atol=1)


@pytest.mark.parametrize("muxer", ["wav", "aiff", "mp3", "flac"])
def test_a_file_may_begin_with_a_tag_that_is_not_its_own(muxer: str) -> None:
    codec = {"wav": "pcm_s16le", "aiff": "pcm_s16be", "mp3": "libmp3lame"}.get(muxer, muxer)
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256)
    data = compressed_file(tone(1.0), muxer, codec)
    assert np.array_equal(decoded(tag + data), decoded(data))


@pytest.mark.parametrize("before", [b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("big_endian", [False, True])
def test_a_byte_order_mark_and_line_breaks_before_a_file_are_skipped(before: bytes, *, big_endian: bool) -> None:
    data = rifx_file(tone(1.0), 16, ">i2") if big_endian else wav_file(tone(1.0))
    assert np.array_equal(decoded(before + data), decoded(data))


def test_a_wav_file_without_channels_is_refused_as_such() -> None:
    data = bytearray(wav_file(tone(1.0)))
    data[22:24] = bytes(2)
    with pytest.raises(Refused, match="0 channels are not supported"):
        decoded(bytes(data))


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_are_mixed_without_overflow(channels: int) -> None:
    samples = decoded(wav_file(np.full(SAMPLE_RATE, 0.9, np.float32), channels=channels))
    assert samples.shape == (SAMPLE_RATE,)
    assert samples[8000] > 0.3 * 32_768


def test_a_long_file_comes_in_blocks() -> None:
    sizes = [len(block) for _, block, _ in records(io.BytesIO(wav_file(silence(25.0))), 0, use_timestamps=True)]
    assert sizes == [BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES // 2]


def test_a_truncated_file_yields_what_there_is() -> None:
    whole = wav_file(tone(2.0))
    assert len(decoded(whole[: len(whole) // 2 + 1])) == pytest.approx(SAMPLE_RATE, abs=100)


def test_a_file_damaged_in_the_middle_is_decoded_around_the_damage() -> None:
    data = bytearray(compressed_file(tone(3.0), "flac", "flac"))
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    assert len(decoded(bytes(data))) > 2 * SAMPLE_RATE


def test_a_streamed_wav_of_unknown_length_is_read() -> None:
    data = bytearray(wav_file(tone(1.0)))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(decoded(bytes(data))) == SAMPLE_RATE


def test_a_header_without_samples_decodes_to_nothing() -> None:
    assert len(decoded(wav_file(silence(0.0)))) == 0


def test_a_stream_may_change_its_rate_midway() -> None:
    parts = [compressed_file(tone(1.0, 440, rate), "adts", "aac", rate) for rate in (24_000, 48_000)]
    assert len(decoded(b"".join(parts))) / SAMPLE_RATE == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"This is a letter, not a recording.\n" * 50,
        b"<html><body>not found</body></html>",
        b"RIFF\x00\x00\x00\x00WAVE",
        bytes(5000),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
    ids=["empty", "text", "html", "header", "zeros", "picture"],
)
def test_a_file_that_is_not_audio_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="Supported formats"):
        decoded(data)


@pytest.mark.parametrize("kept", [0.1, 0.9, 0.99])
def test_an_mp4_file_that_was_cut_off_is_called_incomplete(kept: float) -> None:
    whole = compressed_file(tone(2.0), "mp4", "aac")
    index = whole.index(b"moov")
    assert 0.5 < index / len(whole) < 0.99
    with pytest.raises(Refused, match="incomplete: its index"):
        decoded(whole[: int(kept * index)])
    with pytest.raises(Refused, match="incomplete: its index"):
        decoded(whole[: index + 20])


def test_noise_is_refused() -> None:
    with pytest.raises(Refused):
        decoded(os.urandom(64) + bytes(5000))


def test_a_film_without_sound_is_refused() -> None:
    with pytest.raises(Refused, match="no audio stream"):
        decoded(film())


def test_the_audio_of_a_video_is_decoded() -> None:
    data = film(tone(2.0))
    assert len(decoded(data)) / SAMPLE_RATE == pytest.approx(2.0, abs=0.2)
    assert length(io.BytesIO(data)) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("rate", [1, 3_999, 192_001, 2_000_000_000])
def test_a_rate_out_of_range_is_refused_before_resampling(rate: int) -> None:
    with pytest.raises(Refused, match=str(rate)):
        decoded(wav_file(tone(0.01), rate))


def test_more_than_eight_channels_are_refused() -> None:
    with pytest.raises(Refused, match="9 channels"):
        decoded(wav_file(tone(0.1), channels=9))


@pytest.mark.parametrize(
    ("muxer", "codec", "rate"),
    [("mp3", "libmp3lame", 44_100), ("flac", "flac", 16_000), ("ogg", "libopus", 48_000), ("adts", "aac", 24_000)],
)
def test_the_length_is_known_without_decoding(muxer: str, codec: str, rate: int) -> None:
    file = io.BytesIO(compressed_file(tone(20.0, 440, rate), muxer, codec, rate))
    assert length(file) == pytest.approx(20.0, abs=0.1)


def test_the_length_of_a_truncated_file_is_that_of_its_remaining_audio() -> None:
    whole = wav_file(tone(2.0))
    assert length(io.BytesIO(whole[: len(whole) // 2])) == pytest.approx(1.0, abs=0.1)


def bursts(seconds: float, rate: int) -> Samples:
    """Return noise of no two equal moments, in bursts, which can be found in its decoded form."""
    noise = np.random.default_rng(0).standard_normal(round(seconds * rate))
    samples = np.convolve(noise, np.ones(rate // 2_000) / 6, "same")
    return (0.2 * samples * (tone(seconds, 0.9, rate) > 0)).astype(np.float32)


def delay(found: NDArray[np.int16], expected: Samples, rate: int) -> float:
    """Return by how many seconds one is later than the other, by cross-correlation."""
    reference = soxr.resample(expected, rate, SAMPLE_RATE)
    size = 2**18
    spectrum = np.fft.rfft(found.astype(np.float64), size) * np.conj(np.fft.rfft(reference, size))
    lag = int(np.fft.irfft(spectrum, size).argmax())
    return (lag if lag < size // 2 else lag - size) / SAMPLE_RATE


@pytest.mark.parametrize(
    ("muxer", "codec", "rate"),
    [
        ("mp3", "libmp3lame", 8_000),
        ("mp3", "libmp3lame", 44_100),
        ("adts", "aac", 16_000),
        ("adts", "aac", 44_100),
        ("mp4", "aac", 16_000),
        ("ogg", "libopus", 48_000),
        ("matroska", "libmp3lame", 44_100),
        ("webm", "libopus", 48_000),
        ("mpegts", "aac", 44_100),
        ("flv", "aac", 44_100),
        ("avi", "libmp3lame", 44_100),
        ("3gp", "libopencore_amrnb", 8_000),
        ("amr", "libopencore_amrnb", 8_000),
    ],
)
def test_the_delay_of_the_encoder_is_taken_off(muxer: str, codec: str, rate: int) -> None:
    sound = bursts(3.0, rate)
    assert delay(decoded(compressed_file(sound, muxer, codec, rate)), sound, rate) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("muxer", "codec", "rate"),
    [
        ("mp4", "aac", 44_100),
        ("mov", "pcm_s16le", 16_000),
        ("matroska", "libopus", 48_000),
        ("webm", "libopus", 48_000),
    ],
)
def test_audio_that_begins_late_keeps_its_time(muxer: str, codec: str, rate: int) -> None:
    sound = bursts(3.0, rate)
    data = timed_file(sound, muxer, codec, [4.0], rate)
    assert delay(decoded(data), sound, rate) == pytest.approx(4.0, abs=0.01)
    assert length(io.BytesIO(data)) == pytest.approx(7.0, abs=0.1)


@pytest.mark.parametrize(
    ("muxer", "codec"), [("matroska", "aac"), ("webm", "libopus"), ("flv", "aac"), ("mpegts", "aac")]
)
def test_what_a_recorder_left_out_is_silent(muxer: str, codec: str) -> None:
    rate = 48_000 if codec == "libopus" else 44_100
    sound = bursts(4.0, rate)
    data = timed_file(sound, muxer, codec, [0.0, 16.0], rate)
    samples = decoded(data)
    assert len(samples) / SAMPLE_RATE == pytest.approx(20.0, abs=0.1)
    assert not samples[3 * SAMPLE_RATE : 17 * SAMPLE_RATE].any()
    later = sound.copy()
    later[: 5 * rate // 2] = 0
    assert delay(samples[10 * SAMPLE_RATE :], later, rate) == pytest.approx(6.0, abs=0.01)
    assert length(io.BytesIO(data)) == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([0.0, 365 * 24 * 3600.0], id="a year"),
        pytest.param([30.0, 0.0], id="jump back"),
        pytest.param([0.01, 0.0, 0.05, 0.0], id="jitter"),
        pytest.param([0.04 * number for number in range(150)], id="half the speed"),
    ],
)
def test_timestamps_that_cannot_be_right_are_ignored(times: list[float]) -> None:
    sound = bursts(3.0, 16_000)
    samples = decoded(timed_file(sound, "matroska", "pcm_s16le", times, 16_000))
    assert np.count_nonzero(samples) == pytest.approx(np.count_nonzero(decoded(wav_file(sound))), rel=0.02)
    assert len(samples) / SAMPLE_RATE == pytest.approx(3.0 + times[0], abs=0.1)
