"""The session object of the OpenAI Realtime dialect: what is in force, as the client is shown it.

`session.update` is a partial merge: only the fields present change, and `format`, `turn_detection` and
`noise_reduction` are replaced whole, while `transcription` keeps the fields left out. What cannot be honoured is
ignored, and the session object always shows what is in force.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import ClientError
from realtime.languages import language_code
from realtime.session.config import SessionConfig, SessionKind
from realtime.wire.openai.session_update import (
    DEFAULT_FORMAT,
    Eagerness,
    InputPatch,
    OutputPatch,
    SemanticVad,
    ServerVad,
    SessionPatch,
    Tool,
    ToolChoice,
    TranscriptionPatch,
    clamped_speed,
)

Find: TypeAlias = Callable[[str], str | None]
"""From a name a client may use to the name in force; None where there is nothing of that name."""

COMMITTED_BY_HAND: Final = frozenset({"gpt-realtime-whisper", "gpt-live-transcribe"})
"""OpenAI has no turn detection with these models, so that their clients find the turns themselves and leave it out."""

LONGEST_PROMPT: Final = 2_000
"""Characters of a transcription prompt that are kept, its last: no recognizer reads more."""


@dataclass(frozen=True, slots=True)
class WireSession:
    """The session in force: its configuration, and what clients expect to be shown again besides."""

    id: str
    config: SessionConfig
    model: str
    eagerness: Eagerness | None = None
    noise_reduction: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | ToolChoice = "auto"

    def merged(self, patch: SessionPatch, *, find_recognizer: Find, find_voice: Find) -> "WireSession":
        """The session after an update. Unknown models and voices leave those in force."""
        kind = SessionKind(patch.type) if patch.type is not None else self.config.kind
        session = replace(self, config=replace(self.config, kind=kind))
        if patch.instructions is not UNSET:
            session = replace(session, config=replace(session.config, instructions=patch.instructions or ""))
        if patch.tools is not UNSET:
            session = replace(session, tools=tuple(each for each in patch.tools or () if each.type == "function"))
        if patch.tool_choice is not UNSET:
            session = replace(session, tool_choice=_tool_choice(patch.tool_choice, session.tool_choice))
        audio = patch.nested_audio()
        if audio.input is not None:
            session = session._with_input(audio.input, find_recognizer)
        if audio.output is not None:
            session = session._with_output(audio.output, find_voice)
        if kind is SessionKind.TRANSCRIPTION:
            session = replace(session, config=replace(session.config, transcribe=True))
        return session

    def _with_input(self, patch: InputPatch, find_recognizer: Find) -> "WireSession":
        changes: dict[str, Any] = {}
        eagerness, noise_reduction = self.eagerness, self.noise_reduction
        if patch.format is not UNSET:
            changes["input_format"] = patch.format.audio_format() if patch.format else DEFAULT_FORMAT
        if patch.transcription is None:
            changes["transcribe"] = False
        elif patch.transcription is not UNSET:
            changes |= _transcription_changes(patch.transcription, find_recognizer)
            by_hand = patch.transcription.model in COMMITTED_BY_HAND and patch.turn_detection is UNSET
            if by_hand and self.config.kind is SessionKind.TRANSCRIPTION:
                changes["turn_detection"] = None
        if patch.turn_detection is None:
            changes["turn_detection"] = None
        elif patch.turn_detection is not UNSET:
            changes["turn_detection"] = patch.turn_detection.detection()
            changes["interrupt_response"] = patch.turn_detection.interrupt_response is not False
            match patch.turn_detection:
                case ServerVad():
                    eagerness = None
                case SemanticVad(eagerness=asked):
                    eagerness = asked or "auto"
        if patch.noise_reduction is not UNSET:
            kind = patch.noise_reduction.type if patch.noise_reduction else None
            noise_reduction = kind if kind in ("near_field", "far_field") else None
        config = replace(self.config, **changes)
        return replace(self, config=config, eagerness=eagerness, noise_reduction=noise_reduction)

    def _with_output(self, patch: OutputPatch, find_voice: Find) -> "WireSession":
        changes: dict[str, Any] = {}
        if patch.format is not UNSET:
            changes["output_format"] = patch.format.audio_format() if patch.format else DEFAULT_FORMAT
        if patch.voice_name and (voice := find_voice(patch.voice_name)) is not None:
            changes["voice"] = voice
        if patch.speed is not UNSET:
            changes["speed"] = clamped_speed(patch.speed)
        return replace(self, config=replace(self.config, **changes))

    def shown(self) -> dict[str, Any]:
        """The session object of `session.created` and `session.updated`."""
        if self.config.kind is SessionKind.TRANSCRIPTION:
            return {
                "type": "transcription",
                "object": "realtime.transcription_session",
                "id": self.id,
                "include": None,
                "audio": {"input": self._shown_input()},
            }
        output = {
            "format": shown_format(self.config.output_format),
            "voice": self.config.voice,
            "speed": self.config.speed,
        }
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": self.id,
            "model": self.model,
            "output_modalities": ["audio"],
            "instructions": self.config.instructions,
            "tools": self.tools,
            "tool_choice": self.tool_choice,
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "include": None,
            "audio": {"input": self._shown_input(), "output": output},
        }

    def _shown_input(self) -> dict[str, Any]:
        config = self.config
        transcription = {"model": config.recognizer, "language": config.language, "prompt": config.prompt or None}
        if config.translate:  # clients of the plain protocol see nothing new
            transcription["task"] = "translate"
        return {
            "format": shown_format(config.input_format),
            "transcription": transcription if config.transcribe else None,
            "noise_reduction": {"type": self.noise_reduction} if self.noise_reduction else None,
            "turn_detection": self._shown_turn_detection(),
        }

    def _shown_turn_detection(self) -> dict[str, Any] | None:
        detection = self.config.turn_detection
        if detection is None:
            return None
        shown: dict[str, Any]
        if self.eagerness is not None:
            shown = {"type": "semantic_vad", "eagerness": self.eagerness}
        else:
            shown = {
                "type": "server_vad",
                "threshold": detection.threshold,
                "prefix_padding_ms": milliseconds(detection.prefix_padding),
                "silence_duration_ms": milliseconds(detection.silence),
            }
        if self.config.kind is SessionKind.TRANSCRIPTION:
            return shown
        if self.eagerness is None:
            shown["idle_timeout_ms"] = None
        # Nothing here answers by itself. Clients that miss `interrupt_response` cancel on their own at every onset.
        return shown | {"create_response": False, "interrupt_response": self.config.interrupt_response}


def milliseconds(samples: int) -> int:
    """From samples at 16 kHz."""
    return samples * 1000 // SAMPLE_RATE


def shown_format(audio_format: AudioFormat) -> dict[str, Any]:
    """The format object; G.711 has no `rate` in it."""
    if audio_format.encoding is Encoding.PCM16:
        return {"type": audio_format.encoding.value, "rate": audio_format.sample_rate}
    return {"type": audio_format.encoding.value}


def _tool_choice(asked: str | ToolChoice | None, in_force: str | ToolChoice) -> str | ToolChoice:
    match asked:
        case None:
            return "auto"
        case "auto" | "none" | "required":
            return asked
        case ToolChoice(type="function", name=str()):
            return asked
        case _:
            return in_force


def _transcription_changes(patch: TranscriptionPatch, find_recognizer: Find) -> dict[str, Any]:
    """An unknown language leaves the one in force; keywords stand in for the prompt that is not there."""
    changes: dict[str, Any] = {"transcribe": True}
    if patch.model and (recognizer := find_recognizer(patch.model)) is not None:
        changes["recognizer"] = recognizer
    if patch.language:
        with suppress(ClientError):
            changes["language"] = language_code(patch.language)
    elif patch.language is not UNSET:
        changes["language"] = None
    if patch.task is not UNSET:
        changes["translate"] = patch.task == "translate"
    if patch.prompt is not UNSET:
        changes["prompt"] = (patch.prompt or "")[-LONGEST_PROMPT:]
    if patch.keywords and not patch.prompt:
        changes["prompt"] = ", ".join(patch.keywords)[-LONGEST_PROMPT:]
    return changes
