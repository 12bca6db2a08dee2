"""A transcription from its request to its answer, and what it decodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from realtime.audio.buffer import AudioBuffer
from realtime.scheduling.priority import LoadLevel
from realtime.session.config import SessionConfig
from realtime.session.segment_limits import MAX_PARTIAL
from realtime.session.segments import Segment
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Word


class RequestState(Enum):
    """How far the transcription in flight has come."""

    QUEUED = auto()
    """It waits for an engine; what it will decode is not fixed yet."""
    RUNNING = auto()
    """An engine has pulled the request."""


@dataclass(slots=True)
class InFlight:
    """The transcription in flight; a session has at most one, and one draft.

    All but the first three fields and `draft` are fixed by the pull; `speech_end` of a final is set by its request
    first.
    """

    number: int
    segment: Segment
    final: bool
    state: RequestState = RequestState.QUEUED
    speech_end: int = 0
    """End of the speech it decodes; of a queued final, end of the speech for which it was requested."""
    start: int = 0
    end: int = 0
    lead_in: int = 0
    """Samples of silence decoded before the audio."""
    is_long: bool = False
    """Whether committed words should be left out of later partials."""
    first: int = 0
    """Number of committed words before the audio."""
    draft: bool = False
    """Whether the draft model answers it."""

    def pull(
        self, config: SessionConfig, load: LoadLevel, buffer: AudioBuffer, prior: Mapping[str, float]
    ) -> TranscriptionRequest:
        """Return what to decode now that an engine is free: the newest audio; `prior` is that of the language."""
        segment = self.segment
        self.state = RequestState.RUNNING
        self.start, self.end = segment.decode_range()
        self.lead_in = 0 if config.turn_detection else segment.missing_lead_in
        if not self.final and segment.partial_start is not None:
            self.start, self.lead_in = segment.partial_start, 0
        self.first, self.speech_end = segment.agreement.left_out, segment.speech_end
        if self.draft:
            segment.drafted_until = self.speech_end
        else:
            segment.requested_until = self.speech_end
            self.is_long = self.end - self.start > MAX_PARTIAL[load]
        timed = config.time_partials and not load.is_high
        told = None if self.final else segment.partial_language
        return TranscriptionRequest(
            samples=buffer.slice(self.start, self.end),
            language=config.known_language or told or (segment.draft_language if self.draft else None),
            candidates=config.languages,
            language_prior=prior,
            prompt=config.prompt,
            expected="".join(word.text for word in self._expected()),
            final=self.final,
            word_times=self.final or self.is_long or timed,
            voice=segment.voice.between(self.start, self.end),
            translate=config.translate,
            under_load=load.is_high,
        ).after_silence(self.lead_in)

    def _expected(self) -> Sequence[Word]:
        """Return the words that the answer probably begins with, by the answers before."""
        segment = self.segment
        if self.draft:
            draft = segment.draft
            return draft.words if draft is not None and draft.first == self.first else ()
        agreement = segment.agreement
        before = agreement.untrimmed if self.final else agreement.committed[self.first :]
        return *before, *segment.tentative

    def covers(self, segment: Segment) -> bool:
        """Whether the answer will be about all of the speech of `segment`."""
        return self.segment is segment and self.speech_end == segment.speech_end
