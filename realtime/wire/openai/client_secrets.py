"""Client secrets of the OpenAI Realtime protocol: requests for one, and the answers.

A client secret is a key that expires, for programs that must not know the real one, such as a web page. It carries the
session that it opens. The beta has an endpoint for each type of session, whose body is the session.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from realtime.wire.openai.client_events import parse_as
from realtime.wire.openai.session_update import SessionPatch
from realtime.wire.openai.translations import TranslationPatch

DEFAULT_SECONDS: Final = 600
"""Seconds for which a client secret is valid, unless the request says otherwise; OpenAI's default."""


class SecretKind(StrEnum):
    """The endpoints that make client secrets."""

    CLIENT_SECRETS = "client_secrets"
    TRANSLATIONS = "translations/client_secrets"
    BETA_SESSIONS = "sessions"
    BETA_TRANSCRIPTION_SESSIONS = "transcription_sessions"


class ExpiresAfter(Struct, frozen=True):
    """When a client secret expires. OpenAI's limits are 10 s and two hours."""

    seconds: Annotated[int, Meta(ge=10, le=7200)] = DEFAULT_SECONDS
    anchor: Literal["created_at"] = "created_at"


class _Body(Struct, frozen=True):
    """The body of `client_secrets`."""

    expires_after: ExpiresAfter | None = None
    session: SessionPatch | None = None


class _TranslationBody(Struct, frozen=True):
    """The body of `translations/client_secrets`."""

    session: TranslationPatch
    expires_after: ExpiresAfter | None = None


class _BetaSecret(Struct, frozen=True):
    expires_after: ExpiresAfter | None = None


class _BetaBody(SessionPatch, frozen=True, kw_only=True):
    """The body of the endpoints of the beta: a session, and when its key expires."""

    client_secret: _BetaSecret | None = None


class _RawSession(Struct, frozen=True):
    session: Raw = Raw(b"{}")


class SecretRequest(Struct, frozen=True):
    """A valid request for a client secret: how long it is valid, and the JSON of the session that it opens."""

    seconds: int
    session: bytes


Json: TypeAlias = dict[str, Any]

_BODIES: Final[msgspec.json.Decoder[_Body | _TranslationBody]] = msgspec.json.Decoder(_Body)
_TRANSLATION_BODIES: Final[msgspec.json.Decoder[_Body | _TranslationBody]] = msgspec.json.Decoder(_TranslationBody)
_BETA_BODIES: Final = msgspec.json.Decoder(_BetaBody)
_BETA_TYPES: Final = {
    SecretKind.BETA_SESSIONS: "realtime",
    SecretKind.BETA_TRANSCRIPTION_SESSIONS: "transcription",
}


def read_secret_request(kind: SecretKind, body: bytes) -> SecretRequest:
    """Parse the body of a request. Raises `RefusedRequest`."""
    text = body.decode(errors="surrogateescape") or "{}"
    if kind in (SecretKind.CLIENT_SECRETS, SecretKind.TRANSLATIONS):
        bodies = _BODIES if kind is SecretKind.CLIENT_SECRETS else _TRANSLATION_BODIES
        expires = parse_as(bodies, text).expires_after
        session = bytes(msgspec.json.decode(text, type=_RawSession).session)
        session = b"{}" if session == b"null" else session
    else:
        secret = parse_as(_BETA_BODIES, text).client_secret
        expires = secret.expires_after if secret else None
        session = msgspec.json.encode(msgspec.json.decode(text, type=dict[str, Raw]) | {"type": _BETA_TYPES[kind]})
    return SecretRequest((expires or ExpiresAfter()).seconds, session)


def secret_object(kind: SecretKind, greeting: str | bytes, value: str, expires_at: int) -> Json:
    """Return the answer to a request; `greeting` is what a connection with this secret begins with."""
    session: Json = msgspec.json.decode(greeting)["session"]
    if kind in (SecretKind.CLIENT_SECRETS, SecretKind.TRANSLATIONS):
        return {"value": value, "expires_at": expires_at, "session": session}
    return session | {"client_secret": {"value": value, "expires_at": expires_at}}
