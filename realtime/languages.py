"""The languages of Whisper, and the names and codes by which programs refer to them.

The codes and English names are those of Whisper's tokenizer: mostly ISO 639-1, with `jw` for Javanese, and `haw` and
`yue`. Programs also send codes with a region, three-letter codes, codes that ISO has withdrawn, and names: in English,
in the language itself or in the language of their users (`Englisch`, `anglais`; those are in `language_names.py`). The
tables have those with one meaning, and nothing here guesses: the packages langcodes and language_data would bring 29 MB
and a compiled extension for the same hundred lines, and read `null` as a language.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from realtime.errors import ClientError
from realtime.language_names import NAMES

_TABLE: Final = """\
af afrikaans | afr
am amharic | amh | አማርኛ
ar arabic | ara arb arz ary apc | العربية
as assamese | asm | অসমীয়া
az azerbaijani | aze azj | azərbaycan
ba bashkir | bak | башҡорт теле
be belarusian | bel | беларуская
bg bulgarian | bul | български
bn bengali | ben | বাংলা, bangla
bo tibetan | bod tib | བོད་སྐད་
br breton | bre | brezhoneg
bs bosnian | bos | bosanski
ca catalan | cat | català, valencian
cs czech | ces cze | čeština, český
cy welsh | cym wel | Cymraeg
da danish | dan | dansk
de german | deu ger | Deutsch
el greek | ell gre | Ελληνικά, modern greek
en english | eng
es spanish | spa | español, castilian, castellano
et estonian | est ekk | eesti
eu basque | eus baq | euskara
fa persian | fas per pes prs | فارسی, farsi, dari
fi finnish | fin | suomi
fo faroese | fao | føroyskt
fr french | fra fre | français
gl galician | glg | galego
gu gujarati | guj | ગુજરાતી
ha hausa | hau
haw hawaiian | haw | ʻŌlelo Hawaiʻi
he hebrew | heb iw | עברית
hi hindi | hin | हिन्दी, हिंदी
hr croatian | hrv scr | hrvatski
ht haitian creole | hat | Kreyòl Ayisyen, haitian, kreyòl
hu hungarian | hun | magyar
hy armenian | hye arm | հայերեն
id indonesian | ind in | bahasa Indonesia
is icelandic | isl ice | íslenska
it italian | ita | italiano
ja japanese | jpn | 日本語
jw javanese | jav jv | Jawa, basa Jawa
ka georgian | kat geo | ქართული
kk kazakh | kaz | қазақ тілі, қазақша
km khmer | khm | ខ្មែរ
kn kannada | kan | ಕನ್ನಡ
ko korean | kor | 한국어
la latin | lat | Lingua latina
lb luxembourgish | ltz | Lëtzebuergesch, letzeburgesch
ln lingala | lin | lingála
lo lao | lao | ລາວ
lt lithuanian | lit | lietuvių
lv latvian | lav lvs | latviešu
mg malagasy | mlg plt
mi maori | mri mao
mk macedonian | mkd mac | македонски
ml malayalam | mal | മലയാളം
mn mongolian | mon khk | монгол
mr marathi | mar | मराठी
ms malay | msa may zsm | bahasa Malaysia, bahasa melayu
mt maltese | mlt | Malti
my myanmar | mya bur | မြန်မာ, burmese
ne nepali | nep npi | नेपाली
nl dutch | nld dut | Nederlands, flemish, vlaams
nn nynorsk | nno | norwegian nynorsk, norsk nynorsk
no norwegian | nor nb nob | norsk, bokmål
oc occitan | oci
pa punjabi | pan | ਪੰਜਾਬੀ, panjabi
pl polish | pol | polski
ps pashto | pus pbt | پښتو, pushto
pt portuguese | por | português
ro romanian | ron rum mo mol | română, moldavian, moldovan
ru russian | rus | русский
sa sanskrit | san | संस्कृत भाषा
sd sindhi | snd | سنڌي
si sinhala | sin | සිංහල, sinhalese
sk slovak | slk slo | slovenčina, slovenský
sl slovenian | slv | slovenščina
sn shona | sna | chiShona
so somali | som | Soomaali
sq albanian | sqi alb als | shqip
sr serbian | srp scc | српски
su sundanese | sun | Basa Sunda
sv swedish | swe | svenska
sw swahili | swa swh | Kiswahili
ta tamil | tam | தமிழ்
te telugu | tel | తెలుగు
tg tajik | tgk | тоҷикӣ
th thai | tha | ไทย
tk turkmen | tuk | türkmen dili
tl tagalog | fil tgl | filipino, pilipino
tr turkish | tur | Türkçe
tt tatar | tat | татар
uk ukrainian | ukr | українська
ur urdu | urd | اردو
uz uzbek | uzb uzn | o‘zbek
vi vietnamese | vie | Tiếng Việt
yi yiddish | yid ydd ji | ייִדיש
yo yoruba | yor | Èdè Yorùbá
yue cantonese | yue | 粵語, 廣東話, 粤语
zh chinese | zho chi cmn | 中文, mandarin, 普通话, 國語, 汉语, 简体中文, 繁體中文
"""
"""A language on each line: Whisper's code and English name | other codes | other names.

