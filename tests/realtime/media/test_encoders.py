"""Speech in every response format."""

import io
import struct
import wave
from collections.abc import Sequence

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.media.encoders import SPEECH_RATE, SpeechEncoder, SpeechFormat
from tests.support.recordings import duration, tone

MAGIC = {"mp3": b"ID3", "opus": b"OggS", "aac": b"\xff\xf1", "flac": b"fLaC", "wav": b"RIFF"}
FILES = [each for each in SpeechFormat if each is not SpeechFormat.PCM]


def encoded(speech_format: SpeechFormat, chunks: Sequence[Samples], rate: int, *, streaming: bool) -> list[bytes]:
    encoder = SpeechEncoder(speech_format, rate, streaming=streaming)
    return [*(encoder.encode(chunk) for chunk in chunks), encoder.finish()]


def chunks(count: int = 20, rate: int = SPEECH_RATE) -> list[Samples]:
    return [tone(0.1, 440, rate)] * count


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("speech_format", FILES)
def test_the_chunks_are_one_file_of_the_right_length(speech_format: SpeechFormat, streaming: bool) -> None:
    data = b"".join(encoded(speech_format, chunks(), SPEECH_RATE, streaming=streaming))
    assert data.startswith(MAGIC[speech_format])
    assert duration(data) == pytest.approx(2.0, abs=0.08)


@pytest.mark.parametrize("streaming", [False, True])
def test_only_files_that_are_compressed_take_long(streaming: bool) -> None:
    quick = {each for each in SpeechFormat if not SpeechEncoder(each, SPEECH_RATE, streaming=streaming).blocks}
    assert quick == {SpeechFormat.PCM, SpeechFormat.WAV}


@pytest.mark.parametrize("speech_format", list(SpeechFormat))
def test_a_stream_arrives_while_it_is_generated(speech_format: SpeechFormat) -> None:
    parts = encoded(speech_format, chunks(), SPEECH_RATE, streaming=True)
    assert sum(map(len, parts[:10])) > sum(map(len, parts)) / 4


def test_pcm_is_24_khz_for_any_sample_rate_of_the_model() -> None:
    data = b"".join(encoded(SpeechFormat.PCM, chunks(20, 22_050), 22_050, streaming=True))
    assert len(data) == pytest.approx(2 * 2.0 * SPEECH_RATE, abs=8)
    samples = np.frombuffer(data, "<i2")
    assert int(np.abs(np.fft.rfft(samples)).argmax()) * SPEECH_RATE / len(samples) == pytest.approx(440, abs=1)


def test_a_whole_wav_has_exact_sizes() -> None:
    data = b"".join(encoded(SpeechFormat.WAV, chunks(), SPEECH_RATE, streaming=False))
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    with wave.open(io.BytesIO(data)) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (SPEECH_RATE, 1, 2)
        assert reader.getnframes() == 2 * SPEECH_RATE


def test_a_streamed_wav_says_that_its_sizes_are_unknown() -> None:
    first = encoded(SpeechFormat.WAV, chunks(), SPEECH_RATE, streaming=True)[0]
    assert first[4:8] == first[40:44] == b"\xff\xff\xff\xff"


@pytest.mark.parametrize("speech_format", FILES)
def test_nothing_spoken_is_still_a_file(speech_format: SpeechFormat) -> None:
    data = b"".join(encoded(speech_format, [], SPEECH_RATE, streaming=False))
    assert data.startswith(MAGIC[speech_format]) or not data
