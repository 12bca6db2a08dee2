"""Numbers in words, in English, German, French, Spanish and Chinese."""

from collections.abc import Callable
from typing import Final

DIGITS: Final = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "zh": ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九"),
}
"""Names of the digits by language."""

LARGEST: Final = 10**15
"""Numbers from here on are read digit by digit."""

_MOST_DIGITS: Final = 15
"""Digits of the longest number that is read as one."""

_TEENS: Final = {
    "en": [
        "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ],
    "de": ["zehn", "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"],
    "fr": ["dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"],
    "es": ["diez", "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve"],
}  # fmt: skip
_TENS: Final = {
    "en": ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
    "de": ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"],
    "fr": ["vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"],
    "es": ["veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"],
}
_SCALES: Final = {
    "en": (("thousand", "thousand"), ("million", "million"), ("billion", "billion"), ("trillion", "trillion")),
    "de": (("tausend", "tausend"), ("Million", "Millionen"), ("Milliarde", "Milliarden"), ("Billion", "Billionen")),
    "fr": (("mille", "mille"), ("million", "millions"), ("milliard", "milliards"), ("billion", "billions")),
}
_SPANISH_TWENTIES: Final = [
    "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete",
    "veintiocho", "veintinueve",
]  # fmt: skip
_SPANISH_HUNDREDS: Final = [
    "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos", "ochocientos",
    "novecientos",
]  # fmt: skip
_CHINESE_PLACES: Final = ("", "十", "百", "千")
_CHINESE_SCALES: Final = ("", "万", "亿", "万亿")


def digit_by_digit(number: str, language: str = "en") -> str:
    """Return the names of the digits of a text, with a comma, which is a short pause, between groups of them."""
    groups = "".join(each if each.isdecimal() else " " for each in number).split()
    return ", ".join(" ".join(DIGITS[language][int(digit)] for digit in group) for group in groups)


def cardinal(number: int, language: str = "en") -> str:
    """Return a whole number in words: "one hundred twenty-three". From `LARGEST` on its digits are named."""
    if number >= LARGEST:
        return digit_by_digit(str(number), language)
    return _CARDINALS[language](number)


def whole(digits: str, language: str = "en") -> str:
    """Return a whole number, given its digits, in words."""
    return cardinal(int(digits), language) if len(digits) <= _MOST_DIGITS else digit_by_digit(digits, language)


def year(number: int, language: str = "en") -> str:
    """Return a year as it is said: "nineteen oh five", "two thousand five", "twenty twenty-four"."""
    century, rest = divmod(number, 100)
    if language == "de" and 11 <= century < 20:
        return _below_hundred_de(century) + "hundert" + (_below_hundred_de(rest, "eins") if rest else "")
    if language == "zh":
        return "".join(DIGITS["zh"][int(digit)] for digit in str(number))
    if language != "en" or not 10 <= century < 100 or (century % 10 == 0 and rest < 10):
        return cardinal(number, language)
    return f"{cardinal(century)} " + (
        "hundred" if not rest else f"oh {cardinal(rest)}" if rest < 10 else cardinal(rest)
    )


def decimal(number: str, language: str = "en", point: str = "point") -> str:
    """Return a decimal number, written with digits and at most one stop: "three point one four"."""
    before, _, fraction = number.partition(".")
    words = whole(before, language) if before else ""
    if not fraction:
        return words
    places = " ".join(DIGITS[language][int(digit)] for digit in fraction)
    return " ".join(filter(None, (words, point, places)))


def roman(numeral: str) -> int | None:
    """Return the value of a roman numeral in capitals, None for other letters."""
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}.get(letter, 0) for letter in numeral]
    total = sum(-one if one < other else one for one, other in zip(values, [*values[1:], 0], strict=True))
    return total if numeral and 0 < total < 4000 and _roman(total) == numeral else None


