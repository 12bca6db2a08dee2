"""German for the grammar of `grammar.py`."""

import re
from typing import Final

from realtime.text_normalization.european import dictionary
from realtime.text_normalization.european.abbreviations import GERMAN_ABBREVIATIONS, GERMAN_ENDINGS
from realtime.text_normalization.european.language import Currency, Language
from realtime.text_normalization.european.units import units
from realtime.text_normalization.numerals import cardinal, digit_by_digit, roman, year
from realtime.text_normalization.ordinals import ordinal

_MONTHS: Final = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_FEMININE: Final = re.compile(
    r"(?:[A-ZÄÖÜ]\w*(?:ung|heit|keit|schaft|ion|tät|ik|tur|\w\w\wei|(?:er|ent|ist|or)in|anz|enz|unft)|(?!Ge\w+e\b)[A-ZÄÖÜ]\w*e|Person|Frau|Stadt"
    r"|Nacht|Hand|Tür|Zahl|Nummer|Mutter|Tochter|Schwester|Feder|Mark|Bank|Wand|Wurst|Kraft|Maus|Kuh|Milch|Uhr|Art|Fahrt"
    r"|Prüfung|Liga|Etage)$"
)
"""Nouns that are feminine, most of them by their endings."""

_MASCULINE: Final = frozenset(
    {
        "Name",
        "Junge",
        "Kunde",
        "Käse",
        "Kollege",
        "Zeuge",
        "Franzose",
        "Buchstabe",
        "Gedanke",
        "Kaffee",
        "Tee",
        "See",
        "Schnee",
        "Löwe",
        "Hase",
        "Affe",
        "Experte",
        "Riese",
    }
)
_NEUTER: Final = re.compile(
    r"(?:[A-ZÄÖÜ]\w*(?:chen|lein|ment|tum|um|jahr|spiel|haus|buch|kind|gramm)|Auge|Ende|Ge\w+e|Kind|Mal|Haus|Jahr|Buch|Tor"
    r"|Spiel|Auto|Leben|Bein|Kapitel|Semester|Viertel|Zimmer|Bild|Land|Pfund|Kilo|Dutzend|Bier|Glas|Brot|Ei|Stück"
    r"|Quartal|Halbjahr|Gebot|Mitglied|Opfer|Treffen)$"
)

_DETERMINERS: Final = (
    "der|die|das|den|dem|des|zum|vom|zur|ins|am|im|ab|beim|seit|bis|(?:jed|dies|welch)e[rsnm]?"
    "|(?:k?ein|mein|dein|sein|ihr|unser|eue?r)(?:e[rsnm]?)?"
)
"""Words after which a number with a stop is an ordinal number."""

_WEAK: Final = re.compile(
    r"(?i)(?:^|\W)(?:der|die|das|ins|(?:dies|jed|welch)e[rs]?|(?:k?ein|mein|dein|sein|ihr|unser|eur)e)\s+(?:[a-zäöüß]+\s+)?$"
)
"""An article after which an ordinal number has no n in the nominative."""

_DATIVE: Final = re.compile(
    r"(?i)(?:^|\W)(?:in|mit|bei|von|zu|aus|nach|auf|an|unter|über|vor|seit|hinter|neben|während|wegen|ab|ende|anfang"
    r"|mitte|\w+(?:ung|ion|heit))\s+der\s+$"
)
"""A preposition with "der", which is the dative: "in der siebten Klasse"."""

_MIXED: Final = re.compile(r"(?i)(?:^|\W)(?:k?ein|mein|dein|sein|ihr|unser|euer)\s+$")
"""A word without an ending, after which the ordinal number shows the gender: "ihr fünfzigster Geburtstag"."""

_UNDECLINED: Final = re.compile(r"(?i)(?:^|[.!?:;,\n]|\b(?:mo|diens|donners|frei|sams|sonn)n?tag|mittwoch)\s*$")
"""Where a date stands by itself: "Montag, fünfter Mai"."""


def _is_feminine(noun: str) -> bool:
    return bool(_FEMININE.fullmatch(noun)) and noun not in _MASCULINE and not _NEUTER.fullmatch(noun)


def _strong(word: str, noun: str) -> str:
    """Return an ordinal number with the ending of the gender of a noun in the nominative."""
    return word + ("" if _is_feminine(noun) else "s" if _NEUTER.fullmatch(noun) else "r")


def _declined(before: str, number: int, noun: str = "") -> str:
    """Return an ordinal number as it stands between the text before it and a noun."""
    word = ordinal(number, "de")
    if _MIXED.search(before):
        return _strong(word, noun)
    if _WEAK.search(before) and not _DATIVE.search(before):
        return word
    return word + "n"


