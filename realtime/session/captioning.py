"""From the audio of a turn to its transcript: partials while the turn grows, finals when it is complete.

The audio of a turn is decoded in *segments*, which end in pauses. A segment is decoded while it grows (partials) and
once more when it is complete (the final), with at most one transcription in flight for the whole session, and one draft
(`drafting`). Words on which successive partials agree are committed and never revised; the final decides about the
rest. A segment longer than `MAX_SEGMENT` is trimmed of the audio of committed words, so that the cost of a decode does
not grow with the turn.

Partials are requested while somebody speaks (`Phase`). The first final is requested in a pause, before the end of the
turn is certain, and sooner where the answer to the turn is prepared in that pause; if no more speech follows, its
answer is used. `decode_policy` has the rules. Finals are answered in order, and no later segment is decoded before
them.
"""

from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import chain
from typing import Final

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.table import ModelEntry
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import Decision, Waiting, next_request
from realtime.session.drafting import Drafting, draft_model
from realtime.session.events import Output, TranscriptCompleted, TranscriptExtended, TranscriptFailed, TranscriptRevised
from realtime.session.in_flight import InFlight
from realtime.session.jobs import JobFailed, Jobs, Transcribe, Transcribed
from realtime.session.segment_limits import MAX_SEGMENT, cut_position
from realtime.session.segments import FinalResult, Phase, Segment, Turn
from realtime.speech.language_evidence import MIN_CONFIDENCE, Probabilities, prior_from
from realtime.speech.local_agreement import Draft
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import VOICED, SpeechEvidence, Suppression, suppression
from realtime.speech.transcript import Hypothesis

LEADING_SILENCE: Final = SAMPLE_RATE
"""Samples (1 s) kept before the first speech of a turn; relevant where the client commits turns by hand, or sets a long
prefix padding."""

REMEMBERED_SEGMENTS: Final = 4
"""Segments whose languages are remembered; each counts half as much as the one after it."""

MIN_COMMIT_CONFIDENCE: Final = 0.7
"""Least probability of the language from which a partial counts: words in the wrong language cannot be taken back."""

MAX_PENDING_FINALS: Final = 4
"""Closed segments that may wait for their finals before the session takes no more audio."""


