"""The tasks that serve one connection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial

from realtime.edge.drain import Drain
from realtime.errors import VoiceError

logger = logging.getLogger(__name__)


async def serve_tasks(
    first: Callable[[asyncio.TaskGroup], Coroutine[object, object, None]],
    *,
    drain: Drain,
    ending: Sequence[Callable[[], Coroutine[object, object, None]]],
    gone: type[Exception],
    close: Callable[[VoiceError], Awaitable[None]],
) -> None:
    """Run `first` and the tasks of its group until one of them ends with an exception, and cancel the others.

    `first` must end with one. The tasks of `ending` begin when `drain` does.

    `gone` says that the client has left. Other errors are reported to it by `close`; what is not a `VoiceError` is a
    bug, which ends only its own connection and whose details stay in the log.
    """
    try:
        async with asyncio.TaskGroup() as group:
            begin_ending = partial(_begin_all, group, ending)
            drain.follow(begin_ending)
            try:
                await first(group)
            finally:
                drain.unfollow(begin_ending)
    except* gone:
        pass
    except* VoiceError as errors:
        await _report(_first(errors), close)
    except* Exception:
        logger.exception("session failed")
        await _report(VoiceError("Internal error."), close)


def begin(group: asyncio.TaskGroup, task: Coroutine[object, object, None]) -> None:
    """Run a further task, unless one of the group has just failed."""
    try:
        group.create_task(task)
    except RuntimeError:
        task.close()


def _begin_all(group: asyncio.TaskGroup, tasks: Sequence[Callable[[], Coroutine[object, object, None]]]) -> None:
    for each in tasks:
        begin(group, each())


async def _report(error: VoiceError, close: Callable[[VoiceError], Awaitable[None]]) -> None:
    logger.warning("session ends: %s", error.code)
    await close(error)


def _first(errors: BaseExceptionGroup[VoiceError]) -> VoiceError:
    """Return the error to report if several tasks failed at once."""
    first = errors.exceptions[0]
    assert isinstance(first, VoiceError)
    return first
