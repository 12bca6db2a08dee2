"""Amounts of money, with large numbers ("$3.5bn"), in ranges, as adjectives ("a $5 bill") and per unit."""

import re
from typing import Final, NamedTuple

from realtime.text_normalization.numerals import cardinal, decimal
from realtime.text_normalization.rules import NUMBER, Rule, one_of


class _Currency(NamedTuple):
    """Names for one and for several, of the unit and of its hundredth; without a hundredth for the yen."""

    one: str
    several: str
    hundredth: str = ""
    hundredths: str = ""


_DOLLAR: Final = _Currency("dollar", "dollars", "cent", "cents")
_CURRENCIES: Final = {
    "$": _DOLLAR, "€": _Currency("euro", "euros", "cent", "cents"), "£": _Currency("pound", "pounds", "penny", "pence"),
    "¥": _Currency("yen", "yen"), "￥": _Currency("yen", "yen"), "₩": _Currency("won", "won"),
    "₹": _Currency("rupee", "rupees", "paisa", "paise"), "₽": _Currency("ruble", "rubles", "kopeck", "kopecks"),
    "₺": _Currency("lira", "lira", "kurus", "kurus"), "₿": _Currency("bitcoin", "bitcoins"),
    "₫": _Currency("dong", "dong"), "₴": _Currency("hryvnia", "hryvnias"), "₪": _Currency("shekel", "shekels"),
}  # fmt: skip
_CODES: Final = {
    "USD": _DOLLAR, "EUR": _CURRENCIES["€"], "GBP": _CURRENCIES["£"], "JPY": _CURRENCIES["¥"],
    "INR": _CURRENCIES["₹"], "KRW": _CURRENCIES["₩"], "CNY": _Currency("yuan", "yuan"),
    "RMB": _Currency("yuan", "yuan"),
    "CHF": _Currency("Swiss franc", "Swiss francs", "centime", "centimes"),
    "CAD": _Currency("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "AUD": _Currency("Australian dollar", "Australian dollars", "cent", "cents"),
    "NZD": _Currency("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "SEK": _Currency("Swedish krona", "Swedish kronor"), "NOK": _Currency("Norwegian krone", "Norwegian kroner"),
    "DKK": _Currency("Danish krone", "Danish kroner"), "BTC": _CURRENCIES["₿"],
}  # fmt: skip
_COUNTRIES: Final = {
    "US": "U S", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian", "NZ": "New Zealand",
    "HK": "Hong Kong", "S": "Singapore", "R": "Brazilian", "MX": "Mexican",
}  # fmt: skip
"""What stands before the dollar sign, with the country whose dollar it is."""

_LARGE: Final = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "mm": "million", "MM": "million",
    "b": "billion", "B": "billion", "bn": "billion", "Bn": "billion", "tn": "trillion", "T": "trillion",
    **{word: word for word in ("hundred", "thousand", "million", "billion", "trillion")},
}  # fmt: skip

_SIGNS: Final = "[" + "".join(_CURRENCIES) + "]"
_SIGNED: Final = rf"(?:\b(?:{one_of(_COUNTRIES)})(?=\$))?{_SIGNS}"
_LARGE_PATTERN: Final = rf"(?:[ -]?(?P<large>{one_of(_LARGE)})(?![\w]))?"
_AMOUNT: Final = rf"(?P<amount>{NUMBER}|\.[0-9]+)"
_ARTICLE: Final = re.compile(
    r"(?i:\b(?:an?|each|this|that|another|his|her|my|our|their|your|the)) $"
    r"|\b(?!It|That|There|Here|He|She|What|Who|Where|How)[A-Z]\w*['’]s $"
)
_NOUN: Final = re.compile(
    r"-an?-[a-z]|"
    r"[ -](?!(?:and|or|in|for|per|each|to|on|at|more|less|from|is|was|a|back|off|now|again|by|if|when|because|but"
    r"|so|total|extra|worth|with|of|as|than|then)\b)[a-z]{2,}"
    r"| (?!US|USD|CAD|AUD)[A-Z]{2,4}\b"
)
_PRICED: Final = re.compile(
    r"[ -](?:(?!(?:I|we|you|they|he|she|it|my|your|his|her|our|their|the|this|that)\b)[\w-]+ )?(?:bill|note"
    r"|coin|fee|fine|price|ticket|prize|jackpot|settlement|range|budget|fund|loan|grant|gift|card|charge|deal|bonus|contract"
    r"|investment|project|package|plan|deposit|check|mark|limit|minimum|discount|credit|lawsuit|penalty|reward|toll|tag)s?\b"
)
"""What an amount with "the" describes; behind any other word it is of several: "the $5 my mother gave me"."""


def _is_adjective(match: re.Match[str]) -> bool:
    """Return whether an amount describes a noun: "a $5 bill"."""
    before = _ARTICLE.search(match.string, max(0, match.start() - 20), match.start())
    if not before or (before[0].lower() == "the " and not _PRICED.match(match.string, match.end())):
        return False
    return bool(_NOUN.match(match.string, match.end()))


def _said(amount: str, large: str | None, currency: _Currency, *, adjective: bool) -> str:
    number = amount.replace(",", "")
    whole, _, fraction = number.partition(".")
    if large:
        return f"{decimal(number)} {_LARGE[large]} {currency.one if adjective else currency.several}"
    if adjective and not fraction.strip("0"):
        return f"{cardinal(int(whole))} {currency.one}"
    if len(fraction) > 2 or (fraction.strip("0") and not currency.hundredth):
        return f"{decimal(number)} {currency.several}"
    units, hundredths = int(whole or 0), int(f"{fraction:0<2}")
    parts = [f"{cardinal(units)} {currency.one if units == 1 else currency.several}"] if units or not hundredths else []
    if hundredths:
        parts.append(f"{cardinal(hundredths)} {currency.hundredth if hundredths == 1 else currency.hundredths}")
    return " and ".join(parts)


def _money(match: re.Match[str]) -> str:
    sign = match["sign"]
    currency = _CURRENCIES.get(sign) or _CODES[sign]
    return _said(match["amount"], match["large"], currency, adjective=_is_adjective(match))


def _foreign(match: re.Match[str]) -> str:
    """Return an amount of a country's dollars."""
    country = _COUNTRIES[match["country"]]
    if match["country"] == "R":
        return _said(
            match["amount"], match["large"], _Currency("real", "reais", "centavo", "centavos"), adjective=False
        )
    names = _Currency(f"{country} dollar", f"{country} dollars", "cent", "cents")
    return _said(match["amount"], match["large"], names, adjective=_is_adjective(match))


def _range(match: re.Match[str]) -> str:
    """Return a range of amounts whose sign, or whose large number, stands only once."""
    currency = _CURRENCIES[match["sign"]]
    first = decimal(match["amount"].replace(",", ""))
    return f"{first} to {_said(match['second'], match['large'], currency, adjective=False)}"


_PER: Final = {
    "pcm": "per calendar month", "pw": "per week", "pppn": "per person per night", "pp": "per person",
    "pa": "per annum", "ph": "per hour",
}  # fmt: skip
"""What British prices and wages are given for."""

MONEY: Final[tuple[Rule, ...]] = (
    (re.compile(rf"([£€]{NUMBER}k?) ?({one_of(_PER)})(?!\w)"), lambda match: f"{match[1]} {_PER[match[2]]}"),
    # a comma with two decimals beside the sign, and thousands with points before them
    (re.compile(r"(?<![\w.,])[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{2}(?= ?[$€£]| ?EUR\b)|(?<=€)[0-9]{1,3}"
                r"(?:\.[0-9]{3})*,[0-9]{2}(?![\w,]|\.[0-9])"),
     lambda match: match[0].replace(".", "").replace(",", ".")),
    (re.compile(r"(?<=[0-9])[.,][-–—](?!\w)"), ""),  # no hundredths
    (re.compile(rf"(?<!\w)[-−–](?={_SIGNED}[0-9.])"), "minus "),
    (re.compile(rf"\b({one_of(_CODES)}) ?[-−](?={NUMBER}(?![\w-]))"), r"minus \1 "),
    (re.compile(rf"(?<![\w.,])({_SIGNED}) ?[-−–](?=\.?[0-9])(?!{NUMBER}\$)"), r"minus \1"),
    (re.compile(rf"(?<![\w$€£])[-−–](?={NUMBER} ?(?:{_SIGNS}|(?:{one_of(_CODES)})\b))"), "minus "),
    (re.compile(rf"(?<!\w)\+(?={_SIGNED}[0-9.])"), "plus "),
    (re.compile(rf"(?<!\w)({_SIGNED}) ?\(({NUMBER})\)"), r"minus \1\2"),  # of an account
    (re.compile(rf"(?P<sign>{_SIGNS})(?P<amount>{NUMBER}) ?(?:[-–]|to) ?(?P<second>{NUMBER}){_LARGE_PATTERN}(?![\w%])"),
     _range),
    (re.compile(rf"(?<=[0-9kKmMnbB]) ?[-–] ?(?={_SIGNS}{NUMBER})"), " to "),
    (re.compile(rf"\b(?P<country>{one_of(_COUNTRIES)})\$ ?{_AMOUNT}{_LARGE_PATTERN}"), _foreign),
    (re.compile(rf"(?<!\w)(?P<sign>{_SIGNS}) ?{_AMOUNT}{_LARGE_PATTERN}(?![\w%])"), _money),
    (re.compile(rf"\b(?P<sign>{one_of(_CODES)}) ?{_AMOUNT}{_LARGE_PATTERN}(?![\w%])"), _money),
    (re.compile(rf"(?<![\w.,]){_AMOUNT}{_LARGE_PATTERN} ?(?P<sign>{_SIGNS}|(?:{one_of(_CODES)})\b)(?!\w)"), _money),
    (re.compile(rf"\bRs\.? ?{_AMOUNT}{_LARGE_PATTERN}(?P<sign>)(?!\w)"),
     lambda match: _said(match["amount"], match["large"], _CURRENCIES["₹"], adjective=False)),
    (re.compile(r"(?<![\w.,])1 ?¢"), "one cent"),
    (re.compile(rf"(?<![\w.,])({NUMBER}) ?¢"), r"\1 cents"),
    (re.compile(r"(?<![\w.,])([0-9]{1,2})p(?= (?:coin|each|piece|a\b|per|off|for|to|or|and|more|less|in)"
                r"|[.,;!?)](?!\w)|$)"), r"\1 pence"),
)  # fmt: skip
"""Rules for money; what they say has no digits left, except of cents with their own sign."""
