"""OpenAPI description of Deepgram's endpoints."""

from typing import Any, Final

from http_compat.openapi.schemas import BYTES, HEADERS, TEXT, Schema, array, query, record, response
from realtime.media.encoders import SpeechFormat

_NUMBER: Final[Schema] = {"type": "number"}
_WHOLE: Final[Schema] = {"type": "integer", "minimum": 0}
_ERROR: Final = record(err_code=TEXT, err_msg=TEXT, request_id=TEXT)
_STATUSES: Final = (400, 401, 403, 404, 408, 413, 415, 429, 500, 503)
_ERRORS: Final = {str(status): response("The request is refused, or has failed", _ERROR) for status in _STATUSES}


def listen() -> dict[str, Any]:
    """Describe `POST /v1/listen`."""
    word = record(("punctuated_word",), word=TEXT, start=_NUMBER, end=_NUMBER, confidence=_NUMBER, punctuated_word=TEXT)
    alternative = record(
        ("paragraphs",), transcript=TEXT, confidence=_NUMBER, words=array(word), paragraphs={"type": "object"}
    )
    channel = record(
        ("detected_language", "language_confidence"),
        alternatives=array(alternative), detected_language=TEXT, language_confidence=_NUMBER,
    )  # fmt: skip
    results = record(("utterances",), channels=array(channel), utterances=array({"type": "object"}))
    flags = ("punctuate", "smart_format", "paragraphs", "utterances")
    raw = "Encoding of samples without a header: linear16, mulaw or alaw"
    return {
        "summary": "Transcribe a recording, as Deepgram's API does",
        "parameters": [
            query("model", {**TEXT, "description": "Model; the default one for an unknown name"}),
            query("language", {**TEXT, "description": "Code of the language; detected if missing or `multi`"}),
            *(query(name, {"enum": ["true", "false"], "default": "false"}) for name in flags),
            query("detect_language", {**TEXT, "description": "`true`, or the code of a language to choose from"}),
            query("utt_split", {**_NUMBER, "description": "Seconds of silence between utterances", "default": 0.8}),
            query("keyterm", array(TEXT)),
            query("keywords", array(TEXT)),
            query("encoding", {**TEXT, "description": raw}),
            query("sample_rate", _WHOLE),
            query("channels", _WHOLE),
        ],
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BYTES}}},
        "responses": {
            "200": response("The transcript", record(metadata={"type": "object"}, results=results)),
            **_ERRORS,
        },
    }


def speak() -> dict[str, Any]:
    """Describe `POST /v1/speak`."""
    encodings = ["mp3", "opus", "flac", "aac", "linear16", "mulaw", "alaw"]
    container = "Of linear16, mulaw and alaw: `wav`, or `none` for samples without a header"
    return {
        "summary": "Generate speech from text, as Deepgram's API does",
        "parameters": [
            query("model", {**TEXT, "description": "Voice; the default one for an unknown name"}),
            query("encoding", {"enum": [*encodings, ""], "default": "mp3"}),
            query("container", {**TEXT, "default": "wav", "description": container}),
            query("sample_rate", _WHOLE),
            query("bit_rate", _WHOLE),
            query("speed", {**_NUMBER, "default": 1.0}),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": record(text=TEXT)}},
        },
        "responses": {
            "200": {
                "description": "The audio, mono, streamed as it is made",
                "headers": HEADERS,
                "content": {each.media_type: {"schema": BYTES} for each in SpeechFormat},
            },
            **_ERRORS,
        },
    }
