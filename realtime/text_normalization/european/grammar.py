"""The grammar of written German, French and Spanish: points group thousands, a comma is the decimal point."""

import re
from functools import partial
from typing import Final
from unicodedata import normalize

from realtime.text_normalization.european.amounts import BEFORE, BLANK, MILLIONS, NUMBER, counted, plain, said
from realtime.text_normalization.european.dates_and_times import dates, times
from realtime.text_normalization.european.dictionary import begins_sentence
from realtime.text_normalization.european.fractions import fractions
from realtime.text_normalization.european.language import Language
from realtime.text_normalization.numerals import digit_by_digit, year
from realtime.text_normalization.rules import Rule, one_of

_ADDRESS_END: Final = r"(?<![.,;:!?'\"”’)\]}>*_])"
_NAMED: Final = {
    "de": "kapitel|teil|band|seite|satz|absatz|paragraf|gleis|nummer|version|platz|stufe|gruppe|klasse"
    "|zimmer|raum|linie|bus",
    "fr": "chapitre|tome|page|numéro|partie|acte|scène|article|niveau|ligne|chambre|salle|version|bus",
    "es": "capítulo|tomo|página|número|parte|acto|versión|artículo|nivel|línea|sala|habitación",
}
"""What a number names, and does not count what follows it."""

_END: Final = re.compile(r"[\"”»“’)]*(?:\s*$|\s*\n|\s+[A-ZÄÖÜÀÉÈÎÁÍÓÚ¿¡])")
_END_OF_LINE: Final = re.compile(r"[\"”»“’)]*(?:\s*$|[ \t]*\n)")
_PERIODS: Final = (
    "Monat|Tag|Jahr|Nacht|Person|Woche|Stunde|Stück|mois|jour|an|nuit|personne|semaine|heure|pièce|mes|día|año|noche|persona"
    "|semana|hora|unidad"
)
"""What a price is for."""

_NAMES_OF_MONEY: Final = "[Dd]ollars?|Euros?|Pfund|euros?|livres?|dólar(?:es)?|pesos?|libras?"
"""Currencies in words, with which the sign before the amount is not said: "$1.5 millones de pesos"."""

_OF: Final = {"de": "von", "fr": "de", "es": "de"}
"""Between a function and its arguments."""

_POSTAL_CODES: Final[dict[str, Rule]] = {
    "de": (re.compile(r"(?<=, )[0-9]{5}(?<!000)(?= [A-ZÄÖÜ][a-zäöüß])"), lambda match: digit_by_digit(match[0], "de")),
}
"""Rules for codes of five digits before a town that are not read as a number, as they are in French."""

_VERSION: Final = {"de": "Version", "fr": "version", "es": "versión"}
_NEXT_WORD: Final = re.compile(rf"{BLANK}([^\W\d_]+)")


def rules(language: Language) -> tuple[Rule, ...]:
    """Return the rules of a language in the order of their use."""
    return (
        (re.compile("[ᵃ-ᵿʰ-ʸ]+"), lambda match: normalize("NFKC", match[0])),  # Mᵐᵉ, 1.ᵉʳ
        (re.compile(r"(?<!\w)['’](?=[0-9]{2}(?![\w'’,.]*[0-9]))"), ""),  # '68
        (re.compile(r"(?<![\w.,])([0-9]{1,3}) ?€ ?([0-9]{2})(?![\w€%]|[.,][0-9])"), r"\1,\2 €"),  # 2 € 50
        *_addresses(language),
        *_abbreviations(language),
        *_international(language),
        *dates(language),
        *times(language),
        *_telephones(language),
        *_money(language),
        *_ordinals(language),
        *fractions(language),
        *_measures(language),
        *_numbers(language),
    )


def _addresses(language: Language) -> tuple[Rule, ...]:
    def named(match: re.Match[str]) -> str:
        parts = re.findall(r"[^\W\d_]+|[0-9]+|.", match[1].rstrip("/"))
        words = (part if part.isalnum() else language.marks.get(part, "") for part in parts)
        return " ".join(filter(None, words))

    return (
        (re.compile(rf"(?i)\b(?:https?|ftp)://([^\s<>\"|]+{_ADDRESS_END})"), named),
        (re.compile(rf"(?i)\b(www\.[^\s<>\"|]+{_ADDRESS_END})"), named),
        (re.compile(r"(?<![\w.+-])(?:mailto:)?([\w.+-]+@[\w-]+(?:\.[\w-]+)*)\b"), named),
        (re.compile(r"\bv(?=[0-9]+\.[0-9])"), f"{_VERSION[language.code]} "),
        (re.compile(r"(?<![\w.@/-])((?=[\w-]*[^\W\d_]{2})[\w-]+(?:\.[\w-]+)*\.[a-z]{2,5})(?!\w|\.\w)"), named),
        (re.compile(r"(?<![\w.])(?![0-9.]*(?:\.000|[3-9][0-9]{2}))((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?!\w|\.\w)"),
         lambda match: match[1].replace(".", f" {language.marks['.']} ")),
    )  # fmt: skip


