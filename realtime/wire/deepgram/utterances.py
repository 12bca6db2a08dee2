"""The utterances of one channel of `/v1/listen`, and what is sent about them.

What is asked for after an utterance (`Finalize`, `CloseStream`) or follows it (`UtteranceEnd`) waits for its final
result, so that the client sees everything of a channel in the order of the audio.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from realtime.session.events import TranscriptCompleted, TranscriptRevised
from realtime.wire.codec import Frames
from realtime.wire.deepgram.results import ResultWriter, Span


class _Mark(Enum):
    """What follows the results of the utterances before it."""

    FINALIZED = auto()
    UTTERANCE_END = auto()
    CLOSE = auto()


@dataclass(slots=True)
class _Utterance:
    """A turn of the session whose final result is still to come."""

    item_id: str
    start: int
    text: str = ""
    """The text committed so far."""
    ended: bool = False
    """Whether the detector or a request of the client has ended it."""
    finalized: bool = False
    """Whether its result answers a `Finalize`."""


_Waiting: TypeAlias = _Utterance | _Mark


class Utterances:
    """Follows one channel. What is returned is to be sent at once."""

    def __init__(self, writer: ResultWriter, index: Sequence[int], *, endpointing: bool) -> None:
        """`endpointing` says whether the end of an utterance is `speech_final`."""
        self.index = index
        """Which channel it is, and of how many."""
        self._writer = writer
        self._endpointing = endpointing
        self._waiting: deque[_Waiting] = deque()
        """Utterances in the order of the audio, and what follows them."""
        self._last_word_end: int | None = None
        """Position of the end of the last word for which there was no `UtteranceEnd`."""
        self.end = 0
        """Position of the end of the last utterance with a final result."""
        self.closed = False
        """Whether everything before the end of the stream has been sent."""

    def begin(self, item_id: str, start: int) -> None:
        """Take note of an utterance that begins."""
        self._waiting.append(_Utterance(item_id, start))

    def stop(self, item_id: str) -> None:
        """Take note that the detector has ended an utterance."""
        self._find(item_id).ended = True

    def has_ended(self, item_id: str) -> bool:
        """Return whether an utterance is known to be over."""
        return self._find(item_id).ended

    def extend(self, item_id: str, delta: str) -> None:
        """Take note of more committed text of an utterance."""
        self._find(item_id).text += delta

    def finalize(self) -> Frames:
        """Answer a `Finalize` by the result of the last utterance, or by an empty one where none is to come."""
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Utterance) and not last.finalized:
            last.ended = last.finalized = True
            return []
        self._waiting.append(_Mark.FINALIZED)
        return self._marks()

    def close(self) -> Frames:
        """End the stream here: `closed` when all results have been sent."""
        if self._waiting and isinstance(last := self._waiting[-1], _Utterance):
            last.ended = True
        self._waiting.append(_Mark.CLOSE)
        return self._marks()

    def pass_silence(self) -> Frames:
        """Report the silence after the last utterance, if that had words."""
        self._waiting.append(_Mark.UTTERANCE_END)
        return self._marks()

    def revise(self, event: TranscriptRevised) -> Frames:
        """Return the interim result of an utterance: its text so far, with the words whose times are known.

        There is none while the final result of an earlier one is to come: clients expect them in order.
        """
        utterance = self._find(event.item_id)
        if utterance is not next(each for each in self._waiting if isinstance(each, _Utterance)):
            return []
        tentative = "".join(word.text for word in event.tentative)
        text = utterance.text + (tentative if utterance.text else tentative.lstrip())
        if not text.strip():
            return []
        words = [word for word in (*event.trimmed, *event.committed, *event.tentative) if word.end > 0]
        return [self._writer.result(text, words, Span(utterance.start, event.audio_end), self.index, is_final=False)]

    def complete(self, completed: TranscriptCompleted) -> Frames:
        """Return the final result of the first utterance that waits, and what follows it."""
        utterance = self._waiting.popleft()
        assert isinstance(utterance, _Utterance)
        assert utterance.item_id == completed.item_id
        self.end = utterance.start + completed.samples
        if completed.words:
            self._last_word_end = completed.words[-1].end
        result = self._writer.result(
            completed.text,
            completed.words,
            Span(utterance.start, self.end),
            self.index,
            language=completed.language,
            speech_final=self._endpointing or utterance.finalized,
            from_finalize=utterance.finalized,
        )
        return [result, *self._marks()]

    def _find(self, item_id: str) -> _Utterance:
        return next(each for each in self._waiting if isinstance(each, _Utterance) and each.item_id == item_id)

    def _marks(self) -> Frames:
        """Return what follows the utterances whose results have been sent."""
        frames: Frames = []
        while self._waiting and isinstance(mark := self._waiting[0], _Mark):
            self._waiting.popleft()
            if mark is _Mark.FINALIZED:
                frames.append(self._writer.result("", (), Span(self.end, self.end), self.index, from_finalize=True))
            elif mark is _Mark.CLOSE:
                self.closed = True
            elif self._last_word_end is not None:
                frames.append(self._writer.utterance_end(self._last_word_end, self.index))
                self._last_word_end = None
        return frames
