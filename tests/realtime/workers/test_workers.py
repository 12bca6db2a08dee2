"""Workers: threads that run engines for coroutines."""

import asyncio
import contextlib
import math
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count

import pytest

from realtime.errors import EngineError, Overloaded
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.scheduling.queue import Encoded, FifoQueue, Stage, Ticket
from realtime.workers.batch import BatchWorker
from realtime.workers.stream import MAX_CHUNKS_AHEAD, StreamWorker
from tests.support.scenarios import run


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 5)


class Engine:
    """Answers in capitals when `gate` is open; raises for "bad" and "full", has one answer for a batch with "short"."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[int] = set()
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()

    def __call__(self, stage: Stage, requests: Sequence[str]) -> Sequence[str | Encoded[str]]:
        self.batches.append(list(requests))
        self.threads.add(threading.get_ident())
        self.entered.release()
        assert self.gate.wait(5)
        if "bad" in requests:
            raise EngineError("It is bad.")
        if "full" in requests:
            raise Overloaded("It is full.")
        return ["SHORT"] if "short" in requests and len(requests) > 1 else [each.upper() for each in requests]

    async def works(self) -> None:
        """Wait until another batch has reached the engine."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=5)


class Diary(FifoQueue[str]):
    """A queue that keeps a record of finished batches."""

    def __init__(self, max_batch: int) -> None:
        super().__init__(max_batch)
        self.done: list[tuple[list[str], float]] = []

    def record_service(self, batch: Sequence[Ticket[str]], seconds: float, now: float) -> None:
        self.done.append(([str(ticket.request(LoadLevel.NORMAL)) for ticket in batch], seconds))


class Later(FifoQueue[str]):
    """A queue in which nothing is due before `at`, with the times at which it was asked for a batch."""

    def __init__(self) -> None:
        super().__init__(9)
        self.at = math.inf
        self.asked: list[float] = []

    def take(self, now: float) -> list[Ticket[str]]:
        self.asked.append(now)
        return super().take(now) if now >= self.at else []

    def due(self, now: float) -> float | None:
        return self.at if len(self) and self.at < math.inf else None


@contextlib.asynccontextmanager
async def busy(
    engine: Engine, *, max_batch: int = 1, max_waiting: int = 9, threads: int = 1
) -> AsyncIterator[BatchWorker[str, str]]:
    """Yield a worker whose engine is busy with "first"."""
    worker: BatchWorker[str, str] = BatchWorker(
        "busy", engine, FifoQueue(max_batch), threads=threads, max_waiting=max_waiting
    )
    first = await ask(worker, "first")
    await engine.works()
    try:
        yield worker
        assert await first == "FIRST"
    finally:
        engine.gate.set()
        await asyncio.to_thread(worker.close)


def ticket(request: str, priority: Priority = Priority.FINAL) -> Ticket[str]:
    return Ticket(lambda _: request, priority)


async def ask(worker: BatchWorker[str, str], request: str, priority: Priority = Priority.FINAL) -> "asyncio.Task[str]":
    """Submit a request, and return when it is queued."""
    task = asyncio.create_task(worker.submit(ticket(request, priority)))
    await asyncio.sleep(0)
    return task


def test_requests_are_answered_in_the_order_and_the_batches_of_the_queue() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=2) as worker:
            asked = [await ask(worker, "u", Priority.UPLOAD), *[await ask(worker, name) for name in "abc"]]
            engine.gate.set()
            assert await asyncio.gather(*asked) == ["U", "A", "B", "C"]
        assert engine.batches == [["first"], ["a", "b"], ["c"], ["u"]]

    run(scenario())


def test_a_request_is_pulled_when_the_engine_is_free() -> None:
    async def scenario() -> None:
        engine, newest = Engine(), "old"
        async with busy(engine) as worker:
            waiting = asyncio.create_task(worker.submit(Ticket(lambda _: newest, Priority.PARTIAL)))
            await asyncio.sleep(0)
            newest = "new"
            engine.gate.set()
            assert await waiting == "NEW"

    run(scenario())


def test_several_threads_run_batches_at_the_same_time() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, threads=3) as worker:
            asked = [await ask(worker, name) for name in "abc"]
            await engine.works()
            await engine.works()
            assert sorted(engine.batches) == [["a"], ["b"], ["first"]]
            engine.gate.set()
            assert await asyncio.gather(*asked) == ["A", "B", "C"]
        assert len(engine.threads) == 3

    run(scenario())


