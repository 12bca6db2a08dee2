"""The window of audio that Whisper encodes, and the encoder frames that its decoder attends to.

Whisper was trained on windows of 30 s, and a frame of padding costs as much as a frame of speech. CTranslate2 accepts a
shorter window, but then the decoder sees neither silence nor the end of the window, and repeats itself without end. The
remedy has two parts:

- *Tail padding*: digital silence that is encoded behind the audio (`TAIL_PADDING`).
- *Silence tail*: encoder frames of a silent window, encoded once per model, that are appended to each encoding: at
  least `MIN_TAIL` of those that follow its position, and the last `END_FRAMES`.

The decoder memory of a request is its encoding with the silence tail. Its length depends on the request alone, so that
the answer does not depend on the batch. Only CTranslate2's decoder, whose batches need memories of one length, gives
each request that of the longest in the batch under load, because every frame costs time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.leveller import levelled
from realtime.engines.whisper.drafts import Draft
from realtime.engines.whisper.stretches import Split
from realtime.speech.recognition import DecodingOptions, TranscriptionRequest
from realtime.speech.transcript import Hypothesis

FRAME: Final = 320
"""Samples of one encoder frame: 20 ms, two mel frames."""

FULL_WINDOW_FRAMES: Final = 1500
"""Encoder frames of Whisper's full window of 30 s."""

TAIL_PADDING: Final = {
    (False, False): 25,  # partial
    (False, True): 25,  # partial, under load
    (True, False): 200,  # final
    (True, True): 50,  # final, under load
}
"""Frames of digital silence encoded behind the audio, by `final` and `under_load`: 0.5 s, 4 s and 1 s.

Word errors of finals on 75 clips of clean English: 8.1 % with 50 frames, 7.6 % with 200, 7.3 % with the full window.
"""

SECOND_WINDOW: Final = 600
"""Shortest window, in frames, of the second decode of live speech and of short speech: 12 s.

The encoder takes 0.15 s for 12 s and 0.9 s for the full window, which is no better: 7.7 % and 7.6 % of word errors on
those 75 clips. A single word is lost in the full window: of 36 digits by telephone, uploaded one by one, 16 have the
right text with 12 s and 8 with 30 s.
"""

SECOND_TAIL_PADDING: Final = 400
"""Least tail padding of that window, in frames: 8 s."""

MIN_TAIL: Final = 50
"""Fewest frames of the silence tail between an encoding and the end frames."""

LENGTH_BUCKET: Final = 400
"""Multiple of frames to which decoder memories are lengthened, so that requests of similar length share a batch.

Without timestamps, that is under load, requests of any length share a batch instead.
"""

END_FRAMES: Final = 10
"""The last frames of the silence tail, which show the decoder the end of the window; each costs time in every step."""

SHAPE_MULTIPLE: Final = 25
"""Multiple of frames to which windows are lengthened: matrix kernels are compiled and cached for each shape."""

TOKENS_PER_SECOND: Final = 15
"""Bound on the tokens per second of audio, faster than any speech, which ends a runaway decode."""

BYTE_SPELLED_TOKENS_PER_SECOND: Final = 35
"""The same bound for `BYTE_SPELLED_LANGUAGES`."""

# fmt: off
BYTE_SPELLED_LANGUAGES: Final = frozenset({
    "am", "as", "bn", "bo", "gu", "hi", "hy", "ka", "km", "kn", "lo", "ml", "mr", "my", "ne", "pa", "sa", "si", "ta",
    "te", "th", "yi",
})
# fmt: on
"""Languages in whose scripts a character takes several tokens of Whisper's byte-level vocabulary."""

MAX_LENGTH: Final = 448
"""Positions of Whisper's decoder: prompt and text together."""

MAX_TOKENS: Final = MAX_LENGTH // 2
"""Text tokens of one window at most, as in OpenAI's implementation."""

Encoding = NDArray[Any]
"""Encoder output, shape (frames, model dimension), in the precision the model computes in."""


