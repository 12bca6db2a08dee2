"""Greedy generation that verifies text it expects in one pass, instead of writing it again token by token.

The text of a partial mostly begins like the one before, and that of a final like the last partial. All tokens of such
an expected text are fed at once; those that the decoder would have chosen are accepted, up to the first that differs,
and generation goes on from there: speculative decoding (Leviathan, Kalman and Matias, "Fast Inference from Transformers
via Speculative Decoding", 2023) with the earlier hypothesis as the draft. The result is that of greedy generation, but
where two tokens are equally likely up to rounding. CTranslate2 cannot do it: it takes a prefix token by token.

Requests of a batch may differ in every length: what is not theirs is masked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from realtime.engines.whisper.batch_state import MASKED, BatchState
from realtime.engines.whisper.logits import Logits
from realtime.engines.whisper.silence_tail import SilenceTail, frames_axis
from realtime.engines.whisper.stored_weights import StoredWeights
from realtime.engines.whisper.token_choice import SpecialTokens, TokenChoice
from realtime.engines.whisper.token_times import ATTENTION, token_boundaries
from realtime.engines.whisper.windows import Encoding

MAX_RETRIED: Final = 8
"""Tokens of the expected text that are tried again behind one that differed."""

MAX_MISSES: Final = 3
"""Tokens that may differ until nothing more is expected, which bounds what is fed in vain."""

MAX_SKIPPED: Final = 2
"""Expected tokens that the text may lack at once for those behind them to be tried again."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is generated for one request."""

    encoding: Encoding
    memory_frames: int
    """Of the decoder memory without the end frames; those behind the encoding are silence (`windows`)."""
    prompt: Sequence[int]
    """All tokens before the text."""
    expected: Sequence[int]
    """Tokens that the text probably begins with; where they are wrong they only cost time."""
    max_tokens: int
    audio_frames: int
    """Of the audio, 20 ms each. A timestamp from there on, behind text, ends the text."""
    timed: bool = False
    """Whether the times of the tokens are wanted, as far as the model has heads for them."""


@dataclass(slots=True)
class Generated:
    """The tokens generated for one request, timestamps among them, without the end token."""

    tokens: list[int] = field(default_factory=list)
    log_probability: float = 0.0
    """Of all tokens together, and of the end token if the text ended with one."""
    no_speech_probability: float = 0.0
    probabilities: list[float] = field(default_factory=list)
    """Of each token; empty where that is not known."""
    boundaries: list[int] = field(default_factory=list)
    """The frame in which each token begins, and the one in which the last ends; empty where that is not known."""


@dataclass(slots=True)
class _Row:
    """An excerpt on its way: `fed` are the tokens to feed next, of which the last `guessed` may be wrong."""

    excerpt: Excerpt
    fed: list[int]
    guessed: int
    rest: list[int]
    """Expected tokens that have not been generated yet, first those guessed."""
    position: int = 0
    """Number of tokens that were fed and are right."""
    misses: int = 0
    """How often a token was not the expected one."""
    attention: list[NDArray[np.float32]] = field(default_factory=list)
    """Of the tokens that are right, for each pass, if times are wanted: (alignment heads, tokens, frames of audio)."""
    generated: Generated = field(default_factory=Generated)
    done: bool = False

    @property
    def is_timed(self) -> bool:
        """Whether times are wanted, and there is audio for them."""
        return self.excerpt.timed and self.excerpt.audio_frames > 0


