"""Speech from Kokoro (https://huggingface.co/hexgrad/Kokoro-82M), StyleTTS 2 in one ONNX graph, for its own process.

The graph turns the phonemes of a phrase into all of its samples in one call, which takes a third of their duration on
one core. A cancelled phrase ends within that call, because onnxruntime stops between two nodes of a graph.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.kokoro import is_british, kokoro_language
from realtime.catalogue.voices import mixture
from realtime.engines.chunks import in_chunks, without_leading_silence
from realtime.engines.kokoro_phonemes import readable_languages, readable_voices, reader, tokens
from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.engines.speech_job import Parts, SpeechJob, described
from realtime.errors import EngineError
from realtime.weights.kokoro import network

KOKORO_RATE: Final = 24_000
"""Sample rate in Hz of the speech."""

FASTEST: Final = 1.0
"""The fastest speed at which Kokoro speaks itself.

Asked for 1.5, it speaks at 1.56, and whisper-base gets 16 of 88 words wrong; of speech that is stretched to 1.5, it
gets 3 wrong, as many as at 1.0.
"""

MAX_TOKENS: Final = 510
"""Most phonemes of one call, which is the length of the model's context without its ends."""

STYLE_SIZE: Final = 256
"""Numbers of a style. A voice has one for each length of a phrase in phonemes."""


class Kokoro:
    """A `ProcessEngine` with the voices in its directory whose languages can be read, and mixtures of them."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        """Load the network in the directory `path` on the `device`: `auto`, `cpu` or `cuda`.

        Raises `UnusableModel` without anything to read a text, and `EngineError` for an unusable directory.
        """
        on_stage("loading")
        languages = readable_languages()
        self._files = readable_voices(Path(arguments["path"]))
        cuda = arguments["device"] != "cpu" and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
        self._session = load_model(
            network(Path(arguments["path"])),
            "The network of Kokoro",
            arguments["threads"],
            arguments["device_index"] if cuda else None,
        )
        reader(kokoro_language(next(iter(self._files))) or "en")  # loading takes a second, better now than later
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._style = lru_cache(len(self._files))(self._read_style)
        self._call = onnxruntime.RunOptions()
        spoken = tuple(code for code in languages if any(kokoro_language(name) == code for name in self._files))
        capabilities = Capabilities(spoken, speed=True, mixing=True, fastest=FASTEST)
        self.description = described(KOKORO_RATE, tuple(self._files), capabilities)

    def run(self, job: Mapping[str, Any], samples: Samples) -> Parts:  # noqa: ARG002 - it clones no voices
        """Yield the phrase in a chunk of 40 ms and further ones of 100 ms."""
        phrase = SpeechJob.from_fields(job)
        self._call = onnxruntime.RunOptions()
        language = phrase.language or kokoro_language(phrase.voice) or "en"
        styles = self.styles(phrase.voice)
        try:
            read = tokens(reader(language, british=is_british(phrase.voice))(phrase.text))
        except (IndexError, ValueError, AssertionError) as exc:
            raise EngineError("Kokoro cannot read this text.") from exc
        for numbers in pieces(read):
            spoken = self._spoken(numbers, styles[min(len(numbers), len(styles)) - 1], phrase.speed)
            for chunk in in_chunks(without_leading_silence(spoken, KOKORO_RATE), KOKORO_RATE):
                yield {}, chunk

    def interrupt(self) -> None:
        self._call.terminate = True

    def _spoken(self, numbers: list[int], style: NDArray[np.float32], speed: float) -> Samples:
        values = np.array([[0, *numbers, 0]], np.int64), style[None], np.array([speed], np.float32)
        try:
            (audio, *_) = self._session.run(None, dict(zip(self._inputs, values, strict=True)), self._call)
        except FAILED_RUN as exc:
            if self._call.terminate:
                return np.empty(0, np.float32)
            raise EngineError("Kokoro failed to speak.") from exc
        return np.asarray(np.clip(np.ravel(audio), -1, 1), np.float32)

    def styles(self, voice: str) -> NDArray[np.float32]:
        """Return the styles of a voice, or the weighted means of those of a mixture, of shape (lengths, 256)."""
        parts = mixture(voice)
        whole = sum(weight for _, weight in parts)
        return np.asarray(sum(np.float32(weight / whole) * self._style(name) for name, weight in parts), np.float32)

    def _read_style(self, name: str) -> NDArray[np.float32]:
        path = self._files[name]
        try:
            if path.stem == name:
                return np.fromfile(path, np.float32).reshape(-1, STYLE_SIZE)
            with np.load(path) as archive:
                return np.asarray(archive[name], np.float32).reshape(-1, STYLE_SIZE)
        except (OSError, ValueError, KeyError) as exc:
            raise EngineError(f"The voice {name} of Kokoro is damaged.") from exc


def pieces(numbers: list[int]) -> list[list[int]]:
    """Cut a phrase that is too long for one call, which 200 characters are in Chinese only, into equal pieces."""
    count = -(-len(numbers) // MAX_TOKENS)
    return [[int(each) for each in piece] for piece in np.array_split(numbers, count)] if count else []
