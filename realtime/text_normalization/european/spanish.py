"""Spanish for the grammar of `grammar.py`."""

import re
from collections.abc import Callable
from typing import Final

from realtime.text_normalization.european import dictionary
from realtime.text_normalization.european.abbreviations import SPANISH_ABBREVIATIONS, SPANISH_ENDINGS
from realtime.text_normalization.european.language import Currency, Language
from realtime.text_normalization.european.units import units
from realtime.text_normalization.numerals import before_noun_es, cardinal, digit_by_digit, roman
from realtime.text_normalization.ordinals import feminine_es, ordinal

_MONTHS: Final = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_FEMININE: Final = re.compile(
    r"(?:\w*(?:as?|ción|sión|ciones|siones|dad|dades|tud|tudes|umbre|umbres)|noches?|vez|veces|mujer(?:es)?|partes?|clases?"
    r"|tardes?|calles?|naves?|llaves?|imagen|imágenes|leyes|ley|manos?|fotos?|motos?|radios?|flor(?:es)?|redes|red"
    r"|fases?|bases?|series?|nubes?|sedes?|voz|voces|luz|luces|torres?|fuentes?|gentes?)$"
)
"""Nouns that are feminine, most of them by their endings."""

_MASCULINE: Final = re.compile(
    r"(?:día|mapa|planeta|programa|problema|sistema|tema|idioma|poema|lema|dilema|emblema|esquema|teorema|síntoma|diploma"
    r"|aroma|clima|drama|telegrama|crucigrama|diagrama|pijama|fantasma|panorama|tranvía|cometa|gorila|sofá|guía|yoga)s?$"
)
_NO_NOUN: Final = re.compile(
    "del|las|los|por|para|con|sin|son|era|más|menos|entre|sobre|desde|hasta|que|como|cada|tras|entonces|además|antes|después"
    "|igual|ante|bajo|según|durante|mediante|fue|han|está|están"
)
"""Words after a number that it does not count."""


def _is_feminine(noun: str) -> bool:
    first = noun.partition(" ")[0]
    return bool(_FEMININE.match(first)) and not _MASCULINE.match(first)


def _agree(words: str, noun: str) -> str:
    """Return a number as it stands before a noun: "veintiún", "veintiuna", "doscientas"."""
    is_noun = len(noun) > 2 and not _NO_NOUN.fullmatch(noun) and (words == "uno" or noun.endswith(("s", "mil")))
    if not is_noun or not noun[0].islower():
        return words
    if not _is_feminine(noun):
        return before_noun_es(words)
    start = words.rfind("illon") + 1  # millions are masculine
    return words[:start] + re.sub(r"(cient|quinient)os\b", r"\1as", re.sub("uno$", "una", words[start:]))


def _date(_before: str, day: int, month: int, year: str) -> str:
    date = f"{cardinal(day, 'es')} de {_MONTHS[month - 1]}"
    return f"{date} de {year}" if year else date


def _time(hour: int, minute: int, second: int) -> str:
    words = _agree(cardinal(hour, "es"), "horas" if hour > 1 else "hora")
    if second:
        seconds = f"{_agree(cardinal(second, 'es'), 'segundos')} segundo{'s' * (second > 1)}"
        return f"{words} {cardinal(minute, 'es')} y {seconds}"
    if not minute:
        return words if hour <= 12 else f"{words} horas"
    return f"{words} {'cero ' if minute < 10 else ''}{cardinal(minute, 'es')}"


def _price(whole: int, hundredths: int, currency: Currency) -> str:
    hundredth = currency.hundredth if hundredths == 1 else currency.hundredths
    cents = f"{_agree(cardinal(hundredths, 'es'), hundredth)} {hundredth}"
    if not whole:
        return cents
    unit = currency.one if whole == 1 else currency.several
    return f"{_agree(cardinal(whole, 'es'), unit)} {unit} con {cents}"


_NUMBER: Final = r"(?<![\w.,])(?<![0-9] )(?P<number>[1-9][. ][0-9]{3}|[0-9]{1,4})"
_AVOS: Final = re.compile(r"(?:a|(?<=un)o|)$")


def _fraction(numerator: int, denominator: int, noun: str) -> str:
    number = before_noun_es(cardinal(numerator, "es"))
    if denominator == 2:
        half = "media" if _is_feminine(noun) else "medio"
        return (half if noun else "un medio") if numerator == 1 else f"{number} medios"
    if denominator == 3:
        part = "tercio"
    elif denominator <= 10 or not denominator % 100:
        part = ordinal(denominator, "es")
    else:
        joined = cardinal(denominator, "es").replace(" y ", "i").replace(" ", "").translate(str.maketrans("éó", "eo"))
        part = _AVOS.sub("avo", joined, count=1)
    return f"{number} {part}{'s' if numerator > 1 else ''}"