class SpeculativeDecoder:
    """The decoder of a Whisper model for greedy generation on a CPU."""

    def __init__(
        self,
        memory: onnxruntime.InferenceSession,
        decoder: onnxruntime.InferenceSession,
        projection: onnxruntime.InferenceSession,
        cache_shape: tuple[int, int, int],
        weights: StoredWeights,
        special: SpecialTokens,
        silence: Encoding,
    ) -> None:
        """Generate with the graphs of `decoder_graph`; `weights` have the embeddings, `silence` fills a window.

        `cache_shape` has the numbers of caches, of heads, and of dimensions of a head. Raises `EngineError`, and
        `IndexError` for special tokens that the model does not have.
        """
        self._memory, self._decoder, self._projection = memory, decoder, projection
        self._cache_shape = cache_shape
        self._weights, self._special = weights, special
        self._tail = SilenceTail(memory, silence)
        self._has_attention = ATTENTION in (each.name for each in decoder.get_outputs())
        self._positions = weights.float32("decoder/position_encodings/encodings")
        self._choice = TokenChoice(special, weights.shape("decoder/embeddings/weight")[0])

    def close(self) -> None:
        """Close the file of the weights."""
        self._weights.close()

    def generate(self, excerpts: Sequence[Excerpt]) -> list[Generated]:
        """Generate the text of excerpts as one batch."""
        rows = [
            _Row(each, [*each.prompt, *each.expected], len(each.expected), list(each.expected)) for each in excerpts
        ]
        batch = BatchState(*self._attended(excerpts), *self._cache_shape)
        alive = list(rows)
        while alive:
            self._step(batch, alive)
            for index in reversed(range(len(alive))):
                if alive[index].done:
                    batch.drop(index)
                    alive[index] = alive[-1]
                    alive.pop()
        return [self._finished(row) for row in rows]

    def _finished(self, row: _Row) -> Generated:
        """Return what was generated, with the times of the tokens if they are wanted and all of them were fed."""
        generated, prompt = row.generated, list(row.excerpt.prompt)
        if row.attention and row.position == len(prompt) + len(generated.tokens):
            start = prompt.index(self._special.start)
            attention = np.concatenate(row.attention, axis=1)[:, start:]
            generated.boundaries = token_boundaries(attention, len(prompt) - start)
        return generated

    def _attended(self, excerpts: Sequence[Excerpt]) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Return the inputs of the graph that each excerpt has of its memory, and those that all of them share."""
        memories, tails = zip(*(self._tail.divide(each.encoding, each.memory_frames) for each in excerpts), strict=True)
        longest = max(map(len, memories))
        names = [each.name for each in self._memory.get_outputs()]
        own: dict[str, NDArray[Any]] = {}
        for row, memory in enumerate(memories):
            for name, values in zip(names, self._memory.run(names, {"memory": memory}), strict=True):
                axis = frames_axis(name)
                if row == 0:
                    shape = [len(memories), *values.shape[1:]]
                    shape[axis] = longest
                    own[name] = np.zeros(shape, np.float32)
                np.moveaxis(own[name], axis, 0)[: len(memory), row] = np.moveaxis(values, axis, 0)[:, 0]
        shared, seen = self._tail.shared(tails)
        shared["memory_parts"] = np.array([longest, seen.shape[1]])
        filled = np.arange(longest) < np.array([len(each) for each in memories])[:, None]
        mask = np.where(np.concatenate([filled, seen], axis=1), np.float32(0), np.float32(MASKED))
        own["memory_mask"] = mask[:, None, None]
        return own, shared

    def _step(self, batch: BatchState, rows: Sequence[_Row]) -> None:
        """Feed the next tokens of all rows, and take over what is generated for them."""
        ends = np.cumsum([len(row.fed) for row in rows])
        wanted: list[int] = []
        for row, end in zip(rows, ends.tolist(), strict=True):
            if row.position == 0:
                wanted.append(end - len(row.fed) + row.fed.index(self._special.start))
            wanted += range(end - row.guessed - 1, end)
        logits, attention = self._run(batch, rows, np.array(wanted))
        place = 0
        for index, row in enumerate(rows):
            if row.position == 0:
                row.generated.no_speech_probability = self._choice.no_speech_probability(logits[place])
                place += 1
            right = self._take(row, logits, place)
            place += row.guessed + 1
            fed = len(row.fed) - row.guessed + right
            batch.show(index, fed)
            row.position += fed
            if attention is not None and row.is_timed:
                row.attention.append(attention[index, :, :fed, : row.excerpt.audio_frames].copy())
            if not row.done:
                self._expect(row)

    def _take(self, row: _Row, logits: Logits, first: int) -> int:
        """Append the tokens that follow, with logits from the `first` place on; return how many guesses are right."""
        generated, guesses = row.generated, row.fed[len(row.fed) - row.guessed :]
        for right, guess in enumerate([*guesses, None]):
            token, log_probability = self._choice.choose(logits[first + right], generated.tokens, row.excerpt.prompt)
            generated.log_probability += log_probability
            if token == self._special.end:
                row.done = True
                return right
            generated.tokens.append(token)
            generated.probabilities.append(math.exp(log_probability))
            if self._ends(token, row) or len(generated.tokens) == row.excerpt.max_tokens:
                row.done = True
                return right
            if token != guess:
                return right
            del row.rest[:1]
        raise AssertionError  # the last guess is None, which no token is

    def _ends(self, token: int, row: _Row) -> bool:
        """Whether a token is a timestamp behind the audio and behind text: what follows has not been said."""
        first = self._special.timestamps
        return token >= first + row.excerpt.audio_frames and any(each < first for each in row.generated.tokens)

    def _expect(self, row: _Row) -> None:
        """Decide what to feed next: the newest token, which was no guess, and what probably follows it."""
        newest, rest, guesses = row.generated.tokens[-1], row.rest, MAX_RETRIED
        if rest and newest == rest[0]:  # it was expected, but not tried
            rest = rest[1:]
        elif row.misses == MAX_MISSES:
            rest = []
        elif newest >= self._special.timestamps:
            row.misses, guesses = row.misses + 1, len(rest) + 1
            if rest and rest[0] >= self._special.timestamps:
                rest = rest[1:]  # another time was expected
            elif len(row.generated.tokens) > 1 and row.generated.tokens[-2] < self._special.timestamps:
                rest = [newest, *rest]  # the next sentence begins when this one ends
        else:  # expected tokens are missing before it, or it stands for one of them
            row.misses += 1
            skipped = rest[: MAX_SKIPPED + 1]
            rest = rest[skipped.index(newest) + 1 if newest in skipped else 1 :]
        row.rest, row.fed = rest, [newest, *rest[:guesses]]
        row.guessed = len(row.fed) - 1

    def _embedded(self, row: _Row) -> NDArray[np.float32]:
        """Return the embeddings of the tokens to feed, with those of their positions."""
        tokens = [self._weights.rows("decoder/embeddings/weight", token, token + 1)[0] for token in row.fed]
        return np.stack(tokens) + self._positions[row.position : row.position + len(row.fed)]

    def _run(
        self, batch: BatchState, rows: Sequence[_Row], wanted: NDArray[np.int64]
    ) -> tuple[Logits, NDArray[np.float32] | None]:
        """Return the logits of the wanted tokens to feed, and the attention if there are alignment heads.

        Add the keys and values of all tokens to the batch.
        """
        lengths = np.array([len(row.fed) for row in rows])
        slots = np.arange(lengths.max())
        filled = slots < lengths[:, None]
        inputs = {
            "tokens": np.concatenate([self._embedded(row) for row in rows]),
            "places": np.where(filled, (np.cumsum(lengths) - lengths)[:, None] + slots, 0),
            "unpadded": np.flatnonzero(filled),
            "wanted": wanted,
            "mask": batch.extended(len(slots)),
        }
        states, *batch.cache = self._decoder.run(None, inputs | batch.inputs)
        attention = batch.cache.pop() if self._has_attention else None
        return Logits(self._projection, states), attention
