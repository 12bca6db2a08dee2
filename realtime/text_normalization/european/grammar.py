"""The grammar of written German, French and Spanish: points group thousands, a comma is the decimal point."""

import re
from functools import partial
from typing import Final

from realtime.text_normalization.european.language import Language
from realtime.text_normalization.numerals import DIGITS, before_noun_es, cardinal, digit_by_digit, whole, year
from realtime.text_normalization.rules import Rule, one_of

_WHOLE: Final = r"[0-9]{1,3}(?:[.\u00a0\u202f\u2009 ’'][0-9]{3})+(?![0-9])|[0-9]+"
"""A whole number, whose groups of thousands a point or a narrow blank may part."""

_NUMBER: Final = rf"(?:{_WHOLE})(?:,[0-9]+)?"
_BEFORE: Final = r"(?<![\w/,:+-])(?<![0-9]\.)"
_AFTER: Final = r"(?![\w/]|[.,:-][0-9])"
_ADDRESS_END: Final = r"(?<![.,;:!?'\"”’)\]}>*_])"


def _plain(number: str) -> str:
    """Return a number with a point for the decimal comma, and without groups."""
    return re.sub(r"[^0-9,]", "", number).replace(",", ".")


def said(number: str, language: Language) -> str:
    """Say a whole number or a decimal as it is written."""
    before, _, fraction = _plain(number).partition(".")
    words = whole(before, language.code)
    if not fraction:
        return words
    if language.code == "de" or fraction.startswith("0") or len(fraction) > 2:
        places = " ".join(DIGITS[language.code][int(digit)] for digit in fraction)
    else:
        places = cardinal(int(fraction), language.code)
    return f"{words} {language.point} {places}"


def counted(number: str, names: tuple[str, str], language: Language) -> str:
    """Say a number of things, given the names for one and for several."""
    if _plain(number) == "1":
        return f"{language.one(names[0])} {names[0]}"
    words = said(number, language)
    if words.endswith(_MILLIONS):
        return f"{words} {language.of(names[1])}"
    if language.code == "es" and "," not in number:
        words = _before_noun(words, names[1])
    elif language.code == "fr" and names[1].split()[0] in _FEMININE_FR:
        words = re.sub("un$", "une", words)
    return f"{words} {names[1]}"


_MILLIONS: Final = ("million", "millions", "milliard", "milliards", "millón", "millones")
"""Numbers that are nouns, and join what they count with "of"."""

_FEMININE_FR: Final = frozenset({"heures", "minutes", "secondes", "livres", "tonnes", "années"})
_FEMININE_ES: Final = frozenset({"horas", "libras", "toneladas", "pulgadas", "onzas"})


def _before_noun(words: str, noun: str) -> str:
    """Return a Spanish number as it stands before a noun: "veintiún", "veintiuna"."""
    if noun.split()[0] in _FEMININE_ES:
        return re.sub("uno$", "una", words)
    return before_noun_es(words)


def rules(language: Language) -> tuple[Rule, ...]:
    """Return the rules of a language in the order of their use."""
    return (
        *_addresses(language),
        *_abbreviations(language),
        *_dates(language),
        *_money(language),
        *_ordinals(language),
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
        (re.compile(r"(?<![\w.@/-])((?=[\w-]*[^\W\d_]{2})[\w-]+(?:\.[\w-]+)*\.[a-z]{2,5})(?!\w|\.\w)"), named),
    )


def _abbreviations(language: Language) -> tuple[Rule, ...]:
    return tuple(
        (re.compile(pattern if pattern.startswith("(?<=") else rf"(?<![\w.]){pattern}"), replacement)
        for pattern, replacement in language.abbreviations.items()
    )


