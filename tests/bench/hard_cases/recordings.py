"""The recordings beside a development checkout, as the hard cases play them."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr

from clients.playback import decode
from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from tests.bench.speech_clips import RATE, SPEECH

RAW: Final = (".pcm", ".ulaw", ".alaw", ".raw")
"""Names of files without a container, which do not say how they are to be decoded."""


def rows() -> list[dict[str, Any]]:
    """Return what is known of every recording in a container."""
    lines = (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if Path(row["file"]).suffix not in RAW]


@cache
def load(file: str) -> Samples:
    """Return the samples of a recording at 16 kHz."""
    values = np.frombuffer(b"".join(decode(str(SPEECH / file))), "<i2")
    resampled: Samples = soxr.resample(values.astype(np.float32) / np.float32(32_768), RATE, SAMPLE_RATE)
    return resampled


def attenuated(samples: Samples, decibels: float) -> Samples:
    """Return the samples with a gain of `decibels`, which is negative, in 16 bits."""
    values = np.frombuffer(encode(samples * np.float32(10 ** (decibels / 20)), Encoding.PCM16), "<i2")
    return values.astype(np.float32) / np.float32(32_768)
