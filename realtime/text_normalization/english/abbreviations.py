"""Abbreviations, where the context shows that they are some.

A stop after a word ends an abbreviation only sometimes: "See no. 5." but "The answer is no."
"""

import re
from typing import Final

from realtime.text_normalization.english.days_and_months import DAYS_AND_MONTHS, GOES_ON
from realtime.text_normalization.english.spelling import spelled
from realtime.text_normalization.ordinals import ordinal
from realtime.text_normalization.rules import Rule, one_of

_NUMBERED: Final = {
    "no": "number", "nos": "numbers", "fig": "figure", "figs": "figures", "vol": "volume", "vols": "volumes",
    "ch": "chapter", "p": "page", "pp": "pages", "est": "established", "eq": "equation", "max": "maximum",
    "min": "minimum", "approx": "approximately", "apt": "apartment", "ext": "extension", "sec": "section",
    "ver": "version", "ca": "circa", "nr": "number", "art": "article", "par": "paragraph", "ex": "example",
    "tbl": "table", "rt": "route", "rte": "route", "sc": "scene", "rm": "room", "bldg": "building", "pg": "page",
    "pgs": "pages",
    "cl": "clause", "amend": "amendment", "ll": "lines", "v": "verse", "vv": "verses", "op": "opus", "cap": "chapter",
    "fl": "floor", "flr": "floor", "eqs": "equations", "eqn": "equation", "eqns": "equations", "chs": "chapters",
    "secs": "sections", "subsec": "subsection", "subsecs": "subsections", "arts": "articles", "para": "paragraph",
    "paras": "paragraphs", "pars": "paragraphs", "exs": "examples", "lvl": "level", "flt": "flight", "pt": "part",
    "pts": "parts", "bk": "book", "bks": "books", "ep": "episode", "eps": "episodes",
}  # fmt: skip
"""Abbreviations that a number follows, and with which no sentence continues one: "5 min."."""

_LETTERED: Final = {
    "app": "appendix", "apps": "appendices", "tab": "table", "tabs": "tables", "fig": "figure", "figs": "figures",
    "ch": "chapter", "sec": "section", "subsec": "subsection", "eq": "equation", "eqs": "equations", "ex": "example",
    "para": "paragraph", "paras": "paragraphs", "art": "article", "pt": "part", "sched": "schedule",
}  # fmt: skip
"""Abbreviations in references, which a letter or a number in brackets follows too."""

_REFERRING: Final = (
    r"(?:(?<=[,;(] )|(?<=\()|(?<=\bsee )|(?<=\bin )|(?<=\band )|(?<=\bor )|(?<=\bfrom )|(?<=\bof )|(?<=^))"
)
"""Before an appendix or a table; a program and a tab of a browser end sentences: "Open a new tab. 5 minutes later"."""

_STREETS: Final = {
    "St": "Street", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Dr": "Drive", "Ct": "Court",
    "Pl": "Place", "Sq": "Square", "Hwy": "Highway", "Pkwy": "Parkway", "Sts": "Streets",
}  # fmt: skip
_PHRASES: Final = {
    "e.g": "for example", "i.e": "that is", "approx": "approximately", "dept": "department", "cf": "compare",
    "resp": "respectively", "incl": "including", "excl": "excluding", "misc": "miscellaneous", "esp": "especially",
    "viz": "namely", "avg": "average", "temp": "temperature", "min": "minimum", "max": "maximum", "orig": "originally",
}  # fmt: skip
"""Abbreviations within a sentence, which goes on behind them in a small letter or with a comma."""

_TITLES: Final = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Dr": "Doctor", "Drs": "Doctors", "Prof": "Professor",
    "Gen": "General",
    "Gov": "Governor", "Sen": "Senator", "Rep": "Representative", "Capt": "Captain", "Lt": "Lieutenant",
    "Col": "Colonel", "Sgt": "Sergeant", "Cmdr": "Commander", "Rev": "Reverend", "Hon": "Honorable",
    "Pt": "Point", "Pres": "President", "Supt": "Superintendent", "Cpl": "Corporal", "Cpt": "Captain", "Maj": "Major",
    "Adm": "Admiral", "Fr": "Father",
    "Msgr": "Monsignor", "Pvt": "Private", "Atty": "Attorney", "St": "Saint", "Ste": "Sainte", "Mt": "Mount",
    "Ft": "Fort", "Sr": "Sister", "Amb": "Ambassador", "Insp": "Inspector", "Lieut": "Lieutenant", "Cdr": "Commander",
    "Brig": "Brigadier", "Assoc": "Associate", "Asst": "Assistant", "Sec": "Secretary", "Dir": "Director",
    "Messrs": "Messieurs", "Cllr": "Councillor",
}  # fmt: skip
"""Titles, and what begins names of places: before a name only."""