def _dates(language: Language) -> tuple[Rule, ...]:
    code = language.code

    def numeric(match: re.Match[str]) -> str:
        day, month, number = int(match["day"]), int(match["month"]), match["year"] or ""
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return match[0]
        if len(number) == 2:
            number = ("19" if int(number) > 50 else "20") + number
        return language.date(match.string[: match.start()], day, month, number and year(int(number), code))

    def named(match: re.Match[str]) -> str:
        month = next(
            index for index, names in enumerate(language.month_patterns, 1) if re.fullmatch(names, match["month"])
        )
        number = match["year"] or ""
        return language.date(
            match.string[: match.start()], int(match["day"]), month, number and year(int(number), code)
        )

    def clock(match: re.Match[str]) -> str:
        return language.time(int(match["hour"]), int(match["minute"] or 0))

    months = "|".join(language.month_patterns)
    hours = r"(?P<hour>[01]?[0-9]|2[0-4])"
    minutes = r"(?P<minute>[0-5][0-9])"
    return (
        (re.compile(rf"{_BEFORE}(?P<year>[12][0-9]{{3}})-(?P<month>[01]?[0-9])-(?P<day>[0-3]?[0-9]){_AFTER}"), numeric),
        (re.compile(rf"{_BEFORE}(?P<day>[0-3]?[0-9])(?P<mark>[./-])(?P<month>[01]?[0-9])(?P=mark)(?P<year>[12][0-9]{{3}}|[0-9]{{2}})(?![\w/]|[.,:-][0-9])"),
         numeric),
        (re.compile(rf"{_BEFORE}(?P<day>[0-3]?[0-9])(?:\.|er|º|°)? (?:de )?(?P<month>{months})(?![\w-])(?: (?:de "
                    rf"|del )?(?P<year>[12][0-9]{{3}})(?![\w]|[.,][0-9]))?"),
         named),
        *(
            ((re.compile(rf"{_BEFORE}(?P<day>[0-3]?[0-9])\.(?P<month>[01]?[0-9])\.(?P<year>)(?![\w/]|[.,:-]?[0-9])"),
             numeric),)
            if code == "de"
            else ()
        ),
        (re.compile(r"(?<![0-9:])([0-2]?[0-9]:[0-5][0-9])(?: ?(?:Uhr|h))? ?[-–] ?(?=[0-2]?[0-9]:[0-5][0-9])"),
         rf"\1 {language.to} "),
        (re.compile(rf"{_BEFORE}{hours}[:.]{minutes} ?(?:Uhr|h\b|horas\b|hrs?\b)"), clock),
        (re.compile(rf"{_BEFORE}{hours}:{minutes}(?::[0-5][0-9])?{_AFTER}"), clock),
        (re.compile(rf"{_BEFORE}{hours} ?h(?:eures?)? ?{minutes}(?: ?min)?(?!\w)"), clock),
        (re.compile(rf"{_BEFORE}{hours} ?(?:Uhr|heures?|h)(?P<minute>)(?!\w)"), clock),
        (re.compile(r"(?<![\w.,/-])(1[0-9]{3}|20[0-9]{2}) ?[-–] ?(1[0-9]{3}|20[0-9]{2})(?![\w/-]|[.,][0-9])"),
         lambda match: f"{year(int(match[1]), code)} {language.to} {year(int(match[2]), code)}"),
    )  # fmt: skip


def _money(language: Language) -> tuple[Rule, ...]:
    signs = one_of(language.currencies)
    large = one_of(language.large)

    def price(match: re.Match[str]) -> str:
        currency = language.currencies[match["sign"]]
        number = _plain(match["amount"])
        if match["large"]:
            names = language.large[match["large"]]
            return f"{counted(match['amount'], names, language)} {language.of(currency.several)}"
        units, _, fraction = number.partition(".")
        if not fraction.strip("0") or not currency.hundredth:
            amount = match["amount"] if fraction.strip("0") else units
            return counted(amount, (currency.one, currency.several), language)
        return language.price(int(units), int(f"{fraction:0<2}"[:2]), currency)

    amount = rf"(?P<amount>{_NUMBER})(?: ?(?P<large>{large})(?!\w))?"
    return (
        (re.compile(r"(?<!\w)[-−–](?=[$€£¥]? ?[0-9])"), language.symbols["-"] + " "),
        (re.compile(rf"(?<=[0-9]) ?[-–] ?(?={_NUMBER} ?(?:{signs}))"), f" {language.to} "),
        # a point with two decimals, as in English
        (re.compile(rf"(?<![\w.,])([0-9]+)\.([0-9]{{2}})(?= ?(?:{signs})(?!\w))|(?<=[$€£¥￥])([0-9]+)\.([0-9]{{2}})"
                    rf"(?![\w.])"),
         lambda match: f"{match[1] or match[3]},{match[2] or match[4]}"),
        (re.compile(rf"(?<!\w)(?P<sign>{signs}) ?{amount}(?!\w)"), price),
        (re.compile(rf"{_BEFORE}{amount}[\u00a0\u202f ]?(?:de |d['’])?(?P<sign>{signs})(?!\w)"), price),
    )  # fmt: skip


def _ordinals(language: Language) -> tuple[Rule, ...]:
    def ordinal(say: "object", match: re.Match[str]) -> str:
        assert callable(say)
        return str(say(match.string[: match.start()], match[1]))

    return tuple((re.compile(pattern), partial(ordinal, say)) for pattern, say in language.ordinals)


