"""Threads and the coroutines that await them."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any

import pytest

from realtime.errors import EngineError, Overloaded
from realtime.workers import CREDIT, BatchWorker, StreamWorker


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await scenario

    asyncio.run(bounded())


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 5)


class Engine:
    """Answers in capitals, once `gate` is open; cannot answer "bad"."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()

    def __call__(self, requests: Sequence[str]) -> list[str]:
        self.batches.append(list(requests))
        self.entered.set()
        assert self.gate.wait(5)
        if "bad" in requests:
            raise EngineError("It is bad.")
        return ["SHORT"] if "short" in requests and len(requests) > 1 else [each.upper() for each in requests]


@contextlib.asynccontextmanager
async def busy(engine: Engine, *, max_batch: int = 1, max_waiting: int = 9) -> AsyncIterator[BatchWorker[str, str]]:
    """A worker whose engine is at work on "first"."""
    worker = BatchWorker("busy", engine, max_batch=max_batch, max_waiting=max_waiting, alone_from=5)
    first = asyncio.create_task(worker.submit("first"))
    await happens(engine.entered)
    try:
        yield worker
        assert await first == "FIRST"
    finally:
        engine.gate.set()
        await asyncio.to_thread(worker.close)


async def ask(worker: BatchWorker[str, str], request: str, priority: int = 0) -> "asyncio.Task[str]":
    """A request that is in the queue when this returns."""
    task = asyncio.create_task(worker.submit(request, priority))
    await asyncio.sleep(0)
    return task


def test_urgent_requests_go_first_and_among_them_the_oldest() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine) as worker:
            asked = [await ask(worker, name, priority) for name, priority in (("c", 2), ("a", 0), ("d", 2), ("b", 1))]
            engine.gate.set()
            assert await asyncio.gather(*asked) == ["C", "A", "D", "B"]
        assert engine.batches == [["first"], ["a"], ["b"], ["c"], ["d"]]

    run(scenario())


def test_patient_requests_get_a_batch_of_their_own() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=8) as worker:
            asked = [await ask(worker, name, priority) for name, priority in (("c", 5), ("d", 5), ("a", 0), ("b", 1))]
            engine.gate.set()
            await asyncio.gather(*asked)
        assert engine.batches == [["first"], ["a", "b"], ["c"], ["d"]]

    run(scenario())


def test_no_batch_is_larger_than_its_bound() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=3) as worker:
            asked = [await ask(worker, name) for name in "abcde"]
            engine.gate.set()
            assert await asyncio.gather(*asked) == list("ABCDE")
        assert engine.batches == [["first"], ["a", "b", "c"], ["d", "e"]]

    run(scenario())


def test_a_bad_request_fails_alone() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=3) as worker:
            asked = [await ask(worker, name) for name in ("good", "bad", "fine")]
            engine.gate.set()
            good, bad, fine = await asyncio.gather(*asked, return_exceptions=True)
            assert (good, fine) == ("GOOD", "FINE")
            assert isinstance(bad, EngineError)

    run(scenario())


def test_an_engine_that_answers_too_little_does_not_stop_the_worker() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=2) as worker:
            asked = [await ask(worker, name) for name in ("short", "other")]
            engine.gate.set()
            assert (await asyncio.gather(*asked))[1] == "OTHER"
            assert await worker.submit("next") == "NEXT"

    run(scenario())


def test_a_request_cancelled_while_it_waits_never_runs() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine) as worker:
            unwanted = await ask(worker, "unwanted")
            wanted = await ask(worker, "wanted")
            unwanted.cancel()
            engine.gate.set()
            assert await wanted == "WANTED"
        assert engine.batches == [["first"], ["wanted"]]

    run(scenario())


def test_beyond_the_bound_work_is_refused() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_waiting=2) as worker:
            asked = [await ask(worker, name) for name in "ab"]
            with pytest.raises(Overloaded):
                await worker.submit("c")
            engine.gate.set()
            assert await asyncio.gather(*asked) == ["A", "B"]
            assert await worker.submit("d") == "D"

    run(scenario())


def test_a_cancelled_request_makes_room_for_another() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_waiting=2) as worker:
            kept, unwanted = [await ask(worker, name) for name in "ab"]
            unwanted.cancel()
            await asyncio.wait([unwanted])
            another = await ask(worker, "c")
            engine.gate.set()
            assert list(await asyncio.gather(kept, another)) == ["A", "C"]

    run(scenario())


def test_what_the_engine_raises_reaches_the_one_who_asked() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine) as worker:
            engine.gate.set()
            with pytest.raises(EngineError, match=r"It is bad\."):
                await worker.submit("bad")

    run(scenario())


