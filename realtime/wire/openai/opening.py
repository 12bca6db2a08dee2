"""With which session a connection of the OpenAI dialect begins, and how it changes within what the server can do."""

from collections.abc import Sequence
from typing import Final

import msgspec

from realtime.catalogue.names import is_synthesizer
from realtime.errors import ClientError
from realtime.session.config import SessionConfig
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import Handshake
from realtime.wire.invalid_field import unsupported_value
from realtime.wire.openai.client_events import InvalidValue
from realtime.wire.openai.session_changes import changed_session
from realtime.wire.openai.session_object import SHOWN_LIFETIME, WireSession
from realtime.wire.openai.session_update import SessionPatch

_SESSIONS: Final = msgspec.json.Decoder(SessionPatch)


EXTENSIONS: Final = ("partials", "finals", "words", "binary", "draining", "resume")
"""Values of `ext` in the query."""

_INTENTS: Final = ("transcription", "conversation", "realtime")
"""Values of `intent` in the query; the last two, which OpenAI does not document, mean a conversation, as without it."""


def extensions(handshake: Handshake) -> set[str]:
    """Return the names of the extensions in the query: `ext=partials,words`, or `ext` several times.

    Raises `InvalidValue` for an unknown one.
    """
    names = [name.strip() for value in handshake.query.get("ext", ()) for name in value.split(",")]
    return {_one_of(EXTENSIONS, name, "ext") for name in names if name}


def _one_of(choices: Sequence[str], value: str, param: str) -> str:
    """Return a value of the query. Raises `InvalidValue` if it is none of the choices."""
    if value not in choices:
        raise InvalidValue(unsupported_value(value, choices), param=param)
    return value


def open_session(handshake: Handshake) -> WireSession:
    """Return the session by the query (`intent=transcription`, `model`) and by what the client's key carries.

    An unknown model stands for the default one. In a conversation `model` names the conversation's model, not the
    recognizer. A speech model speaks what it is given, so the chat backend has no part in its conversation. Raises
    `InvalidValue` for another intent, extensions that are unknown or exclude each other, a session of a key that is
    not possible, and the call of a telephone or of WebRTC (`call_id`), of which this server has none.
    """
    if handshake.parameter("call_id"):
        raise InvalidValue("There are no calls to join on this server: leave out `call_id`.", param="call_id")
    extra = extensions(handshake)
    if {"partials", "finals"} <= extra:
        raise InvalidValue(
            "Choose between the extensions 'partials' and 'finals': they exclude each other.", param="ext"
        )
    carried = _SESSIONS.decode(handshake.session) if handshake.session else SessionPatch()
    if carried.audio and carried.audio.output and carried.audio.output.x_prompt_speech:
        param = "session.audio.output.x_prompt_speech"
        raise InvalidValue("Send the recording of a voice in a `session.update`, not with a key.", param=param)
    intent = handshake.parameter("intent")
    transcription = bool(intent) and _one_of(_INTENTS, intent, "intent") == "transcription"
    model = carried.model or handshake.parameter("model")
    named = handshake.find_recognizer(model) if transcription else None
    recognizer = named or handshake.find_recognizer("")
    voice = handshake.find_voice("")
    chat = handshake.chat and not is_synthesizer(model)
    assert recognizer is not None  # the default models are loaded before a session is admitted
    assert voice is not None
    config = SessionConfig(
        recognizer=recognizer,
        transcribe=transcription or chat,
        voice=voice,
        first_words=handshake.first_words,
        chat=chat,
        create_response=chat and not transcription,
        prepare_answers=handshake.prepare_answers,
        resume_false_interruptions=chat and handshake.resume_false_interruptions,
        decode_partials="finals" not in extra,
        include_partials="partials" in extra,
        time_speech="words" in extra,
    )
    session = WireSession(
        handshake.session_id,
        config,
        model=model or recognizer.name,
        type="transcription" if transcription else "realtime",
        transcription=transcription,
        substituted=frozenset({"model"} if transcription and named is None else ()),
        expires_at=handshake.opened_at + SHOWN_LIFETIME,
    )
    return updated_session(session, carried, handshake)


def updated_session(
    session: WireSession, patch: SessionPatch, handshake: Handshake, request_id: str | None = None,
    clip: ReferenceClip | None = None,
) -> WireSession:  # fmt: skip
    """Return the session after an update, perhaps with the recording of a voice.

    Raises `InvalidValue` if what is asked for is not possible.
    """
    try:
        session = changed_session(
            session, patch, find_recognizer=handshake.find_recognizer, find_voice=handshake.find_voice, clip=clip
        )
    except ClientError as error:
        raise InvalidValue(error.message, param="session.tool_choice", request_id=request_id) from error
    if session.config.translate and not session.config.recognizer.capabilities.translation:
        transcription = "audio.input.transcription" if patch.audio else "input_audio_transcription"
        raise InvalidValue(
            f"The model '{session.config.recognizer.name}' cannot translate.",
            param=f"session.{transcription}.task",
            request_id=request_id,
        )
    if session.container is not None and session.config.speakers > 1:
        raise InvalidValue(
            "The channels of a container are mixed; send samples to have them transcribed by themselves.",
            param="session.audio.input.format.channels",
            request_id=request_id,
        )
    return session
