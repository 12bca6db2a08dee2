"""What the turns of the user lead to: items of the conversation, interruptions, and responses that answer them.

A turn becomes an item when it is committed. When all of them are transcribed and the user does not speak again, a
response begins, unless a turn has said nothing: then the response that it interrupted, if any, goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime.audio.formats import SAMPLE_RATE
from realtime.session.commands import CreateResponse
from realtime.session.conversation import AudioPart, Conversation, Item, Message, Role
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    IdleTimeoutReached,
    Output,
    SpeechStarted,
    TranscriptCompleted,
    TranscriptFailed,
)
from realtime.session.responses import Responses


class Answering:
    """Follows what the user's side of a session reports; see the module."""

    _to_answer: frozenset[str] = frozenset()
    """Turns that a response follows when they have been transcribed."""

    def __init__(self, conversation: Conversation, responses: Responses, new_id: Callable[[str], str]) -> None:
        self.due = False
        """Whether a response begins as soon as the user is silent."""
        self._conversation = conversation
        self._responses = responses
        self._new_id = new_id

    def follow(self, output: Output, now: float, *, in_turn: bool) -> Iterator[Output]:
        """Pass on an output of the user's side, with what follows from it; `in_turn` is that of `Listening`."""
        match output:
            case SpeechStarted(item_id, interrupts=interrupts):
                yield output
                if interrupts:
                    yield from self._responses.interrupt(item_id, now)
            case AudioCommitted():
                yield self._add_turn(output)
            case TranscriptCompleted(item_id, text):
                yield output
                self._conversation.set_transcript(item_id, text)
                if self._responses.interruptions.was_false(item_id, text):
                    if not in_turn:
                        yield from self._responses.resume(now)
                elif text:
                    self.due |= item_id in self._to_answer
                    yield from self._responses.interruptions.end()
                yield from self._turn_transcribed(item_id, now, in_turn=in_turn)
            case TranscriptFailed(item_id):
                yield output
                yield from self._responses.interruptions.end()
                yield from self._turn_transcribed(item_id, now, in_turn=in_turn)
            case AudioCleared():
                yield output
                yield from self._responses.interruptions.end()
                yield from self._answer(now, in_turn=in_turn)
            case _:
                yield output

    def answer_silence(self, end: int, now: float) -> Iterator[Output]:
        """Commit the silence since the last response, up to `end`, as a turn without words, and respond to it."""
        item_id = self._new_id("item")
        length = round((self._responses.config.idle_timeout or 0.0) * SAMPLE_RATE)
        yield IdleTimeoutReached(item_id, max(0, end - length), end)
        yield self._add_turn(AudioCommitted(item_id, transcribed=False))
        self._conversation.set_transcript(item_id, "")
        yield TranscriptCompleted(item_id, "", words=(), language="", samples=min(length, end))
        yield from self._responses.create(CreateResponse(), now)

    def _add_turn(self, committed: AudioCommitted) -> AudioCommitted:
        """Make an item of a turn."""
        item_id = committed.item_id
        self._conversation.append(Item(item_id, Message(Role.USER, (AudioPart(),)), channel=committed.channel))
        if committed.transcribed:
            self._responses.turn_committed(item_id)
            if committed.answered:
                self._to_answer |= {item_id}
        return replace(committed, previous_item_id=self._conversation.predecessor(item_id))

    def _turn_transcribed(self, item_id: str, now: float, *, in_turn: bool) -> Iterator[Output]:
        """Go on where the transcript of a turn was waited for."""
        self._to_answer -= {item_id}
        yield from self._responses.turn_transcribed(item_id)
        yield from self._answer(now, in_turn=in_turn)

    def _answer(self, now: float, *, in_turn: bool) -> Iterator[Output]:
        """Begin the response that is due, once all that the user said is transcribed and they do not speak again."""
        if self.due and not self._to_answer and not in_turn:
            self.due = False
            if self._responses.in_conversation is None:
                yield from self._responses.create(CreateResponse(), now)
