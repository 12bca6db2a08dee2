"""From words to the phonemes that Kokoro was trained with, which are those of misaki, by language.

English is read by hibari's converter, which has misaki's lexicons without its spaCy; Chinese by misaki itself
(https://github.com/hexgrad/misaki); Spanish, French, Hindi, Italian and Portuguese by espeak-ng, which misaki uses for
them too, from the package piper-tts. That one is GPL-3.0-or-later, and imported only for these languages.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from realtime.catalogue.kokoro import KOKORO_LANGUAGES, kokoro_language
from realtime.errors import UnusableModel
from realtime.weights.kokoro import voice_files

_SYMBOLS: Final = (
    (1, ";:,.!?"), (9, "—…\"()“” \u0303ʣʥʦʨᵝꭧAI"), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"), (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ"),
    (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"), (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"),
    (142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip

VOCABULARY: Final = {symbol: first + place for first, symbols in _SYMBOLS for place, symbol in enumerate(symbols)}
"""The number of each phoneme and sign that Kokoro v1.0 knows, as in the `config.json` of its release."""

_ESPEAK_VOICES: Final = {"es": "es", "fr": "fr", "hi": "hi", "it": "it", "pt": "pt-br"}

_ESPEAK_SPELLINGS: Final = {
    "a\u026a": "I", "a\u028a": "W", "e\u026a": "A", "o\u028a": "O", "ɔ\u026a": "Y", "dz": "ʣ", "dʒ": "ʤ", "ts": "ʦ",
    "tʃ": "ʧ", "c\u0327": "ç", "ʲ": "", "-": "",
}  # fmt: skip
"""Diphthongs and affricates, for each of which misaki has one letter."""

_LATIN: Final = re.compile(r"([A-Za-z][A-Za-z'’ .,-]*)")

Reader = Callable[[str], str]


def readable_languages() -> tuple[str, ...]:
    """Return the languages for which what reads them is installed."""
    packages = {"en": "hibari", "zh": "misaki"}
    return tuple(code for code in KOKORO_LANGUAGES if find_spec(packages.get(code, "piper")) is not None)


def readable_voices(directory: Path) -> dict[str, Path]:
    """Return the files of the voices in a directory whose languages can be read, by name, the default voice first.

    Raises `EngineError` if the archive of the voices is damaged, and `UnusableModel` if no voice can be used.
    """
    languages = readable_languages()
    voices = {name: path for name, path in voice_files(directory).items() if kokoro_language(name) in languages}
    if not voices:
        raise UnusableModel(
            "kokoro needs what reads texts: pip install -e '.[kokoro]' in the Vivavoce folder; see docs/voices.md.",
            param="model",
        )
    return voices


@lru_cache
def reader(language: str, *, british: bool = False) -> Reader:
    """Load what reads one of `readable_languages`; `british` is the accent of English."""
    if language == "en":
        return _english(british=british)
    return _chinese() if language == "zh" else _espeak(_ESPEAK_VOICES[language])


def tokens(phonemes: str) -> list[int]:
    """Return the numbers of the phonemes that the model knows; it was trained to do without the others."""
    return [VOCABULARY[symbol] for symbol in phonemes if symbol in VOCABULARY]


def _english(*, british: bool) -> Reader:
    from realtime.engines.hibari import load_reader, notation

    read = load_reader(british=british)
    return lambda text: read(notation(text), normalize_text=False)


def _espeak(voice: str) -> Reader:
    from piper.phonemize_espeak import EspeakPhonemizer

    espeak = EspeakPhonemizer()

    def read(text: str) -> str:
        phonemes = " ".join("".join(sentence) for sentence in espeak.phonemize(voice, text))
        for spelling, letter in _ESPEAK_SPELLINGS.items():
            phonemes = phonemes.replace(spelling, letter)
        return phonemes

    return read


def _chinese() -> Reader:
    """Return a reader of Chinese, for which misaki would take English words for phonemes."""
    import jieba
    from misaki.zh import ZHG2P

    jieba.setLogLevel("ERROR")
    chinese, english = ZHG2P(), _english(british=False)

    def read(text: str) -> str:
        pieces = _LATIN.split(text)
        return " ".join(
            english(piece) if place % 2 else chinese(piece)[0] for place, piece in enumerate(pieces) if piece.strip()
        )

    return read
