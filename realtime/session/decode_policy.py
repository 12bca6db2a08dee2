"""When the speech of a segment is worth a transcription.

A pure policy over the phase of the segment and the one transcription in flight:

========  ====================================================================================================
phase     next request
========  ====================================================================================================
SILENT    none
SPEAKING  a partial, if nothing is in flight and enough speech has come since the last request (`_least_speech`)
PAUSING   cancel a partial that is still queued: a final may be near; if it is not, there will be more to decode
PAUSED    a final, unless it was requested already, or a partial that decodes all of the speech is running and no
          answer is prepared
CLOSED    a final, unless one for all of the speech is in flight
DONE      none
========  ====================================================================================================

Where only finals are wanted, there is nothing to request before a pause; a final that was queued in an earlier one is
cancelled, because it would lack the silence after the newest word.

How often a partial is affordable is decided elsewhere: the request waits in the scheduler of its model.
"""

from enum import Enum, auto
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.cadence import DRAFTED_PATIENCE
from realtime.scheduling.priority import LoadLevel
from realtime.session.in_flight import InFlight, RequestState
from realtime.session.segments import Phase, Segment
from realtime.speech.certainty import MIN_SPAN

MIN_NEW_SPEECH: Final = {
    LoadLevel.LOW: SAMPLE_RATE // 4,
    LoadLevel.NORMAL: SAMPLE_RATE // 4,
    LoadLevel.BUSY: SAMPLE_RATE // 2,
    LoadLevel.CRITICAL: SAMPLE_RATE // 2,
}
"""Samples of speech since the last request that are worth a partial, by load; half of `Certainty.span` where that is
more and words have been committed: then every other partial confirms the one before the last.
"""


class Decision(Enum):
    """What to do next about a segment."""

    PARTIAL = auto()
    """Request a transcription of the speech so far."""
    FINAL = auto()
    """Request the best transcription; it replaces what is in flight."""
    CANCEL = auto()
    """Cancel the transcription in flight."""


class Waiting(Enum):
    """Why nothing is requested for a segment now."""

    NO_SPEECH = "no_speech"
    """There is too little speech in it yet."""
    NEW_SPEECH = "new_speech"
    """Too little speech has come since the last request."""
    SPEAKING = "speaking"
    """Only finals are wanted, and somebody speaks or pauses too briefly."""
    IN_FLIGHT = "in_flight"
    """A transcription is queued or running."""
    PAUSE = "pause"
    """The speaker pauses, too briefly as yet for a final."""
    ANSWERED = "answered"
    """In this pause, the final of all the speech has been answered, or has failed."""
    EARLIER_SEGMENT = "earlier_segment"
    """The final of an earlier segment is due first."""
    DONE = "done"
    """Its transcript is complete, or is not wanted."""


def next_request(
    segment: Segment, in_flight: InFlight | None, load: LoadLevel, span: int = MIN_SPAN, *, drafted: bool = False,
    partials: bool = True,
) -> Decision | Waiting:  # fmt: skip
    """Decide what to request next for `segment`, the oldest that is not done, or say what is waited for.

    `span` is how far apart the audio of two hypotheses must end for one to confirm the other; `drafted` says that a
    draft model writes tentative words, so that partials may come later; without `partials`, only finals are wanted.
    """
    least = _least_speech(segment, load, span) * (DRAFTED_PATIENCE if drafted else 1)
    match segment.phase:
        case Phase.SILENT:
            return Waiting.NO_SPEECH
        case Phase.SPEAKING | Phase.PAUSING if not partials:
            return Decision.CANCEL if _is_queued(in_flight) else Waiting.SPEAKING
        case Phase.SPEAKING if in_flight is None:
            return Decision.PARTIAL if segment.new_speech >= least else Waiting.NEW_SPEECH
        case Phase.PAUSING:
            if in_flight is None:
                return Waiting.PAUSE
            return Decision.CANCEL if _is_queued(in_flight) and not in_flight.final else Waiting.IN_FLIGHT
        case Phase.PAUSED if _final_was_answered(segment):
            return Waiting.ANSWERED
        case Phase.PAUSED if not _will_cover(in_flight, segment):
            return Decision.FINAL
        case Phase.CLOSED if in_flight is None or not (in_flight.final and in_flight.covers(segment)):
            return Decision.FINAL
        case Phase.DONE:
            return Waiting.DONE
        case _:
            return Waiting.IN_FLIGHT


def _least_speech(segment: Segment, load: LoadLevel, span: int) -> int:
    """Return the samples of new speech that are worth a partial."""
    if not segment.agreement.committed:
        return MIN_NEW_SPEECH[load]  # the first words are wanted soon
    return max(MIN_NEW_SPEECH[load], min(span, MIN_SPAN) // 2)


def _is_queued(in_flight: InFlight | None) -> bool:
    return in_flight is not None and in_flight.state is RequestState.QUEUED


def _final_was_answered(segment: Segment) -> bool:
    """Whether a final of all the speech was answered, or failed, to be repeated when the segment is closed."""
    return segment.final is not None and segment.final.speech_end == segment.speech_end


def _will_cover(in_flight: InFlight | None, segment: Segment) -> bool:
    """Whether the transcription in flight decodes all of the speech: a final now would only delay its words.

    A final for which an answer waits does not wait for a partial.
    """
    if in_flight is None or not in_flight.covers(segment):
        return False
    return in_flight.final or not (_is_queued(in_flight) or segment.prepares_answer)
