"""The files of one of Piper's voices: a network, and a description of it beside it.

All voices share a repository, in which each has a directory of its own.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from realtime.catalogue.piper import PIPER_REPOSITORY, piper_file
from realtime.errors import EngineError
from realtime.weights import hub
from realtime.weights.progress import Report

_DESCRIPTION: Final = ".json"
"""What follows the name of the network in the name of its description."""


def network(directory: Path) -> Path | None:
    """Return the network in a directory; None unless there is exactly one, and its description."""
    found = [path for path in directory.glob("*.onnx") if path.with_name(path.name + _DESCRIPTION).is_file()]
    return found[0] if len(found) == 1 else None


def speakers(network: Path) -> tuple[str, ...]:
    """Return the names of the speakers, the first one is the default; for a single one, that in the name of the file.

    Raises `EngineError` if the description is damaged.
    """
    try:
        description = json.loads(network.with_name(network.name + _DESCRIPTION).read_text(encoding="utf-8"))
        speakers = description.get("speaker_id_map") or {}
        if not isinstance(speakers, Mapping):
            raise TypeError(f"speaker_id_map is {type(speakers).__name__}")  # noqa: TRY301 - as what json finds
        return tuple(speakers) or (network.stem.split("-")[1],)
    except (OSError, ValueError, AttributeError, IndexError, TypeError, RecursionError) as exc:
        raise EngineError(f"The description of the voice {network.stem} is damaged.") from exc


def cached(name: str) -> Path | None:
    """Return the directory of a voice in the cache of the hub; None if it is not complete."""
    snapshot = hub.cached(PIPER_REPOSITORY, _files(name))
    directory = (snapshot / piper_file(name)).parent if snapshot else None
    return directory if directory and network(directory) else None


def download(name: str, report: Report) -> Path:
    """Download a voice; return its directory. Raises `HubError`, and `EngineError` if there is no such voice."""
    wanted = _files(name)
    remote = hub.files(PIPER_REPOSITORY, wanted)
    if missing := [file for file in wanted if file not in remote]:
        raise EngineError(f"{PIPER_REPOSITORY} has no voice {name}: it lacks {', '.join(missing)}.")
    return (hub.download(PIPER_REPOSITORY, remote, report) / piper_file(name)).parent


def remove(name: str) -> int:
    """Delete a voice from the cache of the hub, but no other; return the number of bytes freed."""
    directory = cached(name)
    freed = 0
    for link in directory.iterdir() if directory else ():
        file = link.resolve()
        freed += file.stat().st_size
        link.unlink()
        file.unlink(missing_ok=True)
    return freed


def _files(name: str) -> tuple[str, str]:
    return piper_file(name), piper_file(name) + _DESCRIPTION
