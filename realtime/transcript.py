"""What was said: words, hypotheses, and which words of a growing hypothesis can be trusted.

`LocalAgreement` is the policy LocalAgreement-2 of Macháček, Dabre and Bojar, "Turning Whisper into Real-Time
Transcription System" (2023): a word is committed once two consecutive hypotheses agree on it and on all words before.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from realtime.audio import SAMPLE_RATE, Samples

MARKS: Final = ".,!?;:…。，、！？：；\"'”’)]}」』）-–— "
"""Marks that may follow a word."""


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


class LocalAgreement:
    """Which words of one utterance can be trusted, hypothesis after hypothesis.

    `update` takes hypotheses of the whole utterance so far, each longer than the last. Words are compared without case
    and punctuation; committed text is append-only: what `update` and `finish` return concatenates to what was said. A
    trailing mark of the newest committed word is held back until the word after it is committed, since a mark at the
    edge of the audio is a guess.
    """

    def __init__(self) -> None:
        self.committed: tuple[Word, ...] = ()
        self.tentative: tuple[Word, ...] = ()
        self._emitted = ""

    def update(self, words: Sequence[Word]) -> str:
        """Take a newer hypothesis; return the text that became certain, possibly empty."""
        known = self._respell(words)
        tail = tuple(words[known:])
        agreed = 0
        while agreed < min(len(tail), len(self.tentative)) and _same(tail[agreed], self.tentative[agreed]):
            agreed += 1
        self.tentative = tail[agreed:]
        self.committed += tail[:agreed]
        return self._emit(_text(self.committed).rstrip(MARKS)) if agreed else ""

    def finish(self, words: Sequence[Word]) -> "Completion":
        """Take the final pass over the utterance, which is authoritative.

        Where it agrees with all committed words, they stay as they were given out and the deltas add up to the text.
        Where it does not, its own text stands, and the last delta is what it has after them.
        """
        agrees = len(words) >= len(self.committed) and all(map(_same, self.committed, words))
        known = self._respell(words)
        self.tentative = ()
        if agrees:
            final = (*_spelled_as(self.committed, words), *words[known:])
            delta = self._emit(_text(final))
        else:
            final = tuple(words)
            delta = _text(words[known:])
        self.committed = final
        return Completion(_text(final), final, delta, corrected=not agrees)

    def split(self, words: Sequence[Word]) -> tuple["Completion", "LocalAgreement"]:
        """Take the final pass over the first part of an utterance that was cut, and begin the rest.

        Committed words after those the final pass has belong to the rest: they have been given out and are not again.
        """
        said = continuation(words, self.committed)
        first, after = self.committed[:said], self.committed[said:]
        rest = LocalAgreement()
        if not after:
            return self.finish(words), rest
        rest.committed = after
        rest._emitted = _text(after).rstrip(MARKS)
        agrees = len(first) == len(words) and all(map(_same, first, words))
        final = _spelled_as(first, words) if agrees else tuple(words)
        return Completion(_text(final), final, "", corrected=not agrees), rest

    def _respell(self, words: Sequence[Word]) -> int:
        """Give the last committed word the marks it has now; return how many of `words` are committed."""
        known = continuation(self.committed, words)
        if known and self.committed and _same(self.committed[-1], words[known - 1]):
            *before, last = self.committed
            marks = words[known - 1].text[len(words[known - 1].text.rstrip(MARKS)) :]
            self.committed = (*before, replace(last, text=last.text.rstrip(MARKS) + marks))
        return known

    def _emit(self, text: str) -> str:
        """What of `text`, which begins with all that was given out before, is new."""
        delta = text[len(self._emitted) :]
        self._emitted = text
        return delta


@dataclass(frozen=True, slots=True)
class Completion:
    """The final text of an utterance; `delta` is what of it had not been given out yet.

    `corrected` says that the final pass changed a committed word: then the deltas do not add up to `text`.
    """

    text: str
    words: tuple[Word, ...]
    delta: str
    corrected: bool


def continuation(committed: Sequence[Word], words: Sequence[Word]) -> int:
    """How many of `words` say what `committed` says: the prefix with the least edit distance, the longer on a tie."""
    if len(words) >= len(committed) and all(map(_same, committed, words)):
        return len(committed)
    # One row of the dynamic programme per committed word; distances[j] is that to words[:j].
    distances = list(range(len(words) + 1))
    newer = [normalised(word.text) for word in words]
    for row, old in enumerate((normalised(word.text) for word in committed), start=1):
        diagonal, distances[0] = distances[0], row
        for column, new in enumerate(newer, start=1):
            substituted = diagonal + (old != new)
            diagonal = distances[column]
            distances[column] = min(substituted, distances[column] + 1, distances[column - 1] + 1)
    return min(range(len(distances)), key=lambda column: (distances[column], -column))


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words)


def _spelled_as(committed: Sequence[Word], words: Sequence[Word]) -> tuple[Word, ...]:
    """The newer words with the text that was given out."""
    return tuple(replace(new, text=old.text) for old, new in zip(committed, words, strict=False))


def normalised(text: str) -> str:
    """What a word says: its letters with their marks, digits and symbols, in lower case, and the sign of a number."""
    text = text.lower()
    return "".join(
        character
        for character, following in zip(text, text[1:] + " ", strict=True)
        if unicodedata.category(character)[0] in "LMNS" or (character == "-" and following.isdigit())
    )


def _same(one: Word, other: Word) -> bool:
    return normalised(one.text) == normalised(other.text)
