"""How long a request waits for its backend."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

from realtime.session.generation import ChatTimeout
from realtime.settings import Settings

USAGE_SECONDS: Final = 1.0
"""Time for the usage, or `[DONE]`, after the end of an answer. Servers send them at once or never."""

Value = TypeVar("Value")


class RequestTimeouts:
    """The time that is left to one request; only waiting for the backend uses it up."""

    def __init__(self, settings: Settings) -> None:
        self.attempts = 0
        """Attempts that have begun."""
        self._first_token = settings.chat_first_token_timeout_seconds
        self._next_token = settings.chat_token_timeout_seconds
        self._whole = settings.chat_timeout_seconds
        self._left = 0.0

    def begin_attempt(self) -> None:
        """Wait for the first token from here on."""
        self.attempts += 1
        self._left = self._first_token

    def progressed(self, *, started: bool, complete: bool) -> None:
        """Wait for the next token, if one has come; for the usage, if the answer is complete."""
        if complete:
            self._left = USAGE_SECONDS
        elif started:
            self._left = self._next_token

    async def wait(self, result: Awaitable[Value]) -> Value:
        """Return the result. Raises `ChatTimeout` when no time is left, after cancelling it."""
        limit = min(self._left, self._whole)
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit):
                return await result
        except TimeoutError:
            raise ChatTimeout("the chat backend took too long; see the VIVAVOCE_CHAT_*_TIMEOUT_SECONDS") from None
        finally:
            waited = time.monotonic() - began
            self._left -= waited
            self._whole -= waited
