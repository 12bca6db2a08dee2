"""Models: which are loaded, and when, and how they answer."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import WINDOW, Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram
from realtime.errors import EngineError, Overloaded, UnusableModel
from realtime.models.models import Models
from realtime.offline.transcriber import MAX_CONCURRENT_SEGMENTS
from realtime.scheduling.priority import Priority
from realtime.settings import Settings
from realtime.speech.pauses import CLAUSE_PAUSE, SENTENCE_PAUSE
from realtime.speech.recognition import TranscriptionRequest
from realtime.text_normalization.normalizer import SpokenText
from tests.support.loaded_models import BASE, TINY, VOICE, opened, recognizer
from tests.support.scenarios import run
from tests.support.scripted_engines import (
    SECONDS_PER_CHARACTER,
    ScriptedEndOfTurnModel,
    ScriptedEngines,
    ScriptedLanguageIdentifier,
    ScriptedRecognizer,
    ScriptedSynthesizer,
    say_numbers,
    transcript_of,
)

CLONING = lookup("ChatTTS")
DEFAULTS = ["detector", "hibari-tts", "whisper-base"]


class SlowToLoad(ScriptedEngines):
    """Engines that load a recognizer when `gate` is open, and raise `failures` first for other than the default."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.failures = list(failures)

    def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer | EngineProgram:
        assert self.gate.wait(5)
        recognizer = super().recognizer(entry)
        if entry.name != "whisper-base" and self.failures:
            raise self.failures.pop(0)
        return recognizer


def test_the_defaults_are_loaded_when_the_service_starts() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        models = Models(Settings(), engines)
        assert not models.ready
        await models.open()
        assert models.ready
        assert models.is_loaded(BASE)
        assert not models.is_loaded(TINY)
        await models.close()
        assert sorted(engines.loaded) == DEFAULTS

    run(scenario())


def test_closing_closes_every_engine_and_refuses_further_work() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines) as models:
            tiny = await recognizer(models, TINY)
        assert sorted(engines.closed) == [*DEFAULTS, "whisper-tiny"]
        assert not models.ready
        with pytest.raises(Overloaded):
            await tiny.transcribe(TranscriptionRequest(say_numbers([1])), Priority.FINAL)

    run(scenario())


def test_concurrent_requests_share_one_load() -> None:
    async def scenario() -> None:
        engines = SlowToLoad()
        async with opened(engines) as models:
            engines.gate.clear()
            asked = [asyncio.create_task(recognizer(models, TINY)) for _ in range(5)]
            await asyncio.sleep(0)
            assert not models.is_loaded(TINY)
            engines.gate.set()
            handles = await asyncio.gather(*asked)
            assert all(handle is handles[0] for handle in handles)
            assert engines.loaded.count("whisper-tiny") == 1

    run(scenario())


def test_a_cancelled_request_does_not_stop_the_load() -> None:
    async def scenario() -> None:
        engines = SlowToLoad()
        async with opened(engines) as models:
            engines.gate.clear()
            cancelled, waiting = (asyncio.create_task(recognizer(models, TINY)) for _ in range(2))
            await asyncio.sleep(0)
            cancelled.cancel()
            engines.gate.set()
            assert (await waiting).name == "whisper-tiny"
            assert engines.loaded.count("whisper-tiny") == 1

    run(scenario())


@pytest.mark.parametrize("failure", [EngineError("no weights"), OSError("disk full")])
def test_a_failed_load_fails_all_requests_and_can_be_retried(failure: Exception) -> None:
    async def scenario() -> None:
        async with opened(SlowToLoad(failure)) as models:
            asked = (recognizer(models, TINY), recognizer(models, TINY))
            outcomes: list[object] = [*await asyncio.gather(*asked, return_exceptions=True)]
            assert outcomes == [failure, failure]
            assert not models.is_loaded(TINY)
            assert (await recognizer(models, TINY)).name == "whisper-tiny"

    run(scenario())


