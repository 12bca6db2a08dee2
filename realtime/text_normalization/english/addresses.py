"""Addresses, names of files and versions: every character counts, so their marks are named."""

import re
from typing import Final

from realtime.text_normalization.english.names import in_pairs
from realtime.text_normalization.english.spelling import spelled
from realtime.text_normalization.numerals import digit_by_digit
from realtime.text_normalization.rules import Rule

_MARKS: Final = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", ":": "colon", "?": "question mark", "=": "equals",
    "&": "and", "#": "hash", "%": "percent", "@": "at", "~": "tilde", "+": "plus", "\\": "backslash", ",": "comma",
    ";": "semicolon", "$": "dollar",
}  # fmt: skip
_PART: Final = re.compile(r"[^\W\d_]+|[0-9]+|.")
_DIGITS_OF_WORD: Final = re.compile(r"(?<=[^\W\d_])[0-9]+|[0-9]+(?=[^\W\d_])")
_SHORT_WORDS: Final = re.compile("(?:at|be|by|co|do|go|if|in|is|it|me|my|no|of|on|or|so|to|up|us|we)")
"""Words of two letters; others of that length are spelled: `io`, `uk`."""

_SPELLED: Final = frozenset({"api", "avi", "cli", "exe", "faq", "gui", "iot", "ide", "iso", "uri", "url", "usa"})
"""Names that are spelled although they have vowels."""

_WITHOUT_MARKS_AFTER: Final = r"(?<![.,;:!?'\"”’)\]}>*_])"
"""Marks at the end of an address belong to the sentence around it."""


def _named(address: str) -> str:
    """Return the parts of an address as words, and its marks by their names."""
    address = _DIGITS_OF_WORD.sub(lambda match: f" {digit_by_digit(match[0])} ", address)
    return " ".join(_read(part) if part[0].isalnum() else _MARKS.get(part, "") for part in _PART.findall(address))


def _read(part: str) -> str:
    """Spell letters that cannot be read as a word: two of them, or some without a vowel (`txt`)."""
    lower = part.lower()
    if lower in _SPELLED:
        return spelled(part)
    is_word = re.search("[aeiouy]", lower) if len(part) > 2 else _SHORT_WORDS.fullmatch(lower)
    return part if is_word or not (part.isascii() and part.isalpha()) else spelled(part)


def _url(match: re.Match[str]) -> str:
    """Name what follows the scheme, which nobody says."""
    return _named(match[1].rstrip("/"))


def _version(match: re.Match[str]) -> str:
    return ("version " if "v" in match[0].lower() else "") + match[1].replace(".", " point ")


def _hardware_address(match: re.Match[str]) -> str:
    """Spell the pairs of a MAC address, with a short pause between them."""
    return ", ".join(_spelled_out(pair) for pair in re.split("[:-]", match[0]))


def _ipv6(match: re.Match[str]) -> str:
    """Spell the groups of an address of IPv6, and name its colons."""
    return " ".join(_spelled_out(part) if part != ":" else "colon" for part in re.findall("[0-9A-Fa-f]+|:", match[0]))


def _spelled_out(characters: str) -> str:
    return " ".join(digit_by_digit(each) if each.isdecimal() else each.upper() for each in characters)


def _prerelease(match: re.Match[str]) -> str:
    return f" {_read(match[1])} {match[2]}".rstrip()


_IPV4: Final = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
_HOST: Final = rf"(?:localhost|{_IPV4}|[\w-]+(?:\.[\w-]+)*\.[a-z]{{2,12}})"
_PRERELEASE: Final = "rc|alpha|beta|dev|preview|pre|post|snapshot"
"""What follows the numbers of a version that is not final (semver.org)."""

_SOFTWARE: Final = (
    "Python|Ruby|Perl|PHP|Java|Go|Node|Node\\.js|Django|Rails|Laravel|Ubuntu|Debian|Fedora|Windows|macOS|iOS|iPadOS|Android"
    "|Linux|Kubernetes|Docker|PostgreSQL|Postgres|MySQL|Redis|TypeScript|React|Angular|Vue|Rust|Swift|Kotlin|Chrome"
    "|Firefox|Safari|Unity|CUDA|PyTorch|TensorFlow|NumPy|numpy|pandas|Git|CMake|GCC|Clang|OpenSSL|nginx|Minecraft"
)
_OTHERS: Final = (
    r"[0-3]?[0-9]\.[0-3]?[0-9]\.[12][0-9]{3}\b|(?:1\.)?[0-9]{3}\.[0-9]{3}\.[0-9]{4}\b|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]"
)
"""Numbers with two points that are no versions: dates, telephone numbers, thousands with a decimal comma."""

