"""The answers that need no session: what the service offers, and that it is there."""

from collections.abc import Sequence
from typing import Any, Final

from realtime.catalogue.table import ModelEntry
from realtime.catalogue.voices import voice_languages
from realtime.errors import VoiceError
from realtime.languages import LANGUAGES
from realtime.wire.wyoming.framing import WyomingEvent
from realtime.wire.wyoming.messages import Ping, data_of

_NAME: Final = "Vivavoce"
"""Name of the programs, under which Home Assistant shows them."""


def info(
    recognizers: Sequence[ModelEntry], voices: Sequence[tuple[ModelEntry, Sequence[str]]], version: str
) -> WyomingEvent:
    """Return the answer to `describe`: the recognizers, and the voice models with their voices; the default ones first.

    `version` is that of this service.
    """
    speech, _ = voices[0]
    asr = {
        **_artifact(_NAME, "Streaming speech recognition", recognizers[0], version),
        "models": [
            {
                **_artifact(entry.name, f"{entry.name}, {entry.licence}", entry, version),
                "languages": list(entry.languages or LANGUAGES),
            }
            for entry in recognizers
        ],
        "supports_transcript_streaming": True,
        "requires_external_vad": True,
    }
    tts = {
        **_artifact(_NAME, "Streaming speech synthesis", speech, version),
        "voices": [
            {
                **_artifact(voice, f"{voice.capitalize()} ({entry.name})", entry, version),
                "languages": list(voice_languages(voice, entry.languages) or LANGUAGES),
            }
            for entry, names in voices
            for voice in names
        ],
        "supports_synthesize_streaming": True,
    }
    return WyomingEvent(
        "info", {"asr": [asr], "tts": [tts], "handle": [], "intent": [], "wake": [], "mic": [], "snd": []}
    )


def pong(ping: WyomingEvent) -> WyomingEvent:
    """Return the answer to `ping`, with its text. Raises `BadMessage`."""
    return WyomingEvent("pong", {"text": data_of(ping, Ping).text})


def error_event(error: VoiceError) -> WyomingEvent:
    """Return the event that reports an error."""
    return WyomingEvent("error", {"text": error.public_message, "code": error.code})


def _artifact(name: str, description: str, entry: ModelEntry, version: str) -> dict[str, Any]:
    """Return what Wyoming says of every program, model and voice; those who made the model are its attribution."""
    return {
        "name": name,
        "attribution": {"name": entry.source.partition("/")[0], "url": f"https://huggingface.co/{entry.source}"},
        "installed": True,
        "description": description,
        "version": version,
    }
