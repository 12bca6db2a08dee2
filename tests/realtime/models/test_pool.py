"""The pool of models: loading, leasing, unloading and memory."""

import asyncio
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx
import pytest

from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.errors import RETRY_LATER, ModelInUse, Overloaded, UnusableModel, WeightsUnavailable
from realtime.freed_memory import return_freed_memory
from realtime.models.models import Models
from realtime.models.pool import MAX_CONCURRENT_LOADS
from realtime.weights.progress import Stage, Step
from tests.support.garbage import GARBAGE_MEGABYTES, KEEPS_FREED_MEMORY, leave_garbage, resident_megabytes
from tests.support.loaded_models import BASE, SMALL, TINY, VOICE, opened, recognizer
from tests.support.realtime_service import eventually, realtime_service
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines, ScriptedRecognizer

DEFAULTS = ["whisper-base", "hibari-tts"]
TINY_EN, MEDIUM = lookup("whisper-tiny.en"), lookup("whisper-medium")
HOUR = 3600.0


class SlowToPrepare(ScriptedEngines):
    """Engines that prepare models other than the defaults when `gate` is open, and report progress."""

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


def others(models: Models) -> list[str]:
    """Return the names of the loaded models, without the defaults."""
    return [entry.name for entry in models.loaded() if entry.name not in DEFAULTS]


# Loading and unloading.


def test_a_model_is_loaded_and_unloaded_by_name() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines) as models:
            await models.load(TINY)
            assert others(models) == ["whisper-tiny"]
            await models.unload(TINY)
            assert others(models) == []
            assert engines.closed == ["whisper-tiny"]
            await models.unload(TINY)

    run(scenario())


def test_what_is_leased_is_not_unloaded() -> None:
    async def scenario() -> None:
        async with opened() as models:
            async with models.lease_recognizer(TINY):
                with pytest.raises(ModelInUse, match="in use"):
                    await models.unload(TINY)
            await models.unload(TINY)
            assert others(models) == []

    run(scenario())


def test_a_model_is_leased_from_the_moment_it_is_asked_for() -> None:
    async def scenario() -> None:
        async with opened() as models:
            used, done = asyncio.Event(), asyncio.Event()

            async def use() -> None:
                async with models.lease_recognizer(TINY):
                    used.set()
                    await done.wait()

            using = asyncio.create_task(use())
            while not models.is_loaded(TINY):  # noqa: ASYNC110 - to act before its user can
                await asyncio.sleep(0)
            assert not used.is_set()
            with pytest.raises(ModelInUse, match="in use"):
                await models.unload(TINY)
            done.set()
            await using

    run(scenario())


def test_the_defaults_and_what_was_preloaded_are_not_unloaded() -> None:
    async def scenario() -> None:
        async with opened(preload=("whisper-tiny", "somebody/theirs")) as models:
            assert others(models) == ["whisper-tiny", "somebody/theirs"]
            for entry in (BASE, VOICE, TINY, lookup("somebody/theirs")):
                with pytest.raises(ModelInUse, match="always keeps"):
                    await models.unload(entry)

    run(scenario())


# Loads that take long.


def test_a_request_that_times_out_reports_the_progress_and_the_load_goes_on() -> None:
    async def scenario() -> None:
        engines = SlowToPrepare()
        async with opened(engines, model_load_timeout_seconds=0.0) as models:
            with pytest.raises(Overloaded, match=r"not ready yet \(downloading, 43%\)") as refused:
                await recognizer(models, TINY)
            assert refused.value.retry_after == RETRY_LATER
            assert models.progress() == {"whisper-tiny": Step("whisper-tiny", Stage.DOWNLOADING, 43, 100)}
            with pytest.raises(ModelInUse, match="still loading"):
                await models.unload(TINY)
            engines.gate.set()
            await models.load(TINY)
            assert models.is_loaded(TINY)
            assert models.progress() == {}
            assert engines.loaded.count("whisper-tiny") == 1

    run(scenario())


def test_over_http_a_load_that_takes_too_long_is_503_with_retry_after() -> None:
    engines = SlowToPrepare()
    with realtime_service(engines, model_load_timeout_seconds=0.0) as server:
        address = f"http://127.0.0.1:{server.port}"
        form: dict[str, Any] = {"data": {"model": "whisper-tiny"}, "files": {"file": b"audio"}}
        answer = httpx.post(f"{address}/v1/audio/transcriptions", **form)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY_LATER))
        assert "downloading, 43%" in answer.json()["error"]["message"]
        assert httpx.get(f"{address}/v1/models/whisper-tiny/progress").json()["progress"] == 0.43
        engines.gate.set()
        progress = f"{address}/v1/models/whisper-tiny/progress"
        assert eventually(lambda: httpx.get(progress).json()["stage"] == "loaded")


def test_no_more_than_a_few_models_load_at_a_time() -> None:
    async def scenario() -> None:
        engines = SlowToPrepare()
        async with opened(engines, model_load_timeout_seconds=0.0) as models:
            entries = [TINY, TINY_EN, SMALL, MEDIUM]
            for entry in entries[:MAX_CONCURRENT_LOADS]:
                with pytest.raises(Overloaded, match="not ready yet"):
                    await recognizer(models, entry)
            for ask in (partial(recognizer, models), models.load):
                with pytest.raises(Overloaded, match="as many models as it can"):
                    await ask(entries[MAX_CONCURRENT_LOADS])
            with pytest.raises(Overloaded, match="not ready yet"):
                await recognizer(models, entries[0])
            engines.gate.set()
            await models.load(entries[0])

    run(scenario())


