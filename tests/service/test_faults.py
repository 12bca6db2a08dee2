"""Misbehaving clients: the service survives them and serves the next one."""

import asyncio
import base64
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from clients.events import Completed, Event
from realtime.audio.formats import Encoding, Samples, encode
from realtime.settings import Settings

pytestmark = pytest.mark.models

SENTENCE = "Nothing in this room has changed since my last visit."
SESSIONS: Final = Settings().max_sessions


@pytest.fixture(scope="module")
def audio(spoken: Callable[[str], Samples]) -> Samples:
    return np.concatenate([np.zeros(12_000, np.float32), spoken(SENTENCE), np.zeros(24_000, np.float32)])


@pytest.fixture
def next_client_is_served(
    captions: Callable[..., list[Event]], audio: Samples, word_errors: Callable[[str, str], float]
) -> Callable[[], None]:
    def check() -> None:
        texts = [event.text for event in captions(audio) if isinstance(event, Completed)]
        assert [word_errors(SENTENCE, text) for text in texts] == [0]

    return check


async def said(websocket: ClientConnection, event_type: str) -> dict[str, Any]:
    """Return the next event of this type."""
    async for message in websocket:
        event: dict[str, Any] = json.loads(message)
        if event["type"] == event_type:
            return event
    raise AssertionError(f"the connection ended before {event_type}")


async def close_code(websocket: ClientConnection) -> int:
    """Return the code with which the server closes the connection."""
    with pytest.raises(ConnectionClosedError) as closed:
        await said(websocket, "nothing")
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def appended(data: bytes) -> str:
    return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(data).decode()})


def test_a_client_killed_while_it_speaks(
    realtime_url: str,
    audio: Samples,
    wav: Callable[[Samples], bytes],
    tmp_path: Path,
    next_client_is_served: Callable[[], None],
) -> None:
    file = tmp_path / "speech.wav"
    file.write_bytes(wav(np.tile(audio[12_000:-24_000], 4)))
    command = [sys.executable, "-m", "realtime.cli.main", "listen", "--json", "--url", realtime_url, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        for line in client.stdout:
            if json.loads(line)["type"] == "x.transcription.partial":
                client.kill()
                break
    assert client.returncode == -signal.SIGKILL
    next_client_is_served()


def test_more_broken_connections_than_there_are_sessions(
    realtime_url: str, audio: Samples, next_client_is_served: Callable[[], None]
) -> None:
    async def break_off() -> None:
        for _ in range(SESSIONS + 8):
            async with connect(realtime_url + "?intent=transcription", close_timeout=0) as websocket:
                await said(websocket, "session.created")
                await websocket.send(appended(encode(audio[:24_000], Encoding.PCM16)))
                websocket.transport.abort()

    asyncio.run(asyncio.wait_for(break_off(), 30))
    next_client_is_served()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("garbage", "invalid_json"),
        ("[]", "invalid_event"),
        ('{"type": "no.such.event"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append"}', "invalid_event"),
        ('{"type": "input_audio_buffer.append", "audio": "%%%"}', "invalid_value"),
        ('{"type": "session.update", "session": {"audio": {"input": {"format": {"type": "mp3"}}}}}', "invalid_value"),
        ('{"type": "input_audio_buffer.commit"}', "input_audio_buffer_commit_empty"),
        ('{"type":' * 100_000, "invalid_json"),
    ],
)
def test_garbage_is_refused_and_the_session_goes_on(realtime_url: str, message: str, code: str) -> None:
    async def send() -> dict[str, Any]:
        async with asyncio.timeout(10), connect(realtime_url + "?intent=transcription") as websocket:
            await websocket.send(message)
            error = await said(websocket, "error")
            await websocket.send('{"type": "input_audio_buffer.clear"}')
            await said(websocket, "input_audio_buffer.cleared")
            return error

    assert asyncio.run(send())["error"]["code"] == code


def test_noise_as_samples_is_harmless(
    realtime_url: str, audio: Samples, next_client_is_served: Callable[[], None]
) -> None:
    async def send() -> None:
        async with asyncio.timeout(30), connect(realtime_url + "?intent=transcription") as websocket:
            for seed in range(10):
                await websocket.send(appended(np.random.default_rng(seed).bytes(48_001)))
            await websocket.send('{"type": "input_audio_buffer.clear"}')
            await said(websocket, "input_audio_buffer.cleared")

    asyncio.run(send())
    next_client_is_served()


def test_a_binary_message_without_the_extension_ends_the_connection(realtime_url: str) -> None:
    async def send() -> int:
        async with asyncio.timeout(10), connect(realtime_url) as websocket:
            await websocket.send(b"\0" * 4_800)
            return await close_code(websocket)

    assert asyncio.run(send()) == 1003


def test_a_message_beyond_the_limit_ends_the_connection(
    realtime_url: str, next_client_is_served: Callable[[], None]
) -> None:
    async def send() -> int:
        async with asyncio.timeout(10), connect(realtime_url) as websocket:
            with suppress(ConnectionClosed):  # the server may close before it has read everything
                await websocket.send(appended(bytes(2 * 1024 * 1024)))
            return await close_code(websocket)

    assert asyncio.run(send()) == 1009
    next_client_is_served()


def test_bytes_that_are_not_http(address: str, next_client_is_served: Callable[[], None]) -> None:
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(bytes(range(256)) + b"\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 400")
    next_client_is_served()


def test_a_text_uploaded_as_audio(address: str) -> None:
    answer = httpx.post(
        f"http://{address}/v1/audio/transcriptions",
        data={"model": "whisper-1"},
        files={"file": ("speech.wav", b"This is no recording. " * 100)},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_file_format")


def test_a_text_given_to_the_command_as_audio(vivavoce: Callable[..., "CompletedProcess[str]"], tmp_path: Path) -> None:
    file = tmp_path / "speech.wav"
    file.write_text("This is no recording. " * 100)
    done = vivavoce("listen", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("vivavoce listen: cannot open")


def test_an_unknown_model(address: str) -> None:
    answer = httpx.post(
        f"http://{address}/v1/audio/transcriptions", data={"model": "whisper-huge"}, files={"file": b"RIFF"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
