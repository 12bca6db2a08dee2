"""In which of the languages of a voice a text is."""

import pytest

from realtime.text_normalization.language import language_of
from realtime.text_normalization.normalizer import spoken_text

KOKORO = ("en", "es", "fr", "hi", "it", "pt", "zh")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No, no!", "en"),
        ("Order it a la carte in Los Angeles.", "en"),
        ("El tren de Madrid no llega a las ocho, y hay que esperar en la estación.", "es"),
        ("Le train de Paris est en retard, et nous ne sommes pas dans la gare.", "fr"),
        ("Il treno per Roma non è in ritardo, ma la stazione è molto lontana.", "it"),
        ("O trem para Lisboa não está atrasado, mas a estação é muito longe.", "pt"),
        ("नमस्ते, आप कैसे हैं?", "hi"),
        ("早上好。", "zh"),
    ],
)
def test_a_voice_leaves_its_own_language_only_for_a_text_that_is_clearly_in_another(text: str, language: str) -> None:
    assert language_of(text, KOKORO, "en") == language


@pytest.mark.parametrize("text", ["Good morning.", "Hola.", "1984"])
def test_what_may_be_in_any_language_is_in_that_of_the_voice(text: str) -> None:
    assert language_of(text, KOKORO, "es") == "es"


def test_numbers_are_read_in_the_language_of_the_voice() -> None:
    spoken = spoken_text("Son 12.", KOKORO, own="es")
    assert (spoken.text, spoken.language) == ("Son doce.", "es")
    assert spoken_text("Room 12.", KOKORO, own="en").text == "Room twelve."
