"""The client of any server with OpenAI's `/v1/chat/completions`, streaming."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx2

from realtime.backends.answer import Answer
from realtime.backends.endpoint import completions_url, http_client, origin
from realtime.backends.event_stream import EventStream
from realtime.backends.failures import RETRY_SECONDS, Failure, failure_of_status, refused_parameters
from realtime.backends.payload import OPTIONAL, Body, Prompting, body_of
from realtime.backends.timeouts import RequestTimeouts
from realtime.session.generation import (
    ChatDelta,
    ChatError,
    ChatFinished,
    ChatInterrupted,
    ChatOverloaded,
    ChatRefused,
    ChatRequest,
    ChatTimeout,
)
from realtime.settings import Settings

logger = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 0.25
"""Time in which the end of a complete answer must arrive, so that its connection can be used again."""

MAX_ERROR_BYTES: Final = 1 << 16
"""Bytes of an error's body that are read."""


@dataclass(frozen=True, slots=True)
class ChatReport:
    """How a request ended, for metrics: `completed`, `cancelled`, or the code of the error.

    `first_token_seconds` is the time from the request to the first delta, None if there was none.
    """

    outcome: str
    first_token_seconds: float | None
    retried: bool


class _AttemptFailed(Exception):
    """An attempt failed before anything was received."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class _ParametersRefused(Exception):
    """The backend refused a request because of optional parameters."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names


