"""What tasks of an event loop wait for."""

import asyncio

from realtime.edge.condition import Condition


def test_all_tasks_that_wait_are_woken_and_those_that_wait_later_are_not() -> None:
    async def scenario() -> None:
        condition = Condition()
        first, second = condition.wait(), condition.wait()
        condition.notify_all()
        later = condition.wait()
        await asyncio.gather(first, second)
        assert not later.done()

    asyncio.run(scenario())


def test_a_task_that_is_cancelled_takes_none_of_the_others_along() -> None:
    async def scenario() -> None:
        condition = Condition()

        async def wait() -> None:
            await condition.wait()

        cancelled, other = asyncio.create_task(wait()), asyncio.create_task(wait())
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        condition.notify_all()
        await other
        assert cancelled.cancelled()

    asyncio.run(scenario())


def test_waits_that_time_out_leave_nothing_behind() -> None:
    async def scenario() -> int:
        condition = Condition()
        for _ in range(100):
            wait = condition.wait()
            wait.cancel()
        return len(condition._waiters)

    assert asyncio.run(scenario()) == 1
