"""From the audio of a user's turn to its transcript: partials while it grows, finals that are authoritative.

An *item* is one turn of the user. Its audio is decoded in *passages* of at most `LONGEST` samples: a passage that has
grown past `LONG` ends in the next pause, and one that finds no pause at its quietest moment. Each passage is decoded as
it grows (partials, never two at a time, sparser the slower the engine answers) and once more when it is complete (the
final). The final begins in the pause before the end of the turn is certain; if nobody speaks again, its answer is used.
Finals are answered in order, and nothing of a later passage is decoded before them.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from realtime.audio import SAMPLE_RATE, WINDOW, AudioBuffer
from realtime.events import (
    JobFailed,
    Output,
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
from realtime.transcript import Completion, Hypothesis, TranscriptionRequest, Word

STEP: Final = SAMPLE_RATE // 2
"""New speech worth a partial."""

REST: Final = 4.0
"""After a decode of t seconds no partial is asked for during `REST` t, so that one talker leaves room for others."""

LONGEST_REST: Final = 5.0

PAUSE: Final = 9 * WINDOW
"""Silence after which the final begins: 288 ms."""

LONG: Final = 12 * SAMPLE_RATE
LONGEST: Final = 20 * SAMPLE_RATE
CUT_RANGE: Final = 8 * SAMPLE_RATE
"""How far back from its end a passage without a pause may be cut."""

QUIET: Final = SAMPLE_RATE * 160 // 1000
"""The length of the quietest moment: about the gap between two words."""

SILENT_KEPT: Final = SAMPLE_RATE
"""Of audio without a voice, kept before the first word of a turn that the client commits."""

TELLING: Final = 3 * SAMPLE_RATE // WINDOW
"""Windows with a voice from which the language can be told: 3 s."""

MOST_FINALS: Final = 4


@dataclass(frozen=True, slots=True)
class _Decoding:
    """The one transcription in flight."""

    number: int
    passage: Passage
    start: int
    voice_end: int
    final: bool
    began: float


class Captioning:
    """Transcribes the turns of one session; see the module. Positions are those of `buffer`."""

    def __init__(self, config: SessionConfig, jobs: Jobs, buffer: AudioBuffer) -> None:
        self.config = config
        self._jobs = jobs
        self._buffer = buffer
        self._open: Passage | None = None
        self._closed: deque[Passage] = deque()
        self._decoding: _Decoding | None = None
        self._rest_until = 0.0
        self._language: str | None = None

    @property
    def item_id(self) -> str | None:
        """The turn in progress."""
        return self._open.item.id if self._open else None

    @property
    def saturated(self) -> bool:
        """Whether finals have piled up."""
        return len(self._closed) > MOST_FINALS

    def needed(self, position: int) -> int:
        """The first sample that may still be decoded, at most `position`."""
        return min([position, *(passage.start for passage in (*self._closed, self._open) if passage)])

    # Turns.

    def begin(self, item_id: str, start: int) -> None:
        """A turn begins at `start`."""
        self._open = Passage(Item(item_id, start), start, self._no_voice())
        self._rest_until = 0.0

    def hear(self, start: int, end: int, probability: float) -> None:
        """The window from `start` to `end` of the turn in progress has this speech probability."""
        passage = self._open
        assert passage is not None
        passage.hear(start, end, probability)
        if passage.voice_start is None:
            passage.start = max(passage.start, end - SILENT_KEPT)
        elif end - passage.start >= LONG and end - passage.voice_end >= PAUSE:
            self._cut(passage, passage.voice_end + PAUSE // 2)
        elif end - passage.start >= LONGEST:
            self._cut(passage, self._quietest(end - CUT_RANGE, end))

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
        """Drop the turn in progress. Where text of it was given out, it is completed without any."""
        if self._open is None:
            return None
        item, self._open = self._open.item, None
        self._drop(item)
        if not (item.extended and self.config.transcribe):
            return None
        return TranscriptCompleted(item.id, text="", words=(), language=item.language, samples=0)

    def _drop(self, item: Item) -> None:
        """Nobody wants the transcript of this item: its passages need no finals."""
        self._closed = deque(passage for passage in self._closed if passage.item is not item)

    def _cut(self, passage: Passage, at: int) -> None:
        """End the passage at `at`; the turn goes on in a new one."""
        self._open = rest = Passage(passage.item, at, self._no_voice())
        if passage.voice_end > at:  # in the middle of speech
            rest.voice = replace(passage.voice)
            rest.voice_start, rest.voice_end, passage.voice_end = at, passage.voice_end, at
            passage.rest = rest
        rest.heard_until = passage.heard_until
        passage.end = at
        if self.config.transcribe:
            self._closed.append(passage)

    def _no_voice(self) -> VoiceEvidence:
        """Evidence to be gathered, by the standard of whoever says what speech is."""
        detection = self.config.turn_detection
        return VoiceEvidence(VOICED if detection is None else min(VOICED, detection.threshold))

    def _quietest(self, start: int, end: int) -> int:
        """The middle of the stretch of `QUIET` samples with the least energy."""
        energy = np.cumsum(np.square(self._buffer.slice(start, end), dtype=np.float64))
        return start + int(np.argmin(energy[QUIET:] - energy[:-QUIET])) + QUIET // 2

    # Transcripts.

    def advance(self, now: float) -> Iterator[Output]:
        """Complete the passages whose finals are there, and ask for the next transcription if there is reason to."""
        while self._closed:
            passage = self._closed[0]
            assert passage.end is not None
            if not passage.voice.heard:
                yield from self._complete(passage, Hypothesis((), ""), Suppression.NO_VOICE)
            elif passage.final is not None and passage.final[0] == passage.voice_end:
                hypothesis = passage.final[1]
                yield from self._complete(passage, hypothesis, suppression(hypothesis, passage.voice))
            else:
                yield from self._ask_final(passage, passage.end, now)
                return
            self._closed.popleft()
        passage_open = self._open
        if passage_open is None or not self.config.transcribe or self._decoding or not passage_open.voice.heard:
            return
        assert passage_open.voice_start is not None
        new = passage_open.voice_end - max(passage_open.asked, passage_open.voice_start)
        heard_until = passage_open.heard_until
        pausing = heard_until - passage_open.voice_end >= PAUSE
        if (pausing and new > 0) or (new >= STEP and now >= self._rest_until):
            yield self._ask(passage_open, heard_until, now, final=pausing)

    def transcribed(self, result: Transcribed, now: float) -> Iterator[Output]:
        """Take the answer of the transcription in flight."""
        decoding = self._take(result.number)
        passage = decoding.passage
        hypothesis = replace(
            result.hypothesis, words=tuple(word.shifted(decoding.start) for word in result.hypothesis.words)
        )
        if decoding.final:
            passage.final = decoding.voice_end, hypothesis
        if passage is not self._open:
            return
        self._rest_until = now + min(LONGEST_REST, REST * (now - decoding.began))
        if suppression(hypothesis, passage.voice):
            return
        yield from self._extend(passage.item, passage.agreement.update(hypothesis.words))
        if self.config.include_partials:
            agreement = passage.agreement
            yield TranscriptRevised(passage.item.id, agreement.committed, agreement.tentative, passage.heard_until)

    def failed(self, failure: JobFailed) -> Iterator[Output]:
        """The transcription in flight failed: a partial is only late, a final is missing from its item."""
        passage = self._take(failure.number).passage
        if self._closed and self._closed[0] is passage:
            self._closed.popleft()
            self._finish(passage, ())
            passage.item.error = failure.error
            if passage.closes_item:
                yield TranscriptFailed(passage.item.id, failure.error)

    def _take(self, number: int) -> _Decoding:
        decoding, self._decoding = self._decoding, None
        assert decoding is not None
        assert decoding.number == number
        self._jobs.end(number)
        return decoding

    def _presumed(self, passage: Passage) -> str | None:
        """The language of a turn too short to tell: that of the last one that did. Others may be in any language."""
        return self._language if passage.voice.voiced < TELLING else None

    def _ask_final(self, passage: Passage, end: int, now: float) -> Iterator[Output]:
        """Ask for the final of a closed passage, unless it is under way; a partial in flight is no longer wanted."""
        decoding = self._decoding
        if decoding is not None:
            if decoding.final and decoding.passage is passage and decoding.voice_end == passage.voice_end:
                return
            yield self._jobs.cancel(decoding.number)
        yield self._ask(passage, end, now, final=True)

    def _ask(self, passage: Passage, end: int, now: float, *, final: bool) -> Transcribe:
        first, last = passage.excerpt(end)
        passage.asked = passage.voice_end
        self._decoding = _Decoding(self._jobs.begin(), passage, first, passage.voice_end, final, now)
        return Transcribe(
            number=self._decoding.number,
            recognizer=self.config.recognizer,
            request=TranscriptionRequest(
                samples=self._buffer.slice(first, last),
                language=self.config.language or passage.item.language or self._presumed(passage),
                prompt=self.config.prompt,
                final=final,
                word_times=self.config.include_partials,
            ),
            priority=Priority.FINAL if final else Priority.PARTIAL,
        )

    def _complete(self, passage: Passage, hypothesis: Hypothesis, why: Suppression | None) -> Iterator[Output]:
        """Take the final of a passage; when it is the last of its item, the item is complete."""
        item = passage.item
        completion = self._finish(passage, () if why else hypothesis.words)
        yield from self._extend(item, completion.delta)
        item.text += completion.text
        item.words += completion.words
        if completion.text:
            item.language = hypothesis.language
            if passage.voice.voiced >= TELLING:
                self._language = hypothesis.language
        if why is not Suppression.NO_VOICE:
            item.suppressed = item.suppressed or why
        if not passage.closes_item:
            return
        if item.error is not None:
            yield TranscriptFailed(item.id, item.error)
            return
        yield TranscriptCompleted(
            item_id=item.id,
            text=item.text.strip(),
            words=item.words,
            language=item.language,
            samples=item.end - item.start,
            suppressed=item.suppressed,
        )

    def _finish(self, passage: Passage, words: tuple[Word, ...]) -> Completion:
        if passage.rest is None:
            return passage.agreement.finish(words)
        completion, passage.rest.agreement = passage.agreement.split(words)
        return completion

    def _extend(self, item: Item, delta: str) -> Iterator[Output]:
        delta = delta if item.extended else delta.lstrip()
        if delta:
            item.extended = True
            yield TranscriptExtended(item.id, delta)