_ALWAYS: Final = {
    "Jr": "Junior", "Sr": "Senior", "Esq": "Esquire", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor",
    "Ave": "Avenue", "Aves": "Avenues", "Blvd": "Boulevard", "Rd": "Road", "Hwy": "Highway", "Pkwy": "Parkway",
    "Apt": "Apartment", "Bldg": "Building", "Ltd": "Limited", "Inc": "Incorporated", "Corp": "Corporation",
    "Co": "Company", "Bros": "Brothers", "Dept": "Department", "Univ": "University", "Assn": "Association",
    "Govt": "Government", "Ste": "Suite", "Mt": "Mount", "St": "Street", "Dr": "Drive", "Ln": "Lane", "Vol": "Volume",
    "Fig": "Figure", "Rep": "Representative", "Sen": "Senator", "Gov": "Governor", "Capt": "Captain", "Sgt": "Sergeant",
    "approx": "approximately", "vs": "versus", "etc": "et cetera", "et al": "et al", "ibid": "ibid", "qty": "quantity",
    "Qty": "Quantity", "dept": "department", "govt": "government", "tsp": "tsp", "tbsp": "tbsp",
    "Tbsp": "Tbsp", "pct": "percent", "ea": "each", "pcs": "pieces", "wkts": "wickets",
    "pts": "points", "hwy": "highway", "wk": "week", "wks": "weeks",
    "yr": "year", "yrs": "years", "hr": "hour", "hrs": "hours", "mins": "minutes", "secs": "seconds", "lbs": "pounds",
    "mo": "month", "mos": "months", "intl": "international", "Intl": "International", "natl": "national",
    "Natl": "National", "Attn": "Attention", "attn": "attention", "pls": "please", "Pls": "Please", "Mtg": "Meeting",
    "mtg": "meeting", "vol": "volume", "cf": "compare", "eds": "editors",
    "asst": "assistant", "Asst": "Assistant", "assoc": "associate", "mgr": "manager", "Mgr": "Manager",
    "Expy": "Expressway", "Fwy": "Freeway", "Tpke": "Turnpike", "Ct": "Court", "Pl": "Place", "Sq": "Square",
    "acct": "account", "Acct": "Account", "amt": "amount", "co": "company", "cos": "companies", "Cos": "Companies",
    "lvl": "level", "Lvl": "Level",
}  # fmt: skip
"""Abbreviations that are no words, and are written out wherever a stop follows them."""

_LAST: Final = frozenset(
    {"etc", "ea", "pct", "hr", "hrs", "mins", "secs", "lbs", "wk", "wks", "yr", "yrs", "mo", "mos"}
)
"""Those behind which no name follows, so that a capital begins a sentence."""

_WITHOUT_STOP: Final = {
    "vs": "versus", "etc": "et cetera", "w/o": "without", "w/out": "without", "w/": "with",
    "w/in": "within",
    "w/c": "week commencing", "y/e": "year ending", "aka": "also known as", "AKA": "also known as",
    "BTW": "by the way", "IMO": "in my opinion", "TBD": "to be determined", "FYI": "for your information",
    "ASAP": "as soon as possible", "approx": "approximately", "Blvd": "Boulevard", "Pkwy": "Parkway", "Hwy": "Highway",
    "Ltd": "Limited", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Jr": "Junior", "Qty": "Quantity",
    "WWI": "World War One", "WWII": "World War Two", "WW1": "World War One", "WW2": "World War Two",
    "qty": "quantity", "incl": "including", "dept": "department", "c/o": "care of",
}  # fmt: skip

_RULES: Final = {
    "Civ": "Civil Procedure", "Crim": "Criminal Procedure", "App": "Appellate Procedure", "Evid": "Evidence",
}  # fmt: skip
"""Rules of the federal courts."""

