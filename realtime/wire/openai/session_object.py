"""The session object of the OpenAI Realtime dialect: the effective configuration, and how updates change it.

`session.update` is a partial update: only fields that are present change. `format`, `turn_detection` and
`noise_reduction` are replaced as a whole; `transcription` is merged field by field. Values that the server cannot
honour are ignored, and the session object in `session.updated` shows the effective ones.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import UNSET

from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import ClientError
from realtime.languages import language_code
from realtime.session.config import SessionConfig
from realtime.session.generation import ChatTool
from realtime.speech.local_agreement import MIN_SPAN
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, FindRecognizer, FindVoice
from realtime.wire.openai.formats import DEFAULT_FORMAT, InputType, format_object
from realtime.wire.openai.session_update import (
    AGREEMENT_SPANS,
    Delay,
    Eagerness,
    InputPatch,
    OutputPatch,
    SemanticVad,
    ServerVad,
    SessionPatch,
    SessionType,
    TranscriptionPatch,
    chat_tool_choice,
    function_tools,
    modality_of,
    token_limit,
    tool_choice_object,
    tool_object,
)

MODELS_WITHOUT_TURN_DETECTION: Final = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""Models that OpenAI serves without turn detection: their clients commit turns themselves and do not disable it.

A date may follow the name.
"""

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
    """Which of `language`, `model` and `voice` the client has asked for last by a name that means nothing here."""

    def merged(
        self, patch: SessionPatch, *, find_recognizer: FindRecognizer, find_voice: FindVoice,
        clip: ReferenceClip | None = None,
    ) -> "WireSession":  # fmt: skip
        """Return the session after an update. An unknown model or voice leaves the current one.

        `clip` is the recording of a voice that came with it.

        Raises `ClientError` for a tool choice that names no tool.
        """
        session = replace(self, type=patch.type or self.type)
        if patch.include is not UNSET:
            session = replace(session, logprobs=bool(patch.include))
        session = replace(session, config=replace(session.config, **_answer_changes(patch, session.config.tools)))
        audio = patch.nested_audio()
        if audio.input is not None:
            session = session._with_input(audio.input, find_recognizer)
        if audio.output is not None:
            session = session._with_output(audio.output, find_voice, clip)
        if session.type == "transcription":
            session = replace(session, transcription=True)
        config = session.config
        answers = config.chat and session.type == "realtime"
        return replace(
            session,
            config=replace(
                config,
                transcribe=session.transcription or config.chat,
                create_response=session.create_response and answers,
                idle_timeout=session.idle_timeout if answers else None,
            ),
        )

    def _with_input(self, patch: InputPatch, find_recognizer: FindRecognizer) -> "WireSession":
        changes: dict[str, Any] = {}
        eagerness, noise_reduction = self.eagerness, self.noise_reduction
        create_response, idle_timeout = self.create_response, self.idle_timeout
        container, transcription = self.container, self.transcription
        session = self
        if patch.format is not UNSET:
            changes["input_format"] = patch.format.audio_format() if patch.format else DEFAULT_FORMAT
            changes["separate_channels"] = changes["input_format"].channels > 1
            container = patch.format.type if patch.format and patch.format.type.is_container else None
        if patch.transcription is None:
            transcription = False
        elif patch.transcription is not UNSET:
            transcription = True
            session = self._with_transcription(patch.transcription, find_recognizer)
            model = (patch.transcription.model or "").removeprefix("openai/")
            manual = model.startswith(MODELS_WITHOUT_TURN_DETECTION) and patch.turn_detection is UNSET
            if manual and self.type == "transcription":
                changes["turn_detection"] = None
        if patch.turn_detection is None:
            changes["turn_detection"] = idle_timeout = None
        elif patch.turn_detection is not UNSET:
            detection = patch.turn_detection
            changes["turn_detection"] = detection.detection()
            create_response = detection.create_response is not False
            changes["interrupt_response"] = detection.interrupt_response is not False
            idle_timeout_ms = detection.idle_timeout_ms if isinstance(detection, ServerVad) else None
            idle_timeout = idle_timeout_ms / 1000 if idle_timeout_ms else None
            eagerness = (detection.eagerness or "auto") if isinstance(detection, SemanticVad) else None
        if patch.noise_reduction is not UNSET:
            kind = patch.noise_reduction.type if patch.noise_reduction else None
            noise_reduction = kind if kind in ("near_field", "far_field") else None
        return replace(
            session,
            config=replace(session.config, **changes),
            eagerness=eagerness,
            create_response=create_response,
            idle_timeout=idle_timeout,
            noise_reduction=noise_reduction,
            container=container,
            transcription=transcription,
        )

    def _with_transcription(self, patch: TranscriptionPatch, find_recognizer: FindRecognizer) -> "WireSession":
        """Return the session with other settings of its transcripts; unknown languages change none."""
        changes: dict[str, Any] = {}
        prompt, keywords, delay = self.prompt, self.keywords, self.delay
        substituted = self.substituted
        if patch.model:
            recognizer = find_recognizer(patch.model)
            changes |= {} if recognizer is None else {"recognizer": recognizer}
            substituted = _noted(substituted, "model", unknown=recognizer is None)
        if patch.language is not UNSET:
            try:
                changes["language"] = language_code(patch.language or "")
                substituted = _noted(substituted, "language", unknown=False)
            except ClientError:
                substituted = _noted(substituted, "language", unknown=True)
        if patch.languages is not UNSET:
            changes["languages"] = _known_languages(patch.languages or ())
        if patch.task is not UNSET:
            changes["translate"] = patch.task == "translate"
        if patch.delay is not UNSET:
            delay = patch.delay
            changes["agreement_span"] = AGREEMENT_SPANS[delay] if delay else MIN_SPAN
        if patch.prompt is not UNSET:
            prompt = (patch.prompt or "")[-MAX_PROMPT_CHARACTERS:]
        if patch.keywords is not UNSET:
            keywords = _fitting(patch.keywords or ())
        changes["prompt"] = "\n".join(filter(None, (", ".join(keywords), prompt)))[-MAX_PROMPT_CHARACTERS:]
        return replace(
            self,
            config=replace(self.config, **changes),
            prompt=prompt,
            keywords=keywords,
            delay=delay,
            substituted=substituted,
        )

    def _with_output(self, patch: OutputPatch, find_voice: FindVoice, clip: ReferenceClip | None) -> "WireSession":
        changes: dict[str, Any] = {}
        if patch.format is not UNSET:
            changes["output_format"] = patch.format.audio_format() if patch.format else DEFAULT_FORMAT
        substituted = self.substituted
        if patch.voice_name:
            voice = find_voice(patch.voice_name)
            changes |= {} if voice is None else {"voice": voice, "clip": None}
            substituted = _noted(substituted, "voice", unknown=voice is None)
        if patch.x_prompt_speech is not UNSET:
            changes["clip"] = clip
        if patch.speed is not UNSET:
            changes["speed"] = 1.0 if patch.speed is None else patch.speed
        return replace(self, config=replace(self.config, **changes), substituted=substituted)

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