def _mixed(number: int, numerator: int, denominator: int, noun: str) -> str:
    """Say the half behind the noun, which is a singular after one: "dos horas y media", "una taza y media"."""
    words = _agree(cardinal(number, "es"), noun)
    fraction = _fraction(numerator, denominator, noun or "kilo")
    if number == 1 and re.search("[aeiou]s$", noun):
        noun = noun.removesuffix("s")
    if denominator > 2:
        return f"{words} y {fraction} {noun}".rstrip()
    return f"{words} {noun} y {fraction}".replace("  ", " ")


def _telephone(number: str) -> str:
    return digit_by_digit(number, "es")


def _ordinal(_before: str, number: str, _after: str) -> str:
    return ordinal(int(re.sub("[. ]", "", number)), "es")


def _feminine(_before: str, number: str, _after: str) -> str:
    return feminine_es(_ordinal("", number, ""))


def _identity_number(_before: str, number: str, _after: str) -> str:
    """Say the digits of a DNI or NIF before its letter."""
    return f"{digit_by_digit(number, 'es')} "


def _short(_before: str, number: str, _after: str) -> str:
    return _ordinal("", number, "").removesuffix("o")


def _times_each(_before: str, number: str, _after: str) -> str:
    return "una vez" if number == "1" else f"{_agree(cardinal(int(number), 'es'), 'veces')} veces"


def _adjective(before: str, number: str, after: str) -> str:
    """Say an ordinal number, without its last letter before a noun: "primer", "tercer"."""
    words = _ordinal(before, number, after)
    return (
        words.removesuffix("o")
        if words.endswith(("primero", "tercero")) and re.match(" [a-z]{3}(?!\\w*\\.)(?!quierda|recha)", after)
        else words
    )


_PARTS: Final = frozenset(
    {"siglo", "capítulo", "tomo", "acto", "volumen", "título", "libro", "artículo", "tipo", "fase", "escena", "parte"}
)
"""What a roman numeral counts, also with a capital at the beginning of a sentence."""

_QUEENS: Final = re.compile(r"(?:Isabel|[A-ZÁÉÍÓÚ]\w+a)$")


def _numeral(before: str, numeral: str, _after: str) -> str:
    """Say a century as a number, a monarch up to ten with an ordinal number."""
    value = roman(numeral)
    if value is None:
        return numeral
    name = before.split()[-1]
    if value > 10 or not name[0].isupper() or name.lower() in _PARTS:
        return cardinal(value, "es")
    return feminine_es(ordinal(value, "es")) if _QUEENS.match(name) else ordinal(value, "es")


def _parts(_before: str, number: str, _after: str) -> str:
    """Say a fraction of parts: "dos terceras partes"."""
    count, part = (int(each) for each in number.split("/"))
    words = feminine_es(ordinal(part, "es"))
    return f"una {words}" if count == 1 else f"{cardinal(count, 'es')} {words}s"


def _s(name: str) -> tuple[str, str]:
    first, blank, rest = name.partition(" ")
    return name, f"{first}s{blank}{rest}"


def _both(name: str) -> tuple[str, str]:
    return name, name


_EURO: Final = Currency("euro", "euros", "céntimo", "céntimos")
_DOLLAR: Final = Currency("dólar", "dólares", "centavo", "centavos")

_PREFIXES: Final = {
    "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "h": "hecto", "d": "deci",
    "c": "centi",
    "m": "mili", "µ": "micro", "μ": "micro", "n": "nano",
}  # fmt: skip


def _joined(prefix: str, name: str) -> str:
    """Join a prefix and a unit; before "metro" the prefix has the stress."""
    return prefix[:-1] + {"o": "ó", "i": "í"}.get(prefix[-1], "á") + name if name.startswith("metro") else prefix + name


def _raised(adjective: str) -> Callable[[str], str]:
    return lambda name: f"{name} {adjective}{'s' if name.endswith('s') else ''}"


