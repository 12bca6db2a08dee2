"""How models come and go: loading, holding, unloading, memory."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

import httpx
import pytest

from realtime.catalogue.table import ModelEntry
from realtime.engines.scripted import ScriptedEngines
from realtime.errors import ModelInUse, Overloaded, UnknownModel, UnusableModel, WeightsUnavailable
from realtime.models.models import Models
from realtime.models.pool import MAX_CONCURRENT_LOADS, RETRY_AFTER
from realtime.settings import Settings
from realtime.weights.progress import Stage, Step
from tests.support.serving import eventually, serving, utterance

DEFAULTS = ["whisper-base", "hibari-tts"]
HOUR = 3600.0


class SlowToPrepare(ScriptedEngines):
    """Prepares models other than the defaults when `gate` is open, and says how far the first of them is."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.stopped = False

    def prepare(self, entry: ModelEntry) -> int:
        if entry.name not in DEFAULTS:
            assert self.gate.wait(5)
        return super().prepare(entry)

    def steps(self) -> Mapping[str, Step]:
        return {"whisper-tiny": Step("whisper-tiny", Stage.DOWNLOADING, 43, 100)}

    def stop(self) -> None:
        self.stopped = True
        self.gate.set()


@contextlib.asynccontextmanager
async def opened(engines: ScriptedEngines | None = None, **settings: Any) -> AsyncIterator[Models]:
    models = Models(Settings(**settings), engines or ScriptedEngines())
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


def others(models: Models) -> list[str]:
    """The models that are loaded besides the defaults."""
    return [entry.name for entry in models.loaded() if entry.name not in DEFAULTS]


# By name.


def test_a_model_is_loaded_and_unloaded_by_name() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines) as models:
            assert (await models.load("Systran/faster-whisper-tiny")).name == "whisper-tiny"
            assert others(models) == ["whisper-tiny"]
            await models.unload("whisper-tiny")
            assert others(models) == []
            assert engines.closed == ["whisper-tiny"]
            await models.unload("whisper-tiny")

    run(scenario())


def test_a_name_that_is_none_can_neither_be_loaded_nor_unloaded() -> None:
    async def scenario() -> None:
        async with opened() as models:
            for name in ("whisper-gigantic", "somebody/unlisted"):
                with pytest.raises(UnknownModel):
                    await models.load(name)
                with pytest.raises(UnknownModel):
                    await models.unload(name)

    run(scenario())


def test_a_voice_model_is_loaded_by_its_name_or_openais() -> None:
    async def scenario() -> None:
        async with opened() as models:
            assert (await models.load("hibari-tts")).name == "hibari-tts"
            assert (await models.load("tts-1")).name == "hibari-tts"
            assert (await models.load("whisper-1")).name == "whisper-base"

    run(scenario())


def test_what_is_held_is_not_unloaded() -> None:
    async def scenario() -> None:
        async with opened() as models:
            recognizer = await models.recognizer("whisper-tiny")
            with recognizer.held(), pytest.raises(ModelInUse, match="in use"):
                await models.unload("whisper-tiny")
            await models.unload("whisper-tiny")
            assert others(models) == []

    run(scenario())


def test_the_defaults_and_what_was_preloaded_are_not_unloaded() -> None:
    async def scenario() -> None:
        async with opened(preload=("whisper-tiny", "somebody/theirs")) as models:
            assert others(models) == ["whisper-tiny", "somebody/theirs"]
            for name in ("whisper-base", "hibari-tts", "whisper-tiny", "somebody/theirs"):
                with pytest.raises(ModelInUse, match="always keeps"):
                    await models.unload(name)

    run(scenario())


def test_the_recognizer_of_an_admitted_session_is_not_unloaded() -> None:
    async def scenario() -> None:
        async with opened() as models:
            await models.load("whisper-tiny")
            models.admit("session", "whisper-tiny")
            with pytest.raises(ModelInUse):
                await models.unload("whisper-tiny")
            models.dismiss("session")
            await models.unload("whisper-tiny")

    run(scenario())


def test_a_session_holds_the_recognizer_it_uses_between_its_turns_and_lets_go_at_the_end() -> None:
    with serving() as server:
        with server.session("intent=transcription&model=whisper-tiny") as session:
            session.send_audio(utterance([1, 2]))
            session.wait_for("conversation.item.input_audio_transcription.completed")
            with pytest.raises(ModelInUse):
                server.call(server.models.unload("whisper-tiny"))
        assert eventually(lambda: server.sessions == 0)
        server.call(server.models.unload("whisper-tiny"))
        assert server.engines.closed == ["whisper-tiny"]


# Patience.


def test_who_asks_for_a_model_that_takes_long_is_told_how_far_it_is_and_the_load_goes_on() -> None:
    async def scenario() -> None:
        engines = SlowToPrepare()
        async with opened(engines, model_load_timeout_seconds=0.0) as models:
            with pytest.raises(Overloaded, match=r"not ready yet \(downloading, 43%\)") as refused:
                await models.recognizer("whisper-tiny")
            assert refused.value.retry_after == RETRY_AFTER
            assert models.progress() == {"whisper-tiny": Step("whisper-tiny", Stage.DOWNLOADING, 43, 100)}
            with pytest.raises(ModelInUse, match="still loading"):
                await models.unload("whisper-tiny")
            engines.gate.set()
            assert (await models.load("whisper-tiny")).name == "whisper-tiny"
            assert models.progress() == {}
            assert engines.loaded.count("whisper-tiny") == 1

    run(scenario())


