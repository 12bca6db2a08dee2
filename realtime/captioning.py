"""From the audio of a user's turn to its transcript: partials while it grows, finals when it is complete.

An *item* is one turn of the user. Its audio is decoded in *passages*, which end in pauses. A passage is decoded as it
grows (partials) and once more when it is complete (the final), never twice at a time. Words on which partials agree
are committed, and what is committed stays; the final has the last word on the rest. A passage longer than `LONG`
forgets the audio of committed words, so that a decode costs the same however long somebody speaks.

The final begins in the pause before the end of the turn is certain; if nobody speaks again, its answer is used. Finals
are answered in order, and nothing of a later passage is decoded before them. How often a partial is worth its cost is
for the scheduler to say: a request waits there, and takes the newest audio when its turn has come.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from realtime.audio import SAMPLE_RATE, WINDOW, AudioBuffer
from realtime.events import (
    JobFailed,
    Output,
    Pace,
    Priority,
    SessionConfig,
    Transcribe,
    Transcribed,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.evidence import VOICED, Suppression, VoiceEvidence, suppression
from realtime.jobs import Jobs
from realtime.passages import Item, Passage
from realtime.transcript import Hypothesis, TranscriptionRequest

STEP: Final = SAMPLE_RATE // 4
STEP_IN_A_HURRY: Final = SAMPLE_RATE // 2
"""New speech worth a partial."""

PAUSE: Final = 9 * WINDOW
"""Silence after which the final begins: 288 ms."""

HUSH: Final = 3 * WINDOW
"""Silence that may become a pause."""

LONG: Final = {Pace.LEISURELY: 10 * SAMPLE_RATE, Pace.HURRIED: 6 * SAMPLE_RATE, Pace.PRESSED: 7 * SAMPLE_RATE // 2}
"""A passage of this length ends in the next pause, or is trimmed: more context is more accurate, and costs more.

