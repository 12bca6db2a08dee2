"""The stages of a queued request."""

from realtime.scheduling.priority import LoadLevel, Priority
from realtime.scheduling.queue import RequestProgress, Stage, Ticket


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
