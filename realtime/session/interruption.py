"""An interrupted response, until it is clear whether the user has interrupted it to say something.

A cough, a "mhm" or the response itself from a loudspeaker are detected as speech. Whether they were is known when the
turn has been transcribed. Until then the answer is kept, and may still be generated; then another response says the
rest, or the answer is given up.
"""

from dataclasses import dataclass
from typing import Final

from realtime.session.answer import Answer
from realtime.session.reply import Reply
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
