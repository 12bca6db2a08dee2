"""Which requests are run next, with a clock set by hand and an engine that only takes time."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial as partial_
from itertools import count

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.cadence import MAX_PARTIAL_INTERVAL, MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS, MAX_BATCH, TARGET_BATCH_SIZE
from realtime.scheduling.fair_scheduler import MAX_BATCH_DELAY, MAX_FINAL_DELAY, Scheduler
from realtime.scheduling.load import UPLOAD_SHARE, Load
from realtime.scheduling.priority import ClientId, LoadLevel, Priority
from realtime.scheduling.queue import Stage, Ticket
from realtime.speech.recognition import TranscriptionRequest

NOW = 1000.0
COST = 0.1
"""Engine seconds of one decode of `AUDIO`."""
OVERHEAD = 3.0
"""Fixed cost of a batch, in units of the marginal cost of one decode."""

AUDIO = TranscriptionRequest(np.zeros(3 * SAMPLE_RATE, np.float32))


def ticket(priority: Priority, session: str = "session", account: str = "") -> Ticket[TranscriptionRequest]:
    return Ticket(lambda _: AUDIO, priority, ClientId(account, session))


def final(session: str = "session", account: str = "") -> Ticket[TranscriptionRequest]:
    return ticket(Priority.FINAL, session, account)


def partial(session: str = "session", account: str = "") -> Ticket[TranscriptionRequest]:
    return ticket(Priority.PARTIAL, session, account)


def upload(session: str = "upload", account: str = "") -> Ticket[TranscriptionRequest]:
    return ticket(Priority.UPLOAD, session, account)


def scheduler(workers: int = 1, *, has_live_sessions: bool = True) -> Scheduler:
    """Return a scheduler with a quiet live session, or without any."""
    load = Load(workers, COST)
    if has_live_sessions:
        load.admission.add_session("quiet", NOW)
    return Scheduler(load)


def waiting(queue: Scheduler, *tickets: Ticket[TranscriptionRequest], now: float = NOW) -> None:
    for each in tickets:
        queue.add(each, now)


def sessions(batch: Iterable[Ticket[TranscriptionRequest]]) -> list[str]:
    return [each.client_id.session for each in batch]


def work(queue: Scheduler, now: float, seconds: float = 0.0) -> list[Ticket[TranscriptionRequest]]:
    """Run one batch, and queue it for its next stage as a worker does."""
    batch = queue.take(now)
    if batch:
        queue.record_service(batch, seconds, now)
    if batch and batch[0].stage is Stage.ENCODE:
        for each in batch:
            each.requeue(AUDIO)
            queue.add(each, now)
    return batch


def begun(queue: Scheduler, now: float = NOW) -> list[Ticket[TranscriptionRequest]]:
    """Return the tickets in the order in which one worker begins them, until none is due."""
    order: list[Ticket[TranscriptionRequest]] = []
    while batch := work(queue, now) or work(queue, now + MAX_BATCH_DELAY):
        order += [each for each in batch if each not in order]
    return order


# Order.


def test_finals_go_before_partials_and_both_before_uploads() -> None:
    queue = scheduler()
    waiting(queue, upload("u"), partial("a"), final("b"), upload("v"), partial("c"), final("d"))
    order = [each.priority for each in begun(queue)]
    assert order == [Priority.FINAL] * 2 + [Priority.PARTIAL] * 2 + [Priority.UPLOAD] * 2
    assert len(queue) == 0


def test_every_request_is_encoded_alone_and_decoded_with_others() -> None:
    queue = scheduler()
    waiting(queue, *(final(f"{number}") for number in range(TARGET_BATCH_SIZE)))
    batches = [work(queue, NOW) for _ in range(TARGET_BATCH_SIZE + 1)]
    assert [len(batch) for batch in batches] == [1] * TARGET_BATCH_SIZE + [TARGET_BATCH_SIZE]


def decoding_partials() -> tuple[Scheduler, list[Ticket[TranscriptionRequest]]]:
    """Return a scheduler with two workers, of which one decodes a batch of partials, and that batch."""
    queue = scheduler(workers=2)
    waiting(queue, *(partial(f"{number}") for number in range(TARGET_BATCH_SIZE)))
    for _ in range(TARGET_BATCH_SIZE):
        work(queue, NOW)
    return queue, queue.take(NOW)


def test_a_batch_has_a_bound() -> None:
    queue, decoding = decoding_partials()
    waiting(queue, *(partial(f"more {number}") for number in range(2 * MAX_BATCH)))
    assert [len(work(queue, NOW)) for _ in range(MAX_BATCH)] == [1] * MAX_BATCH
    queue.record_service(decoding, COST, NOW)
    assert [len(work(queue, NOW)) for _ in range(3)] == [MAX_BATCH, 1, 1]


def test_a_full_batch_does_not_wait_for_a_running_one() -> None:
    queue, _ = decoding_partials()
    waiting(queue, upload(), *(partial(f"more {number}") for number in range(MAX_BATCH + 1)))
    assert [len(work(queue, NOW)) for _ in range(MAX_BATCH + 1)] == [1] * MAX_BATCH + [MAX_BATCH]


def test_a_full_batch_waits_for_a_final_to_be_encoded() -> None:
    queue, _ = decoding_partials()
    waiting(queue, *(partial(f"more {number}") for number in range(MAX_BATCH + 1)))
    for _ in range(MAX_BATCH):
        work(queue, NOW)
    waiting(queue, final("over"))
    assert sessions(work(queue, NOW)) == ["over"]
    assert sessions(work(queue, NOW))[0] == "over"


def test_partials_are_not_decoded_beside_a_running_batch_while_there_is_more_to_encode() -> None:
    queue, decoding = decoding_partials()
    assert len(decoding) == TARGET_BATCH_SIZE
    waiting(queue, *(partial(f"more {number}") for number in range(TARGET_BATCH_SIZE + 1)))
    assert [len(work(queue, NOW)) for _ in range(TARGET_BATCH_SIZE + 1)] == [1] * (TARGET_BATCH_SIZE + 1)


def test_a_final_does_not_wait_for_a_running_batch() -> None:
    queue, _ = decoding_partials()
    waiting(queue, partial("waiting"), final("over"))
    assert [sessions(work(queue, NOW)) for _ in range(2)] == [["over"], ["over"]]


def under_load() -> Scheduler:
    queue = scheduler()
    for number in range(4 * TARGET_BATCH_SIZE):
        queue.load.record_encode(ClientId("", f"talker {number}"), Priority.PARTIAL, COST, NOW)
    return queue


def test_under_load_an_encoded_final_waits_a_moment_for_partials_that_are_due() -> None:
    queue = under_load()
    waiting(queue, final("over"), *(partial(f"talker {number}") for number in range(3)))
    assert [sessions(work(queue, NOW))[0] for _ in range(2)] == ["over", "talker 0"]
    assert [sessions(work(queue, NOW + MAX_FINAL_DELAY)) for _ in range(2)] == [["over", "talker 0"], ["talker 1"]]


def test_an_encoded_final_does_not_wait_where_encoding_takes_long() -> None:
    queue = scheduler()
    for number in range(TARGET_BATCH_SIZE):
        queue.load.record_encode(ClientId("", f"talker {number}"), Priority.PARTIAL, 2 * MAX_FINAL_DELAY, NOW)
    waiting(queue, final("over"), partial("talker"))
    assert queue.load.cadence.level(NOW).is_high
    assert [sessions(work(queue, NOW)) for _ in range(3)] == [["over"], ["over"], ["talker"]]


def test_an_encoded_final_does_not_wait_without_load_or_partials() -> None:
    queue = under_load()
    waiting(queue, final("over"))
    assert [sessions(work(queue, NOW)) for _ in range(2)] == [["over"], ["over"]]
    queue = scheduler()
    waiting(queue, final("over"), partial("talker"))
    assert [sessions(work(queue, NOW)) for _ in range(3)] == [["over"], ["over"], ["talker"]]


def test_under_load_an_encoded_partial_waits_a_moment_for_its_batch_to_fill() -> None:
    queue = under_load()
    waiting(queue, partial())
    assert [len(work(queue, NOW)) for _ in range(2)] == [1, 0]
    assert queue.due(NOW) == NOW + MAX_BATCH_DELAY
    assert len(work(queue, NOW + MAX_BATCH_DELAY)) == 1


def test_without_load_an_encoded_partial_does_not_wait() -> None:
    queue = scheduler()
    waiting(queue, partial())
    assert [len(work(queue, NOW)) for _ in range(2)] == [1, 1]


def test_a_single_final_does_not_wait_for_a_batch() -> None:
    queue = scheduler()
    waiting(queue, final())
    assert [len(work(queue, NOW)) for _ in range(3)] == [1, 1, 0]


def test_with_live_sessions_uploads_are_decoded_one_at_a_time() -> None:
    queue = scheduler(workers=1)
    waiting(queue, upload("a"), upload("b"))
    assert [sessions(work(queue, NOW)) for _ in range(4)] == [["a"], ["a"], ["b"], ["b"]]


def test_without_live_sessions_uploads_use_batches_and_every_worker() -> None:
    queue = scheduler(workers=2, has_live_sessions=False)
    waiting(queue, *(upload(f"{number}") for number in range(TARGET_BATCH_SIZE + 1)))
    assert [len(work(queue, NOW)) for _ in range(TARGET_BATCH_SIZE + 1)] == [1] * (TARGET_BATCH_SIZE + 1)
    assert [len(queue.take(NOW)) for _ in range(3)] == [TARGET_BATCH_SIZE, 1, 0]


def test_uploads_of_similar_length_share_a_batch() -> None:
    queue = scheduler(has_live_sessions=False)
    lengths = {"a": 3, "b": 20, "c": 5, "d": 21, "e": 4, "f": 28, "g": 6, "h": 2, "i": 7}
    for name, seconds in lengths.items():
        audio = TranscriptionRequest(np.zeros(seconds * SAMPLE_RATE, np.float32))
        queue.add(Ticket(lambda _, audio=audio: audio, Priority.UPLOAD, ClientId("", name)), NOW)  # type: ignore[misc]
    for _ in lengths:
        work(queue, NOW)
    assert [sorted(sessions(work(queue, NOW))) for _ in range(2)] == [["a", "c", "e", "g", "h", "i"], ["b", "d", "f"]]


def test_under_load_uploads_get_a_tenth_of_the_time() -> None:
    queue = scheduler()
    for number in range(4 * TARGET_BATCH_SIZE):
        queue.load.record_encode(ClientId("", f"talker {number}"), Priority.PARTIAL, COST, NOW)
    queue.load.record_encode(ClientId("", "upload"), Priority.UPLOAD, 2 * UPLOAD_SHARE * AVERAGING_SECONDS, NOW)
    waiting(queue, upload())
    assert queue.take(NOW) == []
    assert queue.due(NOW) == NOW + MIN_PARTIAL_INTERVAL
    assert len(queue.take(NOW + AVERAGING_SECONDS)) == 1


def test_live_speech_does_not_wait_for_the_decoding_of_an_upload() -> None:
    queue = scheduler(workers=1)
    waiting(queue, upload("u"))
    work(queue, NOW)
    waiting(queue, final("live"))
    assert [sessions(work(queue, NOW)) for _ in range(3)] == [["live"], ["live"], ["u"]]


def test_a_cancelled_ticket_is_not_taken() -> None:
    queue, unwanted = scheduler(), final()
    waiting(queue, unwanted)
    queue.cancel(unwanted, NOW)
    queue.cancel(unwanted, NOW)
    assert (len(queue), queue.take(NOW)) == (0, [])


def test_a_request_is_pulled_with_the_load_of_the_moment_it_is_taken() -> None:
    queue, pulled = scheduler(), list[LoadLevel]()

    def request(load: LoadLevel) -> TranscriptionRequest:
        pulled.append(load)
        return AUDIO

    waiting(queue, Ticket(request, Priority.FINAL, ClientId("", "early")))
    work(queue, NOW)
    for number in range(4 * TARGET_BATCH_SIZE):
        queue.load.record_encode(ClientId("", f"talker {number}"), Priority.PARTIAL, COST, NOW)
    waiting(queue, Ticket(request, Priority.FINAL, ClientId("", "late")))
    begun(queue)
    assert pulled == [LoadLevel.LOW, LoadLevel.CRITICAL]


def test_a_request_withdrawn_when_it_is_pulled_costs_nothing_and_delays_no_partial() -> None:
    queue, withdrawn = scheduler(), partial()
    withdrawn.request = lambda _: None
    waiting(queue, withdrawn)
    assert [each.payload for each in queue.take(NOW)] == [None]
    waiting(queue, partial())
    assert [len(work(queue, NOW)) for _ in range(3)] == [1, 1, 0]
    assert (len(queue), queue.partials_run, queue.partials_shed) == (0, 1, 0)


# Fairness.


def test_the_client_that_received_least_goes_first() -> None:
    queue = scheduler()
    queue.load.record_encode(ClientId("", "greedy"), Priority.FINAL, 1.0, NOW)
    waiting(queue, final("greedy"), final("modest"))
    assert sessions(begun(queue)) == ["modest", "greedy"]


def test_an_account_counts_before_its_sessions() -> None:
    queue = scheduler()
    queue.load.record_encode(ClientId("many", "one of ten"), Priority.FINAL, 1.0, NOW)
    queue.load.record_encode(ClientId("few", "the only one"), Priority.FINAL, 0.5, NOW)
    waiting(queue, final("another of ten", "many"), final("the only one", "few"))
    assert sessions(begun(queue)) == ["the only one", "another of ten"]


class Machine:
    """A scheduler, an engine that only takes time, and clients that send their next request after each answer."""

    def __init__(self, queue: Scheduler, *, overhead: float = OVERHEAD) -> None:
        self.queue = queue
        self.now = NOW
        self.answered: list[tuple[Ticket[TranscriptionRequest], float, float]] = []
        """Each ticket, with the times of its request and its answer."""
        self._asked: dict[Ticket[TranscriptionRequest], float] = {}
        self._overhead = overhead
        self._pauses: dict[tuple[ClientId, Priority], float] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._idle = queue.load.workers

    def asks(self, client_id: ClientId, priority: Priority, pause: float = 0.0) -> None:
        """Send a request now, and another one after a pause whenever one is answered."""
        self._pauses[client_id, priority] = pause
        self._ask(client_id, priority)

    def stops(self, client_id: ClientId, priority: Priority) -> None:
        del self._pauses[client_id, priority]

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, what = heapq.heappop(self._events)
            what()
        self.now = end

    def times(self, session: str, priority: Priority) -> list[float]:
        """Return the times of the answers to a session."""
        return [at for each, _, at in self.answered if (each.client_id.session, each.priority) == (session, priority)]

    def waits(self, session: str, priority: Priority) -> list[float]:
        """Return how long each answer to a session took."""
        return [
            at - asked
            for each, asked, at in self.answered
            if (each.client_id.session, each.priority) == (session, priority)
        ]

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), what))

    def _ask(self, client_id: ClientId, priority: Priority) -> None:
        if (client_id, priority) in self._pauses:
            asked = Ticket(lambda _: AUDIO, priority, client_id)
            self._asked[asked] = self.now
            self.queue.add(asked, self.now)
            self._dispatch()

    def _dispatch(self) -> None:
        while self._idle and (batch := self.queue.take(self.now)):
            self._idle -= 1
            together = 1.0 if batch[0].stage is Stage.ENCODE else (len(batch) + self._overhead) / (1 + self._overhead)
            self._at(self.now + COST / 2 * together, partial_(self._finish, batch, COST / 2 * together))
        if self._idle and (due := self.queue.due(self.now)) is not None:
            self._at(max(due, self.now + 0.001), self._dispatch)

    def _finish(self, batch: list[Ticket[TranscriptionRequest]], seconds: float) -> None:
        self._idle += 1
        self.queue.record_service(batch, seconds, self.now)
        for each in batch:
            if each.stage is Stage.ENCODE:
                each.requeue(AUDIO)
                self.queue.add(each, self.now)
                continue
            self.answered.append((each, self._asked.pop(each), self.now))
            if (pause := self._pauses.get((each.client_id, each.priority))) is not None:
                self._at(self.now + pause, partial_(self._ask, each.client_id, each.priority))
        self._dispatch()


def test_ten_uploads_of_one_account_get_no_more_than_one_of_another() -> None:
    machine = Machine(scheduler())
    for number in range(10):
        machine.asks(ClientId("heavy", f"upload {number}"), Priority.UPLOAD)
    machine.asks(ClientId("light", "upload"), Priority.UPLOAD)
    machine.run(4 * AVERAGING_SECONDS)
    shares = Counter(each.client_id.account for each, *_ in machine.answered)
    assert shares["heavy"] == pytest.approx(shares["light"], rel=0.1)
    assert len({each.client_id for each, *_ in machine.answered}) == 11


def test_of_eleven_busy_sessions_the_one_with_its_own_account_is_in_every_batch() -> None:
    machine = Machine(scheduler())
    for number in range(10):
        machine.asks(ClientId("heavy", f"session {number}"), Priority.FINAL)
    machine.asks(ClientId("light", "light session"), Priority.FINAL)
    machine.run(4 * AVERAGING_SECONDS)
    heavy = [len(machine.times(f"session {number}", Priority.FINAL)) for number in range(10)]
    light = len(machine.times("light session", Priority.FINAL))
    assert light >= 1.2 * max(heavy)
    assert min(heavy) >= 0.8 * max(heavy)


def test_an_endless_upload_does_not_delay_a_small_one() -> None:
    machine = Machine(scheduler())
    machine.asks(ClientId("heavy", "endless"), Priority.UPLOAD)
    machine.run(AVERAGING_SECONDS)
    machine.asks(ClientId("light", "small"), Priority.UPLOAD)
    machine.run(AVERAGING_SECONDS / 2)
    assert max(machine.waits("small", Priority.UPLOAD)) <= 2 * COST + 1e-9


@pytest.mark.parametrize("workers", [1, 2])
def test_a_light_session_is_answered_almost_as_soon_beside_a_heavy_account_as_alone(workers: int) -> None:
    light = ClientId("light", "light session")

    def waits(*, beside: bool) -> list[float]:
        machine = Machine(scheduler(workers))
        if beside:
            machine.asks(ClientId("heavy", "upload"), Priority.UPLOAD)
            for number in range(10):
                machine.asks(ClientId("heavy", f"session {number}"), Priority.PARTIAL)
                machine.asks(ClientId("heavy", f"session {number}"), Priority.FINAL, pause=3.0 + number / 7)
        machine.asks(light, Priority.PARTIAL)
        machine.asks(light, Priority.FINAL, pause=2.9)
        machine.run(60.0)
        return machine.waits("light session", Priority.FINAL)

    alone, beside = waits(beside=False), waits(beside=True)
    under_way = COST / 2 * (MAX_BATCH + OVERHEAD) / (1 + OVERHEAD)
    assert np.mean(beside) <= 2 * np.mean(alone) + COST / 2  # a partial is encoded first, to be decoded with it
    assert max(beside) <= 2 * max(alone) + under_way  # one full batch of others
    assert len(beside) >= 0.9 * len(alone)


# Partials.


def test_the_partials_of_a_session_are_an_interval_apart() -> None:
    machine = Machine(scheduler())
    machine.asks(ClientId("", "talker"), Priority.PARTIAL)
    machine.run(10.0)
    assert np.diff(machine.times("talker", Priority.PARTIAL)) == pytest.approx(MIN_PARTIAL_INTERVAL, abs=0.01)


def test_the_first_partial_of_a_session_is_due_at_once() -> None:
    for now in (0.0, 0.1, NOW, NOW / 3):
        queue = scheduler()
        waiting(queue, partial(), now=now)
        assert len(queue.take(now)) == 1


def test_the_queue_knows_when_a_waiting_partial_is_due() -> None:
    queue = scheduler()
    waiting(queue, partial())
    begun(queue)
    waiting(queue, partial())
    assert queue.take(NOW + COST) == []
    due = queue.due(NOW + COST) or 0.0
    assert due == pytest.approx(NOW + MIN_PARTIAL_INTERVAL)
    assert len(queue.take(due)) == 1


def test_tickets_that_wait_only_for_an_engine_have_no_due_time() -> None:
    queue = scheduler()
    waiting(queue, final(), upload())
    assert queue.due(NOW) is None


def test_partials_thin_out_before_finals_suffer() -> None:
    machine = Machine(scheduler(), overhead=0.0)
    for number in range(14):
        machine.asks(ClientId("", f"{number}"), Priority.PARTIAL)
        machine.asks(ClientId("", f"{number}"), Priority.FINAL, pause=4.0 + number / 7)
    machine.run(60.0)
    steps = [float(np.mean(np.diff(machine.times(f"{number}", Priority.PARTIAL)))) for number in range(14)]
    waits = [float(np.mean(machine.waits(f"{number}", Priority.FINAL))) for number in range(14)]
    assert min(steps) > 2 * MIN_PARTIAL_INTERVAL
    assert max(waits) <= COST * MAX_BATCH  # a batch that is under way, and its own
    assert machine.queue.partials_shed > 0


def test_all_active_sessions_get_equally_many_partials() -> None:
    machine = Machine(scheduler(), overhead=0.0)
    for number in range(12):
        machine.asks(ClientId("", f"{number}"), Priority.PARTIAL)
    machine.run(60.0)
    got = [len(machine.times(f"{number}", Priority.PARTIAL)) for number in range(12)]
    assert min(got) >= 0.8 * max(got)


def test_while_finals_fill_the_engine_partials_wait_and_are_reconsidered() -> None:
    queue = scheduler()
    queue.load.record_encode(ClientId(), Priority.FINAL, AVERAGING_SECONDS, NOW)
    waiting(queue, partial())
    assert queue.take(NOW) == []
    due = queue.due(NOW)
    assert due is not None
    assert NOW < due <= NOW + MAX_PARTIAL_INTERVAL
    assert len(queue.take(NOW + AVERAGING_SECONDS)) == 1


def test_a_partial_that_is_due_but_was_not_taken_waits_for_a_worker_and_not_for_the_time() -> None:
    """A due time in the past would make the worker ask again and again."""
    queue = scheduler(workers=2)
    waiting(queue, *(final(f"{number}") for number in range(TARGET_BATCH_SIZE)))
    while (decoding := queue.take(NOW))[0].stage is Stage.ENCODE:
        queue.record_service(decoding, COST, NOW)
        decoding[0].requeue(AUDIO)
        queue.add(decoding[0], NOW)
    waiting(queue, *(partial(f"{number}") for number in range(3 * MAX_BATCH)))
    while work(queue, NOW):
        pass
    due = queue.due(NOW)
    assert due is None or due >= NOW + 0.01


def test_the_time_of_the_engine_is_counted_by_kind_and_stage() -> None:
    queue = scheduler()
    waiting(queue, partial("1"), partial("2"))
    for _ in range(2):
        (encoding,) = queue.take(NOW)
        queue.record_service([encoding], 0.1, NOW)
        encoding.requeue(AUDIO)
        queue.add(encoding, NOW)
    queue.record_service(queue.take(NOW), 0.5, NOW)
    waiting(queue, final("3"))
    queue.record_service(queue.take(NOW), 0.3, NOW)
    assert queue.engine_seconds == {
        (Priority.PARTIAL, Stage.ENCODE): 0.2,
        (Priority.PARTIAL, Stage.DECODE): 0.5,
        (Priority.FINAL, Stage.ENCODE): 0.3,
    }


def test_partials_that_came_late_or_never_are_counted() -> None:
    queue, unwanted = scheduler(), partial("unwanted")
    waiting(queue, partial(), unwanted)
    begun(queue)
    assert (queue.partials_run, queue.partials_shed) == (2, 0)
    unwanted = partial("unwanted")
    waiting(queue, partial("late"), unwanted, now=NOW + 1)
    queue.cancel(unwanted, NOW + 1 + 2.5 * MIN_PARTIAL_INTERVAL)
    assert (queue.partials_run, queue.partials_shed) == (2, 2)
    begun(queue, NOW + 1 + 3.5 * MIN_PARTIAL_INTERVAL)
    assert (queue.partials_run, queue.partials_shed) == (3, 5)


def test_a_partial_that_is_withdrawn_after_it_was_encoded_was_not_shed() -> None:
    queue, unwanted = scheduler(), partial()
    waiting(queue, unwanted)
    assert work(queue, NOW) == [unwanted]
    queue.cancel(unwanted, NOW + 2.5 * MIN_PARTIAL_INTERVAL)
    assert (queue.partials_run, queue.partials_shed) == (1, 0)


def test_a_partial_cancelled_between_its_stages_is_not_counted_twice() -> None:
    queue, unwanted = scheduler(), partial("unwanted")
    waiting(queue, unwanted)
    work(queue, NOW + 1.1 * MIN_PARTIAL_INTERVAL)
    assert (queue.partials_run, queue.partials_shed) == (1, 1)
    queue.cancel(unwanted, NOW + 1.5 * MIN_PARTIAL_INTERVAL)
    assert (queue.partials_run, queue.partials_shed) == (1, 1)


def test_finals_are_no_partials() -> None:
    queue = scheduler()
    waiting(queue, final(), upload())
    begun(queue, NOW + AVERAGING_SECONDS)
    assert (queue.partials_run, queue.partials_shed) == (0, 0)


# Uploads.


@pytest.mark.parametrize(("workers", "at_once"), [(1, 1), (2, 1), (4, 3)])
def test_uploads_never_take_the_last_of_several_workers(workers: int, at_once: int) -> None:
    queue = scheduler(workers)
    waiting(queue, *(upload(f"{number}") for number in range(9)))
    taken = [queue.take(NOW) for _ in range(workers)]
    assert sum(map(len, taken)) == at_once
    queue.record_service(taken[0], COST, NOW + COST)
    assert len(queue.take(NOW + COST)) == 1


def test_ended_sessions_leave_no_state() -> None:
    queue = scheduler()
    for number in range(1000):
        now = NOW + number
        waiting(queue, partial(f"{number}"), now=now)
        begun(queue, now)
    assert len(queue) == 0
    assert len(queue._last_partial) <= MAX_PARTIAL_INTERVAL + 1
