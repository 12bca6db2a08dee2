"""The language of the audio, by the token that Whisper's decoder expects first.

It is detected in the encoding that is decoded anyway, for one step of the decoder. Where that and the prior leave
doubt, it is detected again in a longer window, for another encoding.
"""

from collections.abc import Sequence
from heapq import nlargest
from typing import Final

import ctranslate2

from realtime.engines.whisper.encoder import Encoder, storage
from realtime.engines.whisper.windows import FRAME, Encoding, frames_of, padded_length
from realtime.speech.language_evidence import DetectedLanguage, Probabilities, likeliest_language
from realtime.speech.recognition import TranscriptionRequest

LONGER_WINDOW: Final = 1200
"""Frames of the longer window: 24 s. Encoding it takes about 0.27 s on one core, 30 s take 0.5 s.

Of the first 0.5, 1, 1.5 and 2 s of recordings, 179 cuts in English and 84 in nine other languages, 178 and 53 are
identified with 24 s, as with 30 s; 178 and 52 with 20 s, 173 and 48 with 12 s; by faster-whisper 177 and 53. After a
turn in another language 176 and 44 are. The longer window decides however low its probability: with a lower bound of
0.5 on it, two fewer of the other languages are identified.
"""

MIN_DETECTION_PADDING: Final = 100
"""Least padding of that window, in frames: 2 s. In longer speech its own encoding suffices."""

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
        memory = self._memory(encoding)
        probabilities = self._probabilities(memory, request.candidates)
        detected = likeliest_language(probabilities, request.language_prior)
        if detected.clear or request.under_load or frames_of(request.samples) > LONGER_WINDOW - MIN_DETECTION_PADDING:
            return detected, probabilities
        # Without the silence tail: behind 20 s, 101 instead of 104 of 155 short cuts in other languages are identified.
        longer = storage([self._encoder.encode_neutrally(request.samples, LONGER_WINDOW)])
        probabilities = self._probabilities(longer, request.candidates)
        return likeliest_language(probabilities, request.language_prior), probabilities

    def probabilities_by_stretch(self, request: TranscriptionRequest, encoding: Encoding) -> tuple[Probabilities, ...]:
        """Return the probabilities of the languages for each of the stretches, by their part of the `encoding`.

        The parts need no encodings of their own: parts of 2 s and more in that of the whole do as well.
        """
        if len(request.stretches) < 2:
            return ()
        parts = (encoding[each.start // FRAME : -(-each.end // FRAME)] for each in request.stretches)
        return tuple(self._probabilities(self._memory(part), request.candidates) for part in parts)

    def _memory(self, encoding: Encoding) -> ctranslate2.StorageView:
        """Return the decoder memory of an encoding, with the silence tail that it is decoded with."""
        return self._encoder.memory([(encoding, padded_length(encoding))])

    def _probabilities(self, memory: ctranslate2.StorageView, candidates: Sequence[str]) -> Probabilities:
        detected = {token.strip("<|>"): probability for token, probability in self._model.detect_language(memory)[0]}
        among = [each for each in detected if each in candidates] or [*detected]
        total = sum(detected[each] for each in among)
        return {each: detected[each] / total for each in nlargest(KEPT_LANGUAGES, among, key=detected.__getitem__)}