def _date(before: str, day: int, month: int, year: str) -> str:
    number = f"{ordinal(day, 'de')}r" if _UNDECLINED.search(before) else _declined(before, day)
    return f"{number} {_MONTHS[month - 1]} {year}".rstrip()


def _time(hour: int, minute: int, second: int) -> str:
    hours = "ein" if hour == 1 else cardinal(hour, "de")
    words = f"{hours} Uhr {cardinal(minute, 'de') if minute else ''}".rstrip()
    return f"{words} und {_agree(cardinal(second, 'de'), 'Sekunde')} Sekunde{'n' * (second > 1)}" if second else words


def _price(whole: int, hundredths: int, currency: Currency) -> str:
    cents = cardinal(hundredths, "de")
    if not whole:
        return f"{'ein' if hundredths == 1 else cents} {currency.hundredths}"
    return f"{'ein' if whole == 1 else cardinal(whole, 'de')} {currency.several} {cents}"


_MARKS: Final = {
    ".": "Punkt", "@": "at", "/": "Schrägstrich", "-": "Bindestrich", "_": "Unterstrich", ":": "Doppelpunkt",
    "?": "Fragezeichen", "=": "gleich", "&": "und",
}  # fmt: skip


def _agree(words: str, noun: str) -> str:
    """Return "ein" or "eine" before a noun, which has a capital."""
    if words != "eins" or not noun[:1].isupper() or noun.isupper() or noun in _MARKS.values():
        return words
    return "eine" if _is_feminine(noun) else "ein"


def _fraction(numerator: int, denominator: int, noun: str) -> str:
    if denominator == 2:
        if numerator > 1:
            return f"{cardinal(numerator, 'de')} halbe"
        if not noun[:1].isupper():
            return "ein halb"
        return "eine halbe" if _is_feminine(noun) else "ein halbes" if _NEUTER.fullmatch(noun) else "einen halben"
    part = "drittel" if denominator == 3 else f"{ordinal(denominator, 'de').removeprefix('ein')}l"
    return f"{'ein' if numerator == 1 else cardinal(numerator, 'de')} {part.capitalize()}"


def _mixed(number: int, numerator: int, denominator: int, noun: str) -> str:
    words = "ein" if number == 1 else cardinal(number, "de")
    fraction = "einhalb" if denominator == 2 else f" {_fraction(numerator, denominator, noun)}"
    return f"{words}{fraction} {noun}".rstrip()


def _telephone(number: str) -> str:
    return digit_by_digit(number, "de")


def _ordinal(before: str, number: str, after: str) -> str:
    noun = re.match(r"\s*(?:[a-zäöüß]+\s+)?([A-ZÄÖÜ]\w+)", after)
    return _declined(before, int(number), noun[1] if noun else "")


def _alone(before: str, number: str, after: str) -> str:
    """Say an ordinal number without an article: "zweiter Weltkrieg", "zweite Etage"."""
    noun = after.split()[0].rstrip(".,;:!?")
    return (
        _strong(ordinal(int(number), "de"), noun)
        if _UNDECLINED.search(before)
        else _declined(before, int(number), noun)
    )


def _ranked(before: str, number: str, _after: str) -> str:
    """Say which place somebody took: "er wurde Zweiter", "sie wurde Zweite"."""
    she = re.search(r"\b[Ss]ie \w+ $", before[-20:])
    return f"{ordinal(int(number), 'de').capitalize()}{'' if she else 'r'}"


def _roman_ordinal(before: str, numeral: str, after: str) -> str:
    value = roman(numeral)
    return f"{numeral}." if value is None else _ordinal(before, str(value), after).capitalize()


_FIRST_NAMES: Final = (
    "Wilhelm|Friedrich|Napoleon|Franz|Otto|Leopold|Ludwig|Karl|Elisabeth|Maximilian|Katharina|Joseph|Heinrich|Ferdinand"
    "|Peter|Nikolaus|Alexander|Johann|Georg|Jakob|Konrad|Rudolf"
)
"""Names of monarchs, after which I is a number."""

_QUEENS: Final = re.compile(r"(?:Elisabeth|Margrethe|Beatrix|[A-Z]\w+a)s?$")


def _monarch(before: str, numeral: str) -> str:
    """Say the number of a monarch in the case that the words before the name ask for."""
    value = roman(numeral)
    if value is None:
        return f"{numeral}."
    *words, name = before.split()
    word, queen = ordinal(value, "de").capitalize(), _QUEENS.match(name)
    case = words[-1].lower() if words else ""
    genitive = name.endswith("s") and name not in ("Johannes", "Nikolaus", "Pius", "Ramses", "Clemens", "Markus")
    if genitive or case in ("von", "unter", "mit", "bei", "nach", "zu", "vor", "seit"):
        article = "der" if queen else "des" if genitive else "dem"
        return f"{article} {word}n"
    if case in ("für", "durch", "gegen", "ohne", "um"):
        return f"die {word}" if queen else f"den {word}n"
    return f"{'die' if queen else 'der'} {word}"


