"""From excerpts of a recording to what was said in them, in order.

Several excerpts are with the recognizer at the same time, because it decodes them together for little more than one
costs. But each waits for the one before while its text or its language may matter: until the first excerpt with words
has settled the language of all, and where the text before is part of the prompt.
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
    from realtime.models.handles import RecognizerHandle

MAX_CONCURRENT_SEGMENTS: Final = 4
"""Excerpts of one recording that may be with the recognizer."""

_CONTEXT_CHARACTERS: Final = 500
"""Characters of the text before that an excerpt is told."""


class OfflineTranscriber:
    """Writes down one recording. `language` is a code, None as long as nothing has told it.

    `suppressed` has the excerpts whose text is not given, as they came back.
    """

    def __init__(self, recognizer: "RecognizerHandle", options: OfflineOptions, client_id: ClientId) -> None:
        """`options.languages` are such as the recognizer knows."""
        self.language = options.languages[0] if len(options.languages) == 1 else None
        self.suppressed: list[SuppressedSegment] = []
        self._recognizer = recognizer
        self._options = options
        self._client_id = client_id
        self._preceding_text = ""

    async def segments(
        self, speech_segments: AsyncGenerator[SpeechSegment, None]
    ) -> AsyncGenerator[TranscribedSegment, None]:
        """Yield what was said, leaving out excerpts in which nothing was; closing the generator cancels the work."""
        under_way: deque[asyncio.Task[TranscribedSegment | None]] = deque()
        try:
            async with aclosing(speech_segments):
                async for speech_segment in speech_segments:
                    while under_way and (len(under_way) >= self._concurrency or under_way[0].done()):
                        if segment := await under_way[0]:
                            yield segment
                        under_way.popleft()
                    under_way.append(asyncio.create_task(self._transcribe(speech_segment)))
            while under_way:
                if segment := await under_way[0]:
                    yield segment
                under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    @property
    def _concurrency(self) -> int:
        return 1 if self.language is None or self._options.condition_on_previous_text else MAX_CONCURRENT_SEGMENTS

    async def _transcribe(self, speech_segment: SpeechSegment) -> TranscribedSegment | None:
        if not speech_segment.voice.has_speech:
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
            translate=options.translate,
            decoding=options.decoding,
        )
        hypothesis = await self._recognizer.transcribe(request, Priority.UPLOAD, self._client_id)
        if not hypothesis.words:
            return None
        if reason := suppression(hypothesis, speech_segment.voice, options.decoding):
            self.suppressed.append(
                SuppressedSegment(speech_segment.start, speech_segment.start + len(speech_segment.samples), reason)
            )
            return None
        self.language = self.language or hypothesis.language
        self._preceding_text = (self._preceding_text + hypothesis.text)[-_CONTEXT_CHARACTERS:]
        words = tuple(word.shifted(speech_segment.start) for word in hypothesis.words)
        return TranscribedSegment(speech_segment.start, words, hypothesis)
