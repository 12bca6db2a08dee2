"""Uploaded recordings on their way to a transcript, for the endpoints of all protocols."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from starlette.datastructures import FormData
from starlette.requests import Request

from http_compat.disconnect import while_connected
from http_compat.errors import FileTooLarge, request_id
from http_compat.limits import ConcurrencyLimit, bounded
from http_compat.parsing.bodies import close_files, read_form
from http_compat.request_log import note_audio
from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.signatures import LONGEST_SIGNATURE, is_container
from realtime.catalogue.table import ModelEntry
from realtime.edge.metrics import Metrics
from realtime.edge.rate_limits import RateLimits, address_of
from realtime.errors import TooLarge
from realtime.media.decoder_pool import DecodedAudio, DecoderPool
from realtime.media.tracks import AudioTrack
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.recording import open_recording, raw_samples
from realtime.offline.transcript import Transcript
from realtime.scheduling.priority import ClientId
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

_MAX_FILES: Final = 4
"""Files in a form that are read to refuse all but the recording by name."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that is ready to be transcribed, and its audio track if it has several."""

    job: TranscriptionJob
    track: AudioTrack | None
    audio: DecodedAudio | None
    """The source of its samples; None without a header."""

    @property
    def total_seconds(self) -> float | None:
        """Length of the recording as its file declares it, which may be too low; None if it is not known."""
        return None if self.audio is None else self.audio.declared_seconds


class Uploads:
    """The uploads of one service: at most `max_concurrent_uploads` at a time, whatever endpoint they come to."""

    def __init__(
        self, models: "ModelService", settings: Settings, decoders: DecoderPool, metrics: Metrics, rates: RateLimits
    ) -> None:
        self._models = models
        self._settings = settings
        self._decoders = decoders
        self._metrics = metrics
        self._rates = rates
        self._limit = ConcurrencyLimit(settings.max_concurrent_uploads, "Too many uploads are in progress.")

    def slot(self) -> AbstractContextManager[None]:
        """Occupy one of the places until the block ends. Raises `QueueFull`."""
        return self._limit.slot()

    async def read_form(self, request: Request, resources: AsyncExitStack, file_name: str = "file") -> FormData:
        """Read a form with a recording in the part `file_name`; its files are closed with `resources`.

        Raises `ClientError`.
        """
        max_bytes, timeout = self._settings.max_upload_bytes, self._settings.idle_timeout_seconds
        try:
            form = await read_form(bounded(request, max_bytes, timeout), max_files=_MAX_FILES)
        except TooLarge as error:
            raise FileTooLarge(error.message, param=file_name) from error
        resources.callback(close_files, form)
        return form

    async def prepare(
        self,
        request: Request,
        resources: AsyncExitStack,
        file: IO[bytes],
        entry: ModelEntry,
        options: OfflineOptions,
        *,
        track: str = "",
        raw: bool = False,
    ) -> Upload:
        """Lease the recognizer and open the recording, for as long as `resources` are open.

        `track` is the index or the language of an audio track. A `raw` recording without a header is 16-bit mono at 16
        kHz; one with a header is decoded nevertheless.
        """
        client = request.state.account or address_of(request)
        self._rates.audio.check(client)
        options = options.for_model(entry)
        recognizer = await while_connected(request, resources.enter_async_context(self._models.lease_recognizer(entry)))
        options = options.for_model(recognizer.entry)  # which for a repository is known only now
        max_seconds, detector = self._settings.max_upload_seconds, self._models.detector
        client_id = ClientId(request.state.account, request_id(request))
        audio: AsyncIterator[Samples]
        if raw and not _has_header(file):
            audio, decoded, chosen = raw_samples(file, max_seconds), None, None
        else:
            opening = open_recording(self._decoders, file, max_seconds, detector, track)
            recording = await while_connected(request, resources.enter_async_context(opening))
            decoded, chosen = recording.audio, recording.track
            audio = decoded.separate() if options.separate_channels else decoded
        job = TranscriptionJob(audio, detector, recognizer, options, client_id, chosen)
        note_audio(request, lambda: job.transcript().samples / SAMPLE_RATE)
        resources.callback(lambda: self._rates.audio.add(client, job.transcript().samples / SAMPLE_RATE / 60))
        return Upload(job, chosen, decoded)

    def counted(self, transcript: Transcript) -> Transcript:
        """Count what was suppressed of a transcript, and return it."""
        self._metrics.count_suppressed(each.reason for each in transcript.suppressed)
        return transcript


def _has_header(file: IO[bytes]) -> bool:
    beginning = file.read(LONGEST_SIGNATURE)
    file.seek(0)
    return is_container(beginning)
