"""`POST /v1/listen`: a recording, as the body of the request, to text."""

import hashlib
import time
from contextlib import AsyncExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.answer_headers import answered_by, suppressed_header
from http_compat.deepgram.results import results, utterance_pause
from http_compat.disconnect import while_connected
from http_compat.errors import FileTooLarge, UnsupportedValue, request_id
from http_compat.limits import bounded
from http_compat.parsing.bodies import media_type
from http_compat.uploads import Uploads
from realtime.audio.formats import AudioFormat
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.errors import EmptyFile, TooLarge
from realtime.media.encoders import WAV_HEADER, wav_header
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import Transcript
from realtime.settings import Settings
from realtime.wire.deepgram.query import (
    Query,
    check_flags,
    expected_terms,
    flag,
    input_format,
    language,
    languages_to_detect,
    text_of,
)
from realtime.wire.deepgram.transcripts import iso_time, model_info, model_uuid, seconds
from realtime.workers.threads import BlockingCalls

_IN_MEMORY: Final = 1024 * 1024
"""Bytes of a recording from which it is on disk."""

REQUEST_ID_HEADER: Final = "dg-request-id"
"""Header with the id that the body has as `request_id`."""


class ListenEndpoint:
    """The endpoint for recordings."""

    def __init__(self, uploads: Uploads, settings: Settings, names: ModelNames, threads: BlockingCalls) -> None:
        self._uploads = uploads
        self._settings = settings
        self._names = names
        self._threads = threads

    async def transcribe(self, request: Request) -> Response:
        async with AsyncExitStack() as resources:
            resources.enter_context(self._uploads.slot())
            return await self._respond(request, resources)

    async def _respond(self, request: Request, resources: AsyncExitStack) -> Response:
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        check_flags(query)
        audio_format, given, detected = input_format(query), language(query), languages_to_detect(query)
        _check_supported(request, query)
        utterance_pause(query)  # refused here rather than after the transcription
        name = text_of(query, "model")
        entry = self._names.recognizer(name) or self._names.defaults[Task.TRANSCRIPTION]
        options = OfflineOptions(
            languages=(given,) if given else detected or (),
            hotwords=expected_terms(query),
            word_times=True,
            separate_channels=flag(query, "multichannel"),
        ).for_model(entry)
        digest = hashlib.sha256()
        file = resources.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - `resources` closes it
        await self._read(request, file, audio_format, digest)
        upload = await self._uploads.prepare(request, resources, file, entry, options)
        transcript = self._uploads.counted(await while_connected(request, upload.job.whole()))
        body = {
            "metadata": _metadata(request_id(request), transcript, entry, digest.hexdigest()),
            "results": results(transcript, query),
        }
        answered = answered_by(entry.name, model=self._names.is_substituted(name))
        headers = {REQUEST_ID_HEADER: request_id(request)} | answered | suppressed_header(transcript)
        return JSONResponse(body, headers=headers)

    async def _read(
        self, request: Request, file: IO[bytes], audio_format: AudioFormat | None, digest: "hashlib._Hash"
    ) -> None:
        """Write the body to `file`, raw audio with a header, and add it to `digest`."""
        timeout, size = self._settings.idle_timeout_seconds, 0
        if audio_format is not None:
            file.seek(WAV_HEADER)
        try:
            async for chunk in bounded(request, self._settings.max_upload_bytes, timeout).stream():
                size += len(chunk)
                digest.update(chunk)
                await self._threads.run(file.write, chunk)
        except TooLarge as error:
            raise FileTooLarge(error.message) from error
        if not size:
            raise EmptyFile("The body of the request has no audio.")
        file.seek(0)
        if audio_format is not None:
            file.write(wav_header(audio_format, size))
            file.seek(0)


def _check_supported(request: Request, query: Query) -> None:
    """Raise `UnsupportedValue` for what would need a connection to another server."""
    if media_type(request) == "application/json":
        raise UnsupportedValue(
            "A recording at a `url` is not fetched. Send the recording itself as the body, with its media type."
        )
    if text_of(query, "callback"):
        raise UnsupportedValue("`callback` is not supported: the response has the transcript.", param="callback")


def _metadata(identity: str, transcript: Transcript, model: ModelEntry, sha256: str) -> dict[str, Any]:
    identifier = model_uuid(model.name)
    return {
        "transaction_key": "deprecated",
        "request_id": identity,
        "sha256": sha256,
        "created": iso_time(time.time()),
        "duration": seconds(transcript.samples),
        "channels": transcript.channels or 1,
        "models": [identifier],
        "model_info": {identifier: model_info(model)},
    }
