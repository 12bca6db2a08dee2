"""Names with numbers and capitals: monarchs, flights, models, squares of the chessboard, identifiers, verses."""

import re
from typing import Final

from realtime.text_normalization.english.abbreviations import DIRECTIONS, STARTERS
from realtime.text_normalization.english.spelling import spelled
from realtime.text_normalization.numerals import cardinal, digit_by_digit, roman
from realtime.text_normalization.ordinals import ordinal
from realtime.text_normalization.rules import Rule, one_of

_MONARCHS: Final = (
    "Pope|King|Queen|Tsar|Emperor|Henry|Louis|Edward|George|William|Charles|James|Richard|Elizabeth|Napoleon|Pius"
    "|Benedict|Leo|Paul|Ramses|Ramesses|Frederick|Philip|Alexander|Nicholas|Peter|Catherine|Ivan|Umberto|Emmanuel"
    "|Gustav|Christian|Ferdinand|Mary|John|Francis|Innocent|Gregory|Clement|Urban|Wilhelm|Albert|Leopold|Alfonso"
    "|Carlos|Felipe|Margrethe|Harald|Haakon|Olav|Juan|Karl|Otto|Joseph|Mehmed|Murad|Selim|Robert|Malcolm|Darius|Xerxes"
    "|Cyrus|Artaxerxes|Ptolemy|Cleopatra|Victor|Constantine|Rama"
)
"""Names that ordinal numbers follow, and titles that stand before any name."""

_TENTH: Final = frozenset(
    {
        "Pope",
        "King",
        "Emperor",
        "Leo",
        "Pius",
        "Benedict",
        "Gregory",
        "Innocent",
        "John",
        "Clement",
        "Charles",
        "Louis",
        "Alfonso",
        "Ramses",
        "Ramesses",
        "Ptolemy",
        "Christian",
        "Gustav",
    }
)
"""Names with which an X is a number: not Malcolm X."""

_NUMBERED: Final = (
    "Mark|Super Bowl|Rocky|Rambo|Saturn|Titan|Final Fantasy|Civilization|Grand Theft Auto|GTA|Episode"
    "|(?i:chapter|part|act|scene|section|volume|book|phase|article|type|level|stage|class|grade|episode|round|tier"
    "|appendix|figure|table|unit|category|schedule|title|lesson|canto|sonnet|item|number|war|step|group|division)"
)
_WHOLE: Final = r"(?![\w-]|[.,:][0-9])"
"""After a number that is no part of another."""

_ROMAN: Final = "[IVXLC]+"
_NOT_GOING_ON: Final = r"(?!['’](?!s\b)[A-Za-z]|\.[A-Za-z])"
"""After a numeral, which may be a possessive: "Henry VIII's"; not "I'm"."""

_NOT_INITIAL: Final = rf"(?!(?<=[ \u00a0\u202f].)\. ?(?!(?:{STARTERS})\b)[A-Z](?:[a-z]{{2}}|\.))"
"""After a numeral that is not a single letter before a name: not "James V. Forrestal"."""

_NO_NUMERALS: Final = frozenset(
    {"I", "C", "CC", "CV", "DC", "CD", "IV", "XL", "MIX", "MC", "L", "V", "X", "LI", "VI", "XI", "CI"}
)
"""Letters in capitals that are a numeral only behind a word that numerals follow."""

_PIECES: Final = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight"}

_BOOKS: Final = {
    "Gen": "Genesis", "Ex": "Exodus", "Exod": "Exodus", "Lev": "Leviticus", "Num": "Numbers", "Deut": "Deuteronomy",
    "Josh": "Joshua", "Judg": "Judges", "Sam": "Samuel", "Kgs": "Kings", "Chr": "Chronicles", "Chron": "Chronicles",
    "Neh": "Nehemiah", "Ps": "Psalm", "Pss": "Psalms", "Prov": "Proverbs", "Eccl": "Ecclesiastes", "Isa": "Isaiah",
    "Jer": "Jeremiah", "Lam": "Lamentations", "Ezek": "Ezekiel", "Dan": "Daniel", "Hos": "Hosea", "Mic": "Micah",
    "Hab": "Habakkuk", "Zech": "Zechariah", "Mal": "Malachi", "Matt": "Matthew", "Mt": "Matthew", "Mk": "Mark",
    "Lk": "Luke", "Jn": "John", "Rom": "Romans", "Cor": "Corinthians", "Gal": "Galatians", "Eph": "Ephesians",
    "Phil": "Philippians", "Col": "Colossians", "Thess": "Thessalonians", "Tim": "Timothy", "Philem": "Philemon",
    "Heb": "Hebrews", "Jas": "James", "Pet": "Peter", "Rev": "Revelation", "Macc": "Maccabees",
}  # fmt: skip
_OTHER_BOOKS: Final = (
    "Acts",
    "Amos",
    "Ezra",
    "Esther",
    "Job",
    "Joel",
    "Jonah",
    "Jude",
    "Luke",
    "Ruth",
    "Titus",
    "Quran",
    "Qur'an",
    "Qur’an",
    "Surah",
    "Sura",
)
_NUMBERED_BOOKS: Final = "Samuel|Kings|Chronicles|Corinthians|Thessalonians|Timothy|Peter|John|Maccabees"


