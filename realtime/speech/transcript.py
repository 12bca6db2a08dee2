"""What was said: words, hypotheses, and what is asked of a recognizer."""

import unicodedata
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Token:
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
    pieces: tuple[Token, ...] = field(default=(), repr=False, compare=False)

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


def normalised(text: str) -> str:
    """What a word says: its letters with their marks, digits and symbols, in lower case, and the sign of a number."""
    text = text.lower()
    return "".join(
        character
        for character, following in zip(text, text[1:] + " ", strict=True)
        if unicodedata.category(character)[0] in "LMNS" or (character == "-" and following.isdigit())
    )