@dataclass(frozen=True, slots=True)
class DecodeState:
    """The decode state of one request, between its encoding and its hypothesis."""

    request: TranscriptionRequest
    encoding: Encoding
    language: str
    task: list[int]
    """The tokens after which the text begins: start of transcript, language and task."""
    timestamps: bool
    context: list[int] = field(default_factory=list)
    """The tokens of the text before the audio, which precede `task`, and of terms to expect; empty without either."""
    language_probability: float = 1.0
    """Probability of the language; 1 if it was given."""
    languages: Mapping[str, float] = field(default_factory=dict)
    """Probabilities of the languages by the audio alone."""
    stretch_languages: tuple[Mapping[str, float], ...] = ()
    """The same for each of the `stretches` of the request."""
    unbiased: Draft | None = None
    """The draft without the terms to expect, because of which `context` has them."""
    echo: Draft | None = None
    """The draft of the same audio that repeats the context, because of which this state has none."""
    foreign_scripts: frozenset[str] = frozenset()
    """Scripts whose letters are suppressed, because a draft had some although the language is not written in them."""
    best: Draft | None = None
    """The best draft so far; None before the first decode."""
    step: int = 0
    """Index of the temperature to decode with next."""
    prefix: Hypothesis | None = None
    """Hypothesis of the audio before `start`, if this state decodes the remainder of a request."""
    start: int = 0
    """Samples of the request before this state's audio."""
    split: Split | None = None
    """The stretches of this state's audio, if they are decoded one by one; `request` has one of them then."""

    @property
    def prompt(self) -> list[int]:
        """The tokens before the text."""
        return [*self.context, *self.task]

    @property
    def is_greedy(self) -> bool:
        """Whether the most likely token is wanted each time, and none but those of the model are suppressed."""
        decoding = self.request.decoding
        plain = decoding.repetition_penalty == 1 and decoding.no_repeat_ngram_size == 0 and not self.foreign_scripts
        return plain and decoding.beam_size == 1 and decoding.temperatures[self.step] == 0

    @property
    def frames(self) -> int:
        """Frames of the audio, without padding."""
        return frames_of(self.request.samples)

    def truncated_to(self, frames: int) -> "DecodeState":
        """Return the state with the audio cut after `frames`; its encoding stays that of the whole audio."""
        return replace(self, request=self.request.part(0, frames * FRAME))

    @property
    def max_tokens(self) -> int:
        """Bound on the text tokens, from the length of the audio."""
        rate = BYTE_SPELLED_TOKENS_PER_SECOND if self.language in BYTE_SPELLED_LANGUAGES else TOKENS_PER_SECOND
        return min(MAX_TOKENS, rate * (1 + self.frames * FRAME // SAMPLE_RATE))

    @property
    def memory(self) -> int:
        """Encoder frames that the decoder attends to, without the end frames."""
        return padded_length(self.encoding) if self.timestamps else min_length(self.encoding)


def padded(request: TranscriptionRequest) -> Samples:
    """Return the audio of a request with its tail padding: whole frames, at most the full window."""
    padding = TAIL_PADDING[request.final, request.under_load]
    return _window(request, frames_of(request.samples) + padding)


def second_window(request: TranscriptionRequest) -> Samples:
    """Return the wider window for a second decode; the full window for longer speech, if decoding is to be thorough."""
    if request.decoding.thorough and not request.is_short:
        return _window(request, FULL_WINDOW_FRAMES)
    return _window(request, max(SECOND_WINDOW, frames_of(request.samples) + SECOND_TAIL_PADDING))


def _window(request: TranscriptionRequest, frames: int) -> Samples:
    """Return the audio, levelled if asked for and padded with silence to `frames`, rounded up to `SHAPE_MULTIPLE`."""
    window = np.zeros(min(FULL_WINDOW_FRAMES, frames + -frames % SHAPE_MULTIPLE) * FRAME, np.float32)
    samples = request.samples[: len(window)]
    window[: len(samples)] = levelled(samples) if request.raise_level else samples
    return window


def frames_of(samples: Samples) -> int:
    """Return the number of frames that samples fill, at most the full window."""
    return min(FULL_WINDOW_FRAMES, -(-len(samples) // FRAME))


def min_length(encoding: Encoding) -> int:
    """Return the fewest frames of a decoder memory, without the end frames."""
    return min(FULL_WINDOW_FRAMES, len(encoding) + MIN_TAIL)


def padded_length(encoding: Encoding) -> int:
    """Return the frames of a decoder memory, without the end frames, rounded up to `LENGTH_BUCKET`."""
    frames = min_length(encoding)
    return min(FULL_WINDOW_FRAMES, frames + -frames % LENGTH_BUCKET)


def batches(states: Sequence[DecodeState]) -> list[list[int]]:
    """Group the indices of states that can be decoded together."""
    alike: dict[tuple[int | None, int, int, DecodingOptions, frozenset[str]], list[int]] = {}
    for index, state in enumerate(states):
        length = state.memory if state.timestamps else None  # any length
        key = (length, len(state.prompt), state.step, state.request.decoding, state.foreign_scripts)
        alike.setdefault(key, []).append(index)
    return list(alike.values())


def with_silence(encoding: Encoding, silence: Encoding, frames: int) -> Encoding:
    """Return the decoder memory: an encoding, the encoded `silence` up to `frames`, and the end frames."""
    return np.concatenate([encoding, silence[silence_places(len(encoding), frames)]])


def silence_places(encoded: int, frames: int) -> NDArray[np.int64]:
    """Return which frames of silence follow an encoding in a memory of `frames`: up to there, and the end frames."""
    end = max(encoded, frames, FULL_WINDOW_FRAMES - END_FRAMES)
    return np.concatenate([np.arange(encoded, frames), np.arange(end, FULL_WINDOW_FRAMES)])
