import time

import pytest

from realtime.catalogue.table import WHISPER_V3_LANGUAGES
from realtime.errors import ClientError
from realtime.language_names import NAMES
from realtime.languages import LANGUAGES, language_code, language_codes, language_name


def test_every_language_of_whisper_has_a_name() -> None:
    assert set(LANGUAGES) == set(WHISPER_V3_LANGUAGES)
    assert language_name("haw") == "hawaiian"


def test_every_code_and_english_name_means_its_language_in_any_case() -> None:
    for code, name in LANGUAGES.items():
        assert {language_code(text) for text in (code, name, code.upper(), name.title())} == {code}


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("de", ("deu", "ger", "Deutsch", "de-AT", "de_DE.UTF-8", "<|de|>", "German (Germany)", "de-Latn-DE", " de ")),
        ("en", ("eng", "en-US", "English (US)", "en-GB,en;q=0.9", "British English")),
        ("zh", ("cmn", "zho", "chi", "mandarin", "zh-Hans-CN", "zh-CN", "Chinese, Mandarin", "中文", "zh-cmn")),
        ("yue", ("zh-yue", "粵語", "Cantonese")),
        ("no", ("nb", "nob", "nb-NO", "Norwegian Bokmål", "norsk")),
        ("nn", ("nno", "Norwegian Nynorsk")),
        ("es", ("castilian", "Español", "Espanol", "Spanish; Castilian", "es-419")),
        ("nl", ("flemish", "Vlaams", "dut")),
        ("he", ("iw", "עברית")),
        ("id", ("in", "Bahasa Indonesia")),
        ("jw", ("jv", "jav")),
        ("tl", ("fil", "Filipino")),
        ("pt", ("PT_br", "Brazilian Portuguese", "português")),
        ("fa", ("Farsi", "pes")),
        ("sr", ("sr-Latn", "Serbian (Latin)")),
        ("ro", ("mo", "Moldovan")),
        ("en", ("Englisch", "Englisch (UK)", "anglais", "ingles", "английский", "英文", "Tiếng Anh")),
        ("de", ("allemand", "Alemán", "ドイツ語", "Deutsch (Deutschland)")),
        ("zh", ("Chinesisch", "chinois simplifié", "Mandarín")),
        ("af", ("Tiếng Hà Lan (Nam Phi)", "Afrikaans (Südafrika)")),
    ],
)
def test_what_programs_write_for_a_language_means_it(code: str, texts: tuple[str, ...]) -> None:
    assert {text: language_code(text) for text in texts} == dict.fromkeys(texts, code)


def test_no_name_means_two_languages_or_the_code_of_another() -> None:
    lines = [line.split(" ", 1) for line in NAMES.splitlines()]
    assert [code for code, _ in lines] == list(LANGUAGES)
    meant = {(name, code) for code, names in lines for name in names.split(", ")}
    assert {(name, language_code(name)) for name, _ in meant} == meant


@pytest.mark.parametrize(
    "text",
    ["", "  ", "auto", "Auto-Detect", "automatic", "detect", "multi", "mul", "und", "und-Latn", "null", "None",
     "undefined", "unknown", "*"],
)  # fmt: skip
def test_what_programs_write_for_no_language_means_none(text: str) -> None:
    assert language_code(text) is None


@pytest.mark.parametrize(
    "text", ["klingon", "xx", "xx-DE", "en,de", "English to German", "no-language", "q", "de-", "english\x00", "7"]
)
def test_what_names_no_language_or_several_is_refused(text: str) -> None:
    with pytest.raises(ClientError, match="`languages` must be one language") as caught:
        language_code(text, param="languages")
    assert caught.value.param == "languages"


def test_all_unknown_languages_of_a_list_are_named() -> None:
    assert language_codes(["German", "auto", "de", "fr"], param="languages") == ("de", "fr")
    with pytest.raises(ClientError, match=r"`languages` must be languages .*, not 'xx', 'klingon'\.") as caught:
        language_codes(["xx", "de", "klingon"], param="languages")
    assert caught.value.param == "languages"
    assert "`GET /v1/models` lists the known ones." in caught.value.message
    with pytest.raises(ClientError) as caught:
        language_codes(["x" * 10_000] * 1_000, param="languages")
    assert " and 995 more. " in caught.value.message


def test_a_refusal_quotes_no_more_than_the_beginning() -> None:
    with pytest.raises(ClientError) as caught:
        language_code("x" * 10_000)
    assert len(caught.value.message) < 250


def test_a_long_text_is_refused_in_time_in_proportion_to_its_length() -> None:
    began = time.thread_time()
    with pytest.raises(ClientError):
        language_code("x" + "(" * 100_000)
    assert time.thread_time() - began < 5  # some hundredths of a second; it was half a minute
