"""Which engines are loaded, and when."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import WINDOW
from realtime.catalogue.table import ModelEntry
from realtime.engines.scripted import ScriptedEngines, ScriptedRecognizer, say_numbers, transcript
from realtime.errors import EngineError, Overloaded, UnknownModel
from realtime.models.models import RETRY_AFTER, Models
from realtime.scheduling.priority import Priority
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest

DEFAULTS = ["detector", "hibari-tts", "whisper-base"]


class SlowToLoad(ScriptedEngines):
    """Loads a recognizer when `gate` is open; fails with `failures` first."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.failures = list(failures)

    def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
        assert self.gate.wait(5)
        recognizer = super().recognizer(entry)
        if entry.name != "whisper-base" and self.failures:
            raise self.failures.pop(0)
        return recognizer


@contextlib.asynccontextmanager
async def opened(engines: ScriptedEngines, settings: Settings | None = None) -> AsyncIterator[Models]:
    models = Models(settings or Settings(), engines)
    await models.open()
    try:
        yield models
    finally:
        await models.close()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await scenario

    asyncio.run(bounded())


def test_the_defaults_are_loaded_when_the_service_starts() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        models = Models(Settings(), engines)
        assert not models.ready
        await models.open()
        assert models.ready
        assert models.is_loaded("whisper-base")
        assert not models.is_loaded("whisper-tiny")
        await models.close()
        assert sorted(engines.loaded) == DEFAULTS

    run(scenario())


def test_closing_closes_every_engine_and_refuses_further_work() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines) as models:
            recognizer = await models.recognizer("whisper-tiny")
        assert sorted(engines.closed) == [*DEFAULTS, "whisper-tiny"]
        assert not models.ready
        with pytest.raises(Overloaded):
            await recognizer.transcribe(TranscriptionRequest(say_numbers([1])), Priority.FINAL)

    run(scenario())


def test_many_who_ask_at_once_share_one_load() -> None:
    async def scenario() -> None:
        engines = SlowToLoad()
        async with opened(engines) as models:
            engines.gate.clear()
            asked = [asyncio.create_task(models.recognizer("whisper-tiny")) for _ in range(5)]
            await asyncio.sleep(0)
            assert not models.is_loaded("whisper-tiny")
            engines.gate.set()
            handles = await asyncio.gather(*asked)
            assert all(handle is handles[0] for handle in handles)
            assert engines.loaded.count("whisper-tiny") == 1

    run(scenario())


def test_who_gives_up_does_not_stop_the_load_for_others() -> None:
    async def scenario() -> None:
        engines = SlowToLoad()
        async with opened(engines) as models:
            engines.gate.clear()
            hasty, patient = (asyncio.create_task(models.recognizer("whisper-tiny")) for _ in range(2))
            await asyncio.sleep(0)
            hasty.cancel()
            engines.gate.set()
            assert (await patient).name == "whisper-tiny"
            assert engines.loaded.count("whisper-tiny") == 1

    run(scenario())


@pytest.mark.parametrize("failure", [EngineError("no weights"), OSError("disk full")])
def test_a_failed_load_fails_everybody_who_waits_and_may_be_tried_again(failure: Exception) -> None:
    async def scenario() -> None:
        async with opened(SlowToLoad(failure)) as models:
            asked = (models.recognizer("whisper-tiny"), models.recognizer("whisper-tiny"))
            outcomes: list[object] = [*await asyncio.gather(*asked, return_exceptions=True)]
            assert outcomes == [failure, failure]
            assert not models.is_loaded("whisper-tiny")
            assert (await models.recognizer("whisper-tiny")).name == "whisper-tiny"

    run(scenario())


def test_a_load_that_failed_when_nobody_waited_is_tried_again() -> None:
    async def scenario() -> None:
        engines = SlowToLoad(EngineError("no weights"))
        async with opened(engines) as models:
            engines.gate.clear()
            hasty = asyncio.create_task(models.recognizer("whisper-tiny"))
            await asyncio.sleep(0)
            hasty.cancel()
            await asyncio.wait([hasty])
            engines.gate.set()
            await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})  # the load went on in its own
            assert (await models.recognizer("whisper-tiny")).name == "whisper-tiny"

    run(scenario())


