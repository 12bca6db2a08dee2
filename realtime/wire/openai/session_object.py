"""The session object of the OpenAI Realtime dialect: the effective configuration, as `session.updated` shows it."""

from dataclasses import dataclass
from typing import Any, Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.session.config import SessionConfig
from realtime.wire.openai.formats import InputType, format_object
from realtime.wire.openai.session_update import (
    Delay,
    Eagerness,
    SessionType,
    tool_choice_object,
    tool_object,
)

LOGPROBS: Final = "item.input_audio_transcription.logprobs"
"""Value of `include` that asks for log probabilities."""

SHOWN_LIFETIME: Final = 24 * 60 * 60
"""Seconds (a day) from the beginning of a session to the `expires_at` that it shows.

Sessions do not expire, but clients expect a number, and some set a timer by it.
"""


@dataclass(frozen=True, slots=True)
class WireSession:
    """Effective session: the configuration of the core, and the fields that only the dialect knows."""

    id: str
    config: SessionConfig
    model: str
    type: SessionType = "realtime"
    expires_at: int = 0
    """When the session is said to expire, in Unix time."""
    transcription: bool = False
    """Whether the client wants transcripts; a chat backend needs them in any case."""
    logprobs: bool = False
    """Whether transcripts come with log probabilities."""
    prompt: str = ""
    """The client's text before the audio; the core's also has the keywords."""
    keywords: tuple[str, ...] = ()
    delay: Delay | None = None
    """How long the client lets words wait for confirmation; None: it does not say."""
    eagerness: Eagerness | None = None
    create_response: bool = True
    """Whether the client lets the end of a turn start a response; the core's is false where there can be none."""
    idle_timeout: float | None = None
    """Seconds of silence that the client wants answered; the core's is None where there can be no answer."""
    noise_reduction: str | None = None
    container: InputType | None = None
    """Type of the container that microphone audio comes in; None if it comes as samples."""
    substituted: frozenset[str] = frozenset()
    """Which of `language`, `languages`, `model` and `voice` the client has asked for last by a name without effect."""

    def to_json(self) -> dict[str, Any]:
        """Return the session object of `session.created` and `session.updated`."""
        if self.type == "transcription":
            return {
                "type": self.type,
                "object": "realtime.transcription_session",
                "id": self.id,
                "expires_at": self.expires_at,
                "include": self._include(),
                "audio": {"input": self._input_object()},
            }
        output = {
            "format": format_object(self.config.output_format),
            "voice": self.config.voice,
            "speed": self.config.speed,
        }
        if self.config.clip is not None:
            output["x_prompt_text"] = self.config.clip.transcript
        return {
            "type": self.type,
            "object": "realtime.session",
            "id": self.id,
            "model": self.model,
            "output_modalities": [self.config.modality.value],
            "instructions": self.config.instructions,
            "tools": [tool_object(tool) for tool in self.config.tools],
            "tool_choice": tool_choice_object(self.config.tool_choice),
            "max_output_tokens": self.config.max_output_tokens or "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": self.expires_at,
            "include": self._include(),
            "audio": {"input": self._input_object(), "output": output},
        }

    def _include(self) -> list[str] | None:
        return [LOGPROBS] if self.logprobs else None

    def _input_object(self) -> dict[str, Any]:
        config = self.config
        transcription: dict[str, Any] = {
            "model": config.recognizer.name,
            "language": config.language,
            "prompt": self.prompt or None,
        }
        # The types of some clients do not have the others, which are shown only to those who use them.
        if self.keywords:
            transcription["keywords"] = self.keywords
        if config.languages:
            transcription["languages"] = config.languages
        if self.delay:
            transcription["delay"] = self.delay
        if config.translate:  # an extension
            transcription["task"] = "translate"
        return {
            "format": {"type": self.container} if self.container else format_object(config.input_format),
            "transcription": transcription if self.transcription else None,
            "noise_reduction": {"type": self.noise_reduction} if self.noise_reduction else None,
            "turn_detection": self._turn_detection_object(),
        }

    def _turn_detection_object(self) -> dict[str, Any] | None:
        detection = self.config.turn_detection
        if detection is None:
            return None
        result: dict[str, Any]
        if self.eagerness is not None:
            result = {"type": "semantic_vad", "eagerness": self.eagerness}
        else:
            result = {
                "type": "server_vad",
                "threshold": detection.threshold,
                "prefix_padding_ms": milliseconds(detection.prefix_padding),
                "silence_duration_ms": milliseconds(detection.silence),
            }
        if self.type == "transcription":
            return result
        if self.eagerness is None:
            seconds = self.config.idle_timeout
            result["idle_timeout_ms"] = None if seconds is None else round(seconds * 1000)
        # Clients that do not see `interrupt_response` cancel at every onset of speech.
        return result | {
            "create_response": self.config.create_response,
            "interrupt_response": self.config.interrupt_response,
        }


def milliseconds(samples: int) -> int:
    """Convert samples at 16 kHz to whole milliseconds."""
    return samples * 1000 // SAMPLE_RATE
