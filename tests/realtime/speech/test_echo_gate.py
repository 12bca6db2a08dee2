"""Whether speech at the microphone is an answer from the loudspeaker: vowels stand for speech."""

from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.speech.echo_gate import EchoGate

NOISE: Final = 0.0003
CHUNK_WINDOWS: Final = 6
LEAD_WINDOWS: Final = 60
DELAY: Final = 4_000


def speech(seconds: float, seed: int) -> Samples:
    """Return syllables of 100 to 300 ms, each with another pitch and vowel than the last, and a pause."""
    random = np.random.default_rng(seed)
    samples = np.zeros(round(seconds * SAMPLE_RATE))
    start = 0
    while start < len(samples):
        size = int(random.integers(SAMPLE_RATE // 10, SAMPLE_RATE * 3 // 10))
        pitch = np.linspace(random.uniform(100, 200), random.uniform(100, 200), size)
        phase, number = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE, np.arange(2, 20)[:, None]
        formants = np.exp(-(((number * pitch.mean() - random.uniform(200, 3600, (3, 1, 1))) / 400) ** 2)).sum(axis=0)
        syllable = ((0.02 + formants) * np.sin(number * phase)).sum(axis=0) * np.hanning(size)
        samples[start : start + size] = (0.1 * syllable / np.sqrt(np.square(syllable).mean()))[: len(samples) - start]
        start += size * 5 // 4
    return samples.astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def passed(gate: EchoGate, microphone: Samples, answer: Samples | None = None) -> float:
    """Return the share of loud windows that pass, while `answer` is sent in chunks, up to two seconds ahead."""
    windows = windows_of(microphone)
    chunks = (
        [] if answer is None else np.split(answer, range(CHUNK_WINDOWS * WINDOW, len(answer), CHUNK_WINDOWS * WINDOW))
    )
    sent, loud, through = 0, 0, 0
    for index, window in enumerate(windows):
        while sent < len(chunks) and sent * CHUNK_WINDOWS - LEAD_WINDOWS <= index:
            gate.play(chunks[sent])
            sent += 1
        probability = float(np.square(window).mean() > 100 * NOISE**2)
        (kept,) = gate.filter(window[None], [probability])
        assert kept in (0.0, probability)
        loud += probability == 1.0
        through += kept == 1.0
    return through / max(1, loud)


def echo_of(answer: Samples, gain: float = 0.1) -> Samples:
    delayed = np.concatenate([np.zeros(DELAY, np.float32), answer])[: len(answer)]
    result: Samples = np.float32(gain) * delayed
    return result


def windows_of(samples: Samples) -> Samples:
    noise = np.random.default_rng(9).standard_normal(len(samples)).astype(np.float32) * np.float32(NOISE)
    return (samples + noise)[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)


def test_speech_passes_while_nothing_is_played() -> None:
    assert passed(EchoGate(), speech(2, seed=1)) == 1.0


def test_an_answer_from_the_loudspeaker_does_not_pass() -> None:
    answer = speech(6, seed=1)
    assert passed(EchoGate(), echo_of(answer), answer) < 0.02


def test_speech_over_the_echo_passes() -> None:
    gate, answer = EchoGate(), speech(6, seed=1)
    heard = echo_of(answer)
    heard[4 * SAMPLE_RATE :] += 0.4 * speech(2, seed=2)
    assert passed(gate, heard[: 4 * SAMPLE_RATE], answer) < 0.02
    assert passed(gate, heard[4 * SAMPLE_RATE :]) > 0.6


def test_speech_passes_where_the_answer_does_not_come_back() -> None:
    gate, answer = EchoGate(), speech(6, seed=1)
    passed(gate, silence(3), answer)
    assert passed(gate, speech(2, seed=2)) > 0.9


def test_speech_right_after_the_beginning_may_be_echo() -> None:
    assert passed(EchoGate(), speech(0.6, seed=2), speech(3, seed=1)) == 0.0


def test_speech_that_differs_from_the_answer_passes_when_an_echo_would_have_come() -> None:
    answer = speech(3, seed=1)
    heard = np.concatenate([silence(0.7), speech(1.4, seed=2)])
    assert passed(EchoGate(), heard, answer) > 0.1


def test_speech_at_the_beginning_of_the_next_answer_passes() -> None:
    gate, first, second = EchoGate(), speech(4, seed=1), speech(3, seed=3)
    passed(gate, echo_of(first), first)
    passed(gate, silence(10))
    heard = echo_of(second)
    heard[: SAMPLE_RATE // 2] += 0.4 * speech(0.5, seed=2)
    assert passed(gate, heard[: SAMPLE_RATE // 2], second) > 0.5


def test_a_short_pause_between_two_answers_is_silence() -> None:
    gate, first, second = EchoGate(), speech(3, seed=1), speech(3, seed=3)
    passed(gate, echo_of(first), first)
    passed(gate, silence(0.3))
    assert passed(gate, echo_of(second), second) < 0.05


def test_speech_after_the_client_stopped_playing_is_no_echo() -> None:
    gate, answer = EchoGate(), speech(6, seed=1)
    passed(gate, echo_of(answer)[: 3 * SAMPLE_RATE], answer)
    gate.stop()
    gate.stop()
    assert passed(gate, np.concatenate([silence(0.1), 0.4 * speech(1, seed=2)])) > 0.9


def test_pieces_shorter_than_a_window_are_played() -> None:
    gate, answer = EchoGate(), speech(3, seed=1)
    for start in range(0, len(answer), 100):  # all at once
        gate.play(answer[start : start + 100])
    assert passed(gate, echo_of(answer)) < 0.05


def test_a_hum_in_one_band_tells_nothing_about_the_others() -> None:
    gate = EchoGate()
    times = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    hum = (0.1 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    passed(gate, echo_of(hum), hum)
    assert passed(gate, 0.4 * speech(1, seed=2)) > 0.5


def test_channels_hear_the_same_answer_at_the_same_time() -> None:
    gate, answer = EchoGate(), speech(6, seed=1)
    gate.play(answer)
    through = []
    for channel_windows in zip(*(windows_of(echo_of(answer, gain)) for gain in (0.1, 0.03)), strict=True):
        for channel, window in enumerate(channel_windows):
            through += gate.filter(window[None], [1.0], channel)
    assert np.mean(through) < 0.02


def test_an_answer_ends_on_all_channels_when_it_has_been_played() -> None:
    gate, answer = EchoGate(), speech(2, seed=1)
    gate.play(answer)
    windows = windows_of(silence(2.8))
    for window in windows:
        for channel in range(4):
            gate.filter(window[None], [0.0], channel)
    assert [gate.filter(windows[:1], [1.0], channel) for channel in range(4)] == [[1.0]] * 4
