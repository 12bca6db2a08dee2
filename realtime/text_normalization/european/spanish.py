"""Spanish for the grammar of `grammar.py`."""

from typing import Final

from realtime.text_normalization.european.language import Currency, Language
from realtime.text_normalization.numerals import before_noun_es, cardinal, ordinal, roman

_MONTHS: Final = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_FEMININE: Final = ("hora", "libra", "tonelada", "pulgada", "onza")


def _date(_before: str, day: int, month: int, year: str) -> str:
    date = f"{cardinal(day, 'es')} de {_MONTHS[month - 1]}"
    return f"{date} de {year}" if year else date


def _time(hour: int, minute: int) -> str:
    hours = "una" if hour == 1 else cardinal(hour, "es").replace("veintiuno", "veintiuna")
    if not minute:
        return hours if hour <= 12 else f"{hours} horas"
    return f"{hours} {'cero ' if minute < 10 else ''}{cardinal(minute, 'es')}"


def _price(whole: int, hundredths: int, currency: Currency) -> str:
    cents = (
        f"{before_noun_es(cardinal(hundredths, 'es'))} {currency.hundredth if hundredths == 1 else currency.hundredths}"
    )
    if not whole:
        return cents
    return f"{before_noun_es(cardinal(whole, 'es'))} {currency.one if whole == 1 else currency.several} con {cents}"


def _ordinal(_before: str, number: str) -> str:
    return ordinal(int(number), "es")


def _feminine(_before: str, number: str) -> str:
    words = ordinal(int(number), "es")
    return words[:-1] + "a" if words.endswith("o") else words


def _short(_before: str, number: str) -> str:
    return ordinal(int(number), "es").removesuffix("o")


def _numeral(before: str, numeral: str) -> str:
    value = roman(numeral)
    if value is None:
        return numeral
    return cardinal(value, "es") if value > 10 or before.rstrip().endswith(("siglo", "Siglo")) else ordinal(value, "es")


def _s(name: str) -> tuple[str, str]:
    first, blank, rest = name.partition(" ")
    return name, f"{first}s{blank}{rest}"


def _both(name: str) -> tuple[str, str]:
    return name, name


_EURO: Final = Currency("euro", "euros", "céntimo", "céntimos")
_DOLLAR: Final = Currency("dólar", "dólares", "centavo", "centavos")

