"""Processes of engines: jobs, cancellation, crashes, hangs, memory, restarts and the end."""

import asyncio
import os
import random
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import pytest
import uvloop

from realtime.audio.formats import Samples
from realtime.engines.base import EngineProgram
from realtime.errors import EngineError, Overloaded, UnusableModel
from realtime.workers.backoff import MAX_BACKOFF, Backoff
from realtime.workers.messages import HEADER, MAX_FIELDS, NO_SAMPLES, Kind, body_sizes
from realtime.workers.process_pool import DeadlineSemaphore, ProcessPool
from tests.support.garbage import GARBAGE_MEGABYTES, KEEPS_FREED_MEMORY
from tests.support.process_engine import obedient
from tests.support.scenarios import run, until

ENDLESS: Final = {"do": "count", "up_to": 10**9, "pause": 0.001}


def ignore(_: str) -> None:
    pass


@asynccontextmanager
async def pool(program: EngineProgram | None = None, *, max_waiting: int = 9) -> AsyncIterator[ProcessPool]:
    opened = await asyncio.to_thread(ProcessPool, program or obedient(), ignore, max_waiting=max_waiting)
    try:
        yield opened
    finally:
        await asyncio.to_thread(opened.close)


async def results(pool: ProcessPool, do: str, samples: Samples = NO_SAMPLES, **job: Any) -> list[dict[str, Any]]:
    return [dict(message.fields) async for message in pool.run({"do": do, **job}, samples)]


async def works(pool: ProcessPool) -> bool:
    return await results(pool, "echo", text="hello") == [{"text": "hello"}]


async def idle(pool: ProcessPool) -> None:
    await until(lambda: pool.idle_processes == 1)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_fields_and_samples_come_back_as_they_were(factory: Any) -> None:
    async def scenario() -> None:
        samples = np.linspace(-1, 1, 50_000, dtype=np.float32)
        async with pool() as opened:
            job = {"do": "echo", "text": "Grüße, 世界 \ud83d"}
            messages = [message async for message in opened.run(job, samples)]
        assert [message.fields for message in messages] == [{"text": "Grüße, 世界 \ud83d"}]
        np.testing.assert_array_equal(messages[0].samples, samples)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(scenario())


def test_what_the_engine_says_of_itself_is_known_once_it_is_loaded() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            assert opened.description["pid"] != os.getpid()

    run(scenario())


def test_jobs_of_one_process_run_one_after_another() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            counts = await asyncio.gather(*(results(opened, "count", up_to=3) for _ in range(4)))
        assert counts == [[{"number": 0}, {"number": 1}, {"number": 2}]] * 4

    run(scenario())


def test_further_processes_are_started_on_demand_up_to_the_setting() -> None:
    async def scenario() -> None:
        async with pool(obedient(instances=2)) as opened:
            assert await works(opened)
            assert opened.idle_processes == 1
            await asyncio.gather(*(results(opened, "count", up_to=3, pause=0.05) for _ in range(5)))
            assert opened.idle_processes == 2

    run(scenario())


def test_the_job_that_is_needed_first_gets_the_next_process() -> None:
    async def scenario() -> None:
        order = list[str]()

        async def finish(name: str, deadline: float) -> None:
            async for _ in opened.run({"do": "echo", "text": name}, deadline=deadline):
                order.append(name)

        async with pool() as opened, aclosing(opened.run(ENDLESS)) as endless:
            await anext(endless)
            deadlines = {"late": 9.0, "soon": 1.0, "left": 0.0, "as soon": 1.0}
            waiting = {name: asyncio.create_task(finish(name, at)) for name, at in deadlines.items()}
            await asyncio.sleep(0)
            waiting.pop("left").cancel()
            await endless.aclose()
            await asyncio.gather(*waiting.values())
        assert order == ["soon", "as soon", "late"]

    run(scenario())


def test_one_that_is_cancelled_just_before_its_turn_is_passed_over() -> None:
    async def scenario() -> None:
        semaphore = DeadlineSemaphore(1)
        await semaphore.acquire(0.0)
        cancelled, let_pass, last = (asyncio.create_task(semaphore.acquire(at)) for at in (1.0, 2.0, 3.0))
        await asyncio.sleep(0)
        cancelled.cancel()
        semaphore.release()
        await let_pass
        await asyncio.sleep(0)
        assert cancelled.cancelled()
        assert not last.done()
        semaphore.release()
        await last
        semaphore.release()
        await semaphore.acquire(4.0)

    run(scenario())


def test_a_job_too_many_is_refused() -> None:
    async def scenario() -> None:
        async with pool(max_waiting=1) as opened, aclosing(opened.run(ENDLESS)) as endless:
            await anext(endless)
            waiting = asyncio.create_task(works(opened))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await works(opened)
            await endless.aclose()
            assert await waiting

    run(scenario())