def _monarch_at_end(before: str, numeral: str, after: str) -> str:
    return _monarch(before, numeral) + ("" if after.strip() else ".")


def _joined(_before: str, number: str, after: str) -> str:
    """Say a number within a word: "fünfjährig", "sechziger", "dreimal"."""
    words = year(int(number), "de") if len(number) == 4 else cardinal(int(number), "de")
    return words.removesuffix("s") if words == "eins" and after.startswith("mal") else words


def _times_each(_before: str, number: str, _after: str) -> str:
    return "einmal" if number == "1" else f"{cardinal(int(number), 'de')}mal"


def _numeral(_before: str, numeral: str, _after: str) -> str:
    value = roman(numeral)
    return numeral if value is None else cardinal(value, "de")


def _same(name: str) -> tuple[str, str]:
    return name, name


_PREFIXES: Final = {
    "k": "Kilo", "K": "Kilo", "M": "Mega", "G": "Giga", "T": "Tera", "P": "Peta", "h": "Hekto", "d": "Dezi",
    "c": "Zenti",
    "m": "Milli", "µ": "Mikro", "μ": "Mikro", "n": "Nano",
}  # fmt: skip
_HOUR: Final = ("Stunde", "Stunden")
_MINUTE: Final = ("Minute", "Minuten")
_SECOND: Final = ("Sekunde", "Sekunden")
_UNITS: Final = units(
    {
        "m": _same("Meter"), "g": _same("Gramm"), "l": _same("Liter"), "L": _same("Liter"), "s": _SECOND, "h": _HOUR,
        "min": _MINUTE, "t": ("Tonne", "Tonnen"), "ha": _same("Hektar"), "W": _same("Watt"),
        "Wh": ("Wattstunde", "Wattstunden"), "V": _same("Volt"),
        "A": _same("Ampere"), "Ah": ("Amperestunde", "Amperestunden"), "Hz": _same("Hertz"), "Pa": _same("Pascal"),
        "N": _same("Newton"),
        "J": _same("Joule"), "cal": ("Kalorie", "Kalorien"), "Ω": _same("Ohm"), "eV": _same("Elektronenvolt"),
        "mol": _same("Mol"), "B": _same("Byte"), "bit": _same("Bit"), "dB": _same("Dezibel"),
    },
    _PREFIXES,
    lambda prefix, name: prefix + name.lower(),
    {"²": lambda name: f"Quadrat{name.lower()}", "³": lambda name: f"Kubik{name.lower()}"},
) | {
    "Std.": _HOUR, "Std": _HOUR, "Min.": _MINUTE, "Sek.": _SECOND, "°C": _same("Grad Celsius"), "A": _same("Ampere"),
    "℃": _same("Grad Celsius"), "°F": _same("Grad Fahrenheit"), "°": _same("Grad"), "PS": _same("P S"),
    "bar": _same("Bar"), "km/h": _same("Kilometer pro Stunde"), "Kilo": _same("Kilo"), "Liter": _same("Liter"),
    "Mbit/s": _same("Megabit pro Sekunde"), "Gbit/s": _same("Gigabit pro Sekunde"), "EL": _same("Esslöffel"),
    "TL": _same("Teelöffel"), "ft": _same("Fuß"), "lb": _same("Pfund"), "oz": ("Unze", "Unzen"), "mi": ("Meile",
    "Meilen"), "mph": ("Meile pro Stunde", "Meilen pro Stunde"),
    "Mio.": ("Million", "Millionen"), "Mio": ("Million", "Millionen"), "Mrd.": ("Milliarde", "Milliarden"),
    "Tsd.": _same("tausend"), "U/min": ("Umdrehung pro Minute", "Umdrehungen pro Minute"), "Wo.": ("Woche", "Wochen"),
    "Mon.": ("Monat", "Monate"), "J.": ("Jahr", "Jahre"), "ct": _same("Cent"), "qkm": _same("Quadratkilometer"),
}  # fmt: skip
"""Names of the units; small letters after a prefix: "Kilometer", "Quadratkilometer"."""

