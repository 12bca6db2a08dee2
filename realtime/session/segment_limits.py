"""When a segment is cut although its turn goes on, and where."""

from typing import Final

from realtime.audio.buffer import QUIET_SPAN, AudioBuffer
from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.priority import LoadLevel
from realtime.session.segments import EARLY_FINAL_SILENCE, Segment

MAX_SEGMENT: Final = {
    LoadLevel.LOW: 10 * SAMPLE_RATE,
    LoadLevel.NORMAL: 10 * SAMPLE_RATE,
    LoadLevel.BUSY: 6 * SAMPLE_RATE,
    LoadLevel.CRITICAL: 7 * SAMPLE_RATE // 2,
}
"""Samples, by load, from which a segment ends in the next pause or is trimmed. More context is more accurate and costs
more: word error rates over 23 minutes of English are 7.35 % with 8 s and 7.2 % with 10 s, with a partial every 0.3 s;
8.0, 7.6 and 7.35 % with 3.5, 5 and 6 s, with a partial every second; 6.7 % for whole files.
"""

MAX_PARTIAL: Final = {
    LoadLevel.LOW: 8 * SAMPLE_RATE,
    LoadLevel.NORMAL: 5 * SAMPLE_RATE,
    LoadLevel.BUSY: 5 * SAMPLE_RATE,
    LoadLevel.CRITICAL: 7 * SAMPLE_RATE // 2,
}
"""Samples, by load, from which a partial leaves committed words out, which the final of the segment decodes again."""

HARD_SEGMENT_LIMIT: Final = 20 * SAMPLE_RATE
"""Samples (20 s) at which a segment is cut even in the middle of speech, since nothing of it could be trimmed."""

CUT_SEARCH_RANGE: Final = 8 * SAMPLE_RATE
"""Samples (8 s) before `HARD_SEGMENT_LIMIT` in which the quietest place for that cut is looked for."""

UNDECODED_SEGMENT_LIMIT: Final = 5 * SAMPLE_RATE
"""Samples (5 s) since the last request at which a segment is cut in the middle of speech when the load is critical.

Partials come at least every 2 s, unless there is only time for finals, and nothing is committed before its final then.
The p95 commit lag of sixteen simulated users who never pause, on a machine with 0.3 of its speed, is 10 s with this
limit, 11 s with one of 7 s, and 25 s with `HARD_SEGMENT_LIMIT` alone.
"""

UNDECODED_SEARCH_RANGE: Final = 3 * SAMPLE_RATE
"""Samples (3 s) before that cut in which the quietest place for it is looked for."""


def cut_position(segment: Segment, load: LoadLevel, buffer: AudioBuffer) -> int | None:
    """Return where to cut a segment in which somebody speaks, by its newest window; None if it may grow on."""
    end = segment.scored_until
    length = end - segment.start
    if length >= MAX_SEGMENT[load] and segment.silence >= EARLY_FINAL_SILENCE:
        return segment.speech_end + EARLY_FINAL_SILENCE // 2
    if length >= HARD_SEGMENT_LIMIT:
        # Not before the words that are committed, which would be decoded again.
        first = max(end - CUT_SEARCH_RANGE, segment.agreement.confirmed_until)
        return buffer.quietest(first, end) if end - first >= QUIET_SPAN else end
    undecoded = end - max(segment.start, segment.requested_until)
    if load is LoadLevel.CRITICAL and undecoded >= UNDECODED_SEGMENT_LIMIT:
        return buffer.quietest(end - UNDECODED_SEARCH_RANGE, end)
    return None