def _noted(names: frozenset[str], name: str, *, unknown: bool) -> frozenset[str]:
    return names | {name} if unknown else names - {name}


def milliseconds(samples: int) -> int:
    """Convert samples at 16 kHz to whole milliseconds."""
    return samples * 1000 // SAMPLE_RATE


def _answer_changes(patch: SessionPatch, tools: tuple[ChatTool, ...]) -> dict[str, Any]:
    """Return the changed fields about answers. A tool choice that cannot be honoured changes nothing.

    `tools` are those of the session until now. Raises `ClientError` for a choice that names none of its tools.
    """
    changes: dict[str, Any] = {}
    if patch.instructions is not UNSET:
        changes["instructions"] = patch.instructions or ""
    if patch.tools is not UNSET:
        changes["tools"] = tools = function_tools(patch.tools)
    if patch.tool_choice is not UNSET and (choice := chat_tool_choice(patch.tool_choice, tools)) is not None:
        changes["tool_choice"] = choice
    modalities = patch.modalities if patch.output_modalities is UNSET else patch.output_modalities
    if modalities is not UNSET:
        changes["modality"] = modality_of(modalities)
    limit = patch.max_response_output_tokens if patch.max_output_tokens is UNSET else patch.max_output_tokens
    if limit is not UNSET:
        changes["max_output_tokens"] = token_limit(limit)
    return changes


def _fitting(keywords: Iterable[str]) -> tuple[str, ...]:
    """Return the first of the keywords, as many as a prompt can hold."""
    fitting: list[str] = []
    left = MAX_PROMPT_CHARACTERS
    for keyword in filter(None, keywords):
        left -= len(keyword) + 2
        if left < 0:
            break
        fitting.append(keyword)
    return tuple(fitting)


def _known_languages(names: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of the languages that are known, each once."""
    codes: dict[str, None] = {}
    for name in names:
        with suppress(ClientError):
            if code := language_code(name, param="languages"):
                codes[code] = None
    return tuple(codes)
