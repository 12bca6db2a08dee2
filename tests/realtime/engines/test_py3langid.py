from collections.abc import Collection

import pytest
from py3langid import langid

from realtime.catalogue.table import ENGLISH
from realtime.engines.py3langid import MAX_CHARACTERS, Py3LangId
from realtime.errors import EngineError

SENTENCES = {
    "de": "Das Wetter ist heute schön, und wir gehen in den Park.",
    "fr": "Nous avons visité le musée avec des amis.",
    "es": "Los niños juegan en el parque con su perro.",
    "it": "Oggi è una bella giornata e andiamo al mare.",
    "pt": "Não sei o que ele disse, mas você estava lá.",
    "nl": "Het is een mooie dag en wij gaan naar zee.",
    "sv": "Det är en vacker dag och vi går till sjön.",
    "no": "Jeg vet ikke hva du vil ha til middag.",
    "pl": "Nie wiem, czy to jest dobry pomysł.",
    "cs": "Dnes je hezky, ale zítra bude pršet.",
    "hu": "Nem tudom, hogy ez jó ötlet-e.",
    "ro": "Nu știu dacă este o idee bună pentru noi.",
    "tr": "Bu gün hava çok güzel ve biz denize gidiyoruz.",
    "fi": "En tiedä, mitä hän sanoi, mutta se on totta.",
    "vi": "Tôi không biết anh ấy đã nói gì.",
    "sw": "Sijui alisema nini, lakini ni kweli kabisa.",
    "ru": "Сегодня хорошая погода.",
    "uk": "Сьогодні гарна погода, і ми йдемо до лісу.",
    "el": "Ο καιρός είναι καλός σήμερα.",
    "zh": "今天天气很好。",
    "ja": "今日は天気がいいです。",
    "ko": "오늘은 날씨가 좋습니다.",
    "ar": "الطقس جميل اليوم",
    "fa": "هوا امروز گرم است و پنجره باز است",
    "he": "מזג האוויר יפה היום",
    "hi": "आज मौसम अच्छा है।",
    "th": "วันนี้อากาศดี",
}


@pytest.fixture(scope="module")
def identifier() -> Py3LangId:
    return Py3LangId()


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_shows_its_language(identifier: Py3LangId, language: str, text: str) -> None:
    assert identifier.language(text, ENGLISH) == language


@pytest.mark.parametrize(
    "text",
    [
        "Good morning. How are you today?",
        "I had a déjà vu at the café in São Paulo, and ordered a crème brûlée.",
        "Angela Merkel met Emmanuel Macron in Berlin with Jürgen Müller and the mayor of Köln.",
        "The word 日本 means Japan, and π is about 3.14.",
        "He shouted: Achtung! Then the door of the U-Bahn closed.",
        "IN CAPITALS AS WELL AS IN SMALL LETTERS THIS IS ENGLISH",
    ],
)
def test_foreign_words_and_names_do_not_hide_that_a_text_is_english(identifier: Py3LangId, text: str) -> None:
    assert identifier.language(text, ENGLISH) in (None, "en")


@pytest.mark.parametrize(
    "text", ["", "1234", "?!", "Jürgen Müller", "Schadenfreude", "XK-47", "5 µs", "Bonjour.", "1 + 1 = 2, 5 + 5 = 10"]
)
def test_a_text_of_few_words_is_not_judged(identifier: Py3LangId, text: str) -> None:
    assert identifier.language(text, ENGLISH) is None


@pytest.mark.parametrize("text", ["你好", "我用 Python 写程序", "Привет", "こんにちは"])
def test_a_few_letters_of_another_script_are_enough(identifier: Py3LangId, text: str) -> None:
    assert identifier.language(text, ENGLISH) not in (None, *ENGLISH)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("今天天气很好。", ("zh", "en")),
        ("今天天气很好。", ("yue",)),
        ("Saya tidak tahu apa yang akan dia katakan.", ("id",)),
        ("Saya tidak tahu apa yang akan dia katakan.", ("ms",)),
    ],
)
def test_a_text_that_may_be_in_a_language_of_the_voice_is_not_noticed(
    identifier: Py3LangId, text: str, spoken: Collection[str]
) -> None:
    assert identifier.language(text, spoken) in (None, *spoken)


@pytest.mark.parametrize("text", ["We should go home now.", "And what do you think about it?"])
def test_a_text_can_certainly_be_in_a_language_of_the_voice(identifier: Py3LangId, text: str) -> None:
    assert identifier.language(text, ENGLISH) == "en"


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "Ja, gerne."), ("de", "Guten Tag."), ("en", "Of course."), ("es", "Sí, claro."), ("zh", "你好")],
)
def test_two_words_can_show_which_of_a_few_languages_a_text_is_in(
    identifier: Py3LangId, language: str, text: str
) -> None:
    assert identifier.language(text, ENGLISH) in (None, "zh")
    assert identifier.among(text, ("en", "de", "es", "zh")) == language


@pytest.mark.parametrize("text", ["", "42.", "OK.", "Hallo, Anna.", "Привет, как дела?", "Nie wiem, czy to jest."])
def test_a_text_that_may_be_in_none_of_a_few_languages_is_not_taken_for_one(identifier: Py3LangId, text: str) -> None:
    assert identifier.among(text, ("en", "de", "es")) is None


def test_only_the_start_of_a_long_text_counts(identifier: Py3LangId) -> None:
    english = "This is a sentence in English. " * (MAX_CHARACTERS // 30 + 1)
    assert identifier.language(english + "ein deutscher Satz mit der und die " * 1_000, ENGLISH) == "en"


def test_a_missing_model_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.engines.py3langid.MODEL_FILE", f"{langid.MODEL_FILE}.missing")
    with pytest.raises(EngineError):
        Py3LangId()


def test_chinese_is_found_among_languages_with_cantonese(identifier: Py3LangId) -> None:
    assert identifier.among("今天天气很好，我们去公园吧。", ("zh", "en", "ja", "yue", "ko", "de")) == "zh"
    assert identifier.among("今天天气很好，我们去公园吧。", ("en", "yue", "de")) == "yue"
