"""Units of measurement, after a number or where capitals show that they are units: 5 kWh, 10 mg/dL, per kWh.

The names are made of the prefixes and units of the SI (BIPM, "The International System of Units"), and of those of
IEC 80000-13 for bits and bytes; to these come the customary units of America and Britain.
"""

import re
from typing import Final

from realtime.text_normalization.english.abbreviations import DIRECTIONS
from realtime.text_normalization.english.describing import NOUN, describes
from realtime.text_normalization.rules import NUMBER, Rule, one_of

_PREFIXES: Final = {
    "": "", "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "h": "hecto", "d": "deci",
    "c": "centi", "m": "milli", "µ": "micro", "μ": "micro", "n": "nano", "p": "pico", "Ki": "kibi", "Mi": "mebi",
    "Gi": "gibi", "Ti": "tebi",
}  # fmt: skip

_UNITS: Final = (
    ("m", "meter", (*"cdkmnµμ", "")), ("g", "gram", (*"kmnµμ", "")), ("s", "second", "mnµμ"), ("h", "hour", ("",)),
    ("l", "liter", (*"cdmµμ", "")), ("L", "liter", (*"cdmµμ", "")), ("V", "volt", (*"kmµμM", "")),
    ("W", "watt", (*"kmMGT", "")), ("A", "amp", "kmnµμ"), ("Ω", "ohm", (*"kmM", "")), ("Ω", "ohm", (*"kmM", "")),
    ("F", "farad", "mnpµμ"), ("N", "newton", "kmµμ"), ("J", "joule", "kmMG"), ("Wh", "watt hour", (*"kMGT", "")),
    ("Ah", "amp hour", ("", "m", "k")), ("Nm", "newton meter", ("", "k", "m")), ("Hz", "hertz", (*"kmMGT", "")),
    ("Pa", "pascal", (*"hkmMG", "")), ("cal", "calorie", (*"k", "")), ("eV", "electronvolt", (*"kMGT", "")),
    ("mol", "mole", (*"mnµμ", "")), ("M", "molar", "mnµμ"), ("Sv", "sievert", (*"mµμ", "")),
    ("B", "byte", (*"kKMGTP", "Ki", "Mi", "Gi", "Ti")),
    ("b", "bit", "kKMGT"), ("bit", "bit", "kKMGT"), ("bps", "bit per second", "kKMGT"),
    ("Bps", "byte per second", "kKMGT"),
)  # fmt: skip
"""Symbol, name, and the prefixes that occur with it and make no other word: no `pm`, no abbreviations of states."""

_OF_SI: Final = {
    prefix + symbol: re.sub("(?<=kil)o(?=ohm)|(?<=meg)a(?=ohm)", "", _PREFIXES[prefix] + name)
    for symbol, name, prefixes in _UNITS
    for prefix in prefixes
}

_OTHER_CASES: Final = {
    "Kg": "kg", "KG": "kg", "Km": "km", "KM": "km", "Mbit": "Mbit", "mbps": "Mbps", "gbps": "Gbps", "kbps": "kbps",
    "MBPS": "Mbps", "kwh": "kWh", "KWH": "kWh", "mhz": "MHz", "ghz": "GHz", "Ghz": "GHz", "Mhz": "MHz", "khz": "kHz",
}  # fmt: skip
"""What people write, with the symbol that they mean."""

_NAMES: Final = _OF_SI | {other: _OF_SI[symbol] for other, symbol in _OTHER_CASES.items()}