def test_over_http_a_model_that_takes_long_is_503_with_a_time_to_come_back() -> None:
    engines = SlowToPrepare()
    with serving(engines, model_load_timeout_seconds=0.0) as server:
        address = f"http://127.0.0.1:{server.port}"
        form: dict[str, Any] = {"data": {"model": "whisper-tiny"}, "files": {"file": b"audio"}}
        answer = httpx.post(f"{address}/v1/audio/transcriptions", **form)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY_AFTER))
        assert "downloading, 43%" in answer.json()["error"]["message"]
        assert httpx.get(f"{address}/v1/models/whisper-tiny/progress").json()["progress"] == 0.43
        engines.gate.set()
        progress = f"{address}/v1/models/whisper-tiny/progress"
        assert eventually(lambda: httpx.get(progress).json()["stage"] == "loaded")


def test_no_more_than_a_few_models_load_at_a_time() -> None:
    async def scenario() -> None:
        engines = SlowToPrepare()
        async with opened(engines, model_load_timeout_seconds=0.0) as models:
            names = ["whisper-tiny", "whisper-tiny.en", "whisper-small", "whisper-medium"]
            for name in names[:MAX_CONCURRENT_LOADS]:
                with pytest.raises(Overloaded, match="not ready yet"):
                    await models.recognizer(name)
            for ask in (models.recognizer, models.load):
                with pytest.raises(Overloaded, match="as many models as it can"):
                    await ask(names[MAX_CONCURRENT_LOADS])
            with pytest.raises(Overloaded, match="not ready yet"):
                await models.recognizer(names[0])
            engines.gate.set()
            await models.load(names[0])

    run(scenario())


def test_closing_stops_what_is_being_prepared() -> None:
    async def scenario() -> None:
        engines = SlowToPrepare()
        async with opened(engines, model_load_timeout_seconds=0.0) as models:
            with pytest.raises(Overloaded):
                await models.recognizer("whisper-tiny")
        assert engines.stopped

    run(scenario())


def test_weights_that_cannot_be_had_are_told_to_whoever_waits() -> None:
    class Offline(ScriptedEngines):
        def prepare(self, entry: ModelEntry) -> int:
            if entry.name in DEFAULTS:
                return 0
            raise WeightsUnavailable("nowhere")

    async def scenario() -> None:
        async with opened(Offline()) as models:
            with pytest.raises(WeightsUnavailable):
                await models.recognizer("whisper-tiny")
            assert models.progress() == {}

    run(scenario())


# Time and memory.


def test_a_model_that_nobody_uses_is_unloaded_after_a_while() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines, model_idle_seconds=HOUR) as models:
            await models.load("whisper-tiny")
            models.evict_expired(time.monotonic() + HOUR - 60)
            assert others(models) == ["whisper-tiny"]
            models.evict_expired(time.monotonic() + HOUR)
            assert others(models) == []
        assert engines.closed.count("whisper-tiny") == 1

    run(scenario())


def test_unused_models_are_looked_for_without_being_asked() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines, model_idle_seconds=0.02) as models:
            await models.load("whisper-tiny")
            assert await asyncio.to_thread(eventually, lambda: engines.closed == ["whisper-tiny"])
            assert (await models.load("whisper-tiny")).name == "whisper-tiny"

    run(scenario())


def budgeted() -> ScriptedEngines:
    engines = ScriptedEngines()
    sizes = {"whisper-base": 10, "hibari-tts": 10, "whisper-tiny": 40, "whisper-small": 40, "whisper-medium": 81}
    engines.weight_bytes.update(sizes)
    return engines


def test_a_model_unused_for_longest_makes_room_for_another() -> None:
    async def scenario() -> None:
        engines = budgeted()
        async with opened(engines, model_memory_bytes=100) as models:
            await models.load("whisper-tiny")
            await models.load("whisper-small")
            await models.recognizer("whisper-tiny")
            engines.weight_bytes["whisper-tiny.en"] = 30
            await models.load("whisper-tiny.en")
            assert others(models) == ["whisper-tiny", "whisper-tiny.en"]

    run(scenario())


def test_models_in_use_leave_no_room_for_another() -> None:
    async def scenario() -> None:
        async with opened(budgeted(), model_memory_bytes=60) as models:
            recognizer = await models.recognizer("whisper-tiny")
            with recognizer.held(), pytest.raises(Overloaded, match="leave no memory"):
                await models.recognizer("whisper-small")
            assert (await models.recognizer("whisper-small")).name == "whisper-small"
            assert others(models) == ["whisper-small"]

    run(scenario())


def test_a_model_that_never_fits_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with opened(budgeted(), model_memory_bytes=100) as models:
            with pytest.raises(UnusableModel, match="larger than the memory"):
                await models.recognizer("whisper-medium")

    run(scenario())


def test_two_that_load_at_once_are_not_promised_the_same_memory() -> None:
    async def scenario() -> None:
        async with opened(budgeted(), model_memory_bytes=70) as models:
            outcomes = await asyncio.gather(
                models.recognizer("whisper-tiny"), models.recognizer("whisper-small"), return_exceptions=True
            )
            assert sorted(isinstance(outcome, Overloaded) for outcome in outcomes) == [False, True]

    run(scenario())
