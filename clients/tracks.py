"""Which audio track of a file is played: a named one, or the one that a player would choose unless it is silent."""

from collections.abc import Sequence
from typing import Final

import av
import numpy as np
from av.stream import Disposition

BEGINNING_SECONDS: Final = 120.0
"""Seconds from the beginning of a track in which sound is looked for."""

AUDIBLE: Final = 0.001
"""Least peak of a track that is not silent, of a full scale of 1 (-60 dB): above the noise of an unused input."""

_SECONDARY: Final = Disposition.comment | Disposition.visual_impaired | Disposition.clean_effects


class UnknownTrack(Exception):
    """The file has no track of that name; the message lists those that it has."""


def choose_track(streams: Sequence[av.AudioStream], path: str | None, name: str | None) -> int:
    """Return the index of one of the audio tracks of a file, of which there is at least one.

    `name` is an index from 0, or a language as the file writes it (`ger`). Without it, the track marked as default or
    else the first is chosen, unless it is silent at its beginning and another is not. The tracks are listened to in the
    regular file `path`; None if it can be read only once.

    Raises:
        UnknownTrack: There is no such track.
    """
    if name is not None:
        return _named(name, streams)
    preferred = sorted(
        range(len(streams)),
        key=lambda index: (
            bool(streams[index].disposition & _SECONDARY),
            not streams[index].disposition & Disposition.default,
            index,
        ),
    )
    if len(preferred) == 1 or path is None:
        return preferred[0]
    return next((index for index in preferred if _is_audible(path, index)), preferred[0])


def _named(name: str, streams: Sequence[av.AudioStream]) -> int:
    if name.isdecimal() and int(name) < len(streams):
        return int(name)
    languages = [stream.language or "und" for stream in streams]
    if name.lower() in languages:
        return languages.index(name.lower())
    offered = ", ".join(f"{index} ({language})" for index, language in enumerate(languages))
    raise UnknownTrack(f"no audio track {name!r}; the file has {offered}")


def _is_audible(path: str, index: int) -> bool:
    """Return whether the beginning of a track is not silent; a track that cannot be decoded is."""
    with av.open(path) as container:
        stream = container.streams.audio[index]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=8_000)
        try:
            for frame in container.decode(stream):
                if frame.time is not None and frame.time > BEGINNING_SECONDS:
                    return False
                for each in resampler.resample(frame):
                    if np.abs(each.to_ndarray()).max(initial=0.0) >= AUDIBLE:
                        return True
        except av.FFmpegError:
            return False
    return False