def test_closing_stops_preparations() -> None:
    async def scenario() -> None:
        engines = SlowToPrepare()
        async with opened(engines, model_load_timeout_seconds=0.0) as models:
            with pytest.raises(Overloaded):
                await recognizer(models, TINY)
        assert engines.stopped

    run(scenario())


def test_missing_weights_fail_the_request() -> None:
    class Offline(ScriptedEngines):
        def prepare(self, entry: ModelEntry) -> int:
            if entry.name in DEFAULTS:
                return 0
            raise WeightsUnavailable("nowhere")

    async def scenario() -> None:
        async with opened(Offline()) as models:
            with pytest.raises(WeightsUnavailable):
                await recognizer(models, TINY)
            assert models.progress() == {}

    run(scenario())


# Idle time and memory.


def test_an_idle_model_is_unloaded() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines, model_idle_seconds=HOUR) as models:
            await models.load(TINY)
            models.evict_expired(time.monotonic() + HOUR - 60)
            assert others(models) == ["whisper-tiny"]
            models.evict_expired(time.monotonic() + HOUR)
            assert others(models) == []
        assert engines.closed.count("whisper-tiny") == 1

    run(scenario())


def test_idle_models_are_looked_for_on_a_timer() -> None:
    async def scenario() -> None:
        engines = ScriptedEngines()
        async with opened(engines, model_idle_seconds=0.02) as models:
            await models.load(TINY)
            assert await asyncio.to_thread(eventually, lambda: engines.closed == ["whisper-tiny"])
            await models.load(TINY)
            assert models.is_loaded(TINY)

    run(scenario())


def budgeted() -> ScriptedEngines:
    engines = ScriptedEngines()
    sizes = {"whisper-base": 10, "hibari-tts": 10, "whisper-tiny": 40, "whisper-small": 40, "whisper-medium": 81}
    engines.weight_bytes.update(sizes)
    return engines


def test_the_least_recently_used_model_makes_room_for_another() -> None:
    async def scenario() -> None:
        engines = budgeted()
        async with opened(engines, model_memory_bytes=100) as models:
            await models.load(TINY)
            await models.load(SMALL)
            await recognizer(models, TINY)
            engines.weight_bytes["whisper-tiny.en"] = 30
            await models.load(TINY_EN)
            assert others(models) == ["whisper-tiny", "whisper-tiny.en"]

    run(scenario())


def test_models_in_use_are_not_evicted_for_another() -> None:
    async def scenario() -> None:
        async with opened(budgeted(), model_memory_bytes=60) as models:
            async with models.lease_recognizer(TINY):
                with pytest.raises(Overloaded, match="leave no memory"):
                    await recognizer(models, SMALL)
            assert (await recognizer(models, SMALL)).name == "whisper-small"
            assert others(models) == ["whisper-small"]

    run(scenario())


def test_a_model_larger_than_the_budget_is_unusable() -> None:
    async def scenario() -> None:
        async with opened(budgeted(), model_memory_bytes=100) as models:
            with pytest.raises(UnusableModel, match="larger than the memory"):
                await recognizer(models, MEDIUM)

    run(scenario())


def test_concurrent_loads_do_not_reserve_the_same_memory() -> None:
    async def scenario() -> None:
        async with opened(budgeted(), model_memory_bytes=70) as models:
            outcomes = await asyncio.gather(recognizer(models, TINY), recognizer(models, SMALL), return_exceptions=True)
            assert sorted(isinstance(outcome, Overloaded) for outcome in outcomes) == [False, True]

    run(scenario())


# Memory that loading and unloading has freed.


class Wasteful(ScriptedEngines):
    """Engines that free a lot of memory when a recognizer other than the default one is loaded, or unloaded."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.kept: list[bytearray] = []
        self._at = at

    def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
        if entry.name not in DEFAULTS:
            self.waste("load")
        return Unloading(self, entry)

    def waste(self, at: str) -> None:
        if at == self._at:
            self.kept += leave_garbage()


class Unloading(ScriptedRecognizer):
    """A recognizer of `Wasteful`."""

    def __init__(self, engines: Wasteful, entry: ModelEntry) -> None:
        super().__init__(engines, entry.name, entry.capabilities)
        self._wasteful = engines

    def close(self) -> None:
        super().close()
        self._wasteful.waste("unload")


@pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")
@pytest.mark.parametrize("at", ["load", "unload"])
def test_what_a_load_or_an_unload_has_freed_goes_back_to_the_system(at: str) -> None:
    async def scenario() -> None:
        async with opened(Wasteful(at)) as models:
            return_freed_memory()
            before = resident_megabytes()
            await models.load(TINY)
            await models.unload(TINY)
            assert resident_megabytes() - before < GARBAGE_MEGABYTES / 4

    run(scenario())


@pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")
def test_what_has_been_freed_while_a_model_was_leased_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.models.pool.FREED_MEMORY_SECONDS", 0.05)

    async def scenario() -> None:
        engines = Wasteful("work")
        async with opened(engines) as models:
            return_freed_memory()
            before = resident_megabytes()
            async with models.lease_recognizer(BASE):
                await asyncio.to_thread(engines.waste, "work")
            assert resident_megabytes() - before > GARBAGE_MEGABYTES / 4
            assert await asyncio.to_thread(eventually, lambda: resident_megabytes() - before < GARBAGE_MEGABYTES / 4)

    run(scenario())
