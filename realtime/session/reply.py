"""One response in progress: from the text of its answer to what the client gets of it.

A written response passes text on at once. A spoken one cuts it into phrases, which are synthesized one at a time: the
next when the one before is finished and less than `MAX_BUFFERED_SECONDS` of audio wait to be sent. So the memory held
is that of one phrase and those seconds. Tool calls follow when all speech before them has been sent, because a client
answers them with its next request, which must not find this response still in progress.

Items of a response in the conversation are items of the conversation too. When the response is cancelled, its message
keeps what the user can have heard by then.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, assert_never

from realtime.errors import UnreadableText, VoiceError
from realtime.session.answer import Answer
from realtime.session.config import Modality
from realtime.session.conversation import Conversation, ItemStatus, Message, Role
from realtime.session.events import Output
from realtime.session.generation import ChatDelta, ChatTextDelta
from realtime.session.jobs import JobFailed, Jobs, SpeechSynthesized, SynthesisFinished
from realtime.session.phrase_synthesis import PhraseSynthesis
from realtime.session.prepared_answer import PreparedPhrase, Speaker
from realtime.session.reply_message import ReplyMessage
from realtime.session.response_events import EndReason, Response, ResponseFinished, ResponseStatus
from realtime.session.response_items import ResponseItems
from realtime.speech.phrases import PhraseChunker
from realtime.speech.style import ReferenceClip

MAX_BUFFERED_SECONDS: Final = 10.0
"""Seconds of unsent speech from which no further phrase is synthesized."""

LEAST_AHEAD_SECONDS: Final = 0.3
"""Seconds of speech that the client has yet to play from which a clause is spoken before its sentence is complete.

