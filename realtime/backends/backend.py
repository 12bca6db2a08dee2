"""What the service needs of a chat backend."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from realtime.session.generation import ChatDelta, ChatRequest


class ChatBackend(Protocol):
    """A chat model that answers in a stream of deltas."""

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[ChatDelta]]:
        """Request an answer; leaving the block before its end cancels it at once.

        The last delta of a complete answer is `ChatFinished`. Entering the block waits for nothing; `ChatError` is
        raised by the iterator, before the first delta or after it.
        """

    async def aclose(self) -> None:
        """Close all connections."""
