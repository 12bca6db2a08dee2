"""Voices to clone: those of a folder, with what is said in them in a text file beside them, and those of clients."""

import logging
import tempfile
from pathlib import Path
from typing import Final

import av
import numpy as np

from realtime.errors import UnsupportedAudio, VoiceError
from realtime.media.decoder_pool import DecoderPool
from realtime.speech.style import MAX_CLIP_SECONDS, ReferenceClip

logger = logging.getLogger(__name__)

SUFFIXES: Final = frozenset({".aac", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".webm"})
"""Endings of files that are taken for recordings."""

MAX_VOICES: Final = 100
"""Most recordings of the folder that are read, in the order of their names; one of 30 s takes 2 MB of memory."""


def voice_clips(directory: Path | None) -> dict[str, ReferenceClip]:
    """Read the recordings of a directory, by their names without the ending.

    One that cannot be used is left out, and the log says why. The files are the operator's, so they are decoded here
    and not in a confined process.
    """
    if directory is None:
        return {}
    clips: dict[str, ReferenceClip] = {}
    recordings = [path for path in sorted(directory.expanduser().glob("*")) if path.suffix.lower() in SUFFIXES]
    for path in recordings[:MAX_VOICES]:
        try:
            clips[path.stem] = _read(path)
        except (VoiceError, OSError, ValueError) as exc:
            logger.warning("the voice %s cannot be used: %s", path.name, exc)
    return clips


def _read(path: Path) -> ReferenceClip:
    from faster_whisper.audio import decode_audio

    try:
        samples = decode_audio(str(path))
    except (av.FFmpegError, IndexError) as exc:  # IndexError: no audio stream
        raise UnsupportedAudio("The file cannot be decoded.") from exc
    transcript = path.with_suffix(".txt")
    return ReferenceClip(samples, transcript.read_text(encoding="utf-8").strip() if transcript.is_file() else "")


async def decoded_clip(decoders: DecoderPool, recording: bytes, transcript: str) -> ReferenceClip:
    """Decode what a client has sent, in any container that can be uploaded; `transcript` is what is said in it.

    Raises `UnsupportedAudio` if it is no audio or too short, `AudioTooLong`, and `Overloaded`.
    """
    with tempfile.TemporaryFile() as file:
        file.write(recording)
        file.seek(0)
        async with decoders.decoding(file, MAX_CLIP_SECONDS) as audio:
            blocks = [block async for block in audio]
    return ReferenceClip(np.concatenate([np.empty(0, np.float32), *blocks]), transcript)