class ChatClient:
    """Requests answers of one backend; see `ChatBackend`.

    A request that fails before the first delta is repeated once if the failure may pass: no connection, status 429 with
    a short `Retry-After`, 502, 503 or 504, a timeout, or an answer that breaks off. It is also repeated without the
    optional parameters that the backend refuses.
    """

    def __init__(self, settings: Settings, report: Callable[[ChatReport], None]) -> None:
        """`settings.chat_base_url` must be set; `report` is called at the end of each request."""
        assert settings.chat_base_url is not None
        self._settings = settings
        self._report = report
        self._url = completions_url(settings.chat_base_url)
        self._origin = origin(settings.chat_base_url)
        self._prompting = Prompting(settings.chat_model, settings.chat_instructions, settings.chat_max_history_tokens)
        self._refused: frozenset[str] = frozenset()
        self._begins_with_reasoning = False
        """Whether the text of the last answer began with reasoning without an opening tag, as the next then will."""
        self._client = http_client(settings)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[ChatDelta]]:
        """Request an answer; see `ChatBackend.stream`."""
        async with aclosing(self._reported(request)) as deltas:
            yield deltas

    async def _reported(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the deltas of an answer, and report how it ended."""
        began, first, outcome = time.monotonic(), None, "cancelled"
        timeouts = RequestTimeouts(self._settings)
        try:
            async with aclosing(self._answer(request, timeouts)) as deltas:
                async for delta in deltas:
                    if first is None:
                        first = time.monotonic() - began
                    if isinstance(delta, ChatFinished):
                        outcome = "completed"
                    yield delta
        except ChatError as error:
            outcome = error.code
            raise
        finally:
            self._report(ChatReport(outcome, first, timeouts.attempts > 1))

    async def _answer(self, request: ChatRequest, timeouts: RequestTimeouts) -> AsyncGenerator[ChatDelta]:
        """Yield the deltas of an answer; repeat the request where that may help."""
        refused = self._refused
        call_ids = frozenset(call.call_id for message in request.messages for call in message.tool_calls)
        while True:
            timeouts.begin_attempt()
            try:
                body = body_of(request, self._prompting, refused)
                async with aclosing(self._attempt(body, call_ids, timeouts)) as deltas:
                    async for delta in deltas:
                        self._refused = refused  # now it is certain that the backend takes the others
                        yield delta
            except _ParametersRefused as refusal:
                logger.info("the chat backend does not take %s", ", ".join(sorted(refusal.names)))
                refused |= refusal.names
                timeouts.attempts -= 1
            except _AttemptFailed as failed:
                error, delay = failed.failure.error, failed.failure.retry_seconds
                if delay is None or timeouts.attempts > 1:
                    raise error from failed.__cause__
                logger.warning("%s; trying once more", error.message)
                await asyncio.sleep(delay)
            else:
                return

    async def _attempt(
        self, body: Body, call_ids: frozenset[str], timeouts: RequestTimeouts
    ) -> AsyncGenerator[ChatDelta]:
        """Send a request and yield the deltas of its answer, whose calls get other ids than `call_ids`.

        Raises `_AttemptFailed` and `_ParametersRefused` before the first delta, and `ChatError` after it.
        """
        received = False
        try:
            request = self._client.build_request("POST", self._url, json=body)
            response = await timeouts.wait(self._client.send(request, stream=True))
            try:
                if not response.is_success:
                    await self._fail(response, body, timeouts)
                async with aclosing(self._deltas(response, call_ids, timeouts)) as deltas:
                    async for delta in deltas:
                        received = True
                        yield delta
            finally:
                await response.aclose()
        except httpx2.RequestError as error:
            failure = Failure(self._connection_error(error), RETRY_SECONDS)
            raise (failure.error if received else _AttemptFailed(failure)) from error
        except ChatError as error:
            if received:
                raise
            raise _AttemptFailed(Failure(error, None if isinstance(error, ChatRefused) else RETRY_SECONDS)) from error

    async def _fail(self, response: httpx2.Response, body: Body, timeouts: RequestTimeouts) -> None:
        """Raise what a response with an error status means."""
        text = await timeouts.wait(_beginning(response))
        answer: object = text
        with suppress(ValueError, RecursionError):
            answer = json.loads(text)
        if response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY) and (
            names := refused_parameters(answer, frozenset(OPTIONAL.keys() & body.keys()))
        ):
            raise _ParametersRefused(names)
        retry_after = response.headers.get("retry-after")
        raise _AttemptFailed(failure_of_status(response.status_code, answer, retry_after, time.time()))

    async def _deltas(
        self, response: httpx2.Response, call_ids: frozenset[str], timeouts: RequestTimeouts
    ) -> AsyncGenerator[ChatDelta]:
        """Yield the deltas of a response; after the last one, read the response to its end."""
        answer = Answer(_new_call_id, taken=call_ids, begins_with_reasoning=self._begins_with_reasoning)
        stream = EventStream()
        async with aclosing(response.aiter_bytes()) as pieces:
            while not (stream.done or (answer.complete and answer.usage)):
                try:
                    piece = await timeouts.wait(anext(pieces, None))
                except (ChatTimeout, httpx2.RequestError):
                    if answer.complete:
                        break
                    raise
                for chunk in stream.finish() if piece is None else stream.feed(piece):
                    for delta in answer.take(chunk):
                        yield delta
                    timeouts.progressed(started=answer.started, complete=answer.complete)
                if piece is None:
                    break
            if answer.begins_with_reasoning is not None:
                self._begins_with_reasoning = answer.begins_with_reasoning
            for delta in answer.finish(done=stream.done):
                yield delta
            with suppress(TimeoutError, httpx2.RequestError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await anext(pieces, None)

    def _connection_error(self, error: httpx2.RequestError) -> ChatError:
        match error:
            case httpx2.PoolTimeout():
                return ChatOverloaded("all connections to the chat backend are in use")
            case httpx2.ConnectTimeout():
                return ChatTimeout(f"cannot connect to the chat backend at {self._origin} in time")
            case httpx2.ConnectError():
                return ChatError(f"cannot connect to the chat backend at {self._origin}: {error}")
            case _:
                return ChatInterrupted(f"the connection to the chat backend broke: {type(error).__name__}")


async def _beginning(response: httpx2.Response) -> str:
    """Return the beginning of a body as text."""
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) >= MAX_ERROR_BYTES:
            break
    return data[:MAX_ERROR_BYTES].decode(errors="replace")


def _new_call_id() -> str:
    return f"call_{secrets.token_hex(8)}"
