"""The files of Kokoro: a network, and voices, each in a file of its own or all in one archive of NumPy's.

The first layout is that of the hub and of kokoro-js, the second that of the releases of kokoro-onnx.
"""

import zipfile
from pathlib import Path
from typing import Final

from realtime.catalogue.kokoro import kokoro_language
from realtime.errors import EngineError

DEFAULT_VOICE: Final = "af_heart"
"""The voice that its makers grade best."""


def network(directory: Path) -> Path:
    """Return the network in a complete directory, that of the highest precision."""
    return max((*directory.glob("onnx/*.onnx"), *directory.glob("*.onnx")), key=lambda path: path.stat().st_size)


def voice_files(directory: Path) -> dict[str, Path]:
    """Return the files of the voices by name, the default voice first; none of languages that are not spoken.

    Raises `EngineError` if the archive is damaged.
    """
    files = {path.stem: path for path in directory.glob("voices/*.bin")}
    for archive in directory.glob("voices*.bin"):
        try:
            with zipfile.ZipFile(archive) as names:
                files |= {Path(name).stem: archive for name in names.namelist()}
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as exc:
            raise EngineError(f"The voices of Kokoro in {archive.name} are damaged.") from exc
    spoken = sorted(filter(kokoro_language, files), key=lambda name: (name != DEFAULT_VOICE, name))
    return {name: files[name] for name in spoken}
