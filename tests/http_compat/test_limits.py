"""Limits on the body of a request, so that no client occupies a slot forever; lingering close."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from http_compat.errors import BodyTimeout
from http_compat.limits import MinimumRate, bounded
from http_compat.middleware import LingeringCloseMiddleware
from http_compat.uploads import Uploads
from realtime.edge.drain import Drain
from realtime.edge.metrics import Metrics
from realtime.edge.rate_limits import RateLimits
from realtime.errors import TooLarge
from realtime.media.decoder_pool import DecoderPool
from realtime.settings import Settings
from tests.support.asgi_requests import post
from tests.support.scripted_models import ScriptedModels


@pytest.mark.filterwarnings("ignore:Unclosed file")  # Starlette leaves an unfinished part to the garbage collector
@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/v1/audio/speech", "application/json", b'{"model": "tts-1", '),
        (
            "/v1/audio/transcriptions",
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF',
        ),
    ],
)
def test_a_body_that_stops_arriving_is_408_and_releases_its_slot(
    application: Callable[[Settings], Starlette], path: str, content_type: str, body: bytes
) -> None:
    app = application(Settings(idle_timeout_seconds=0.05, max_concurrent_uploads=1, max_sessions=1))
    answers: list[Message] = []

    async def note(message: Message) -> None:
        answers.append(message)

    async def scene() -> None:
        for _ in range(2):
            await post(app, path, content_type, body, note, whole=False)

    asyncio.run(scene())
    start, answer, again, _ = answers
    assert (start["status"], again["status"]) == (408, 408)
    assert (b"x-should-retry", b"false") in start["headers"]
    assert json.loads(answer["body"])["error"]["code"] == "request_timeout"


def test_the_file_of_a_request_that_is_cancelled_is_closed() -> None:
    settings = Settings()
    decoders = DecoderPool(max_files=1, max_streams=1)
    uploads = Uploads(ScriptedModels(), settings, decoders, Metrics(dict), RateLimits(settings))
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + bytes(2**21) + b"\r\n--b--"

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def scene() -> UploadFile:
        request = Request({"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=b")]}, receive)
        with contextlib.suppress(asyncio.CancelledError):
            async with AsyncExitStack() as resources:
                file = (await uploads.read_form(request, resources))["file"]
                task = asyncio.current_task()
                assert task
                task.cancel()
            await asyncio.sleep(0)  # the cancellation arrives at the latest here
        assert isinstance(file, UploadFile)
        return file

    file = asyncio.run(scene())
    assert file.size == 2**21
    assert file.file.closed


def trickling(seconds: float, chunks: int) -> Request:
    """Return a request whose body arrives in chunks of 1,000 bytes, `seconds` apart."""
    sent = 0

    async def receive() -> Message:
        nonlocal sent
        await asyncio.sleep(seconds)
        sent += 1
        return {"type": "http.request", "body": bytes(1000), "more_body": sent < chunks}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def test_a_body_that_arrives_too_slowly_is_refused() -> None:
    request = bounded(
        trickling(0.005, 1_000_000), 10**9, idle_timeout_seconds=60.0, min_rate=MinimumRate(10**7, grace=0.1)
    )
    with pytest.raises(BodyTimeout, match="more slowly than 10,000,000 bytes per second"):
        asyncio.run(asyncio.wait_for(request.body(), 10))


def test_a_body_at_the_minimum_rate_may_take_longer_than_the_grace_period() -> None:
    request = bounded(trickling(0.005, 20), 10**9, idle_timeout_seconds=60.0, min_rate=MinimumRate(10_000, grace=0.05))
    assert len(asyncio.run(request.body())) == 20_000


def test_a_body_with_too_large_a_content_length_is_not_read() -> None:
    request = Request({"type": "http", "headers": [(b"content-length", b"1001")]})
    with pytest.raises(TooLarge):
        bounded(request, 1000, idle_timeout_seconds=60.0)


@pytest.mark.parametrize(
    ("headers", "most", "heard"),
    [
        pytest.param({b"connection": b"close"}, 10_000, 3_000, id="closing"),
        pytest.param({b"connection": b"TE, Close"}, 1_500, 2_000, id="too much"),
        pytest.param({b"connection": b"keep-alive"}, 10_000, 0, id="staying"),
        pytest.param({b"connection": b"close", b"content-length": b"3000"}, 2_000, 0, id="much too much"),
        pytest.param({b"connection": b"close", b"expect": b"100-continue"}, 10_000, 0, id="waiting for leave"),
    ],
)
def test_the_body_is_drained_for_a_client_that_would_lose_the_response(
    headers: dict[bytes, bytes], most: int, heard: int
) -> None:
    read: list[int] = []
    answers: list[Message] = []

    async def receive() -> Message:
        assert answers == []
        read.append(1_000)
        return {"type": "http.request", "body": bytes(1_000), "more_body": sum(read) < 3_000}

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [*headers.items()]}
    refusal = Response(status_code=429)
    asyncio.run(LingeringCloseMiddleware(refusal, Drain(), most)(scope, receive, send))
    assert (sum(read), answers[0]["status"]) == (heard, 429)


def test_a_body_that_never_ends_is_not_drained_for_long() -> None:
    answers: list[Message] = []

    async def receive() -> Message:
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"connection", b"close")]}
    asyncio.run(LingeringCloseMiddleware(Response(status_code=429), Drain(), seconds=0.05)(scope, receive, send))
    assert answers[0]["status"] == 429
