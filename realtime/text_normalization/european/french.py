"""French for the grammar of `grammar.py`."""

import re
from collections.abc import Callable
from typing import Final

from realtime.text_normalization.european import dictionary
from realtime.text_normalization.european.abbreviations import FRENCH_ABBREVIATIONS, FRENCH_ENDINGS
from realtime.text_normalization.european.language import Currency, Language
from realtime.text_normalization.european.units import units
from realtime.text_normalization.numerals import cardinal, digit_by_digit, roman
from realtime.text_normalization.ordinals import ordinal

_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_FEMININE: Final = re.compile(
    r"(?:\w+(?:[st]ion|xion|ette|elle|enne|ance|ence|ure|ité|été|ade|aison|tude|euse|trice|esse|ière|ée|ie|ise|oise|tte|ise|uille"
    r"|ille)|heure|minute|seconde|livre|tonne|année|page|personne|place|chambre|maison|voiture|femme|fille|semaine|ville"
    r"|table|chaise|pièce|lettre|image|lampe|vache|pomme|carte|photo|tasse|part|note|rose|route|rue|école|équipe|langue"
    r"|étoile|boîte|porte|fenêtre|clé|histoire|tombe|couronne|roupie|once|ligne|règle|fleur|voix|nuit|main|couleur|île|salle"
    r"|plage|cage|dent|fête|classe|course|étape|marche|branche|bouche|tranche|espèce|ligue|usine|banque|église|tête|demi"
    r"|vie|chose|idée|forêt|feuille|clef|calorie|kilocalorie|cuillère|cuillerée|dame|reine|brebis|souris|paire|sœur|mère|fleur|dizaine|cour|eau|mer|clope|bière|boisson|recette|pilule|goutte|note|phrase|équation|molécule|âme"
    r"|chanson|leçon|façon|raison|saison|prison|boisson|poule|poire|banane|fraise|carotte|orange|robe|chaussure|veste"
    r"|cuisine|piscine|machine|heures?|ville|foule|roue|pile|corde|balle|boule|flèche|adresse|caisse|pièce|faute|touche"
    r"|date|liste|étude|enquête|crise|guerre|victoire|défaite|bataille|planète|lune|mission|vague|fois|brique|planche)s?$"
)
"""Nouns that are feminine, many of them by their endings."""

_MASCULINE: Final = frozenset(
    {"musée", "lycée", "trophée", "incendie", "parapluie", "génie", "squelette", "côté", "comité"}
)
_VOWELS: Final = tuple("aeiouyéèêh")


def _is_feminine(noun: str) -> bool:
    first = noun.partition(" ")[0]
    return bool(_FEMININE.match(first)) and first.removesuffix("s") not in _MASCULINE


def _agree(words: str, noun: str) -> str:
    """Return "une" for one before a feminine noun, also in "vingt et une"."""
    is_one = words == "un" or words.endswith((" un", "-un"))
    return f"{words}e" if is_one and _is_feminine(noun) else words


def _date(_before: str, day: int, month: int, year: str) -> str:
    return f"{'premier' if day == 1 else cardinal(day, 'fr')} {_MONTHS[month - 1]} {year}".rstrip()


def _time(hour: int, minute: int, second: int) -> str:
    words = f"{_agree(cardinal(hour, 'fr'), 'heure')} heure{'s' if hour > 1 else ''}"
    words = f"{words} {_agree(cardinal(minute, 'fr'), 'minute') if minute else ''}".rstrip()
    if not second:
        return words
    return f"{words} et {_agree(cardinal(second, 'fr'), 'seconde')} seconde{'s' if second > 1 else ''}"


def _price(whole: int, hundredths: int, currency: Currency) -> str:
    if not whole:
        return f"{cardinal(hundredths, 'fr')} {currency.hundredth if hundredths == 1 else currency.hundredths}"
    unit = currency.one if whole == 1 else currency.several
    return f"{_agree(cardinal(whole, 'fr'), unit)} {unit} {cardinal(hundredths, 'fr')}"


def _of(noun: str) -> str:
    return f"d'{noun}" if noun.startswith(_VOWELS) else f"de {noun}"


