"""How a phrase is spoken, besides its voice and speed."""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooLong, AudioTooShort

MAX_CLIP_SECONDS: Final = 30.0
"""Longest recording of a voice to clone; CosyVoice accepts no longer one."""

MIN_CLIP_SECONDS: Final = 1.0
"""Shortest recording of a voice to clone: below a second there is less than a word or two to imitate."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceClip:
    """A recording of a voice to clone, mono at 16 kHz, and what is said in it, if that is known.

    Raises `AudioTooLong` and `AudioTooShort` outside `MIN_CLIP_SECONDS` to `MAX_CLIP_SECONDS`.
    """

    samples: Samples
    transcript: str = ""

    def __post_init__(self) -> None:
        seconds = len(self.samples) / SAMPLE_RATE
        if seconds > MAX_CLIP_SECONDS:
            raise AudioTooLong(f"A recording of a voice must be at most {MAX_CLIP_SECONDS:g} s long.")
        if seconds < MIN_CLIP_SECONDS:
            raise AudioTooShort(f"A recording of a voice must be at least {MIN_CLIP_SECONDS:g} s long.")


@dataclass(frozen=True, slots=True, eq=False)
class SpeechStyle:
    """What a request asks of an engine that has more abilities than a voice and a speed.

    Attributes:
        instructions: How to speak, in words.
        clip: The voice to clone, instead of the one that is named.
        streamed: Whether the first samples are wanted as soon as possible.
        seconds_ahead: Seconds of speech that the listener has yet to hear before this phrase. Of phrases that wait for
            an engine, the one that is needed first is spoken first.
    """

    instructions: str = ""
    clip: ReferenceClip | None = None
    streamed: bool = True
    seconds_ahead: float = 0.0


PLAIN: Final = SpeechStyle()
"""The style of a request that asks for none."""
