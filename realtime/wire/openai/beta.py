"""The beta of the Realtime protocol, which older clients still speak: what differs from the GA version.

A client asks for it with the header `OpenAI-Beta: realtime=v1`, or as a browser with a subprotocol. Then the fields of
a session lie flat in `session`, a few server events have other names, and there is one event for an item of the
conversation instead of two. What the client sends needs no translation: the fields of both versions are read.

A transcription session begins with `transcription_session.created`, and clients configure it with
`transcription_session.update`, whatever the handshake.
"""

from typing import Any, Final

from realtime.audio.formats import Encoding
from realtime.wire.codec import Handshake
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.session_object import WireSession

_VERSION: Final = "realtime=v1"
"""Value of the header `OpenAI-Beta`."""

BETA_HEADERS: Final = {"openai-beta": _VERSION}
"""The headers of a client of the beta."""

_SUBPROTOCOL: Final = "openai-beta.realtime-v1"
"""What browsers, which cannot set headers, send instead."""

_FORMAT_NAMES: Final = {
    Encoding.PCM16.value: "pcm16",
    Encoding.MULAW.value: "g711_ulaw",
    Encoding.ALAW.value: "g711_alaw",
}

_EVENT_NAMES: Final = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
"""Names of the beta for the server events of the GA version that it names otherwise."""

_UNKNOWN_EVENTS: Final = frozenset({"conversation.item.done"})
"""Server events that the beta does not have."""

_PART_TYPES: Final = {"output_text": "text", "output_audio": "audio"}
"""Types of the beta for the content of the assistant's items."""

_TEMPERATURE: Final = 0.8
"""The temperature that sessions and responses of the beta show, its default; chat backends use their own."""


def is_beta(handshake: Handshake) -> bool:
    """Return whether the client asks for the beta of the protocol."""
    versions = [each.strip() for each in handshake.headers.get("openai-beta", "").split(",")]
    return _VERSION in versions or _SUBPROTOCOL in handshake.subprotocols


class BetaWriter(FrameWriter):
    """Serialises server events in the names and shapes of the beta; session objects come from `beta_session`."""

    def event(self, event_type: str, **fields: Any) -> str:  # noqa: ANN401
        """Return the message, or "" where the beta does not have the event."""
        if event_type in _UNKNOWN_EVENTS:
            return ""
        if "item" in fields:
            fields["item"] = _item(fields["item"])
        if "response" in fields:
            fields["response"] = _response(fields["response"])
        return super().event(_EVENT_NAMES.get(event_type, event_type), **fields)


def beta_session(session: WireSession) -> dict[str, Any]:
    """Return the session object of the beta."""
    current = session.to_json()
    heard = current["audio"]["input"]
    shown = {
        "id": current["id"],
        "object": current["object"],
        "expires_at": current["expires_at"],
        "modalities": _modalities(current.get("output_modalities", ["text"])),
        "input_audio_format": _format_name(heard["format"]),
        "input_audio_transcription": heard["transcription"],
        "input_audio_noise_reduction": heard["noise_reduction"],
        "turn_detection": heard["turn_detection"],
        "include": current["include"],
        "client_secret": None,
    }
    if session.type == "transcription":
        return shown
    spoken = current["audio"]["output"]
    return shown | {
        "model": current["model"],
        "instructions": current["instructions"],
        "voice": spoken["voice"],
        "speed": spoken["speed"],
        "output_audio_format": _format_name(spoken["format"]),
        "tools": current["tools"],
        "tool_choice": current["tool_choice"],
        "temperature": _TEMPERATURE,
        "max_response_output_tokens": current["max_output_tokens"],
        "tracing": current["tracing"],
    }


def _modalities(modalities: list[str]) -> list[str]:
    """Return the modalities as the beta lists them: speech comes with its text."""
    return ["text"] if modalities == ["text"] else ["audio", "text"]


def _format_name(shown: dict[str, Any]) -> str:
    """Return the name of an audio format; a container, which the beta does not know, keeps that of its type."""
    kind: str = shown["type"]
    return _FORMAT_NAMES.get(kind, kind)


def _item(item: dict[str, Any]) -> dict[str, Any]:
    if "content" not in item:
        return item
    return item | {
        "content": [part | {"type": _PART_TYPES.get(part["type"], part["type"])} for part in item["content"]]
    }


def _response(response: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in response.items() if name not in ("audio", "output_modalities")}
    spoken = response["audio"]["output"]
    return flat | {
        "output": [_item(item) for item in response["output"]],
        "modalities": _modalities(response["output_modalities"]),
        "voice": spoken["voice"],
        "output_audio_format": _format_name(spoken["format"]),
        "temperature": _TEMPERATURE,
    }
