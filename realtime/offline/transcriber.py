"""Transcribe the speech segments of a recording, several at a time, with the results in order.

The recognizer decodes several segments in one batch for little more than the cost of one. A segment waits for the one
before it only where it depends on it: until the first segment with words has determined the language, and where the
previous text is part of the prompt.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from realtime.offline.options import OfflineOptions
from realtime.offline.speech_segments import SpeechSegment
from realtime.offline.transcript import SuppressedSegment, TranscribedSegment
from realtime.scheduling.priority import ClientId, Priority
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import suppression

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncRecognizer

MAX_CONCURRENT_SEGMENTS: Final = 4
"""Segments of one recording that are with the recognizer at the same time."""

_CONTEXT_CHARACTERS: Final = 500
"""Characters of the preceding text given to a segment as context."""


class OfflineTranscriber:
    """Transcribes one recording.

    Attributes:
        language: Code of the language, None until a segment has determined it.
        suppressed: Segments whose text was suppressed, in the order in which they were decoded.
        position: Samples from the start of the recording up to which all segments are done.
    """

    def __init__(self, recognizer: "AsyncRecognizer", options: OfflineOptions, client_id: ClientId) -> None:
        """Use `recognizer`, which must know all of `options.languages`, on account of `client_id`."""
        self.language = options.languages[0] if len(options.languages) == 1 else None
        self.suppressed: list[SuppressedSegment] = []
        self.position = 0
        self._recognizer = recognizer
        self._options = options
        self._client_id = client_id
        self._preceding_text = ""

    async def segments(
        self, speech_segments: AsyncGenerator[SpeechSegment, None]
    ) -> AsyncGenerator[TranscribedSegment, None]:
        """Yield the segments that have text, in order; closing the generator cancels the work."""
        in_progress: deque[tuple[SpeechSegment, asyncio.Task[TranscribedSegment | None]]] = deque()

        async def oldest() -> TranscribedSegment | None:
            speech_segment, task = in_progress[0]
            segment = await task
            in_progress.popleft()
            self.position = speech_segment.end
            return segment

        try:
            async with aclosing(speech_segments):
                async for speech_segment in speech_segments:
                    while in_progress and (len(in_progress) >= self._concurrency or in_progress[0][1].done()):
                        if segment := await oldest():
                            yield segment
                    task = asyncio.create_task(self._transcribe(speech_segment))
                    in_progress.append((speech_segment, task))
            while in_progress:
                if segment := await oldest():
                    yield segment
        finally:
            tasks = [task for _, task in in_progress]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _concurrency(self) -> int:
        return 1 if self.language is None or self._options.condition_on_previous_text else MAX_CONCURRENT_SEGMENTS

    async def _transcribe(self, speech_segment: SpeechSegment) -> TranscribedSegment | None:
        if not speech_segment.evidence.has_speech:
            return None
        options = self._options
        request = TranscriptionRequest(
            speech_segment.samples,
            language=self.language,
            candidates=options.languages,
            prompt=f"{options.prompt} {self._preceding_text}" if options.condition_on_previous_text else options.prompt,
            hotwords=options.hotwords,
            final=True,
            word_times=options.word_times,
            raise_level=options.vad_filter,
            translate=options.translate,
            voice=speech_segment.voice,
            decoding=options.decoding,
        )
        hypothesis = await self._recognizer.transcribe(request, Priority.UPLOAD, self._client_id)
        if not hypothesis.words:
            return None
        if reason := suppression(hypothesis, speech_segment.evidence, options.decoding):
            self.suppressed.append(SuppressedSegment(speech_segment.start, speech_segment.end, reason))
            return None
        self.language = self.language or hypothesis.language
        self._preceding_text = (self._preceding_text + hypothesis.text)[-_CONTEXT_CHARACTERS:]
        words = tuple(word.shifted(speech_segment.start) for word in hypothesis.words)
        return TranscribedSegment(speech_segment.start, words, hypothesis)
