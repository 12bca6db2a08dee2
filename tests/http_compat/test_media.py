"""Decoding what people upload, and refusing the rest before it costs anything."""

import io
import os
import socket
import tempfile

import numpy as np
import pytest
from recordings import compressed_file, silence, tone, wav_file

from http_compat.media import decode
from realtime.audio import SAMPLE_RATE, Samples
from realtime.errors import TooLarge, UnsupportedAudio


def decoded(data: bytes, max_seconds: float = 60.0) -> Samples:
    return np.concatenate(list(decode(io.BytesIO(data), max_seconds)))


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
        ("wav", "pcm_mulaw", 8_000),
    ],
)
def test_every_usual_container_becomes_16_khz_mono(muxer: str, codec: str, rate: int) -> None:
    samples = decoded(compressed_file(tone(1.0, 440, rate), muxer, codec, rate))
    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.0, abs=0.1)
    loudest = int(np.abs(np.fft.rfft(samples[:SAMPLE_RATE])).argmax())
    assert loudest * SAMPLE_RATE / min(len(samples), SAMPLE_RATE) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_are_mixed_without_overflow(channels: int) -> None:
    samples = decoded(wav_file(np.full(SAMPLE_RATE, 0.9, np.float32), channels=channels))
    assert samples.shape == (SAMPLE_RATE,)
    assert 0.3 < samples[8000] <= 1.0


def test_a_long_file_comes_in_blocks() -> None:
    blocks = list(decode(io.BytesIO(wav_file(silence(25.0))), 60.0))
    assert len(blocks) == 3
    assert sum(len(block) for block in blocks) == 25 * SAMPLE_RATE


def test_a_spooled_upload_on_disk_is_read() -> None:
    with tempfile.SpooledTemporaryFile(max_size=10) as file:
        file.write(wav_file(tone(1.0)))
        file.seek(0)
        assert sum(len(block) for block in decode(file, 60.0)) == SAMPLE_RATE


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
    assert list(decode(io.BytesIO(wav_file(silence(0.0))), 60.0)) == []


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
        b"ffconcat version 1.0\nfile secret.wav\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
    ids=["empty", "text", "html", "header", "zeros", "concat", "playlist", "picture"],
)
def test_what_is_not_audio_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedAudio) as refusal:
        decoded(data)
    assert refusal.value.param == "file"


def test_noise_is_refused() -> None:
    with pytest.raises(UnsupportedAudio):
        decoded(os.urandom(64) + bytes(5000))


def test_a_session_description_opens_no_socket() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        description = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"
        with pytest.raises(UnsupportedAudio):
            decoded(description.encode())


def test_a_film_without_sound_is_refused() -> None:
    data = _film()
    with pytest.raises(UnsupportedAudio, match="no audio stream"):
        decoded(data)


def _film() -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("rate", [1, 3_999, 192_001, 2_000_000_000])
def test_a_rate_out_of_range_is_refused_before_resampling(rate: int) -> None:
    with pytest.raises(UnsupportedAudio, match=str(rate)):
        decoded(wav_file(tone(0.01), rate))


def test_more_than_eight_channels_are_refused() -> None:
    with pytest.raises(UnsupportedAudio, match="9 channels"):
        decoded(wav_file(tone(0.1), channels=9))


def test_decoding_stops_at_the_limit_of_seconds() -> None:
    bomb = compressed_file(silence(120.0), "flac", "flac")
    assert len(bomb) < 100_000
    taken: list[Samples] = []
    with pytest.raises(TooLarge):
        taken.extend(decode(io.BytesIO(bomb), 30.0))
    assert sum(len(block) for block in taken) <= 30 * SAMPLE_RATE
