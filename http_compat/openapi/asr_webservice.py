"""OpenAPI description of the endpoints of whisper-asr-webservice."""

from typing import Any, Final

from http_compat.asr_webservice.endpoints import FILE
from http_compat.asr_webservice.query import TASKS, Output
from http_compat.openapi.schemas import (
    BOOLEAN,
    BYTES,
    TEXT,
    TRANSCRIPT_HEADERS,
    Schema,
    between,
    errors,
    record,
    response,
)

_ENCODE: Final = {
    **BOOLEAN,
    "default": True,
    "description": "`false`: the recording is 16-bit mono at 16 kHz without a header",
}
_VIDEO: Final = {**TEXT, "description": "Name of the video, which changes nothing"}

_QUERY: Final[dict[str, Schema]] = {
    "task": {"enum": [*TASKS], "default": TASKS[0]},
    "language": {**TEXT, "description": "Code or name of the language; detected if missing"},
    "initial_prompt": {**TEXT, "description": "Text given to the model as preceding context"},
    "output": {"enum": [*Output], "default": Output.TXT},
    "encode": _ENCODE,
    "vad_filter": {**BOOLEAN, "default": True, "description": "Skip audio without speech"},
    "word_timestamps": {**BOOLEAN, "default": False, "description": "The times of words, in JSON"},
    "video_file": _VIDEO,
}

_LANGUAGE: Final = record(
    ("detected_language", "language_code", "confidence"),
    detected_language={**TEXT, "description": "English name"},
    language_code={**TEXT, "description": "Whisper's code"},
    confidence=between(0, 1),
)


def asr() -> dict[str, Any]:
    """Describe `POST /asr`."""
    return _endpoint(
        "Transcribe audio, as whisper-asr-webservice does",
        _QUERY,
        {
            "description": "The transcript in the format `output`",
            "headers": TRANSCRIPT_HEADERS,
            "content": {"text/plain": {"schema": TEXT}},
        },
    )


def detect_language() -> dict[str, Any]:
    """Describe `POST /detect-language`."""
    return _endpoint(
        "Detect the language of the first speech, as whisper-asr-webservice does",
        {"encode": _ENCODE, "video_file": _VIDEO},
        response("The language; an empty object if nobody speaks", _LANGUAGE),
    )


def _endpoint(summary: str, query: dict[str, Schema], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": record(**{FILE: BYTES})}},
        },
        "responses": {"200": answer, **errors(400, 401, 403, 408, 413, 415, 429, 500, 503)},
    }
