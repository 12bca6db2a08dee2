"""The folder of voices to clone: recordings, and what is said in them in a text file of the same name."""

import logging
from pathlib import Path
from typing import Final

import av

from realtime.errors import UnsupportedAudio, VoiceError
from realtime.speech.style import ReferenceClip

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