_CUSTOMARY: Final = {
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"), "ft": ("foot", "feet"),
    "yd": ("yard", "yards"), "yds": ("yard", "yards"), "mi": ("mile", "miles"),
    "sq ft": ("square foot", "square feet"), "sq mi": ("square mile", "square miles"),
    "sq m": ("square meter", "square meters"), "sq in": ("square inch", "square inches"),
    "sq yd": ("square yard", "square yards"), "sq km": ("square kilometer", "square kilometers"),
    "cu ft": ("cubic foot", "cubic feet"), "cu in": ("cubic inch", "cubic inches"),
    "cu yd": ("cubic yard", "cubic yards"), "cu m": ("cubic meter", "cubic meters"),
    "fl oz": ("fluid ounce", "fluid ounces"), "gal": ("gallon", "gallons"),
    "qt": ("quart", "quarts"), "tsp": ("teaspoon", "teaspoons"), "st": ("stone", "stone"),
    "tbsp": ("tablespoon", "tablespoons"), "Tbsp": ("tablespoon", "tablespoons"), "ha": ("hectare", "hectares"),
    "mph": ("mile per hour", "miles per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "mpg": ("mile per gallon", "miles per gallon"), "psi": ("pound per square inch", "pounds per square inch"),
    "hr": ("hour", "hours"), "hrs": ("hours", "hours"), "min": ("minute", "minutes"), "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"), "secs": ("second", "seconds"), "yr": ("year", "years"), "yrs": ("year", "years"),
    "wk": ("week", "weeks"), "wks": ("week", "weeks"), "mo": ("month", "months"),
    "fps": ("frame per second", "frames per second"),
    "cc": ("cubic centimeter", "cubic centimeters"), "mcg": ("microgram", "micrograms"), "kt": ("knot", "knots"),
    "kts": ("knot", "knots"), "rpm": ("R P M", "R P M"), "bpm": ("beat per minute", "beats per minute"),
    "ppm": ("part per million", "parts per million"), "ppb": ("part per billion", "parts per billion"),
    "dpi": ("dot per inch", "dots per inch"), "px": ("pixel", "pixels"), "MP": ("megapixel", "megapixels"),
    "dB": ("decibel", "decibels"), "dBm": ("D B M", "D B M"), "dBFS": ("D B F S", "D B F S"),
    "pct": ("percent", "percent"),
    "hp": ("horsepower", "horsepower"), "lx": ("lux", "lux"), "lm": ("lumen", "lumens"), "BTU": ("B T U", "B T U"),
    "ft-lb": ("foot pound", "foot pounds"), "ft-lbs": ("foot pound", "foot pounds"),
    "ft·lb": ("foot pound", "foot pounds"), "lb-ft": ("pound foot", "pound feet"),
    **dict.fromkeys(("N-m", "N·m", "N⋅m"), ("newton meter", "newton meters")),
    "in-lb": ("inch pound", "inch pounds"), "in-lbs": ("inch pound", "inch pounds"),
    "mm Hg": ("millimeter of mercury", "millimeters of mercury"),
    "mmHg": ("millimeter of mercury", "millimeters of mercury"), "Bq": ("becquerel", "becquerels"),
    "K": ("kelvin", "kelvins"),
    "atm": ("atmosphere", "atmospheres"), "AU": ("astronomical unit", "astronomical units"), "ct": ("carat", "carats"),
    "pts": ("point", "points"), "rebs": ("rebound", "rebounds"), "asts": ("assist", "assists"),
}  # fmt: skip
"""Names for one and for several of other units; `K` only after a blank, since "5K" is five thousand."""

_DIVISORS: Final = {
    **_NAMES, **{symbol: names[0] for symbol, names in _CUSTOMARY.items() if symbol != "K"},
    "h": "hour", "s": "second", "sec": "second", "min": "minute", "day": "day", "d": "day", "week": "week",
    "month": "month", "year": "year", "hour": "hour", "gallon": "gallon", "ft": "foot",
    **{f"100{gap}{symbol}": f"one hundred {name}s" for gap in ("", " ")
       for symbol, name in (("km", "kilometer"), ("g", "gram"), ("ml", "milliliter"), ("mL", "milliliter"))},
}  # fmt: skip
_POWERS: Final = {"²": "square ", "³": "cubic ", None: ""}

_DISTINCT: Final = [
    symbol
    for symbol in _NAMES
    if re.search("^[µμ]|[a-z].*[A-ZΩ]|[A-ZΩ].*[a-z]", symbol)
    and symbol not in {"Ah", "Gb", "Hz", "Mb", "Nm", "Pa", "Tb", "Wh", "eV"}
]  # fmt: skip
"""Units that are nothing else even without a number, with small letters and capitals, or a µ: kWh, mAh."""


_ALL: Final = {**_NAMES, **{symbol: "" for symbol in _CUSTOMARY if symbol != "K"}}
_UNIT: Final = rf"(?P<unit>{one_of(_ALL)})(?P<power>[²³])?"
_DIVISOR: Final = rf"/(?P<divisor>{one_of(_DIVISORS)})(?P<divisor_power>[²³])?"
_END: Final = r"(?![\w'’²³]|/[^\W\d_])"
_STOP: Final = r"(?:\.(?=[,)]| [a-z(]|(?<=ft\.) [0-9]))?"
"""The stop of an abbreviated unit within a sentence."""

_PARTS: Final = r"\b(?:half|(?:third|quarter|fifth|sixth|eighth|tenth|sixteenth)s?)"
_SINGULAR: Final = r"(?P<one>\b(?:an?|each|every|one|per) |/)?(?<![\w.-])"