The other codes are those of ISO 639-2 and 639-3, withdrawn ones (`iw`, `in`, `ji`, `mo`) and those of a language that
is meant where only its macrolanguage has a code here (`cmn`, `nb`). The other names are the language's own (CLDR) and
English synonyms, most of them from Whisper's tokenizer.
"""

_NO_LANGUAGE: Final = frozenset(
    {"", "all", "any", "default", "detect", "mis", "mul", "multi", "multilingual", "multiple", "nil", "none", "null",
     "und", "undefined", "undetermined", "unk", "unknown", "zxx"}
)  # fmt: skip
"""Texts that name no language: ISO 639's codes for that, and what programs write for an empty value or a choice."""

_MAX_QUOTED: Final = 40
"""Characters of an unknown language that the error quotes."""


_MAX_NAMED: Final = 5
"""Unknown languages that an error names."""

_SPELLING: Final = "a code such as de or a name such as German or Deutsch"

WHERE_LISTED: Final = "; `GET /v1/models` lists the known ones."
"""End of the errors for unknown languages, for those who have a server."""

_EXTENDED: Final = 3
"""Characters of the subtag of an extended language, such as yue in `zh-yue` (RFC 5646, 2.2.2)."""

_MAX_SUBTAG: Final = 4
"""Characters of the longest subtag after the language: a script, such as `Hans`."""


def _folded(text: str) -> str:
    """Return the text without the differences that do not matter: case, accents, spaces around it."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _read_table() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    languages: dict[str, str] = {}
    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    for line in _TABLE.splitlines():
        first, others, synonyms = (*line.split(" | "), "")[:3]
        code, name = first.split(" ", 1)
        languages[code] = name
        codes |= dict.fromkeys((code, *others.split()), code)
        names |= {_folded(each): code for each in (name, *synonyms.split(", ")) if each}
    for line in NAMES.splitlines():
        code, others = line.split(" ", 1)
        names |= {_folded(each): code for each in others.split(", ")}
    return languages, codes, names


LANGUAGES, _CODES, _NAMES = _read_table()
"""English names by code; codes by all codes; codes by all names, folded."""


def language_name(code: str) -> str:
    """Return the English name of a language, or the code itself if it is unknown."""
    return LANGUAGES.get(code, code)


def language_code(text: str, *, param: str = "language") -> str | None:
    """Return Whisper's code for a language as programs write it; None where the text names no language.

    A language is written as a code (`de`, `deu`), a code with a region or script (`pt-BR`, `zh_Hans_CN`,
    `en_US.UTF-8`), a name (`German`, `Deutsch`, `allemand`) or a name with a qualifier (`Brazilian Portuguese`,
    `Chinese (Simplified)`). Where detection is meant (`auto`, `multi`, `und`, `null`, blanks) there is none.

    Raises:
        ClientError: The language is unknown, or there are several; the error names the field `param`.
    """
    if whole := _NAMES.get(_folded(text)):
        return whole
    folded = re.sub(r"\([^)]{0,99}\)", "", _folded(text)).strip(" <|>\"'*")
    compact = re.sub(r"[\W_]", "", folded)
    if compact in _NO_LANGUAGE or compact.startswith("auto") or re.match(r"(und|mul|mis|zxx)[-_]", folded):
        return None
    meanings = {code for part in re.split(r"[,;/]", folded) if (code := _meaning(part.strip()))}
    if len(meanings) != 1:
        raise ClientError(
            f"`{param}` must be one language that Whisper knows, as {_SPELLING}, {_not([text])}", param=param
        )
    return meanings.pop()


def language_codes(texts: Iterable[str], *, param: str) -> tuple[str, ...]:
    """Return Whisper's codes for languages as programs write them, each once; see `language_code`.

    Raises:
        ClientError: Languages are unknown; the error names all of them and the field `param`.
    """
    codes: dict[str, None] = {}
    unknown: list[str] = []
    for text in texts:
        try:
            codes |= {code: None for code in [language_code(text, param=param)] if code}
        except ClientError:
            unknown.append(text)
    if unknown:
        raise ClientError(
            f"`{param}` must be languages that Whisper knows, each as {_SPELLING}, {_not(unknown)}", param=param
        )
    return tuple(codes)


def _not(unknown: Sequence[str]) -> str:
    quoted = ", ".join(repr(each[:_MAX_QUOTED]) for each in unknown[:_MAX_NAMED])
    more = f" and {len(unknown) - _MAX_NAMED} more" if len(unknown) > _MAX_NAMED else ""
    return f"not {quoted}{more}. Leave it out to have the language detected{WHERE_LISTED}"


def _meaning(text: str) -> str | None:
    """Return the code of the one language that a folded name or tag means; None where there is not exactly one."""
    if text in _NAMES:
        return _NAMES[text]
    language, *subtags = re.split(r"[-_]", re.sub(r"[.@].*", "", text))
    if language in _CODES and all(0 < len(subtag) <= _MAX_SUBTAG for subtag in subtags):
        extended = _CODES.get(subtags[0]) if subtags and len(subtags[0]) == _EXTENDED else None
        return extended or _CODES[language]
    words = {_NAMES[word] for word in re.split(r"[\s_-]+", text) if word in _NAMES}
    return words.pop() if len(words) == 1 else None
