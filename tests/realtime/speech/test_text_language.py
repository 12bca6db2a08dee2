import pytest

from realtime.languages import LANGUAGES
from realtime.speech.text_language import MAX_CHARACTERS, language_of

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
    "id": "Saya tidak tahu apa yang akan dia katakan.",
    "vi": "Tôi không biết anh ấy đã nói gì.",
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


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_shows_its_language(language: str, text: str) -> None:
    assert language in LANGUAGES
    assert language_of(text) == language


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
def test_foreign_words_and_names_do_not_hide_that_a_text_is_english(text: str) -> None:
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", ["", "1234", "?!", "Jürgen Müller", "Schadenfreude", "XK-47"])
def test_a_text_without_evidence_has_no_language(text: str) -> None:
    assert language_of(text) is None


def test_chinese_with_latin_terms_is_chinese() -> None:
    assert language_of("我用 Python 写程序") == "zh"


def test_only_the_start_of_a_long_text_counts() -> None:
    english = "This is a sentence in English. " * (MAX_CHARACTERS // 30 + 1)
    assert language_of(english + "ein deutscher Satz mit der und die " * 1_000) == "en"
