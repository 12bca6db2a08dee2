"""The part of the OpenAPI document about recordings: both endpoints take the same fields and give the same answers."""

from typing import Any, Final

from http_compat.openapi.schemas import (
    BYTES,
    HEADERS,
    RECOGNIZER,
    TEXT,
    TRUTH,
    Schema,
    array,
    between,
    faults,
    record,
    reference,
)
from http_compat.parsing.transcript_format import Granularity, TranscriptFormat
from http_compat.parsing.transcription_form import INTEGERS, MAX_PADDING_MS, MAX_SILENCE_MS, NUMBERS

_LANGUAGE: Final = {**TEXT, "description": "Code or English name; without it, or with `auto`, it is detected"}
_EXPECTED: Final = {**TEXT, "description": "Words to expect"}
_PROMPT: Final = {**TEXT, "description": "Text that goes before each stretch of the recording"}
_KWARGS: Final = {**TEXT, "description": "More of these fields, as a JSON object"}
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
    "languages[]": {**array(_LANGUAGE), "description": "Languages to choose from"},
    "prompt": _PROMPT,
    "initial_prompt": _PROMPT,
    "hotwords": _EXPECTED,
    "hotword": _EXPECTED,
    "keywords[]": array(_EXPECTED),
    "response_format": {"enum": [*TranscriptFormat], "default": "json"},
    "timestamp_granularities[]": array({"enum": [*Granularity]}),
    "word_timestamps": TRUTH,
    "include[]": array({"const": "logprobs"}),
    "stream": {**TRUTH, "default": False, "description": "Send events while the text is written; no subtitles"},
    "chunking_strategy": {"anyOf": [{"const": "auto"}, _STRATEGY]},
    "vad_filter": {**TRUTH, "default": True, "description": "Leave out what the detector takes for no speech"},
    "vad_parameters": _PARAMETERS,
    "condition_on_previous_text": {**TRUTH, "default": False},
    **{name: between(*limits) for name, limits in NUMBERS.items()},
    **{name: between(*limits, "integer") for name, limits in INTEGERS.items()},
    "kwargs": _KWARGS,
}

_FORM: Final = {"type": "object", "properties": _FIELDS, "required": ["file", "model"]}

_JSON: Final = {
    **record(file={**TEXT, "description": "The recording in base64, or a data URL of it"}, model=RECOGNIZER),
    "description": "The fields of the form, lists as lists and objects as objects",
}

_EVENTS: Final = (
    "Events `transcript.text.delta` with `delta`, then `transcript.text.done` with `text`, `usage` and perhaps "
    "`suppressed`, as in `Transcript`, or an error; comments while there is nothing else to send"
)

_TEXTS: Final = ("text/plain", "text/vtt", "application/x-subrip")


def recordings(summary: str) -> dict[str, Any]:
    """An endpoint that makes text of a recording."""
    quoted = {**TEXT, "description": "A text format, where there were `kwargs`"}
    return {
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _FORM}, "application/json": {"schema": _JSON}},
        },
        "responses": {
            "200": {
                "description": "The transcript in the format asked for",
                "headers": HEADERS,
                "content": {
                    "application/json": {"schema": {"anyOf": [reference("Transcript"), quoted]}},
                    **{media_type: {"schema": TEXT} for media_type in _TEXTS},
                    "text/event-stream": {"schema": {"description": _EVENTS}},
                },
            },
            **faults(400, 401, 403, 404, 408, 413, 415, 429, 500, 503),
        },
    }
