"""The recording of a voice to clone that comes with a request for speech."""

import tempfile
from typing import Final

import numpy as np

from realtime.audio.formats import Samples
from realtime.errors import AudioTooLong, UnsupportedAudio
from realtime.media.decoder_pool import DecoderPool
from realtime.speech.style import MAX_CLIP_SECONDS, ReferenceClip

_FIELD: Final = "prompt_speech"


async def read_clip(decoders: DecoderPool, recording: bytes | None, transcript: str) -> ReferenceClip | None:
    """Decode the recording, in any container that can be uploaded; None without one.

    Raises `UnsupportedAudio` if it is no audio or too short, `AudioTooLong`, and `Overloaded`.
    """
    if not recording:
        return None
    try:
        return ReferenceClip(await _decoded(decoders, recording), transcript)
    except (AudioTooLong, UnsupportedAudio) as error:
        raise type(error)(f"`{_FIELD}`: {error.message}", param=_FIELD) from error


async def _decoded(decoders: DecoderPool, recording: bytes) -> Samples:
    with tempfile.TemporaryFile() as file:
        file.write(recording)
        file.seek(0)
        async with decoders.decoding(file, MAX_CLIP_SECONDS) as audio:
            blocks = [block async for block in audio]
    return np.concatenate([np.empty(0, np.float32), *blocks])
