"""One recording from decoded audio to its transcript."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooShort
from realtime.media.tracks import AudioTrack
from realtime.offline.channels import ChannelSegmenter
from realtime.offline.options import OfflineOptions
from realtime.offline.speech_segments import SpeechSegment, SpeechSegmenter
from realtime.offline.transcriber import OfflineTranscriber
from realtime.offline.transcript import TranscribedSegment, Transcript
from realtime.scheduling.priority import ANONYMOUS, ClientId

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncDetector, AsyncRecognizer

MIN_RECORDING: Final = SAMPLE_RATE // 10
"""Samples a recording must have at least: 0.1 s, the minimum of OpenAI's API."""


class TranscriptionJob:
    """Transcribes one recording, once: iterate over `segments` and then get the `transcript`, or await `whole`.

    Audio is decoded, scored and transcribed as it is consumed, so a recording of any length takes little memory.
    """

    def __init__(
        self,
        audio: AsyncIterator[Samples],
        detector: "AsyncDetector",
        recognizer: "AsyncRecognizer",
        options: OfflineOptions,
        client_id: ClientId = ANONYMOUS,
        track: AudioTrack | None = None,
    ) -> None:
        """Transcribe `audio`, blocks of 16 kHz mono samples; the models must stay loaded meanwhile.

        With `options.separate_channels`, the blocks have the shape (channels, n).
        `track` is the audio track of a recording that has several, which the transcript names.
        """
        self._audio = audio
        new_segmenter = partial(
            SpeechSegmenter,
            detector,
            options.detection,
            vad_filter=options.vad_filter,
            joined=not options.multilingual,
        )
        self._channels = ChannelSegmenter(new_segmenter) if options.separate_channels else None
        self._segmenter = self._channels or new_segmenter()
        self._transcriber = OfflineTranscriber(recognizer, options, client_id)
        self._translated = options.translate
        self._track = track
        self._segments: list[TranscribedSegment] = []
        self._finished = False

    @property
    def position(self) -> int:
        """Samples from the start of the recording that are done: transcribed, or without speech."""
        if self._finished:
            return self._segmenter.samples
        position = self._transcriber.position
        return self._segmenter.earliest_needed if position is None else position

    async def whole(self) -> Transcript:
        """Transcribe the whole recording. Raises as `segments`."""
        async with aclosing(self.segments()) as segments:
            async for _ in segments:
                pass
        return self.transcript()

    async def segments(self) -> AsyncGenerator[TranscribedSegment, None]:
        """Yield the segments that have text, in order, as they are transcribed.

        Raises:
            AudioTooShort: The recording is shorter than `MIN_RECORDING`.
            EngineError: A model failed.
            VoiceError: The source of the audio failed.
        """
        async with aclosing(self._transcriber.segments(self._speech_segments())) as segments:
            async for segment in segments:
                self._segments.append(segment)
                yield segment
        self._finished = True

    def transcript(self) -> Transcript:
        """Return the transcript; complete once `segments` is exhausted."""
        return Transcript(
            tuple(self._segments),
            self._transcriber.language or "",
            self._segmenter.samples,
            translated=self._translated,
            suppressed=tuple(sorted(self._transcriber.suppressed, key=attrgetter("start"))),
            track=self._track,
            channels=None if self._channels is None else self._channels.channels,
        )

    async def _speech_segments(self) -> AsyncGenerator[SpeechSegment, None]:
        async for speech_segment in self._segmenter.segments(self._audio):
            yield speech_segment
        if self._segmenter.samples < MIN_RECORDING:
            raise AudioTooShort("The audio is too short. The minimum length is 0.1 seconds.", param="file")