def _roman(number: int) -> str:
    found = ""
    for value, letters in (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
        (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ):  # fmt: skip
        found += letters * (number // value)
        number %= value
    return found


def _groups(number: int) -> list[tuple[int, int]]:
    """Return the groups of three digits that are not 0, with their powers of a thousand, the highest first."""
    groups = [(power, number // 1000**power % 1000) for power in reversed(range(5))]
    return [(power, group) for power, group in groups if group]


# English.


def _below_thousand_en(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = [f"{DIGITS['en'][hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS["en"][tens - 2] + (f"-{DIGITS['en'][ones]}" if ones else ""))
    elif rest >= 10:
        words.append(_TEENS["en"][ones])
    elif rest:
        words.append(DIGITS["en"][ones])
    return " ".join(words)


def _cardinal_en(number: int) -> str:
    words = [
        _below_thousand_en(group) + (f" {_SCALES['en'][power - 1][0]}" if power else "")
        for power, group in _groups(number)
    ]
    return " ".join(words) or "zero"


# German.


def _below_hundred_de(number: int, one: str = "ein") -> str:
    tens, ones = divmod(number, 10)
    if number < 10:
        return one if number == 1 else DIGITS["de"][number]
    if tens == 1:
        return _TEENS["de"][ones]
    return (f"{'ein' if ones == 1 else DIGITS['de'][ones]}und" if ones else "") + _TENS["de"][tens - 2]


def _below_thousand_de(number: int, one: str = "ein") -> str:
    hundreds, rest = divmod(number, 100)
    words = _below_hundred_de(hundreds) + "hundert" if hundreds else ""
    return words + (_below_hundred_de(rest, one) if rest else "")


def _cardinal_de(number: int) -> str:
    millions = [
        "eine Million" if power == 2 and group == 1
        else f"{_below_thousand_de(group, 'eine')} {_SCALES['de'][power - 1][group > 1]}"
        for power, group in _groups(number)
        if power > 1
    ]  # fmt: skip
    thousands, rest = divmod(number % 10**6, 1000)
    below = (_below_thousand_de(thousands) + "tausend" if thousands else "") + (
        _below_thousand_de(rest, "eins") if rest else ""
    )
    return " ".join([*millions, below] if below else millions) or "null"


# French.


def _below_hundred_fr(number: int) -> str:
    tens, ones = divmod(number, 10)
    if number < 20:
        return DIGITS["fr"][number] if number < 10 else _TEENS["fr"][ones]
    word = _TENS["fr"][tens - 2]
    if tens in (7, 9):
        return f"{word} et onze" if number == 71 else f"{word}-{_TEENS['fr'][ones]}"
    if not ones:
        return word
    return f"{word} et un" if ones == 1 and tens < 8 else f"{word}-{DIGITS['fr'][ones]}"


def _below_thousand_fr(number: int, *, last: bool) -> str:
    """Return up to three digits; a hundred and eighty have an s in the `last` place before a noun."""
    hundreds, rest = divmod(number, 100)
    words = [DIGITS["fr"][hundreds]] if hundreds > 1 else []
    if hundreds:
        words.append("cents" if hundreds > 1 and not rest and last else "cent")
    if rest:
        words.append("quatre-vingts" if rest == 80 and last else _below_hundred_fr(rest))
    return " ".join(words)


def _cardinal_fr(number: int) -> str:
    words = []
    for power, group in _groups(number):
        if power == 1 and group == 1:
            words.append("mille")
        else:
            scale = f" {_SCALES['fr'][power - 1][group > 1]}" if power else ""
            words.append(_below_thousand_fr(group, last=power != 1) + scale)
    return " ".join(words) or "zéro"


# Spanish.


def _below_thousand_es(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = ["cien" if number == 100 else _SPANISH_HUNDREDS[hundreds - 1]] if hundreds else []
    if 20 <= rest < 30:
        words.append(_SPANISH_TWENTIES[ones])
    elif rest >= 30:
        words.append(_TENS["es"][tens - 2] + (f" y {DIGITS['es'][ones]}" if ones else ""))
    elif rest >= 10:
        words.append(_TEENS["es"][ones])
    elif rest:
        words.append(DIGITS["es"][ones])
    return " ".join(words)


def before_noun_es(words: str) -> str:
    """Return a Spanish number as it stands before a masculine noun: "veintiún", "un"."""
    if words.endswith("veintiuno"):
        return words.removesuffix("uno") + "ún"
    return words.removesuffix("o") if words == "uno" or words.endswith(" uno") else words


def _thousands_es(number: int) -> str:
    thousands, rest = divmod(number, 1000)
    words = [f"{before_noun_es(_below_thousand_es(thousands))} mil" if thousands > 1 else "mil"] if thousands else []
    return " ".join([*words, _below_thousand_es(rest)] if rest else words)


def _cardinal_es(number: int) -> str:
    words = []
    for power, singular, plural in ((10**12, "billón", "billones"), (10**6, "millón", "millones")):
        count, number = divmod(number, power)
        if count:
            words.append(f"{before_noun_es(_thousands_es(count))} {singular if count == 1 else plural}")
    if number or not words:
        words.append(_thousands_es(number) or "cero")
    return " ".join(words)


# Chinese.


def _cardinal_zh(number: int) -> str:
    words = ""
    for power in reversed(range(4)):
        group = number // 10000**power % 10000
        if not group:
            words += "零" if words and not words.endswith("零") and number % 10000**power else ""
            continue
        if words and group < 1000 and not words.endswith("零"):
            words += "零"
        words += _below_ten_thousand_zh(group) + _CHINESE_SCALES[power]
    if words.startswith("一十"):
        words = words[1:]
    return words or "零"


def _below_ten_thousand_zh(number: int) -> str:
    words = ""
    for place in reversed(range(4)):
        digit = number // 10**place % 10
        if digit:
            words += DIGITS["zh"][digit] + _CHINESE_PLACES[place]
        elif words and not words.endswith("零") and number % 10**place:
            words += "零"
    return words


_CARDINALS: Final[dict[str, Callable[[int], str]]] = {
    "en": _cardinal_en, "de": _cardinal_de, "fr": _cardinal_fr, "es": _cardinal_es, "zh": _cardinal_zh,
}  # fmt: skip
