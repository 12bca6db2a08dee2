"""What Whisper listens to: excerpts of audio, the silence encoded behind them, and the memory the decoder gets of them.

Whisper was trained on 30 s windows and every frame of padding costs as much as a frame of speech. CTranslate2 accepts
a shorter window, but then the decoder has neither silence nor an end to look at and repeats itself for ever. The cure
is a *silence tail*: behind the encoding of each excerpt stand the frames of an encoded silence that would have followed
it, at least `MIN_TAIL`, and the `END_FRAMES` frames nearest to position 1500. How many depends on the excerpt alone,
except under load: then a batch has as many as its longest excerpt needs, because each frame costs time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.whisper.drafts import Draft
from realtime.speech.recognition import DecodingOptions, TranscriptionRequest
from realtime.speech.transcript import Hypothesis

FRAME: Final = 320
"""Samples of one encoder frame: 20 ms, two mel frames."""

FULL_WINDOW_FRAMES: Final = 1500
"""Encoder frames of Whisper's full window of 30 s."""

PADDING: Final = 25
HURRIED_PADDING: Final = 50
FINAL_PADDING: Final = 200
"""Frames of digital silence encoded behind an excerpt: 0.5 s for a partial, 1 s for a final in a hurry, 4 s for others.

With 50, 200 and all that the window has room for, 75 clips of clean English have 8.1, 7.6 and 7.3 % of word errors.
"""

SECOND_WINDOW: Final = 600
SECOND_PADDING: Final = 400
"""Frames of the window for a second look at live speech, and of silence in it, at least.

The encoder takes 0.15 s for 12 s and 0.9 s for the full window, which is no better: 7.7 and 7.6 % on those 75 clips.
"""

MIN_TAIL: Final = 50
"""The fewest silence frames that follow an excerpt's own in the decoder's memory."""

LENGTH_BUCKET: Final = 400
"""Memories are lengthened to multiples of so many frames before their ending, and those of one length share a batch.

Without timestamps, as in a hurry, excerpts of all lengths share one, whose memories are as long as its longest needs.
"""

END_FRAMES: Final = 10
"""The last silence frames, which tell the decoder that the window ends; each frame costs time in every step."""

SHAPE_MULTIPLE: Final = 25
"""Excerpts are lengthened to multiples of so many frames: the matrix kernels are compiled and kept for each shape."""

TOKENS_PER_SECOND: Final = 15
BYTE_SPELLED_TOKENS_PER_SECOND: Final = 35
"""More than anybody speaks, which keeps a runaway decode short; the second for `BYTE_SPELLED_LANGUAGES`."""

# fmt: off
BYTE_SPELLED_LANGUAGES: Final = frozenset({
    "am", "as", "bn", "bo", "gu", "hi", "hy", "ka", "km", "kn", "lo", "ml", "mr", "my", "ne", "pa", "sa", "si", "ta",
    "te", "th", "yi",
})
# fmt: on
"""Languages whose script Whisper's vocabulary spells byte by byte."""

MAX_LENGTH: Final = 448
MAX_TOKENS: Final = MAX_LENGTH // 2

Encoding = NDArray[Any]
"""Encoder output, shape (frames, model dimension), in the precision the model computes in."""


@dataclass(frozen=True, slots=True)
class DecodeState:
    """One request on its way through the model."""

    request: TranscriptionRequest
    encoding: Encoding
    language: str
    prompt: list[int]
    timestamps: bool
    best: Draft | None = None
    """Of what was written down so far."""
    step: int = 0
    """Which of the request's temperatures is next."""
    prefix: Hypothesis | None = None
    """What was said before this excerpt, where it is the rest of one."""
    start: int = 0
    """Samples before the rest."""

    @property
    def frames(self) -> int:
        """How many have sound in them."""
        return frames_of(self.request.samples)

    def truncated_to(self, frames: int) -> "DecodeState":
        """The same, of which only so many frames are written down; they were heard with what follows them."""
        return replace(self, request=replace(self.request, samples=self.request.samples[: frames * FRAME]))

    @property
    def max_tokens(self) -> int:
        """More tokens than this are a runaway."""
        rate = BYTE_SPELLED_TOKENS_PER_SECOND if self.language in BYTE_SPELLED_LANGUAGES else TOKENS_PER_SECOND
        return min(MAX_TOKENS, rate * (1 + self.frames * FRAME // SAMPLE_RATE))

    @property
    def memory(self) -> int:
        """Frames that the decoder's memory of this excerpt has before its ending."""
        return padded_length(self.encoding) if self.timestamps else min_length(self.encoding)


def padded(request: TranscriptionRequest) -> Samples:
    """The audio of a request with the silence to encode behind it, in whole frames, at most the full window."""
    padding = (HURRIED_PADDING if request.under_load else FINAL_PADDING) if request.final else PADDING
    return _window(request.samples, frames_of(request.samples) + padding)


def second_window(request: TranscriptionRequest) -> Samples:
    """The same for a second look, which is wider; the full window where the decoding is to be thorough."""
    if request.decoding.thorough:
        return _window(request.samples, FULL_WINDOW_FRAMES)
    return _window(request.samples, max(SECOND_WINDOW, frames_of(request.samples) + SECOND_PADDING))


def _window(samples: Samples, frames: int) -> Samples:
    """Samples and silence, `frames` or a little more."""
    window = np.zeros(min(FULL_WINDOW_FRAMES, frames + -frames % SHAPE_MULTIPLE) * FRAME, np.float32)
    window[: len(samples)] = samples[: len(window)]
    return window


def frames_of(samples: Samples) -> int:
    """How many frames samples fill, at most the full window."""
    return min(FULL_WINDOW_FRAMES, -(-len(samples) // FRAME))


def min_length(encoding: Encoding) -> int:
    """Frames before the ending of the decoder's memory, at least."""
    return min(FULL_WINDOW_FRAMES, len(encoding) + MIN_TAIL)


def padded_length(encoding: Encoding) -> int:
    """The same, lengthened so that excerpts of different lengths share a batch."""
    frames = min_length(encoding)
    return min(FULL_WINDOW_FRAMES, frames + -frames % LENGTH_BUCKET)


def batches(states: Sequence[DecodeState]) -> list[list[int]]:
    """Indices of excerpts that can be decoded together."""
    alike: dict[tuple[int | None, int, int, DecodingOptions], list[int]] = {}
    for index, state in enumerate(states):
        length = state.memory if state.timestamps else None  # of any length
        key = (length, len(state.prompt), state.step, state.request.decoding)
        alike.setdefault(key, []).append(index)
    return list(alike.values())


def with_silence(encoding: Encoding, silence: Encoding, frames: int) -> Encoding:
    """What the decoder attends to: an encoding, lengthened to `frames` with the encoded `silence`, and the ending."""
    tail = silence[len(encoding) : frames]
    ending = silence[max(len(encoding) + len(tail), FULL_WINDOW_FRAMES - END_FRAMES) :]
    return np.concatenate([encoding, tail, ending])