class Captioning:
    """Transcribes the turns of one session; see the module. Positions are those of `buffer`."""

    def __init__(self, config: SessionConfig, jobs: Jobs, buffer: AudioBuffer) -> None:
        self.config = config
        """The configuration in effect for the audio scored so far; closed segments keep theirs."""
        self._jobs = jobs
        self._buffer = buffer
        self._open: Segment | None = None
        self._closed: deque[Segment] = deque()
        self._in_flight: InFlight | None = None
        self._drafting = Drafting(jobs)
        self._languages: deque[Probabilities] = deque(maxlen=REMEMBERED_SEGMENTS)
        """Probabilities of the languages of the last segments with text, the newest first."""
        self._expected: tuple[FinalResult | None, str] | None = None
        """The expected transcript by the final of the last segment of a turn."""
        self.waiting: Waiting | None = None
        """Why the newest segment has no new request; None if it has, or if there is no segment."""
        self._load = LoadLevel.NORMAL
        """Load of the recognizer when it last pulled a request; assumed until the next pull."""

    @property
    def turn_id(self) -> str | None:
        """Identifier of the turn in progress."""
        return self._open.turn.id if self._open else None

    @property
    def expected_transcript(self) -> str | None:
        """The transcript of the turn in progress if it ends in this pause; None as long as that is not known."""
        segment = self._open
        if segment is None or self._closed or segment.phase is not Phase.PAUSED or segment.turn.error is not None:
            return None
        answer = self._answer(segment)
        if answer is None:
            return None
        if self._expected is None or self._expected[0] is not segment.final:
            hypothesis, why = answer
            delta = deepcopy(segment.agreement).finish(() if why else hypothesis.words)
            self._expected = segment.final, (segment.turn.text + delta).strip()
        return self._expected[1]

    @property
    def unfinished(self) -> bool:
        """Whether a turn is in progress or a transcript is still to come."""
        return self._open is not None or bool(self._closed)

    @property
    def saturated(self) -> bool:
        """Whether more than `MAX_PENDING_FINALS` finals are due."""
        return len(self._closed) > MAX_PENDING_FINALS

    def earliest_needed(self, position: int) -> int:
        """Return the first sample that may still be decoded, at most `position`."""
        pending = [*self._closed, *([self._open] if self._open else [])]
        if self._in_flight is not None:  # a dropped turn's request can still be pulled
            pending.append(self._in_flight.segment)
        return min([position, *(segment.start for segment in pending)])

    # Turns.

    def begin_turn(self, item_id: str, start: int, audio_start: int) -> None:
        """Begin a turn at `start`, of which the audio from `audio_start` on is decoded."""
        self._open = Segment(Turn(item_id, start), audio_start, self._no_evidence())

    def add_window(self, start: int, end: int, probability: float) -> None:
        """Add the window from `start` to `end` of the turn with its speech probability; it may end a segment."""
        segment = self._open
        assert segment is not None
        segment.add_window(start, end, probability)
        segment.prepares_answer = self.config.answers_early and self._load is LoadLevel.NORMAL
        if segment.speech_start is None:
            segment.start = max(segment.start, end - LEADING_SILENCE)
        elif (at := cut_position(segment, self._load, self._buffer)) is not None:
            self._cut(segment, at)

    def end_turn(self, position: int) -> None:
        """End the turn in progress at `position`; its transcript will follow, if transcripts are wanted."""
        segment, self._open = self._open, None
        assert segment is not None
        segment.end = segment.turn.end = position
        segment.ends_turn = True
        if self.config.transcribe:
            self._close(segment)
        else:
            self._drop(segment)

    def discard_turn(self) -> TranscriptCompleted | None:
        """Drop the turn in progress. If text of it was committed, return its completion with that text."""
        segment, self._open = self._open, None
        if segment is None:
            return None
        self._drop(segment)
        turn = segment.turn
        if not (turn.text and self.config.transcribe):
            return None
        return TranscriptCompleted(turn.id, turn.text.strip(), words=(), language=turn.language, samples=0)

    def _drop(self, last: Segment) -> None:
        """Give up the transcript of a turn, of which `last` is the last segment."""
        for segment in (last, *self._closed):
            segment.done = segment.done or segment.turn is last.turn
        self._closed = deque(segment for segment in self._closed if not segment.done)

    def _cut(self, segment: Segment, at: int) -> None:
        """End the segment at `at`; the turn continues in a new one."""
        self._open = segment.cut(at)
        if self.config.transcribe:
            self._close(segment)
        else:
            segment.done = True

    def _close(self, segment: Segment) -> None:
        """Queue the segment for its final."""
        segment.config = self.config
        self._closed.append(segment)

    def _no_evidence(self) -> SpeechEvidence:
        """Return empty evidence with the client's speech threshold where it is lower than the default."""
        detection = self.config.turn_detection
        return SpeechEvidence(VOICED if detection is None else min(VOICED, detection.threshold))

    # Transcripts.

    def advance(self) -> Iterator[Output]:
        """Complete the segments whose finals were answered, then request what is worth a transcription or a draft.

        To be called after every input.
        """
        yield from self._advance()
        segment = self._open if self.config.transcribe else None
        yield from self._drafting.advance(segment, None if segment is None else self._draft_model(segment))

    def _advance(self) -> Iterator[Output]:
        """Complete segments, then request the next transcription if one is worth it.

        Segments are completed in order: the first one without its final holds up the later ones, and the policy is
        asked about that one, or about the open segment where all are complete.
        """
        while self._closed and (answer := self._answer(self._closed[0])) is not None:
            yield from self._complete(self._closed.popleft(), *answer)
        segment = self._closed[0] if self._closed else self._open if self.config.transcribe else None
        self.waiting = None
        if segment is None:
            return
        drafted = self._draft_model(segment) is not None
        decision = next_request(segment, self._in_flight, self._load, self.config.agreement_span, drafted=drafted)
        if isinstance(decision, Waiting):
            self.waiting = decision if segment is self._open or self._open is None else Waiting.EARLIER_SEGMENT
            return
        if self._in_flight is not None:
            yield self._jobs.cancel(self._in_flight.number)
            self._in_flight = None
        if decision is not Decision.CANCEL:
            yield self._request(segment, final=decision is Decision.FINAL)

    def transcribed(self, result: Transcribed) -> Iterator[Output]:
        """Take the answer of the transcription in flight, or of the draft."""
        in_flight = self._drafting.end(result.number) or self._end_in_flight(result.number)
        segment = in_flight.segment
        hypothesis = result.hypothesis.before_silence(in_flight.lead_in)
        hypothesis = replace(hypothesis, words=tuple(word.shifted(in_flight.start) for word in hypothesis.words))
        if in_flight.final:
            segment.final = FinalResult(in_flight.speech_end, hypothesis)
        if segment.done or not (segment.is_open or in_flight.draft) or suppression(hypothesis, segment.speech):
            return
        if hypothesis.language_probability < MIN_COMMIT_CONFIDENCE and not in_flight.final:
            return
        if in_flight.draft:
            yield from self._drafted(in_flight, hypothesis)
            return
        if hypothesis.language_probability >= MIN_CONFIDENCE:
            segment.partial_language = hypothesis.language or None
        agreement, span = segment.agreement, self.config.agreement_span
        pausing = in_flight.final and not segment.prepares_answer  # after 64 ms it may be within a word
        delta = agreement.update(
            hypothesis.words, in_flight.speech_end, partial=not in_flight.final, pausing=pausing, span=span
        )
        if segment.draft is not None:
            delta += agreement.confirm(segment.draft, 0 if pausing else span)
        yield from self._extend(segment, delta)
        yield from self._revise(segment)
        if in_flight.final:  # it may yet be used, and has all words of the segment
            return
        if in_flight.is_long:
            segment.shorten_partials(hypothesis, in_flight.end, self._buffer, self._load)
        if in_flight.end - segment.decode_range()[0] > MAX_SEGMENT[self._load]:
            segment.trim()

    def _drafted(self, in_flight: InFlight, hypothesis: Hypothesis) -> Iterator[Output]:
        """Take a draft, which may confirm words."""
        segment = in_flight.segment
        segment.draft = Draft(hypothesis.words, in_flight.speech_end, in_flight.first)
        if hypothesis.language_probability >= MIN_CONFIDENCE:
            segment.draft_language = hypothesis.language or None
        if segment.is_open:
            yield from self._extend(segment, segment.agreement.confirm(segment.draft, self.config.agreement_span))
        yield from self._revise(segment)

    def _revise(self, segment: Segment) -> Iterator[TranscriptRevised]:
        """Report the words of the turn of this segment that are not final, of earlier segments too."""
        segment.note_erased()
        if not self.config.include_partials:
            return
        turn = segment.turn
        pending = [each for each in (*self._closed, self._open) if each is not None and each.turn is turn]
        agreement = pending[0].agreement
        yield TranscriptRevised(
            turn.id,
            tuple(agreement.untrimmed),
            tuple(chain.from_iterable(each.tentative for each in pending)),
            pending[-1].scored_until,
            (*turn.words, *agreement.trimmed) if self.config.time_partials else (),
        )

    def _draft_model(self, segment: Segment) -> ModelEntry | None:
        """Return the draft model for the speech of a segment, None where there is none for it."""
        return draft_model(segment, segment.config or self.config, self._languages)

    def failed(self, failure: JobFailed) -> Iterator[Output]:
        """Take the failure of the transcription in flight, or of the draft, which is only missing.

        After a failed partial or draft the next one is only late, as it waits for new speech, and a final that fails in
        a pause is repeated when the segment is closed. A final that fails then is missing from its turn: the transcript
        fails, when the turn is over.
        """
        if (draft := self._drafting.end(failure.number)) is not None:
            draft.segment.drafted_until = draft.segment.speech_end
            return
        in_flight = self._end_in_flight(failure.number)
        segment = in_flight.segment
        segment.requested_until = segment.speech_end
        if in_flight.final and segment.is_open:
            segment.final = FinalResult(in_flight.speech_end, None)
        if segment.phase is Phase.CLOSED:
            assert segment is self._closed[0]
            self._closed.popleft()
            segment.done = True
            segment.turn.error = failure.error
            if segment.ends_turn:
                yield TranscriptFailed(segment.turn.id, failure.error)

    def request_for(self, number: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return what to decode for this job now that an engine is free; see `Session.request_for`."""
        asked = [each for each in (self._in_flight, self._drafting.in_flight) if each is not None]
        in_flight = next((each for each in asked if each.number == number), None)
        if in_flight is None:
            return None
        segment = in_flight.segment
        config = segment.config or self.config
        if not in_flight.draft:
            self._load = load
        return in_flight.pull(config, load, self._buffer, prior_from([self._languages]))

    def _request(self, segment: Segment, *, final: bool) -> Transcribe:
        """Put a transcription of the segment in flight."""
        config = segment.config or self.config
        self._in_flight = InFlight(self._jobs.begin(), segment, final)
        if final:
            self._in_flight.speech_end = segment.requested_until = segment.speech_end
        return Transcribe(self._in_flight.number, config.recognizer, Priority.FINAL if final else Priority.PARTIAL)

    def _end_in_flight(self, number: int) -> InFlight:
        """Return the transcription in flight, which has been answered."""
        in_flight, self._in_flight = self._in_flight, None
        assert in_flight is not None
        assert in_flight.number == number
        self._jobs.end(number)
        return in_flight

    @staticmethod
    def _answer(segment: Segment) -> tuple[Hypothesis, Suppression | None] | None:
        """Return the final hypothesis of a closed segment and why it is suppressed; None: the final is still due."""
        if not segment.speech.has_speech:
            return Hypothesis((), ""), Suppression.NO_VOICE
        if segment.final is None or segment.final.speech_end != segment.speech_end or segment.final.hypothesis is None:
            return None
        return segment.final.hypothesis, suppression(segment.final.hypothesis, segment.speech)

    def _complete(self, segment: Segment, hypothesis: Hypothesis, why: Suppression | None) -> Iterator[Output]:
        """Commit the final of a segment unless it is suppressed; with the last segment of a turn, complete the turn."""
        yield from self._extend(segment, segment.agreement.finish(() if why else hypothesis.words))
        segment.finish(hypothesis, why)
        turn = segment.turn
        if segment.agreement.committed and hypothesis.languages:
            self._languages.appendleft(hypothesis.languages)
        if segment.ends_turn:
            yield turn.completed() if turn.error is None else TranscriptFailed(turn.id, turn.error)

    def _extend(self, segment: Segment, delta: str) -> Iterator[Output]:
        """Report newly committed text."""
        segment.note_committed(self._buffer.end)
        turn = segment.turn
        delta = delta if turn.text else delta.lstrip()
        if delta:
            turn.text += delta
            yield TranscriptExtended(turn.id, delta)
