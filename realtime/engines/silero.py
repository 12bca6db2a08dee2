"""Voice activity detection with Silero VAD's ONNX files, many streams or many windows in one call.

The model takes a window of 512 samples at 16 kHz with 64 samples of context, and the state of an LSTM. The package
keeps context and state in its model object, which therefore serves a single stream; here they belong to each stream.
The package itself is never imported, because that imports torch.

Live streams have a few new windows each, which are scored window after window with all streams in one call. Recordings
have many, which are scored in one call of another file of the package, the same model unrolled over a sequence.

The model misses quiet speech, and where quiet audio is raised (`audio/leveller.py`), the speech that follows raised
noise. So each window is scored twice, as it is and raised, and the higher probability counts. That finds all windows
with speech in 149 recordings, and 99 % of them where the recordings are 40 dB quieter: 78 % without raising them.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.audio.leveller import LOWEST_LEVEL, raised
from realtime.engines.base import VadState
from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.errors import EngineError

_CONTEXT: Final = 64
"""Samples before each window that the model takes with it."""

_LSTM_SHAPE: Final = (2, 128)
"""Shape of the LSTM's state, the hidden and the cell vector."""

_STATE_SIZE: Final = _LSTM_SHAPE[0] * _LSTM_SHAPE[1] + _CONTEXT
"""Numbers in the state of the model for one audio signal."""

_LEADING_WINDOWS: Final = 8
"""Windows of noise (256 ms) that a stream is scored after.

With a state of zeros the model takes up to 0.2 s to notice speech that begins with the first sample, as it does where
the client commits turns by hand: of 218 spoken digits, letters and words cut out without the silence around them, 18
had less than 224 ms of speech, after noise none; 40 dB lower 26, after noise 15. After digital silence it is one and
two, but near silence and faint hum seem to be speech there: 8 of 68 recordings that begin without speech had two such
windows in a row, after noise one.
"""

_LEADING_LEVEL: Final = -50.0
"""Level in dBFS of that noise, which is pink, as in a quiet room."""

_MODEL: Final = "silero_vad_16k_op15.onnx"
"""The package's model for a window of each stream, at 16 kHz: the results of that for two rates at half its size."""

_RATE: Final[NDArray[Any]] = np.array(SAMPLE_RATE, np.int64)
"""The sampling rate, which that model takes as an input."""

_SEQUENCE_MODEL: Final = "silero_vad_16k_sequence.onnx"
"""The package's model for consecutive windows of one stream, with the same weights."""

_SEQUENCE_WINDOWS: Final = 16
"""Windows of one stream from which on they are scored as a sequence.

A window takes 0.37 ms one by one, as it is and raised, and 0.25 ms in a sequence of 16, 0.21 ms of 320, on a busy
machine.
"""

_MAX_SEQUENCE: Final = 512
"""Windows of one call at most, as in the package: 16 s, whose features take 20 MB."""


