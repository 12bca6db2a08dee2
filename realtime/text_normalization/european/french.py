"""French for the grammar of `grammar.py`."""

from typing import Final

from realtime.text_normalization.european.language import Currency, Language
from realtime.text_normalization.numerals import cardinal, ordinal, roman

_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_FEMININE: Final = ("heure", "minute", "seconde", "livre", "tonne", "année")
_VOWELS: Final = tuple("aeiouyéèêh")


def _date(_before: str, day: int, month: int, year: str) -> str:
    return f"{'premier' if day == 1 else cardinal(day, 'fr')} {_MONTHS[month - 1]} {year}".rstrip()


def _feminine(number: int) -> str:
    words = cardinal(number, "fr")
    return words + "e" if words.endswith("un") else words


def _time(hour: int, minute: int) -> str:
    hours = f"{_feminine(hour)} heure{'s' if hour > 1 else ''}"
    return f"{hours} {_feminine(minute) if minute else ''}".rstrip()


def _price(whole: int, hundredths: int, currency: Currency) -> str:
    if not whole:
        return f"{cardinal(hundredths, 'fr')} {currency.hundredth if hundredths == 1 else currency.hundredths}"
    return f"{cardinal(whole, 'fr')} {currency.one if whole == 1 else currency.several} {cardinal(hundredths, 'fr')}"


def _of(noun: str) -> str:
    return f"d'{noun}" if noun.startswith(_VOWELS) else f"de {noun}"


def _ordinal(_before: str, number: str) -> str:
    return ordinal(int(number), "fr")


def _first(_before: str, _number: str) -> str:
    return "première"


def _century(_before: str, numeral: str) -> str:
    value = roman(numeral)
    return numeral if value is None else ordinal(value, "fr")


def _numeral(_before: str, numeral: str) -> str:
    value = roman(numeral)
    if value is None:
        return numeral
    return "premier" if value == 1 else cardinal(value, "fr")


def _both(name: str) -> tuple[str, str]:
    return name, name


def _s(name: str) -> tuple[str, str]:
    first, blank, rest = name.partition(" ")
    return name, f"{first}s{blank}{rest}"


_EURO: Final = Currency("euro", "euros", "centime", "centimes")
_DOLLAR: Final = Currency("dollar", "dollars", "cent", "cents")

