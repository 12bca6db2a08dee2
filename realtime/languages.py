"""The languages of Whisper, by the English names that OpenAI's API reports and accepts.

The codes and names are those of Whisper's tokenizer: mostly ISO 639-1, with `jw` for Javanese and `yue` for Cantonese.
"""

from typing import Final

from realtime.errors import ClientError

_NAMES: Final = (
    "af afrikaans, am amharic, ar arabic, as assamese, az azerbaijani, ba bashkir, be belarusian, bg bulgarian, "
    "bn bengali, bo tibetan, br breton, bs bosnian, ca catalan, cs czech, cy welsh, da danish, de german, el greek, "
    "en english, es spanish, et estonian, eu basque, fa persian, fi finnish, fo faroese, fr french, gl galician, "
    "gu gujarati, ha hausa, haw hawaiian, he hebrew, hi hindi, hr croatian, ht haitian creole, hu hungarian, "
    "hy armenian, id indonesian, is icelandic, it italian, ja japanese, jw javanese, ka georgian, kk kazakh, "
    "km khmer, kn kannada, ko korean, la latin, lb luxembourgish, ln lingala, lo lao, lt lithuanian, lv latvian, "
    "mg malagasy, mi maori, mk macedonian, ml malayalam, mn mongolian, mr marathi, ms malay, mt maltese, my myanmar, "
    "ne nepali, nl dutch, nn nynorsk, no norwegian, oc occitan, pa punjabi, pl polish, ps pashto, pt portuguese, "
    "ro romanian, ru russian, sa sanskrit, sd sindhi, si sinhala, sk slovak, sl slovenian, sn shona, so somali, "
    "sq albanian, sr serbian, su sundanese, sv swedish, sw swahili, ta tamil, te telugu, tg tajik, th thai, "
    "tk turkmen, tl tagalog, tr turkish, tt tatar, uk ukrainian, ur urdu, uz uzbek, vi vietnamese, yi yiddish, "
    "yo yoruba, yue cantonese, zh chinese"
)
LANGUAGES: Final = dict(pair.split(" ", 1) for pair in _NAMES.split(", "))
"""English names by code."""

_CODES: Final = {name: code for code, name in LANGUAGES.items()}


def language_name(code: str) -> str:
    """Return the English name of a language, or the code itself if it is unknown."""
    return LANGUAGES.get(code, code)


def language_code(text: str, *, param: str = "language") -> str:
    """Return the code for a code, a code with a region (`pt-BR`) or an English name.

    Raises:
        ClientError: The language is unknown; the error names the field `param`.

    """
    wanted = text.strip().lower()
    code = _CODES.get(wanted, wanted.replace("_", "-").partition("-")[0])
    if code not in LANGUAGES:
        raise ClientError(f"`{param}` must be an ISO-639-1 code or an English name.", param=param)
    return code
