import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.audio.leveller import LOWEST_LEVEL, raised
from realtime.audio.resampler import Resampler
from realtime.engines.hibari import Hibari
from realtime.engines.silero import Silero, pink_noise

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


def test_speech_is_found_where_it_begins_with_the_first_sample(silero: Silero, speech: Samples) -> None:
    begin = 20  # in the middle of a word
    ((found, _),) = silero.score([(speech[begin : begin + 8], silero.initial_state())])
    assert sum(probability >= 0.5 for probability in found) >= 7


@pytest.mark.parametrize("level", [-80, -75, -70, -65, -55])
@pytest.mark.parametrize("frequency", [100, 120, 150, 200])
def test_faint_hum_at_the_beginning_is_not_speech(silero: Silero, frequency: int, level: float) -> None:
    random = np.random.default_rng(1)
    seconds = np.arange(20 * WINDOW) / SAMPLE_RATE
    hum = np.sin(2 * np.pi * frequency * seconds + 1) + 0.3 * random.normal(size=len(seconds))
    values = np.round(hum * 10 ** (level / 20) * 32_768).reshape(-1, WINDOW)
    ((found, _),) = silero.score([((values / 32_768).astype(np.float32), silero.initial_state())])
    assert max(found) < 0.5


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


@pytest.mark.parametrize("decibels", [0, -45])
def test_a_recording_is_scored_as_its_windows_are_one_by_one(silero: Silero, speech: Samples, decibels: int) -> None:
    recording = np.resize(speech * np.float32(10 ** (decibels / 20)), (600, WINDOW))
    ((together, last),) = silero.score([(recording, silero.initial_state())])
    one_by_one: list[float] = []
    state = silero.initial_state()
    for window in recording:
        (((probability,), state),) = silero.score([(window[None], state)])
        one_by_one.append(probability)
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    np.testing.assert_allclose(last, state, atol=1e-4)


def test_the_given_states_are_not_changed(silero: Silero, speech: Samples) -> None:
    before = silero.initial_state()
    silero.score([(speech[:5], before), (speech[:2], before)])
    np.testing.assert_array_equal(before, silero.initial_state())


def test_nothing_to_score_gives_nothing(silero: Silero) -> None:
    assert silero.score([]) == []


def test_the_score_is_the_higher_one_of_the_package_for_the_window_as_it_is_and_raised(
    silero: Silero, speech: Samples
) -> None:
    torch = pytest.importorskip("torch")
    silero_vad = pytest.importorskip("silero_vad")

    def scores(noise: Samples, windows: Samples) -> list[float]:
        model = silero_vad.load_silero_vad(onnx=True)
        after_noise = np.concatenate([noise, windows])
        return [model(torch.from_numpy(window), SAMPLE_RATE).item() for window in after_noise][len(noise) :]

    noise = pink_noise()
    raised_noise, raised_speech = (raised(each, LOWEST_LEVEL)[0] for each in (noise, speech))
    expected = np.maximum(scores(noise, speech), scores(raised_noise, raised_speech))
    ((probabilities, _),) = silero.score([(speech, silero.initial_state())])
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_quiet_speech_is_found(silero: Silero, speech: Samples) -> None:
    quiet = speech * np.float32(10 ** (-45 / 20))
    (found, _), (found_quiet, _) = silero.score([(each, silero.initial_state()) for each in (speech, quiet)])
    assert np.greater(found_quiet, 0.5).sum() >= 0.98 * np.greater(found, 0.5).sum()


def test_speech_after_noise_is_found_at_once(silero: Silero, speech: Samples) -> None:
    noise = np.random.default_rng(1).normal(0, 10 ** (-56 / 20), (200, WINDOW)).astype(np.float32)
    call = np.concatenate([noise, speech + noise[: len(speech)]])
    (clean, _), (noisy, _) = silero.score([(each, silero.initial_state()) for each in (speech, call)])
    assert np.argmax(np.greater(noisy, 0.5)) - len(noise) <= np.argmax(np.greater(clean, 0.5)) + 3


def test_onnxruntime_collects_nothing_for_its_maker(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    code = "import realtime.engines.silero as s; s.Silero()"
    subprocess.run([sys.executable, "-c", code], env=environment | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []


def test_torch_is_not_imported() -> None:
    code = "import sys, realtime.engines.silero as s; s.Silero(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
