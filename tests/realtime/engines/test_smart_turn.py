import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.engines import smart_turn
from realtime.engines.hibari import Hibari
from realtime.engines.smart_turn import MODEL, SmartTurn
from realtime.errors import EngineError, UnusableModel
from realtime.speech.endpointing import JUDGED_SILENCE
from realtime.weights.bundled import package_directory
from tests.support.bundled_models import require_packages

pytestmark = pytest.mark.models

TEXTS = ("I would like to book a table for two people tomorrow evening.", "What is the weather like today?")


@pytest.fixture(scope="module")
def model() -> SmartTurn:
    require_packages("pipecat")
    return SmartTurn()


@pytest.fixture(scope="module")
def spoken() -> list[Samples]:
    """Return sentences at 16 kHz, each with the silence that belongs to a judged pause."""
    voice = Hibari()
    return [_with_pause(np.concatenate(list(voice.synthesize(text, voice.voices[0], 1.0))), voice) for text in TEXTS]


def _with_pause(samples: Samples, voice: Hibari) -> Samples:
    at_16_khz = Resampler(voice.sample_rate, SAMPLE_RATE).process(samples)
    end = int(np.flatnonzero(np.abs(at_16_khz) > 0.02)[-1])
    return np.concatenate([at_16_khz[:end], np.zeros(JUDGED_SILENCE, np.float32)])


@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_a_sentence_is_finished_at_its_end_and_not_in_its_middle(
    model: SmartTurn, spoken: list[Samples], gain: float
) -> None:
    for sentence in spoken:
        turn = np.float32(gain) * sentence
        assert model.score(turn) > 0.5
        assert model.score(turn[: len(turn) // 2]) < 0.2


def test_only_the_last_8_seconds_count(model: SmartTurn, spoken: list[Samples]) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    long = np.concatenate([noise, *[spoken[0]] * 4])
    assert model.score(long) == model.score(long[SAMPLE_RATE:])


def test_no_audio_is_scored_too(model: SmartTurn) -> None:
    assert 0 <= model.score(np.zeros(0, np.float32)) <= 1


def test_the_scores_are_those_of_the_package(model: SmartTurn, spoken: list[Samples]) -> None:
    """Its module for features needs nothing but numpy, so it can be run without the package's dependencies."""
    directory = package_directory("pipecat")
    assert directory is not None
    path = directory / "audio/turn/smart_turn/_whisper_features.py"
    spec = importlib.util.spec_from_file_location("whisper_features", path)
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    session = onnxruntime.InferenceSession(directory / MODEL, providers=["CPUExecutionProvider"])
    for turn in (*spoken, spoken[0][: 2 * SAMPLE_RATE]):
        features = package.compute_whisper_log_mel_features(np.pad(turn, (8 * SAMPLE_RATE - len(turn), 0)))
        ((expected,),) = session.run(None, {"input_features": features[np.newaxis]})[0]
        assert model.score(turn) == pytest.approx(expected, abs=0.02)


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "package_directory", lambda _: None)
    with pytest.raises(UnusableModel, match="pip install --no-deps 'pipecat-ai"):
        SmartTurn()


def test_a_damaged_file_is_an_engine_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / MODEL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a model")
    monkeypatch.setattr(smart_turn, "package_directory", lambda _: tmp_path)
    with pytest.raises(EngineError):
        SmartTurn()
