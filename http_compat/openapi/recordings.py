"""OpenAPI description of transcriptions and translations, which have the same fields and responses."""

from typing import Any, Final

from http_compat.answer_headers import TRACK_HEADER
from http_compat.openapi.schemas import (
    BOOLEAN,
    BYTES,
    COUNT,
    RECOGNIZER,
    TEXT,
    TRANSCRIPT_HEADERS,
    Schema,
    array,
    between,
    errors,
    record,
    reference,
)
from http_compat.parsing.transcript_format import Granularity, TranscriptFormat
from http_compat.parsing.transcription_form import INTEGERS, MAX_PADDING_MS, MAX_SILENCE_MS, NUMBERS

_LANGUAGE: Final = {**TEXT, "description": "Code or name of the language; detected if missing or `auto`"}
_EXPECTED: Final = {**TEXT, "description": "Words to expect, such as names and terms"}
_PROMPT: Final = {**TEXT, "description": "Text given to the model as preceding context"}
_KWARGS: Final = {**TEXT, "description": "Further fields, as a JSON object in a string"}
_PADDING: Final = between(0, MAX_PADDING_MS, "integer")
_SILENCE: Final = between(0, MAX_SILENCE_MS, "integer")

_STRATEGY: Final = record(
    ("threshold", "prefix_padding_ms", "silence_duration_ms"),
    type={"const": "server_vad"}, threshold=between(0, 1), prefix_padding_ms=_PADDING, silence_duration_ms=_SILENCE,
)  # fmt: skip

_PARAMETERS: Final = record(
    ("threshold", "speech_pad_ms", "min_silence_duration_ms"),
    threshold=between(0, 1), speech_pad_ms=_PADDING, min_silence_duration_ms=_SILENCE,
)  # fmt: skip

_FIELDS: Final[dict[str, Schema]] = {
    "file": BYTES,
    "model": RECOGNIZER,
    "language": _LANGUAGE,
    "languages[]": {**array(_LANGUAGE), "description": "Languages to choose from when detecting the language"},
    "multilingual": {
        **BOOLEAN,
        "default": False,
        "description": "Detect the language of each speech segment by itself, without regard to those around it",
    },
    "prompt": _PROMPT,
    "initial_prompt": _PROMPT,
    "hotwords": _EXPECTED,
    "hotword": _EXPECTED,
    "keywords[]": array(_EXPECTED),
    "response_format": {"enum": [*TranscriptFormat], "default": "json"},
    "timestamp_granularities[]": array({"enum": [*Granularity]}),
    "word_timestamps": BOOLEAN,
    "include[]": array({"const": "logprobs"}),
    "stream": {
        **BOOLEAN,
        "default": False,
        "description": "Stream the transcript as server-sent events; not for `srt` and `vtt`",
    },
    "ext": {**TEXT, "description": "`progress`: add events `x.transcript.progress` to a stream"},
    "chunking_strategy": {"anyOf": [{"const": "auto"}, _STRATEGY]},
    "track": {**TEXT, "description": "Audio track of the recording: its index from 0, or its language"},
    "channels": {
        "enum": ["mixed", "separate"],
        "default": "mixed",
        "description": "`separate`: each channel is a speaker, and the transcript a dialogue",
    },
    "multichannel": {**BOOLEAN, "default": False, "description": "`true` is the same as `channels=separate`"},
    "vad_filter": {**BOOLEAN, "default": True, "description": "Skip audio without speech"},
    "vad_parameters": _PARAMETERS,
    "condition_on_previous_text": {**BOOLEAN, "default": False},
    **{name: between(*limits) for name, limits in NUMBERS.items()},
    **{name: between(*limits, "integer") for name, limits in INTEGERS.items()},
    "kwargs": _KWARGS,
}

_FORM: Final = {"type": "object", "properties": _FIELDS, "required": ["file", "model"]}

_JSON: Final = {
    **record(file={**TEXT, "description": "The recording in base64, or as a data URL"}, model=RECOGNIZER),
    "description": "The fields of the form, with JSON lists and objects",
}

_EVENTS: Final = (
    "Events `transcript.text.delta` with `delta`, then `transcript.text.done` with `text`, `usage` and optionally "
    "`suppressed` and `track`, as in `Transcript`; or an error. Comments keep the connection alive. "
    "With `ext=progress`, `x.transcript.progress` has the `seconds` that are done, of `total_seconds`."
)

_TEXTS: Final = ("text/plain", "text/vtt", "application/x-subrip")


def recordings(summary: str) -> dict[str, Any]:
    """Describe an endpoint that turns a recording into text."""
    json_string = {**TEXT, "description": "A text format as a JSON string, for requests with `kwargs`"}
    return {
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _FORM}, "application/json": {"schema": _JSON}},
        },
        "responses": {
            "200": {
                "description": "The transcript in the requested format",
                "headers": {
                    **TRANSCRIPT_HEADERS,
                    TRACK_HEADER: {
                        "schema": COUNT,
                        "description": "Index of the audio track transcribed, if the recording has several",
                    },
                },
                "content": {
                    "application/json": {"schema": {"anyOf": [reference("Transcript"), json_string]}},
                    **{media_type: {"schema": TEXT} for media_type in _TEXTS},
                    "text/event-stream": {"schema": {"description": _EVENTS}},
                },
            },
            **errors(400, 401, 403, 404, 408, 413, 415, 429, 500, 503),
        },
    }
