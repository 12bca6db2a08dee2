"""The language of written text, by py3langid: naive Bayes over byte n-grams (Lui and Baldwin, 2012), 139 languages."""

import re
import unicodedata
from collections.abc import Collection
from lzma import LZMAError
from typing import Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from realtime.errors import EngineError

MAX_CHARACTERS: Final = 2_000
"""Characters of a text that are judged, from its start; a guess then takes less than a millisecond."""

MIN_WORDS: Final = 4
"""Words of the least text in Latin letters that is judged.

Fragments of English sentences that are taken for another language: 18 of 1,845 with two words, 4 of 1,332 with three,
none of 2,237 with four to six.
"""

MIN_PROBABILITY: Final = 0.3
"""Least probability of the language that is returned for text in Latin letters.

Relatives share the rest: with 0.5, 70 of 172 short Croatian texts and 233 of 332 Spanish ones (of Django's
translations, at least four words) are noticed instead of 146 and 303, and as many English ones: none of 640.
"""

MIN_PROBABILITY_BY_SCRIPT: Final = 0.1
"""The same for text in another script, which alone excludes most languages; less means that the model knows none."""

MAX_PROBABILITY_SPOKEN: Final = 0.1
"""Highest probability of the languages that the voice speaks.

Without this limit, 4 of the 2,237 English fragments of four to six words are taken for another language.
"""

MIN_PROBABILITY_SPOKEN: Final = 0.5
"""Least probability of the languages that the voice speaks with which the text is certainly in one of them.

It is reached by 469 of 620 English fragments of five words, and by none of 97 in German, French, Spanish, Italian,
Portuguese and Chinese; with 0.9, by 313 and none.
"""

MIN_SHARE: Final = 0.9
"""Least share of one of the languages among which to choose in the probability of all of them.

Of fragments of two words in English, German, French and Spanish, 50 % reach it, of those of four words 88 %, and 1 of
4,000 is taken for another of the four. With a share of 0.5 it is 88 % and 98 %, with 3.5 and 1 % wrong.
"""

MIN_PROBABILITY_AMONG: Final = 0.1
"""Least probability of all of these languages together.

Otherwise, 15 % of Dutch and 14 % of Polish fragments are taken for English, German or Spanish; with it, 2 % and none.
"""

_COUNTED_AS: Final = {"pcm": "en", "wuu": "zh", "yue": "zh", "jv": "jw"}
"""Whisper's codes for Nigerian Pidgin, which short English texts resemble, Wu, Cantonese and Javanese."""

_MIN_LETTERS: Final = 2
"""Letters of another script than Latin in the least text of that script: one alone may be a sign, as in 5 µs."""

_WORD: Final = re.compile(r"[^\W\d_]+")


class Py3LangId:
    """A `LanguageIdentifier` with the model of the wheel: loading takes 0.4 s of CPU time and 80 MB of memory."""

    def __init__(self) -> None:
        """Load the model. Raises `EngineError`."""
        try:
            self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        except (OSError, ValueError, EOFError, LZMAError) as exc:
            raise EngineError("The model of py3langid could not be loaded.") from exc

    def language(self, text: str, spoken: Collection[str]) -> str | None:
        start = text[:MAX_CHARACTERS]
        is_latin = _is_mostly_latin(start)
        if is_latin and len(_WORD.findall(start)) < MIN_WORDS:
            return None
        probabilities = self._probabilities(start)
        spoken_by_label = {_COUNTED_AS.get(code, code): code for code in spoken}
        probability_spoken = sum(probabilities.get(label, 0.0) for label in spoken_by_label)
        if probability_spoken > MAX_PROBABILITY_SPOKEN:
            certain = probability_spoken >= MIN_PROBABILITY_SPOKEN
            likeliest = max(spoken_by_label, key=lambda label: probabilities.get(label, 0.0))
            return spoken_by_label[likeliest] if certain else None
        best = max(probabilities, key=lambda language: probabilities[language])
        least = MIN_PROBABILITY if is_latin else MIN_PROBABILITY_BY_SCRIPT
        return best if probabilities[best] >= least and best not in spoken_by_label else None

    def among(self, text: str, languages: Collection[str]) -> str | None:
        probabilities = self._probabilities(text[:MAX_CHARACTERS])
        by_label: dict[str, str] = {}
        for code in languages:
            by_label.setdefault(_COUNTED_AS.get(code, code), code)
        shares = {label: probabilities.get(label, 0.0) for label in by_label}
        total, best = sum(shares.values()), max(shares, key=lambda label: shares[label])
        return by_label[best] if total >= MIN_PROBABILITY_AMONG and shares[best] >= MIN_SHARE * total else None

    def _probabilities(self, text: str) -> dict[str, float]:
        probabilities: dict[str, float] = {}
        for label, probability in self._identifier.rank(text):
            language = _COUNTED_AS.get(label, label)
            probabilities[language] = probabilities.get(language, 0.0) + probability
        return probabilities


def _is_mostly_latin(text: str) -> bool:
    """Whether the letters are Latin but for a few. A letter of an East Asian script is half a word or a whole one."""
    letters = [character for character in unicodedata.normalize("NFKC", text) if character.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    others = len(letters) - latin
    return 2 * others <= latin or others < _MIN_LETTERS
