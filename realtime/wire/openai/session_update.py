"""The `session` field of `session.update` in the OpenAI Realtime dialect, as msgspec structs.

A field that is absent is `UNSET`; null means the default, or off. An invalid value refuses the whole update; fields
that are not declared here are accepted and ignored.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.audio.g711 import G711_RATE
from realtime.session.config import Modality
from realtime.session.generation import ChatFunctionChoice, ChatTool, ChatToolChoice
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.speech.local_agreement import MIN_SPAN

Probability: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=600_000)]
Eagerness: TypeAlias = Literal["low", "medium", "high", "auto"]
Delay: TypeAlias = Literal["minimal", "low", "medium", "high", "xhigh"]
"""How long words wait for confirmation before they are sent."""

SessionType: TypeAlias = Literal["realtime", "transcription"]
"""What a session is for: a conversation with speech, or transcripts only."""

DEFAULT_DETECTION: Final = TurnDetection()
DEFAULT_FORMAT: Final = AudioFormat(Encoding.PCM16, 24_000)

SILENCE_MS: Final[dict[Eagerness, int]] = {"high": 400, "auto": 700, "medium": 700, "low": 1200}
"""Silence in ms that ends a turn where the end-of-turn model has no answer, by eagerness."""

END_OF_TURN_MS: Final[dict[Eagerness, tuple[int, int]]] = {
    "high": (288, 1600),
    "auto": (800, 2000),
    "medium": (800, 2000),
    "low": (1200, 4000),
}
"""Shortest and longest silence in ms that ends a turn, by eagerness; see `EndOfTurn`.

The final transcript begins after 288 ms of silence, and 800 ms is what a speaker may take to go on in the same turn.
Decision 11 has the share of turns that end too early, and the delay, for each.
"""

AGREEMENT_SPANS: Final[dict[Delay, int]] = {
    "minimal": 4 * SAMPLE_RATE // 10,
    "low": MIN_SPAN,
    "medium": 12 * SAMPLE_RATE // 10,
    "high": 2 * SAMPLE_RATE,
    "xhigh": 3 * SAMPLE_RATE,
}
"""Samples by which the audio of two hypotheses must differ for one to confirm the other, by `delay`."""

SPEEDS: Final = (0.25, 1.5)
"""Slowest and fastest speed of speech, as multiples of the voice's own; the limits of OpenAI's protocol."""


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
    """Format of microphone audio. The rate of PCM16 is 24 kHz in the protocol; the other rates are an extension."""

    type: InputType
    rate: Literal[8_000, 16_000, 24_000, 48_000] | None = None

    def audio_format(self) -> AudioFormat:
        """Return the format in which the session receives the audio."""
        if self.type.is_container:
            return AudioFormat(Encoding.PCM16, SAMPLE_RATE)
        encoding = Encoding(self.type)
        if encoding is Encoding.PCM16:
            return AudioFormat(encoding, self.rate or DEFAULT_FORMAT.sample_rate)
        return AudioFormat(encoding, G711_RATE)


class ServerVad(Struct, frozen=True, tag_field="type", tag="server_vad"):
    """End turns after a silence of fixed length. Null means the default."""

    threshold: Probability | None = None
    prefix_padding_ms: Milliseconds | None = None
    silence_duration_ms: Milliseconds | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None

    def detection(self) -> TurnDetection:
        default = DEFAULT_DETECTION
        return TurnDetection(
            default.threshold if self.threshold is None else self.threshold,
            default.prefix_padding if self.prefix_padding_ms is None else _samples(self.prefix_padding_ms),
            default.silence if self.silence_duration_ms is None else _samples(self.silence_duration_ms),
        )


class SemanticVad(Struct, frozen=True, tag_field="type", tag="semantic_vad"):
    """End turns after a silence that depends on what was said, and on `eagerness`."""

    eagerness: Eagerness | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None

    def detection(self) -> TurnDetection:
        eagerness = self.eagerness or "auto"
        shortest, longest = END_OF_TURN_MS[eagerness]
        return TurnDetection(
            silence=_samples(SILENCE_MS[eagerness]), end_of_turn=EndOfTurn(_samples(shortest), _samples(longest))
        )


class TranscriptionPatch(Struct, frozen=True):
    """Transcription settings. A null `language` is detected; `task` is an extension, `translate` is into English."""

    model: str | None = None
    language: str | UnsetType | None = UNSET
    prompt: str | UnsetType | None = UNSET
    task: Literal["transcribe", "translate"] | UnsetType | None = UNSET
    keywords: list[str] | UnsetType | None = UNSET
    delay: Delay | UnsetType | None = UNSET
    languages: list[str] | UnsetType | None = UNSET


class NoiseReduction(Struct, frozen=True):
    """Accepted and echoed, without effect."""

    type: str | None = None


class VoiceId(Struct, frozen=True):
    """A custom voice by its id."""

    id: str


class Tool(Struct, frozen=True):
    """A function that the model may call; tools of other types are dropped."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolChoice(Struct, frozen=True):
    """The only tool that may be called."""

    type: str
    name: str | None = None


