"""Which of the languages that a voice speaks a text is in, by its script and its commonest words."""

import re
from collections.abc import Collection
from typing import Final

_HAN: Final = re.compile("[\u3400-\u9fff]")
_DEVANAGARI: Final = re.compile("[\u0900-\u097f]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SAMPLE: Final = 400
"""Characters at the beginning of a text that decide."""

FOREIGN_WORDS: Final = 3
"""Different common words that a text must have more of another language to be in that: "No, no!" is Spanish, too."""

_COMMON: Final = {
    "en": "the of and to in is it that for on with as was are at be this have from you i we he she not but by an or",
    "de": "der die das und ist nicht ein eine einen dem den des zu mit auf für von im am es sind wir sie er ich uhr"
    " kostet wird auch bei nach um aus hat haben werden wie",
    "fr": "le la les et est un une des du de à en que qui dans pour sur pas au ce il elle nous vous je avec sont a ça"
    " coûte par plus se ne",
    "es": "el la los las y es un una de del en que por para con no se su al lo como más son está cuesta a tiene hay"
    " muy",
    "it": "il lo la i gli le di del della che è un una per non con sono si al come più anche ma ha ho questo molto nel",
    "pt": "o a os as de do da que e é um uma para não com são se no na mais como mas foi está muito você eu isso ao em",
}
"""Frequent words of each language."""

_WORDS: Final = {language: frozenset(words.split()) for language, words in _COMMON.items()}


def language_of(text: str, languages: Collection[str], own: str = "") -> str:
    """Return the language among those of a voice, its codes of ISO 639.

    A voice of unknown languages, none, is asked to speak what the text is in. English, or else the first language, is
    the answer where nothing speaks for another. Where the voice has one language of its `own`, and speaks the others
    as a foreigner, that is the answer unless the script, or `FOREIGN_WORDS` of a text, speak for another.
    """
    candidates = tuple(languages) or ("en", "zh", *_WORDS)
    if len(candidates) == 1:
        return candidates[0]
    sample = text[:_SAMPLE]
    if _HAN.search(sample) and not {"zh", "yue"}.isdisjoint(candidates):
        return "zh"
    if "hi" in candidates and _DEVANAGARI.search(sample):
        return "hi"
    words = {word.lower() for word in _WORD.findall(sample)}
    scores = {
        language: sum(word in _WORDS[language] for word in words) for language in candidates if language in _WORDS
    }
    best = max(scores, key=scores.__getitem__, default=candidates[0])
    if own:
        return best if scores.get(best, 0) >= scores.get(own, 0) + FOREIGN_WORDS else own
    return (
        best if scores.get(best) else next((each for each in ("en", *candidates) if each in candidates), candidates[0])
    )