def test_a_load_that_failed_after_its_request_was_cancelled_can_be_retried() -> None:
    async def scenario() -> None:
        engines = SlowToLoad(EngineError("no weights"))
        async with opened(engines) as models:
            engines.gate.clear()
            cancelled = asyncio.create_task(recognizer(models, TINY))
            await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.wait([cancelled])
            engines.gate.set()
            await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})  # the load went on in its own
            assert (await recognizer(models, TINY)).name == "whisper-tiny"

    run(scenario())


def test_a_request_is_decoded_until_the_engine_answers_with_a_hypothesis() -> None:
    class Doubting(ScriptedRecognizer):
        looks = 0

        def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Any]:
            self.looks += 1
            return [*encoded] if self.looks < 3 else super().decode(encoded)

    class DoubtingEngines(ScriptedEngines):
        def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
            return Doubting(self, entry.name, Capabilities())

    async def scenario() -> None:
        async with opened(DoubtingEngines()) as models:
            base = await recognizer(models)
            said = await base.transcribe(TranscriptionRequest(say_numbers([1, 2, 3])), Priority.UPLOAD)
            assert len(said.words) == 3

    run(scenario())


def test_the_default_voice_model_may_be_named_by_its_repository() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(), speech_model="maureesewilliams/hibari") as models:
            assert models.voice_names.voices == ("amber", "birch")

    run(scenario())


def test_a_default_that_cannot_be_loaded_stops_the_start() -> None:
    class Voiceless(ScriptedEngines):
        def synthesizer(self, entry: ModelEntry) -> Any:
            raise EngineError(f"{entry.name} is broken")

    async def scenario() -> None:
        models = Models(Settings(), Voiceless())
        with pytest.raises(EngineError, match="hibari-tts is broken"):
            await models.open()
        assert not models.ready
        await models.close()

    run(scenario())


def test_engines_answer_through_their_handles() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            audio = say_numbers([3, 1, 4])
            hypothesis = await (await recognizer(models)).transcribe(TranscriptionRequest(audio), Priority.FINAL)
            assert hypothesis.text == f" {transcript_of([3, 1, 4])}"
            windows = np.resize(audio, (2, WINDOW))
            probabilities, state = await models.detector.score(windows, None)
            assert (probabilities, float(state[0])) == ([1.0, 1.0], 2.0)
            _, state = await models.detector.score(windows, state)
            assert float(state[0]) == 4.0
            async with models.lease_synthesizer(VOICE) as synthesizer:
                spoken = [chunk async for chunk in synthesizer.synthesize("Ten chars.", "amber", 2.0)]
                assert sum(map(len, spoken)) == pytest.approx(
                    (0.3 + SENTENCE_PAUSE / 2) * synthesizer.sample_rate, abs=1
                )

    run(scenario())


def test_the_detector_takes_a_request_of_every_session_at_once() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(), max_sessions=300) as models:
            windows = np.zeros((1, WINDOW), np.float32)
            scores = await asyncio.gather(*(models.detector.score(windows, None) for _ in range(300)))
            assert [probabilities for probabilities, _ in scores] == [[0.0]] * 300

    run(scenario())


def test_a_recognizer_takes_all_requests_of_uploads_and_one_of_every_session_at_once() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(), max_sessions=32, max_concurrent_uploads=32) as models:
            base = await recognizer(models)
            request = TranscriptionRequest(say_numbers([1]))
            uploads = [base.transcribe(request, Priority.UPLOAD) for _ in range(32 * MAX_CONCURRENT_SEGMENTS)]
            live = [base.transcribe(request, Priority.FINAL) for _ in range(32)]
            texts = {hypothesis.text for hypothesis in await asyncio.gather(*uploads, *live)}
            assert texts == {f" {transcript_of([1])}"}

    run(scenario())


def test_a_request_is_made_when_the_engine_is_free() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            base = await recognizer(models)
            newest = TranscriptionRequest(say_numbers([1]))
            asked = asyncio.create_task(base.transcribe_newest(lambda _: newest, Priority.PARTIAL))
            newest = TranscriptionRequest(say_numbers([2]))
            assert (await asked).text == f" {transcript_of([2])}"

    run(scenario())


