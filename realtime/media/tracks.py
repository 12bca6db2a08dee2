"""The audio tracks of a file: how a decoding process describes them, and in which order they come into question."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

MAX_TRACKS: Final = 16
"""Audio tracks of a file that are considered; films have one per language."""

_MAX_TEXT: Final = 100
"""Characters of a language or title."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An audio track of a file.

    Attributes:
        index: Position among the audio tracks, from 0.
        language: Language code as the file has it (mostly ISO 639-2), empty if it has none.
        title: Title or name, empty if there is none.
        default: The file marks it as the one to play.
        secondary: A comment, a description of pictures, or undecodable: not what a recording is about.
    """

    index: int
    language: str = ""
    title: str = ""
    default: bool = False
    secondary: bool = False


def by_preference(tracks: Iterable[AudioTrack]) -> list[AudioTrack]:
    """Return the tracks in the order in which a player would choose one."""
    return sorted(tracks, key=lambda track: (track.secondary, not track.default, track.index))


def to_json(chosen: int, tracks: Iterable[AudioTrack]) -> bytes:
    """Encode the index of the track that is decoded, and all tracks."""
    return json.dumps([chosen, [asdict(track) for track in tracks]]).encode()


def from_json(data: bytes) -> tuple[AudioTrack, tuple[AudioTrack, ...]]:
    """Decode what `to_json` encoded: the track that is decoded, and all tracks. Raises `ValueError`."""
    try:
        chosen, entries = json.loads(data)
        tracks = tuple(
            AudioTrack(
                number,
                str(entry["language"])[:_MAX_TEXT],
                str(entry["title"])[:_MAX_TEXT],
                bool(entry["default"]),
                bool(entry["secondary"]),
            )
            for number, entry in enumerate(entries[:MAX_TRACKS])
        )
        return next(track for track in tracks if track.index == chosen), tracks
    except (TypeError, KeyError, StopIteration, RecursionError) as error:
        raise ValueError("not a list of tracks") from error
