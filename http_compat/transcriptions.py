"""`POST /v1/audio/transcriptions`: an uploaded recording to text.

The upload is decoded block by block, the detector finds the speech in it, and each excerpt is one call of the
recognizer at the lowest priority: live sessions never wait for more than one excerpt of a file.
"""

from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Final

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from http_compat.errors import UnsupportedMediaType, request_id
from http_compat.excerpts import ExcerptCutter, Span
from http_compat.formats import Passage, Transcript, render
from http_compat.forms import TranscriptionForm, read_fields, read_form, uploaded_file
from http_compat.media import decode
from http_compat.requests import limited, while_connected
from realtime.audio import SAMPLE_RATE, WINDOW, AudioBuffer, Samples
from realtime.errors import ClientError, Overloaded, UnsupportedAudio
from realtime.events import Priority
from realtime.evidence import VoiceEvidence, suppression
from realtime.load import Owner
from realtime.settings import Settings
from realtime.transcript import TranscriptionRequest

if TYPE_CHECKING:
    from realtime.engines.base import VadState
    from realtime.models import DetectorHandle, Models, RecognizerHandle

_SHORTEST: Final = SAMPLE_RATE // 10
"""OpenAI's own minimum."""

_BATCH: Final = 64
"""Windows scored in one call, about two seconds: live audio waits for no more than that."""


class Transcriptions:
    """The endpoint. At most `max_queued_uploads` requests are let in at a time; the next is told to come back."""

    def __init__(self, models: "Models", settings: Settings) -> None:
        self._models = models
        self._settings = settings
        self._let_in = 0

    async def create(self, request: Request) -> Response:
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise UnsupportedMediaType("Send the recording as multipart/form-data, with the audio in `file`.")
        if self._let_in >= self._settings.max_queued_uploads:
            raise Overloaded("Too many uploads are waiting.")
        self._let_in += 1
        try:
            return await self._answer(request)
        finally:
            self._let_in -= 1

    async def _answer(self, request: Request) -> Response:
        form = await read_form(limited(request, self._settings.max_upload_bytes, self._settings.idle_seconds))
        try:
            file, wanted = uploaded_file(form), read_fields(form)
            owner = Owner(request.state.account, request_id(request))
            transcript = await while_connected(request, self._transcribe(file, wanted, owner))
        finally:
            await form.close()
        return render(transcript, wanted.response_format, wanted.granularities)

    async def _transcribe(self, file: IO[bytes], wanted: TranscriptionForm, owner: Owner) -> Transcript:
        recognizer = await self._models.recognizer(wanted.model)
        if not recognizer.multilingual and wanted.language not in {None, "en"}:
            raise ClientError(f"{recognizer.name} is not for other languages than its own.", param="language")
        recording = _Recording(self._models.detector)
        writing = _Writing(recognizer, wanted, owner)
        async for block in self._blocks(file):
            async for excerpt in recording.hear(block):
                await writing.transcribe(excerpt)
        async for excerpt in recording.finish():
            await writing.transcribe(excerpt)
        if recording.samples < _SHORTEST:
            raise UnsupportedAudio("Audio file is too short. Minimum audio length is 0.1 seconds.", param="file")
        return Transcript(tuple(writing.passages), writing.language or "", recording.samples)

    async def _blocks(self, file: IO[bytes]) -> AsyncGenerator[Samples, None]:
        """Decode one block at a time, so that the worker threads are free between two.

        Nobody closes the iterator: when the request is cancelled a thread may still be in it, and it ends with its last
        reference.
        """
        blocks = decode(file, self._settings.max_upload_seconds)
        while (block := await self._models.run_blocking(next, blocks, None)) is not None:
            yield block


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """A stretch of the recording with speech, and what the detector heard in it."""

    start: int
    samples: Samples
    voice: VoiceEvidence


class _Recording:
    """Finds the speech in a recording as it is decoded, and keeps only the audio that is still needed."""

    def __init__(self, detector: "DetectorHandle") -> None:
        self._detector = detector
        self._state: VadState | None = None
        self._audio = AudioBuffer()
        self._cutter = ExcerptCutter()
        self._scored = 0
        self._probabilities: deque[float] = deque()
        """Of the windows from `_heard_from` on."""
        self._heard_from = 0

    @property
    def samples(self) -> int:
        """How much has been heard."""
        return self._audio.end

    async def hear(self, block: Samples) -> AsyncGenerator[_Excerpt, None]:
        """Yield the excerpts that `block` completes."""
        self._audio.append(block)
        while count := min((self._audio.end - self._scored) // WINDOW, _BATCH):
            end = self._scored + count * WINDOW
            for span in await self._score(self._audio.slice(self._scored, end)):
                yield self._excerpt(span)
            self._scored = end
            self._discard(min(self._cutter.needed_from, end))

    async def finish(self) -> AsyncGenerator[_Excerpt, None]:
        """Yield the last excerpts; the last window is made whole with silence."""
        rest = self._audio.slice(self._scored, self._audio.end)
        spans = await self._score(np.pad(rest, (0, WINDOW - len(rest)))) if len(rest) else []
        for span in [*spans, *self._cutter.finish()]:
            yield self._excerpt(span)

    async def _score(self, samples: Samples) -> list[Span]:
        windows = samples.reshape(-1, WINDOW)
        probabilities, self._state = await self._detector.score(windows, self._state, Priority.UPLOAD)
        self._probabilities.extend(probabilities)
        return [span for probability in probabilities for span in self._cutter.update(probability)]

    def _excerpt(self, span: Span) -> _Excerpt:
        voice = VoiceEvidence()
        first = max(0, span.start - self._heard_from) // WINDOW
        for probability in islice(self._probabilities, first, (span.end - self._heard_from) // WINDOW + 1):
            voice.add(probability)
        return _Excerpt(span.start, self._audio.slice(span.start, min(span.end, self._audio.end)), voice)

    def _discard(self, before: int) -> None:
        self._audio.discard(before)
        while self._heard_from + WINDOW <= before:
            self._probabilities.popleft()
            self._heard_from += WINDOW


class _Writing:
    """Transcribes the excerpts of one recording in order; the first with words settles the language of the rest."""

    def __init__(self, recognizer: "RecognizerHandle", wanted: TranscriptionForm, owner: Owner) -> None:
        self.language = wanted.language
        self.passages: list[Passage] = []
        self._recognizer = recognizer
        self._wanted = wanted
        self._owner = owner

    async def transcribe(self, excerpt: _Excerpt) -> None:
        request = TranscriptionRequest(
            excerpt.samples,
            language=self.language,
            prompt=self._wanted.prompt,
            final=True,
            word_times=self._wanted.response_format.timed,
        )
        hypothesis = await self._recognizer.transcribe(request, Priority.UPLOAD, self._owner)
        if hypothesis.words and not suppression(hypothesis, excerpt.voice):
            self.language = self.language or hypothesis.language
            words = tuple(word.shifted(excerpt.start) for word in hypothesis.words)
            self.passages.append(Passage(excerpt.start, words, hypothesis))