def test_the_queue_learns_the_batch_and_its_duration() -> None:
    async def scenario() -> None:
        engine, diary = Engine(), Diary(9)
        engine.gate.set()
        worker = BatchWorker("recorded", engine, diary, max_waiting=9)
        await worker.submit(ticket("a"))
        with pytest.raises(EngineError):
            await worker.submit(ticket("bad"))
        await asyncio.to_thread(worker.close)
        assert [requests for requests, _ in diary.done] == [["a"], ["bad"]]
        assert all(0 <= seconds < 5 for _, seconds in diary.done)

    run(scenario())


def test_a_batch_counts_even_if_its_request_was_cancelled() -> None:
    async def scenario() -> None:
        engine, diary = Engine(), Diary(1)
        worker = BatchWorker("recorded", engine, diary, max_waiting=9)
        unwanted = await ask(worker, "unwanted")
        await engine.works()
        unwanted.cancel()
        engine.gate.set()
        assert await worker.submit(ticket("wanted")) == "WANTED"
        await asyncio.to_thread(worker.close)
        assert [requests for requests, _ in diary.done] == [["unwanted"], ["wanted"]]

    run(scenario())


class TwoStages(Engine):
    """An engine that encodes every request before it answers."""

    def __call__(self, stage: Stage, requests: Sequence[str]) -> Sequence[str | Encoded[str]]:
        answers = super().__call__(stage, requests)
        return answers if stage is Stage.DECODE else [Encoded(each) for each in requests]


def test_what_was_encoded_is_decoded_in_another_batch() -> None:
    async def scenario() -> None:
        engine = TwoStages()
        worker: BatchWorker[str, str] = BatchWorker("stages", engine, FifoQueue(9), max_waiting=9)
        first = await ask(worker, "first")
        await engine.works()
        asked = [await ask(worker, name) for name in "ab"]
        engine.gate.set()
        assert await asyncio.gather(first, *asked) == ["FIRST", "A", "B"]
        assert engine.batches == [["first"], ["a", "b"], ["first", "a", "b"]]
        await asyncio.to_thread(worker.close)

    run(scenario())


def test_a_request_of_two_stages_is_pulled_once() -> None:
    async def scenario() -> None:
        engine, asked_for = TwoStages(), count(1)
        engine.gate.set()
        worker: BatchWorker[str, str] = BatchWorker("stages", engine, FifoQueue(9), max_waiting=9)
        assert await worker.submit(Ticket(lambda _: f"no {next(asked_for)}", Priority.FINAL)) == "NO 1"
        await asyncio.to_thread(worker.close)

    run(scenario())


def test_a_request_cancelled_between_its_stages_is_forgotten() -> None:
    async def scenario() -> None:
        engine, queue = TwoStages(), FifoQueue[str](9)
        worker: BatchWorker[str, str] = BatchWorker("stages", engine, queue, max_waiting=9)
        unwanted = await ask(worker, "unwanted")
        await engine.works()
        unwanted.cancel()
        await asyncio.wait([unwanted])
        engine.gate.set()
        assert await worker.submit(ticket("wanted")) == "WANTED"
        assert engine.batches == [["unwanted"], ["wanted"], ["wanted"]]
        assert len(queue) == 0
        await asyncio.to_thread(worker.close)

    run(scenario())


def test_what_becomes_due_later_is_taken_then() -> None:
    async def scenario() -> None:
        engine, queue, now = Engine(), Later(), [100.0]
        engine.gate.set()
        worker = BatchWorker("later", engine, queue, max_waiting=9, clock=lambda: now[0])
        queue.at = 100.05
        waiting = await ask(worker, "waiting")
        assert engine.batches == []
        now[0] = 100.05  # the alarm rings in the loop's own time
        assert await waiting == "WAITING"
        assert queue.asked[0] == 100.0
        await asyncio.to_thread(worker.close)

    run(scenario())


def test_a_timer_that_fires_too_early_is_set_again() -> None:
    async def scenario() -> None:
        engine, queue, now = Engine(), Later(), [100.0]
        engine.gate.set()
        worker = BatchWorker("later", engine, queue, max_waiting=9, clock=lambda: now[0])
        queue.at = 100.01
        waiting = await ask(worker, "waiting")
        while len(queue.asked) < 3:  # noqa: ASYNC110 - the alarm belongs to the loop
            await asyncio.sleep(0.001)
        assert engine.batches == []
        now[0] = 101.0
        assert await waiting == "WAITING"
        await asyncio.to_thread(worker.close)

    run(scenario())


