"""From the text of a response to its speech: cut into phrases, which are synthesized one at a time.

The next phrase is requested when the one before is finished and less than `MAX_BUFFERED_SECONDS` of audio wait to be
sent. So the memory held is that of one phrase and those seconds.
"""

from collections import deque
from collections.abc import Generator, Iterator
from typing import Final

from realtime.session.events import Output
from realtime.session.jobs import CancelJob, SpeechSynthesized, SynthesisFinished
from realtime.session.phrase_synthesis import PhraseSynthesis, Speaker
from realtime.session.prepared_answer import PreparedPhrase
from realtime.session.reply_message import ReplyMessage
from realtime.speech.phrases import PhraseChunker

MAX_BUFFERED_SECONDS: Final = 10.0
"""Seconds of unsent speech from which no further phrase is synthesized."""

LEAST_AHEAD_SECONDS: Final = 0.3
"""Seconds of speech that the client has yet to play from which a clause is spoken before its sentence is complete.

The pause after a sentence, which is part of them, is 0.45 s.
"""


class Speaking:
    """Has the text of a response spoken by `speaker` and sent as part of `message`; see the module.

    It reports when words are played if `time_words`; `first_words` is that of `SessionConfig`. `speaker` is None for a
    written response, of which only the flushes come here.
    """

    def __init__(
        self,
        message: ReplyMessage,
        synthesis: PhraseSynthesis,
        speaker: Speaker | None,
        *,
        first_words: int,
        time_words: bool,
    ) -> None:
        self.prepared: PreparedPhrase | None = None
        """The first phrase, if its synthesis began before the answer was wanted, until it is its turn."""
        self._message = message
        self._speech = message.speech
        self._synthesis = synthesis
        self._speaker = speaker
        self._time_words = time_words
        self._chunker = PhraseChunker(first_words)
        self._phrases: deque[str | None] = deque()
        """Phrases not yet handed to the engine; None is a flush."""
        self._complete = False
        """Whether no text follows."""
        self._runs_dry = False
        """Whether the client has nothing left to play while text is still to come."""

    @property
    def idle(self) -> bool:
        """Whether all phrases that are complete have been synthesized and sent."""
        return self._has_no_phrase and self._speech.deadline() is None

    @property
    def _has_no_phrase(self) -> bool:
        return self._synthesis.job is None and not self._phrases

    @property
    def _waits_for_sentence(self) -> bool:
        """Whether speech goes on when the sentence that has begun is complete."""
        return self._has_no_phrase and self._speech.has_audio and not self._complete

    def deadline(self) -> float | None:
        """Return when `advance` will have more to send or to speak, or None."""
        if (due := self._speech.deadline()) is not None or not self._waits_for_sentence or self._runs_dry:
            return due
        return self._speech.played_until - LEAST_AHEAD_SECONDS

    def add(self, text: str) -> None:
        """Add text."""
        self._phrases.extend(self._chunker.feed(text))

    def flush(self) -> None:
        """Have the text so far spoken without waiting for the end of its sentence, and report when that is sent."""
        self._phrases.extend((*self._chunker.flush(), None))

    def end(self) -> None:
        """Note that no text follows."""
        self._phrases.extend(self._chunker.flush())
        self._complete = True

    def receive(self, message: SpeechSynthesized | SynthesisFinished) -> Iterator[Output]:
        """Take a result of the phrase being synthesized."""
        if isinstance(message, SpeechSynthesized):
            self._synthesis.add(message)
            return
        if self._time_words and self._synthesis.audible:
            yield from self._message.time_words()
        self._synthesis.finish(message)

    def advance(self, now: float) -> Iterator[Output]:
        """Send what is due by `now`.

        Then request the next phrase, if the one before is finished and not too much audio waits.
        """
        yield from self._message.send_due(now)
        while self._synthesis.job is None and self._phrases and self._phrases[0] is None:
            self._phrases.popleft()
            self._speech.add_mark()
            yield from self._message.send_due(now)
        if self._synthesis.job is not None or (self._phrases and self._speech.waiting >= MAX_BUFFERED_SECONDS):
            return
        if self._phrases:
            yield from self._synthesize(self._phrases.popleft() or "", now)
        elif self._waits_for_sentence:
            self._runs_dry = not self._speech.waiting and now >= self._speech.played_until - LEAST_AHEAD_SECONDS
            if self._runs_dry and (clause := self._chunker.take_clause()) is not None:
                yield from self._synthesize(clause, now)
        elif self._complete:
            self._speech.end_audio()
            yield from self._message.send_due(now)

    def _synthesize(self, phrase: str, now: float) -> Iterator[Output]:
        """Request the audio of a phrase, or take what was prepared of it."""
        self._runs_dry = False
        prepared, self.prepared = self.prepared, None
        if prepared is None:
            assert self._speaker is not None
            yield self._synthesis.request(phrase, self._speaker, self._speech.seconds_ahead(now))
            return
        assert prepared.job.text == phrase
        self._synthesis.take(prepared.job)
        for result in prepared.results:
            yield from self.receive(result)
            yield from self.advance(now)

    def conclude(self) -> Generator[CancelJob, None, bool]:
        """Say no more than the phrase that is being sent, or than the first one. Return whether any is dropped."""
        self._complete = True
        drops = bool(self._phrases)
        self._phrases.clear()
        begins_another = self._speech.has_audio and not self._synthesis.audible
        if self._speech.drop_next_phrases() or begins_another:
            yield from self._synthesis.cancel()
            drops = True
        return drops
