"""Captions of files, which are uploaded, with scripted models."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clients.backoff
from clients import Completed, ConnectionRefused, Disconnected, Event, Reconnected, RequestFailed, ServerClosed, caption
from clients.captions import caption_file
from realtime.errors import EngineError
from tests.support.http_service import HttpService, http_service
from tests.support.recordings import compressed_file, silence, tone

PITCHES = (440.0, 660.0, 880.0)
TEXTS = ["440.", "660.", "880."]


@pytest.fixture
def service() -> Iterator[HttpService]:
    with http_service() as service:
        yield service


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Words far enough apart to be segments of their own, in a file whose index is at its end."""
    path = tmp_path / "talk.mp4"
    samples = np.concatenate([part for pitch in PITCHES for part in (silence(0.3), tone(0.6, pitch), silence(20.0))])
    path.write_bytes(compressed_file(samples, "mp4", "aac"))
    return path


def events_of(path: Any, url: str, **options: float) -> list[Event]:
    async def client() -> list[Event]:
        async with asyncio.timeout(20), caption(path, url, **options) as captions:  # type: ignore[arg-type]
            return [event async for event in captions]

    return asyncio.run(client())


def test_a_file_of_any_container_is_captioned_with_times(service: HttpService, recording: Path) -> None:
    events = [event for event in events_of(recording, service.address) if isinstance(event, Completed)]
    assert [event.text for event in events] == TEXTS
    assert [event.item_id for event in events] == ["segment_0", "segment_1", "segment_2"]
    assert [word.start for event in events for word in event.words] == pytest.approx([0.3, 21.2, 42.1], abs=0.1)
    assert [event.start for event in events] == pytest.approx([0.3, 21.2, 42.1], abs=0.1)
    assert [event.end for event in events] == pytest.approx([0.9, 21.8, 42.7], abs=0.1)


def test_a_recording_in_memory_and_an_open_file_are_captioned_as_one_on_the_disk(
    service: HttpService, recording: Path
) -> None:
    contents = recording.read_bytes()
    with recording.open("rb") as file:
        for source in (contents, io.BytesIO(contents), file):
            events = [event for event in events_of(source, service.address) if isinstance(event, Completed)]
            assert [event.text for event in events] == TEXTS


def test_a_file_that_is_no_audio_is_refused_by_name(service: HttpService, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Nothing to hear.")
    with pytest.raises(RequestFailed) as refusal:
        events_of(tmp_path / "notes.txt", service.address)
    assert refusal.value.code == "invalid_file_format"


def test_an_engine_that_fails_in_the_middle_is_an_error_by_name(service: HttpService, recording: Path) -> None:
    events_of(recording, service.address)  # the recognizer is there now
    (recognizer,) = service.models.recognizers.values()
    recognizer.failure, recognizer.fails_after = EngineError("It broke."), len(recognizer.requests) + 1
    with pytest.raises(RequestFailed) as failure:
        events_of(recording, service.address)
    assert failure.value.code == "engine_failed"


def test_a_server_that_is_not_there_is_refused_at_once(recording: Path) -> None:
    with pytest.raises(ConnectionRefused, match="no server answers"):
        events_of(recording, "http://127.0.0.1:9")


def test_an_answer_that_breaks_off_is_asked_for_again_and_nothing_is_given_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    requests = 0

    def request() -> Iterator[Completed | None]:
        nonlocal requests
        requests += 1
        yield None
        for number in range(requests):
            yield Completed(f"segment_{number}", TEXTS[number])
        if requests < 3:
            raise ServerClosed(1006, "")

    async def client() -> list[Event]:
        return [event async for event in caption_file(request, patience=5.0)]

    events = asyncio.run(client())
    assert [event.text for event in events if isinstance(event, Completed)] == TEXTS
    assert [type(event) for event in events if not isinstance(event, Completed)] == [Disconnected, Reconnected] * 2


def test_an_answer_that_never_comes_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)

    def request() -> Iterator[Completed | None]:
        yield Completed("segment_0", "440.")
        raise ServerClosed(1006, "")

    async def client() -> None:
        async for _ in caption_file(request, patience=0.1):
            pass

    with pytest.raises(ServerClosed):
        asyncio.run(client())


def test_an_answer_that_is_cut_by_the_network_has_broken_off(recording: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n: comment\n\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        await reader.readuntil(b"--\r\n")
        writer.close()
        await writer.wait_closed()

    async def client() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with caption(recording, f"http://127.0.0.1:{port}", reconnect_seconds=0) as captions:
                async for _ in captions:
                    pass

    with pytest.raises(ServerClosed):
        asyncio.run(client())
