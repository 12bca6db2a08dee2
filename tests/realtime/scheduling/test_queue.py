"""The stages of a queued request, and queues in order of arrival, with a clock set by hand."""

from realtime.scheduling.priority import LoadLevel, Priority
from realtime.scheduling.queue import FifoQueue, RequestProgress, Stage, Ticket

NOW = 1000.0


def test_a_ticket_asks_for_its_request_with_the_load_of_the_engine() -> None:
    ticket = Ticket(lambda load: load.name, Priority.PARTIAL)
    assert ticket.pull(LoadLevel.BUSY)
    assert ticket.payload == "BUSY"


def test_a_withdrawn_request_has_nothing_to_run() -> None:
    ticket: Ticket[str] = Ticket(lambda _: None, Priority.PARTIAL)
    assert not ticket.pull(LoadLevel.NORMAL)


def test_a_requeued_ticket_decodes_its_state_and_does_not_ask_again() -> None:
    requests = iter(["samples"])
    ticket = Ticket(lambda _: next(requests), Priority.FINAL)
    ticket.pull(LoadLevel.NORMAL)
    ticket.requeue("state")
    assert ticket.pull(LoadLevel.NORMAL)
    assert (ticket.stage, ticket.payload) == (Stage.DECODE, "state")


def test_the_progress_of_a_request_is_reported() -> None:
    progress: list[RequestProgress] = []
    ticket = Ticket(lambda _: "samples", Priority.FINAL, on_progress=progress.append)
    ticket.pull(LoadLevel.NORMAL)
    ticket.requeue("state")
    ticket.pull(LoadLevel.NORMAL)
    assert progress == [RequestProgress.ENCODED, RequestProgress.DECODING]


def test_live_requests_are_taken_in_order_up_to_the_batch_size() -> None:
    queue: FifoQueue[str] = FifoQueue(2)
    tickets = [Ticket(str, Priority.FINAL) for _ in range(3)]
    for each in tickets:
        queue.add(each, NOW)
    assert (len(queue), queue.due(NOW)) == (3, None)
    assert [queue.take(NOW) for _ in range(3)] == [tickets[:2], tickets[2:], []]


def test_uploads_are_taken_singly_when_no_live_request_waits() -> None:
    queue: FifoQueue[str] = FifoQueue(9)
    upload, other, urgent = (Ticket(str, each) for each in (Priority.UPLOAD, Priority.UPLOAD, Priority.FINAL))
    for each in (upload, other, urgent):
        queue.add(each, NOW)
    assert [queue.take(NOW) for _ in range(3)] == [[urgent], [upload], [other]]


def test_a_queued_request_can_be_cancelled() -> None:
    queue: FifoQueue[str] = FifoQueue(9)
    unwanted = Ticket(str, Priority.FINAL)
    queue.add(unwanted, NOW)
    queue.cancel(unwanted, NOW)
    queue.cancel(unwanted, NOW)
    assert queue.take(NOW) == []


def test_requests_gather_while_batches_are_spaced() -> None:
    queue: FifoQueue[str] = FifoQueue(9, batch_interval=0.02)
    first, second, third = (Ticket(str, Priority.FINAL) for _ in range(3))
    queue.add(first, NOW)
    assert queue.take(NOW) == [first]
    queue.add(second, NOW + 0.005)
    queue.add(third, NOW + 0.015)
    assert (queue.take(NOW + 0.015), queue.due(NOW + 0.015)) == ([], NOW + 0.02)
    assert queue.take(NOW + 0.02) == [second, third]


def test_uploads_are_taken_between_the_batches_of_live_requests() -> None:
    queue: FifoQueue[str] = FifoQueue(9, batch_interval=0.02)
    first, second, upload = (Ticket(str, each) for each in (Priority.FINAL, Priority.FINAL, Priority.UPLOAD))
    queue.add(first, NOW)
    assert queue.take(NOW) == [first]
    queue.add(second, NOW)
    queue.add(upload, NOW)
    assert [queue.take(NOW + 0.01) for _ in range(2)] == [[upload], []]
    assert queue.take(NOW + 0.02) == [second]