def test_without_an_idle_thread_no_timer_is_set() -> None:
    async def scenario() -> None:
        engine, queue = Engine(), Later()
        queue.at = 0.0
        worker = BatchWorker("later", engine, queue, max_waiting=9)
        first = await ask(worker, "first")
        await engine.works()
        second = await ask(worker, "second")
        taken = len(queue.asked)
        await asyncio.sleep(0)
        assert len(queue.asked) == taken
        engine.gate.set()
        assert list(await asyncio.gather(first, second)) == ["FIRST", "SECOND"]
        await asyncio.to_thread(worker.close)

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


def test_an_engine_that_takes_nothing_now_is_not_asked_again_for_each_request_of_a_batch() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=3) as worker:
            asked = [await ask(worker, name) for name in ("one", "full", "two")]
            engine.gate.set()
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert [type(each) for each in answers] == [Overloaded] * 3
            assert engine.batches[-1] == ["one", "full", "two"]

    run(scenario())


def test_an_engine_that_returns_too_few_answers_does_not_stop_the_worker() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=2) as worker:
            asked = [await ask(worker, name) for name in ("short", "other")]
            engine.gate.set()
            assert await asyncio.gather(*asked) == ["SHORT", "OTHER"]
            assert await worker.submit(ticket("next")) == "NEXT"

    run(scenario())


def test_a_request_cancelled_while_queued_is_neither_pulled_nor_run() -> None:
    async def scenario() -> None:
        engine, asked_for = Engine(), False

        def unwanted(_: LoadLevel) -> str:
            nonlocal asked_for
            asked_for = True
            return "unwanted"

        async with busy(engine) as worker:
            cancelled = asyncio.create_task(worker.submit(Ticket(unwanted, Priority.FINAL)))
            await asyncio.sleep(0)
            wanted = await ask(worker, "wanted")
            cancelled.cancel()
            await asyncio.wait([cancelled])
            engine.gate.set()
            assert await wanted == "WANTED"
        assert engine.batches == [["first"], ["wanted"]]
        assert not asked_for

    run(scenario())


def test_a_request_withdrawn_by_the_time_the_engine_is_free_never_runs() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_batch=3) as worker:
            withdrawn: Ticket[str] = Ticket(lambda _: None, Priority.FINAL)
            before, unwanted = await ask(worker, "before"), asyncio.create_task(worker.submit(withdrawn))
            after = await ask(worker, "after")
            engine.gate.set()
            assert (await before, await after) == ("BEFORE", "AFTER")
            await asyncio.wait([unwanted])
            assert unwanted.cancelled()
        assert engine.batches == [["first"], ["before", "after"]]

    run(scenario())


def test_requests_beyond_the_bound_are_refused() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_waiting=2) as worker:
            asked = [await ask(worker, name) for name in "ab"]
            with pytest.raises(Overloaded):
                await worker.submit(ticket("c"))
            engine.gate.set()
            assert await asyncio.gather(*asked) == ["A", "B"]
            assert await worker.submit(ticket("d")) == "D"

    run(scenario())


def test_a_cancelled_request_makes_room_for_another() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine, max_waiting=2) as worker:
            wanted, unwanted = [await ask(worker, name) for name in "ab"]
            unwanted.cancel()
            await asyncio.wait([unwanted])
            another = await ask(worker, "c")
            engine.gate.set()
            assert list(await asyncio.gather(wanted, another)) == ["A", "C"]

    run(scenario())


def test_an_error_of_the_engine_reaches_the_caller() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine) as worker:
            engine.gate.set()
            with pytest.raises(EngineError, match=r"It is bad\."):
                await worker.submit(ticket("bad"))

    run(scenario())


def test_closing_finishes_the_running_batch_and_cancels_the_rest() -> None:
    async def scenario() -> None:
        engine = Engine()
        async with busy(engine) as worker:
            waiting = await ask(worker, "waiting")
            closing = asyncio.create_task(asyncio.to_thread(worker.close))
            while not worker._closing:  # noqa: ASYNC110 - it is closed in another thread
                await asyncio.sleep(0.001)
            engine.gate.set()
            await closing
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with pytest.raises(Overloaded):
                await worker.submit(ticket("late"))
        assert engine.batches == [["first"]]

    run(scenario())