GERMAN: Final = Language(
    code="de",
    point="Komma",
    to="bis",
    out_of="von",
    divided_by="geteilt durch",
    singular_below=0,
    symbols={
        "%": "Prozent", "-": "minus", "+": "plus", "=": "gleich", "×": "mal", "★": "Sterne",
        "÷": "geteilt durch", ":": "zu",
        "&": "und",
        "°": "Grad", "§": "Paragraf", "<": "kleiner als", ">": "größer als", "≈": "ungefähr", "≥": "größer oder gleich",
        "≤": "kleiner oder gleich", "≠": "ungleich", "±": "plus minus",
        "·": "mal", "‰": "Promille",
        "@": "at", "²": "Quadrat", "³": "hoch drei", "→": "zu", "√": "Wurzel aus", "per": "pro", "€": "Euro",
        "$": "Dollar",
    },
    marks=_MARKS,
    months=_MONTHS,
    month_patterns=(
        "Januar|Jan\\.?", "Februar|Feb\\.?", "März|M[äÄ]r\\.|Mrz\\.?", "April|Apr\\.?", "Mai", "Juni|Jun\\.",
        "Juli|Jul\\.",
        "August|Aug\\.?", "September|Sept?\\.?", "Oktober|Okt\\.?", "November|Nov\\.?", "Dezember|Dez\\.?",
    ),
    before_date="[Aa]m|om|is",
    date=_date,
    time=_time,
    price=_price,
    currencies={
        "€": Currency("Euro", "Euro", "Cent", "Cent"), "EUR": Currency("Euro", "Euro", "Cent", "Cent"),
        "Euro": Currency("Euro", "Euro", "Cent", "Cent"), "$": Currency("Dollar", "Dollar", "Cent", "Cent"),
        "USD": Currency("Dollar", "Dollar", "Cent", "Cent"), "£": Currency("Pfund", "Pfund", "Penny", "Pence"),
        "CHF": Currency("Franken", "Franken", "Rappen", "Rappen"), "¥": Currency("Yen", "Yen"),
    },
    large={
        "Mio.": ("Million", "Millionen"), "Mio": ("Million", "Millionen"), "Mrd.": ("Milliarde", "Milliarden"),
        "Mrd": ("Milliarde", "Milliarden"), "Tsd.": _same("tausend"), "Millionen": ("Million", "Millionen"),
        "Million": ("Million", "Millionen"), "Milliarden": ("Milliarde", "Milliarden"),
        "Milliarde": ("Milliarde", "Milliarden"), "Tausend": _same("tausend"),
    },
    of=str,
    units=_UNITS,
    agree=_agree,
    fraction=_fraction,
    mixed=_mixed,
    telephone=_telephone,
    abbreviations=GERMAN_ABBREVIATIONS,
    ending=GERMAN_ENDINGS,
    dictionary=dictionary.GERMAN,
    ordinals=(
        (r"(?<![\w.,])(?P<number>[0-9]{1,4})(?=er(?:n|s)?\b)", _joined),
        (r"(?<![\w.,])(?P<number>[0-9]{1,4})-(?=[a-zäöü]{3,}|Jährige)", _joined),
        (r"(?<![\w.,])(?P<number>[0-9]{1,3}) ?[x×](?= (?:täglich|pro|am|im|in|wöchentlich|monatlich|jährlich)\b)",
         _times_each),
        (r"(?P<before>\b(?:wurde|wird|werden|wurden|war|ist|als) )(?P<number>[0-9]{1,3})\.(?= [a-zäöü])", _ranked),
        (rf"(?i)(?P<before>\b(?:{_DETERMINERS}) )(?P<number>[0-9]{{1,4}})\.(?= )", _ordinal),
        (r"(?<![\w.,])(?P<number>[0-9]{1,2})\.(?= (?:FC|Weltkrieg|Stock|[OEUD]G|Etage|Platz|Liga|Bundesliga|Klasse"
         r"|Halbzeit|Runde|Spieltag|Kapitel|Advent|Auflage|Jahrhundert|Quartal|Halbjahr|Geburtstag|Semester|Staffel)\b)",
         _alone),
        (rf"(?P<before>\b(?i:{_DETERMINERS}) )(?P<number>[IVX]+)\.(?= [A-ZÄÖÜ])", _roman_ordinal),
        (r"(?P<before>\b(?:Kapitel|Artikel|Band|Teil|Buch|Akt|Szene|Klasse|Phase|Stufe|Typ|Tafel|Abschnitt) )"
         r"(?P<number>[IVXLC]+)\b", _numeral),
        (rf"(?P<before>\b(?:{_FIRST_NAMES})s? )(?P<number>I)\.(?=[ ,;)]|$)", _monarch_at_end),
        (r"(?P<before>\b[A-ZÄÖÜ][a-zäöüß]+ )(?P<number>[IVX]{2,5}|[VX])\.(?=[ ,;)]|$)", _monarch_at_end),
    ),
)  # fmt: skip