def test_what_the_engine_finds_in_the_weights_corrects_the_catalogue() -> None:
    class English(ScriptedEngines):
        def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
            return ScriptedRecognizer(self, entry.name, Capabilities(languages=("en",)))

    async def scenario() -> None:
        async with opened(English(), transcription_model="somebody/theirs") as models:
            theirs = await recognizer(models, lookup("somebody/theirs"))
            assert theirs.entry.capabilities == Capabilities(languages=("en",))

    run(scenario())


@pytest.mark.parametrize("able", [Capabilities(), Capabilities(speed=True, fastest=1.25)])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_at_a_speed_that_a_model_does_not_speak_its_speech_is_stretched(able: Capabilities, speed: float) -> None:
    class FewSpeeds(ScriptedEngines):
        def synthesizer(self, entry: ModelEntry) -> ScriptedSynthesizer:
            return ScriptedSynthesizer(self, entry.name, able)

    async def scenario() -> None:
        async with opened(FewSpeeds()) as models, models.lease_synthesizer(VOICE) as synthesizer:
            spoken = [chunk async for chunk in synthesizer.synthesize("Some twenty letters.", "amber", speed)]
            seconds = sum(map(len, spoken)) / synthesizer.sample_rate
            assert seconds == pytest.approx((1.2 + SENTENCE_PAUSE) / speed, abs=0.03)

    run(scenario())


def test_what_is_spoken_text_already_is_not_normalized_again() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines) as models, models.lease_synthesizer(VOICE) as synthesizer:
            spoken = SpokenText("5 km,", "six miles,", [0] * 10, "en")
            samples = [chunk async for chunk in synthesizer.synthesize(spoken, "amber", 1.0)]
            seconds = sum(map(len, samples)) / synthesizer.sample_rate
            assert seconds == pytest.approx(10 * SECONDS_PER_CHARACTER + CLAUSE_PAUSE, abs=0.001)

    run(scenario())


def test_the_voices_of_models_at_hand_are_those_of_the_default_then_loaded_then_installed_ones() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        engines.voices_here = {"ChatTTS": ("default",), VOICE.name: ("cedar",)}
        async with opened(engines, preload=("piper-de_DE-thorsten-medium",)) as models:
            assert [*(await models.voices_at_hand()).voices.items()] == [
                (VOICE.name, ("amber", "birch")),
                ("piper-de_DE-thorsten-medium", ("amber", "birch")),
                ("ChatTTS", ("default",)),
            ]

    run(scenario())


def test_a_damaged_voice_model_is_logged_once_and_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        engines.voices_here, engines.damaged = {"ChatTTS": ("default",)}, {"kokoro": EngineError("It is damaged.")}
        async with opened(engines) as models:
            for _ in range(2):
                at_hand = await models.voices_at_hand()
                assert [*at_hand.voices] == [VOICE.name, "ChatTTS"]
                assert at_hand.errors.keys() == {"kokoro"}

    run(scenario())
    assert [each.message for each in caplog.records] == ["kokoro cannot speak: It is damaged."]


def test_a_voice_model_that_could_not_be_loaded_is_not_at_hand_until_it_is() -> None:
    class FailingOnce(ScriptedEngines):
        def __init__(self) -> None:
            super().__init__()
            self.voices_here = {CLONING.name: ("default",)}
            self.failures = [EngineError("Its network is damaged.")]

        def synthesizer(self, entry: ModelEntry) -> ScriptedSynthesizer:
            if entry == CLONING and self.failures:
                raise self.failures.pop()
            return super().synthesizer(entry)

    async def scenario() -> None:
        async with opened(FailingOnce()) as models:
            with pytest.raises(EngineError):
                await models.load(CLONING)
            assert (await models.voices_at_hand()).errors.keys() == {CLONING.name}
            await models.load(CLONING)
            at_hand = await models.voices_at_hand()
            assert (CLONING.name in at_hand.voices, at_hand.errors) == (True, {})

    run(scenario())


SPANISH_TEXT = "El tiempo es bueno, pero no es para los dos."


