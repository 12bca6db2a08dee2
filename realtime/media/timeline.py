"""Times of decoded audio by the timestamps of its file: where silence belongs that the file does not contain.

A recording need not begin with its file, and recorders leave out packets where nothing is said or the microphone is
muted. A player shows the rest at its own time, and so do subtitles.
"""

from typing import Final

_TOLERANCE: Final = 0.1
"""Seconds by which timestamps may be off. Those of live streams jitter by up to 60 ms; words are 300 ms apart."""

_MAX_LEAD: Final = 0.2
"""Longest audio before the origin that is dropped, in seconds: more than the delay of any encoder."""

_MAX_GAP: Final = 4 * 3600.0
"""Longest gap in seconds that is filled with silence: that of a participant who was muted for a long meeting.

A longer one is taken for an error in the timestamps, or the beginning of another recording: time goes on without it.
"""

_PLAUSIBLE_GAPS: Final = 2
"""Gaps that are plausible in audio of any length, besides one per second of audio.

A stream that loses a tenth of its packets has one per second. Where all timestamps are wrong by 25 %, there are 2.5.
"""


class Timeline:
    """Positions of consecutive pieces of audio, in seconds, by their timestamps.

    Timestamps that jump back (a wrapped counter, joined recordings) continue at the position reached.

    Attributes:
        seconds: Position reached: the audio and the gaps so far.
        audio: Seconds of audio so far.
        gaps: Number of gaps so far.
    """

    def __init__(self, origin: float) -> None:
        """Begin where timestamps are `origin` seconds."""
        self.seconds = 0.0
        self.audio = 0.0
        self.gaps = 0
        self._origin = origin
        self._expected: float | None = None

    @property
    def plausible(self) -> bool:
        """Whether the timestamps are plausible: there are not more gaps than pauses."""
        return self.gaps <= _PLAUSIBLE_GAPS + self.audio

    def add(self, time: float | None, duration: float, following: float | None) -> float:
        """Add a piece of audio of `duration` seconds; return the seconds of silence that belong before it.

        A negative result is the part of the first piece that lies before the origin. `time` is the timestamp of the
        piece, `following` that of the next; None if they have none. A timestamp that the next one contradicts is
        ignored.
        """
        gap = 0.0
        if time is not None and (following is None or following > time - _TOLERANCE):
            ahead = time - self._origin - self.seconds
            if self._expected is None and -_MAX_LEAD <= ahead <= _MAX_GAP:
                gap = ahead
            elif ahead > _MAX_GAP or self._expected is None or time < self._expected - _TOLERANCE:
                self._origin = time - self.seconds
            elif ahead > _TOLERANCE:
                gap = ahead
                self.gaps += 1
            self._expected = time
        if self._expected is not None:
            self._expected += duration
        self.audio += duration
        self.seconds += gap + duration
        return gap