def test_closing_answers_the_batch_at_hand_and_withdraws_the_rest() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine) as worker:
            waiting = await ask(worker, "waiting")
            closing = asyncio.create_task(asyncio.to_thread(worker.close))
            with pytest.raises(asyncio.CancelledError):
                await waiting
            engine.gate.set()
            await closing
            with pytest.raises(Overloaded):
                await worker.submit("late")
        assert engine.batches == [["first"]]

    run(scenario())


def test_closing_ends_the_thread() -> None:
    worker = BatchWorker("short-lived", Engine(), max_batch=1, max_waiting=1, alone_from=5)
    worker.close()
    assert "short-lived" not in {thread.name for thread in threading.enumerate()}


class Speaker:
    """A generator of numbers that tells how far it has come, and where it was closed."""

    def __init__(self, count: int, failure: Exception | None = None) -> None:
        self.made = 0
        self.full = threading.Event()
        self.closed = threading.Event()
        self.threads: set[int] = set()
        self._count = count
        self._failure = failure

    def __call__(self) -> Iterator[int]:
        try:
            while self.made < self._count:
                self.threads.add(threading.get_ident())
                self.made += 1
                if self.made == CREDIT:
                    self.full.set()
                yield self.made
            if self._failure is not None:
                raise self._failure
        finally:
            self.threads.add(threading.get_ident())
            self.closed.set()


@contextlib.asynccontextmanager
async def streaming(*, max_waiting: int = 2) -> AsyncIterator[StreamWorker[int]]:
    worker: StreamWorker[int] = StreamWorker("voice", concurrency=1, max_waiting=max_waiting)
    try:
        yield worker
    finally:
        await asyncio.to_thread(worker.close)


def test_chunks_come_in_order() -> None:
    async def scenario() -> None:
        async with streaming() as worker:
            assert [chunk async for chunk in worker.stream(Speaker(50))] == list(range(1, 51))

    run(scenario())


def test_a_generator_is_only_so_far_ahead_of_its_taker() -> None:
    async def scenario() -> None:
        speaker = Speaker(50)
        async with streaming() as worker:
            chunks = worker.stream(speaker)
            async for chunk in chunks:
                # What it may not do cannot be waited for; that it went on this far can.
                if chunk == 1:
                    await happens(speaker.full)
                assert speaker.made <= chunk + CREDIT
            assert speaker.made == 50

    run(scenario())


def test_closing_the_stream_closes_the_generator_in_its_own_thread() -> None:
    async def scenario() -> None:
        speaker = Speaker(50)
        async with streaming() as worker:
            chunks = worker.stream(speaker)
            assert await anext(chunks) == 1
            await happens(speaker.full)
            await chunks.aclose()
            await happens(speaker.closed)
        assert len(speaker.threads) == 1
        assert threading.get_ident() not in speaker.threads
        assert speaker.made <= 2 + CREDIT

    run(scenario())


def test_a_failure_reaches_the_taker_after_the_chunks_before_it() -> None:
    async def scenario() -> None:
        async with streaming() as worker:
            failing = worker.stream(Speaker(3, EngineError("hoarse")))
            taken = [await anext(failing) for _ in range(3)]
            with pytest.raises(EngineError, match="hoarse"):
                await anext(failing)
            assert [chunk async for chunk in worker.stream(Speaker(2))] == [1, 2]
        assert taken == [1, 2, 3]

    run(scenario())


def test_beyond_the_bound_generators_are_refused() -> None:
    async def scenario() -> None:
        first = Speaker(50)
        async with streaming(max_waiting=1) as worker:
            speaking = worker.stream(first)
            await anext(speaking)
            waiting = asyncio.ensure_future(anext(worker.stream(Speaker(1))))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await anext(worker.stream(Speaker(1)))
            await speaking.aclose()
            assert await waiting == 1

    run(scenario())


def test_closing_the_worker_while_it_streams_tells_everybody_and_ends_the_threads() -> None:
    async def scenario() -> None:
        speaking, waiting = Speaker(50), Speaker(50)
        async with streaming() as worker:
            chunks = worker.stream(speaking)
            await anext(chunks)
            next_in_line = asyncio.ensure_future(anext(worker.stream(waiting)))
            await asyncio.sleep(0)
            await asyncio.to_thread(worker.close)
            assert speaking.closed.is_set()
            with pytest.raises(Overloaded):
                async for _ in chunks:
                    pass
            with pytest.raises(Overloaded):
                await next_in_line
            with pytest.raises(Overloaded):
                await anext(worker.stream(Speaker(1)))
        assert not waiting.made
        assert "voice-0" not in {thread.name for thread in threading.enumerate()}

    run(scenario())
