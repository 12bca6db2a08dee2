"""What waits for a client that may come back, and what of it is sent again."""

import asyncio
from typing import Any

import pytest

from realtime.edge import resumable_outbox
from realtime.edge.resumable_outbox import ResumableOutbox
from tests.support.scenarios import run


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def outbox(max_bytes: int = 1_000, clock: Clock | None = None) -> ResumableOutbox:
    return ResumableOutbox(lambda text, number: f"{number}{text}", max_bytes, 60.0, clock or Clock())


def taken(messages: ResumableOutbox, count: int) -> list[Any]:
    return [messages.take() for _ in range(count)]


def test_messages_are_numbered_in_the_order_in_which_they_are_sent() -> None:
    async def scenario() -> None:
        messages = outbox()
        for frame in ("a", b"audio", "b"):
            await messages.put(frame)
        assert taken(messages, 3) == ["1a", b"audio", "3b"]

    run(scenario())


def test_a_revision_that_was_replaced_takes_no_number() -> None:
    async def scenario() -> None:
        messages = outbox()
        for frame in ("x", "y", "z"):
            await messages.put(frame, "item")
        await messages.put("end")
        assert taken(messages, 2) == ["1z", "2end"]

    run(scenario())


def test_what_the_client_has_missed_is_sent_again_after_the_announcement() -> None:
    async def scenario() -> None:
        messages = outbox()
        for frame in ("a", "b", "c", "d"):
            await messages.put(frame)
        taken(messages, 3)
        messages.hold()
        messages.resume(1, "again")
        assert taken(messages, 4) == ["again", "2b", "3c", "4d"]

    run(scenario())


def test_a_revision_that_may_have_arrived_is_not_replaced() -> None:
    async def scenario() -> None:
        messages = outbox()
        await messages.put("x", "item")
        taken(messages, 1)
        messages.resume(0, "again")
        await messages.put("y", "item")
        assert taken(messages, 3) == ["again", "1x", "2y"]

    run(scenario())


def test_messages_without_a_number_are_not_sent_again() -> None:
    async def scenario() -> None:
        messages = outbox()
        await messages.put("receipt", "", numbered=False)
        await messages.put("a")
        assert taken(messages, 2) == ["receipt", "1a"]
        await messages.put("receipt", "", numbered=False)
        messages.resume(0, "again")
        await messages.put("b")
        assert taken(messages, 3) == ["again", "1a", "2b"]

    run(scenario())


def test_nothing_is_sent_while_the_outbox_is_held() -> None:
    async def scenario() -> None:
        messages = outbox()
        messages.hold()
        await messages.put("a")
        assert not messages.ready
        messages.resume(0, "again")
        assert messages.ready
        assert taken(messages, 2) == ["again", "1a"]
        assert not messages.ready

    run(scenario())


def test_as_much_waits_for_an_absent_client_as_fits_and_then_the_session_waits() -> None:
    async def scenario() -> None:
        messages = outbox(max_bytes=100)
        messages.hold()
        for _ in range(10):
            await messages.put(b"0123456789")
        waiting = asyncio.create_task(messages.put(b"more"))
        await asyncio.sleep(0)
        assert not waiting.done()
        messages.resume(0, "again")
        received = taken(messages, 11)
        messages.acknowledge(1)
        await waiting
        assert len(received + taken(messages, 1)) == 12

    run(scenario())


@pytest.mark.parametrize(
    ("seconds", "number", "covered"), [(59, 0, True), (61, 0, False), (61, 2, True), (0, 9, False)]
)
def test_what_was_sent_a_minute_ago_is_forgotten(seconds: float, number: int, covered: bool) -> None:
    async def scenario() -> None:
        clock = Clock()
        messages = outbox(clock=clock)
        for frame in ("a", "b"):
            await messages.put(frame)
        taken(messages, 2)
        clock.now = seconds
        await messages.put("c")
        taken(messages, 1)
        assert messages.covers(number) is covered

    run(scenario())


def test_no_more_is_sent_than_is_kept_before_the_client_says_what_it_has() -> None:
    async def scenario() -> None:
        messages = outbox(max_bytes=30)
        for _ in range(3):
            await messages.put(b"0123456789")
        waiting = asyncio.create_task(messages.put(b"more"))
        taken(messages, 3)
        await messages.put("receipt", "", numbered=False)  # without which the client sends no more itself
        assert not waiting.done()
        assert messages.covers(0)
        messages.acknowledge(1)
        await waiting
        assert taken(messages, 2) == ["receipt", b"more"]
        assert not messages.covers(0)
        assert messages.covers(1)

    run(scenario())


def test_of_a_client_that_does_not_say_what_it_has_the_oldest_messages_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resumable_outbox, "ACKNOWLEDGEMENT_PATIENCE", 0.0)

    async def scenario() -> None:
        messages = outbox(max_bytes=25)
        for _ in range(4):
            await messages.put(b"0123456789")
        taken(messages, 4)
        assert [messages.covers(number) for number in range(6)] == [False, False, True, True, True, False]

    run(scenario())


def test_a_client_that_has_everything_is_covered() -> None:
    async def scenario() -> None:
        messages = outbox(max_bytes=5)
        await messages.put(b"0123456789")
        taken(messages, 1)
        assert messages.covers(1)
        messages.resume(1, "again")
        assert taken(messages, 1) == ["again"]

    run(scenario())