23 minutes of English have 7.35 and 7.2 % of word errors with 8 and 10 s and a partial every 0.3 s; 8.0, 7.6 and 7.35 %
with 3.5, 5 and 6 s and one every second; 6.7 % as whole files.
"""

LONGEST: Final = 20 * SAMPLE_RATE
CUT_RANGE: Final = 8 * SAMPLE_RATE
"""A passage in which nothing could be committed is cut at this length, so far back from its end at most."""

SILENT_KEPT: Final = SAMPLE_RATE
"""Of audio without a voice, kept before the first word of a turn that the client commits."""

TELLING: Final = 3 * SAMPLE_RATE // WINDOW
"""Windows with a voice from which the language can be told: 3 s."""

MOST_FINALS: Final = 4


@dataclass(slots=True)
class _Decoding:
    """The one transcription in flight. What of the passage it covers is settled when an engine takes it."""

    number: int
    passage: Passage
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
        self._open: Passage | None = None
        self._closed: deque[Passage] = deque()
        self._decoding: _Decoding | None = None
        self._language: str | None = None
        self._pace = Pace.LEISURELY

    @property
    def item_id(self) -> str | None:
        """The turn in progress."""
        return self._open.item.id if self._open else None

    @property
    def _long(self) -> int:
        return LONG[self._pace]

    @property
    def _step(self) -> int:
        return STEP if self._pace is Pace.LEISURELY else STEP_IN_A_HURRY

    @property
    def saturated(self) -> bool:
        """Whether finals have piled up."""
        return len(self._closed) > MOST_FINALS

    def needed(self, position: int) -> int:
        """The first sample that may still be decoded, at most `position`."""
        waiting = self._decoding and self._decoding.passage  # dropped, perhaps, but still going to be asked for
        return min([position, *(passage.start for passage in (*self._closed, self._open, waiting) if passage)])

    # Turns.

    def begin(self, item_id: str, start: int) -> None:
        """A turn begins at `start`."""
        self._open = Passage(Item(item_id, start), start, self._no_voice())

    def hear(self, start: int, end: int, probability: float) -> None:
        """The window from `start` to `end` of the turn has this speech probability; it may end a passage."""
        passage = self._open
        assert passage is not None
        passage.hear(start, end, probability)
        if passage.voice_start is None:
            passage.start = max(passage.start, end - SILENT_KEPT)
        elif end - passage.start >= self._long and end - passage.voice_end >= PAUSE:
            self._cut(passage, passage.voice_end + PAUSE // 2)
        elif end - passage.start >= LONGEST:
            # Not before the words that have been given out, which would be heard again.
            self._cut(passage, self._buffer.quietest(max(end - CUT_RANGE, passage.agreement.certain_until), end))

    def end(self, position: int) -> None:
        """The turn in progress ends at `position`; its transcript will follow, if transcripts are wanted."""
        passage, self._open = self._open, None
        assert passage is not None
        passage.end = passage.item.end = position
        passage.closes_item = True
        if self.config.transcribe:
            self._closed.append(passage)
        else:
            self._drop(passage.item)

    def forget(self) -> TranscriptCompleted | None:
        """Drop the turn in progress. Where text of it was given out, it is completed with that."""
        if self._open is None:
            return None
        item, self._open = self._open.item, None
        self._drop(item)
        if not (item.text and self.config.transcribe):
            return None
        return TranscriptCompleted(item.id, item.text.strip(), words=(), language=item.language, samples=0)

    def _drop(self, item: Item) -> None:
        """Nobody wants the transcript of this item: its passages need no finals."""
        self._closed = deque(passage for passage in self._closed if passage.item is not item)

    def _cut(self, passage: Passage, at: int) -> None:
        """End the passage at `at`; the turn goes on in a new one."""
        self._open = passage.cut(at)
        if self.config.transcribe:
            self._closed.append(passage)

    def _no_voice(self) -> VoiceEvidence:
        """Evidence to be gathered, by the standard of whoever says what speech is."""
        detection = self.config.turn_detection
        return VoiceEvidence(VOICED if detection is None else min(VOICED, detection.threshold))

    # Transcripts.

    def advance(self) -> Iterator[Output]:
        """Complete the passages whose finals are there, and ask for the next transcription if there is reason to."""
        while self._closed:
            passage = self._closed[0]
            if not passage.voice.heard:
                yield from self._complete(passage, Hypothesis((), ""), Suppression.NO_VOICE)
            elif passage.final is not None and passage.final[0] == passage.voice_end:
                hypothesis = passage.final[1]
                yield from self._complete(passage, hypothesis, suppression(hypothesis, passage.voice))
            else:
                yield from self._ask(passage, final=True)
                return
            self._closed.popleft()
        passage_open = self._open
        if passage_open is None or not self.config.transcribe or not passage_open.voice.heard:
            return
        assert passage_open.voice_start is not None
        new = passage_open.voice_end - max(passage_open.asked, passage_open.voice_start)
        silence = passage_open.heard_until - passage_open.voice_end
        if silence >= PAUSE and passage_open.voice_end > passage_open.concluded:
            if not self._covered(passage_open):
                yield from self._ask(passage_open, final=True)
        elif silence >= HUSH and (waiting := self._decoding) is not None and not (waiting.taken or waiting.final):
            yield self._jobs.cancel(waiting.number)  # the final may be near; if it is not, there is more to hear
            self._decoding = None
        elif silence < HUSH and new >= self._step and self._decoding is None:
            yield from self._ask(passage_open, final=False)

    def transcribed(self, result: Transcribed) -> Iterator[Output]:
        """Take the answer of the transcription in flight."""
        decoding = self._take(result.number)
        self._pace = result.pace
        passage = decoding.passage
        hypothesis = replace(
            result.hypothesis, words=tuple(word.shifted(decoding.start) for word in result.hypothesis.words)
        )
        if decoding.final:
            passage.final = decoding.voice_end, hypothesis
        if passage is not self._open or suppression(hypothesis, passage.voice):
            return
        agreement = passage.agreement
        yield from self._extend(passage, agreement.update(hypothesis.words, decoding.voice_end, pausing=decoding.final))
        if self.config.include_partials:
            yield TranscriptRevised(passage.item.id, tuple(agreement.audible), agreement.tentative, passage.heard_until)
        if decoding.timed and not decoding.final:  # a final may yet complete the passage, and has all its words
            passage.trim(hypothesis, decoding.end, self._buffer)

    def failed(self, failure: JobFailed) -> Iterator[Output]:
        """The transcription in flight failed: a partial is only late, a final is missing from its item."""
        passage = self._take(failure.number).passage
        if self._closed and self._closed[0] is passage:
            self._closed.popleft()
            passage.item.error = failure.error
            if passage.closes_item:
                yield TranscriptFailed(passage.item.id, failure.error)

    def _take(self, number: int) -> _Decoding:
        decoding, self._decoding = self._decoding, None
        assert decoding is not None
        assert decoding.number == number
        self._jobs.end(number)
        return decoding

    def _covered(self, passage: Passage) -> bool:
        """Whether the transcription in flight is of all the speech there is: its words come sooner than a final's."""
        decoding = self._decoding
        return (
            decoding is not None
            and decoding.taken
            and decoding.passage is passage
            and decoding.voice_end == passage.voice_end
        )

    def _presumed(self, passage: Passage) -> str | None:
        """The language of a turn too short to tell: that of the last one that did. Others may be in any language."""
        return self._language if passage.voice.voiced < TELLING else None

    def _ask(self, passage: Passage, *, final: bool) -> Iterator[Output]:
        """Ask for a transcription. What is in flight is no longer wanted, unless it is this one."""
        decoding = self._decoding
        if decoding is not None:
            if decoding.final and decoding.passage is passage and passage.concluded == passage.voice_end:
                return
            yield self._jobs.cancel(decoding.number)
        if final:
            passage.asked = passage.concluded = passage.voice_end
        self._decoding = decoding = _Decoding(self._jobs.begin(), passage, final)
        yield Transcribe(
            number=decoding.number,
            recognizer=self.config.recognizer,
            request=partial(self._request, decoding),
            priority=Priority.FINAL if final else Priority.PARTIAL,
        )

    def _request(self, decoding: _Decoding) -> TranscriptionRequest:
        """What to decode now: nothing, where the cancellation has not yet come through."""
        if decoding is not self._decoding:
            return TranscriptionRequest(np.zeros(0, np.float32), final=False)
        passage = decoding.passage
        decoding.taken = True
        decoding.start, decoding.end = passage.excerpt(passage.heard_until if passage.end is None else passage.end)
        decoding.voice_end = passage.asked = passage.voice_end
        if decoding.final:
            passage.concluded = passage.voice_end
        decoding.timed = decoding.final or decoding.end - decoding.start > self._long
        return TranscriptionRequest(
            samples=self._buffer.slice(decoding.start, decoding.end),
            language=self.config.language or passage.item.language or self._presumed(passage),
            prompt=self.config.prompt,
            final=decoding.final,
            word_times=decoding.timed,
            translate=self.config.translate,
            hurried=self._pace is not Pace.LEISURELY,
        )

    def _complete(self, passage: Passage, hypothesis: Hypothesis, why: Suppression | None) -> Iterator[Output]:
        """Take the final of a passage; when it is the last of its item, the item is complete."""
        yield from self._extend(passage, passage.agreement.finish(() if why else hypothesis.words))
        passage.finish(hypothesis, why)
        item = passage.item
        if passage.agreement.committed and passage.voice.voiced >= TELLING:
            self._language = item.language
        if passage.closes_item:
            yield item.completed() if item.error is None else TranscriptFailed(item.id, item.error)

    def _extend(self, passage: Passage, delta: str) -> Iterator[Output]:
        passage.note_committed(self._buffer.end)
        item = passage.item
        delta = delta if item.text else delta.lstrip()
        if delta:
            item.text += delta
            yield TranscriptExtended(item.id, delta)
