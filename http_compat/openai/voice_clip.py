"""The recording of a voice to clone that comes with a request for speech."""

from typing import Final

from realtime.errors import AudioTooLong, UnsupportedAudio
from realtime.media.decoder_pool import DecoderPool
from realtime.models.voice_clips import decoded_clip
from realtime.speech.style import ReferenceClip

_FIELD: Final = "prompt_speech"


async def read_clip(decoders: DecoderPool, recording: bytes | None, transcript: str) -> ReferenceClip | None:
    """Decode the recording; None without one. Raises as `decoded_clip`, with the name of the field."""
    if not recording:
        return None
    try:
        return await decoded_clip(decoders, recording, transcript)
    except (AudioTooLong, UnsupportedAudio) as error:
        raise type(error)(f"`{_FIELD}`: {error.message}", param=_FIELD) from error