def _fraction(numerator: int, denominator: int, noun: str) -> str:
    number = cardinal(numerator, "fr")
    if denominator == 2:
        return "une demi" if numerator == 1 and _is_feminine(noun) else f"{number} demi{'s' if numerator > 1 else ''}"
    if denominator == 3:
        return f"{number} tiers"
    part = "quart" if denominator == 4 else ordinal(denominator, "fr")
    return f"{number} {part}{'s' if numerator > 1 else ''}"


def _mixed(number: int, numerator: int, denominator: int, noun: str) -> str:
    """Say the half behind the noun: "deux heures et demie"."""
    words = _agree(cardinal(number, "fr"), noun)
    if denominator == 2:
        return f"{words} {noun} et demi{'e' if _is_feminine(noun) else ''}".replace("  ", " ")
    return f"{words} et {_fraction(numerator, denominator, noun)} {noun}".rstrip()


def _telephone(number: str) -> str:
    """Say the groups of a telephone number, most of them pairs, as numbers."""
    return ", ".join(
        " ".join(
            ["zéro"] * (len(group) - len(group.lstrip("0"))) + ([cardinal(int(group), "fr")] if int(group) else [])
        )
        if len(group) < 4
        else digit_by_digit(group, "fr")
        for group in re.findall("[0-9]+", number)
    )


def _ordinal(_before: str, number: str, _after: str) -> str:
    return ordinal(int(number), "fr")


def _times_each(_before: str, number: str, _after: str) -> str:
    return f"{_agree(cardinal(int(number), 'fr'), 'fois')} fois"


def _firsts(_before: str, _number: str, _after: str) -> str:
    return "premiers"


def _first(_before: str, _number: str, _after: str) -> str:
    return "première"


def _second(_before: str, _number: str, _after: str) -> str:
    return "seconde"


def _century(_before: str, numeral: str, _after: str) -> str:
    value = roman(numeral)
    return numeral if value is None else ordinal(value, "fr")


def _numeral(_before: str, numeral: str, _after: str) -> str:
    value = roman(numeral)
    return numeral if value is None else cardinal(value, "fr")


def _king(_before: str, _numeral: str, _after: str) -> str:
    return "premier"


def _both(name: str) -> tuple[str, str]:
    return name, name


def _s(name: str) -> tuple[str, str]:
    first, blank, rest = name.partition(" ")
    return name, f"{first}s{blank}{rest}"


_EURO: Final = Currency("euro", "euros", "centime", "centimes")
_DOLLAR: Final = Currency("dollar", "dollars", "cent", "cents")

_PREFIXES: Final = {
    "k": "kilo", "K": "kilo", "M": "méga", "G": "giga", "T": "téra", "P": "péta", "h": "hecto", "d": "déci",
    "c": "centi",
    "m": "milli", "µ": "micro", "μ": "micro", "n": "nano",
}  # fmt: skip


def _raised(adjective: str) -> Callable[[str], str]:
    return lambda name: f"{name} {adjective}{'s' if name.endswith('s') else ''}"


