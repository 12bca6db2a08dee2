"""From the audio of a user's turn to its transcript: partials while it grows, finals when it is complete.

An *item* is one turn of the user. Its audio is decoded in *passages*, which end in pauses. A passage is decoded as it
grows (partials) and once more when it is complete (the final), never twice at a time. Words on which partials agree
are committed, and what is committed stays; the final has the last word on the rest. A passage longer than `MAX_SEGMENT`
forgets the audio of committed words, so that a decode costs the same however long somebody speaks.

The final begins in the pause before the end of the turn is certain; if nobody speaks again, its answer is used. Finals
are answered in order, and nothing of a later passage is decoded before them. How often a partial is worth its cost is
for the scheduler to say: a request waits there, and takes the newest audio when its turn has come.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.config import SessionConfig
from realtime.session.events import Output, TranscriptCompleted, TranscriptExtended, TranscriptFailed, TranscriptRevised
from realtime.session.jobs import JobFailed, Jobs, Transcribe, Transcribed
from realtime.session.segments import Segment, Turn
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import VOICED, SpeechEvidence, Suppression, suppression
from realtime.speech.transcript import Hypothesis

STEP: Final = SAMPLE_RATE // 4
STEP_IN_A_HURRY: Final = SAMPLE_RATE // 2
"""New speech worth a partial."""

EARLY_FINAL_SILENCE: Final = 9 * WINDOW
"""Silence after which the final begins: 288 ms."""

SHORT_SILENCE: Final = 3 * WINDOW
"""Silence that may become a pause."""

MAX_SEGMENT: Final = {
    LoadLevel.NORMAL: 10 * SAMPLE_RATE,
    LoadLevel.BUSY: 6 * SAMPLE_RATE,
    LoadLevel.CRITICAL: 7 * SAMPLE_RATE // 2,
}
"""A passage of this length ends in the next pause, or is trimmed: more context is more accurate, and costs more.

