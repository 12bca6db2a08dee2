"""What a `session.update` of the OpenAI Realtime dialect changes in a session.

It is a partial update: only fields that are present change. `format`, `turn_detection` and `noise_reduction` are
replaced as a whole; `transcription` is merged field by field. Values that the server cannot honour are ignored.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from msgspec import UNSET

from realtime.catalogue.table import ModelEntry
from realtime.errors import ClientError
from realtime.languages import language_code
from realtime.session.generation import ChatTool
from realtime.speech.certainty import CERTAIN
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, FindRecognizer, FindVoice
from realtime.wire.openai.formats import DEFAULT_FORMAT
from realtime.wire.openai.session_object import WireSession
from realtime.wire.openai.session_update import (
    CERTAINTIES,
    InputPatch,
    OutputPatch,
    SemanticVad,
    ServerVad,
    SessionPatch,
    TranscriptionPatch,
    chat_tool_choice,
    function_tools,
    modality_of,
    token_limit,
)

MODELS_WITHOUT_TURN_DETECTION: Final = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""Models that OpenAI serves without turn detection: their clients commit turns themselves and do not disable it.

A date may follow the name.
"""


def changed_session(
    before: WireSession, patch: SessionPatch, *, find_recognizer: FindRecognizer, find_voice: FindVoice,
    clip: ReferenceClip | None = None,
) -> WireSession:  # fmt: skip
    """Return a session after an update. An unknown model or voice leaves the current one.

    `clip` is the recording of a voice that came with it.

    Raises `ClientError` for a tool choice that names no tool.
    """
    session = replace(before, type=patch.type or before.type)
    if patch.include is not UNSET:
        session = replace(session, logprobs=bool(patch.include))
    session = replace(session, config=replace(session.config, **_answer_changes(patch, session.config.tools)))
    audio = patch.nested_audio()
    if audio.input is not None:
        session = _with_input(session, audio.input, find_recognizer)
    if audio.output is not None:
        session = _with_output(session, audio.output, find_voice, clip)
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


def _with_input(before: WireSession, patch: InputPatch, find_recognizer: FindRecognizer) -> WireSession:
    changes: dict[str, Any] = {}
    eagerness, noise_reduction = before.eagerness, before.noise_reduction
    create_response, idle_timeout = before.create_response, before.idle_timeout
    container, transcription = before.container, before.transcription
    session = before
    if patch.format is not UNSET:
        changes["input_format"] = patch.format.audio_format() if patch.format else DEFAULT_FORMAT
        changes["separate_channels"] = changes["input_format"].channels > 1
        container = patch.format.type if patch.format and patch.format.type.is_container else None
    if patch.transcription is None:
        transcription = False
    elif patch.transcription is not UNSET:
        transcription = True
        session = _with_transcription(before, patch.transcription, find_recognizer)
        model = (patch.transcription.model or "").removeprefix("openai/")
        manual = model.startswith(MODELS_WITHOUT_TURN_DETECTION) and patch.turn_detection is UNSET
        if manual and before.type == "transcription":
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


def _with_transcription(before: WireSession, patch: TranscriptionPatch, find_recognizer: FindRecognizer) -> WireSession:
    """Return a session with other settings of its transcripts.

    A language that is unknown, or that the recognizer does not have, leaves the one before; of `languages` the others
    take effect. A language that another recognizer does not have is no longer set.
    """
    changes: dict[str, Any] = {}
    prompt, keywords, delay = before.prompt, before.keywords, before.delay
    substituted, recognizer = before.substituted, before.config.recognizer
    if patch.model:
        found = find_recognizer(patch.model)
        substituted = _noted(substituted, "model", unknown=found is None)
        changes["recognizer"] = recognizer = found or recognizer
    language, languages = before.config.language, before.config.languages
    if patch.language is not UNSET:
        wanted, unknown = _transcribed([patch.language or ""], recognizer)
        language = language if unknown else next(iter(wanted), None)
        substituted = _noted(substituted, "language", unknown=unknown)
    if patch.languages is not UNSET:
        languages, unknown = _transcribed(patch.languages or (), recognizer)
        substituted = _noted(substituted, "languages", unknown=unknown)
    if _transcribed([language or ""], recognizer)[1]:
        language, substituted = None, _noted(substituted, "language", unknown=True)
    changes |= {"language": language, "languages": languages}
    if patch.task is not UNSET:
        changes["translate"] = patch.task == "translate"
    if patch.delay is not UNSET:
        delay = patch.delay
        changes["certainty"] = CERTAINTIES[delay] if delay else CERTAIN
    if patch.prompt is not UNSET:
        prompt = (patch.prompt or "")[-MAX_PROMPT_CHARACTERS:]
    if patch.keywords is not UNSET:
        keywords = _fitting(patch.keywords or ())
    changes["prompt"] = "\n".join(filter(None, (", ".join(keywords), prompt)))[-MAX_PROMPT_CHARACTERS:]
    return replace(
        before,
        config=replace(before.config, **changes),
        prompt=prompt,
        keywords=keywords,
        delay=delay,
        substituted=substituted,
    )


def _with_output(
    before: WireSession, patch: OutputPatch, find_voice: FindVoice, clip: ReferenceClip | None
) -> WireSession:
    changes: dict[str, Any] = {}
    if patch.format is not UNSET:
        changes["output_format"] = patch.format.audio_format() if patch.format else DEFAULT_FORMAT
    substituted = before.substituted
    if patch.voice_name:
        voice = find_voice(patch.voice_name)
        changes |= {} if voice is None else {"voice": voice, "clip": None}
        substituted = _noted(substituted, "voice", unknown=voice is None)
    if patch.x_prompt_speech is not UNSET:
        changes["clip"] = clip
    if patch.speed is not UNSET:
        changes["speed"] = 1.0 if patch.speed is None else patch.speed
    return replace(before, config=replace(before.config, **changes), substituted=substituted)


def _noted(names: frozenset[str], name: str, *, unknown: bool) -> frozenset[str]:
    return names | {name} if unknown else names - {name}


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


def _transcribed(names: Iterable[str], recognizer: ModelEntry) -> tuple[tuple[str, ...], bool]:
    """Return the codes of those languages that the recognizer has, each once, and whether there are others."""
    codes: dict[str, None] = {}
    unknown = False
    for name in names:
        try:
            code = language_code(name, param="languages")
        except ClientError:
            unknown = True
            continue
        if code and recognizer.languages and code not in recognizer.languages:
            unknown = True
        elif code:
            codes[code] = None
    return tuple(codes), unknown