FRENCH: Final = Language(
    code="fr",
    point="virgule",
    to="à",
    symbols={
        "%": "pour cent", "-": "moins", "+": "plus", "=": "égale", "×": "fois", "÷": "divisé par", ":": "à", "&": "et",
        "°": "degrés", "§": "paragraphe", "<": "inférieur à", ">": "supérieur à", "≈": "environ", "±": "plus ou moins",
        "@": "arobase", "²": "au carré", "³": "au cube", "→": "vers", "per": "par", "€": "euros", "$": "dollars",
    },
    marks={".": "point", "@": "arobase", "/": "barre oblique", "-": "tiret", "_": "tiret bas", ":": "deux points",
           "?": "point d'interrogation", "=": "égale", "&": "et"},
    months=_MONTHS,
    month_patterns=(
        "janvier|janv\\.?", "février|févr?\\.?", "mars", "avril|avr\\.?", "mai", "juin", "juillet|juill?\\.?", "août",
        "septembre|sept\\.?", "octobre|oct\\.?", "novembre|nov\\.?", "décembre|déc\\.?",
    ),
    date=_date,
    time=_time,
    price=_price,
    currencies={
        "€": _EURO, "EUR": _EURO, "euros": _EURO, "$": _DOLLAR, "USD": _DOLLAR,
        "£": Currency("livre", "livres", "penny", "pence"),
        "CHF": Currency("franc suisse", "francs suisses", "centime", "centimes"),
        "¥": Currency("yen", "yens"),
    },
    large={
        "M": _s("million"), "millions": _s("million"), "million": _s("million"), "milliards": _s("milliard"),
        "milliard": _s("milliard"), "Md": _s("milliard"), "Mds": _s("milliard"),
    },
    of=_of,
    units={
        "km": _s("kilomètre"), "m": _s("mètre"), "cm": _s("centimètre"), "mm": _s("millimètre"), "kg": _s("kilogramme"),
        "g": _s("gramme"), "mg": _s("milligramme"), "t": _s("tonne"), "l": _s("litre"), "L": _s("litre"),
        "ml": _s("millilitre"), "cl": _s("centilitre"), "h": _s("heure"), "min": _s("minute"), "s": _s("seconde"),
        "ms": _s("milliseconde"), "°C": ("degré Celsius", "degrés Celsius"),
        "°F": ("degré Fahrenheit", "degrés Fahrenheit"),
        "°": _s("degré"), "km²": ("kilomètre carré", "kilomètres carrés"), "m²": ("mètre carré", "mètres carrés"),
        "m³": ("mètre cube", "mètres cubes"), "ha": _s("hectare"), "kW": _s("kilowatt"),
        "kWh": ("kilowattheure", "kilowattheures"),
        "W": _s("watt"), "V": _s("volt"), "A": _s("ampère"), "Hz": _both("hertz"), "kHz": _both("kilohertz"),
        "MHz": _both("mégahertz"), "GHz": _both("gigahertz"), "Ko": _s("kilooctet"), "Mo": _s("mégaoctet"),
        "Go": _s("gigaoctet"), "To": _s("téraoctet"), "GB": _s("gigaoctet"), "MB": _s("mégaoctet"),
        "kcal": _s("kilocalorie"),
        "M": _s("million"), "Md": _s("milliard"), "Mds": _s("milliard"), "dB": _s("décibel"), "ans": ("an", "ans"),
    },
    one=lambda noun: "une" if noun.startswith(_FEMININE) else "un",
    fractions={"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart", "3/4": "trois quarts",
               "½": "un demi", "¼": "un quart", "¾": "trois quarts", "⅓": "un tiers", "⅔": "deux tiers",
               "24/7": "vingt-quatre sept"},
    abbreviations={
        r"M\.(?= [A-ZÀÉ])": "Monsieur", r"MM\.(?= [A-ZÀÉ])": "Messieurs", r"Mme\b\.?": "Madame",
        r"Mlle\b\.?": "Mademoiselle",
        r"Dr\b\.?(?= [A-ZÀÉ])": "Docteur", r"Pr\b\.?(?= [A-ZÀÉ])": "Professeur", r"n[°º] ?(?=[0-9])": "numéro ",
        r"N[°º] ?(?=[0-9])": "Numéro ", r"etc\.": "et cetera", r"p\. ?(?=[0-9])": "page ", r"pp\. ?(?=[0-9])": "pages ",
        r"av\.(?= J\.-C\.)": "avant", r"ap\.(?= J\.-C\.)": "après", r"J\.-C\.": "Jésus-Christ",
        r"c\.-à-d\.": "c'est-à-dire",
        r"p\. ?ex\.": "par exemple", r"ex\. ?:": "exemple :", r"env\.": "environ", r"bd\b\.?(?= [A-ZÀÉ])": "boulevard",
        r"av\.(?= [A-ZÀÉdD])": "avenue", r"St(?=-[A-Z])": "Saint", r"Ste(?=-[A-Z])": "Sainte", r"tél\.": "téléphone",
        r"Tél\.": "Téléphone",
        r"art\. ?(?=[0-9])": "article ", r"max\.": "maximum", r"vol\. ?(?=[0-9])": "volume ",
        r"chap\. ?(?=[0-9])": "chapitre ",
    },
    ordinals=(
        (r"(?<![\w.,])(1)(?:re|ère)\b", _first),
        (r"(?<![\w.,])([0-9]{1,3})(?:er|e|ème|nd)\b", _ordinal),
        (r"\b([IVX]+)(?:e|ème)\b", _century),
        (r"(?<=[a-zéè] )\b([IVX]{2,5}|I(?=er\b))(?:er)?\b(?!['’.]\w)", _numeral),
    ),
)  # fmt: skip
