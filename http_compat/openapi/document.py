"""The OpenAPI 3.1 document of the HTTP endpoints, served at `/openapi.json`.

Fields of other servers that this one ignores are left out.
"""

from typing import Any

from http_compat.answer_headers import TEXT_LANGUAGE_HEADER, VOICE_HEADER
from http_compat.openai.models import TASK_NAMES
from http_compat.openapi.asr_webservice import asr, detect_language
from http_compat.openapi.client_secrets import beta_sessions, client_secrets, translation_client_secrets
from http_compat.openapi.deepgram import listen, speak
from http_compat.openapi.recordings import recordings
from http_compat.openapi.schemas import (
    ANSWER_HEADERS,
    BOOLEAN,
    BYTES,
    COMPONENTS,
    ERRORS,
    HEADERS,
    ID,
    NUMBER,
    TEXT,
    VOICE_MODEL,
    VOICE_NAME,
    Schema,
    array,
    errors,
    nullable,
    query,
    record,
    reference,
    response,
)
from realtime import __version__
from realtime.media.encoders import SpeechFormat
from realtime.settings import Settings


def document(settings: Settings) -> dict[str, Any]:
    """Build the document for a server with these settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vivavoce",
            "version": __version__,
            "description": "Speech to text and text to speech, compatible with OpenAI's audio API and with Xinference. "
            "The websocket endpoint `/v1/realtime` is documented separately.",
        },
        "security": [{}, {"key": []}],
        "paths": {
            "/v1/audio/transcriptions": {"post": recordings("Transcribe audio")},
            "/v1/audio/translations": {"post": recordings("Translate audio to English")},
            "/asr": {"post": asr()},
            "/detect-language": {"post": detect_language()},
            "/v1/audio/speech": {"post": _speech(settings)},
            "/v1/realtime/client_secrets": {"post": client_secrets()},
            "/v1/realtime/translations/client_secrets": {"post": translation_client_secrets()},
            "/v1/realtime/sessions": {"post": beta_sessions("conversation")},
            "/v1/realtime/transcription_sessions": {"post": beta_sessions("transcription session")},
            "/v1/listen": {"post": listen()},
            "/v1/speak": {"post": speak()},
            "/v1/audio/voices": {"get": _voices()},
            "/v1/audio/models": {"get": _models("models")},
            "/v1/models": {"get": _models("data"), "post": _launch()},
            "/v1/models/{id}/progress": {"parameters": [ID], "get": _progress()},
            "/progress": {"get": _loading()},
            "/v1/models/{id}": {"parameters": [ID], "get": _model(), "delete": _terminate()},
            "/api/ps": {"get": _loaded()},
            "/metrics": {"get": _metrics()},
            "/v1/status": {"get": _status()},
            "/v1/cluster/auth": {"get": _public("Check whether an API key is required", record(auth=BOOLEAN))},
            "/token": {"post": _token()},
            "/openapi.json": {"get": _public("Get this document", {"type": "object"})},
            "/health": {"get": _livez()},
            "/livez": {"get": _livez()},
            "/readyz": {"get": _readyz()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": COMPONENTS,
            "responses": {str(status): response(text, reference("Error")) for status, text in ERRORS.items()},
        },
    }


def _speech(settings: Settings) -> dict[str, Any]:
    text = {"type": "string", "maxLength": settings.max_input_characters}
    fields: dict[str, Schema] = {
        "model": VOICE_MODEL,
        "input": {**text, "description": "Text to speak, with at least one letter or digit"},
        "text": {**text, "description": "Alias of `input`, which takes precedence"},
        "voice": VOICE_NAME,
        "instructions": {
            "type": "string",
            "maxLength": 4096,
            "description": "How to speak; models whose capabilities lack `instructions` ignore it",
        },
        "prompt_text": {**TEXT, "description": "What is said in `prompt_speech`"},
        "response_format": {"enum": [*SpeechFormat], "default": "mp3"},
        "speed": {"type": "number", "minimum": 0.25, "maximum": 4.0, "default": 1.0},
        "stream": {
            "type": "boolean",
            "description": "Send the audio while it is synthesized; by default not for `wav` and `flac`",
        },
        "stream_format": {
            "enum": ["audio", "sse"],
            "default": "audio",
            "description": "Stream raw audio or server-sent events; `sse` implies `stream`",
        },
        "kwargs": {
            "anyOf": [TEXT, {"type": "object"}],
            "description": "Xinference's options `prompt_text` and `instruct_text`, as JSON or an object",
        },
    }
    either = [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("input", "text")]
    voices = {"anyOf": [fields["voice"], record(id=TEXT)]}
    nulls = {name: schema if name == "model" else nullable(schema) for name, schema in fields.items()}
    json = {"type": "object", "properties": {**nulls, "voice": nullable(voices)}}
    prompts = {
        "prompt_speech": {**BYTES, "description": "Recording of a voice, 1 to 30 s; needs the capability `cloning`"},
        "prompt_latent": {**BYTES, "description": "Refused"},
    }
    form = {"type": "object", "properties": {**fields, **prompts}}
    events = "Events `speech.audio.delta` with `audio` in base64, then `speech.audio.done` with `usage`; or an error"
    return {
        "summary": "Generate speech from text",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {**json, "required": ["model"], "anyOf": either}},
                "multipart/form-data": {"schema": {**form, "required": ["model"], "anyOf": either}},
            },
        },
        "responses": {
            "200": {
                "description": "The audio, mono at 24 kHz; `pcm` is 16-bit little-endian without a header",
                "headers": {
                    **ANSWER_HEADERS,
                    VOICE_HEADER: {"required": True, "schema": TEXT, "description": "The voice that spoke"},
                    TEXT_LANGUAGE_HEADER: {
                        "schema": TEXT,
                        "description": "Language of the text, where the voice does not speak it",
                    },
                },
                "content": {
                    **{speech_format.media_type: {"schema": BYTES} for speech_format in SpeechFormat},
                    "text/event-stream": {"schema": {"description": events}},
                },
            },
            **errors(400, 401, 403, 404, 408, 413, 415, 429, 500, 503),
        },
    }


def _voices() -> dict[str, Any]:
    voices = array(reference("Voice"))
    unavailable = array(record(model=TEXT, code=TEXT, message=TEXT))
    return {
        "summary": "List the voices of a model, loading it if necessary, or of all that are on this machine",
        "parameters": [query("model", VOICE_MODEL)],
        "responses": {
            "200": response(
                "The voices, under either key, and the models on this machine that cannot speak",
                record(object={"const": "list"}, voices=voices, data=voices, unavailable=unavailable),
            ),
            **errors(400, 401, 403, 404, 500, 503),
        },
    }


def _models(key: str) -> dict[str, Any]:
    listed = record(object={"const": "list"}, **{key: array(reference("Model"))})
    return {
        "summary": "List models",
        "parameters": [query("task", {"enum": [*TASK_NAMES.values()]})],
        "responses": {"200": response("All models, or those for the task", listed), **errors(400, 401, 403)},
    }


def _model() -> dict[str, Any]:
    return {
        "summary": "Get a model",
        "responses": {"200": response("The model", reference("Model")), **errors(401, 403, 404)},
    }


def _launch() -> dict[str, Any]:
    body = record(
        ("model_uid", "model_type"),
        model_name={"type": "string", "minLength": 1, "maxLength": 256},
        model_uid=nullable({"type": "string", "maxLength": 256, "description": "Name to give to the model"}),
        model_type=nullable({"const": "audio"}),
    )
    return {
        "summary": "Load a model and optionally name it",
        "parameters": [query("wait_ready", {**TEXT, "description": "`False` to respond before the model is loaded"})],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": response("The name of the model in later requests", record(model_uid=TEXT)),
            **errors(400, 401, 403, 404, 408, 413, 415, 429, 500, 503),
        },
    }


def _terminate() -> dict[str, Any]:
    deleted = record(id=TEXT, object={"const": "model"}, deleted={"const": True})
    return {
        "summary": "Unload a model, or remove a name given at launch; files are kept",
        "responses": {"200": response("The model is unloaded", deleted), **errors(401, 403, 404, 409)},
    }


def _loaded() -> dict[str, Any]:
    loaded = record(models=array(TEXT))
    return {
        "summary": "List loaded models",
        "responses": {"200": response("The names of the models", loaded), **errors(401, 403)},
    }


def _progress() -> dict[str, Any]:
    return {
        "summary": "Get the loading progress of a model",
        "responses": {"200": response("Its stage and progress", reference("Progress")), **errors(401, 403, 404)},
    }


def _loading() -> dict[str, Any]:
    loading = record(models=array(reference("Progress")))
    return {
        "summary": "Get the progress of all models that are being loaded",
        "responses": {"200": response("Their stages and progress", loading), **errors(401, 403)},
    }


def _metrics() -> dict[str, Any]:
    exposition = {
        "description": "Metrics in Prometheus' text format",
        "headers": HEADERS,
        "content": {"text/plain": {}},
    }
    return {"summary": "Get metrics", "responses": {"200": exposition, **errors(401, 403)}}


def _status() -> dict[str, Any]:
    listed = array({"type": "object"})
    shown = record(
        ready=BOOLEAN, uptime_seconds=NUMBER, max_sessions=NUMBER,
        sessions=listed, engines=listed, models=listed, history=listed, errors=listed,
    )  # fmt: skip
    return {
        "summary": "Get the sessions, the load, the models and the last errors",
        "responses": {"200": response("The status", shown), **errors(401, 403)},
    }


def _token() -> dict[str, Any]:
    body = record(username=TEXT, password={**TEXT, "description": "An API key of the server"})
    return {
        "summary": "Exchange a password for an access token",
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": response("The access token", record(access_token=TEXT, token_type={"const": "bearer"})),
            **errors(400, 401, 408, 413, 415),
        },
    }


def _readyz() -> dict[str, Any]:
    status = record(status={"enum": ["ready", "loading", "restarting", "draining"]})
    return {
        "summary": "Check whether the server is ready",
        "security": [],
        "responses": {
            "200": response("The server is ready", status),
            "503": response("Models are loading, or the server is about to restart", status),
        },
    }


def _livez() -> dict[str, Any]:
    return {
        "summary": "Check whether the server works",
        "security": [],
        "responses": {
            "200": response("The server works", record(status=TEXT, message=TEXT)),
            "503": response("An engine does not return from a call", record(status={"const": "stalled"})),
        },
    }


def _public(summary: str, schema: Schema) -> dict[str, Any]:
    """Describe an endpoint that requires no key and has no error responses."""
    return {"summary": summary, "security": [], "responses": {"200": response("Successful response", schema)}}
