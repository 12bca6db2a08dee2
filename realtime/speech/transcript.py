"""Transcripts: tokens, words and hypotheses."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final, TypeVar

LOOP: Final = re.compile(r"(.{1,12})\1{7,}+.{0,12}$", re.DOTALL)
"""Up to twelve characters eight times or more at the end of a text, the last time perhaps incomplete."""

LONGEST_PHRASE: Final = 60
MIN_REPEATED: Final = 40
"""Characters of the phrase that `runs_away` looks for, at most, and of what repeats it, at least."""

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class Token:
    """A text token of the recognizer. `text` is UTF-8 and may be part of a character, which may take several tokens."""

    id: int
    text: bytes
    probability: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the recognizer writes it, with leading space and trailing punctuation.

    `start` and `end` are samples at 16 kHz, zero if word times were not requested. `tokens` are those the word is made
    of, if the recognizer has tokens. `probability` is the mean of theirs, zero where it is not known.
    """

    text: str
    start: int
    end: int
    probability: float
    tokens: tuple[Token, ...] = field(default=(), repr=False, compare=False)

    def shifted(self, samples: int) -> "Word":
        """Return the word this much later."""
        return replace(self, start=self.start + samples, end=self.end + samples)

    def untimed(self) -> "Word":
        """Return the word without its times."""
        return replace(self, start=0, end=0)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The text that a recognizer decoded, with its evidence that it was said (Radford et al. 2022, section 4.5)."""

    words: tuple[Word, ...]
    """Words with times from the start of the request's samples."""
    language: str
    """Whisper's language code."""
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    """Average per token."""
    compression_ratio: float = 1.0
    """Length of the text by its length under zlib; high for text that repeats itself."""
    tokens: tuple[int, ...] = ()
    """Numbers of the text tokens."""
    temperature: float = 0.0
    """Temperature at which the text was decoded."""
    ended: bool = True
    """Whether the text came to an end, instead of being cut off at the length limit."""
    sound: int | None = None
    """Samples from the first sound of the audio to the last; None where it has too much speech to be measured."""
    sound_edges: float | None = None
    """Level in dB of its first or last 10 ms, the quieter of the two, relative to the loudest; None where unknown."""
    log_likelihood: float | None = None
    """Log-likelihood of the text given the audio, in nats; None if it was not determined."""
    log_likelihood_ratio: float | None = None
    """The same less the log-likelihood given silence.

    Text that the decoder finds as likely in silence has no evidence in the audio.
    """
    language_probability: float = 1.0
    """Probability of the language, 1 if it was given."""
    languages: Mapping[str, float] = field(default_factory=dict)
    """Probabilities of the likeliest languages by the audio alone, empty if the language was given."""
    stretch_languages: tuple[Mapping[str, float], ...] = ()
    """The same for each of the `stretches` of the request."""

    @property
    def text(self) -> str:
        """The words as one string, with the leading space of the first."""
        return "".join(word.text for word in self.words)

    def before_silence(self, samples: int) -> "Hypothesis":
        """Return the hypothesis for the audio without so many samples of silence at its start."""
        if not samples or not self._timed:
            return self
        words = (  # an end at 0 would say that the word has no times
            replace(each, start=max(0, each.start - samples), end=max(1, each.end - samples)) for each in self.words
        )
        return replace(self, words=tuple(words))

    @property
    def _timed(self) -> bool:
        """Whether the words have times."""
        return any(word.end for word in self.words)

    def shifted(self, samples: int) -> "Hypothesis":
        """Return the hypothesis with its words this much later, if they have times."""
        if not self._timed:
            return self
        return replace(self, words=tuple(word.shifted(samples) for word in self.words))

    def followed_by(self, rest: "Hypothesis", start: int) -> "Hypothesis":
        """Return this and the hypothesis for the rest of the same audio, from sample `start` on, as one.

        Of each figure it has the worse; log-likelihoods add up.
        """
        return replace(
            self,
            words=self.words + rest.shifted(start).words,
            average_log_probability=min(self.average_log_probability, rest.average_log_probability),
            compression_ratio=max(self.compression_ratio, rest.compression_ratio),
            sound=_sum(self.sound, rest.sound),
            sound_edges=None,
            log_likelihood=_sum(self.log_likelihood, rest.log_likelihood),
            log_likelihood_ratio=_sum(self.log_likelihood_ratio, rest.log_likelihood_ratio),
            tokens=self.tokens + rest.tokens,
            temperature=max(self.temperature, rest.temperature),
            ended=self.ended and rest.ended,
        )


def _sum(one: _Number | None, other: _Number | None) -> _Number | None:
    return None if one is None or other is None else one + other


def normalised(text: str) -> str:
    """Return a word in lower case without punctuation: letters with combining marks, digits, symbols, minus signs."""
    text = text.lower()
    return "".join(
        character
        for character, following in zip(text, text[1:] + " ", strict=False)
        if unicodedata.category(character)[0] in "LMNS" or (character == "-" and following.isdigit())
    )


def mostly_repeats(words: Sequence[Word]) -> bool:
    """Return whether at least half of the words are one phrase, said three times in a row or more."""
    plain = [normalised(word.text) for word in words]
    for length in range(1, len(plain) // 3 + 1):
        run = 0  # words that equal the one `length` words before
        for word, earlier in zip(plain[length:], plain, strict=False):
            run = run + 1 if word == earlier else 0
            if run >= 2 * length and 2 * (run + length) >= len(plain):
                return True
    return False


def ends_in_loop(text: str) -> bool:
    """Return whether at least half of the text is a few characters again and again, up to its end: "K.K.K.K.K.K.K."."""
    loop = LOOP.search(text)
    return loop is not None and 2 * len(loop.group()) >= len(text)


def runs_away(hypothesis: Hypothesis) -> bool:
    """Return whether decoding was stopped while it wrote a phrase for the fourth time or more."""
    text = hypothesis.text
    phrases = range(1, 0 if hypothesis.ended else 1 + min(LONGEST_PHRASE, len(text)))
    return any(_repeated(text, length) >= max(MIN_REPEATED, 3 * length) for length in phrases)


def _repeated(text: str, length: int) -> int:
    """Return how many characters at the end of a text equal those `length` characters before them."""
    pairs = zip(reversed(text), reversed(text[:-length]), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