def test_unknown_models_are_refused() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            with pytest.raises(UnknownModel):
                await models.recognizer("nothing")
            with pytest.raises(UnknownModel):
                await models.recognizer("hibari-tts")
            with pytest.raises(UnknownModel):
                await models.synthesizer("whisper-base")

    run(scenario())


def test_a_repository_is_fetched_only_if_the_operator_named_it() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        settings = Settings(model_paths=("somebody/listed=/models/listed",))
        async with opened(engines, settings) as models:
            with pytest.raises(UnknownModel):
                await models.recognizer("somebody/unlisted")
            assert "somebody/unlisted" not in engines.loaded
            assert (await models.recognizer("somebody/listed")).name == "somebody/listed"
        async with opened(ScriptedEngines(), Settings(transcription_model="somebody/default")) as models:
            assert (await models.recognizer("somebody/default")).name == "somebody/default"

    run(scenario())


def test_names_a_session_cannot_have_are_told_from_those_it_can() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            assert models.recognizer_name("gpt-realtime") is None
            assert models.recognizer_name("") == "whisper-base"
            assert models.recognizer_name("whisper-tiny.en") == "whisper-tiny.en"
            assert models.voice_name("birch") == "birch"
            assert models.voice_name("nobody") is None

    run(scenario())


def test_a_request_that_needs_another_look_is_decoded_until_it_has_its_answer() -> None:
    class Doubting(ScriptedRecognizer):
        looks = 0

        def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Any]:
            self.looks += 1
            return [*encoded] if self.looks < 3 else super().decode(encoded)

    class DoubtingEngines(ScriptedEngines):
        def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
            return Doubting(self, entry.name, multilingual=True)

    async def scenario() -> None:
        async with opened(DoubtingEngines()) as models:
            recognizer = await models.recognizer("")
            said = await recognizer.transcribe(TranscriptionRequest(say_numbers([1, 2, 3])), Priority.UPLOAD)
            assert len(said.words) == 3

    run(scenario())


def test_the_default_voice_model_may_be_named_by_its_repository() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(), Settings(speech_model="maureesewilliams/hibari")) as models:
            assert models.voice_name("") == "amber"

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
            hypothesis = await (await models.recognizer("")).transcribe(TranscriptionRequest(audio), Priority.FINAL)
            assert hypothesis.text == f" {transcript([3, 1, 4])}"
            windows = np.resize(audio, (2, WINDOW))
            probabilities, state = await models.detector.score(windows, None)
            assert (probabilities, float(state[0])) == ([1.0, 1.0], 2.0)
            _, state = await models.detector.score(windows, state)
            assert float(state[0]) == 4.0
            synthesizer = await models.synthesizer("")
            spoken = [chunk async for chunk in synthesizer.synthesize("Ten chars.", "amber", 2.0)]
            assert sum(map(len, spoken)) == 0.3 * synthesizer.sample_rate

    run(scenario())


# Admission.


def room(models: Models) -> int:
    """How many sessions are let in, one right after the other."""
    for number in itertools.count():
        try:
            models.admit(f"session {number}", "")
        except Overloaded:
            return number
    raise AssertionError("there is always a last one")


def test_a_session_more_than_the_engine_can_serve_is_not_let_in() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            assert room(models) > 1
            with pytest.raises(Overloaded) as refused:
                models.admit("one more", "")
            assert refused.value.retry_after == RETRY_AFTER

    run(scenario())


def test_who_is_dismissed_makes_room_once() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            room(models)
            models.dismiss("session 0")
            models.dismiss("session 0")
            models.dismiss("nobody")
            models.admit("one more", "")
            with pytest.raises(Overloaded):
                models.admit("yet another", "")

    run(scenario())


def test_a_session_counts_against_the_recognizer_it_asks_for_if_that_is_loaded() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            await models.recognizer("whisper-tiny")
            room(models)
            models.admit("another model", "whisper-tiny")
            for name in ("whisper-small", "gpt-realtime"):
                with pytest.raises(Overloaded):
                    models.admit("the default", name)

    run(scenario())


def test_a_request_may_be_put_off_until_the_engine_is_free() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            recognizer = await models.recognizer("")
            newest = TranscriptionRequest(say_numbers([1]))
            asked = asyncio.create_task(recognizer.transcribe_newest(lambda _: newest, Priority.PARTIAL))
            newest = TranscriptionRequest(say_numbers([2]))
            assert (await asked).text == f" {transcript([2])}"

    run(scenario())