SPANISH: Final = Language(
    code="es",
    point="coma",
    to="a",
    symbols={
        "%": "por ciento", "-": "menos", "+": "más", "=": "igual a", "×": "por", "÷": "dividido entre", ":": "a",
        "&": "y",
        "°": "grados", "§": "sección", "<": "menor que", ">": "mayor que", "≈": "aproximadamente", "±": "más o menos",
        "@": "arroba", "²": "al cuadrado", "³": "al cubo", "→": "a", "per": "por", "€": "euros", "$": "dólares",
    },
    marks={".": "punto", "@": "arroba", "/": "barra", "-": "guion", "_": "guion bajo", ":": "dos puntos",
           "?": "signo de interrogación", "=": "igual", "&": "y"},
    months=_MONTHS,
    month_patterns=(
        "enero|ene\\.", "febrero|feb\\.", "marzo|mar\\.", "abril|abr\\.", "mayo|may\\.", "junio|jun\\.", "julio|jul\\.",
        "agosto|ago\\.", "septiembre|setiembre|sept?\\.", "octubre|oct\\.", "noviembre|nov\\.", "diciembre|dic\\.",
    ),
    date=_date,
    time=_time,
    price=_price,
    currencies={
        "€": _EURO, "EUR": _EURO, "euros": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "US$": _DOLLAR,
        "£": Currency("libra", "libras", "penique", "peniques"), "CHF": Currency("franco suizo", "francos suizos"),
        "¥": Currency("yen", "yenes"), "MXN": Currency("peso", "pesos", "centavo", "centavos"),
    },
    large={
        "millones": ("millón", "millones"), "millón": ("millón", "millones"), "mil": _both("mil"),
        "M": ("millón", "millones"),
    },
    of=lambda noun: f"de {noun}",
    units={
        "km": _s("kilómetro"), "m": _s("metro"), "cm": _s("centímetro"), "mm": _s("milímetro"), "kg": _s("kilogramo"),
        "g": _s("gramo"), "mg": _s("miligramo"), "t": _s("tonelada"), "l": _s("litro"), "L": _s("litro"),
        "ml": _s("mililitro"), "h": _s("hora"), "min": _s("minuto"), "s": _s("segundo"), "ms": _s("milisegundo"),
        "°C": ("grado Celsius", "grados Celsius"), "ºC": ("grado Celsius", "grados Celsius"),
        "°F": ("grado Fahrenheit", "grados Fahrenheit"), "°": _s("grado"),
        "km²": ("kilómetro cuadrado", "kilómetros cuadrados"),
        "m²": ("metro cuadrado", "metros cuadrados"), "m³": ("metro cúbico", "metros cúbicos"),
        "ha": ("hectárea", "hectáreas"),
        "kW": ("kilovatio", "kilovatios"), "kWh": ("kilovatio hora", "kilovatios hora"), "W": _s("vatio"),
        "V": _s("voltio"),
        "A": _s("amperio"), "Hz": ("hercio", "hercios"), "kHz": ("kilohercio", "kilohercios"),
        "MHz": ("megahercio", "megahercios"), "GHz": ("gigahercio", "gigahercios"), "KB": ("kilobyte", "kilobytes"),
        "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
        "kcal": _s("kilocaloría"), "dB": ("decibelio", "decibelios"),
    },
    one=lambda noun: "una" if noun.startswith(_FEMININE) else "un",
    fractions={"1/2": "un medio", "1/3": "un tercio", "2/3": "dos tercios", "1/4": "un cuarto", "3/4": "tres cuartos",
               "½": "medio", "¼": "un cuarto", "¾": "tres cuartos", "⅓": "un tercio", "⅔": "dos tercios",
               "24/7": "veinticuatro siete"},
    abbreviations={
        r"p\. ?ej\.": "por ejemplo", r"EE\. ?UU\.": "Estados Unidos", r"Sr\.": "señor", r"Sra\.": "señora",
        r"Srta\.": "señorita", r"Sres\.": "señores", r"Dr\.": "doctor", r"Dra\.": "doctora",
        r"D\.(?= [A-ZÁÉÍÓÚ])": "don",
        r"D\.ª": "doña", r"Ud\.": "usted", r"Uds\.": "ustedes", r"Vd\.": "usted", r"etc\.": "etcétera",
        r"núm\. ?": "número ", r"n\.?º ?(?=[0-9])": "número ", r"N\.?º ?(?=[0-9])": "Número ", r"pág\. ?": "página ",
        r"págs\. ?": "páginas ", r"Avda\.": "avenida", r"Av\.(?= )": "avenida", r"C/ ?(?=[A-ZÁÉÍÓÚ])": "calle ",
        r"tel\.": "teléfono", r"Tel\.": "Teléfono", r"a\. ?C\.": "antes de Cristo", r"d\. ?C\.": "después de Cristo",
        r"aprox\.": "aproximadamente", r"Prof\.": "profesor", r"máx\.": "máximo", r"mín\.": "mínimo",
        r"art\. ?(?=[0-9])": "artículo ",
        r"vol\. ?(?=[0-9])": "volumen ", r"cap\. ?(?=[0-9])": "capítulo ", r"a\. ?m\.": "de la mañana",
        r"p\. ?m\.": "de la tarde",
    },
    ordinals=(
        (r"(?<![\w.,])([13])\.?(?:er)\b", _short),
        (r"(?<![\w.,])([0-9]{1,3})\.?(?:º|o\b)", _ordinal),
        (r"(?<![\w.,])([0-9]{1,3})\.?(?:ª|a\b)", _feminine),
        (r"(?<=[a-záéíóú] )\b([IVX]{2,5})\b(?!['’.]\w)", _numeral),
    ),
)  # fmt: skip
