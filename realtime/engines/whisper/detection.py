"""The language of the audio, by the token that Whisper's decoder expects first.

It is detected in the encoding that is decoded anyway, for one step of the decoder. Where that and the prior leave
doubt, it is detected again in a longer window, for another encoding.
"""

import math
from collections.abc import Sequence
from heapq import nlargest
from typing import Final

import ctranslate2

from realtime.engines.whisper.encoder import Encoder
from realtime.engines.whisper.windows import FRAME, Encoding, frames_of, padded_length
from realtime.speech.language_evidence import DetectedLanguage, Probabilities, likeliest_language
from realtime.speech.recognition import TranscriptionRequest

PARTIAL_WINDOW: Final = 600
"""Frames of the longer window of a partial: 12 s."""

FINAL_WINDOW: Final = 1000
"""Frames of the longer window of a final: 20 s.

Of 79 cuts of 0.8 to 2 s in nine other languages than English, two thirds of them from the middle of recordings, 59, 61
and 62 are identified with 16, 20 and 30 s, and 50, 54 and 51 after a turn in English; by faster-whisper 61. Encoding
20 s takes 0.44 of the time for 30 s.
"""

MIN_DETECTION_PADDING: Final = 100
"""Least padding of that window, in frames: 2 s. In longer speech its own encoding suffices."""

ENGLISH_EXCESS: Final = 1.0
"""Nats by which Whisper favours English, half of its training data, where a final has little speech in its window.

Of 195 stretches of 1 to 2.5 s in nine other languages, 141 are identified without the correction in the full window,
147 with 1.0 and 153 with 2.0. Of 58 English ones, all are; before the correction English leads by 2.2 nats or more. In
the windows of partials it leads by less than the correction.
"""

MIN_PLAUSIBLE: Final = 0.5
"""Probability up to which the longer window does not count: it has no speech, and any language would do."""

KEPT_LANGUAGES: Final = 8
"""The number of likeliest languages whose probabilities are kept."""


class LanguageDetector:
    """Detects the language of requests."""

    def __init__(self, model: ctranslate2.models.Whisper, encoder: Encoder) -> None:
        self._model = model
        self._encoder = encoder

    def detect(self, request: TranscriptionRequest, encoding: Encoding) -> tuple[DetectedLanguage, Probabilities]:
        """Detect the language of a request in its `encoding`, and in a longer window in case of doubt.

        Return it with the probabilities by the audio alone. Both are among the candidates, if there are any.
        """
        probabilities = self._probabilities(encoding, request.candidates)
        detected = likeliest_language(probabilities, request.language_prior)
        window = _longer_window(request)
        if not detected.clear and window > 0:
            longer = self._encoder.encode_neutrally(request.samples, window)
            excess = ENGLISH_EXCESS if request.final else 0.0
            others = self._probabilities(longer, request.candidates, excess)
            if (again := likeliest_language(others, request.language_prior)).probability > MIN_PLAUSIBLE:
                return again, others
        return detected, probabilities

    def probabilities_by_stretch(self, request: TranscriptionRequest, encoding: Encoding) -> tuple[Probabilities, ...]:
        """Return the probabilities of the languages for each of the stretches, by their part of the `encoding`.

        The parts need no encodings of their own: parts of 2 s and more in that of the whole do as well.
        """
        if len(request.stretches) < 2:
            return ()
        parts = (encoding[each.start // FRAME : -(-each.end // FRAME)] for each in request.stretches)
        return tuple(self._probabilities(part, request.candidates) for part in parts)

    def _probabilities(self, encoding: Encoding, candidates: Sequence[str], excess: float = 0.0) -> Probabilities:
        memory = self._encoder.memory([(encoding, padded_length(encoding))])
        detected = {token.strip("<|>"): probability for token, probability in self._model.detect_language(memory)[0]}
        among = [each for each in detected if each in candidates] or [*detected]
        weights = {each: detected[each] * (math.exp(-excess) if each == "en" else 1.0) for each in among}
        total = sum(weights.values())
        return {each: weights[each] / total for each in nlargest(KEPT_LANGUAGES, weights, key=weights.__getitem__)}


def _longer_window(request: TranscriptionRequest) -> int:
    """Return the frames of a window worth another encoding; 0 if there is none, or no time for it."""
    if request.under_load:
        return 0
    window = FINAL_WINDOW if request.final else PARTIAL_WINDOW
    return window if frames_of(request.samples) + MIN_DETECTION_PADDING <= window else 0