def _abbreviations(language: Language) -> tuple[Rule, ...]:
    def ends_sentence(match: re.Match[str], can: bool) -> bool:
        end = _END if can else _END_OF_LINE
        return match[0].endswith(".") and end.match(match.string, match.end()) is not None

    def written_out(pattern: str, words: str, match: re.Match[str]) -> str:
        """Keep the stop where the sentence ends with the abbreviation, and a capital where one begins with it."""
        begins = pattern[0].islower() and match[0][0].isupper()
        if begins and not begins_sentence(match):
            return match[0]
        said = words[:1].upper() + words[1:] if begins else words
        return f"{said}." if ends_sentence(match, words in language.ending) else said

    return (
        *((re.compile(_with_limit(pattern, language.code)), partial(written_out, pattern, words))
          for pattern, words in language.abbreviations.items()),
        language.dictionary.rule(ends_sentence),
    )  # fmt: skip


def _with_limit(pattern: str, language: str) -> str:
    """Return the pattern of an abbreviation that begins a word, with a capital, too, where it may begin a sentence.

    Spanish has small letters in titles and addresses where others have capitals: "prof. Díaz".
    """
    first, rest = pattern[0], pattern[1:]
    if pattern.startswith("(?<="):
        return pattern
    if first != "z" and first.islower() and re.match(r"\\\.(?>(?: \?)?)(?![a-zà])", rest):
        return rf"(?<![\w.]){pattern}"  # initials: "M. E. Schmidt"
    either = first.islower() or (language == "es" and first.isupper() and rest[:1].islower())
    return rf"(?<![\w.])[{first}{first.swapcase()}]{rest}" if either else rf"(?<![\w.]){pattern}"


def _international(language: Language) -> tuple[Rule, ...]:
    """Return the rules for telephone numbers with the code of a country or an area before them."""
    plus = language.symbols["+"]
    return (
        (re.compile(r"(?<!\w)\+(?=(?:[0-9()/.-] ?){7,20}(?!\w))[0-9][0-9 ()/.-]{5,}[0-9](?!\w)"),
         lambda match: f"{plus} {language.telephone(match[0])}"),
        (re.compile(r"\b([A-Z]{2})([0-9]{2}(?: ?[0-9]{4}){3,7}(?: ?[0-9]{1,3})?)(?!\w)"),  # an IBAN
         lambda match: f"{' '.join(match[1])} {digit_by_digit(match[2], language.code)}"),
        (re.compile(r"(?i)(\b(?:pin|passwort|code|kennwort|código|clave|contraseña|mot de passe)"
                    r"(?: ist| lautet| est| es)?:? )"
                    r"([0-9]{3,8})(?![\w]|[.,][0-9])"),
         lambda match: match[1] + digit_by_digit(match[2], language.code)),
        (re.compile(r"(?<!\w)\(0[0-9]{1,4}\)(?:[ /-]?[0-9]{2,8}){1,5}(?![\w]|[.,][0-9])"),
         lambda match: language.telephone(match[0])),
    )  # fmt: skip


def _telephones(language: Language) -> tuple[Rule, ...]:
    return (
        (re.compile(r"(?i)(\b(?:tel[eé]fono|telefon|téléphone|handy|móvil|tel\.|tél\.|nummer|número|numéro|ll[aá]m\w+"
                    r"|appel\w+|rufen?)(?: es| ist| est| an)?(?: el| au| le| al)?:? )"
                    r"([0-9](?:(?: ?[/–-] ?|[ .])?[0-9]){5,14})(?!\w)"),
         lambda match: match[1] + language.telephone(match[2])),
        (re.compile(r"(?<![\w+.,-])(?<![0-9][ \u00a0\u202f])0 ?[0-9]{1,4}(?:(?: ?[/–-] ?|[ .])[0-9]{2,8}){1,5}"
                    r"(?![\w]|[.,][0-9])"),
         lambda match: language.telephone(match[0])),
        (re.compile(r"(?<= [oy] al )[6-9][0-9]{2} [0-9]{3} [0-9]{3}(?! ?[\w,])"),
         lambda match: language.telephone(match[0])),
        (re.compile(r"(?<![\w+.,-])[0-9]{3}-[0-9]{3}-[0-9]{3,4}(?![\w-])"), lambda match: language.telephone(match[0])),
        # nine or ten digits in groups that are no thousands
        (re.compile(r"(?<![\w+.,-])(?<![0-9] )(?=(?:[0-9] ?){9,10}(?![\w ]?[0-9]|,))"
                    r"[0-9]{2,3}(?: [0-9]{3})?(?: [0-9]{2}){2,4}"
                    r"(?! ?[0-9])"),
         lambda match: language.telephone(match[0])),
    )  # fmt: skip


