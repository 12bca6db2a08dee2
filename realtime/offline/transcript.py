"""The transcript of a recording, and its division into cues."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from realtime.media.tracks import AudioTrack
from realtime.speech.cues import cut_into_cues
from realtime.speech.suppression import Suppression
from realtime.speech.transcript import Hypothesis, Word


@dataclass(frozen=True, slots=True)
class TranscribedSegment:
    """The text of one speech segment, which begins at sample `start`.

    `words` are positioned in the recording, the words of `hypothesis` in the segment. `channel` is the index of its
    channel, where each is a speaker.
    """

    start: int
    words: tuple[Word, ...]
    hypothesis: Hypothesis
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class SuppressedSegment:
    """A speech segment, from sample `start` to `end` of the recording, whose text is suppressed for `reason`."""

    start: int
    end: int
    reason: Suppression
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of a recording of `samples` samples.

    Attributes:
        segments: Segments with text, in order.
        language: Code of the language spoken, empty if there was no text.
        samples: Length of the recording.
        translated: The text is a translation to English.
        suppressed: Segments whose text is suppressed, in order.
        track: The audio track transcribed, None if it is the only one of the recording.
        channels: Number of channels, each of which is a speaker; None if they are mixed.
    """

    segments: tuple[TranscribedSegment, ...]
    language: str
    samples: int
    translated: bool = False
    suppressed: tuple[SuppressedSegment, ...] = ()
    track: AudioTrack | None = None
    channels: int | None = None

    @property
    def text(self) -> str:
        """The whole text, without white space around it; of several channels a dialogue, with a line for each turn."""
        if self.channels is None:
            return "".join(segment.hypothesis.text for segment in self.segments).strip()
        turns = groupby(cues(self), key=lambda cue: cue.segment.channel or 0)
        return "\n".join(f"{speaker(channel)}: {''.join(cue.text for cue in turn).strip()}" for channel, turn in turns)


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence, or the words between two pauses, as one subtitle shows it."""

    words: tuple[Word, ...]
    segment: TranscribedSegment

    @property
    def text(self) -> str:
        """The words as the recognizer wrote them, with the leading space of the first."""
        return "".join(word.text for word in self.words)

    @property
    def start(self) -> int:
        """Sample at which the first word starts."""
        return self.words[0].start

    @property
    def end(self) -> int:
        """Sample at which the last word ends."""
        return self.words[-1].end


def speaker(channel: int) -> str:
    """Return what the speaker on a channel is called in text: the first is "Channel 1"."""
    return f"Channel {channel + 1}"


def language_of(transcript: Transcript, segment: TranscribedSegment) -> str:
    """Return the language in which a segment is written."""
    return "en" if transcript.translated else segment.hypothesis.language


def cues(transcript: Transcript) -> list[Cue]:
    """Cut a transcript with word times at ends of sentences, at pauses and between segments.

    Cues are in the order in which they begin; those of several channels may overlap.
    """
    found: list[Cue] = []
    for segment in transcript.segments:
        found += [Cue(words, segment) for words in cut_into_cues(segment.words, language_of(transcript, segment))]
    return found if transcript.channels is None else sorted(found, key=attrgetter("start"))
