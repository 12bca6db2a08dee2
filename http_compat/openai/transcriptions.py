"""`POST /v1/audio/transcriptions` and `/v1/audio/translations`: an uploaded recording to text.

The upload is decoded block by block, the detector finds the speech in it, and every speech segment is a request to the
recognizer at the lowest priority: live sessions never wait for more than the batch being decoded.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import IO, Final

from starlette.requests import Request
from starlette.responses import Response

from http_compat.answer_headers import TRACK_HEADER, answered_by, suppressed_header
from http_compat.azure import names_deployment
from http_compat.disconnect import while_connected
from http_compat.errors import FileTooLarge, UnsupportedMediaType
from http_compat.limits import bounded
from http_compat.openai.formats import render
from http_compat.openai.transcript_events import delta, done, progress
from http_compat.parsing.bodies import MAX_FIELD_BYTES, media_type
from http_compat.parsing.form_fields import Fields, form_fields, json_fields, query_fields
from http_compat.parsing.transcription_form import TranscriptionForm, read_fields
from http_compat.streaming import EVENTS, interspersed, streamed
from http_compat.uploads import Upload, Uploads
from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.errors import TooLarge
from realtime.settings import Settings
from realtime.workers.threads import BlockingCalls

PROGRESS_SECONDS: Final = 1.0
"""Seconds without text after which the progress of a recording is reported, if it has advanced."""

_MAX_JSON_FILE: Final = 25 * 1024 * 1024
"""Bytes of a recording inside a JSON body, which is held in memory; OpenAI's own limit for uploads."""


class TranscriptionEndpoints:
    """The endpoints for transcriptions and translations."""

    def __init__(self, uploads: Uploads, settings: Settings, names: ModelNames, threads: BlockingCalls) -> None:
        self._uploads = uploads
        self._settings = settings
        self._names = names
        self._threads = threads

    async def transcribe(self, request: Request) -> Response:
        return await self._create(request, translate=False)

    async def translate(self, request: Request) -> Response:
        return await self._create(request, translate=True)

    async def _create(self, request: Request, *, translate: bool) -> Response:
        async with AsyncExitStack() as resources:
            resources.enter_context(self._uploads.slot())
            return await self._respond(request, resources, translate=translate)

    async def _respond(self, request: Request, resources: AsyncExitStack, *, translate: bool) -> Response:
        """Return the response; a streamed response takes over the `resources` of the request."""
        fields, file = await self._read_upload(request, resources)
        fields.add_missing(query_fields(request.query_params))
        form = read_fields(fields)
        entry = self._names.resolve(form.model, Task.TRANSCRIPTION, chosen_freely=names_deployment(request))
        options = form.offline_options(translate=translate)
        upload = await self._uploads.prepare(request, resources, file, entry, options, track=form.track)
        job = upload.job
        if form.stream:
            events = self._events(upload, form)
            response = await streamed(request, events, resources, media_type=EVENTS)
        else:
            transcript = self._uploads.counted(await while_connected(request, job.whole()))
            response = await self._threads.run(
                render,
                transcript,
                form.response_format,
                form.granularities,
                form.subtitles,
                with_logprobs=form.logprobs,
                as_json_string=form.text_as_json_string,
            )
            response.headers.update(suppressed_header(transcript))
        if upload.track is not None:
            response.headers[TRACK_HEADER] = str(upload.track.index)
        response.headers.update(answered_by(entry.name, model=self._names.is_substituted(form.model)))
        return response

    async def _events(self, upload: Upload, form: TranscriptionForm) -> AsyncGenerator[bytes, None]:
        """Yield a delta for every segment, and at the end the whole text; with the progress if that is asked for."""
        job, reported = upload.job, 0

        def new_progress() -> bytes:
            nonlocal reported
            if not form.progress or job.position == reported:
                return b""
            reported = job.position
            return progress(reported / SAMPLE_RATE, upload.total_seconds)

        async def deltas() -> AsyncGenerator[bytes, None]:
            first = True
            async with aclosing(job.segments()) as segments:
                async for segment in segments:
                    text = delta(segment, first=first, with_logprobs=form.logprobs, with_words=form.streams_words)
                    yield text + new_progress()
                    first = False
            yield new_progress() + done(self._uploads.counted(job.transcript()), with_logprobs=form.logprobs)

        async with aclosing(interspersed(deltas(), PROGRESS_SECONDS, new_progress)) as events:
            async for each in events:
                yield each

    async def _read_upload(self, request: Request, resources: AsyncExitStack) -> tuple[Fields, IO[bytes]]:
        """Read the fields and the recording, which is closed with `resources`."""
        match media_type(request):
            case "multipart/form-data":
                return form_fields(await self._uploads.read_form(request, resources))
            case "application/json":
                max_bytes = min(self._settings.max_upload_bytes, _MAX_JSON_FILE) * 4 // 3 + MAX_FIELD_BYTES
                try:
                    body = await bounded(request, max_bytes, self._settings.idle_timeout_seconds).body()
                except TooLarge as error:
                    raise FileTooLarge(error.message, param="file") from error
                fields, file = await self._threads.run(json_fields, body)
                resources.callback(file.close)
                return fields, file
            case _:
                raise UnsupportedMediaType("Send the recording as multipart/form-data, with the audio in `file`.")