def _money(language: Language) -> tuple[Rule, ...]:
    signs = one_of(language.currencies)
    large = one_of(language.large)

    def price(match: re.Match[str]) -> str:
        currency = language.currencies[match["sign"]]
        if match["large"]:
            names = language.large[match["large"]]
            return f"{counted(match['amount'], names, language)} {language.of(currency.several)}"
        units, _, fraction = plain(match["amount"]).partition(".")
        if not fraction.strip("0") or not currency.hundredth or len(fraction.rstrip("0")) > 2:
            amount = match["amount"] if fraction.strip("0") else units
            return counted(amount, (currency.one, currency.several), language)
        return language.price(int(units), int(f"{fraction:0<2}"[:2]), currency)

    amount = rf"(?P<amount>{NUMBER})(?:{BLANK}?(?P<large>{large})(?!\w))?"
    codes = "|".join(code for code in language.currencies if code.isupper())
    return (
        (re.compile(r"(?<=[0-9]),[-–—](?! ?[0-9])"), ""),  # 15,- €
        # thousands and decimals as in English, behind the sign of the currency
        (re.compile(r"(?<=[$€£])([0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{2}))?(?![\w]|[.,][0-9])"),
         lambda match: match[1].replace(",", "") + (f",{match[2]}" if match[2] else "")),
        (re.compile(rf"[$€£] ?(?={NUMBER}{BLANK}?(?:{codes})\b)"), ""),
        (re.compile(rf"[$€£] ?(?=[0-9][0-9.,]{{0,12}}(?:{BLANK}(?:{large})(?: de| d['’])?)?{BLANK}?"
                    rf"(?:{_NAMES_OF_MONEY})\b)"), ""),
        (re.compile(r"(?<!\w)[-−–](?=[$€£¥]? ?[0-9])"), language.symbols["-"] + " "),
        (re.compile(rf"(?<=[0-9]) ?[-–] ?(?={NUMBER} ?(?:{signs}))"), f" {language.to} "),
        # a point with one or two decimals, as in English
        (re.compile(rf"(?<![\w.,])([0-9]+)\.([0-9]{{1,2}})(?= ?(?:{signs})(?!\w)| ?M€)"
                    rf"|(?<=[$€£¥￥])([0-9]+)\.([0-9]{{1,2}})(?!\w|[.,][0-9])"),
         lambda match: f"{match[1] or match[3]},{match[2] or match[4]}"),
        (re.compile(rf"(?<!\w)(?P<sign>{signs}) ?{amount}(?!\w)"), price),
        (re.compile(rf"{BEFORE}{amount}{BLANK}?(?:de |d['’])?(?P<sign>{signs})(?!\w)"), price),
    )  # fmt: skip


def _ordinals(language: Language) -> tuple[Rule, ...]:
    def ordinal(say: "object", match: re.Match[str]) -> str:
        assert callable(say)
        before = match.groupdict().get("before") or ""
        text = match.string
        return before + str(say(text[: match.start()] + before, match["number"], text[match.end() :]))

    return tuple((re.compile(pattern), partial(ordinal, say)) for pattern, say in language.ordinals)