The pause after a sentence, which is part of them, is 0.45 s.
"""


class Reply:
    """One response in progress; see the module.

    It says what follows the character `start` of the answer, and reports when its words are played if `time_words`.
    `conversation` is the one that its items join, None for a response outside of it; `first_words` and
    `clip` are those of `SessionConfig`.
    """

    def __init__(
        self,
        response: Response,
        answer: Answer,
        speed: float,
        jobs: Jobs,
        conversation: Conversation | None,
        new_id: Callable[[str], str],
        *,
        start: int = 0,
        time_words: bool = False,
        first_words: int = 1,
        clip: ReferenceClip | None = None,
    ) -> None:
        self.response = response
        self.answer = answer
        self.speed = speed
        self.clip = clip
        self._prepared: PreparedPhrase | None = None
        """The first phrase, if its synthesis began before the answer was wanted, until it is its turn."""
        self._start = start
        self.time_words = time_words
        self._says_text_of_client = False
        """Whether the client gives its text, and no chat backend."""
        self._chunker = PhraseChunker(first_words)
        self._phrases: deque[str | None] = deque()
        """Phrases not yet handed to the engine; None is a flush."""
        self._runs_dry = False
        """Whether the client has nothing left to play while text is still to come."""
        self._items = ResponseItems(response, conversation, new_id)
        self._message = ReplyMessage(response, self._items, conversation)
        self._speech = self._message.speech
        self._synthesis = PhraseSynthesis(jobs, self._speech)
        self._cut_short = False
        """Whether it was concluded before it was complete."""
        self.status = ResponseStatus.IN_PROGRESS

    @property
    def finished(self) -> bool:
        """Whether the response is over."""
        return self.status is not ResponseStatus.IN_PROGRESS

    @property
    def speaker(self) -> Speaker | None:
        """How it is spoken; None if it is written."""
        return Speaker.of(self.response.modality, self.response.voice, self.speed, self.clip)

    @property
    def extensible(self) -> bool:
        """Whether the client may add text."""
        return self._says_text_of_client and not self.answer.complete

    @property
    def waits_for_text(self) -> bool:
        """Whether there is nothing to do until the client adds text."""
        return self.extensible and self._synthesis.job is None and not self._phrases and self._speech.deadline() is None

    def deadline(self) -> float | None:
        """Return when `release` will have more to send or to speak, or None."""
        if (due := self._speech.deadline()) is not None or not self._waits_for_sentence or self._runs_dry:
            return due
        return self._speech.played_until - LEAST_AHEAD_SECONDS

    @property
    def _waits_for_sentence(self) -> bool:
        """Whether speech goes on when the sentence that has begun is complete."""
        idle = self._synthesis.job is None and not self._phrases
        return idle and self._speech.has_audio and not self.answer.complete

    def awaits(self, job: int) -> bool:
        """Return whether this job works for the reply."""
        return job in (self._synthesis.job, self.answer.generation)

    @property
    def spoken_item_id(self) -> str:
        """The item in the conversation that holds what was spoken, once it is finished; empty before."""
        return self._message.item_id

    @property
    def played_until(self) -> float:
        """When the client will have played all that was sent; before the first audio, the beginning of time."""
        return self._speech.played_until

    def keep_heard(self, now: float) -> int:
        """Keep of the finished message in the conversation what the client can have played by `now`.

        Return where in the answer that ends.
        """
        return self.keep_until(self._speech.played_seconds(now))

    def keep_until(self, seconds: float) -> int:
        """Keep of it what was played in its first `seconds`. Return where in the answer that ends."""
        heard = self._message.keep_until(seconds)
        text = self.answer.text[self._start :]
        position = text.find(heard)  # after white space, if at all; but overlong white space is shortened
        return self._start + (len(text) if position < 0 else position + len(heard))

    # From text to phrases.

    def say(self, text: str, now: float, *, flush: bool = False, complete: bool) -> Iterator[Output]:
        """Add text that is spoken as it is written; `flush` and `complete` are those of `ExtendSpeech`."""
        self._says_text_of_client = True
        self.answer.add(text, complete=complete)
        if self._items.open is None:
            yield from self._items.begin(Message(Role.ASSISTANT))
        yield from self._add_text(text)
        if flush:
            self._end_text()
            self._phrases.append(None)
        yield from self._go_on(now)

    def generated(self, delta: ChatDelta, now: float) -> Iterator[Output]:
        """Take the next part of the answer of the chat backend."""
        yield from self.answer.take(delta)
        if isinstance(delta, ChatTextDelta):
            yield from self._add_generated(delta.text)
        yield from self._go_on(now)

    def resume(self, now: float, prepared: PreparedPhrase | None = None) -> Iterator[Output]:
        """Say what there is of the answer from `start` on; `prepared` is the first phrase of it."""
        self._prepared = prepared
        yield from self._add_generated(self.answer.text[self._start :])
        yield from self._go_on(now)

    def _add_generated(self, text: str) -> Iterator[Output]:
        if self._items.open is None and text.strip():
            yield from self._items.begin(Message(Role.ASSISTANT))
        if self._items.open is not None:
            yield from self._add_text(text)

    def _go_on(self, now: float) -> Iterator[Output]:
        if self.answer.complete:
            self._end_text()
        yield from self.release(now)

    def _add_text(self, text: str) -> Iterator[Output]:
        if self.response.modality is Modality.AUDIO:
            self._phrases.extend(self._chunker.feed(text))
        else:
            yield from self._message.write(text)

    def _end_text(self) -> None:
        self._phrases.extend(self._chunker.flush())

    # From phrases to audio.

    def receive(self, message: SpeechSynthesized | SynthesisFinished | JobFailed, now: float) -> Iterator[Output]:
        """Take a result of the phrase being synthesized, or the failure of it or of the generation.

        A failure ends the response with status FAILED.
        """
        match message:
            case SpeechSynthesized():
                self._synthesis.add(message)
            case SynthesisFinished():
                if self.time_words and self._synthesis.audible:
                    yield from self._message.time_words()
                self._synthesis.finish(message)
            case JobFailed(number, error):
                if number == self._synthesis.job:
                    self._synthesis.end()
                else:
                    self.answer.end_generation()
                yield from self.finish(ResponseStatus.FAILED, now, error=error)
                return
            case _:
                assert_never(message)
        yield from self.release(now)

    def release(self, now: float) -> Iterator[Output]:
        """Advance the response to `now`.

        Send the text and audio that are due. Then request the next phrase, if the one before is finished and not too
        much audio waits; or complete the response, if nothing is left to generate, to synthesize or to send. A
        spoken response of which the engine made no audio at all has failed, unless its text has no letters and no
        digits.
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
        elif self.answer.complete:
            self._speech.end_audio()
            yield from self._message.send_due(now)
            if self._speech.deadline() is None:
                yield from self._complete(now)

    def _synthesize(self, phrase: str, now: float) -> Iterator[Output]:
        """Request the audio of a phrase, or take what was prepared of it."""
        self._runs_dry = False
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            assert self.speaker is not None
            yield self._synthesis.request(phrase, self.speaker, self._speech.seconds_ahead(now))
            return
        assert prepared.job.text == phrase
        self._synthesis.take(prepared.job)
        for result in prepared.results:
            yield from self.receive(result, now)

    # From the first item to the last.

    def _complete(self, now: float) -> Iterator[Output]:
        reason = self.answer.end_reason
        whole = reason is None and not self._cut_short
        if self._items.open is not None:
            if self._synthesis.unread:
                yield from self.finish(ResponseStatus.FAILED, now, error=UnreadableText())
                return
            yield from self._message.finish(ItemStatus.COMPLETED if whole else ItemStatus.INCOMPLETE)
        for call in self.answer.take_calls():
            yield from self._items.begin(replace(call, arguments=""))
            yield from self._items.finish(call, ItemStatus.COMPLETED)
        yield self._finished(ResponseStatus.COMPLETED if whole else ResponseStatus.INCOMPLETE, reason)

    def conclude(self, now: float) -> Iterator[Output]:
        """Say no more than the phrase that is being sent, or than the first one; what follows it is dropped."""
        if not self.answer.complete:
            yield from self.answer.end_early()
            self._cut_short = True
        if self._phrases:
            self._phrases.clear()
            self._cut_short = True
        begins_another = self._speech.has_audio and not self._synthesis.audible
        if self._speech.drop_next_phrases() or begins_another:
            yield from self._synthesis.cancel()
            self._cut_short = True
        yield from self.release(now)

    def finish(
        self,
        status: ResponseStatus,
        now: float,
        *,
        reason: EndReason | None = None,
        error: VoiceError | None = None,
        generate_on: bool = False,
    ) -> Iterator[Output]:
        """End the response before it is complete, with this status; unless `generate_on`, its answer ends too.

        What was not sent is dropped, tool calls included. The client stops playing what was sent, unless the response
        has failed.
        """
        if not generate_on:
            yield from self.answer.cancel()
        yield from self._synthesis.cancel()
        if self._items.open is not None:
            yield from self._message.finish(ItemStatus.INCOMPLETE)
            if status is ResponseStatus.FAILED:
                self.keep_until(self._speech.sent_seconds)
            else:
                self.keep_heard(now)
        yield self._finished(status, reason, error)

    def _finished(
        self, status: ResponseStatus, reason: EndReason | None, error: VoiceError | None = None
    ) -> ResponseFinished:
        self.status = status
        return ResponseFinished(
            self.response,
            status,
            tuple(self._items.finished),
            reason,
            error,
            self.answer.usage,
            self._synthesis.unspoken_languages,
        )
