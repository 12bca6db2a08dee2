"""Full stops that end no sentence: those of abbreviations, initials and ordinals, in text of many languages.

Published lists do not suit: CLDR's suppressions have common words (the English `up.`, the German `so.`), and sentencex
and pySBD cut 26 and 40 of 59 sentences with abbreviations in 21 languages. So most abbreviations are known by their
form, which is the same in all languages, and the lists have what the form does not tell.
"""

import re
from typing import Final

_COMMON: Final = re.compile(
    r"""
      (?i: adm | approx | ave | blvd | capt | cf | col | corp | dept | dr | esq | est | etc | gen | gov | hon | inc | jr
         | lt | ltd | maj | messrs | mrs? | ms | mt | pres | prof | rep | rev | sen | sgt | sr | st | viz | vs
         | bzw | dra | hr | inkl | mlle | mme | nr | sra | srta )   # German, French, Spanish, Portuguese
    | (?: [^\W\d_]{1,2} \. )+ [^\W\d_]{1,3}                     # e.g, U.S, Ph.D, f.eks
    | al                                                        # et al.
    | [A-HJ-Z]                                                  # an initial, not the pronoun
    """,
    re.VERBOSE,
)
_BEFORE_NUMBER: Final = re.compile(
    r"(?i:abs|apr|apt|art|aug|bd|ca|cap|ch|d|dec|eq|ext|feb|figs?|ft|jan|jul|jun|kap|mar|max|min|nos?|nov|núm|oct|pág|pp?"
    r"|sec|sept?|tel|ver|vols?|кв|д|рис|стр)"
)
_BEFORE_NUMERAL: Final = re.compile(r"(?i:ch|fig|vol)")

_LETTER: Final = re.compile(r"[^\W\d_]")
_NOT_INITIALS: Final = frozenset("Iéàòяі")
"""Letters that are words with which a sentence may end."""

_WITHOUT_VOWELS: Final = re.compile(
    r"(?!.*(.)\1)(?:[bcčdfghjklmnñpqrsštvwxzžśźż]{2,5}|[бвгджзйклмнпрстфхцчшщ]{2,5})", re.IGNORECASE
)
"""Consonants only, none doubled as in `hmm`: abbreviations such as `Dhr`, `tzw`, `млн`."""

_INTERJECTIONS: Final = frozenset({"hm", "mhm", "pst", "tsk"})

_SYLLABIC: Final = frozenset({"bs", "cs", "hr", "mk", "sk", "sl", "sr"})
"""Languages that have words without vowels, with `r` or `l` instead (`prst`, `vlk`)."""

_ORDINALS: Final = frozenset(
    {"bs", "cs", "da", "de", "et", "fi", "fo", "hr", "hu", "is", "lb", "lv", "nn", "no", "pl", "sk", "sl", "sr", "tr"}
)
"""Languages in which a stop makes a number an ordinal: "3. Oktober", "Friedrich II."."""

_NUMBER: Final = re.compile(r"\d{1,2}|[IVX]{1,5}")

_ELIDED: Final = frozenset({"ca", "fr", "it"})
"""Languages in which an article may stand before a word without a space ("l'ing.")."""

_WORDS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "ca": "av dra núm pàg prof sra",
        "cs": "bc doc ing judr mgr mudr nám např phdr prof resp rndr sv tzv ul č",
        "da": "ca fr kl tel",
        "de": "allg betr ca dipl ehem evtl fa fr geb gest ggf hrn ing inkl mio sog tel vgl zzgl",
        "el": "αρ δρ κα κκ σελ",
        "es": "aa arq av avda dña ee excma excmo ff gral ilmo ing lic pág tel ud uds uu vd vds",
        "fi": "esim nk prof puh tri",
        "fr": "av bd env me mes mgr mm",
        "hr": "gđa npr prof sv tj tzv ul",
        "hu": "id ifj pl stb özv ún",
        "it": "arch avv dott egr geom ing pag proff rag sig sigg spett",
        "nl": "bijv blz drs ing ir mevr mw resp zgn",
        "no": "ca fr kl tel",
        "pl": "al gen hab im inż mgr np pl prof tj tzn tzw ul św",
        "pt": "av eng exma exmo ltda profa pág tel",
        "ro": "av bd dl dna ing prof str",
        "ru": "акад кв обл пер просп проф пр руб св стр тыс ул",
        "sk": "bc doc ing judr mgr mudr nám napr prof resp sv tzv ul č",
        "sv": "ca ing kl resp tel",
        "tr": "av cad doç mah müh prof sn sok vb yrd örn öğr",
        "uk": "акад вул обл пров просп проф стор тис",
    }.items()
}
"""Abbreviations with vowels by language, mostly titles, streets and the like; none is a word that ends sentences."""


def is_abbreviated(before: str, following: str, language: str | None = None) -> bool:
    """Return whether a full stop after `before` belongs to an abbreviation or to the number of a list item.

    `before` is the text of the sentence until the stop, `following` the first character of the next word. With a
    `language`, what is an abbreviation or an ordinal only there counts too, and so does a small letter that follows.
    """
    word = before.split()[-1].lstrip("([{\"'“‘«*_")
    if word.isdecimal() and word == before.strip():
        return True
    if following.isdecimal() and _BEFORE_NUMBER.fullmatch(word):
        return True
    if following in "IVXLC" and _BEFORE_NUMERAL.fullmatch(word):
        return True
    if language is None or _COMMON.fullmatch(word):
        return not word.isdecimal() and _COMMON.fullmatch(word) is not None
    return following.islower() or _is_abbreviation(word, language)


def _is_abbreviation(word: str, language: str) -> bool:
    """Return whether a word followed by a stop is an abbreviation or an ordinal of the language, by form or by list."""
    if _LETTER.fullmatch(word):
        return word not in _NOT_INITIALS
    if _NUMBER.fullmatch(word):
        return language in _ORDINALS
    small = word.lower()
    if language in _ELIDED:
        small = small.replace("’", "'").rpartition("'")[2]
    if small in _WORDS.get(language, ()) or (language == "de" and small.endswith("str")):
        return True
    acronym = word.isupper() and len(word) > 1
    syllabic = language in _SYLLABIC and not {"l", "r", "р", "л"}.isdisjoint(small)
    return not (acronym or syllabic or small in _INTERJECTIONS) and _WITHOUT_VOWELS.fullmatch(word) is not None
