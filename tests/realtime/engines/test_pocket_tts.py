"""pocket-tts: the real library with a tiny random model, in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.registry import InstalledEngines
from realtime.errors import UnusableModel
from realtime.settings import Settings
from tests.support.voice_process import ROOT, VoiceProcess

PYTHON = ROOT / ".voices" / "bin" / "python"
TEXT = "Good morning."

with_pocket_tts = pytest.mark.skipif(
    not [*(ROOT / ".voices").glob("lib/python*/site-packages/pocket_tts")],
    reason="pocket-tts is not installed: make voices",
)


def program(directory: Path) -> EngineProgram:
    engine = InstalledEngines(Settings(model_paths=(f"pocket-tts={directory}",))).synthesizer(lookup("pocket-tts"))
    assert isinstance(engine, EngineProgram)
    return replace(engine, python=str(PYTHON))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pocket") / "model"
    command = [str(PYTHON), str(ROOT / "tests" / "support" / "tiny_pocket.py"), str(directory)]
    made = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="module")
def pocket(model: Path) -> Iterator[VoiceProcess]:
    opened = VoiceProcess(program(model))
    yield opened
    opened.close()


@with_pocket_tts
@pytest.mark.models
def test_its_voices_are_the_files_beside_the_weights(pocket: VoiceProcess) -> None:
    assert pocket.pool.description["voices"] == ["alba", "anna"]
    assert pocket.pool.description["sample_rate"] == 24_000
    assert pocket.pool.description["capabilities"]["languages"] == ["en"]


@with_pocket_tts
@pytest.mark.models
def test_pocket_tts_speaks_in_parts_of_80_ms(pocket: VoiceProcess) -> None:
    parts = pocket.spoken(TEXT, "anna")
    assert {len(part) % 1920 for part in parts} == {0}
    samples = np.concatenate(parts)
    assert samples.dtype == np.float32
    assert 0 < np.abs(samples).max() <= 1


@with_pocket_tts
@pytest.mark.models
def test_after_a_cancellation_the_same_process_speaks_the_next_phrase(pocket: VoiceProcess) -> None:
    (process,) = pocket.children()
    for _ in range(20):
        assert len(pocket.spoken("It was a bright cold day in April. " * 5, "alba", first=1)) == 1
        pocket.run(pocket.idle())
    assert pocket.spoken(TEXT, "alba")
    assert pocket.children() == [process]
    assert process.num_threads() < 20


@with_pocket_tts
@pytest.mark.models
@pytest.mark.parametrize("text", ["", " \n ", "?!", "👍"])
def test_text_that_pocket_tts_cannot_pronounce_gives_nothing(pocket: VoiceProcess, text: str) -> None:
    assert pocket.spoken(text, "alba") == []


@pytest.mark.skipif(find_spec("pocket_tts") is not None, reason="pocket-tts is installed")
def test_without_the_library_the_error_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "embeddings").mkdir()
    for name in ("model.safetensors", "tokenizer.json", "embeddings/alba.safetensors"):
        (tmp_path / name).touch()
    with pytest.raises(UnusableModel, match="extra `pocket`"):
        VoiceProcess(replace(program(tmp_path), python=sys.executable))
