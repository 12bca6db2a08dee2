"""The OpenAPI 3.1 document of the HTTP endpoints, served at `/openapi.json`: what may be sent, and what comes back.

Fields that this server ignores, or knows only to refuse, are left out.
"""

from typing import Any

from http_compat.openai.models import TASK_NAMES
from http_compat.openapi.recordings import recordings
from http_compat.openapi.schemas import (
    BYTES,
    ERROR,
    FAULTS,
    HEADERS,
    ID,
    MODEL,
    PROGRESS,
    TEXT,
    TRANSCRIPT,
    TRUTH,
    VOICE,
    VOICE_MODEL,
    VOICE_NAME,
    Schema,
    answer,
    array,
    faults,
    nullable,
    query,
    record,
    reference,
)
from realtime import __version__
from realtime.media.encoders import SpeechFormat
from realtime.settings import Settings


def document(settings: Settings) -> dict[str, Any]:
    """The document of a server with these settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vivavoce",
            "version": __version__,
            "description": "Speech to text and text to speech for clients of OpenAI's audio API and of Xinference. "
            "The websocket `/v1/realtime` is not part of this document.",
        },
        "security": [{}, {"key": []}],
        "paths": {
            "/v1/audio/transcriptions": {"post": recordings("A recording as text")},
            "/v1/audio/translations": {"post": recordings("A recording as English text")},
            "/v1/audio/speech": {"post": _speech(settings)},
            "/v1/audio/voices": {"get": _voices()},
            "/v1/audio/models": {"get": _models("models")},
            "/v1/models": {"get": _models("data"), "post": _launch()},
            "/v1/models/{id}/progress": {"parameters": [ID], "get": _progress()},
            "/progress": {"get": _loading()},
            "/v1/models/{id}": {"parameters": [ID], "get": _model(), "delete": _terminate()},
            "/api/ps": {"get": _loaded()},
            "/metrics": {"get": _metrics()},
            "/v1/cluster/auth": {"get": _open("Whether a key is needed", record(auth=TRUTH))},
            "/token": {"post": _token()},
            "/openapi.json": {"get": _open("This document", {"type": "object"})},
            "/health": {"get": _open("Whether the process lives", record(status=TEXT, message=TEXT))},
            "/livez": {"get": _open("Whether the process lives", record(status=TEXT, message=TEXT))},
            "/readyz": {"get": _readyz()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": ERROR, "Model": MODEL, "Progress": PROGRESS, "Voice": VOICE, "Transcript": TRANSCRIPT},
            "responses": {str(status): answer(text, reference("Error")) for status, text in FAULTS.items()},
        },
    }


def _speech(settings: Settings) -> dict[str, Any]:
    text = {"type": "string", "maxLength": settings.max_input_characters}
    fields: dict[str, Schema] = {
        "model": VOICE_MODEL,
        "input": {**text, "description": "What to speak; at least one letter or digit"},
        "text": {**text, "description": "Another name for `input`, which comes before it"},
        "voice": VOICE_NAME,
        "instructions": {"type": "string", "maxLength": 4096, "description": "No effect on the embedded voice"},
        "response_format": {"enum": [*SpeechFormat], "default": "mp3"},
        "speed": {"type": "number", "minimum": 0.25, "maximum": 4.0, "default": 1.0},
        "stream": {"type": "boolean", "default": False, "description": "Send the audio while it is made"},
        "stream_format": {"enum": ["audio", "sse"], "default": "audio", "description": "`sse` always streams"},
        "kwargs": {**TEXT, "description": "A JSON object as a string, from Xinference's clients"},
    }
    either = [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("input", "text")]
    voices = {"anyOf": [fields["voice"], record(id=TEXT)]}
    nulls = {name: schema if name == "model" else nullable(schema) for name, schema in fields.items()}
    json = {"type": "object", "properties": {**nulls, "voice": nullable(voices)}}
    prompts = {
        name: {**BYTES, "description": "A voice to clone; refused, as no model here clones voices"}
        for name in ("prompt_speech", "prompt_latent")
    }
    form = {"type": "object", "properties": {**fields, **prompts}}
    events = "Events `speech.audio.delta` with `audio` in base64, then `speech.audio.done` with `usage`, or an error"
    return {
        "summary": "A text as speech",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {**json, "required": ["model"], "anyOf": either}},
                "multipart/form-data": {"schema": {**form, "required": ["model"], "anyOf": either}},
            },
        },
        "responses": {
            "200": {
                "description": "A recording, mono at 24 kHz; `pcm` is 16-bit, little-endian, without a header",
                "headers": HEADERS,
                "content": {
                    **{speech_format.media_type: {"schema": BYTES} for speech_format in SpeechFormat},
                    "text/event-stream": {"schema": {"description": events}},
                },
            },
            **faults(400, 401, 403, 404, 408, 413, 415, 429, 500, 503),
        },
    }


def _voices() -> dict[str, Any]:
    voices = array(reference("Voice"))
    return {
        "summary": "The voices of a model, which is loaded for it",
        "parameters": [query("model", VOICE_MODEL)],
        "responses": {
            "200": answer("The voices, twice", record(object={"const": "list"}, voices=voices, data=voices)),
            **faults(400, 401, 403, 404, 500, 503),
        },
    }


def _models(key: str) -> dict[str, Any]:
    listed = record(object={"const": "list"}, **{key: array(reference("Model"))})
    return {
        "summary": "The models",
        "parameters": [query("task", {"enum": [*TASK_NAMES.values()]})],
        "responses": {"200": answer("All models, or those of the task", listed), **faults(400, 401, 403)},
    }


def _model() -> dict[str, Any]:
    return {
        "summary": "One model",
        "responses": {"200": answer("The model", reference("Model")), **faults(401, 403, 404)},
    }


def _launch() -> dict[str, Any]:
    body = record(
        ("model_uid", "model_type"),
        model_name={"type": "string", "minLength": 1, "maxLength": 256},
        model_uid=nullable({"type": "string", "maxLength": 256, "description": "Another name for the model"}),
        model_type=nullable({"const": "audio"}),
    )
    return {
        "summary": "Load a model now, perhaps under a name of one's own",
        "parameters": [query("wait_ready", {**TEXT, "description": "`False`: answer before it is loaded"})],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": answer("The name under which it can be asked for", record(model_uid=TEXT)),
            **faults(400, 401, 403, 404, 408, 413, 415, 429, 500, 503),
        },
    }


def _terminate() -> dict[str, Any]:
    deleted = record(id=TEXT, object={"const": "model"}, deleted={"const": True})
    return {
        "summary": "Unload a model, or take back a name given at launch; files are kept",
        "responses": {"200": answer("Done", deleted), **faults(401, 403, 404, 409)},
    }


def _loaded() -> dict[str, Any]:
    loaded = record(models=array(TEXT))
    return {
        "summary": "The models that are loaded",
        "responses": {"200": answer("Their names", loaded), **faults(401, 403)},
    }


def _progress() -> dict[str, Any]:
    return {
        "summary": "How far a model has come",
        "responses": {"200": answer("Its stage", reference("Progress")), **faults(401, 403, 404)},
    }


def _loading() -> dict[str, Any]:
    loading = record(models=array(reference("Progress")))
    return {
        "summary": "How far all models have come that are being loaded",
        "responses": {"200": answer("Their stages", loading), **faults(401, 403)},
    }


def _metrics() -> dict[str, Any]:
    exposition = {"description": "Prometheus' text format", "headers": HEADERS, "content": {"text/plain": {}}}
    return {"summary": "Metrics", "responses": {"200": exposition, **faults(401, 403)}}


def _token() -> dict[str, Any]:
    body = record(username=TEXT, password={**TEXT, "description": "One of the server's keys"})
    return {
        "summary": "A key for a password that is one",
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": answer("The key", record(access_token=TEXT, token_type={"const": "bearer"})),
            **faults(400, 401, 408, 413, 415),
        },
    }


def _readyz() -> dict[str, Any]:
    status = record(status={"enum": ["ready", "loading"]})
    return {
        "summary": "Whether the server can serve",
        "security": [],
        "responses": {"200": answer("It can", status), "503": answer("Its models are loading", status)},
    }


def _open(summary: str, schema: Schema) -> dict[str, Any]:
    """An endpoint that needs no key and cannot fail."""
    return {"summary": summary, "security": [], "responses": {"200": answer(summary, schema)}}