def test_what_the_engine_refuses_is_refused_and_the_process_goes_on() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            with pytest.raises(EngineError, match="cannot read this text"):
                await results(opened, "refuse")
            assert (await results(opened, "describe"))[0]["pid"] == opened.description["pid"]

    run(scenario())


def test_a_foreign_exception_fails_the_job_with_its_place_but_without_its_text() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            with pytest.raises(EngineError, match=r"ZeroDivisionError at process_engine\.py:\d+") as failed:
                await results(opened, "break")
            assert "secret" not in failed.value.message
            assert (await results(opened, "describe"))[0]["pid"] == opened.description["pid"]

    run(scenario())


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("abort", "was ended by SIGABRT"),
        ("unnamed", f"was ended by signal {signal.SIGRTMIN + 6}"),
        ("exit", "ended with exit status 3"),
    ],
    ids=["signal", "unnamed signal", "exit"],
)
def test_a_crash_fails_its_job_and_the_next_one_works(do: str, said: str) -> None:
    async def scenario() -> None:
        async with pool() as opened:
            with pytest.raises(EngineError, match=said):
                await results(opened, do)
            assert await works(opened)

    run(scenario())


def test_a_process_killed_between_jobs_is_replaced() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            assert await works(opened)
            child = psutil.Process(opened.description["pid"])
            child.kill()
            # Until all of its threads have ended, it is not yet known to be dead.
            await asyncio.to_thread(os.waitid, os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            assert await works(opened)

    run(scenario())


def test_a_process_killed_within_a_job_fails_it_and_the_next_one_works() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            async with aclosing(opened.run({"do": "sleep"})) as job:
                await anext(job)
                os.kill(opened.description["pid"], signal.SIGKILL)
                with pytest.raises(EngineError, match="SIGKILL"):
                    await anext(job)
            assert await works(opened)
            assert opened.restarts == 1

    run(scenario())


def test_a_process_that_stalls_is_killed() -> None:
    async def scenario() -> None:
        async with pool(obedient(stall_timeout=0.2)) as opened:
            with pytest.raises(EngineError, match="stalled"):
                await results(opened, "sleep")
            assert not psutil.pid_exists(opened.description["pid"])
            assert await works(opened)

    run(scenario())


def test_a_job_that_needs_more_memory_than_allowed_fails_alone() -> None:
    async def scenario() -> None:
        async with pool(obedient(max_memory_bytes=512 << 20)) as opened:
            with pytest.raises(EngineError, match="MemoryError"):
                await results(opened, "take memory", bytes=1 << 30)
            assert len(await results(opened, "take memory", bytes=64 << 20)) == 1

    run(scenario())


def test_a_cancelled_job_leaves_the_process_ready_for_the_next_one() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            async with aclosing(opened.run(ENDLESS)) as job:
                await anext(job)
            assert (await results(opened, "describe"))[0]["pid"] == opened.description["pid"]

    run(scenario())


def test_a_process_that_does_not_end_a_cancelled_job_in_time_is_killed() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            async with aclosing(opened.run({"do": "sleep"})) as job:
                await anext(job)
            began = asyncio.get_running_loop().time()
            assert await works(opened)
            assert asyncio.get_running_loop().time() - began < 5
            assert not psutil.pid_exists(opened.description["pid"])
            assert opened.restarts == 1

    run(scenario())


def test_after_500_random_cancellations_the_process_is_idle_and_nothing_has_grown() -> None:
    draw = random.Random(7)

    async def leave_early(opened: ProcessPool) -> None:
        task = asyncio.create_task(results(opened, "count", up_to=200, size=12_000, pause=0.0005))
        await asyncio.sleep(draw.random() * 0.004)
        task.cancel()
        await asyncio.wait([task])
        await idle(opened)

    async def scenario() -> None:
        async with pool() as opened:
            for _ in range(20):
                await leave_early(opened)
            parent, child = psutil.Process(), psutil.Process(opened.description["pid"])
            before = parent.num_fds(), threading.active_count(), child.num_fds(), child.num_threads()
            memory = child.memory_info().rss
            for _ in range(500):
                await leave_early(opened)
            assert (parent.num_fds(), threading.active_count(), child.num_fds(), child.num_threads()) == before
            assert child.memory_info().rss < memory + (8 << 20)
            assert await works(opened)

    run(scenario())


def test_a_caller_that_leaves_while_a_process_starts_leaves_it_to_the_next() -> None:
    async def scenario() -> None:
        async with pool(obedient(instances=2)) as opened, aclosing(opened.run({"do": "sleep"})) as job:
            await anext(job)
            starting = asyncio.create_task(works(opened))
            await asyncio.sleep(0.01)
            starting.cancel()
            await asyncio.wait([starting])
            await idle(opened)
            assert await works(opened)
            assert opened.idle_processes == 1

    run(scenario())


def test_an_engine_that_cannot_be_used_here_says_so() -> None:
    with pytest.raises(UnusableModel, match="not installed") as refused:
        ProcessPool(obedient(load="refuse"), ignore, max_waiting=9)
    assert refused.value.param == "model"


def test_a_crash_while_loading_is_reported() -> None:
    with pytest.raises(EngineError, match="SIGABRT"):
        ProcessPool(obedient(load="crash"), ignore, max_waiting=9)


def test_an_interpreter_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    program = EngineProgram("obedient", "a:B", {}, str(tmp_path / "python"))
    with pytest.raises(EngineError, match="No process can be started"):
        ProcessPool(program, ignore, max_waiting=9)


def test_the_stages_of_loading_are_reported_and_a_start_ends_when_it_is_not_wanted() -> None:
    stages: list[str] = []

    def until_loading(stage: str) -> None:
        stages.append(stage)
        if stage == "loading":
            raise EngineError("The server is stopping.")

    with pytest.raises(EngineError, match="stopping"):
        ProcessPool(obedient(load="slowly"), until_loading, max_waiting=9)
    assert stages[0] == "starting"
    assert not [each for each in psutil.Process().children() if "engine_process" in str(each.cmdline())]


def test_an_engine_that_fails_repeatedly_is_not_started_at_once_again(tmp_path: Path) -> None:
    program = obedient(load="once", marker=str(tmp_path / "loaded"))

    async def scenario() -> None:
        async with pool(program) as opened:
            for said in ("SIGABRT", "FileExistsError"):
                with pytest.raises(EngineError, match=said):
                    await results(opened, "abort")
            with pytest.raises(Overloaded, match="failed repeatedly") as refused:
                await works(opened)
            assert refused.value.retry_after == 1

    run(scenario())


def test_the_wait_for_another_start_doubles_up_to_a_minute_and_ends_with_a_job_that_was_done() -> None:
    backoff, now, waits = Backoff(), 100.0, []
    for _ in range(10):
        backoff.record_failure(now)
        waits.append(backoff.seconds_left(now))
        now += waits[-1]
    assert waits == [0, 1, 2, 4, 8, 16, 32, MAX_BACKOFF, MAX_BACKOFF, MAX_BACKOFF]
    backoff.record_success()
    assert backoff.seconds_left(now) == 0


def test_a_job_that_is_running_when_the_model_is_unloaded_fails_as_overloaded() -> None:
    async def scenario() -> None:
        async with pool() as opened, aclosing(opened.run({"do": "sleep"})) as job:
            await anext(job)
            await asyncio.to_thread(opened.close)
            with pytest.raises(Overloaded):
                await anext(job)
            with pytest.raises(Overloaded):
                await works(opened)
            assert not psutil.pid_exists(opened.description["pid"])

    run(scenario())


def test_a_process_ends_when_the_service_is_gone() -> None:
    async def scenario() -> None:
        async with pool() as opened:
            child = psutil.Process(opened.description["pid"])
            async with aclosing(opened.run({"do": "sleep"})) as job:
                await anext(job)
                next(iter(opened._processes)).close_streams()
                await asyncio.to_thread(child.wait, 5)
                with pytest.raises(EngineError):
                    await anext(job)

    run(scenario())


def test_the_process_gets_no_key_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_API_KEYS", "key")
    monkeypatch.setenv("HF_TOKEN", "token")

    async def scenario() -> None:
        async with pool() as opened:
            (described,) = await results(opened, "describe")
        assert not {"VIVAVOCE_API_KEYS", "HF_TOKEN"} & {*described["keys"]}

    run(scenario())


def test_a_message_that_is_too_large_is_malformed() -> None:
    with pytest.raises(ValueError, match="malformed"):
        body_sizes(HEADER.pack(Kind.RESULT, MAX_FIELDS + 1, 0, 0))


@pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")
def test_a_process_gives_back_what_loading_the_model_has_freed() -> None:
    async def megabytes(program: EngineProgram) -> float:
        async with pool(program) as opened:
            (weighed,) = await results(opened, "weigh")
            return float(weighed["megabytes"])

    async def scenario() -> None:
        wasteful = await megabytes(obedient(load="wastefully"))
        assert wasteful - await megabytes(obedient()) < GARBAGE_MEGABYTES / 4

    run(scenario())


@pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")
def test_a_process_without_work_gives_back_what_it_has_freed() -> None:
    async def scenario() -> None:
        async with pool(obedient(rest_seconds=0.2)) as opened:
            (weighed,) = await results(opened, "weigh")
            process = psutil.Process(opened.description["pid"])
            assert await results(opened, "waste") == []
            await until(lambda: process.memory_info().rss / 1e6 - weighed["megabytes"] < GARBAGE_MEGABYTES / 4)

    run(scenario())
