"""openai-python: the conversation of `openai_realtime`, with the synchronous client and its methods in threads."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from openai import OpenAI
from openai_realtime import BASE_URL, Conversation
from reporting import report


class InThreads:
    """An object of the synchronous client as one whose methods are awaited."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return InThreads(found)

        async def method(*arguments: Any, **options: Any) -> Any:
            return await asyncio.to_thread(found, *arguments, **options)

        return method

    async def __aiter__(self) -> AsyncIterator[Any]:
        events = iter(self._target)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event


class Client:
    """The part of a client that the conversation uses."""

    def __init__(self) -> None:
        self.realtime = self

    def connect(self, **options: Any) -> SimpleNamespace:
        async def enter() -> InThreads:
            client = OpenAI(base_url=BASE_URL, api_key="none")
            return InThreads(await asyncio.to_thread(client.realtime.connect(**options).enter))

        return SimpleNamespace(enter=enter)


asyncio.run(report(Conversation(Client()).checks))
