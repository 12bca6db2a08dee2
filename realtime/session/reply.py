"""One response in progress: from the text of its answer to what the client gets of it.

A written response passes text on at once, a spoken one has it spoken (`Speaking`). Tool calls follow when all speech
before them has been sent, because a client answers them with its next request, which must not find this response still
in progress.

Items of a response in the conversation are items of the conversation too. When the response is cancelled, its message
keeps what the user can have heard by then.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime.errors import UnreadableText, VoiceError
from realtime.session.answer import Answer
from realtime.session.conversation import Conversation, ItemStatus, Message, Role
from realtime.session.events import Output
from realtime.session.generation import ChatDelta, ChatTextDelta
from realtime.session.jobs import JobFailed, Jobs, SpeechSynthesized, SynthesisFinished
from realtime.session.phrase_synthesis import PhraseSynthesis, Speaker
from realtime.session.prepared_answer import PreparedPhrase
from realtime.session.reply_message import ReplyMessage
from realtime.session.response_events import EndReason, Response, ResponseFinished, ResponseStatus
from realtime.session.response_items import ResponseItems
from realtime.session.speaking import Speaking


class Reply:
    """One response in progress; see the module.

    It says what follows the character `start` of the answer, by `speaker`, or in writing where that is None.
    `conversation` is the one that its items join, None for a response outside of it; `first_words` and `time_words` are
    those of `Speaking`.
    """

    def __init__(
        self,
        response: Response,
        answer: Answer,
        speaker: Speaker | None,
        jobs: Jobs,
        conversation: Conversation | None,
        new_id: Callable[[str], str],
        *,
        start: int = 0,
        time_words: bool = False,
        first_words: int = 1,
    ) -> None:
        self.response = response
        self.answer = answer
        self.speaker = speaker
        self.time_words = time_words
        self._start = start
        self._says_text_of_client = False
        """Whether the client gives its text, and no chat backend."""
        self._items = ResponseItems(response, conversation, new_id)
        self._message = ReplyMessage(response, self._items, conversation)
        self._synthesis = PhraseSynthesis(jobs, self._message.speech)
        self._speaking = Speaking(
            self._message, self._synthesis, speaker, first_words=first_words, time_words=time_words
        )
        self._cut_short = False
        """Whether it was concluded before it was complete."""
        self.status = ResponseStatus.IN_PROGRESS

    @property
    def finished(self) -> bool:
        """Whether the response is over."""
        return self.status is not ResponseStatus.IN_PROGRESS

    @property
    def extensible(self) -> bool:
        """Whether the client may add text."""
        return self._says_text_of_client and not self.answer.complete

    @property
    def waits_for_text(self) -> bool:
        """Whether there is nothing to do until the client adds text."""
        return self.extensible and self._speaking.idle

    @property
    def resumable(self) -> bool:
        """Whether another response can say the rest of this spoken one, which is known or asked for."""
        known = self.answer.complete or self.answer.generation is not None
        return self.speaker is not None and known and self.status is not ResponseStatus.FAILED

    def deadline(self) -> float | None:
        """Return when `release` will have more to send or to speak, or None."""
        return self._speaking.deadline()

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
        return self._message.speech.played_until

    def keep_heard(self, now: float) -> int:
        """Keep of the finished message in the conversation what the client can have played by `now`.

        Return where in the answer that ends.
        """
        return self.keep_until(self._message.speech.played_seconds(now))

    def keep_until(self, seconds: float) -> int:
        """Keep of it what was played in its first `seconds`. Return where in the answer that ends."""
        heard = self._message.keep_until(seconds)
        text = self.answer.text[self._start :]
        position = text.find(heard)  # after white space, if at all; but overlong white space is shortened
        return self._start + (len(text) if position < 0 else position + len(heard))

    # The text of the answer.

    def say(self, text: str, now: float, *, flush: bool = False, complete: bool) -> Iterator[Output]:
        """Add text that is spoken as it is written; `flush` and `complete` are those of `ExtendSpeech`."""
        self._says_text_of_client = True
        self.answer.add(text, complete=complete)
        if self._items.open is None:
            yield from self._items.begin(Message(Role.ASSISTANT))
        yield from self._add_text(text)
        if flush:
            self._speaking.flush()
        yield from self._go_on(now)

    def generated(self, delta: ChatDelta, now: float) -> Iterator[Output]:
        """Take the next part of the answer of the chat backend."""
        yield from self.answer.take(delta)
        if isinstance(delta, ChatTextDelta):
            yield from self._add_generated(delta.text)
        yield from self._go_on(now)

    def resume(self, now: float, prepared: PreparedPhrase | None = None) -> Iterator[Output]:
        """Say what there is of the answer from `start` on; `prepared` is the first phrase of it."""
        self._speaking.prepared = prepared
        yield from self._add_generated(self.answer.text[self._start :])
        yield from self._go_on(now)

    def _add_generated(self, text: str) -> Iterator[Output]:
        if self._items.open is None and text.strip():
            yield from self._items.begin(Message(Role.ASSISTANT))
        if self._items.open is not None:
            yield from self._add_text(text)

    def _go_on(self, now: float) -> Iterator[Output]:
        if self.answer.complete:
            self._speaking.end()
        yield from self.release(now)

    def _add_text(self, text: str) -> Iterator[Output]:
        if self.speaker is not None:
            self._speaking.add(text)
        else:
            yield from self._message.write(text)

    # Results and time.

    def receive(self, message: SpeechSynthesized | SynthesisFinished | JobFailed, now: float) -> Iterator[Output]:
        """Take a result of the phrase being synthesized, or the failure of it or of the generation.

        A failure ends the response with status FAILED.
        """
        if not isinstance(message, JobFailed):
            yield from self._speaking.receive(message)
            yield from self.release(now)
            return
        if message.number == self._synthesis.job:
            self._synthesis.end()
        else:
            self.answer.end_generation()
        yield from self.finish(ResponseStatus.FAILED, now, error=message.error)

    def release(self, now: float) -> Iterator[Output]:
        """Advance the response to `now`.

        Send the text and audio that are due, and request the next phrase; or complete the response, if nothing is left
        to generate, to synthesize or to send. A spoken response of which the engine made no audio at all has failed,
        unless its text has no letters and no digits.
        """
        yield from self._speaking.advance(now)
        if self.answer.complete and self._speaking.idle:
            yield from self._complete(now)

    # The end.

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
        dropped = yield from self._speaking.conclude()
        self._cut_short = self._cut_short or dropped
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
                self.keep_until(self._message.speech.sent_seconds)
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