def function_tools(tools: list[Tool] | None) -> tuple[ChatTool, ...]:
    """Return the functions among the tools of a client; tools of other types, such as MCP servers, are dropped."""
    return tuple(
        ChatTool(tool.name, tool.description or "", tool.parameters or {})
        for tool in tools or ()
        if tool.type == "function" and tool.name
    )


def chat_tool_choice(requested: str | ToolChoice | None) -> ChatToolChoice | None:
    """Return what the client asks of the chat backend; None for what cannot be done."""
    match requested:
        case None | "auto":
            return "auto"
        case "none" | "required":
            return requested
        case ToolChoice(type="function", name=str(name)):
            return ChatFunctionChoice(name)
        case _:
            return None


def modality_of(requested: list[str] | None) -> Modality:
    """Return what responses consist of: text if that is all that is asked for."""
    return Modality.TEXT if requested and "audio" not in requested else Modality.AUDIO


UNLIMITED_TOKENS: Final = 1_000_000
"""Number of output tokens from which a limit is none."""

MaxTokens: TypeAlias = Annotated[int, Meta(ge=1)] | Literal["inf"]


def token_limit(requested: MaxTokens | None) -> int | None:
    """Return the limit of output tokens, or None where it is no limit."""
    return requested if isinstance(requested, int) and requested < UNLIMITED_TOKENS else None


FormatPatch: TypeAlias = Pcm | Mulaw | Alaw | UnsetType | None
InputFormatPatch: TypeAlias = InputFormat | UnsetType | None


class InputPatch(Struct, frozen=True):
    """Changes to `session.audio.input`."""

    format: InputFormatPatch = UNSET
    transcription: TranscriptionPatch | UnsetType | None = UNSET
    turn_detection: ServerVad | SemanticVad | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET


class OutputPatch(Struct, frozen=True):
    """Changes to `session.audio.output`; `response.create` uses the same for one response."""

    format: FormatPatch = UNSET
    voice: str | VoiceId | UnsetType | None = UNSET
    speed: float | UnsetType | None = UNSET

    @property
    def voice_name(self) -> str | None:
        """Name of the requested voice, if any."""
        voice = self.voice
        return voice.id if isinstance(voice, VoiceId) else voice or None


class AudioPatch(Struct, frozen=True):
    """Changes to `session.audio`."""

    input: InputPatch | None = None
    output: OutputPatch | None = None


FlatFormat: TypeAlias = Literal["pcm16", "g711_ulaw", "g711_alaw"] | UnsetType | None
_FLAT_FORMATS: Final[dict[str, Pcm | Mulaw | Alaw]] = {"pcm16": Pcm(), "g711_ulaw": Mulaw(), "g711_alaw": Alaw()}
_FLAT_TYPES: Final = {"pcm16": InputType.PCM16, "g711_ulaw": InputType.MULAW, "g711_alaw": InputType.ALAW}


class SessionPatch(Struct, frozen=True):
    """Changes to the session.

    The fields after `audio` are those of the protocol's beta; they are used only if `audio` is absent.
    """

    type: SessionType | None = None
    instructions: str | UnsetType | None = UNSET
    include: list[str] | UnsetType | None = UNSET
    output_modalities: list[str] | UnsetType | None = UNSET
    max_output_tokens: MaxTokens | UnsetType | None = UNSET
    tools: list[Tool] | UnsetType | None = UNSET
    tool_choice: str | ToolChoice | UnsetType | None = UNSET
    audio: AudioPatch | None = None
    modalities: list[str] | UnsetType | None = UNSET
    max_response_output_tokens: MaxTokens | UnsetType | None = UNSET
    input_audio_format: FlatFormat = UNSET
    input_audio_transcription: TranscriptionPatch | UnsetType | None = UNSET
    input_audio_noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: ServerVad | SemanticVad | UnsetType | None = UNSET
    output_audio_format: FlatFormat = UNSET
    voice: str | VoiceId | UnsetType | None = UNSET
    speed: float | UnsetType | None = UNSET

    def nested_audio(self) -> AudioPatch:
        return self.audio or AudioPatch(
            InputPatch(
                _nested_input(self.input_audio_format),
                self.input_audio_transcription,
                self.turn_detection,
                self.input_audio_noise_reduction,
            ),
            OutputPatch(nested_format(self.output_audio_format), self.voice, self.speed),
        )


def clamped_speed(speed: float | None) -> float:
    """Return the nearest speed within `SPEEDS`; None is the normal speed."""
    slowest, fastest = SPEEDS
    return 1.0 if speed is None else min(max(speed, slowest), fastest)


def nested_format(flat: FlatFormat) -> FormatPatch:
    """Return the format of the GA version for a name of the beta."""
    return _FLAT_FORMATS[flat] if isinstance(flat, str) else flat


def _nested_input(flat: FlatFormat) -> InputFormatPatch:
    return InputFormat(_FLAT_TYPES[flat]) if isinstance(flat, str) else flat


def _samples(duration_ms: int) -> int:
    return duration_ms * SAMPLE_RATE // 1000
