"""Which engines are loaded, and when."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import WINDOW
from realtime.catalogue.capabilities import RecognizerCapabilities, SynthesizerCapabilities
from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.errors import EngineError, Overloaded
from realtime.models.handles import RecognizerHandle
from realtime.models.models import Models
from realtime.models.session_recognizer import RETRY_AFTER, SessionRecognizer
from realtime.scheduling.priority import Priority
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from tests.support.scripted_engines import (
    ScriptedEngines,
    ScriptedRecognizer,
    ScriptedSynthesizer,
    say_numbers,
    transcript,
)

DEFAULTS = ["detector", "hibari-tts", "whisper-base"]
BASE, TINY, SMALL, VOICE = map(lookup, ("whisper-base", "whisper-tiny", "whisper-small", "hibari-tts"))


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


async def recognizer(models: Models, entry: ModelEntry = BASE) -> RecognizerHandle:
    """Lease a recognizer, for no longer than it takes to get it."""
    async with models.lease_recognizer(entry) as recognizer:
        return recognizer


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


def test_many_who_ask_at_once_share_one_load() -> None:
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


def test_who_gives_up_does_not_stop_the_load_for_others() -> None:
    async def scenario() -> None:
        engines = SlowToLoad()
        async with opened(engines) as models:
            engines.gate.clear()
            hasty, patient = (asyncio.create_task(recognizer(models, TINY)) for _ in range(2))
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
            asked = (recognizer(models, TINY), recognizer(models, TINY))
            outcomes: list[object] = [*await asyncio.gather(*asked, return_exceptions=True)]
            assert outcomes == [failure, failure]
            assert not models.is_loaded(TINY)
            assert (await recognizer(models, TINY)).name == "whisper-tiny"

    run(scenario())


def test_a_load_that_failed_when_nobody_waited_is_tried_again() -> None:
    async def scenario() -> None:
        engines = SlowToLoad(EngineError("no weights"))
        async with opened(engines) as models:
            engines.gate.clear()
            hasty = asyncio.create_task(recognizer(models, TINY))
            await asyncio.sleep(0)
            hasty.cancel()
            await asyncio.wait([hasty])
            engines.gate.set()
            await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})  # the load went on in its own
            assert (await recognizer(models, TINY)).name == "whisper-tiny"

    run(scenario())


def test_a_request_that_needs_another_look_is_decoded_until_it_has_its_answer() -> None:
    class Doubting(ScriptedRecognizer):
        looks = 0

        def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Any]:
            self.looks += 1
            return [*encoded] if self.looks < 3 else super().decode(encoded)

    class DoubtingEngines(ScriptedEngines):
        def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
            return Doubting(self, entry.name, RecognizerCapabilities())

    async def scenario() -> None:
        async with opened(DoubtingEngines()) as models:
            base = await recognizer(models)
            said = await base.transcribe(TranscriptionRequest(say_numbers([1, 2, 3])), Priority.UPLOAD)
            assert len(said.words) == 3

    run(scenario())


def test_the_default_voice_model_may_be_named_by_its_repository() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(), Settings(speech_model="maureesewilliams/hibari")) as models:
            assert models.voices == ("amber", "birch")

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
            assert hypothesis.text == f" {transcript([3, 1, 4])}"
            windows = np.resize(audio, (2, WINDOW))
            probabilities, state = await models.detector.score(windows, None)
            assert (probabilities, float(state[0])) == ([1.0, 1.0], 2.0)
            _, state = await models.detector.score(windows, state)
            assert float(state[0]) == 4.0
            async with models.lease_synthesizer(VOICE) as synthesizer:
                spoken = [chunk async for chunk in synthesizer.synthesize("Ten chars.", "amber", 2.0)]
                assert sum(map(len, spoken)) == 0.3 * synthesizer.sample_rate

    run(scenario())


# Admission.


def fill(models: Models, entry: ModelEntry = BASE) -> list[SessionRecognizer]:
    """Admit sessions, one right after the other, until the next is refused."""
    admitted: list[SessionRecognizer] = []
    with contextlib.suppress(Overloaded):
        while True:
            admitted.append(models.admit(f"{entry.name} {len(admitted)}", entry))
    return admitted


def test_a_session_more_than_the_engine_can_serve_is_not_let_in() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            assert len(fill(models)) > 1
            with pytest.raises(Overloaded) as refused:
                models.admit("one more", BASE)
            assert refused.value.retry_after == RETRY_AFTER

    run(scenario())


def test_a_session_that_ends_makes_room_once() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            first, *_ = fill(models)
            first.close()
            first.close()
            models.admit("one more", BASE)
            with pytest.raises(Overloaded):
                models.admit("yet another", BASE)

    run(scenario())


def test_a_session_counts_against_the_recognizer_it_asks_for_if_that_is_loaded() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            await models.load(TINY)
            fill(models)
            models.admit("another model", TINY)
            with pytest.raises(Overloaded):
                models.admit("one that is not loaded", SMALL)

    run(scenario())


def test_a_session_that_changes_its_recognizer_makes_room_at_the_one_before() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            first, *_ = fill(models)
            assert (await first.use(TINY)).name == "whisper-tiny"
            models.admit("in its place", BASE)
            with pytest.raises(Overloaded):
                models.admit("one more", BASE)

    run(scenario())


def test_a_session_cannot_change_to_a_recognizer_that_has_no_room_and_keeps_its_own() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            await models.load(TINY)
            fill(models, TINY)
            session = models.admit("session", BASE)
            with pytest.raises(Overloaded, match="no capacity for another session with whisper-tiny"):
                await session.use(TINY)
            assert (await session.use(BASE)).name == "whisper-base"
            fill(models)
            session.close()
            models.admit("in its place", BASE)

    run(scenario())


def test_a_session_changes_its_recognizer_once_however_many_jobs_ask_for_it() -> None:
    async def scenario() -> None:
        engines = SlowToLoad()
        async with opened(engines) as models:
            session = models.admit("session", BASE)
            engines.gate.clear()
            asked = [asyncio.create_task(session.use(TINY)) for _ in range(2)]
            await asyncio.sleep(0)
            engines.gate.set()
            assert [(await each).name for each in asked] == ["whisper-tiny"] * 2
            session.close()
            await models.unload(TINY)

    run(scenario())


def test_a_request_may_be_put_off_until_the_engine_is_free() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines()) as models:
            base = await recognizer(models)
            newest = TranscriptionRequest(say_numbers([1]))
            asked = asyncio.create_task(base.transcribe_newest(lambda _: newest, Priority.PARTIAL))
            newest = TranscriptionRequest(say_numbers([2]))
            assert (await asked).text == f" {transcript([2])}"

    run(scenario())


def test_what_the_engine_finds_in_the_weights_corrects_the_catalogue() -> None:
    class English(ScriptedEngines):
        def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
            return ScriptedRecognizer(self, entry.name, RecognizerCapabilities(languages=("en",)))

    async def scenario() -> None:
        async with opened(English(), Settings(transcription_model="somebody/theirs")) as models:
            theirs = await recognizer(models, lookup("somebody/theirs"))
            assert (theirs.entry.languages, theirs.entry.can_translate) == (("en",), False)

    run(scenario())


def test_a_model_of_one_speed_speaks_at_it() -> None:
    class OneSpeed(ScriptedSynthesizer):
        capabilities = SynthesizerCapabilities(languages=("en",))

    class Engines(ScriptedEngines):
        def synthesizer(self, entry: ModelEntry) -> ScriptedSynthesizer:
            return OneSpeed(self, entry.name)

    async def scenario() -> None:
        async with opened(Engines()) as models, models.lease_synthesizer(VOICE) as synthesizer:
            spoken = [chunk async for chunk in synthesizer.synthesize("Ten chars.", "amber", 2.0)]
            assert sum(map(len, spoken)) == 0.6 * synthesizer.sample_rate

    run(scenario())