def test_closing_ends_the_threads() -> None:
    worker: BatchWorker[str, str] = BatchWorker("short-lived", Engine(), FifoQueue(1), threads=3, max_waiting=1)
    worker.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("short-lived")]


class Speaker:
    """A generator of numbers that records how far it ran, in which threads, and when it was closed."""

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
                if self.made == MAX_CHUNKS_AHEAD:
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


def test_a_generator_runs_a_bounded_number_of_chunks_ahead() -> None:
    async def scenario() -> None:
        speaker = Speaker(2 * MAX_CHUNKS_AHEAD)
        async with streaming() as worker:
            chunks = worker.stream(speaker)
            async for chunk in chunks:
                # That it stops here cannot be waited for, but that it ran this far can.
                if chunk == 1:
                    await happens(speaker.full)
                assert speaker.made <= chunk + MAX_CHUNKS_AHEAD
            assert speaker.made == 2 * MAX_CHUNKS_AHEAD

    run(scenario())


def test_a_generator_pauses_after_its_first_chunk_until_the_stream_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.workers.stream.FIRST_CHUNK_PAUSE", 20.0)

    async def scenario() -> None:
        speaker = Speaker(50)
        async with streaming() as worker:
            chunks = worker.stream(speaker)
            assert await anext(chunks) == 1
            await chunks.aclose()
            await happens(speaker.closed)
        assert speaker.made == 1

    run(scenario())


def test_closing_the_stream_closes_the_generator_in_its_own_thread() -> None:
    async def scenario() -> None:
        speaker = Speaker(2 * MAX_CHUNKS_AHEAD)
        async with streaming() as worker:
            chunks = worker.stream(speaker)
            assert await anext(chunks) == 1
            await happens(speaker.full)
            await chunks.aclose()
            await happens(speaker.closed)
        assert len(speaker.threads) == 1
        assert threading.get_ident() not in speaker.threads
        assert speaker.made <= 2 + MAX_CHUNKS_AHEAD

    run(scenario())


def test_the_stream_that_is_needed_first_is_run_first() -> None:
    async def scenario() -> None:
        order = list[str]()

        async def finish(name: str, deadline: float) -> None:
            async for _ in worker.stream(Speaker(2), deadline):
                pass
            order.append(name)

        first = Speaker(2 * MAX_CHUNKS_AHEAD)
        async with streaming(max_waiting=4) as worker:
            speaking = worker.stream(first)
            await anext(speaking)
            deadlines = {"late": 9.0, "soon": 1.0, "as soon": 1.0, "later": 10.0}
            waiting = [asyncio.create_task(finish(*each)) for each in deadlines.items()]
            await asyncio.sleep(0)
            await speaking.aclose()
            await asyncio.gather(*waiting)
        assert order == ["soon", "as soon", "late", "later"]

    run(scenario())


def test_an_error_reaches_the_consumer_after_the_chunks_before_it() -> None:
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
        first = Speaker(2 * MAX_CHUNKS_AHEAD)
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


def test_closing_the_worker_fails_its_streams_and_ends_the_threads() -> None:
    async def scenario() -> None:
        speaking, waiting = Speaker(2 * MAX_CHUNKS_AHEAD), Speaker(50)
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


def test_a_ticket_that_becomes_due_between_two_readings_of_the_clock_is_not_missed() -> None:
    """Time passes between `take` and `due`: a ticket not yet due for the one must not be overdue for the other."""

    class Later(FifoQueue[str]):
        def take(self, now: float) -> list[Ticket[str]]:
            return super().take(now) if now >= 1.0 else []

        def due(self, now: float) -> float | None:
            return 1.0 if now < 1.0 and len(self) else None

    async def scenario() -> None:
        readings = iter([0.0, 0.999, 1.001])
        worker: BatchWorker[str, str] = BatchWorker(
            "late",
            lambda _, requests: [request.upper() for request in requests],
            Later(1),
            max_waiting=1,
            clock=lambda: next(readings, 2.0),
        )
        try:
            assert await worker.submit(Ticket(lambda _: "word", Priority.FINAL)) == "WORD"
        finally:
            await asyncio.to_thread(worker.close)

    run(scenario())
