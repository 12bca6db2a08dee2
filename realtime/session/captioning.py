"""From the audio of a turn to its transcript: partials while the turn grows, finals when it is complete.

The audio of a turn is decoded in *segments*, which end in pauses. A segment is decoded while it grows (partials) and
once more when it is complete (the final), with at most one transcription in flight for the whole session, and one draft
(`drafting`). Words that are likely to stay are committed and never revised; the final decides about the rest. A segment
longer than `MAX_SEGMENT` is trimmed of the audio of committed words, so that the cost of a decode does not grow with
the turn.

Partials are requested while somebody speaks (`Phase`). The first final is requested in a pause, before the end of the
turn is certain, and sooner where the answer to the turn is prepared in that pause; if no more speech follows, its
answer is used. `decode_policy` has the rules. Finals are answered in order, and no later segment is decoded before
them.
"""

from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from typing import Final

from realtime.audio.buffer import AudioBuffer
from realtime.catalogue.table import ModelEntry
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.decode_policy import Decision, Waiting, next_request
from realtime.session.drafting import Drafting, draft_model, with_capital
from realtime.session.events import Output, TranscriptExtended, TranscriptFailed, TranscriptRevised
from realtime.session.in_flight import InFlight
from realtime.session.jobs import JobFailed, Jobs, Transcribe, Transcribed
from realtime.session.segment_limits import MAX_SEGMENT
from realtime.session.segments import LEAD_OUT, FinalResult, Phase, Segment
from realtime.session.turns import Turns
from realtime.speech.language_evidence import MIN_CONFIDENCE, Probabilities, prior_from
from realtime.speech.local_agreement import Draft
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import Suppression, suppression
from realtime.speech.transcript import Hypothesis, runs_away

REMEMBERED_SEGMENTS: Final = 4
"""Segments whose languages are remembered; each counts half as much as the one after it."""

MIN_COMMIT_CONFIDENCE: Final = 0.7
"""Least probability of the language from which words are committed before a segment is complete: those in the wrong
language cannot be taken back."""


