"""Endpointing: from the speech probability of each window to the start and the end of speech.

The rules are those of OpenAI's `server_vad`: speech starts when the probability reaches the threshold for
`ONSET_WINDOWS` windows in a row, its start is moved back by the prefix padding, and it stops after `silence` samples
below the threshold less `HYSTERESIS`. With `semantic_vad` the silence depends on the probability that the speaker has
finished, for which every pause is judged once (`Pause`, `Endpointing.judge`). Positions are samples at 16 kHz since the
stream began.

              score >= threshold              ... in ONSET_WINDOWS in a row
    SILENCE --------------------> STARTING --------------------------------> SPEECH
     ^  ^                            |                   Onset               |    ^
     |  |     score < threshold      |        score < threshold - HYSTERESIS |    | score >= threshold - HYSTERESIS
     |  +----------------------------+                                       v    |
     +-------------------------------------------------------------------- STOPPING
        Offset: `TurnDetection.silence` has passed, or the silence for this pause
"""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW

HYSTERESIS: Final = 0.15
"""Difference between the thresholds of onset and offset: Silero's own."""

ONSET_WINDOWS: Final = 2
"""Windows in a row (64 ms) that make an onset: longer than a click, shorter than any word."""

JUDGED_AFTER: Final = 6 * WINDOW
"""Samples without speech (192 ms) after which a pause is judged: most gaps within words and phrases are shorter."""

JUDGED_SILENCE: Final = 2 * WINDOW
"""Samples after the last speech (64 ms) that belong to the audio by which a pause is judged.

Smart Turn takes more silence for an end: the area under its ROC curve, for 67 ends of sentences against 150 cuts within
a phrase, is 0.93 with 0 and 64 ms, 0.90 with 128 ms, 0.89 with 192 ms and 0.86 with 288 ms.
"""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The silence that ends a turn, by the probability that its speaker has finished: in between, it is linear."""

    shortest: int
    """Samples where the speaker has certainly finished; at least `JUDGED_AFTER`."""
    longest: int
    """Samples where the speaker certainly has not."""

    def silence(self, probability: float) -> int:
        """Return the samples of silence that end the turn."""
        return self.shortest + round((self.longest - self.shortest) * (1.0 - probability))


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a turn starts and ends; the defaults are OpenAI's."""

    threshold: float = 0.5
    """Speech probability of an onset."""
    prefix_padding: int = SAMPLE_RATE * 300 // 1000
    """Samples before the onset that belong to the turn (300 ms)."""
    silence: int = SAMPLE_RATE * 500 // 1000
    """Samples without speech that end the turn (500 ms); with `end_of_turn`, where a pause could not be judged."""
    end_of_turn: EndOfTurn | None = None
    """How the silence depends on the probability that the speaker has finished; None: it is `silence`."""
    reported_silence: int | None = None
    """Samples without speech since the end of a turn that are reported once (`LongSilence`); None: they are not."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Speech began."""

    start: int
    """Position of the onset less the prefix padding."""
    voiced: int
    """Start of the first window with speech."""
    lead_in: int
    """Position from which the audio is worth decoding: `start`, or earlier where the speech before ended just then.

    Words that begin softly begin before the onset. The second half of the silence that ended the speech before is
    theirs. Word errors of 7 minutes of read English, with `start` and with this: 8.4 and 7.7 % where a turn ends after
    288 ms of silence, 6.6 and 6.5 % after 500 ms.
    """


@dataclass(frozen=True, slots=True)
class Pause:
    """Speech paused and is to be judged, with `Endpointing.judge`, before the next window."""

    end: int
    """Position up to which the audio counts for the judgement."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Speech ended."""

    end: int
    """Position after the silence that ended it."""


@dataclass(frozen=True, slots=True)
class LongSilence:
    """Nobody has spoken for `TurnDetection.reported_silence` since the last speech."""

    end: int
    """Position at which that was so."""


class Endpointing:
    """Finds onsets and offsets in one stream, window by window."""

    def __init__(self, detection: TurnDetection, *, position: int = 0, after_speech: bool = False) -> None:
        """Begin at `position`, in silence; `after_speech` says that speech ended there."""
        self.detection = detection
        self.speaking = False
        self._position = position
        self._floor = position
        self._lead_in_floor = position
        self._onset_run = 0
        self._last_voiced = position
        self._silence = detection.silence
        """Samples without speech that end the speech in progress."""
        self._silence_due = after_speech
        """Whether the silence since the last speech has not been reported."""

    @property
    def position(self) -> int:
        """End of the last window."""
        return self._position

    def update(self, probability: float) -> Onset | Pause | Offset | LongSilence | None:
        """Take the speech probability of the next window; return what it leads to."""
        self._position += WINDOW
        if self.speaking:
            if probability >= self.detection.threshold - HYSTERESIS:
                self._last_voiced = self._position
                return None
            silence = self._position - self._last_voiced
            if self.detection.end_of_turn is not None and silence == JUDGED_AFTER:
                return Pause(self._last_voiced + JUDGED_SILENCE)
            return self.finish() if silence >= self._silence else None
        self._onset_run = self._onset_run + 1 if probability >= self.detection.threshold else 0
        if self._onset_run < ONSET_WINDOWS:
            return self._long_silence()
        voiced = self._position - self._onset_run * WINDOW
        self.speaking = True
        self._last_voiced = self._position
        padded = voiced - self.detection.prefix_padding
        return Onset(max(self._floor, padded), voiced, lead_in=max(self._lead_in_floor, padded))

    def judge(self, probability: float | None) -> None:
        """Take the probability that the speaker has finished, of the last `Pause`; None: it is not known."""
        end_of_turn = self.detection.end_of_turn
        assert end_of_turn is not None
        self._silence = self.detection.silence if probability is None else end_of_turn.silence(probability)

    def finish(self) -> Offset:
        """End the speech in progress at the current position."""
        self.speaking = False
        self._onset_run = 0
        self._floor = self._position
        self._lead_in_floor = (self._last_voiced + self._position) // 2
        self._silence_due = True
        return Offset(end=self._position)

    def _long_silence(self) -> LongSilence | None:
        reported = self.detection.reported_silence
        if not self._silence_due or reported is None or self._position - self._last_voiced < reported:
            return None
        self._silence_due = False
        return LongSilence(self._position)
