"""Whisper through faster-whisper and CTranslate2.

`encode` encodes as short a window as the audio needs (`windows`) and detects the language (`detection`). `decode`
generates drafts (`decoder`) and returns the hypothesis of each request, or the state to decode next (`steps`).
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from faster_whisper import WhisperModel
from threadpoolctl import threadpool_limits

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ENGLISH
from realtime.engines.onnx import FAILED_RUN
from realtime.engines.whisper.cpu import enable_avx512, has_vnni
from realtime.engines.whisper.decoder import Decoder
from realtime.engines.whisper.detection import LanguageDetector
from realtime.engines.whisper.encoder import Encoder
from realtime.engines.whisper.options import preceding
from realtime.engines.whisper.speculative import SpeculativeDecoder
from realtime.engines.whisper.speculative_loading import load as load_decoder
from realtime.engines.whisper.steps import Step, Steps
from realtime.engines.whisper.vocabulary import with_first_merge
from realtime.engines.whisper.windows import DecodeState, Encoding, batches, padded
from realtime.errors import EngineError
from realtime.speech.language_evidence import DetectedLanguage
from realtime.speech.recognition import TranscriptionRequest

logger = logging.getLogger(__name__)

MEASUREMENTS: Final = 3
"""How often a partial is measured at most when a model is loaded."""

MEASURING_SECONDS: Final = 0.5
"""Seconds after which no further measurement begins."""

IN_8_BITS: Final = frozenset({"int8", "int8_float32"})
"""CTranslate2's types of computation in 8 bits on a CPU."""


class Whisper:
    """A Whisper model of any size in CTranslate2's format."""

    def __init__(
        self,
        directory: Path,
        *,
        languages: tuple[str, ...] = (),
        translation: bool = True,
        device: str = "auto",
        device_index: int = 0,
        compute_type: str = "default",
        speculative: bool = True,
        workers: int = 1,
        threads: int = 0,
    ) -> None:
        """Load the model for `workers` threads that call it, with `threads` of its own each. Raises `EngineError`.

        `speculative` says that greedy text is verified where it is expected, as far as the CPU can (`speculative`).
        `languages` are those it was trained for, empty for all of its vocabulary. With a single one, none is detected.
        """
        enable_avx512()
        try:
            model = WhisperModel(
                str(directory),
                device=device,
                device_index=device_index,
                compute_type=compute_type,
                num_workers=workers,
                cpu_threads=threads,
            )
        except (RuntimeError, ValueError, OSError) as exc:
            raise EngineError(f"The Whisper model could not be loaded: {exc}") from exc
        self.capabilities = (
            Capabilities(languages, translation=translation, word_times=True)
            if model.model.is_multilingual
            else Capabilities(ENGLISH, word_times=True)
        )
        known = self.capabilities.languages
        self._only_language = known[0] if len(known) == 1 else None
        self.workers, self.threads = workers, threads
        self._model = model.model
        # NumPy multiplies one small matrix per request; the threads of its BLAS would only spin.
        threadpool_limits(limits=1, user_api="blas")
        self._encoder = Encoder(model.model, model.feature_extractor)
        self._detector = LanguageDetector(model.model, self._encoder)
        greedy = _greedy_decoder(directory, model, self._encoder.silence, threads) if speculative else None
        self._decoder = Decoder(model.model, with_first_merge(model.hf_tokenizer), self._encoder, greedy)
        self._steps = Steps(self._encoder, self._decoder)
        self.partial_seconds = self._measure()

    def _measure(self) -> float:
        """Estimate the seconds of a partial: twice the time for noise, which has few words.

        Others may have the machine at the moment, so of several times the shortest counts.
        """
        noise = np.random.default_rng(0).normal(0, 0.01, 3 * SAMPLE_RATE).astype(np.float32)
        request = TranscriptionRequest(noise, language="en", final=False)
        self.decode([self.encode(request)])  # compiles the kernels
        times: list[float] = []
        while len(times) < MEASUREMENTS and sum(times) < MEASURING_SECONDS:
            began = time.perf_counter()
            self.decode([self.encode(request)])
            times.append(time.perf_counter() - began)
        return 2 * min(times)

    def close(self) -> None:
        """Unload the weights."""
        self._model.unload_model()
        self._decoder.close()

    def encode(self, request: TranscriptionRequest) -> DecodeState:
        """Encode the window of a request and detect its language if need be.

        Raises `EngineError`, and `ClientError` for a language that Whisper does not know.
        """
        with _converted_errors():
            encoding = self._encoder.encode(padded(request))
            given = request.language or self._only_language
            detected, languages = (
                (DetectedLanguage(given, 1.0), {}) if given else self._detector.detect(request, encoding)
            )
            by_stretch = () if given else self._detector.probabilities_by_stretch(request, encoding)
            tokenizer = self._decoder.tokenizer(detected.language, translate=request.translate)
            return DecodeState(
                request=request,
                encoding=encoding,
                language=tokenizer.language_code,
                task=tokenizer.sot_sequence,
                timestamps=not request.under_load,
                context=preceding(request, tokenizer, terms=request.under_load),
                language_probability=detected.probability,
                languages=languages,
                stretch_languages=by_stretch,
            )

    def decode(self, states: Sequence[DecodeState]) -> list[Step]:
        """Decode states; return the hypothesis of each, or the state to decode next. Raises `EngineError`."""
        with _converted_errors():
            answers: dict[int, Step] = {}
            for batch in batches(states):
                drafts = self._decoder.generate([states[index] for index in batch])
                for index, draft in zip(batch, drafts, strict=True):
                    answers[index] = self._steps.after(states[index], draft, alone=len(states) == 1)
            return [answers[index] for index in range(len(states))]


def _greedy_decoder(directory: Path, model: WhisperModel, silence: Encoding, threads: int) -> SpeculativeDecoder | None:
    """Return the decoder that verifies what is expected; None where that is not possible, which the log says."""
    if model.model.device != "cpu" or model.model.compute_type not in IN_8_BITS or not has_vnni():
        logger.info("Speculative decoding is off: it needs int8 on a CPU with VNNI.")
        return None
    try:
        return load_decoder(directory, model.hf_tokenizer, silence, threads)
    except EngineError as exc:
        logger.warning("Speculative decoding is off: %s", exc)
        return None


@contextmanager
def _converted_errors() -> Iterator[None]:
    """Raise the errors of CTranslate2, faster-whisper and onnxruntime as `EngineError`."""
    try:
        yield
    except (RuntimeError, ValueError, *FAILED_RUN) as exc:
        raise EngineError(f"Whisper failed: {exc}") from exc
