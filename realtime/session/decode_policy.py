"""When the speech of a segment is worth a transcription.

A pure policy over the phase of the segment and the one transcription in flight:

========  ====================================================================================================
phase     next request
========  ====================================================================================================
SILENT    none
SPEAKING  a partial, if nothing is in flight and `MIN_NEW_SPEECH` has come since the last request
PAUSING   cancel a partial that is still queued: a final may be near; if it is not, there will be more to decode
PAUSED    a final, unless it was requested already, or a partial that decodes all of the speech is running
CLOSED    a final, unless one for all of the speech is in flight
DONE      none
========  ====================================================================================================

How often a partial is affordable is decided elsewhere: the request waits in the scheduler of its model.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.priority import LoadLevel
from realtime.session.segments import Phase, Segment

MIN_NEW_SPEECH: Final = {
    LoadLevel.NORMAL: SAMPLE_RATE // 4,
    LoadLevel.BUSY: SAMPLE_RATE // 2,
    LoadLevel.CRITICAL: SAMPLE_RATE // 2,
}
"""Samples of speech since the last request that are worth a partial, by load."""


class Decision(Enum):
    """What to do next about a segment."""

    PARTIAL = auto()
    """Request a transcription of the speech so far."""
    FINAL = auto()
    """Request the best transcription; it replaces what is in flight."""
    CANCEL = auto()
    """Cancel the transcription in flight."""


class RequestState(Enum):
    """How far the transcription in flight has come."""

    QUEUED = auto()
    """It waits for an engine; what it will decode is not fixed yet."""
    RUNNING = auto()
    """An engine has pulled the request."""


@dataclass(slots=True)
class InFlight:
    """The transcription in flight; a session has at most one. The fields below `state` are fixed by the pull."""

    number: int
    segment: Segment
    final: bool
    state: RequestState = RequestState.QUEUED
    speech_end: int = 0
    """End of the speech it decodes; of a queued final, end of the speech for which it was requested."""
    start: int = 0
    end: int = 0
    word_times: bool = False

    def covers(self, segment: Segment) -> bool:
        """Whether the answer will be about all of the speech of `segment`."""
        return self.segment is segment and self.speech_end == segment.speech_end


def next_request(segment: Segment, in_flight: InFlight | None, load: LoadLevel) -> Decision | None:
    """Decide what to request next for `segment`, the oldest that is not done; None: nothing."""
    match segment.phase:
        case Phase.SPEAKING if in_flight is None and segment.new_speech >= MIN_NEW_SPEECH[load]:
            return Decision.PARTIAL
        case Phase.PAUSING if in_flight is not None and _is_queued_partial(in_flight):
            return Decision.CANCEL
        case Phase.PAUSED if not (_final_was_answered(segment) or _will_cover(in_flight, segment)):
            return Decision.FINAL
        case Phase.CLOSED if in_flight is None or not (in_flight.final and in_flight.covers(segment)):
            return Decision.FINAL
        case _:
            return None


def _is_queued_partial(in_flight: InFlight) -> bool:
    return in_flight.state is RequestState.QUEUED and not in_flight.final


def _final_was_answered(segment: Segment) -> bool:
    """Whether a final of all the speech was answered, or failed, to be repeated when the segment is closed."""
    return segment.final is not None and segment.final.speech_end == segment.speech_end


def _will_cover(in_flight: InFlight | None, segment: Segment) -> bool:
    """Whether the transcription in flight decodes all of the speech: a final now would only delay its words."""
    return in_flight is not None and not _is_queued_partial(in_flight) and in_flight.covers(segment)