ADDRESSES: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?i)\b(?:https?|ftp|wss?)://([^\s<>\"|]+{_WITHOUT_MARKS_AFTER})"), _url),
    (re.compile(rf"(?i)\b(www\.[^\s<>\"|]+{_WITHOUT_MARKS_AFTER})"), _url),
    (re.compile(r"(?<![\w.+-])(?:mailto:)?([\w.+-]+@[\w-]+(?:\.[\w-]+)*)\b"), lambda match: _named(match[1])),
    (
        re.compile(rf"(?<![\w.-])([\w-]+(?:\.[\w-]+)*\.[a-z]{{2,12}}(?::[0-9]+)?/[^\s<>\"|]*{_WITHOUT_MARKS_AFTER})"),
        _url,
    ),
    (re.compile(rf"(?<!\S)((?:~|\.{{1,2}})?/[A-Za-z.][\w.-]*(?:/[\w.-]+)*{_WITHOUT_MARKS_AFTER})"), _url),
    (
        re.compile(r"(?<![\w.\\])((?:[A-Za-z]:|\\)\\[^\s<>\"|]+" + _WITHOUT_MARKS_AFTER + ")"),
        lambda match: _named(match[1]),
    ),
    (
        re.compile(r"(?<![\w./@-])(?:[\w.-]+/){1,12}[\w-]+(?:\.[\w-]+)*\.[a-z][a-z0-9]{0,9}\b(?![./]\w)"),
        lambda match: _named(match[0]),
    ),
    (
        re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})(?![\w:-])"),
        _hardware_address,
    ),
    (
        re.compile(
            r"(?<![\w:.])(?=[A-Fa-f:]*[0-9])(?=[0-9A-Fa-f:]*::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:]{3,39}(?<!:)(?![\w:])"
        ),
        _ipv6,
    ),
    (re.compile(rf"(?<![\w.@/-])({_HOST}):([0-9]{{2,5}})(?![\w:]|\.[0-9])"), r"\1 colon \2"),
    (
        re.compile(r"(?<![\w.:/-])([0-9]{4,5}):([0-9]{2,5})(?![\w:]|[.,][0-9])"),
        lambda match: f"{in_pairs(match[1])} colon {match[2]}",
    ),  # of a container
    (re.compile(r"(?<![\w:.)\]]):([0-9]{4,5}|80|443)(?![\w:]|[.,][0-9])"), r"port \1"),
    (re.compile(r"(?i)(?<=\bport )([0-9]{3})(?![\w-]|[.,:][0-9])"), lambda match: digit_by_digit(match[1])),
    (
        re.compile(rf"(?<![\w.])({_IPV4})(?:/([0-9]{{1,2}}))?(?!\w|\.\w|/\w)"),
        lambda match: match[1].replace(".", " dot ") + (f" slash {match[2]}" if match[2] else ""),
    ),
    (
        re.compile(
            r"(?<![\w#&])(?<!order )(?<!ticket )(?<!case )(?<!item )#"
            r"((?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{6}|(?:F{3}|0{3}){1,2})(?!\w)",
            re.IGNORECASE,
        ),
        lambda match: "hash " + _spelled_out(match[1]),
    ),  # a color
    (re.compile(rf"(?<=[0-9]\.[0-9])-({_PRERELEASE})[.-]?([0-9]*)(?![\w-])"), _prerelease),
    (re.compile(r"(?<![\w.])(?:[vV]ersion [vV]?|[vV])([0-9]+(?:\.[0-9]+)+)(?!\w|\.\w)"), _version),
    (
        re.compile(r"(?<![\w.])([vV]?[0-9]{1,3}(?:\.[0-9]{1,3})?)\.x\b"),
        lambda match: re.sub("^[vV]", "version ", match[1]).replace(".", " point ") + " point x",
    ),
    (re.compile(rf"\b({_SOFTWARE}) ([0-9]{{1,2}})/([0-9]{{1,2}})\b"), r"\1 \2, \3"),
    (
        re.compile(rf"\b((?:{_SOFTWARE}) ?(?:(?:[<>=≥≤~^]|==|>=|<=|~=) ?)?[0-9]{{1,2}})\.([1-9][0-9])(?![\w%]|\.\w)"),
        r"\1 point \2",
    ),
    (re.compile(r"(?<![\w.-])v([0-9]{1,3})(?![\w.-]|\.\w)"), r"version \1"),
    (
        re.compile(rf"(?<![\w.$€£])(?!{_OTHERS})([0-9]+(?:\.[0-9]+){{2,}})(?!\w|\.\w)"),
        lambda match: match[1].replace(".", " point "),
    ),
    (
        # a name, a stop and a suffix in small letters without a blank between: main.py, example.com; not e.g. or a.m.
        re.compile(
            r"(?<![\w.@/-])(?=[\w-]*[^\W\d_]{2})[\w-]+(?:\.[\w-]+)*?\.(?:[a-z][a-z0-9]{1,9}|(?<=[a-z]\.)[A-Z]{3,4})\b(?!\.\w)"
        ),
        lambda match: _named(match[0]),
    ),
    (re.compile(r"\b([A-Z])\.(?=[1-9][0-9]{2}\b)"), r"\1"),  # of the ITU: H.264, G.711
    (re.compile(r"(?<=[A-Z]{2})\.(?=[A-Z]{2})"), " dot "),  # ASP.NET
    (re.compile(r"(?<![\w.)\]\"”'’])\.(?=[^\W\d_]{2})"), " dot "),  # .NET
    (re.compile(r"(?<=[a-z] )\.\.(?![\w.])"), "dot dot"),  # cd ..
    (re.compile(r"(?<=[a-z]{3})/(?=[.,;)]|$)"), " slash"),  # a folder
)
