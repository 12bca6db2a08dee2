import logging

import pytest

from realtime.catalogue.names import lookup
from realtime.errors import EngineError, UnspokenLanguage
from tests.support.loaded_models import VOICE, opened
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines, ScriptedLanguageIdentifier

GERMAN = lookup("piper-de_DE-thorsten-medium")
FRENCH = lookup("piper-fr_FR-siwis-medium")
BY_LANGUAGE = (f"de={GERMAN.name}",)

GERMAN_TEXT, ENGLISH_TEXT, UNCERTAIN_TEXT = "Das ist neu.", "This is new.", "Hm?"


class Undetermined(ScriptedEngines):
    """Engines whose identifier of languages cannot be loaded."""

    def language_identifier(self) -> ScriptedLanguageIdentifier:
        raise EngineError("It is missing.")


def test_a_text_in_a_language_with_a_voice_of_its_own_is_spoken_by_that() -> None:
    async def scenario() -> None:
        async with opened(voices_by_language=BY_LANGUAGE) as models:
            assert await models.speaker(GERMAN_TEXT, VOICE) == GERMAN
            assert await models.speaker(ENGLISH_TEXT, VOICE, GERMAN) == VOICE

    run(scenario())


def test_a_model_of_two_languages_is_told_which_of_them_a_text_is_in() -> None:
    async def scenario() -> None:
        async with opened(voices_by_language=("de=kokoro", "en=kokoro", f"fr={FRENCH.name}")) as models:
            kokoro = lookup("kokoro")
            assert await models.language_for(GERMAN_TEXT, kokoro) == "de"
            assert await models.language_for(UNCERTAIN_TEXT, kokoro) == ""
            assert await models.language_for(GERMAN_TEXT, FRENCH) == "fr"
            assert await models.language_for(GERMAN_TEXT, VOICE) == ""

    run(scenario())


def test_a_text_of_uncertain_language_is_spoken_by_the_voice_of_the_text_before() -> None:
    async def scenario() -> None:
        async with opened(voices_by_language=BY_LANGUAGE) as models:
            assert await models.speaker(UNCERTAIN_TEXT, VOICE) == VOICE
            assert await models.speaker(UNCERTAIN_TEXT, VOICE, GERMAN) == GERMAN

    run(scenario())


def test_a_model_that_is_not_the_default_speaks_every_text_itself() -> None:
    async def scenario() -> None:
        async with opened(voices_by_language=BY_LANGUAGE) as models:
            assert await models.speaker(GERMAN_TEXT, FRENCH) == FRENCH

    run(scenario())


def test_the_voices_of_languages_are_loaded_at_start_and_stay() -> None:
    async def scenario() -> None:
        async with opened(voices_by_language=("German = piper-de_DE-thorsten-medium",)) as models:
            assert models.is_loaded(GERMAN)

    run(scenario())


def test_a_language_that_the_model_does_not_speak_can_be_refused() -> None:
    async def scenario() -> None:
        async with opened(unspoken_languages="refuse") as models:
            assert await models.speaker(ENGLISH_TEXT, VOICE) == VOICE
            assert await models.speaker(UNCERTAIN_TEXT, VOICE) == VOICE
            with pytest.raises(UnspokenLanguage, match="The text is in German, which hibari-tts does not speak"):
                await models.speaker(GERMAN_TEXT, VOICE)
            with pytest.raises(UnspokenLanguage):
                await models.speaker(ENGLISH_TEXT, FRENCH)

    run(scenario())


def test_a_language_with_a_voice_of_its_own_is_not_refused() -> None:
    async def scenario() -> None:
        async with opened(unspoken_languages="refuse", voices_by_language=BY_LANGUAGE) as models:
            assert await models.speaker(GERMAN_TEXT, VOICE) == GERMAN

    run(scenario())


def test_without_the_identifier_of_languages_the_model_that_was_asked_for_speaks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        async with opened(Undetermined(), unspoken_languages="refuse", voices_by_language=BY_LANGUAGE) as models:
            assert await models.speaker(GERMAN_TEXT, VOICE) == VOICE
            assert caplog.record_tuples[0][1] == logging.ERROR

    run(scenario())