_UNITS: Final = units(
    {
        "m": _s("metro"), "g": _s("gramo"), "l": _s("litro"), "L": _s("litro"), "s": _s("segundo"), "h": _s("hora"),
        "min": _s("minuto"), "t": _s("tonelada"), "ha": _s("hectárea"), "W": _s("vatio"),
        "Wh": ("vatio hora", "vatios hora"), "V": _s("voltio"), "A": _s("amperio"),
        "Ah": ("amperio hora", "amperios hora"), "Hz": _s("hercio"), "Pa": ("pascal", "pascales"),
        "N": ("newton", "newtons"), "J": _s("julio"), "cal": _s("caloría"), "Ω": _s("ohmio"),
        "eV": _s("electronvoltio"),
        "mol": ("mol", "moles"), "B": _s("byte"), "bit": _s("bit"), "dB": _s("decibelio"),
    },
    _PREFIXES,
    _joined,
    {"²": _raised("cuadrado"), "³": _raised("cúbico")},
) | {
    "A": _s("amperio"), "°C": ("grado Celsius", "grados Celsius"), "ºC": ("grado Celsius", "grados Celsius"),
    "℃": ("grado Celsius", "grados Celsius"), "°F": ("grado Fahrenheit", "grados Fahrenheit"), "°": _s("grado"),
    "hs": _s("hora"), "lb": _s("libra"), "oz": _s("onza"), "ft": ("pie", "pies"), "mi": _s("milla"), "hrs": _s("hora"),
    "seg": _s("segundo"), "mph": ("milla por hora", "millas por hora"),
    "km/h": ("kilómetro por hora", "kilómetros por hora"), "kph": ("kilómetro por hora", "kilómetros por hora"),
    "CV": ("caballo", "caballos"), "rpm": ("revolución por minuto", "revoluciones por minuto"),
}  # fmt: skip
SPANISH: Final = Language(
    code="es",
    point="coma",
    to="a",
    out_of="sobre",
    divided_by="dividido entre",
    singular_below=0,
    symbols={
        "%": "por ciento", "-": "menos", "+": "más", "=": "igual a", "×": "por", "★": "estrellas",
        "÷": "dividido entre", ":": "a",
        "&": "y",
        "°": "grados", "§": "sección", "<": "menor que", ">": "mayor que", "≈": "aproximadamente",
        "≥": "mayor o igual que", "≤": "menor o igual que", "≠": "distinto de", "±": "más o menos",
        "·": "por", "‰": "por mil",
        "@": "arroba", "²": "al cuadrado", "³": "al cubo", "→": "a", "√": "raíz cuadrada de", "per": "por",
        "€": "euros", "$": "dólares",
    },
    marks={".": "punto", "@": "arroba", "/": "barra", "-": "guion", "_": "guion bajo", ":": "dos puntos",
           "?": "signo de interrogación", "=": "igual", "&": "y"},
    months=_MONTHS,
    month_patterns=(
        "enero|ene\\.", "febrero|feb\\.", "marzo|mar\\.", "abril|abr\\.", "mayo|may\\.", "junio|jun\\.", "julio|jul\\.",
        "agosto|ago\\.", "septiembre|setiembre|sept?\\.", "octubre|oct\\.", "noviembre|nov\\.", "diciembre|dic\\.",
    ),
    before_date="[Ee]l|al|ía",
    date=_date,
    time=_time,
    price=_price,
    currencies={
        "€": _EURO, "EUR": _EURO, "euros": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "US$": _DOLLAR,
        "£": Currency("libra", "libras", "penique", "peniques"), "CHF": Currency("franco suizo", "francos suizos"),
        "¥": Currency("yen", "yenes"), "MXN": Currency("peso", "pesos", "centavo", "centavos"),
    },
    large={
        "billones": ("billón", "billones"), "billón": ("billón", "billones"), "millones": ("millón", "millones"),
        "millón": ("millón", "millones"), "mil": _both("mil"),
        "M": ("millón", "millones"),
    },
    of=lambda noun: f"de {noun}",
    units=_UNITS,
    agree=_agree,
    fraction=_fraction,
    mixed=_mixed,
    telephone=_telephone,
    abbreviations=SPANISH_ABBREVIATIONS,
    ending=SPANISH_ENDINGS,
    dictionary=dictionary.SPANISH,
    ordinals=(
        (r"(?<![\w.,])(?P<number>[0-9]{7,8})(?=-?[A-Z]\b)", _identity_number),
        (r"(?<![\w.,])(?P<number>[0-9]{1,2}) ?[x×](?= (?:al|a la|por|cada)\b)", _times_each),
        (r"(?<![\w.,/])(?P<number>[1-9]/[3-9])(?= partes?\b)", _parts),
        (rf"{_NUMBER}(?<=[13])\.?(?:er)\b", _short),
        (rf"{_NUMBER}(?: ?\.?º(?![CF]\b)|\.?o\b|ro\b|do\b|to\b|mo\b|vo\b|no\b)", _adjective),
        (rf"{_NUMBER}(?: ?\.?ª|\.?a\b|ra\b|da\b|ta\b|ma\b|va\b|na\b)", _feminine),
        (r"(?<=[a-záéíóú] )\b(?P<number>[IVX]{2,5})\b(?!['’.]\w)", _numeral),
        (r"(?P<before>\b(?:siglo|capítulo|tomo|acto|volumen|título|libro|artículo|tipo|fase|escena) )"
         r"(?P<number>[IVXLC]+)\b(?!['’.]\w)", _numeral),
        (r"(?P<before>\b(?:Felipe|Carlos|Fernando|Alfonso|Isabel|Luis|Enrique|Jaime|Pedro|Sancho|Alejandro|Pío|Pablo|Juan"
         r"|Francisco|León|Benedicto|Nicolás|Napoleón|Guillermo|Federico|Maximiliano) )(?P<number>[IVX])\b(?!['’.]\w)",
         _numeral),
    ),
)  # fmt: skip