_UNITS: Final = units(
    {
        "m": _s("mètre"), "g": _s("gramme"), "l": _s("litre"), "L": _s("litre"), "s": _s("seconde"), "h": _s("heure"),
        "min": _s("minute"), "t": _s("tonne"), "ha": _s("hectare"), "W": _s("watt"), "Wh": _s("wattheure"),
        "V": _s("volt"), "A": _s("ampère"), "Ah": _s("ampèreheure"), "Hz": _both("hertz"), "Pa": _s("pascal"),
        "N": _s("newton"), "J": _s("joule"), "cal": _s("calorie"), "Ω": _s("ohm"), "eV": _s("électronvolt"),
        "mol": _s("mole"), "B": _s("octet"), "o": _s("octet"), "bit": _s("bit"), "dB": _s("décibel"),
    },
    _PREFIXES,
    lambda prefix, name: prefix + name,
    {"²": _raised("carré"), "³": _raised("cube")},
) | {
    "A": _s("ampère"), "mn": _s("minute"), "lb": _s("livre"), "oz": _s("once"), "mi": ("mille", "milles"),
    "sec": _s("seconde"), "°C": ("degré Celsius", "degrés Celsius"),
    "℃": ("degré Celsius", "degrés Celsius"), "°F": ("degré Fahrenheit", "degrés Fahrenheit"), "°": _s("degré"),
    "M": _s("million"), "Md": _s("milliard"), "Mds": _s("milliard"), "ans": ("an", "ans"), "j": _s("jour"),
    "ch": ("cheval", "chevaux"), "CV": ("cheval", "chevaux"), "tr/min": ("tour par minute", "tours par minute"),
    "Mbit/s": ("mégabit par seconde", "mégabits par seconde"), "kcal": _s("kilocalorie"), "kg": _s("kilogramme"),
    "km/h": ("kilomètre par heure", "kilomètres par heure"), "ct": _s("centime"), "hab": _s("habitant"),
}  # fmt: skip
FRENCH: Final = Language(
    code="fr",
    point="virgule",
    to="à",
    out_of="sur",
    divided_by="divisé par",
    singular_below=2,
    symbols={
        "%": "pour cent", "-": "moins", "+": "plus", "=": "égale", "×": "fois", "★": "étoiles",
        "÷": "divisé par", ":": "à", "&": "et",
        "°": "degrés", "§": "paragraphe", "<": "inférieur à", ">": "supérieur à", "≈": "environ",
        "≥": "supérieur ou égal à", "≤": "inférieur ou égal à", "≠": "différent de", "±": "plus ou moins",
        "·": "fois", "‰": "pour mille",
        "@": "arobase", "²": "au carré", "³": "au cube", "→": "vers", "√": "racine carrée de", "per": "par",
        "€": "euros", "$": "dollars",
    },
    marks={".": "point", "@": "arobase", "/": "barre oblique", "-": "tiret", "_": "tiret bas", ":": "deux points",
           "?": "point d'interrogation", "=": "égale", "&": "et"},
    months=_MONTHS,
    month_patterns=(
        "janvier|janv\\.?", "février|févr?\\.?", "mars", "avril|avr\\.?", "mai", "juin", "juillet|juill?\\.?", "août",
        "septembre|sept\\.?", "octobre|oct\\.?", "novembre|nov\\.?", "décembre|déc\\.?",
    ),
    before_date="[Ll]e|du|au",
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
    units=_UNITS,
    agree=_agree,
    fraction=_fraction,
    mixed=_mixed,
    telephone=_telephone,
    abbreviations=FRENCH_ABBREVIATIONS,
    ending=FRENCH_ENDINGS,
    dictionary=dictionary.FRENCH,
    ordinals=(
        (r"(?<![\w.,])(?P<number>1)(?:re|ère)(?=s?\b)", _first),
        (r"(?<![\w.,])(?P<number>[0-9]{1,2}) ?[x×](?= (?:par|le|la|chaque)\b)", _times_each),
        (r"(?<![\w.,])(?P<number>1)ers\b", _firsts),
        (r"(?<![\w.,])(?P<number>2)n?de\b", _second),
        (r"(?<![\w.,])(?P<number>2)nd\b", lambda _before, _number, _after: "second"),
        (r"(?<![\w.,])(?<![0-9] )(?P<number>[0-9]{1,4})(?:ers?|es?|èmes?|nd|ième)\b", _ordinal),
        (r"(?<![\w.,])(?P<number>[1-9][0-9]?) ?°(?= (?:arrondissement|étage|siècle|rang)\b)", _ordinal),
        (r"\b(?P<number>I)re\b", _first),
        (r"\b(?!Les?\b)(?P<number>[IVXL]+)(?:es?|èmes?)\b", _century),
        (r"\b(?P<number>I)er\b", _king),
        (r"(?P<before>\b(?i:chapitre|tome|acte|scène|livre|volume|partie|titre|type|phase|niveau|article|annexe) )"
         r"(?P<number>[IVXLC]+)\b(?!['’.]\w)", _numeral),
        (r"(?<=[a-zéè] )\b(?P<number>[IVX]{2,5})\b(?!['’.]\w)", _numeral),
        (r"(?P<before>\b(?:Charles|Henri|Philippe|Louis|Pie|Léon|Paul|Urbain|Albert|Georges|Alphonse|Charles) )"
         r"(?P<number>[VX])\b(?!['’.]\w)", _numeral),
    ),
)  # fmt: skip
