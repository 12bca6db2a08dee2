"""What was said: words, hypotheses, and what is asked of a recognizer."""

import unicodedata
from dataclasses import dataclass, field, replace

from realtime.audio import SAMPLE_RATE, Samples


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the recognizer writes it, with its leading space and trailing punctuation.

    `start` and `end` are samples at 16 kHz; both are zero where word times were not asked for.
    """

    text: str
    start: int
    end: int
    probability: float

    def shifted(self, samples: int) -> "Word":
        return replace(self, start=self.start + samples, end=self.end + samples)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the recognizer believes was said, and the evidence that anything was said at all.

    `language` is a Whisper language code. `no_speech_probability` is Whisper's, `average_log_probability` is per token,
    `compression_ratio` is that of the text under zlib (repetition shows as a high one); see Radford et al. (2022), 4.5.
    `tokens` are the text tokens. Word times count from the start of the request's samples.
    """

    words: tuple[Word, ...]
    language: str
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 1.0
    tokens: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """Audio to transcribe: at most 30 s of mono samples at 16 kHz.

    `language` None means detect it. `prompt` is text that came before or words to expect. `final` asks for the best
    answer rather than the cheapest; `word_times` for times and probabilities of the words; `translate` for English.
    """

    samples: Samples = field(repr=False)
    language: str | None = None
    prompt: str = field(default="", repr=False)
    final: bool = True
    word_times: bool = False
    translate: bool = False

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