class Silero:
    """A `Detector` on one CPU thread.

    A window of one stream takes 0.11 ms, of twelve streams 0.07 ms each: 0.35 % and 0.21 % of a core per stream.
    A `VadState` holds the LSTM's two vectors and the context for the audio as it is, the same for the raised audio, and
    the level of the audio in dBFS.
    """

    def __init__(self) -> None:
        """Load the model. Raises `EngineError` if the package or its model is missing or damaged."""
        self._model = load_model(_model_file(_MODEL), "The Silero model")
        self._sequence_model = load_model(_model_file(_SEQUENCE_MODEL), "The Silero model")
        zero = np.append(np.zeros(2 * _STATE_SIZE, np.float32), np.float32(LOWEST_LEVEL))
        ((_, self._initial_state),) = self.score([(pink_noise(), zero)])
        self._initial_state[-1] = LOWEST_LEVEL  # quiet speech that follows at once is raised as well

    def initial_state(self) -> VadState:
        return self._initial_state.copy()

    def score(self, requests: Sequence[tuple[NDArray[np.float32], VadState]]) -> list[tuple[list[float], VadState]]:
        """Score windows of shape (n, 512) of several streams; see `Detector`."""
        signals: list[tuple[NDArray[np.float32], VadState]] = []
        levels = []
        for windows, state in requests:
            raised_windows, level = raised(windows, float(state[-1]))
            signals += [(windows, state[:_STATE_SIZE]), (raised_windows, state[_STATE_SIZE:-1])]
            levels.append(level)
        scored = self._score_signals(signals)
        return [
            ([max(pair) for pair in zip(as_it_is, as_raised, strict=True)], _joined(one, other, level))
            for (as_it_is, one), (as_raised, other), level in zip(scored[::2], scored[1::2], levels, strict=True)
        ]

    def _score_signals(
        self, requests: Sequence[tuple[NDArray[np.float32], VadState]]
    ) -> list[tuple[list[float], VadState]]:
        short = [request for request in requests if len(request[0]) < _SEQUENCE_WINDOWS]
        together = iter(self._score_in_steps(short))
        return [
            next(together) if len(windows) < _SEQUENCE_WINDOWS else self._score_sequence(windows, state)
            for windows, state in requests
        ]

    def _score_sequence(self, windows: NDArray[np.float32], state: VadState) -> tuple[list[float], VadState]:
        """Score the windows of one signal, many per call."""
        signal = np.concatenate((state[-_CONTEXT:], windows.reshape(-1)))
        frames = np.lib.stride_tricks.sliding_window_view(signal, _CONTEXT + WINDOW)[::WINDOW]
        hidden, cell = state[:-_CONTEXT].reshape(_LSTM_SHAPE[0], 1, 1, _LSTM_SHAPE[1])
        probabilities: list[float] = []
        for start in range(0, len(frames), _MAX_SEQUENCE):
            block = np.ascontiguousarray(frames[start : start + _MAX_SEQUENCE])
            scores, hidden, cell = _run(self._sequence_model, {"input": block, "h": hidden, "c": cell})
            probabilities += scores.tolist()
        return probabilities, np.concatenate((hidden.reshape(-1), cell.reshape(-1), signal[-_CONTEXT:]))

    def _score_in_steps(
        self, requests: Sequence[tuple[NDArray[np.float32], VadState]]
    ) -> list[tuple[list[float], VadState]]:
        """Score one window of every signal per step; the batch shrinks as the shorter requests end."""
        longest_first = sorted(range(len(requests)), key=lambda index: -len(requests[index][0]))
        lengths = [len(requests[index][0]) for index in longest_first]
        signals = []
        memory = np.empty((_LSTM_SHAPE[0], len(requests), _LSTM_SHAPE[1]), np.float32)
        for row, index in enumerate(longest_first):
            windows, state = requests[index]
            signals.append(np.concatenate((state[-_CONTEXT:], windows.reshape(-1))))
            memory[:, row] = state[:-_CONTEXT].reshape(_LSTM_SHAPE)

        probabilities: list[list[float]] = [[] for _ in requests]
        active = len(requests)
        for step in range(max(lengths, default=0)):
            while lengths[active - 1] <= step:
                active -= 1
            first = step * WINDOW
            frames = np.stack([signal[first : first + _CONTEXT + WINDOW] for signal in signals[:active]])
            inputs = {"input": frames, "state": memory[:, :active], "sr": _RATE}
            scores, memory[:, :active] = _run(self._model, inputs)
            for row, probability in enumerate(scores[:, 0].tolist()):
                probabilities[row].append(probability)

        answers: dict[int, tuple[list[float], VadState]] = {}
        for row, index in enumerate(longest_first):
            state = np.concatenate((memory[:, row].reshape(-1), signals[row][-_CONTEXT:]))
            answers[index] = probabilities[row], state
        return [answers[index] for index in range(len(requests))]

    def close(self) -> None:
        del self._model, self._sequence_model


def _run(model: InferenceSession, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[np.float32]]:
    """Return the probabilities and the state after the last window."""
    try:
        outputs: Sequence[NDArray[np.float32]] = model.run(None, inputs)
    except FAILED_RUN as exc:
        raise EngineError("Silero failed to score the audio.") from exc
    return outputs


def _joined(as_it_is: VadState, as_raised: VadState, level: float) -> VadState:
    """Return the state of a stream from those of its two signals and its level."""
    return np.concatenate((as_it_is, as_raised, np.asarray([level], np.float32)))


def pink_noise() -> NDArray[np.float32]:
    """Return the noise that precedes a stream, shape (`_LEADING_WINDOWS`, 512), the same each time."""
    size = _LEADING_WINDOWS * WINDOW
    white = np.fft.rfft(np.random.default_rng(0).normal(size=size))
    noise = np.fft.irfft(white / np.sqrt(np.maximum(np.arange(len(white)), 1)))
    noise *= 10 ** (_LEADING_LEVEL / 20) / np.sqrt(np.mean(noise**2))
    return noise.astype(np.float32).reshape(-1, WINDOW)


def _model_file(name: str) -> Path:
    package = find_spec("silero_vad")
    if package is None or package.origin is None:
        raise EngineError(
            "The package silero-vad is not installed. Install it without torch, which it asks for and does not need: "
            "pip install --no-deps 'silero-vad>=6.2.3,<7'"
        )
    return Path(package.origin).parent / "data" / name