class Captioning:
    """Transcribes the turns of one session; see the module. Positions are those of `buffer`."""

    def __init__(self, turns: Turns, jobs: Jobs, buffer: AudioBuffer) -> None:
        self._turns = turns
        self._jobs = jobs
        self._buffer = buffer
        self._in_flight: InFlight | None = None
        self._drafting = Drafting(jobs)
        self._languages: tuple[Probabilities, ...] = ()
        """Probabilities of the languages of the last segments with text, the newest first."""
        self._expected: tuple[FinalResult | None, str] | None = None
        """The expected transcript by the final of the last segment of a turn."""
        self.waiting: Waiting | None = None
        """Why the newest segment has no new request; None if it has, or if there is no segment."""

    @property
    def expected_transcript(self) -> str | None:
        """The transcript of the turn in progress if it ends in this pause; None as long as that is not known."""
        segment = self._turns.open
        if segment is None or self._turns.closed or segment.phase is not Phase.PAUSED or segment.turn.error is not None:
            return None
        answer = self._answer(segment)
        if answer is None:
            return None
        if self._expected is None or self._expected[0] is not segment.final:
            hypothesis, why = answer
            delta = deepcopy(segment.agreement).finish(() if why else hypothesis.words)
            self._expected = segment.final, (segment.turn.text + delta).strip()
        return self._expected[1]

    def earliest_needed(self, position: int) -> int:
        """Return the first sample that may still be decoded, at most `position`."""
        pending = self._turns.pending
        if self._in_flight is not None:  # a dropped turn's request can still be pulled
            pending.append(self._in_flight.segment)
        return min([position, *(segment.start for segment in pending)])

    def advance(self) -> Iterator[Output]:
        """Complete the segments whose finals were answered, then request what is worth a transcription or a draft.

        To be called after every input.
        """
        yield from self._advance()
        segment = self._turns.growing
        yield from self._drafting.advance(segment, None if segment is None else self._draft_model(segment))

    def _advance(self) -> Iterator[Output]:
        """Complete segments, then request the next transcription if one is worth it.

        Segments are completed in order: the first one without its final holds up the later ones, and the policy is
        asked about that one, or about the open segment where all are complete.
        """
        turns, self.waiting = self._turns, None
        while turns.closed and (answer := self._answer(turns.closed[0])) is not None:
            yield from self._complete(turns.closed.pop(0), *answer)
        segment = turns.closed[0] if turns.closed else turns.growing
        if segment is None:
            return
        drafted = self._draft_model(segment) is not None
        decision = next_request(
            segment, self._in_flight, turns.load, turns.certainty.span, drafted=drafted,
            partials=turns.config.decode_partials,
        )  # fmt: skip
        if isinstance(decision, Waiting):
            self.waiting = decision if turns.open is None or segment is turns.open else Waiting.EARLIER_SEGMENT
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
        hypothesis = result.hypothesis.before_silence(in_flight.lead_in).shifted(in_flight.start)
        hypothesis = with_capital(hypothesis, segment, self._turns.config_of(segment), self._turns.pending)
        if in_flight.final:
            segment.final = FinalResult(in_flight.speech_end, hypothesis)
            if not self._turns.config_of(segment).decode_partials:
                return  # what it says is committed when its segment is complete
        if segment.done or not (segment.is_open or in_flight.draft):
            return
        if runs_away(hypothesis) or suppression(hypothesis, segment.speech):
            return
        if hypothesis.language_probability < MIN_COMMIT_CONFIDENCE:
            return
        if in_flight.draft:
            yield from self._drafted(in_flight, hypothesis)
            return
        if hypothesis.language_probability >= MIN_CONFIDENCE:
            segment.partial_language = hypothesis.language or None
        agreement, certainty = segment.agreement, self._turns.certainty
        pausing = in_flight.final and in_flight.end >= in_flight.speech_end + LEAD_OUT  # not within a word
        delta = agreement.update(
            hypothesis.words, in_flight.speech_end, certainty, partial=not in_flight.final, pausing=pausing
        )
        if segment.draft is not None:
            delta += agreement.confirm(segment.draft, 0 if pausing else certainty.span)
        yield from self._extend(segment, delta)
        yield from self._revise(segment)
        if in_flight.final:  # it may yet be used, and has all words of the segment
            return
        if in_flight.is_long:
            segment.shorten_partials(hypothesis, in_flight.end, self._buffer, self._turns.load)
        if in_flight.end - segment.decode_range()[0] > MAX_SEGMENT[self._turns.load]:
            segment.trim()

    def _drafted(self, in_flight: InFlight, hypothesis: Hypothesis) -> Iterator[Output]:
        """Take a draft, which may confirm words."""
        segment = in_flight.segment
        segment.draft = Draft(hypothesis.words, in_flight.speech_end, in_flight.first)
        if hypothesis.language_probability >= MIN_CONFIDENCE:
            segment.draft_language = hypothesis.language or None
        if segment.is_open:
            delta = segment.agreement.confirm(segment.draft, self._turns.certainty.span)
            yield from self._extend(segment, delta)
        yield from self._revise(segment)

    def _revise(self, segment: Segment) -> Iterator[TranscriptRevised]:
        """Report the words of the turn of this segment that are not final, of earlier segments too."""
        segment.note_erased()
        if not self._turns.config.include_partials:
            return
        turn = segment.turn
        pending = [each for each in self._turns.pending if each.turn is turn]
        agreement = pending[0].agreement
        yield TranscriptRevised(
            turn.id,
            tuple(agreement.untrimmed),
            tuple(chain.from_iterable(each.tentative for each in pending)),
            pending[-1].scored_until,
            (*turn.words, *agreement.trimmed) if self._turns.config.time_partials else (),
        )

    def _draft_model(self, segment: Segment) -> ModelEntry | None:
        """Return the draft model for the speech of a segment, None where there is none for it."""
        config = self._turns.config_of(segment)
        return draft_model(segment, config, self._languages) if config.decode_partials else None

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
            assert segment is self._turns.closed[0]
            self._turns.closed.pop(0)
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
        config = self._turns.config_of(segment)
        if not in_flight.draft:
            self._turns.load = load
        return in_flight.pull(config, load, self._buffer, prior_from([self._languages]))

    def _request(self, segment: Segment, *, final: bool) -> Transcribe:
        """Put a transcription of the segment in flight."""
        config = self._turns.config_of(segment)
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
            self._languages = (hypothesis.languages, *self._languages)[:REMEMBERED_SEGMENTS]
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
