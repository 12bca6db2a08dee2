"""What the service needs of a chat backend, and which one the settings choose."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from realtime.backends.client import ChatClient, ChatReport
from realtime.backends.scripted import ScriptedBackend
from realtime.session.generation import ChatDelta, ChatRequest
from realtime.settings import SCRIPTED, Settings


class ChatBackend(Protocol):
    """A chat model that answers in a stream of deltas."""

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[ChatDelta]]:
        """Request an answer; leaving the block before its end cancels it at once.

        The last delta of a complete answer is `ChatFinished`. Entering the block waits for nothing; `ChatError` is
        raised by the iterator, before the first delta or after it.
        """

    async def aclose(self) -> None:
        """Close all connections."""


def chat_backend(settings: Settings, report: Callable[[ChatReport], None]) -> ChatBackend | None:
    """Return the backend that is configured, or None; `report` is called at the end of each request over HTTP."""
    match settings.chat_base_url:
        case None:
            return None
        case url if url == SCRIPTED:
            return ScriptedBackend()
        case _:
            return ChatClient(settings, report)
