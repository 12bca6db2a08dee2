"""German for the grammar of `grammar.py`."""

import re
from typing import Final

from realtime.text_normalization.european.language import Currency, Language
from realtime.text_normalization.numerals import cardinal, ordinal, roman

_MONTHS: Final = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_STRONG: Final = re.compile(r"(?i)(?:^|\W)(?:der|die|das)\s+(?:[a-zäöüß]+\s+)?$")
"""An article in the nominative, after which an ordinal number has no n."""


def _declined(before: str, number: int) -> str:
    """Return an ordinal number as it stands after the text before it."""
    word = ordinal(number, "de")
    return word if _STRONG.search(before) or not before.strip() else word + "n"


def _date(before: str, day: int, month: int, year: str) -> str:
    return f"{_declined(before, day)} {_MONTHS[month - 1]} {year}".rstrip()


def _time(hour: int, minute: int) -> str:
    hours = "ein" if hour == 1 else cardinal(hour, "de")
    return f"{hours} Uhr {cardinal(minute, 'de') if minute else ''}".rstrip()


def _price(whole: int, hundredths: int, currency: Currency) -> str:
    cents = cardinal(hundredths, "de")
    if not whole:
        return f"{'ein' if hundredths == 1 else cents} {currency.hundredths}"
    return f"{'ein' if whole == 1 else cardinal(whole, 'de')} {currency.several} {cents}"


def _one(noun: str) -> str:
    feminine = ("Million", "Milliarde", "Billion", "Stunde", "Minute", "Sekunde", "Tonne", "Woche", "Unze", "Krone")
    return "eine" if noun.startswith(feminine) else "ein"


def _ordinal(before: str, number: str) -> str:
    return _declined(before, int(number))


def _monarch(_before: str, numeral: str) -> str:
    value = roman(numeral)
    return numeral if value is None else f"der {ordinal(value, 'de').capitalize()}"


def _same(name: str) -> tuple[str, str]:
    return name, name


