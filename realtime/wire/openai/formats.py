"""Audio formats of the OpenAI Realtime dialect, in the shapes of the GA version and of the beta."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct, UnsetType

from realtime.audio.formats import MAX_CHANNELS, SAMPLE_RATE, AudioFormat, Encoding
from realtime.audio.g711 import G711_RATE

DEFAULT_FORMAT: Final = AudioFormat(Encoding.PCM16, 24_000)


class Pcm(Struct, frozen=True, tag_field="type", tag="audio/pcm"):
    """PCM16. The protocol specifies 24 kHz; the other rates are an extension."""

    rate: Literal[8_000, 16_000, 24_000, 48_000] | None = None

    def audio_format(self) -> AudioFormat:
        return AudioFormat(Encoding.PCM16, self.rate or DEFAULT_FORMAT.sample_rate)


class Mulaw(Struct, frozen=True, tag_field="type", tag="audio/pcmu"):
    """G.711 mu-law, always at 8 kHz."""

    def audio_format(self) -> AudioFormat:
        return AudioFormat(Encoding.MULAW, 8_000)


class Alaw(Struct, frozen=True, tag_field="type", tag="audio/pcma"):
    """G.711 A-law, always at 8 kHz."""

    def audio_format(self) -> AudioFormat:
        return AudioFormat(Encoding.ALAW, 8_000)


class InputType(StrEnum):
    """Type of microphone audio: samples, or a container, which is an extension.

    What a container holds is found out from its first bytes. Its type may have parameters, as those of a MediaRecorder
    have (`audio/webm;codecs=opus`).
    """

    PCM16 = Encoding.PCM16.value
    MULAW = Encoding.MULAW.value
    ALAW = Encoding.ALAW.value
    WEBM = "audio/webm"
    OGG = "audio/ogg"
    MP4 = "audio/mp4"
    AAC = "audio/aac"
    MPEG = "audio/mpeg"
    FLAC = "audio/flac"
    WAV = "audio/wav"
    WEBM_VIDEO = "video/webm"
    MP4_VIDEO = "video/mp4"

    @classmethod
    def _missing_(cls, value: object) -> "InputType | None":
        bare = value.partition(";")[0].strip().lower() if isinstance(value, str) else value
        return next((each for each in cls if each == bare and each.is_container), None)

    @property
    def is_container(self) -> bool:
        return self.value not in {each.value for each in Encoding}


class InputFormat(Struct, frozen=True):
    """Format of microphone audio. The rate of PCM16 is 24 kHz in the protocol; the other rates are an extension.

    So is more than one of `channels`, each of which is a speaker of its own.
    """

    type: InputType
    rate: Literal[8_000, 16_000, 24_000, 48_000] | None = None
    channels: Annotated[int, Meta(ge=1, le=MAX_CHANNELS)] | None = None

    def audio_format(self) -> AudioFormat:
        """Return the format in which the session receives the audio."""
        channels = self.channels or 1
        if self.type.is_container:
            return AudioFormat(Encoding.PCM16, SAMPLE_RATE, channels)
        encoding = Encoding(self.type)
        if encoding is Encoding.PCM16:
            return AudioFormat(encoding, self.rate or DEFAULT_FORMAT.sample_rate, channels)
        return AudioFormat(encoding, G711_RATE, channels)


FormatPatch: TypeAlias = Pcm | Mulaw | Alaw | UnsetType | None
InputFormatPatch: TypeAlias = InputFormat | UnsetType | None


FlatFormat: TypeAlias = Literal["pcm16", "g711_ulaw", "g711_alaw"] | UnsetType | None
_FLAT_FORMATS: Final[dict[str, Pcm | Mulaw | Alaw]] = {"pcm16": Pcm(), "g711_ulaw": Mulaw(), "g711_alaw": Alaw()}
_FLAT_TYPES: Final = {"pcm16": InputType.PCM16, "g711_ulaw": InputType.MULAW, "g711_alaw": InputType.ALAW}


def nested_format(flat: FlatFormat) -> FormatPatch:
    """Return the format of the GA version for a name of the beta."""
    return _FLAT_FORMATS[flat] if isinstance(flat, str) else flat


def nested_input_format(flat: FlatFormat) -> InputFormatPatch:
    """Return the format of microphone audio for a name of the beta."""
    return InputFormat(_FLAT_TYPES[flat]) if isinstance(flat, str) else flat


def format_object(audio_format: AudioFormat) -> dict[str, Any]:
    """Return the JSON object of an audio format; for G.711 it has no `rate`, and `channels` only if there are more."""
    shown: dict[str, Any] = {"type": audio_format.encoding.value}
    if audio_format.encoding is Encoding.PCM16:
        shown["rate"] = audio_format.sample_rate
    if audio_format.channels > 1:
        shown["channels"] = audio_format.channels
    return shown