def _name(match: re.Match[str], *, plural: bool) -> str:
    """Return the names of the unit and of what it is divided by."""
    unit = match["unit"]
    if unit in _CUSTOMARY:
        name = _POWERS[match["power"] or None] + _CUSTOMARY[unit][plural]
    else:
        name = _POWERS[match["power"] or None] + _NAMES[unit]
        if plural and not name.endswith(("hertz", "molar")):
            first, per, rest = name.partition(" per ")
            name = f"{first}s{per}{rest}"
    if not (divisor := match.groupdict().get("divisor")):
        return name
    of, power = _DIVISORS[divisor], match["divisor_power"]
    return f"{name} per " + (f"{of} squared" if of == "second" and power else _POWERS[power] + of)


def _measure(match: re.Match[str]) -> str:
    """Read a number with a unit, which is singular after 1, and before what it describes."""
    number, gap = match["number"], match["gap"]
    name = _name(match, plural=number not in ("1", "one") and gap != "-" and not describes(match))
    return f"{number} {name}"


def _without_number(match: re.Match[str]) -> str:
    before = " per " if match["one"] == "/" else match["one"] or ""
    return before + _name(match, plural=not before)


def _height(match: re.Match[str]) -> str:
    return f"{match[1]} foot {match[2]} inch" if describes(match) else f"{match[1]} feet {match[2]} inches"


def _stars(match: re.Match[str]) -> str:
    return f"{match[1]} star{'' if match[1] == '1' or NOUN.match(match.string, match.end()) else 's'}"


_LENGTHS: Final = "[kcmd]?m|ft"


def _raised(match: re.Match[str]) -> str:
    """Raise the exponent of a length: `cm2` becomes `cm²`."""
    length, exponent = match[1] or match[3], match[2] or match[4]
    return length + {"2": "²", "3": "³"}[exponent]


_SCALES: Final = {"C": " Celsius", "F": " Fahrenheit", "": ""}


def _degrees(match: re.Match[str]) -> str:
    singular = match[1] == "1" or describes(match)
    return f"{match[1]} degree{'' if singular else 's'}{_SCALES[match[2] or '']}"


