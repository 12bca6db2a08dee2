"""What was said: words, hypotheses, and what is asked of a recognizer."""

import unicodedata
from dataclasses import dataclass, field, replace

from realtime.audio import SAMPLE_RATE, Samples


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of the recognizer. `text` is UTF-8, or part of it: a character may take several tokens."""

    id: int
    text: bytes
    probability: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the recognizer writes it, with its leading space and trailing punctuation.

    `start` and `end` are samples at 16 kHz; both are zero where word times were not asked for, and so are the
    probabilities. `pieces` are the tokens it was written with, where the recognizer has such.
    """

    text: str
    start: int
    end: int
    probability: float
    pieces: tuple[Piece, ...] = field(default=(), repr=False, compare=False)

    def shifted(self, samples: int) -> "Word":
        return replace(self, start=self.start + samples, end=self.end + samples)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the recognizer believes was said, and the evidence that anything was said at all.

    `language` is a Whisper language code. `no_speech_probability` is Whisper's, `average_log_probability` is per token,
    `compression_ratio` is that of the text under zlib (repetition shows as a high one); see Radford et al. (2022), 4.5.
    `tokens` are the text tokens. Word times count from the start of the request's samples. `temperature` is the one at
    which this was decoded. `ended` is false of a text that was cut off, because it went on for longer than anybody
    speaks.
    """

    words: tuple[Word, ...]
    language: str
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 1.0
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    ended: bool = True

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)

    def followed_by(self, rest: "Hypothesis", start: int) -> "Hypothesis":
        """With what was said in the rest of the same audio, from the sample `start` on: as doubtful as the worse."""
        timed = any(word.end for word in rest.words)
        return replace(
            self,
            words=self.words + (tuple(word.shifted(start) for word in rest.words) if timed else rest.words),
            average_log_probability=min(self.average_log_probability, rest.average_log_probability),
            compression_ratio=max(self.compression_ratio, rest.compression_ratio),
            tokens=self.tokens + rest.tokens,
            temperature=max(self.temperature, rest.temperature),
            ended=self.ended and rest.ended,
        )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a hypothesis is doubted; the defaults are those of Radford et al. (2022), 4.5.

    More `no_speech` probability, less average `log_probability`, a higher `compression_ratio`.
    """

    no_speech: float = 0.6
    log_probability: float = -1.0
    compression_ratio: float = 2.4


@dataclass(frozen=True, slots=True)
class Decoding:
    """How to look for the most likely text.

    The next of `temperatures` is tried where what the one before gave is doubted by the `thresholds`; 0 is a search
    with `beam_size` and `patience`, more than that is the best of `best_of` samples. The penalties are CTranslate2's.
    """

    temperatures: tuple[float, ...] = (0.0,)
    beam_size: int = 1
    best_of: int = 1
    patience: float = 1.0
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    thresholds: Thresholds = Thresholds()
    thorough: bool = False
    """Whether the answer may take a little longer, to be a little better."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """Audio to transcribe: at most 30 s of mono samples at 16 kHz.

    `language` None means detect it, among `candidates` where there are any. `prompt` is text that came before,
    `hotwords` are words to expect. `final` asks for the best answer rather than the cheapest; `word_times` for times
    and probabilities of the words; `translate` for English. `hurried` says that others wait: the
    cheapest context will do, and an answer that is merely doubtful gets no second look, unless it leaves much unsaid.
    """

    samples: Samples = field(repr=False)
    language: str | None = None
    candidates: tuple[str, ...] = ()
    prompt: str = field(default="", repr=False)
    hotwords: str = field(default="", repr=False)
    final: bool = True
    word_times: bool = False
    translate: bool = False
    hurried: bool = False
    decoding: Decoding = Decoding()

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def normalised(text: str) -> str:
    """What a word says: its letters with their marks, digits and symbols, in lower case, and the sign of a number."""
    text = text.lower()
    return "".join(
        character
        for character, following in zip(text, text[1:] + " ", strict=True)
        if unicodedata.category(character)[0] in "LMNS" or (character == "-" and following.isdigit())
    )