_WITH_APOSTROPHE: Final = {
    "gov't": "government", "nat'l": "national", "int'l": "international", "dep't": "department", "ass'n": "association",
    "cont'd": "continued", "rec'd": "received", "add'l": "additional", "sec'y": "secretary", "comm'n": "commission",
    "req'd": "required",
}  # fmt: skip
"""Words in which an apostrophe stands for the letters that are left out."""

_SHORTENED: Final = one_of(_WITH_APOSTROPHE).replace("'", "['’]")

DIRECTIONS: Final = {
    "N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast", "NW": "Northwest", "SE": "Southeast",
    "SW": "Southwest",
}  # fmt: skip

_PARTS_OF_COUNTRIES: Final = (
    "Korea|Vietnam|Virginia|Carolina|Dakota|Africa|America|Sudan|Ireland|Yorkshire|Asia|Europe|Germany|Bengal|Macedonia"
)
"""Countries and states with a direction in their name: N. Korea."""

_SIZES: Final = {
    "lg": "large", "med": "medium", "sm": "small", "pkg": "package", "pkgs": "packages", "pkt": "packet",
    "doz": "dozen",
}  # fmt: skip
"""Sizes of what a recipe counts."""

_BEFORE_NUMBER: Final = {
    "Apt": "Apartment", "Ste": "Suite", "Rm": "Room", "Rt": "Route", "Bldg": "Building", "Fig": "Figure",
    "Vol": "Volume", "Ch": "Chapter", "Lvl": "Level", "lvl": "level", "Flt": "Flight", "Ep": "Episode", "ep": "episode",
    "apt": "apartment", "rm": "room", "ext": "extension",
}  # fmt: skip
"""Abbreviations without a stop, where a number follows."""

_LATIN: Final = {"e.g": "for example", "i.e": "that is", "a.k.a": "also known as", "N.B": "note well", "q.v": "see"}
"""Abbreviations with a stop after each letter that are not spelled."""

STARTERS: Final = (
    "A|After|All|An|And|Are|As|At|Before|But|By|Can|Do|For|From|He|Her|Here|His|How|I|If|In|Is|It|Its|It's|Let|My|No"
    "|Not|Now|On|Or|Our|See|She|So|That|The|Their|Then|There|These|They|This|To|Turn|We|What|When|Where|Which|Who|Why"
    "|With|Yes|You|Your"
)
"""Words that begin sentences, and no names."""


def _expanded(match: re.Match[str], expansions: dict[str, str]) -> str:
    """Return the expansion, with a capital where the abbreviation has one."""
    expansion = expansions[match[1].lower().replace("’", "'")]
    return expansion.capitalize() if match[1][0].isupper() else expansion


def _title(match: re.Match[str]) -> str:
    return _TITLES[match[1]] + " "


def _always_street(match: re.Match[str]) -> str:
    rest = match.string[match.end() :].lstrip('"”’) \t\n')
    return _STREETS[match[1]] + ("." if not rest or rest[0].isupper() else "")


def _always(match: re.Match[str]) -> str:
    """Write out an abbreviation; keep its stop where the sentence ends with it."""
    after = match.string[match.end() :]
    ends = re.match(rf"[\"”’)]*\s*$|[\"”’)]*\s+(?:{STARTERS})\b|\n", after)
    if match[1] in _LAST:
        ends = ends or re.match(r"\s+[A-Z]", after)
    return _ALWAYS[match[1]] + ("." if ends else "")


def _spelled_initials(match: re.Match[str]) -> str:
    """Spell letters with stops, such as "U.S." and "Ph.D."; keep the last stop where the sentence ends with it."""
    after = match.string[match.end() :]
    ends = match[0].endswith(".") and re.match(rf"[\"”’)]*\s*$|\s+(?:{STARTERS})\b", after)
    return spelled(match[0].replace(".", "").replace(" ", "")) + ("." if ends else "")


def _initials_of_name(match: re.Match[str]) -> str:
    return " ".join(re.findall("[A-Z]", match[0])) + " "


def _street(match: re.Match[str]) -> str:
    rest = match.string[match.end() :].lstrip()
    return match[1] + _STREETS[match[2]] + ("." if not rest or rest[0].isupper() else "")


