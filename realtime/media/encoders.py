"""Encode speech to files: mp3, opus, aac, flac, wav and pcm, mono, at 24 kHz unless another rate is asked for.

24 kHz is the rate of OpenAI's API, which players of its headerless `pcm` assume. A file written at once has exact sizes
in its headers; a streamed one marks them as unknown in the way its format provides. One encoder writes the whole file,
because concatenated files are not a valid file.
"""

import io
import struct
from enum import StrEnum
from fractions import Fraction
from typing import Final, Protocol

import av
import numpy as np

from realtime.audio.formats import AudioFormat, Encoding, Samples, encode
from realtime.audio.resampler import Resampler

SPEECH_RATE: Final = 24_000
"""Default sample rate of all formats in hertz."""

SPEECH_AUDIO: Final = AudioFormat(Encoding.PCM16, SPEECH_RATE)
"""Default format of samples in WAV and without a header."""


class SpeechFormat(StrEnum):
    """OpenAI's response formats for speech."""

    MP3 = "mp3"
    OPUS = "opus"
    AAC = "aac"
    FLAC = "flac"
    WAV = "wav"
    PCM = "pcm"

    @property
    def media_type(self) -> str:
        return {"mp3": "audio/mpeg", "opus": "audio/ogg"}.get(self.value, f"audio/{self.value}")

    @property
    def has_length(self) -> bool:
        """Whether programs rely on the length in the header: soundfile cannot read a FLAC file without one."""
        return self in {SpeechFormat.FLAC, SpeechFormat.WAV}


class SpeechEncoder:
    """Encodes one file."""

    def __init__(
        self,
        speech_format: SpeechFormat,
        sample_rate: int,
        *,
        streaming: bool,
        audio: AudioFormat = SPEECH_AUDIO,
        bit_rate: int | None = None,
    ) -> None:
        """Encode samples at `sample_rate`; return bytes early if `streaming`, otherwise all of them at the end.

        The file has the rate of `audio` and, in WAV and PCM, its encoding; compressed with loss, it has `bit_rate` bits
        per second, or a default.
        """
        self._resampler = Resampler(sample_rate, audio.sample_rate)
        self.blocks = True
        """Whether calls block for milliseconds, and not for microseconds."""
        self._writer: _Writer
        match speech_format:
            case SpeechFormat.PCM:
                self.blocks = False
                self._writer = _Pcm(audio)
            case SpeechFormat.WAV:
                self.blocks = False
                self._writer = _StreamedWav(audio) if streaming else _Wav(audio)
            case _:
                self._writer = _Container(speech_format, audio.sample_rate, bit_rate, streaming=streaming)

    def encode(self, samples: Samples) -> bytes:
        """Encode samples and return the bytes that are complete, possibly none."""
        return self._writer.write(self._resampler.process(samples))

    def finish(self) -> bytes:
        """Return the remaining bytes."""
        return self._writer.write(self._resampler.flush()) + self._writer.close()


class _Writer(Protocol):
    def write(self, samples: Samples) -> bytes: ...
    def close(self) -> bytes: ...


class _Pcm:
    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio

    def write(self, samples: Samples) -> bytes:
        return encode(samples, self._audio.encoding)

    def close(self) -> bytes:
        return b""


WAV_HEADER: Final = 44
"""Size of a WAV header in bytes."""

_WAV_CODES: Final = {Encoding.PCM16: 1, Encoding.ALAW: 6, Encoding.MULAW: 7}
"""Codes of the encodings in WAV."""

_UNKNOWN_SIZE: Final = 0xFFFFFFFF
"""Size in the header of a streamed WAV file, as in OpenAI's responses."""


def wav_header(audio: AudioFormat, data_size: int | None) -> bytes:
    """Build a RIFF header (Microsoft and IBM, Multimedia Programming Interface 1.0, 1991); None: of unknown size."""
    riff = _UNKNOWN_SIZE if data_size is None else min(data_size + WAV_HEADER - 8, _UNKNOWN_SIZE)
    data = _UNKNOWN_SIZE if data_size is None else min(data_size, _UNKNOWN_SIZE)
    width, rate = audio.channels * audio.bytes_per_sample, audio.sample_rate
    bits, code = 8 * audio.bytes_per_sample, _WAV_CODES[audio.encoding]
    fields = (b"RIFF", riff, b"WAVE", b"fmt ", 16, code, audio.channels, rate, rate * width, width, bits, b"data", data)
    return struct.pack("<4sI4s4sIHHIIHH4sI", *fields)


class _StreamedWav(_Pcm):
    def __init__(self, audio: AudioFormat) -> None:
        super().__init__(audio)
        self._header = wav_header(audio, None)

    def write(self, samples: Samples) -> bytes:
        header, self._header = self._header, b""
        return header + super().write(samples)


class _Wav(_Pcm):
    def __init__(self, audio: AudioFormat) -> None:
        super().__init__(audio)
        self._data = bytearray()

    def write(self, samples: Samples) -> bytes:
        self._data += super().write(samples)
        return b""

    def close(self) -> bytes:
        return wav_header(self._audio, len(self._data)) + self._data


_CODECS: Final = {
    SpeechFormat.MP3: ("mp3", "libmp3lame", 96_000),
    SpeechFormat.OPUS: ("ogg", "libopus", 64_000),
    SpeechFormat.AAC: ("adts", "aac", 96_000),
    SpeechFormat.FLAC: ("flac", "flac", None),
}
"""FFmpeg's muxer and encoder of each format, and the bit rate of lossy ones in bits per second."""

_STREAMING_OPTIONS: Final = {SpeechFormat.OPUS: {"page_duration": "200000"}}
"""Ogg pages of 0.2 s instead of 1 s, so the first one is complete sooner."""


class _Pipe:
    """A file that cannot seek, so the muxer writes no sizes that it would have to correct later."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


class _Container:
    def __init__(self, speech_format: SpeechFormat, rate: int, bit_rate: int | None, *, streaming: bool) -> None:
        muxer, codec, default_bit_rate = _CODECS[speech_format]
        self._rate = rate
        options = _STREAMING_OPTIONS.get(speech_format, {}) if streaming else {}
        self._file = _Pipe() if streaming else io.BytesIO()
        self._container = av.open(self._file, "w", format=muxer, options=options)
        stream = self._container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        self._stream = stream
        if default_bit_rate is not None:
            self._stream.bit_rate = bit_rate or default_bit_rate
        self._position = 0

    def write(self, samples: Samples) -> bytes:
        if not len(samples):
            return b""
        values = np.frombuffer(encode(samples, Encoding.PCM16), np.int16)
        frame = av.AudioFrame.from_ndarray(values[None, :], format="s16", layout="mono")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self._position
        self._position += len(values)
        self._container.mux(self._stream.encode(frame))
        return self._take()

    def close(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._file.getvalue() if isinstance(self._file, io.BytesIO) else self._take()

    def _take(self) -> bytes:
        return self._file.take() if isinstance(self._file, _Pipe) else b""
