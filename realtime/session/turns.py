"""The turns of one speaker in segments: the one that grows, and the closed ones that wait for their finals.

`TurnTaking` begins and ends turns. Their audio is decoded in segments, which end in pauses or where they are cut
(`segment_limits`); `Captioning` transcribes them.
"""

from typing import Final

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.priority import LoadLevel
from realtime.session.config import SessionConfig
from realtime.session.events import TranscriptCompleted
from realtime.session.segment_limits import cut_position
from realtime.session.segments import Segment, Turn
from realtime.speech.certainty import CERTAIN, LIKELY, Certainty
from realtime.speech.suppression import VOICED, SpeechEvidence

LEADING_SILENCE: Final = SAMPLE_RATE
"""Samples (1 s) kept before the first speech of a turn; relevant where the client commits turns by hand, or sets a long
prefix padding."""

MAX_PENDING_FINALS: Final = 4
"""Closed segments that may wait for their finals before the session takes no more audio."""


class Turns:
    """The turns whose transcripts are to come; see the module. Positions are those of `buffer`."""

    def __init__(self, config: SessionConfig, buffer: AudioBuffer) -> None:
        self.config = config
        """The configuration in effect for the audio scored so far; closed segments keep theirs."""
        self.load = LoadLevel.NORMAL
        """Load of the recognizer when it last pulled a request; assumed until the next pull."""
        self.open: Segment | None = None
        """The segment that grows, of the turn in progress."""
        self.closed: list[Segment] = []
        """The segments that wait for their finals, the oldest first."""
        self._buffer = buffer

    @property
    def certainty(self) -> Certainty:
        """How certain words of partials must be to be committed."""
        wanted = self.config.certainty
        return LIKELY if self.load.is_high and wanted == CERTAIN else wanted

    @property
    def current_id(self) -> str | None:
        """Identifier of the turn in progress."""
        return self.open.turn.id if self.open else None

    @property
    def growing(self) -> Segment | None:
        """The segment that grows, if its transcript is wanted."""
        return self.open if self.config.transcribe else None

    @property
    def pending(self) -> list[Segment]:
        """The closed segments and the one that grows, in order."""
        return [*self.closed, *([self.open] if self.open else [])]

    @property
    def saturated(self) -> bool:
        """Whether more than `MAX_PENDING_FINALS` finals are due."""
        return len(self.closed) > MAX_PENDING_FINALS

    def config_of(self, segment: Segment) -> SessionConfig:
        """Return the configuration in effect for this segment."""
        return segment.config or self.config

    def begin(self, item_id: str, start: int, audio_start: int) -> None:
        """Begin a turn at `start`, of which the audio from `audio_start` on is decoded.

        Where the client's speech threshold is lower than the default, it decides which windows have speech.
        """
        detection = self.config.turn_detection
        evidence = SpeechEvidence(VOICED if detection is None else min(VOICED, detection.threshold))
        self.open = Segment(Turn(item_id, start), audio_start, evidence)

    def add_window(self, start: int, end: int, probability: float) -> None:
        """Add the window from `start` to `end` of the turn with its speech probability; it may end a segment."""
        segment = self.open
        assert segment is not None
        partials = self.config.decode_partials
        load = self.load if partials else LoadLevel.NORMAL  # so that the cuts are always the same
        segment.add_window(start, end, probability)
        # Of finals alone, none is requested before the silence that is decoded with it.
        segment.prepares_answer = self.config.answers_early and partials and not load.is_high
        if segment.speech_start is None:
            segment.start = max(segment.start, end - LEADING_SILENCE)
        elif (at := cut_position(segment, load, self._buffer)) is not None:
            self.open = segment.cut(at)
            if self.config.transcribe:
                self._close(segment)
            else:
                segment.done = True

    def end(self, position: int) -> None:
        """End the turn in progress at `position`; its transcript will follow, if transcripts are wanted."""
        segment, self.open = self.open, None
        assert segment is not None
        segment.end = segment.turn.end = position
        segment.ends_turn = True
        if self.config.transcribe:
            self._close(segment)
        else:
            self._drop(segment)

    def discard(self) -> TranscriptCompleted | None:
        """Drop the turn in progress. If text of it was committed, return its completion with that text."""
        segment, self.open = self.open, None
        if segment is None:
            return None
        self._drop(segment)
        turn = segment.turn
        if not (turn.text and self.config.transcribe):
            return None
        return TranscriptCompleted(turn.id, turn.text.strip(), words=(), language=turn.language, samples=0)

    def _drop(self, last: Segment) -> None:
        """Give up the transcript of a turn, of which `last` is the last segment."""
        for segment in (last, *self.closed):
            segment.done = segment.done or segment.turn is last.turn
        self.closed = [segment for segment in self.closed if not segment.done]

    def _close(self, segment: Segment) -> None:
        """Queue the segment for its final."""
        segment.config = self.config
        self.closed.append(segment)