def in_pairs(number: str) -> str:
    """Return a number of three or four digits as rooms and models are named: "one oh one", "two twenty-one"."""
    if number.startswith("0"):
        return digit_by_digit(number)
    first, last = number[:-2], int(number[-2:])
    if not last:
        return f"{cardinal(int(first[:-1]))} thousand" if first.endswith("0") else f"{cardinal(int(first))} hundred"
    return f"{cardinal(int(first))} " + (f"oh {cardinal(last)}" if last < 10 else cardinal(last))


def _monarch(match: re.Match[str]) -> str:
    value = roman(match[2])
    is_letter = match[2] == "X" and match[1].partition(" ")[0] not in _TENTH
    return match[0] if value is None or value > 30 or is_letter else f"{match[1]} the {ordinal(value).capitalize()}"


def _numbered(match: re.Match[str]) -> str:
    value = None if match[2] in ("C", "L") else roman(match[2])
    return match[0] if value is None else f"{match[1]} {cardinal(value)}"


def _scene(match: re.Match[str]) -> str:
    word, numeral = filter(None, match.groups())
    value = roman(numeral.upper())
    return match[0] if value is None else f"{word} {cardinal(value)}"


def _behind_name(match: re.Match[str]) -> str:
    value = roman(match[2])
    return (
        match[0]
        if value is None or value > 50 or match[2] in _NO_NUMERALS - {"IV", "VI", "XI"}
        else f"{match[1]} {cardinal(value)}"
    )


def _flight(match: re.Match[str]) -> str:
    return f"{spelled(match[1])} {digit_by_digit(match[2])}"


def _aircraft(match: re.Match[str]) -> str:
    """Read the type and the variant of an aircraft: "seven forty-seven four hundred", "A three twenty two hundred"."""
    maker, type_of_airbus, type_of_boeing, variant, suffix = match.groups()
    said = in_pairs(variant) if len(variant) > 2 else variant
    return " ".join(filter(None, (maker, in_pairs(type_of_airbus or type_of_boeing), said, suffix)))


def _move(match: re.Match[str]) -> str:
    """Read a move of a piece or a capture in chess: "knight f 3", "e takes d 5"."""
    piece = _PIECES.get(match["piece"] or "", "")
    takes = "takes" if match["takes"] else ""
    check = {"+": "check", "#": "mate", "": ""}[match["check"]]
    return " ".join(filter(None, (piece, " ".join(match["from"]), takes, match["file"], match["rank"], check)))


MONARCHS: Final[Rule] = (
    re.compile(rf"\b((?:{_MONARCHS})(?: [A-Z][a-z]+)?)[ \u00a0\u202f]({_ROMAN})\b{_NOT_GOING_ON}{_NOT_INITIAL}"),
    _monarch,
)
"""Monarchs, before other abbreviations, since the stop of an initial is dropped with them."""