ABBREVIATIONS: Final[tuple[Rule, ...]] = (
    # courts and their rules
    (re.compile(r"\bFed\. R\. (?:(Civ|Crim|App)\. P|(Evid))\. (?=[0-9])"),
     lambda match: f"Federal Rule of {_RULES[match[1] or match[2]]} "),
    (re.compile(r"(?<=[0-9] )F\. ?([234])(?:d|th)(?= [0-9])"), lambda match: f"F-{ordinal(int(match[1]))}"),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th) )Cir\.(?= [0-9])"), "Circuit"),
    (re.compile(r"(?<=[0-9] )S\. ?Ct\.(?= [0-9])"), "Supreme Court"),
    (re.compile(r"(?<= (?:BC|AD|CE)) ?[-–] ?(?=AD|CE|[0-9])|(?<=BCE) ?[-–] ?(?=AD|CE|[0-9])"), " to "),
    (re.compile(rf"(?:(?<=\()|(?<=[\"”] )|(?<=[a-z,] )(?=fe))f(?:ea)?t\. (?=(?!(?:{STARTERS})\b)[A-Z][\w'’-]*"
                r"(?: [A-Z][\w'’-]*){0,2}(?:[),.]|$| (?:and|&) [A-Z]))"),
     "featuring "),
    (re.compile(r"(?<=[0-9][-. ][0-9]{4}),? ext\.? ?(?=[0-9]{1,5}(?![\w-]))"
                r"|(?<=[0-9]{3}[-.][0-9]{4}) ?x(?=[0-9]{1,5}(?![\w-]))"), " extension "),
    (re.compile(r"\bfl\. ?(?=(?:c\. ?)?[12][0-9]{3}\b)"), "flourished "),
    (re.compile(rf"(?i)(?<![\w.])(?<![0-9] )({one_of(_NUMBERED)})\.[ \t]?(?=#?[0-9]|(?-i:[IVXLC]{{2,}}\b))"),
     lambda match: _expanded(match, _NUMBERED) + " "),
    (re.compile(rf"(?i)(?<![\w.])(?:(?!(?:app|tab)s?\.)|{_REFERRING})({one_of(_LETTERED)})\. ?"
                r"(?-i:(?=\([0-9]{1,3}[a-z]?\)|[1-9]|[B-HJ-Z]\b(?!['’-])|[AI](?:[.,;:)]|$| and [A-Z])|\([a-z]\)))"),
     lambda match: _expanded(match, _LETTERED) + " "),
    (re.compile(rf"(?i)\b({_SHORTENED})(?!\w)"),
     lambda match: _expanded(match, _WITH_APOSTROPHE)),
    (re.compile(r"(?<![\w.,/])(1|[1-7]/[2-8]|[½¼¾]) pt\.(?= [a-z])(?! (?:font|type|text))"), r"\1 pint"),
    (re.compile(r"(?<=[0-9½¼¾]) (?:pt\.(?= [a-z])(?! (?:font|type|text))|pts\.(?= of [a-z]))"), " pints"),
    (re.compile(r"(?<=[0-9])[ -]?pt\.?(?= (?:font|type|text|bold|Times|Arial|Helvetica|Calibri|Courier|Georgia)\b)"),
     " point"),
    (re.compile(r"(?<![\w.])([Nn])o\.(?= of\b)"), r"\1umber"),
    (re.compile(r"(?<=[a-z] )No(s?) (?=[0-9])"), r"Number\1 "),
    (re.compile(r"(?<![\w.])c\. ?(?=[12]?[0-9]{3}\b|[0-9]{1,3}(?:,[0-9]{3})* (?:BC|AD|CE|B\.C|A\.D|years ago))"),
     "circa "),
    (re.compile(r"\b([Cc]opyright) (?:©|\([cC]\)) ?"), r"\1 "),
    (re.compile(r"\([cC]\) (?=(?:19|20)[0-9]{2}\b(?! (?!by\b)[a-z]))"), "copyright "),
    (re.compile(r"\bSec\.(?= of [A-Z])"), "Secretary"),
    (re.compile(r"(?<=[a-z] )(s|j)r\.(?= [a-z])"), lambda match: {"s": "senior", "j": "junior"}[match[1]]),
    (re.compile(r"(?i)(\b(?:my|your|his|her|our|their|phone|cell|fax|serial|model|account|order) )no\.(?= [a-z])"),
     r"\1number"),
    (re.compile(r"(?<=[a-z,] )nr\.? (?=[A-Z][a-z])"), "near "),
    (re.compile(r"(\b(?i:the|a|my|your|his|her|our|their) )dr(s?)\b(?:\.(?= [a-z]))?"), r"\1doctor\2"),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th)) ed\.(?!\w)"), " edition"),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th))([ -])c\.(?!\w)"), r"\1century"),
    (re.compile(r"(?<![\w.,/-])(?<![0-9] )(1|[1-7]/[2-8]|[½¼¾⅓⅔]) c\.(?= [a-z])"), r"\1 cup"),
    (re.compile(r"(?<=[0-9½¼¾⅓⅔]) c\.(?= [a-z])"), " cups"),
    (re.compile(rf"(?<=[0-9½¼¾⅓⅔] )({one_of(_SIZES)})\.?(?= [a-z])(?! (?:student|school|tech)s?\b)"),
     lambda match: _SIZES[match[1]]),
    (re.compile(r"\bCat(?:\. ?(?=[1-7]\b)| (?=[1-5] (?:storm|hurricane)))"), "Category "),
    (re.compile(r"\b([Dd])ep\.?(?=:? (?:[A-Z]{3} )?[0-9]{1,2}:[0-9]{2})"), r"\1eparts"),
    (re.compile(r"\b([Aa])rr\.?(?=:? (?:[A-Z]{3} )?[0-9]{1,2}:[0-9]{2})"), r"\1rrives"),
    (re.compile(r"\b([Rr])ef(?:\.?(?= ?(?:[Nn]umber|#|[0-9]{3}))|\.(?= ?[0-9]))"), r"\1eference"),
    (re.compile(r"(?<=[a-z] )(in|ex)cl\.?(?=\)|$|[;,])"), r"\1cluded"),
    (re.compile(r"\b(Attn|attn)(?=: )"), lambda match: _ALWAYS[match[1]]),
    (re.compile(r"\bRt\.? Hon\b\.?"), "Right Honourable"),
    (re.compile(r"(?<=[a-z] )v\. (?=[A-Z][a-z])"), "versus "),
    (re.compile(r"\bb\. (?=[12][0-9]{3}\b)"), "born "),
    (re.compile(r"\bd\. (?=[12][0-9]{3}\b)"), "died "),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th))([ -])gen\b\.?(?!\w)"), r"\1generation"),
    (re.compile(r"\bNos (?=[0-9])"), "Numbers "),
    (re.compile(r"\best\.(?=\))"), "estimate"),
    (re.compile(r"(?<=[0-9])-in\.(?= [a-z])"), "-inch"),
    (re.compile(r"(?<![\w.,])1 in\.(?!\w)"), "1 inch"),
    (re.compile(r"(?<=[0-9]) in\.(?=,|[ \t]+[a-z0-9(×]|[)\"”]*$)"), " inches"),
    *DAYS_AND_MONTHS,
    # an address begins with a number, or the street has one
    (re.compile(rf"(?<![\w.])((?:[0-9]+(?:st|nd|rd|th)|[0-9]+[A-Z]?(?: [A-Z][\w'’-]*){{1,3}}) )({one_of(_STREETS)})\."
                rf"(?= (?:{STARTERS})\b| ?[a-z,;:!?)]|\s*$)"), _street),
    # after a name and before a new sentence there is no saint
    (re.compile(rf"(?<![\w.])([A-Z][\w'’-]+ )(St)\.(?= (?:{STARTERS})\b)"), _street),
    (re.compile(r"(?<![\w'’-])([A-Z]o[A-Z])(s?)(?![\w'’-])"), lambda match: spelled(match[1]) + match[2]),  # YoY
    (re.compile(rf"(?i)(?<![\w.])({one_of(_PHRASES)})\.{GOES_ON}"), lambda match: _expanded(match, _PHRASES)),
    (re.compile(rf"\b({one_of(_LATIN)})\.(?!\w)"), lambda match: _LATIN[match[1]]),
    (re.compile(rf"\b({one_of(_BEFORE_NUMBER)})(?= [0-9]+(?!\.?[0-9]))"), lambda match: _BEFORE_NUMBER[match[1]]),
    (re.compile(r"\b(?=[A-Z0-9])([A-Z][a-z]+|[0-9]+(?:st|nd|rd|th)) (St|Ave|Rd|Blvd)"
                r"(?=$|[,;!?)]|\.$| (?:and|in|at|near|is|on|to|was)\b)"),
     lambda match: f"{match[1]} {_STREETS[match[2]]}"),
    (re.compile(rf"(?<![\w.])([0-9]+[A-Z]? )({one_of(DIRECTIONS)})\.?(?= (?:[A-Z][\w.]|[0-9]+(?:st|nd|rd|th)))"),
     lambda match: match[1] + DIRECTIONS[match[2]]),
    (re.compile(rf"(?<=[a-z] )({one_of(DIRECTIONS)})\.?(?= [A-Z][a-z]+ (?:St|Street|Ave|Avenue|Rd|Road|Blvd)\b)"),
     lambda match: DIRECTIONS[match[1]]),
    (re.compile(r"(?<=[a-z] )(Ave|St|Rd|Dr|Blvd)\.? (NE|NW|SE|SW)(?![\w.])"),
     lambda match: f"{_STREETS[match[1]]} {DIRECTIONS[match[2]]}"),
    (re.compile(rf"(?<![\w.])({one_of(DIRECTIONS)})\.?(?= [0-9]+(?:st|nd|rd|th) (?:St|Ave|Street|Avenue)\b)"),
     lambda match: DIRECTIONS[match[1]]),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th) )([Ff])l\.?(?!\w)(?P<end>$)?"),
     lambda match: match[1] + ("loor" if match["end"] is None else "loor.")),
    (re.compile(r"((?:Ave|St|Rd|Dr|Avenue|Street|Road|Drive)\.? )(NE|NW|SE|SW)(?![\w.])"),
     lambda match: match[1] + DIRECTIONS[match[2]]),
    (re.compile(rf"(?<![\w.])([NSEW])\. ?(?=(?:{_PARTS_OF_COUNTRIES})\b)"), lambda match: DIRECTIONS[match[1]] + " "),
    # at the end, or before what is no name, a drive or a street; else a doctor or a saint
    (re.compile(rf"(?<=[a-z] )(Sts?|Dr|Ct|Pl|Sq)\.(?=[\"”’)]*(?:\s*$|[,;:!?]|\s+(?:{STARTERS})\b|\s+[a-z]))"),
     _always_street),
    (re.compile(rf"(?<![\w.])(?!Gen (?:[A-Z](?:ers?)?|Alpha|Beta|AI)\b)({one_of(_TITLES)})\.? (?="
                rf"(?:[A-Z]\. ?)*[A-Z][\w'’]+)(?<!\bJr )"),
     _title),
    (re.compile(r"(?:(?<=and )|(?<=with )|(?<=^))(Dr)\. (?=[A-Z]\b(?!\.))"), _title),
    (re.compile(r"\b(Drs?|Mr|Prof|Rev)\.? (?=(?:&|and) (?:Mr|Mrs|Ms|Dr|Prof|Mister|Missus|Doctor)\b)"), _title),
    (re.compile(r"\b([Pp])\.?[Oo]\.? (?=Box\b)"), "P O "),
    (re.compile(r"(?<![\w.])Ph\.? ?D\b\.?"), _spelled_initials),
    (re.compile(rf"(?<![\w.])(?:[A-Z]\. ?){{1,3}}(?!(?:{STARTERS})\b)(?=[A-Z][a-z]{{2,}})(?<=\. )"),
     _initials_of_name),
    (re.compile(r"(?<![\w.])(?:[A-Za-z]\.){2,}(?!\w)|(?<![\w.])(?:[A-Z]\.){1,}[A-Z]\b(?!\.\w)"), _spelled_initials),
    (re.compile(rf"(?<![\w.'’/-])({one_of(_ALWAYS)})\.(?!\w)"), _always),
    (re.compile(rf"(?<![\w.'’/&-])(?<!slash )({one_of(_WITHOUT_STOP)})(?![\w'’/-]|\.\w)"),
     lambda match: _WITHOUT_STOP[match[1]]),
    (re.compile(r"(?<![\w.])([Nn])o\. ?(?=#?[0-9])"), r"\1umber "),
)  # fmt: skip
