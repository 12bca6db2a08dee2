"""What transcription clients of the Realtime protocol's beta need, beside the names that both versions share.

They announce themselves with `OpenAI-Beta: realtime=v1`, wait for `transcription_session.created`, and configure the
session with `transcription_session.update`, whose fields lie flat in `session`. The events of audio and transcripts
have the same names in both versions. Conversations of the beta are not supported: the events of their responses have
other names.
"""

from typing import Any, Final

from realtime.audio.formats import Encoding
from realtime.wire.codec import Handshake
from realtime.wire.openai.session_object import WireSession

_VERSION: Final = "realtime=v1"
"""Value of the header `OpenAI-Beta`."""

_SUBPROTOCOL: Final = "openai-beta.realtime-v1"
"""What browsers, which cannot set headers, send instead."""

_FORMAT_NAMES: Final = {Encoding.PCM16: "pcm16", Encoding.MULAW: "g711_ulaw", Encoding.ALAW: "g711_alaw"}


def is_beta(handshake: Handshake) -> bool:
    """Return whether the client asks for the beta of the protocol."""
    versions = [each.strip() for each in handshake.headers.get("openai-beta", "").split(",")]
    return _VERSION in versions or _SUBPROTOCOL in handshake.subprotocols


def beta_object(session: WireSession) -> dict[str, Any]:
    """Return the session object of `transcription_session.created` and `transcription_session.updated`."""
    current = session.to_json()
    audio = current["audio"]["input"]
    return {
        "id": current["id"],
        "object": current["object"],
        "modalities": ["text"],
        "input_audio_format": _FORMAT_NAMES[session.config.input_format.encoding],
        "input_audio_transcription": audio["transcription"],
        "input_audio_noise_reduction": audio["noise_reduction"],
        "turn_detection": audio["turn_detection"],
        "include": current["include"],
        "client_secret": None,
    }