def _measures(language: Language) -> tuple[Rule, ...]:
    units = one_of(language.units)
    large = one_of(name for name in language.large if name.isalpha() and len(name) > 2)
    per = language.symbols["per"]

    def measure(match: re.Match[str]) -> str:
        names = language.units[match["unit"]]
        if match["large"]:
            words = f"{counted(match['number'], language.large[match['large']], language)} {language.of(names[1])}"
        else:
            words = counted(match["number"], names, language)
        return f"{words} {per} {language.units[match['divisor']][0]}" if match["divisor"] else words

    return (
        (re.compile(rf"(?<=[0-9])({BLANK}?[ckm]?m)? ?[xX×] ?(?={NUMBER}{BLANK}?[ckm]?m\b)"),
         rf"\1 {language.out_of if language.code == 'fr' else language.symbols['×']} "),
        (re.compile(rf"{BEFORE}({NUMBER})(?: ?%)? ?[-–] ?(?={NUMBER}{BLANK}?(?:%|{units})(?!\w))"),
         lambda match: f"{match[1]} {language.to} "),
        (re.compile(rf"(?<![\w.,])([0-9]+)-({units})-(?=[A-ZÄÖÜ])"),  # ein 5-kg-Sack
         lambda match: f"{match[1]}-{language.units[match[2]][1]}-"),
        (re.compile(rf"(?<=[0-9])({BLANK}?(?:{units}))/(?=[0-9]+{BLANK}?(?:{units})(?!\w))"), rf"\1 {per} "),
        (re.compile(rf"{BEFORE}(?P<number>{NUMBER})(?:{BLANK}(?P<large>{large})(?={BLANK}))?{BLANK}?(?P<unit>{units})"
                    rf"(?:/(?P<divisor>{units}))?(?![\w/²³])"),
         measure),
        (re.compile(rf"(?:(?<=[^\W\d_])| (?=/)|(?<=[0-9]))/({units})(?![\w/²³])"),
         lambda match: f" {per} {language.units[match[1]][0]}"),
        (re.compile(rf"(?<=\w)/(?=(?:{_PERIODS})\b)"), f" {per} "),
        (re.compile(f"{BLANK}?%"), f" {language.symbols['%']}"),
    )  # fmt: skip


def _numbers(language: Language) -> tuple[Rule, ...]:
    code = language.code
    point = language.marks["."]
    names = re.compile(rf"(?i)\b(?:{_NAMED[code]}) $|[0-9] {point} $")
    in_version = re.compile(f" {point} [0-9]")

    def number(match: re.Match[str]) -> str:
        written = match[0]
        if len(written) > 1 and written.startswith("0") and written[1] != ",":
            return digit_by_digit(written, code)
        following = _NEXT_WORD.match(match.string, match.end())
        word = following[1] if following else ""
        if re.fullmatch("1[1-9][0-9]{2}|20[0-9]{2}", written):
            return year(int(written), code)
        words = said(written, language)
        named = written == "1" and names.search(match.string, max(0, match.start() - 20), match.start())
        if not word or "," in written or named or in_version.match(match.string, match.end()):
            return words
        if words.endswith(MILLIONS) and code != "de" and word[0].islower() and word not in ("de", "y", "et", "a", "à"):
            return f"{words} {language.of(word).removesuffix(word).rstrip()}"
        return language.agree(words, word)

    symbols = {symbol: name for symbol, name in language.symbols.items() if symbol not in ("%", "-", "per", ":")}
    return (
        (re.compile(r"(?<![\w.,])([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(?![\w]|[.,][0-9])(?<!\.[0-9]{3})"),
         lambda match: f" {language.marks['.']} ".join(filter(None, match.groups()))),
        (re.compile(r"(?<=[0-9]) [-–−] (?=[0-9]+ ?=)|(?<=\w) ?− ?(?=\w)"), f" {language.symbols['-']} "),
        (re.compile(r"(?<![\w.'’])([fghPF])\(([a-zA-Z0-9](?:, ?[a-zA-Z0-9])*)\)"), rf"\1 {_OF[code]} \2"),
        (re.compile(r"(?<=[0-9]) ?[-–] ?(?=[0-9])"), f" {language.to} "),
        (re.compile(r"(?<![0-9:])([0-9]{1,3}):([0-9]{1,3})(?![0-9:])"), rf"\1 {language.symbols[':']} \2"),
        (re.compile(r"(?<=[0-9])[xX×*](?=[0-9])|(?<=[0-9]) [xX×*] (?=[0-9])"), f" {language.symbols['×']} "),
        (re.compile("[" + re.escape("".join(symbols)) + "]"), lambda match: f" {symbols[match[0]]} "),
        (re.compile(r"(?<=[0-9])(?=[^\W\d_])|(?<=[^\W\d_])-?(?=[0-9])"), " "),
        *([_POSTAL_CODES[code]] if code in _POSTAL_CODES else []),
        (re.compile(rf"{NUMBER}"), number),
        (re.compile(r"(?<=\w)[/_](?=\w)|[\\^~*#_|]+"), " "),
        (re.compile(r"[ \t]{2,}"), " "),
        (re.compile(r"(?m)^[ \t]+"), ""),
        (re.compile(r" +(?=[.,;:!?](?!\w))"), ""),
    )  # fmt: skip
