"""Cut a recording into speech segments while it is decoded, keeping only the audio that is still needed."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import WINDOW, Samples
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import LEAD_IN
from realtime.speech.segmentation import MIN_SEGMENT, Segmentation, Span
from realtime.speech.suppression import VOICED, SpeechEvidence
from realtime.speech.voice import VoiceActivity, clipped

if TYPE_CHECKING:
    from realtime.engines.base import VadState
    from realtime.models.protocols import AsyncDetector

_WHOLE_RECORDING: Final = TurnDetection(threshold=0.0)
"""Detection that takes every window for speech."""

MAX_WINDOWS: Final = 320
"""Windows per call of the detector, 10 s of audio; a live session never waits for more than one such call."""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """Audio of a recording that contains speech, from sample `start` on, and what the detector found in it."""

    start: int
    samples: Samples
    evidence: SpeechEvidence
    voice: tuple[Span, ...]
    """Where voice was detected, in samples of `samples`."""
    stretches: tuple[Span, ...] = ()
    """The speech between its pauses, in samples of `samples`."""
    channel: int | None = None
    """Index of its channel, where each is a speaker; None where they are mixed."""

    @property
    def end(self) -> int:
        """Position after the last sample."""
        return self.start + len(self.samples)

    @property
    def missing_lead_in(self) -> int:
        """Samples of `LEAD_IN` that a recording lacks because it begins with speech."""
        return max(0, LEAD_IN - self.voice[0].start) if self.start == 0 and self.voice else 0

    def divided(self, starts: Sequence[int]) -> "list[SpeechSegment]":
        """Divide the segment at these positions within it; each part has its share of the evidence."""
        bounds = [0, *starts, len(self.samples)]
        return [
            SpeechSegment(
                self.start + start,
                self.samples[start:end],
                replace(self.evidence, voiced=self.evidence.voiced * (end - start) // len(self.samples)),
                clipped(self.voice, start, end),
                channel=self.channel,
            )
            for start, end in pairwise(bounds)
        ]


class SpeechSegmenter:
    """Finds the speech segments of one recording, which arrives in blocks of 16 kHz samples."""

    def __init__(
        self, detector: "AsyncDetector", detection: TurnDetection, *, vad_filter: bool, joined: bool = True
    ) -> None:
        """Score audio with `detector`. Without `vad_filter`, all of the recording counts as speech.

        Short segments are `joined` across short pauses, or each is by itself.
        """
        if not vad_filter:
            detection = _WHOLE_RECORDING
        self._detector = detector
        self._threshold = min(VOICED, detection.threshold)
        self._state: VadState | None = None
        self._audio = AudioBuffer()
        self._segmentation = Segmentation(detection, min_segment=MIN_SEGMENT if joined else 0)
        self._scored = 0
        self._probabilities: deque[float] = deque()
        """Scores of the windows from `_scores_start` on."""
        self._scores_start = 0
        self._found: deque[Span] = deque()
        """Spans that are complete and not yet taken."""

    @property
    def samples(self) -> int:
        """Number of samples received."""
        return self._audio.end

    @property
    def earliest_needed(self) -> int:
        """Position before which no later segment begins."""
        return self._found[0].start if self._found else self._segmentation.earliest_needed

    async def add(self, block: Samples) -> AsyncGenerator[SpeechSegment, None]:
        """Yield the segments that `block` completes."""
        self._audio.append(block)
        while count := min((self._audio.end - self._scored) // WINDOW, MAX_WINDOWS):
            end = self._scored + count * WINDOW
            await self._score(self._audio.slice(self._scored, end))
            while self._found:
                yield self._segment(self._found.popleft())
            self._scored = end
            self._discard(min(self._segmentation.earliest_needed, end))

    async def segments(self, blocks: AsyncIterator[Samples]) -> AsyncGenerator[SpeechSegment, None]:
        """Yield the segments of a whole recording."""
        async for block in blocks:
            async for segment in self.add(block):
                yield segment
        async for segment in self.finish():
            yield segment

    async def finish(self) -> AsyncGenerator[SpeechSegment, None]:
        """Yield the remaining segments; the last window is padded with silence."""
        rest = self._audio.slice(self._scored, self._audio.end)
        if len(rest):
            await self._score(np.pad(rest, (0, WINDOW - len(rest))))
        self._found.extend(self._segmentation.finish())
        while self._found:
            yield self._segment(self._found.popleft())

    async def _score(self, samples: Samples) -> None:
        """Find the spans that end in these samples, which are whole windows."""
        windows = samples.reshape(-1, WINDOW)
        if samples.any():
            probabilities, self._state = await self._detector.score(windows, self._state, live=False)
        else:  # a gap in the recording may be hours long
            probabilities, self._state = [0.0] * len(windows), None
        self._probabilities.extend(probabilities)
        for probability in probabilities:
            self._found.extend(self._segmentation.update(probability))

    def _segment(self, span: Span) -> SpeechSegment:
        evidence = SpeechEvidence(self._threshold)
        voice = VoiceActivity(self._threshold or VOICED)
        first = max(0, span.start - self._scores_start) // WINDOW
        last = (span.end - self._scores_start) // WINDOW + 1
        start = self._scores_start + first * WINDOW
        for probability in islice(self._probabilities, first, last):
            evidence.add(probability, min(WINDOW, self._audio.end - start))
            voice.add(start, start + WINDOW, probability)
            start += WINDOW
        end = min(span.end, self._audio.end)
        samples = self._audio.slice(span.start, end)
        stretches = clipped(span.stretches, span.start, end)
        return SpeechSegment(span.start, samples, evidence, voice.between(span.start, end), stretches)

    def _discard(self, before: int) -> None:
        self._audio.discard(before)
        while self._scores_start + WINDOW <= before:
            self._probabilities.popleft()
            self._scores_start += WINDOW
