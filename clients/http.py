"""The requests of `clients.recordings` as coroutines."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import clients.recordings

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _in_thread(function: Callable[Arguments, Result]) -> Callable[Arguments, Coroutine[Any, Any, Result]]:
    @functools.wraps(function)
    async def request(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return await asyncio.to_thread(function, *args, **kwargs)

    return request


models = _in_thread(clients.recordings.models)
subtitles = _in_thread(clients.recordings.subtitles)
transcribe = _in_thread(clients.recordings.transcribe)
voices = _in_thread(clients.recordings.voices)
