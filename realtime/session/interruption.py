"""The response that is heard, and one that was interrupted, until it is clear whether the user said anything.

A cough, a "mhm" or the response itself from a loudspeaker are detected as speech. Whether they were is known when the
turn has been transcribed. Until then the answer is kept, and may still be generated; then another response says the
rest, or the answer is given up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from realtime.session.answer import Answer
from realtime.session.events import Output
from realtime.session.jobs import Generated, ResponseResult
from realtime.session.reply import Reply
from realtime.session.response_events import EndReason, ResponseStatus
from realtime.speech.backchannel import is_backchannel

MIN_WORDS_LEFT: Final = 4
"""Words left of a response from which a backchannel during it is none: near its end, "yes" is an answer."""


@dataclass(slots=True)
class Interruption:
    """A response that was interrupted by the turn `item_id`, when its answer had been played up to `position`."""

    reply: Reply
    item_id: str
    position: int

    @property
    def answer(self) -> Answer:
        """What was being said."""
        return self.reply.answer

    @property
    def rest(self) -> str:
        """What is left of the text, as far as it is known."""
        return self.answer.text[self.position :]

    @property
    def leaves_nothing(self) -> bool:
        """Whether the answer had been played to its end."""
        return self.answer.complete and not self.rest.strip() and not self.answer.has_calls

    def is_false(self, text: str) -> bool:
        """Return whether the user has said nothing with this transcript of the turn, or a mere backchannel."""
        return not text or (is_backchannel(text) and len(self.rest.split()) >= MIN_WORDS_LEFT)


class Interruptions:
    """What of the responses in the conversation is heard or left unsaid; see the module."""

    def __init__(self) -> None:
        self.playing: Reply | None = None
        """The last finished response in the conversation, which the client may still play; None if it was cancelled."""
        self.latest: Interruption | None = None
        """The response that speech has interrupted, until it is clear whether the user says anything."""

    @property
    def played_until(self) -> float:
        """When the client will have played the last response in the conversation; long ago if nothing is played."""
        return float("-inf") if self.playing is None else self.playing.played_until

    def interrupt(self, reply: Reply | None, item_id: str, now: float, *, resume: bool) -> Iterator[Output]:
        """Cancel `reply`, the response in progress in the conversation, because the user has begun the turn `item_id`.

        Where there is none, the one that has finished may still be played: what was not played by now is dropped too.
        `resume` is `SessionConfig.resume_false_interruptions`.
        """
        if reply is not None:
            generate_on, reason = resume and reply.resumable, EndReason.TURN_DETECTED
            yield from reply.finish(ResponseStatus.CANCELLED, now, reason=reason, generate_on=generate_on)
        elif now < self.played_until:
            reply = self.playing
        self.playing = None
        if reply is not None:
            position = reply.keep_heard(now)
            yield from self.end()
            self.latest = Interruption(reply, item_id, position) if resume and reply.resumable else None
        elif self.latest is not None:  # since which nothing has been said
            self.latest.item_id = item_id

    def truncate(self, item_id: str, seconds: float) -> None:
        """Note that the client has played so much of an item; after a false interruption it goes on from there.

        An item that was not interrupted is no longer played.
        """
        interrupted = self.latest
        if interrupted is not None and interrupted.reply.spoken_item_id == item_id:
            interrupted.position = interrupted.reply.keep_until(seconds)
        elif self.playing is not None and self.playing.spoken_item_id == item_id:
            self.playing = None

    def was_false(self, item_id: str, text: str) -> bool:
        """Return whether a turn interrupted a response without saying anything, and more than its end was left."""
        return self.latest is not None and self.latest.item_id == item_id and self.latest.is_false(text)

    def end(self) -> Iterator[Output]:
        """Give up what was left of an interrupted response."""
        if self.latest is not None:
            yield from self.latest.answer.cancel()
            self.latest = None

    def awaits(self, job: int) -> bool:
        """Return whether this job generates the rest of an interrupted answer."""
        return self.latest is not None and self.latest.answer.generation == job

    def receive(self, message: ResponseResult) -> Iterator[Output]:
        """Take more of that answer, or the failure to generate it."""
        assert self.latest is not None
        answer = self.latest.answer
        if isinstance(message, Generated):
            yield from answer.take(message.delta)
        else:
            answer.end_generation()
            answer.complete = True
