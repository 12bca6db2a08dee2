"""Speech from hibari, a small English synthesizer of whole sentences with its weights in the wheel."""

import copy
import logging
import math
import re
import unicodedata
from collections.abc import Iterator
from functools import partial
from typing import Final

import hibari
import numpy as np
from hibari.g2p import G2P
from hibari.voices import DEFAULT, VOICES, voice_path
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ENGLISH
from realtime.engines.chunks import in_chunks, without_leading_silence
from realtime.engines.hibari_tagger import PackedWeights
from realtime.engines.onnx import FAILED_RUN, UNUSABLE_MODEL
from realtime.errors import EngineError

logger = logging.getLogger(__name__)

FASTEST: Final = 1.0
"""The fastest speed at which hibari speaks itself.

Asked for 2.0 it speaks at 1.8 and whisper-base gets 8.0 % of the words wrong, of speech that is stretched to 2.0 1.1 %;
asked for 3.0 it speaks at 2.1. Slower speech is as well understood either way.
"""

_SINGLE_LETTERS: Final = re.compile(r"\b[A-Z](?: [A-Z])+\b")
"""Letters that are named one by one. hibari takes an "A" with blanks around it for the article."""

_LETTER_A: Final = re.compile(r"(?<=[\w,)] )A(?= [a-z0-9])|(?<=\()A(?=\))")
"""An "A" within a sentence, between words that are no title: "plan A failed", "section four A applies"."""

_NAME_OF_A: Final = "[A](/ˈA/)"
"""The letter with its phonemes, as hibari's lexicon has them."""

_WORDS: Final = {
    "JSON": "ʤˈAsᵊn", "YAML": "jˈæmᵊl", "WAV": "wˈAv", "CUDA": "kˈudə", "WASM": "wˈɑzəm", "CMOS": "sˈimˌɔs",
    "nginx": "ˈɛnʤən ˈɛks", "Nginx": "ˈɛnʤən ˈɛks", "IKEA": "Ikˈiə", "TOEFL": "tˈOfᵊl", "GAAP": "ɡˈæp",
}  # fmt: skip
"""Phonemes of names that are said as words, and that hibari spells or misreads."""

_WORD: Final = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")

KEPT_NOISE: Final = 2**19
"""Values of noise that are kept, in 2 MB: those of 5.4 s of speech."""

_READ_SCRIPTS: Final = ("LATIN", "GREEK")
"""How the Unicode names of letters begin that hibari has sounds for; it drops others or reads them one by one."""


class Hibari:
    """A `Synthesizer` for English on one CPU thread.

    hibari has rules of its own for numbers and abbreviations, which would read "The answer is no." as "number". They
    are not used: the text it gets is spoken text already.

    It has the voice of the wheel and those in hibari's cache, and downloads none. Text with nothing to pronounce yields
    no chunks. The same text yields the same samples.

    A third of the time that hibari takes from its network to samples goes into random numbers, the same for every
    sentence; those of usual sentences are drawn once.

    Concurrent syntheses are safe: everything is loaded at the start, hibari keeps no state between sentences, and an
    onnxruntime session may run in several threads.
    """

    capabilities = Capabilities(ENGLISH, speed=True, fastest=FASTEST)
    sample_rate: int = hibari.SAMPLE_RATE

    def __init__(self) -> None:
        """Load all voices. Raises `EngineError` if one cannot be loaded."""
        self._noise = Noise()
        self.voices = available_voices()
        try:
            accents = {VOICES[name]["british"] for name in self.voices}
            readers = {british: load_reader(british=british) for british in accents}
            self._speakers = {
                name: hibari.Hibari(
                    name, threads=1, g2p=partial(readers[VOICES[name]["british"]], normalize_text=False)
                )
                for name in self.voices
            }
        except (OSError, ValueError, *UNUSABLE_MODEL) as exc:
            raise EngineError("The hibari model could not be loaded.") from exc

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Yield each sentence in a chunk of 40 ms and further ones of 100 ms."""
        speaker = self._speakers[voice]
        if unread := _unread_letters(text):
            logger.warning("hibari cannot read %d of the %d characters of a phrase", unread, len(text))
        for sentence in speaker.split_sentences(notation(text)):
            samples = without_leading_silence(_speak(speaker, sentence, speed, self._noise), self.sample_rate)
            yield from in_chunks(samples, self.sample_rate)

    def close(self) -> None:
        self._speakers.clear()


def notation(text: str) -> str:
    """Write apostrophes, blanks and single letters as hibari's lexicon has them."""
    text = re.sub("[ \t\u00a0\u202f\u2009]+", " ", text.replace("’", "'"))
    text = _SINGLE_LETTERS.sub(lambda match: match[0].replace(" ", "."), text)
    text = _WORD.sub(lambda match: f"[{match[0]}](/{_WORDS[match[0]]}/)", text)
    return _LETTER_A.sub(_NAME_OF_A, text)


def _unread_letters(text: str) -> int:
    """Count the letters of scripts that hibari cannot read."""
    letters = () if text.isascii() else filter(str.isalpha, unicodedata.normalize("NFKC", text))
    return sum(not unicodedata.name(letter, "").startswith(_READ_SCRIPTS) for letter in letters)


def available_voices() -> tuple[str, ...]:
    """Return the voices that are on this machine, the default one first."""
    return tuple(sorted(filter(_is_available, VOICES), key=lambda name: name != DEFAULT))


def _is_available(voice: str) -> bool:
    try:
        voice_path(voice, download_missing=False)
    except FileNotFoundError:
        return False
    return True


def load_reader(*, british: bool) -> G2P:
    """Load the grapheme-to-phoneme converter, and its network for unknown words, which hibari would load later."""
    reader = G2P(british=british)
    reader.tagger.weights = PackedWeights(reader.tagger.weights)
    reader.oov  # noqa: B018
    return reader


class Noise:
    """What hibari needs of a random generator, beginning with the same seed whenever noise is drawn."""

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        self._kept = generator.standard_normal(KEPT_NOISE, dtype=np.float32)
        self._generator = generator
        """A generator that has drawn what is kept, of which copies draw what follows."""

    def standard_normal(self, shape: tuple[int, int], dtype: type[np.float32]) -> NDArray[np.float32]:
        """Return an array, which the caller may change, of what a new generator would draw."""
        noise = np.empty(math.prod(shape), dtype)
        kept = min(len(noise), KEPT_NOISE)
        noise[:kept] = self._kept[:kept]
        if kept < len(noise):
            noise[kept:] = copy.deepcopy(self._generator).standard_normal(len(noise) - kept, dtype)
        return noise.reshape(shape)


def _speak(speaker: hibari.Hibari, sentence: str, speed: float, noise: Noise) -> Samples:
    try:
        spoken = [
            speaker.from_ids(speaker.ids(phonemes), speed, noise)
            for phonemes in speaker.phonemize(sentence)
            if any(map(str.isalpha, phonemes))
        ]
    except (IndexError, ValueError) as exc:  # a number of more than 36 digits; digits like the bracketed nine, U+247C
        raise EngineError("hibari cannot read this text.") from exc
    except FAILED_RUN as exc:
        raise EngineError("hibari failed to speak.") from exc
    return np.concatenate(spoken) if spoken else np.empty(0, np.float32)
