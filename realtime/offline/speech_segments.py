"""The speech in a recording, found while it is decoded: only the audio that is still needed is kept."""

from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import WINDOW, Samples
from realtime.scheduling.priority import Priority
from realtime.speech.endpointing import TurnDetection
from realtime.speech.segmentation import Segmentation, Span
from realtime.speech.suppression import VOICED, SpeechEvidence

if TYPE_CHECKING:
    from realtime.engines.base import VadState
    from realtime.models.handles import DetectorHandle

_BATCH: Final = 64
"""Windows scored in one call, about two seconds: live audio waits for no more than that."""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch of the recording with speech, and what the detector heard in it."""

    start: int
    samples: Samples
    voice: SpeechEvidence


class SpeechSegmenter:
    """Hears a recording block by block."""

    def __init__(self, detector: "DetectorHandle", detection: TurnDetection, *, detected: bool) -> None:
        """Unless it is to be `detected`, everything in the recording counts as a voice."""
        self._detector = detector
        self._threshold = min(VOICED, detection.threshold)
        self._peak = 0.0 if detected else 1.0
        self._state: VadState | None = None
        self._audio = AudioBuffer()
        self._segmentation = Segmentation(detection)
        self._scored = 0
        self._probabilities: deque[float] = deque()
        """Of the windows from `_heard_from` on."""
        self._heard_from = 0

    @property
    def samples(self) -> int:
        """How much has been heard."""
        return self._audio.end

    async def add(self, block: Samples) -> AsyncGenerator[SpeechSegment, None]:
        """Yield the excerpts that `block` completes."""
        self._audio.append(block)
        while count := min((self._audio.end - self._scored) // WINDOW, _BATCH):
            end = self._scored + count * WINDOW
            for span in await self._score(self._audio.slice(self._scored, end)):
                yield self._speech_segment(span)
            self._scored = end
            self._discard(min(self._segmentation.earliest_needed, end))

    async def finish(self) -> AsyncGenerator[SpeechSegment, None]:
        """Yield the last excerpts; the last window is made whole with silence."""
        rest = self._audio.slice(self._scored, self._audio.end)
        spans = await self._score(np.pad(rest, (0, WINDOW - len(rest)))) if len(rest) else []
        for span in [*spans, *self._segmentation.finish()]:
            yield self._speech_segment(span)

    async def _score(self, samples: Samples) -> list[Span]:
        windows = samples.reshape(-1, WINDOW)
        probabilities, self._state = await self._detector.score(windows, self._state, Priority.UPLOAD)
        self._probabilities.extend(probabilities)
        return [span for probability in probabilities for span in self._segmentation.update(probability)]

    def _speech_segment(self, span: Span) -> SpeechSegment:
        voice = SpeechEvidence(self._threshold, peak=self._peak)
        first = max(0, span.start - self._heard_from) // WINDOW
        for probability in islice(self._probabilities, first, (span.end - self._heard_from) // WINDOW + 1):
            voice.add(probability)
        return SpeechSegment(span.start, self._audio.slice(span.start, min(span.end, self._audio.end)), voice)

    def _discard(self, before: int) -> None:
        self._audio.discard(before)
        while self._heard_from + WINDOW <= before:
            self._probabilities.popleft()
            self._heard_from += WINDOW