GERMAN: Final = Language(
    code="de",
    point="Komma",
    to="bis",
    symbols={
        "%": "Prozent", "-": "minus", "+": "plus", "=": "gleich", "×": "mal", "÷": "geteilt durch", ":": "zu",
        "&": "und",
        "°": "Grad", "§": "Paragraf", "<": "kleiner als", ">": "größer als", "≈": "ungefähr", "±": "plus minus",
        "@": "at", "²": "Quadrat", "³": "hoch drei", "→": "zu", "per": "pro", "€": "Euro", "$": "Dollar",
    },
    marks={".": "Punkt", "@": "at", "/": "Schrägstrich", "-": "Bindestrich", "_": "Unterstrich", ":": "Doppelpunkt",
           "?": "Fragezeichen", "=": "gleich", "&": "und"},
    months=_MONTHS,
    month_patterns=(
        "Januar|Jan\\.?", "Februar|Feb\\.?", "März|Mrz\\.?", "April|Apr\\.?", "Mai", "Juni|Jun\\.", "Juli|Jul\\.",
        "August|Aug\\.?", "September|Sept?\\.?", "Oktober|Okt\\.?", "November|Nov\\.?", "Dezember|Dez\\.?",
    ),
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
    units={
        "km": _same("Kilometer"), "m": _same("Meter"), "cm": _same("Zentimeter"), "mm": _same("Millimeter"),
        "kg": _same("Kilogramm"), "g": _same("Gramm"), "mg": _same("Milligramm"), "t": ("Tonne", "Tonnen"),
        "l": _same("Liter"), "ml": _same("Milliliter"), "h": ("Stunde", "Stunden"), "Std.": ("Stunde", "Stunden"),
        "min": ("Minute", "Minuten"), "Min.": ("Minute", "Minuten"), "s": ("Sekunde", "Sekunden"),
        "Sek.": ("Sekunde", "Sekunden"), "ms": ("Millisekunde", "Millisekunden"), "°C": _same("Grad Celsius"),
        "°F": _same("Grad Fahrenheit"), "°": _same("Grad"), "km²": _same("Quadratkilometer"),
        "m²": _same("Quadratmeter"),
        "m³": _same("Kubikmeter"), "qm": _same("Quadratmeter"), "ha": _same("Hektar"), "kW": _same("Kilowatt"),
        "kWh": ("Kilowattstunde", "Kilowattstunden"), "W": _same("Watt"), "V": _same("Volt"), "A": _same("Ampere"),
        "Hz": _same("Hertz"), "kHz": _same("Kilohertz"), "MHz": _same("Megahertz"), "GHz": _same("Gigahertz"),
        "kB": _same("Kilobyte"), "KB": _same("Kilobyte"), "MB": _same("Megabyte"), "GB": _same("Gigabyte"),
        "TB": _same("Terabyte"), "PS": _same("P S"), "Mio.": ("Million", "Millionen"),
        "Mrd.": ("Milliarde", "Milliarden"),
        "kcal": ("Kilokalorie", "Kilokalorien"), "dB": _same("Dezibel"), "bar": _same("Bar"),
        "hPa": _same("Hektopascal"),
    },
    one=_one,
    fractions={"1/2": "ein halb", "1/3": "ein Drittel", "2/3": "zwei Drittel", "1/4": "ein Viertel",
    "3/4": "drei Viertel",
               "½": "einhalb", "¼": "ein Viertel", "¾": "drei Viertel", "⅓": "ein Drittel", "⅔": "zwei Drittel",
               "24/7": "vierundzwanzig sieben"},
    abbreviations={
        r"z\. ?B\.": "zum Beispiel", r"d\. ?h\.": "das heißt", r"u\. ?a\.": "unter anderem", r"z\. ?T\.": "zum Teil",
        r"i\. ?d\. ?R\.": "in der Regel", r"o\. ?ä\.": "oder ähnlich", r"v\. ?Chr\.": "vor Christus",
        r"n\. ?Chr\.": "nach Christus", r"usw\.": "und so weiter", r"bzw\.": "beziehungsweise", r"ca\.": "circa",
        r"Dr\.": "Doktor", r"Prof\.": "Professor", r"Hr\.": "Herr", r"Fr\.(?= [A-ZÄÖÜ])": "Frau", r"Nr\.": "Nummer",
        r"Tel\.": "Telefon", r"inkl\.": "inklusive", r"exkl\.": "exklusive", r"evtl\.": "eventuell",
        r"ggf\.": "gegebenenfalls", r"vgl\.": "vergleiche", r"S\.(?= ?[0-9])": "Seite ", r"Abs\.(?= ?[0-9])": "Absatz ",
        r"Art\.(?= ?[0-9])": "Artikel ", r"Jh\.": "Jahrhundert", r"St\.(?= [A-ZÄÖÜ])": "Sankt", r"etc\.": "et cetera",
        r"max\.": "maximal", r"min\.(?= [0-9])": "mindestens", r"Str\.": "Straße", r"(?<=[a-zäöüß])str\.": "straße",
        r"geb\.": "geboren", r"gest\.": "gestorben", r"zzgl\.": "zuzüglich", r"bspw\.": "beispielsweise",
        r"Bd\.": "Band",
    },
    ordinals=(
        (r"(?i)(?<=\b(?:der|die|das|den|dem|des|zum|vom|zur|ihr) )([0-9]{1,3})\.(?= )", _ordinal),
        (r"(?i)(?<=\b(?:am|im|ab) )([0-9]{1,3})\.(?= )", _ordinal),
        (r"(?i)(?<=\b(?:beim|jede|seit) )([0-9]{1,3})\.(?= )", _ordinal),
        (r"(?<=[a-zäöüß] )\b([IVX]{1,5})\.(?= )(?<!\bI\.)", _monarch),
    ),
)  # fmt: skip