23 minutes of English have 7.35 and 7.2 % of word errors with 8 and 10 s and a partial every 0.3 s; 8.0, 7.6 and 7.35 %
with 3.5, 5 and 6 s and one every second; 6.7 % as whole files.
"""

HARD_SEGMENT_LIMIT: Final = 20 * SAMPLE_RATE
CUT_SEARCH_RANGE: Final = 8 * SAMPLE_RATE
"""A passage in which nothing could be committed is cut at this length, so far back from its end at most."""

LEADING_SILENCE: Final = SAMPLE_RATE
"""Of audio without a voice, kept before the first word of a turn that the client commits."""

MIN_LANGUAGE_WINDOWS: Final = 3 * SAMPLE_RATE // WINDOW
"""Windows with a voice from which the language can be told: 3 s."""

MAX_PENDING_FINALS: Final = 4


@dataclass(slots=True)
class InFlight:
    """The one transcription in flight. What of the passage it covers is settled when an engine takes it."""

    number: int
    segment: Segment
    final: bool
    start: int = 0
    end: int = 0
    voice_end: int = 0
    timed: bool = False
    taken: bool = False


class Captioning:
    """Transcribes the turns of one session; see the module. Positions are those of `buffer`."""

    def __init__(self, config: SessionConfig, jobs: Jobs, buffer: AudioBuffer) -> None:
        self.config = config
        self._jobs = jobs
        self._buffer = buffer
        self._open: Segment | None = None
        self._closed: deque[Segment] = deque()
        self._decoding: InFlight | None = None
        self._language: str | None = None
        self._load = LoadLevel.NORMAL
        """Load of the recognizer when it last pulled a request; it holds until the next pull."""

    @property
    def item_id(self) -> str | None:
        """The turn in progress."""
        return self._open.item.id if self._open else None

    @property
    def _max_segment(self) -> int:
        return MAX_SEGMENT[self._load]

    @property
    def _step(self) -> int:
        return STEP if self._load is LoadLevel.NORMAL else STEP_IN_A_HURRY

    @property
    def saturated(self) -> bool:
        """Whether finals have piled up."""
        return len(self._closed) > MAX_PENDING_FINALS

    def earliest_needed(self, position: int) -> int:
        """The first sample that may still be decoded, at most `position`."""
        waiting = self._decoding and self._decoding.segment  # dropped, perhaps, but still going to be asked for
        return min([position, *(segment.start for segment in (*self._closed, self._open, waiting) if segment)])

    # Turns.

    def begin(self, item_id: str, start: int) -> None:
        """A turn begins at `start`."""
        self._open = Segment(Turn(item_id, start), start, self._no_speech())

    def hear(self, start: int, end: int, probability: float) -> None:
        """The window from `start` to `end` of the turn has this speech probability; it may end a passage."""
        segment = self._open
        assert segment is not None
        segment.hear(start, end, probability)
        if segment.voice_start is None:
            segment.start = max(segment.start, end - LEADING_SILENCE)
        elif end - segment.start >= self._max_segment and end - segment.voice_end >= EARLY_FINAL_SILENCE:
            self._cut(segment, segment.voice_end + EARLY_FINAL_SILENCE // 2)
        elif end - segment.start >= HARD_SEGMENT_LIMIT:
            # Not before the words that have been given out, which would be heard again.
            self._cut(
                segment, self._buffer.quietest(max(end - CUT_SEARCH_RANGE, segment.agreement.confirmed_until), end)
            )

    def end(self, position: int) -> None:
        """The turn in progress ends at `position`; its transcript will follow, if transcripts are wanted."""
        segment, self._open = self._open, None
        assert segment is not None
        segment.end = segment.item.end = position
        segment.closes_item = True
        if self.config.transcribe:
            self._closed.append(segment)
        else:
            self._drop(segment.item)

    def forget(self) -> TranscriptCompleted | None:
        """Drop the turn in progress. Where text of it was given out, it is completed with that."""
        if self._open is None:
            return None
        item, self._open = self._open.item, None
        self._drop(item)
        if not (item.text and self.config.transcribe):
            return None
        return TranscriptCompleted(item.id, item.text.strip(), words=(), language=item.language, samples=0)

    def _drop(self, item: Turn) -> None:
        """Nobody wants the transcript of this item: its passages need no finals."""
        self._closed = deque(segment for segment in self._closed if segment.item is not item)

    def _cut(self, segment: Segment, at: int) -> None:
        """End the passage at `at`; the turn goes on in a new one."""
        self._open = segment.cut(at)
        if self.config.transcribe:
            self._closed.append(segment)

    def _no_speech(self) -> SpeechEvidence:
        """Evidence to be gathered, by the standard of whoever says what speech is."""
        detection = self.config.turn_detection
        return SpeechEvidence(VOICED if detection is None else min(VOICED, detection.threshold))

    # Transcripts.

    def advance(self) -> Iterator[Output]:
        """Complete the passages whose finals are there, and ask for the next transcription if there is reason to."""
        while self._closed:
            segment = self._closed[0]
            if not segment.speech.has_speech:
                yield from self._complete(segment, Hypothesis((), ""), Suppression.NO_VOICE)
            elif segment.final is not None and segment.final[0] == segment.voice_end:
                hypothesis = segment.final[1]
                yield from self._complete(segment, hypothesis, suppression(hypothesis, segment.speech))
            else:
                yield from self._ask(segment, final=True)
                return
            self._closed.popleft()
        open_segment = self._open
        if open_segment is None or not self.config.transcribe or not open_segment.speech.has_speech:
            return
        assert open_segment.voice_start is not None
        new = open_segment.voice_end - max(open_segment.requested_until, open_segment.voice_start)
        silence = open_segment.heard_until - open_segment.voice_end
        if silence >= EARLY_FINAL_SILENCE and open_segment.voice_end > open_segment.final_requested_until:
            if not self._in_flight_covers(open_segment):
                yield from self._ask(open_segment, final=True)
        elif (
            silence >= SHORT_SILENCE
            and (waiting := self._decoding) is not None
            and not (waiting.taken or waiting.final)
        ):
            yield self._jobs.cancel(waiting.number)  # the final may be near; if it is not, there is more to hear
            self._decoding = None
        elif silence < SHORT_SILENCE and new >= self._step and self._decoding is None:
            yield from self._ask(open_segment, final=False)

    def transcribed(self, result: Transcribed) -> Iterator[Output]:
        """Take the answer of the transcription in flight."""
        decoding = self._take(result.number)
        segment = decoding.segment
        hypothesis = replace(
            result.hypothesis, words=tuple(word.shifted(decoding.start) for word in result.hypothesis.words)
        )
        if decoding.final:
            segment.final = decoding.voice_end, hypothesis
        if segment is not self._open or suppression(hypothesis, segment.speech):
            return
        agreement = segment.agreement
        yield from self._extend(segment, agreement.update(hypothesis.words, decoding.voice_end, pausing=decoding.final))
        if self.config.include_partials:
            yield TranscriptRevised(
                segment.item.id, tuple(agreement.untrimmed), agreement.tentative, segment.heard_until
            )
        if decoding.timed and not decoding.final:  # a final may yet complete the passage, and has all its words
            segment.trim(hypothesis, decoding.end, self._buffer)

    def failed(self, failure: JobFailed) -> Iterator[Output]:
        """The transcription in flight failed: a partial is only late, a final is missing from its item."""
        segment = self._take(failure.number).segment
        if self._closed and self._closed[0] is segment:
            self._closed.popleft()
            segment.item.error = failure.error
            if segment.closes_item:
                yield TranscriptFailed(segment.item.id, failure.error)

    def _take(self, number: int) -> InFlight:
        decoding, self._decoding = self._decoding, None
        assert decoding is not None
        assert decoding.number == number
        self._jobs.end(number)
        return decoding

    def _in_flight_covers(self, segment: Segment) -> bool:
        """Whether the transcription in flight is of all the speech there is: its words come sooner than a final's."""
        decoding = self._decoding
        return (
            decoding is not None
            and decoding.taken
            and decoding.segment is segment
            and decoding.voice_end == segment.voice_end
        )

    def _sticky_language(self, segment: Segment) -> str | None:
        """The language of a turn too short to tell: that of the last one that did. Others may be in any language."""
        return self._language if segment.speech.voiced < MIN_LANGUAGE_WINDOWS else None

    def _ask(self, segment: Segment, *, final: bool) -> Iterator[Output]:
        """Ask for a transcription. What is in flight is no longer wanted, unless it is this one."""
        decoding = self._decoding
        if decoding is not None:
            if decoding.final and decoding.segment is segment and segment.final_requested_until == segment.voice_end:
                return
            yield self._jobs.cancel(decoding.number)
        if final:
            segment.requested_until = segment.final_requested_until = segment.voice_end
        self._decoding = decoding = InFlight(self._jobs.begin(), segment, final)
        yield Transcribe(
            number=decoding.number,
            recognizer=self.config.recognizer,
            priority=Priority.FINAL if final else Priority.PARTIAL,
        )

    def request_for(self, number: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return what to decode for this job now that an engine is free, or None where the job was cancelled."""
        decoding = self._decoding
        if decoding is None or decoding.number != number:
            return None
        self._load = load
        segment = decoding.segment
        decoding.taken = True
        decoding.start, decoding.end = segment.excerpt(segment.heard_until if segment.end is None else segment.end)
        decoding.voice_end = segment.requested_until = segment.voice_end
        if decoding.final:
            segment.final_requested_until = segment.voice_end
        decoding.timed = decoding.final or decoding.end - decoding.start > self._max_segment
        return TranscriptionRequest(
            samples=self._buffer.slice(decoding.start, decoding.end),
            language=self.config.language or segment.item.language or self._sticky_language(segment),
            prompt=self.config.prompt,
            final=decoding.final,
            word_times=decoding.timed,
            translate=self.config.translate,
            under_load=load is not LoadLevel.NORMAL,
        )

    def _complete(self, segment: Segment, hypothesis: Hypothesis, why: Suppression | None) -> Iterator[Output]:
        """Take the final of a passage; when it is the last of its item, the item is complete."""
        yield from self._extend(segment, segment.agreement.finish(() if why else hypothesis.words))
        segment.finish(hypothesis, why)
        item = segment.item
        if segment.agreement.committed and segment.speech.voiced >= MIN_LANGUAGE_WINDOWS:
            self._language = item.language
        if segment.closes_item:
            yield item.completed() if item.error is None else TranscriptFailed(item.id, item.error)

    def _extend(self, segment: Segment, delta: str) -> Iterator[Output]:
        segment.note_committed(self._buffer.end)
        item = segment.item
        delta = delta if item.text else delta.lstrip()
        if delta:
            item.text += delta
            yield TranscriptExtended(item.id, delta)
