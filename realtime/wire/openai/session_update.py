"""The `session` field of `session.update` in the OpenAI Realtime dialect, as msgspec structs.

A field that is absent is `UNSET`; null means the default, or off. An invalid value refuses the whole update; fields
that are not declared here are accepted and ignored.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import ClientError
from realtime.session.config import Modality
from realtime.session.generation import ChatFunctionChoice, ChatTool, ChatToolChoice
from realtime.speech.certainty import CERTAIN, LIKELY, Certainty
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.wire.openai.formats import FlatFormat, FormatPatch, InputFormatPatch, nested_format, nested_input_format

Probability: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=600_000)]
Eagerness: TypeAlias = Literal["low", "medium", "high", "auto"]
Delay: TypeAlias = Literal["minimal", "low", "medium", "high", "xhigh"]
"""How long words wait for confirmation before they are sent."""

SessionType: TypeAlias = Literal["realtime", "transcription"]
"""What a session is for: a conversation with speech, or transcripts only."""

DEFAULT_DETECTION: Final = TurnDetection()

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

CERTAINTIES: Final[dict[Delay, Certainty]] = {
    "minimal": replace(LIKELY, span=4 * SAMPLE_RATE // 10),
    "low": CERTAIN,
    "medium": Certainty(0.97, age=3 * SAMPLE_RATE, span=12 * SAMPLE_RATE // 10),
    "high": Certainty(0.98, age=3 * SAMPLE_RATE, span=2 * SAMPLE_RATE),
    "xhigh": Certainty(1.0, age=3 * SAMPLE_RATE, span=3 * SAMPLE_RATE),
}
"""How certain words must be to be committed while somebody speaks, by `delay`."""

Speed: TypeAlias = Annotated[float, Meta(ge=0.25, le=1.5)]
"""Speed of speech as a multiple of the voice's own, within the limits of OpenAI's protocol."""

Included: TypeAlias = Literal["item.input_audio_transcription.logprobs"]
"""What `include` may ask for: transcripts with log probabilities."""


class ServerVad(Struct, frozen=True, tag_field="type", tag="server_vad"):
    """End turns after a silence of fixed length. Null means the default."""

    threshold: Probability | None = None
    prefix_padding_ms: Milliseconds | None = None
    silence_duration_ms: Milliseconds | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None
    idle_timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None

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


def chat_tool_choice(requested: str | ToolChoice | None, tools: Sequence[ChatTool]) -> ChatToolChoice | None:
    """Return what the client asks of the chat backend; None for a tool of a type that this server does not have.

    A text other than those of the protocol is the name of a function, as in its beta. Raises `ClientError` if it is
    not one of `tools`.
    """
    match requested:
        case None | "auto":
            return "auto"
        case "none" | "required":
            return requested
        case ToolChoice(type="function", name=str(name)):
            return ChatFunctionChoice(name)
        case ToolChoice():
            return None
        case _:
            if all(requested != tool.name for tool in tools):
                raise ClientError("`tool_choice` must be auto, none, required, or a function of `tools`.")
            return ChatFunctionChoice(requested)


def tool_object(tool: ChatTool) -> dict[str, Any]:
    """Return the JSON object of a tool, with its description only if it has one."""
    shown: dict[str, Any] = {"type": "function", "name": tool.name, "parameters": tool.parameters}
    return shown | ({"description": tool.description} if tool.description else {})


def tool_choice_object(choice: ChatToolChoice) -> str | dict[str, str]:
    """Return the tool choice in JSON."""
    return {"type": "function", "name": choice.name} if isinstance(choice, ChatFunctionChoice) else choice


ModalityName: TypeAlias = Literal["text", "audio"]
"""What responses may consist of, in the words of the protocol."""


def modality_of(requested: list[ModalityName] | None) -> Modality:
    """Return what responses consist of: text if that is all that is asked for."""
    return Modality.TEXT if requested and "audio" not in requested else Modality.AUDIO


MaxTokens: TypeAlias = Annotated[int, Meta(ge=1, le=4096)] | Literal["inf"]
"""Limit of the output tokens of a response, as in OpenAI's protocol."""


def token_limit(requested: MaxTokens | None) -> int | None:
    """Return the limit of output tokens, or None where it is no limit."""
    return requested if isinstance(requested, int) else None


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
    speed: Speed | UnsetType | None = UNSET
    x_prompt_speech: bytes | UnsetType | None = UNSET
    """Recording of a voice to clone, in any container; null speaks with the named voice again."""
    x_prompt_text: Annotated[str, Meta(max_length=2_000)] | None = None
    """What is said in the recording."""

    @property
    def voice_name(self) -> str | None:
        """Name of the requested voice, if any."""
        voice = self.voice
        return voice.id if isinstance(voice, VoiceId) else voice or None


class AudioPatch(Struct, frozen=True):
    """Changes to `session.audio`."""

    input: InputPatch | None = None
    output: OutputPatch | None = None


class SessionPatch(Struct, frozen=True):
    """Changes to the session.

    `model` is read only where a session begins. The fields after `audio` are those of the protocol's beta; they are
    used only if `audio` is absent.
    """

    type: SessionType | None = None
    model: str | None = None
    instructions: str | UnsetType | None = UNSET
    include: list[Included] | UnsetType | None = UNSET
    output_modalities: list[ModalityName] | UnsetType | None = UNSET
    max_output_tokens: MaxTokens | UnsetType | None = UNSET
    tools: list[Tool] | UnsetType | None = UNSET
    tool_choice: str | ToolChoice | UnsetType | None = UNSET
    audio: AudioPatch | None = None
    modalities: list[ModalityName] | UnsetType | None = UNSET
    max_response_output_tokens: MaxTokens | UnsetType | None = UNSET
    input_audio_format: FlatFormat = UNSET
    input_audio_transcription: TranscriptionPatch | UnsetType | None = UNSET
    input_audio_noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: ServerVad | SemanticVad | UnsetType | None = UNSET
    output_audio_format: FlatFormat = UNSET
    voice: str | VoiceId | UnsetType | None = UNSET
    speed: Speed | UnsetType | None = UNSET

    def nested_audio(self) -> AudioPatch:
        return self.audio or AudioPatch(
            InputPatch(
                nested_input_format(self.input_audio_format),
                self.input_audio_transcription,
                self.turn_detection,
                self.input_audio_noise_reduction,
            ),
            OutputPatch(nested_format(self.output_audio_format), self.voice, self.speed),
        )


def _samples(duration_ms: int) -> int:
    return duration_ms * SAMPLE_RATE // 1000