UNITS: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?:(?<=[0-9]) ?|(?<=\bper) )(sq|cu|fl)\.? ?(in|ft|yd|mi|k?m|oz)\b(?:\.(?=,| [a-z]))?"), r" \1 \2"),
    (
        re.compile(rf"(?<=\bper )(?<!\b[Aa]s per )(?P<unit>{one_of(_CUSTOMARY)}|h)(?P<power>){_END}"),
        lambda match: _name(match, plural=False),
    ),
    (
        re.compile(rf"(?<![\w.])({_LENGTHS})([23])(?![\w-]|[.,][0-9])|(?<=[0-9] )(k?m|cm|mm)([23])(?!\w|[.,][0-9])"),
        _raised,
    ),
    (
        re.compile(rf"{_SINGULAR}(?<![-+=−*/×] )(?P<unit>{_LENGTHS})(?P<power>[²³])(?![\w/^]| ?[-+=−*×])"),
        _without_number,
    ),
    # two ratings of a device: 5V/2A
    (
        re.compile(
            rf"(?<![\w.,$€£])({NUMBER} ?(?:{one_of(_ALL)}))/(?!100 ?(?:km|g|m[lL])\b)"
            rf"(?={NUMBER} ?(?:{one_of(_ALL)}|A)(?!\w))"
        ),
        r"\1, ",
    ),
    (
        re.compile(
            rf"(?<![\w.,])((?<=[0-9]V, ){NUMBER}|[0-9]+\.[0-9]+"
            r"|[0-9]+(?= ?A (?:fuse|breaker|circuit|charger|outlet|socket)\b)) ?A(?!\w)"
        ),
        lambda match: f"{match[1]} amp{'' if match[1] == '1' or describes(match) else 's'}",
    ),
    (
        re.compile(r"(?<![\w.,])([0-9]{1,2})st(?= ?[0-9]{1,2} ?lbs?\b)|(?<![\w.,])([0-9]?(?:[02-9]|11))st\b"),
        lambda match: f"{match[1] or match[2]} stone",
    ),
    (re.compile(r"(?<![\w.,])([0-9]) ?ft\.? ([0-9]{1,2}) ?in\b(?:\.(?=,| [a-z]))?"), _height),
    (re.compile(rf"(?<=[⁰¹²³⁴-⁹]) {_UNIT}(?:{_DIVISOR})?{_END}"), lambda match: f" {_name(match, plural=True)}"),
    (re.compile(r"(?<=half|rter|ters) +pt\b"), " pint"),
    (re.compile(rf"(?<=[0-9]\+) ?{_UNIT}{_END}"), lambda match: f" {_name(match, plural=True)}"),
    (
        re.compile(
            r"(?i)\b((?:temperature|minimum|maximum|highs?|lows?|fever)(?: of| is| was|:)? [-−]?[0-9]{1,2}) ?C\b"
        ),
        r"\1 degrees Celsius",
    ),
    (re.compile(r"(?<=[0-9°º][CF])/(?=[0-9]{2,3} ?[°º]?[CF]\b)"), ", "),
    (
        re.compile(r"(?<![\w°] )(?<![\w°])°([CF])\b|(?<=[a-z] )°([CF])\b"),
        lambda match: "degrees" + _SCALES[match[1] or match[2]],
    ),
    (re.compile(rf"(?<![\w.,])({NUMBER}) ?(?:°|º|deg\b) ?([CF])?(?![\w°])"), _degrees),
    (
        re.compile(rf"(?<=mph )({one_of(DIRECTIONS)})(?![\w'’-]|\.\w)"),
        lambda match: DIRECTIONS[match[1]].lower(),
    ),
    (
        re.compile(r"(?<![\w.,$€£/-])([1-9][0-9]{1,2}\.[0-9]|[1-9][0-9]{2}) ?F(?![\w'’-]|\.\w)"),
        r"\1 degrees Fahrenheit",
    ),
    (re.compile(r"(?<![\w.,$€£-])((?:1[0-9]|2[0-6])0) ?C(?![\w'’-])"), r"\1 degrees Celsius"),
    (re.compile(r"(?<=[0-9] degrees) ([CF])\b"), lambda match: _SCALES[match[1]]),
    (
        re.compile(r"(?:(?<=[0-9] degrees)|(?<=[0-9] minutes)|(?<=[0-9] seconds)) ([NSEW])(?![\w'’-])"),
        lambda match: f" {DIRECTIONS[match[1]].lower()}",
    ),
    (
        re.compile(rf"\b({one_of(DIRECTIONS)})(?= [0-9]{{1,3}}(?: to [0-9]{{1,3}})? (?:mph|km/h|knots)\b)"),
        lambda match: DIRECTIONS[match[1]].lower(),
    ),
    (re.compile(r"(?<=[0-9]) ?℃"), " degrees Celsius"),
    (re.compile(r"(?<=[0-9]) ?℉"), " degrees Fahrenheit"),
    (
        re.compile(
            rf"(?<![\w.,$€£])(?P<number>{NUMBER})(?!st\b)(?P<gap> ?|-(?=\w\w)){_UNIT}(?:{_DIVISOR})?{_END}{_STOP}"
        ),
        _measure,
    ),
    (
        re.compile(
            rf"(?<![\w.,$€£])({NUMBER}) ?in"
            r"(?=\.?$|[,;)]|\. [A-Z]| (?:long|wide|tall|high|thick|deep|by|x|of (?:rain|snow))\b)"
        ),
        lambda match: f"{match[1]} inch{'' if match[1] == '1' else 'es'}",
    ),
    (re.compile(r"(?<![\w.,$€£])([0-9]+\.[0-9]+)s\b"), r"\1 seconds"),
    (
        re.compile(
            rf"(?<![\w.,$€£])(?=[0-9.,]{{3}})(?P<number>{NUMBER})(?P<gap> )(?P<unit>K)(?P<power>)"
            r"(?![\w'’]| (?:run|race))"
        ),
        _measure,
    ),
    (
        re.compile(rf"(?P<and>\band a )?(?P<part>{_PARTS}) +{_UNIT}{_END}{_STOP}"),
        lambda match: f"{match['and'] or ''}{match['part']} {_name(match, plural=bool(match['and']))}",
    ),
    (
        re.compile(rf"(?P<large>(?:million|billion|thousand) )(?=\w\w){_UNIT}(?:{_DIVISOR})?{_END}{_STOP}"),
        lambda match: match["large"] + _name(match, plural=True),
    ),
    (re.compile(rf"{_SINGULAR}(?=\w\w+/|m/){_UNIT}{_DIVISOR}{_END}"), _without_number),
    (re.compile(rf"{_SINGULAR}(?P<unit>{one_of(_DISTINCT)})(?P<power>[²³])?{_END}"), _without_number),
    (re.compile(rf"(?<![\w.,])({NUMBER})★"), _stars),
)