@pytest.mark.parametrize(
    ("name", "text", "language", "voice"),
    [
        ("", SPANISH_TEXT, "", "ef_dora"), ("onyx", SPANISH_TEXT, "", "em_alex"), ("", "Take a seat.", "", "af_heart"),
        ("fenrir", SPANISH_TEXT, "", "am_fenrir"), ("af_heart", SPANISH_TEXT, "es", "af_heart"),
        ("heart", "No.", "es", "ef_dora"), ("nobody", SPANISH_TEXT, "es", None),
    ],
)  # fmt: skip
def test_a_text_is_spoken_by_a_voice_of_its_language_unless_one_is_named(
    name: str, text: str, language: str, voice: str | None
) -> None:
    class Several(ScriptedEngines):
        def synthesizer(self, entry: ModelEntry) -> ScriptedSynthesizer:
            made = super().synthesizer(entry)
            made.voices = ("af_heart", "am_fenrir", "ef_dora", "em_alex")
            return made

    async def scenario() -> None:
        kokoro = lookup("kokoro")
        async with opened(Several(), preload=("kokoro",)) as models, models.lease_synthesizer(kokoro) as synthesizer:
            assert synthesizer.choose_voice(name, text, language) == voice

    run(scenario())


class WithoutIdentifier(ScriptedEngines):
    """Engines of which the identifier of languages cannot be loaded."""

    def language_identifier(self) -> ScriptedLanguageIdentifier:
        raise EngineError("It is missing.")


def test_the_language_of_the_first_text_is_identified() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            assert await models.unspoken_language("Das ist neu.", VOICE) == "de"
            assert await models.unspoken_language("This is new.", VOICE) is None

    run(scenario())


def test_a_text_is_not_noticed_where_the_languages_of_the_model_are_unknown() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            unknown = replace(VOICE, capabilities=Capabilities(()))
            assert await models.unspoken_language("Das ist neu.", unknown) is None

    run(scenario())


def test_the_service_runs_without_the_identifier_of_languages(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with opened(WithoutIdentifier()) as models:
            assert await models.unspoken_language("Das ist neu.", VOICE) is None
            assert models.ready
            assert "not checked" in caplog.text

    run(scenario())


class WithEndOfTurnModel(ScriptedEngines):
    """Engines whose end-of-turn model cannot be loaded for `reason`, or answers when `gate` is open."""

    def __init__(self, reason: Exception | None = None) -> None:
        super().__init__()
        self.reason = reason
        self.gate = threading.Event()

    def end_of_turn_model(self) -> ScriptedEndOfTurnModel:
        if self.reason is not None:
            raise self.reason
        return GatedEndOfTurnModel(self, "end-of-turn")


class GatedEndOfTurnModel(ScriptedEndOfTurnModel):
    def score(self, turn: Samples) -> float:
        assert isinstance(self._engines, WithEndOfTurnModel)
        assert self._engines.gate.wait(5)
        return super().score(turn)


def test_the_end_of_turn_model_is_loaded_for_the_first_turn_and_closed_at_the_end() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines) as models:
            assert "end-of-turn" not in engines.loaded
            turns = [say_numbers([1]), say_numbers([2, 4])]
            assert await asyncio.gather(*map(models.score_turn, turns)) == [0.0, 1.0]
        assert engines.loaded.count("end-of-turn") == engines.closed.count("end-of-turn") == 1

    run(scenario())


@pytest.mark.parametrize("reason", [UnusableModel("It is not installed."), EngineError("It is damaged.")])
def test_without_an_end_of_turn_model_turns_have_no_score(reason: Exception, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with opened(WithEndOfTurnModel(reason)) as models:
            for _ in range(2):
                with pytest.raises(UnusableModel):
                    await models.score_turn(say_numbers([1]))
            assert caplog.text.count("silence alone") == 1

    run(scenario())


def test_a_late_end_of_turn_model_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.models.end_of_turn.MAX_END_OF_TURN_SECONDS", 0.05)

    async def scenario() -> None:
        engines = WithEndOfTurnModel()
        async with opened(engines) as models:
            with pytest.raises(Overloaded):
                await models.score_turn(say_numbers([2]))
            engines.gate.set()

    run(scenario())
