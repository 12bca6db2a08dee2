"""The reply side of a session: which responses there are.

One response at a time is in the conversation, a few more may run beside it (`MAX_OUTSIDE_CONVERSATION`). What a
response says is decided when it is created (`ResponseSource`); `Reply` does the rest, and after a false interruption
(`Interruptions`) another `Reply` says what was left. A response takes its options from the newest configuration that
the client has sent. Unlike the user's side it does not wait for audio to be scored, except that of a commit before it
(`CommandOrder`), so this does not depend on the detector either.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Final

from realtime.errors import NothingToSpeak
from realtime.session.answer import Answer
from realtime.session.commands import CancelResponse, CreateResponse, ExtendSpeech, Speak
from realtime.session.config import SessionConfig
from realtime.session.conversation import MAX_CHARACTERS, AudioPart, Conversation, Message, Role
from realtime.session.events import CommandRefused, Output, RefusalReason
from realtime.session.generation import ChatNotConfigured, ChatRequest
from realtime.session.interruption import Interruptions
from realtime.session.jobs import Generated, Jobs, ResponseResult
from realtime.session.phrase_synthesis import Speaker
from realtime.session.prepared_answer import PreparedAnswer
from realtime.session.reply import Reply
from realtime.session.response_events import EndReason, Response, ResponseStarted, ResponseStatus
from realtime.session.response_source import ResponseSource, response_of, speaker_of
from realtime.speech.phrases import has_words

MAX_OUTSIDE_CONVERSATION: Final = 8
"""Responses outside of the conversation that may be in progress."""


class Responses:
    """Answers and speaks for one session; see the module."""

    _untranscribed: frozenset[str] = frozenset()
    """Turns whose transcript is still to come."""

    def __init__(
        self, config: SessionConfig, conversation: Conversation, jobs: Jobs, new_id: Callable[[str], str]
    ) -> None:
        self.config = config
        """The newest configuration received; the next response begins with it."""
        self._conversation = conversation
        self._jobs = jobs
        self._new_id = new_id
        self._replies: dict[str, Reply] = {}
        """Responses in progress by id, the one in the conversation among them."""
        self._waiting: list[tuple[Reply, CreateResponse]] = []
        """Responses in progress that wait for transcripts before the chat backend is asked."""
        self._source = ResponseSource(conversation)
        self.interruptions = Interruptions()
        self._prepared = PreparedAnswer(jobs)
        """The answer to the turn in progress, should it be over."""
        self._prepared_for: str | None = None
        """The transcript for which it was prepared."""
        self._concluded = False
        """Whether no further response begins."""

    @property
    def in_progress(self) -> bool:
        """Whether any response is in progress, and does not wait for text of the client."""
        return any(not reply.waits_for_text for reply in self._replies.values())

    @property
    def in_conversation(self) -> Reply | None:
        """The response in progress in the conversation."""
        return next((reply for reply in self._replies.values() if reply.response.in_conversation), None)

    def deadline(self) -> float | None:
        """Return when `release` will have more to send, or None."""
        deadlines = (reply.deadline() for reply in self._replies.values())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def awaits(self, job: int) -> bool:
        """Return whether this job works for a response."""
        return self._reply_that_awaits(job) is not None or self._prepared.awaits(job) or self.interruptions.awaits(job)

    def _reply_that_awaits(self, job: int) -> Reply | None:
        return next((reply for reply in self._replies.values() if reply.awaits(job)), None)

    # What the user said, and what the client added.

    def turn_committed(self, item_id: str) -> None:
        """Note that a turn is over, whose transcript is still to come."""
        self._untranscribed |= {item_id}

    def turn_transcribed(self, item_id: str) -> Iterator[Output]:
        """Note that the transcript of a turn is in the conversation, or will never be; ask for what waited for it."""
        self._untranscribed -= {item_id}
        if not self._untranscribed:
            waiting, self._waiting = self._waiting, []
            for reply, command in waiting:
                yield reply.answer.generate(self._source.chat_request(command, self.config))

    def item_created(self, item_id: str) -> None:
        """Note which item the client has added last."""
        self._source.unspoken_id = item_id

    # Commands.

    def create(self, command: CreateResponse, now: float) -> Iterator[Output]:
        """Begin a response, or refuse the command; see the module."""
        if (missing := self._source.missing_item(command)) is not None:
            yield CommandRefused(RefusalReason.UNKNOWN_ITEM, command, item_id=missing)
            return
        text = self._source.verbatim(command, self.config)
        reply = yield from self._begin(command)
        if reply is None:
            return
        if command.text_follows:
            yield from reply.say(text or "", now, complete=False)
        elif text is not None and not (has_words(text) if reply.speaker else text.strip()):
            error = NothingToSpeak(param="response.input" if command.input else None)
            yield from reply.finish(ResponseStatus.FAILED, now, error=error)
        elif text is not None:
            yield from reply.say(text, now, complete=True)
        elif not self.config.chat:
            yield from reply.finish(ResponseStatus.FAILED, now, error=ChatNotConfigured())
        elif self._untranscribed:
            self._waiting.append((reply, command))
        else:
            yield from self._ask(reply, self._source.chat_request(command, self.config), now)
        self._forget_finished()

    def _ask(self, reply: Reply, request: ChatRequest, now: float) -> Iterator[Output]:
        """Ask the chat backend for a response, unless it has been asked just this already."""
        self._prepared_for = None
        taken = yield from self._prepared.take(request, reply.speaker)
        if taken is None:
            yield reply.answer.generate(request)
        else:
            reply.answer, phrase = taken
            yield from reply.resume(now, phrase)

    def prepare(self, transcript: str | None) -> Iterator[Output]:
        """Ask the chat backend for the answer to a turn that may be over, and would have this transcript.

        Give it up if the turn goes on (None), or would have another one.
        """
        if transcript == self._prepared_for:
            return
        self._prepared_for, request = transcript, None
        interrupted = self.interruptions.latest
        if transcript and not (interrupted and interrupted.is_false(transcript)):
            turn = Message(Role.USER, (AudioPart(transcript),))
            request = self._source.chat_request(CreateResponse(), self.config, turn)
        speaker = speaker_of(CreateResponse(), self.config)
        yield from self._prepared.expect(request, speaker, self.config.first_words)

    @property
    def prepares_answers(self) -> bool:
        """Whether the turn in progress would be answered when it is transcribed, and before that."""
        return self.config.answers_early and self.in_conversation is None and not self._untranscribed

    def speak(self, command: Speak, now: float) -> Iterator[Output]:
        """Begin a response of this text; refuse the command while another one is in progress."""
        reply = yield from self._begin(command)
        if reply is not None:
            yield from reply.say(command.text, now, complete=command.complete)
            self._forget_finished()

    def extend(self, command: ExtendSpeech, now: float) -> Iterator[Output]:
        """Add text to the newest response that takes more.

        Refuse the command where there is none, or this is more than `MAX_CHARACTERS`.
        """
        newest = next((reply for reply in reversed(self._replies.values()) if reply.extensible), None)
        if newest is None or len(newest.answer.text) + len(command.text) > MAX_CHARACTERS:
            yield CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, command)
            return
        yield from newest.say(command.text, now, flush=command.flush, complete=command.complete)
        self._forget_finished()

    def cancel(self, command: CancelResponse, now: float, *, speaking: bool) -> Iterator[Output]:
        """Cancel a response for the client; refuse the command where there is none, or no such one.

        An interrupted response does not go on after that. But while the user is still `speaking`, clients such as
        LiveKit's send the command for every beginning of speech, which says nothing about the answer.
        """
        reply = self._replies.get(command.response_id) if command.response_id else self.in_conversation
        if reply is not None or not speaking:
            yield from self.interruptions.end()
        if reply is None:
            self.interruptions.playing = None
            yield CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, command)
            return
        yield from reply.finish(ResponseStatus.CANCELLED, now, reason=EndReason.CLIENT_CANCELLED)
        self._forget_finished()

    # Interruptions.

    def interrupt(self, item_id: str, now: float) -> Iterator[Output]:
        """Cancel the response in the conversation because the user has begun to speak, in this turn.

        Responses outside of the conversation go on.
        """
        resume = self.config.resume_false_interruptions
        yield from self.interruptions.interrupt(self.in_conversation, item_id, now, resume=resume)
        self._forget_finished()

    def resume(self, now: float) -> Iterator[Output]:
        """Say what was left of the interrupted response, if anything, as another response."""
        interrupted, self.interruptions.latest = self.interruptions.latest, None
        assert interrupted is not None
        if interrupted.leaves_nothing:
            return
        before = interrupted.reply
        response = replace(before.response, id=self._new_id("resp"), metadata=None)
        reply = self._add(response, before.answer, before.speaker, before.time_words, interrupted.position)
        yield ResponseStarted(response)
        yield from reply.resume(now)
        self._forget_finished()

    # Results and time.

    def receive(self, message: ResponseResult, now: float) -> Iterator[Output]:
        """Take the result of a job of a response."""
        reply = self._reply_that_awaits(message.number)
        if reply is None:
            unheard = self._prepared if self._prepared.awaits(message.number) else self.interruptions
            yield from unheard.receive(message)
        elif isinstance(message, Generated):
            yield from reply.generated(message.delta, now)
        else:
            yield from reply.receive(message, now)
        self._forget_finished()

    def release(self, now: float) -> Iterator[Output]:
        """Advance all responses to `now`."""
        for reply in list(self._replies.values()):
            yield from reply.release(now)
        self._forget_finished()

    # Beginning and end.

    def conclude(self, now: float) -> Iterator[Output]:
        """Let the responses in progress end with the phrase that is being sent, and begin no other one."""
        self._concluded = True
        for reply in self._replies.values():
            yield from reply.conclude(now)
        self._forget_finished()
        yield from self.interruptions.end()

    def _begin(self, command: CreateResponse | Speak) -> Generator[Output, None, Reply | None]:
        """Start a response; refuse the command, and return None, where there is no place for another one.

        Return None without a refusal once the session is concluded.
        """
        if self._concluded:
            return None
        active = self.in_conversation
        if not command.in_conversation:
            outside = [reply for reply in self._replies.values() if not reply.response.in_conversation]
            active = outside[0] if len(outside) >= MAX_OUTSIDE_CONVERSATION else None
        if active is not None:
            yield CommandRefused(RefusalReason.RESPONSE_IN_PROGRESS, command, response_id=active.response.id)
            return None
        response = response_of(command, self.config, self._new_id)
        speaker = speaker_of(command, self.config)
        reply = self._add(response, Answer(self._jobs), speaker, self.config.time_speech)
        if command.in_conversation:
            self._source.unspoken_id = self.interruptions.playing = None
            yield from self.interruptions.end()
        yield ResponseStarted(response)
        return reply

    def _add(
        self, response: Response, answer: Answer, speaker: Speaker | None, time_words: bool, start: int = 0
    ) -> Reply:
        conversation = self._conversation if response.in_conversation else None
        reply = self._replies[response.id] = Reply(
            response, answer, speaker, self._jobs, conversation, self._new_id,
            start=start, time_words=time_words, first_words=self.config.first_words,
        )  # fmt: skip
        return reply

    def _forget_finished(self) -> None:
        for response_id, reply in list(self._replies.items()):
            if reply.finished:
                del self._replies[response_id]
                if reply.response.in_conversation:
                    self.interruptions.playing = None if reply.status is ResponseStatus.CANCELLED else reply
        self._waiting = [(reply, command) for reply, command in self._waiting if not reply.finished]
