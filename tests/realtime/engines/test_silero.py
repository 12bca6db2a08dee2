import subprocess
import sys

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.audio.resampler import Resampler
from realtime.engines.hibari import Hibari
from realtime.engines.silero import Silero

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Return some seconds of speech at 16 kHz that fill whole windows."""
    voice = Hibari()
    resampler = Resampler(voice.sample_rate, SAMPLE_RATE)
    text = "The weather will be fine until the evening, when some clouds may come in from the west."
    spoken = resampler.process(np.concatenate(list(voice.synthesize(text, voice.voices[0], 1.0))))
    return spoken[: len(spoken) // WINDOW * WINDOW].reshape(-1, WINDOW)


def test_speech_scores_high_and_silence_low(silero: Silero, speech: Samples) -> None:
    silence = np.zeros((60, WINDOW), np.float32)
    noise = np.random.default_rng(1).normal(0, 0.01, (60, WINDOW)).astype(np.float32)
    (spoken, _), (silent, _), (noisy, _) = silero.score([(s, silero.initial_state()) for s in (speech, silence, noise)])
    assert np.mean(spoken[10:-20]) > 0.9
    assert max(silent[3:]) < 0.1
    assert max(noisy[3:]) < 0.3


def test_batched_streams_of_any_length_score_as_they_do_alone(silero: Silero, speech: Samples) -> None:
    streams = [speech[10:30], speech[:0], speech, speech[50:51], speech[5:25], speech[90:40:-1]]
    requests = [(stream, silero.initial_state()) for stream in streams]
    together = silero.score(requests)
    for request, (probabilities, state) in zip(requests, together, strict=True):
        ((alone, state_alone),) = silero.score([request])
        assert len(probabilities) == len(request[0])
        np.testing.assert_allclose(probabilities, alone, atol=1e-5)
        np.testing.assert_allclose(state, state_alone, atol=1e-4)


def test_scoring_in_several_calls_equals_scoring_in_one(silero: Silero, speech: Samples) -> None:
    ((whole, last),) = silero.score([(speech, silero.initial_state())])
    scores: list[float] = []
    state = silero.initial_state()
    for chunk in np.split(speech, [1, 3, 3, 20]):
        ((probabilities, state),) = silero.score([(chunk, state)])
        scores += probabilities
    np.testing.assert_allclose(scores, whole, atol=1e-5)
    np.testing.assert_allclose(state, last, atol=1e-4)


def test_the_given_states_are_not_changed(silero: Silero, speech: Samples) -> None:
    before = silero.initial_state()
    silero.score([(speech[:5], before), (speech[:2], before)])
    assert not before.any()


def test_nothing_to_score_gives_nothing(silero: Silero) -> None:
    assert silero.score([]) == []


def test_scores_are_those_of_the_package(silero: Silero, speech: Samples) -> None:
    torch = pytest.importorskip("torch")
    silero_vad = pytest.importorskip("silero_vad")
    model = silero_vad.load_silero_vad(onnx=True)
    expected = [model(torch.from_numpy(window), SAMPLE_RATE).item() for window in speech]
    ((probabilities, _),) = silero.score([(speech, silero.initial_state())])
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_torch_is_not_imported() -> None:
    code = "import sys, realtime.engines.silero as s; s.Silero(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
