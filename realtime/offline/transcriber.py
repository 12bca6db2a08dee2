"""Transcribe the speech segments of a recording, several at a time, with the results in order.

The recognizer decodes several segments in one batch for little more than the cost of one. Each detects its language;
where that leaves doubt, it is determined once more by the segments around it, those that follow included, and the
segment is decoded again if it was decoded in another language. A segment waits for the one before it only where the
previous text is part of the prompt.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from realtime import spans
from realtime.offline.options import OfflineOptions
from realtime.offline.speech_segments import SpeechSegment
from realtime.offline.transcript import SuppressedSegment, TranscribedSegment
from realtime.scheduling.priority import ClientId, Priority
from realtime.speech.language_evidence import (
    MIN_CONFIDENCE,
    Probabilities,
    language_changes,
    likeliest_language,
    prior_from,
)
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import suppression
from realtime.speech.transcript import Hypothesis

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncRecognizer

MAX_CONCURRENT_SEGMENTS: Final = 12
"""Segments of one recording that are with the recognizer at the same time: a full batch for each of two workers."""

LANGUAGE_SEGMENTS: Final = 4
"""Segments before and after one of doubtful language by which its language is determined."""

_CONTEXT_CHARACTERS: Final = 500
"""Characters of the preceding text given to a segment as context."""


class OfflineTranscriber:
    """Transcribes one recording.

    Attributes:
        suppressed: Segments whose text was suppressed, in the order in which they were decoded.
    """

    def __init__(self, recognizer: "AsyncRecognizer", options: OfflineOptions, client_id: ClientId) -> None:
        """Use `recognizer`, which must know all of `options.languages`, on account of `client_id`."""
        self.suppressed: list[SuppressedSegment] = []
        self._recognizer = recognizer
        self._options = options
        self._client_id = client_id
        self._given = options.languages[0] if len(options.languages) == 1 else None
        self._preceding_text = ""
        self._spoken: Counter[str] = Counter()
        """Windows with speech by language."""
        self._languages: deque[Probabilities] = deque(maxlen=LANGUAGE_SEGMENTS)
        """Probabilities of the languages of the segments that are done, the newest first."""
        self._in_progress: deque[tuple[SpeechSegment, asyncio.Task[Hypothesis]]] = deque()

    @property
    def language(self) -> str | None:
        """Code of the language of most of the speech so far; None if there was none."""
        return self._given or max(self._spoken, key=self._spoken.__getitem__, default=None)

    @property
    def position(self) -> int | None:
        """Where the first segment begins that is not done; None if all that were found are."""
        return self._in_progress[0][0].start if self._in_progress else None

    async def segments(
        self, speech_segments: AsyncGenerator[SpeechSegment, None]
    ) -> AsyncGenerator[TranscribedSegment, None]:
        """Yield the segments that have text, in order; closing the generator cancels the work."""
        in_progress = self._in_progress
        try:
            async with aclosing(speech_segments):
                async for speech_segment in speech_segments:
                    in_progress.append((speech_segment, asyncio.create_task(self._transcribe(speech_segment))))
                    while in_progress and self._is_due():
                        for segment in await self._oldest():
                            yield segment
            while in_progress:
                for segment in await self._oldest():
                    yield segment
        finally:
            tasks = [task for _, task in in_progress]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _is_due(self) -> bool:
        """Whether the oldest segment is done before another one is looked for."""
        if len(self._in_progress) >= self._concurrency:
            return True
        task = self._in_progress[0][1]
        if not task.done():
            return False
        certain = task.exception() is not None or task.result().language_probability >= MIN_CONFIDENCE
        return certain or len(self._in_progress) > LANGUAGE_SEGMENTS

    async def _oldest(self) -> list[TranscribedSegment]:
        """Wait for the oldest segment and remove it; return its parts that have text."""
        speech_segment, task = self._in_progress[0]
        hypothesis = await task
        later = []
        if hypothesis.language_probability < MIN_CONFIDENCE:
            later = [await each for _, each in islice(self._in_progress, 1, 1 + LANGUAGE_SEGMENTS)]
        parts = await self._in_settled_languages(speech_segment, hypothesis, later)
        self._in_progress.popleft()
        return [segment for part in parts if (segment := self._finish(*part))]

    @property
    def _concurrency(self) -> int:
        return 1 if self._options.condition_on_previous_text else MAX_CONCURRENT_SEGMENTS

    async def _transcribe(self, speech_segment: SpeechSegment, language: str | None = None) -> Hypothesis:
        """Decode a segment in `language`, or in the one that it is in by its sound and the segments before it."""
        if not speech_segment.evidence.has_speech:
            return Hypothesis((), "")
        options = self._options
        request = TranscriptionRequest(
            speech_segment.samples,
            language=self._given or language,
            candidates=options.languages,
            stretches=speech_segment.stretches,
            language_prior={} if options.multilingual else prior_from([self._languages]),
            prompt=f"{options.prompt} {self._preceding_text}" if options.condition_on_previous_text else options.prompt,
            hotwords=options.hotwords,
            final=True,
            word_times=options.word_times or options.separate_channels,
            raise_level=options.vad_filter,
            translate=options.translate,
            voice=speech_segment.voice,
            decoding=options.decoding,
        ).after_silence(speech_segment.missing_lead_in)
        with spans.span("segment", {"audio.seconds": request.seconds}):
            hypothesis = await self._recognizer.transcribe(request, Priority.UPLOAD, self._client_id)
        return hypothesis.before_silence(speech_segment.missing_lead_in)

    async def _in_settled_languages(
        self, speech_segment: SpeechSegment, hypothesis: Hypothesis, later: Sequence[Hypothesis]
    ) -> list[tuple[SpeechSegment, Hypothesis]]:
        """Return a segment with its hypothesis, decoded again in another language or in parts where it has several.

        A doubtful language is determined once more by the segments around it, of which `later` are those that follow.
        """
        language = hypothesis.language
        if hypothesis.language_probability < MIN_CONFIDENCE and not self._options.multilingual:
            following = [each.languages for each in later]
            language = likeliest_language(hypothesis.languages, prior_from([self._languages, following])).language
        parts = language_changes(speech_segment.stretches, hypothesis.stretch_languages, language)
        languages = [part for _, part in parts] or [language]
        if languages == [hypothesis.language]:
            return [(speech_segment, hypothesis)]
        divided = speech_segment.divided([start for start, _ in parts[1:]])
        return [
            (part, replace(await self._transcribe(part, spoken), languages={spoken: 1.0}))
            for part, spoken in zip(divided, languages, strict=True)
        ]

    def _finish(self, speech_segment: SpeechSegment, hypothesis: Hypothesis) -> TranscribedSegment | None:
        """Return the segment with its text, None without any, and learn from it for the segments that follow."""
        if not hypothesis.words:
            return None
        if reason := suppression(hypothesis, speech_segment.evidence, self._options.decoding):
            self.suppressed.append(
                SuppressedSegment(speech_segment.start, speech_segment.end, reason, speech_segment.channel)
            )
            return None
        self._spoken[hypothesis.language] += speech_segment.evidence.voiced
        if hypothesis.languages:
            self._languages.appendleft(hypothesis.languages)
        self._preceding_text = (self._preceding_text + hypothesis.text)[-_CONTEXT_CHARACTERS:]
        words = tuple(word.shifted(speech_segment.start) for word in hypothesis.words)
        return TranscribedSegment(speech_segment.start, words, hypothesis, speech_segment.channel)
