"""Descriptions of the endpoints that make client secrets."""

from typing import Any, Final

from http_compat.openapi.schemas import TEXT, Schema, between, errors, nullable, record, response

_OBJECT: Final[Schema] = {"type": "object"}

_EXPIRES_AFTER: Final = nullable(
    record(("seconds", "anchor"), seconds=between(10, 7200, "integer"), anchor={"const": "created_at"})
)

_TIME: Final[Schema] = {"type": "integer", "description": "Unix time in seconds"}


def client_secrets() -> dict[str, Any]:
    """Describe the endpoint of the GA version."""
    session = {**record(("type",), type=nullable({"enum": ["realtime", "transcription"]})), "description": _SESSION}
    body = record(("expires_after", "session"), expires_after=_EXPIRES_AFTER, session=nullable(session))
    made = record(value=TEXT, expires_at=_TIME, session=_OBJECT)
    return _described("Make a key that expires, for the websocket", body, made)


def translation_client_secrets() -> dict[str, Any]:
    """Describe the endpoint for translations."""
    session = {**record(("model",), model=nullable(TEXT)), "description": "The session that the key opens"}
    body = record(("expires_after",), expires_after=_EXPIRES_AFTER, session=session)
    made = record(value=TEXT, expires_at=_TIME, session=_OBJECT)
    return _described("Make a key that expires, for a translation by websocket", body, made)


def beta_sessions(kind: str) -> dict[str, Any]:
    """Describe an endpoint of the protocol's beta."""
    secret = nullable(record(("expires_after",), expires_after=_EXPIRES_AFTER))
    body = {**record(("client_secret",), client_secret=secret), "description": _SESSION}
    made = record(client_secret=record(value=TEXT, expires_at=_TIME))
    return _described(f"Make a key that expires, for a {kind} of the protocol's beta", body, made)


_SESSION: Final = "The session that the key opens, with the fields of `session.update`"


def _described(summary: str, body: Schema, made: Schema) -> dict[str, Any]:
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": response("The key", made), **errors(400, 401, 403, 408, 413, 415, 503)},
    }