def _measures(language: Language) -> tuple[Rule, ...]:
    units = one_of(language.units)
    per = language.symbols["per"]

    def measure(match: re.Match[str]) -> str:
        words = counted(match["number"], language.units[match["unit"]], language)
        return f"{words} {per} {language.units[match['divisor']][0]}" if match["divisor"] else words

    return (
        (re.compile(rf"{_BEFORE}({_NUMBER})(?: ?%)? ?[-–] ?(?={_NUMBER}[\u00a0\u202f ]?(?:%|{units})(?!\w))"),
         lambda match: f"{match[1]} {language.to} "),
        (re.compile(rf"{_BEFORE}(?P<number>{_NUMBER})[\u00a0\u202f ]?(?P<unit>{units})(?:/(?P<divisor>{units}))?"
                    rf"(?![\w/²³])"),
         measure),
        (re.compile(rf"(?<=[^\W\d_])/({units})(?![\w/])"), lambda match: f" {per} {language.units[match[1]][0]}"),
        (re.compile("[\u00a0\u202f ]?%"), f" {language.symbols['%']}"),
    )  # fmt: skip


def _numbers(language: Language) -> tuple[Rule, ...]:
    code = language.code

    def number(match: re.Match[str]) -> str:
        written = match[0]
        if len(written) > 1 and written.startswith("0") and written[1] != ",":
            return digit_by_digit(written, code)
        if re.fullmatch("1[1-9][0-9]{2}|20[0-9]{2}", written):
            return year(int(written), code)
        words = said(written, language)
        noun = (
            re.compile(r" ([a-záéíóúñ]+[ao]s|años|meses)\b").match(match.string, match.end()) if code == "es" else None
        )
        if noun and "," not in written:
            return re.sub("uno$", "una", words) if noun[1].endswith("as") else before_noun_es(words)
        return words

    symbols = {symbol: name for symbol, name in language.symbols.items() if symbol not in ("%", "-", "per")}
    return (
        (re.compile(r"(?<!\w)\+(?=(?:[0-9()/.-] ?){7,20}(?!\w))[0-9][0-9 ()/.-]{5,}[0-9](?!\w)"),
         lambda match: f"{language.symbols['+']} {digit_by_digit(match[0], code)}"),
        (re.compile(r"(?i)(\b(?:tel[eé]fono|telefon|téléphone|handy|móvil|tel\.|tél\.)(?: es| ist| est)?(?: el"
                    r"| au)?:? )([0-9](?:[ /.-]?[0-9]){4,14})(?!\w)"),
         lambda match: match[1] + digit_by_digit(match[2], code)),
        (re.compile(r"(?<![\w.,])([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(?![\w]|[.,][0-9])(?<!\.[0-9]{3})"),
         lambda match: f" {language.marks['.']} ".join(filter(None, match.groups()))),
        (re.compile(r"(?<![\w+.,-])0[0-9]{1,4}(?:[ /.-][0-9]{2,8}){1,5}(?![\w]|[.,][0-9])"),
         lambda match: digit_by_digit(match[0], code)),
        (re.compile(r"(?<![\w.,/])([0-9]{1,2})/([0-9]{1,2})(?![\w/]|[.,][0-9])"),
         lambda match: language.fractions.get(match[0], match[0])),
        (re.compile("[½¼¾⅓⅔]"), lambda match: f" {language.fractions[match[0]]} "),
        (re.compile(r"(?<=[0-9]) [-–−] (?=[0-9]+ ?=)|(?<=\w) ?− ?(?=\w)"), f" {language.symbols['-']} "),
        (re.compile(r"(?<=[0-9]) ?[-–] ?(?=[0-9])"), f" {language.to} "),
        (re.compile(r"(?<![0-9:])([0-9]{1,3}):([0-9]{1,3})(?![0-9:])"), rf"\1 {language.symbols[':']} \2"),
        (re.compile(r"(?<=[0-9])[xX×*](?=[0-9])|(?<=[0-9]) [xX×*] (?=[0-9])"), f" {language.symbols['×']} "),
        (re.compile("[" + re.escape("".join(symbol for symbol in symbols if symbol not in ":/")) + "]"),
         lambda match: f" {symbols[match[0]]} "),
        (re.compile(r"(?<=[0-9])(?=[^\W\d_])|(?<=[^\W\d_])-?(?=[0-9])"), " "),
        (re.compile(rf"{_NUMBER}"), number),
        (re.compile(r"(?<=\w)[/_](?=\w)|[\\^~*#_|]+"), " "),
        (re.compile(r"[ \t]{2,}"), " "),
        (re.compile(r" +(?=[.,;:!?](?!\w))"), ""),
    )  # fmt: skip