NAMES: Final[tuple[Rule, ...]] = (
    (re.compile(rf"\b([123]) ({one_of(_BOOKS)}|{_NUMBERED_BOOKS})\b\.?(?= [0-9]+(?::|\b))"),
     lambda match: f"{ordinal(int(match[1])).capitalize()} {_BOOKS.get(match[2], match[2])}"),
    (re.compile(rf"\b({one_of({*_BOOKS, *_BOOKS.values(), *_OTHER_BOOKS})})\b\.? ([0-9]{{1,3}}):([0-9]{{1,3}})"
                rf"(?![\w:])"),
     lambda match: f"{_BOOKS.get(match[1], match[1])} {match[2]} {match[3]}"),
    (re.compile(r"(?<=[a-z] )([0-9]{1,3}):([0-9]{1,3})[-–]([0-9]{1,3})(?![\w:-]|[ ]?[ap]\.?m)"), r"\1 \2 to \3"),
    (re.compile(rf"\b({_NUMBERED}) ({_ROMAN})\b{_NOT_GOING_ON}(?!(?<= I) (?:am|have|was|would|will)\b)"), _numbered),
    (re.compile(r"\b([Ss]cene|[Aa]ct) ([ivx]+)\b|\b([Vv]olume|[Cc]hapter|[Pp]ages?|[Pp]art) ([ivx]{2,})\b"), _scene),
    (re.compile(rf"\b([A-Z]\w*[a-z]|[a-z]{{4,}}) ({_ROMAN[:-1]}{{2,5}})\b{_NOT_GOING_ON}"), _behind_name),
    (re.compile(r"\b([BCDGP])2([BCDGPX])\b"), r"\1 to \2"),  # B2B, P2P
    (re.compile(r"\bIPv([46])\b"), r"I P V \1"),
    (re.compile(rf"\b((?:I|US|SR|Interstate|Highway|Route|Rte)[ -]?[0-9]{{1,3}}) "
                rf"({one_of(DIRECTIONS)})\b(?!\.\w|['’-])"),
     lambda match: f"{match[1]} {DIRECTIONS[match[2]]}"),
    (re.compile(r"(?i)(\b(?:colon|port) )([1-9][0-9]{3})(?![\w-]|[.,:][0-9])"),
     lambda match: match[1] + in_pairs(match[2])),
    (re.compile(rf"\b((?:[GR]TX|RX|Radeon|GeForce|Quadro|Ryzen [3579]|EOS) )([1-9][0-9]{{2,3}})([A-Z]{{0,2}}){_WHOLE}"),
     lambda match: f"{match[1]}{in_pairs(match[2])} {match[3]}".rstrip()),
    # what a server answers
    (re.compile(rf"(?i:(\b(?:HTTP|(?:status|error)(?: code)?):? ))([1-5][0-9]{{2}}){_WHOLE}"
                r"(?! (?!errors|pages|responses)[a-z]+s\b)"),
     lambda match: match[1] + in_pairs(match[2])),
    (re.compile(r"(?<=\b[Aa] )[45]0[1-9](?=[.,;!?)]\W|$| (?:and|or|on|for|if|when|from|because|instead)\b)"
                r"|\b[45][0-9]{2}(?= (?:error|status|Not Found|Forbidden)\b)|\b[45]0[0-9](?= (?:page|response)\b)"),
     lambda match: in_pairs(match[0])),
    (re.compile(r"(?<![\w/.-])(?!FY|CY|AD|BC|CE)([A-Z]{2}) ?([0-9]{3,4})(?![\w/-]|[.,][0-9]| [0-9]{3})"), _flight),
    (re.compile(r"(?i)\b((?:rooms?|suite|flight|highway|route|interstate|bus|apartment|porsche|ferrari|boeing|airbus"
                r"|extension) "
                r"(?:[A-Z](?=[0-9]))?|\bUS[- ])([0-9]{3,4})(?![\w-]|[.,:][0-9])"),
     lambda match: f"{match[1].rstrip()} {in_pairs(match[2])}"),
    (re.compile(r"(?<![\w.,$€£/-])(?:(A)(3[0-9]{2})|(7[0-9]7))-([1-9][0-9]{1,3}|[89])(ER|LR|F|neo)?"
                r"(?![\w-]|[.,:/][0-9])"),
     _aircraft),
    (re.compile(r"(?<![\w.-])([A-Z]\w*[A-Za-z]?)-([1-9][0-9]{2})(?![\w-]|[.,:][0-9])"),
     lambda match: f"{match[1]} {in_pairs(match[2])}"),  # F-150, Blink-182
    (re.compile(r"\b([A-Z])([1-9][0-9]{2})(?![\w-]|[.,:][0-9])"),
     lambda match: f"{match[1]} {in_pairs(match[2])}"),  # A380
    (re.compile(r"(?<![\w.,])([1-9][0-9]{2,3}) ?[x×] ?([1-9][0-9]{2,3})(?!\w|[.,][0-9]| (?:[ckm]?m|in|ft)\b)"),
     lambda match: f"{in_pairs(match[1])} by {in_pairs(match[2])}"),  # of a screen
    (re.compile(r"(?<![\w.,$€£-])(480|720|1080|1440|2160)([pi])\b"),
     lambda match: f"{in_pairs(match[1])} {match[2].upper()}"),
    (re.compile(r"(?<![\w/.,$€£-])([0-9]{3})([A-Z]?)(?= (?:[A-Z][\w'’]+ ){1,3}(?:Street|Avenue|Road|Lane|Drive"
                r"|Boulevard|Court|Place|Square|Way)\b)"),
     lambda match: f"{in_pairs(match[1])} {match[2]}".rstrip()),
    (re.compile(r"(?<=[Bb]ox )([0-9]{4})(?![\w-])"), lambda match: in_pairs(match[1])),
    (re.compile(r"\b((?:SHA|AES|RSA|ISO|RFC|IEEE|PEP|Area)[- ])([1-9][0-9]{2}|[1-9][1-9][0-9]{2})(?![\w-]|[.,:][0-9])"),
     lambda match: f"{match[1][:-1]} {in_pairs(match[2])}"),
    (re.compile(r"\b802\.(1[0-9]?)([a-z]{0,2})\b"),
     lambda match: f"eight oh two dot {match[1]} {spelled(match[2])}".rstrip()),
    (re.compile(r"(?<![\w/-])(?:(?P<piece>[KQRBN])(?P<from>[a-h1-8]?)(?P<takes>x?)(?P<file>[a-h])(?P<rank>[1-8])(?P<check>[+#]?))(?![\w-])"),
     _move),
    (re.compile(r"(?<![\w/-])(?P<piece>)(?P<from>[a-h])(?P<takes>x)(?P<file>[a-h])(?P<rank>[1-8])(?P<check>[+#]?)"
                r"(?![\w-])"),
     _move),
    (re.compile(r"\b0-0-0\b|\bO-O-O\b"), "O O O"),
    (re.compile(r"\bO-O\b"), "O O"),
    # identifiers in camel case, which begin with a small letter and a few more
    (re.compile(r"(?<![\w/@.-])[a-z]{2,}(?:[A-Z][a-z]+)+(?![\w])"), lambda match: re.sub("(?=[A-Z])", " ", match[0])),
)  # fmt: skip
