"""Bodies that stop coming: nobody may hold a place for ever."""

import asyncio
import json
from collections.abc import Callable

import pytest
from direct_requests import post
from starlette.applications import Starlette
from starlette.types import Message

from realtime.settings import Settings


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
def test_a_body_that_stops_coming_is_408_and_gives_its_place_back(
    application: Callable[[Settings], Starlette], path: str, content_type: str, body: bytes
) -> None:
    app = application(Settings(idle_seconds=0.05, max_queued_uploads=1, max_sessions=1))
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
