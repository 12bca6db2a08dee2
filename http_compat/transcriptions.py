"""`POST /v1/audio/transcriptions` and `/v1/audio/translations`: an uploaded recording to text.

The upload is decoded block by block, the detector finds the speech in it, and each excerpt is one call of the
recognizer at the lowest priority: live sessions never wait for more than what is just being decoded.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import replace
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from http_compat.bodies import MAX_FIELD_BYTES, media_type, read_form
from http_compat.errors import AudioTooShort, FileTooLarge, UnsupportedMediaType, UnsupportedModel, request_id
from http_compat.fields import Fields, form_fields, json_fields
from http_compat.formats import Passage, Transcript, render
from http_compat.forms import TranscriptionForm, read_fields
from http_compat.media import Decoders
from http_compat.names import ModelNames
from http_compat.recording import Excerpt, Recording
from http_compat.requests import Places, limited, while_connected
from http_compat.streams import EVENTS, streamed
from http_compat.transcript_events import delta, done
from http_compat.writing import Writing
from realtime.audio import SAMPLE_RATE, Samples
from realtime.catalogue import ENGLISH, Entry, Task, find
from realtime.errors import ClientError, TooLarge
from realtime.load import Owner
from realtime.metrics import Metrics
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models import Models

_SHORTEST: Final = SAMPLE_RATE // 10
"""OpenAI's own minimum."""

_MAX_JSON_FILE: Final = 25 * 1024 * 1024
"""Bytes of a recording within JSON, which is held in memory; OpenAI's own limit for uploads."""


class Transcriptions:
    """The endpoints. At most `max_queued_uploads` requests are let in at a time; the next is told to come back."""

    def __init__(
        self, models: "Models", settings: Settings, names: ModelNames, decoders: Decoders, metrics: Metrics
    ) -> None:
        self._models = models
        self._settings = settings
        self._names = names
        self._decoders = decoders
        self._metrics = metrics
        self._places = Places(settings.max_queued_uploads, "Too many uploads are waiting.")

    async def transcribe(self, request: Request) -> Response:
        return await self._create(request, translate=False)

    async def translate(self, request: Request) -> Response:
        return await self._create(request, translate=True)

    async def _create(self, request: Request, *, translate: bool) -> Response:
        async with AsyncExitStack() as holds:
            holds.enter_context(self._places.take())
            return await self._answer(request, holds, translate=translate)

    async def _answer(self, request: Request, holds: AsyncExitStack, *, translate: bool) -> Response:
        """The response; one that is streamed takes what the request `holds` with it."""
        fields, file = await self._received(request, holds)
        wanted = read_fields(fields)
        name = self._names.model(wanted.model, Task.TRANSCRIPTION)
        entry = find(name, Task.TRANSCRIPTION, self._settings.recognizer)
        wanted = _suited(wanted, entry, translate=translate)
        recognizer = await while_connected(request, self._models.recognizer(name))
        holds.enter_context(recognizer.held())
        if not recognizer.multilingual:  # which nobody knew of a repository
            wanted = _suited(wanted, replace(entry, languages=ENGLISH, translates=False), translate=translate)
        owner = Owner(request.state.account, request_id(request))
        recording = Recording(self._models.detector, wanted.detection, detected=wanted.detected)
        blocks = self._decoders.decoding(file, self._settings.max_upload_seconds)
        writing = Writing(recognizer, wanted, owner, translate=translate)
        work = _Work(blocks, recording, writing, wanted, self._metrics)
        if wanted.stream:
            return await streamed(request, work.events(), holds, media_type=EVENTS)
        transcript = await while_connected(request, work.whole())
        return render(
            transcript,
            wanted.response_format,
            wanted.granularities,
            with_logprobs=wanted.logprobs,
            quoted=wanted.quoted,
        )

    async def _received(self, request: Request, holds: AsyncExitStack) -> tuple[Fields, IO[bytes]]:
        """The fields and the recording, which is closed when the request `holds` nothing more."""
        most, patience = self._settings.max_upload_bytes, self._settings.idle_seconds
        try:
            match media_type(request):
                case "multipart/form-data":
                    form = await read_form(limited(request, most, patience))
                    holds.push_async_callback(form.close)
                    return form_fields(form)
                case "application/json":
                    most = min(most, _MAX_JSON_FILE) * 4 // 3 + MAX_FIELD_BYTES
                    body = await limited(request, most, patience).body()
                    fields, file = await self._models.run_blocking(json_fields, body)
                    holds.callback(file.close)
                    return fields, file
                case _:
                    raise UnsupportedMediaType("Send the recording as multipart/form-data, with the audio in `file`.")
        except TooLarge as error:
            raise FileTooLarge(error.message, param="file") from error


class _Work:
    """One recording on its way to a transcript."""

    def __init__(
        self,
        blocks: AbstractAsyncContextManager[AsyncGenerator[Samples, None]],
        recording: Recording,
        writing: Writing,
        wanted: TranscriptionForm,
        metrics: Metrics,
    ) -> None:
        self._blocks = blocks
        self._recording = recording
        self._writing = writing
        self._wanted = wanted
        self._metrics = metrics
        self._passages: list[Passage] = []

    async def whole(self) -> Transcript:
        async with aclosing(self._heard()) as passages:
            self._passages = [passage async for passage in passages]
        return self._transcript()

    async def events(self) -> AsyncGenerator[bytes, None]:
        with_logprobs = self._wanted.logprobs
        async with aclosing(self._heard()) as passages:
            async for passage in passages:
                yield delta(passage, first=not self._passages, with_logprobs=with_logprobs)
                self._passages.append(passage)
        yield done(self._transcript(), with_logprobs=with_logprobs)

    def _heard(self) -> AsyncGenerator[Passage, None]:
        return self._writing.passages(self._excerpts())

    async def _excerpts(self) -> AsyncGenerator[Excerpt, None]:
        async with self._blocks as blocks:
            async for block in blocks:
                async for excerpt in self._recording.hear(block):
                    yield excerpt
        async for excerpt in self._recording.finish():
            yield excerpt
        if self._recording.samples < _SHORTEST:
            raise AudioTooShort("Audio file is too short. Minimum audio length is 0.1 seconds.", param="file")

    def _transcript(self) -> Transcript:
        """The end of the work, and of what there is to count."""
        withheld = tuple(sorted(self._writing.withheld, key=attrgetter("start")))
        self._metrics.count_withheld(each.reason for each in withheld)
        return Transcript(
            tuple(self._passages),
            self._writing.language or "",
            self._recording.samples,
            translated=self._writing.translate,
            withheld=withheld,
        )


def _suited(wanted: TranscriptionForm, entry: Entry, *, translate: bool) -> TranscriptionForm:
    """The same for a recognizer that knows certain languages; one that knows a single one need not be told."""
    if translate and not entry.translates:
        raise UnsupportedModel(f"Model {entry.name} is not suitable for translations.", param="model")
    if not entry.languages:
        return wanted
    known = tuple(language for language in wanted.languages if language in entry.languages)
    if wanted.languages and not known:
        param = "language" if len(wanted.languages) == 1 else "languages"
        raise ClientError(f"{entry.name} is for other languages.", param=param)
    return replace(wanted, languages=entry.languages if len(entry.languages) == 1 else known)
