"""How the speech of the voices of processes sounds as a whole: `python -m tests.bench.hard_cases.voices_as_a_whole`.

For Kokoro (int8 weights of a package), and for tiny random models of pocket-tts, ChatTTS and, where
VIVAVOCE_COSYVOICE_HOME is set, of CosyVoice, in `make voices`' environment: the loudness of all phrases and the phrase
that differs from it most, as ITU-R BS.1770 measures them (pyloudnorm); the largest step between two chunks and between
two phrases beside the largest within chunks; and the silence after the phrases, beside the one that the punctuation
asks for.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.registry import InstalledEngines
from realtime.models.synthesizers import ProcessSynthesizerHandle, SynthesizerHandle
from realtime.settings import Settings
from realtime.speech.pauses import pause_after
from realtime.speech.phrases import phrases
from tests.support.kokoro import PARTS, kokoro_directory
from tests.support.loudness import lufs
from tests.support.voice_process import ROOT

PYTHON: Final = ROOT / ".voices" / "bin" / "python"
TEXT: Final = (
    "Good morning, and welcome to the museum! Really? Nobody knows why, but the children say that a dragon did it.\n\n"
    "Stop! It costs $12,500.50. Please leave your bags at the desk, and follow me."
)
SILENCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Sound:
    """What was measured of one voice: loudness in LUFS and LU, steps of amplitude, pauses in seconds."""

    loudness: float
    largest_difference: float
    step_between_chunks: float
    step_between_phrases: float
    step_within: float
    shortest_pause_ratio: float


def measured(voice: SynthesizerHandle, runner: asyncio.Runner, text: str = TEXT) -> Sound:
    """Speak the phrases of a text one after another and measure them."""
    written, rate = phrases(text), voice.sample_rate

    async def speak() -> list[list[Samples]]:
        return [
            [chunk async for chunk in voice.synthesize(phrase, voice.voices[0], 1.0) if len(chunk)]
            for phrase in written
        ]

    spoken = runner.run(speak())
    wholes = [np.concatenate(chunks) for chunks in spoken]
    whole = lufs(np.concatenate(wholes), rate)
    pauses = [
        (len(samples) - 1 - np.flatnonzero(np.abs(samples) > SILENCE)[-1]) / rate / pause_after(phrase)
        for samples, phrase in zip(wholes, written, strict=True)
    ]
    between_chunks = [abs(after[0] - before[-1]) for chunks in spoken for before, after in pairwise(chunks)]
    return Sound(
        whole,
        max(abs(lufs(samples, rate) - whole) for samples in wholes),
        float(max(between_chunks)),
        float(max(abs(after[0] - before[-1]) for before, after in pairwise(wholes))),
        float(max(np.abs(np.diff(chunk)).max() for chunks in spoken for chunk in chunks if len(chunk) > 1)),
        float(min(pauses)),
    )


def programs(directory: Path) -> Iterator[tuple[str, Callable[[], EngineProgram]]]:
    """Yield the voices that can be made here."""

    def tiny(name: str, script: str, python: str, *arguments: str) -> EngineProgram:
        path = directory / name
        command = [python, str(ROOT / "tests" / "support" / script), *arguments, str(path)]
        if name == "CosyVoice":
            command.append("2")
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return program(name, path, python)

    def program(name: str, path: Path, python: str) -> EngineProgram:
        home = os.environ.get("VIVAVOCE_COSYVOICE_HOME")
        settings = Settings(model_paths=(f"{name}={path}",), cosyvoice_home=Path(home) if home else None,
                            chattts_python=PYTHON)  # fmt: skip
        engine = InstalledEngines(settings).synthesizer(lookup(name))
        assert isinstance(engine, EngineProgram)
        return replace(engine, python=python)

    if PARTS:
        yield "kokoro", lambda: program("kokoro", kokoro_directory(directory / "kokoro"), str(PYTHON))
    yield "pocket-tts", lambda: tiny("pocket-tts", "tiny_pocket.py", str(PYTHON))
    yield "ChatTTS", lambda: tiny("ChatTTS", "tiny_chattts.py", str(PYTHON))
    if home := os.environ.get("VIVAVOCE_COSYVOICE_HOME"):
        python = os.environ.get("VIVAVOCE_COSYVOICE_PYTHON", sys.executable)
        yield "CosyVoice", lambda: tiny("CosyVoice", "tiny_cosyvoice.py", python, home)


def main() -> None:
    print(f"{'voice':12}{'LUFS':>8}{'phrase':>8}{'chunks':>9}{'phrases':>9}{'within':>9}{'pause':>8}")
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        for name, make in programs(Path(folder)):
            handle = ProcessSynthesizerHandle(lookup(name), make(), {}, lambda _: None)
            try:
                sound = measured(handle, runner)
            finally:
                handle.close()
            print(
                f"{name:12}{sound.loudness:8.1f}{sound.largest_difference:8.1f}{sound.step_between_chunks:9.4f}"
                f"{sound.step_between_phrases:9.4f}{sound.step_within:9.4f}{sound.shortest_pause_ratio:8.2f}"
            )


if __name__ == "__main__":
    main()
