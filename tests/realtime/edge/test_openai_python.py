"""OpenAI's client for Python with the endpoints that are newer or older than its conversations."""

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI

from realtime.audio.formats import Encoding, encode
from tests.support.realtime_service import RealtimeService, realtime_service, utterance
from tests.support.scripted_engines import transcript_of

KEY = "real-key"

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")


@contextlib.contextmanager
def client_of(server: RealtimeService, key: str = KEY) -> Iterator[Any]:
    address = f"127.0.0.1:{server.port}/v1"
    with OpenAI(base_url=f"http://{address}", websocket_base_url=f"ws://{address}", api_key=key) as client:
        yield client


def test_a_client_secret_opens_its_session() -> None:
    with realtime_service(api_keys=(KEY,)) as server:
        with client_of(server) as client:
            secret = client.realtime.client_secrets.create(session={"type": "transcription"})
        with client_of(server, secret.value) as client, client.realtime.connect(model="any") as connection:
            created = connection.recv()
    assert created.type == "session.created"
    assert created.session.type == secret.session.type == "transcription"


def test_the_beta_speaks_a_text() -> None:
    with (
        realtime_service(api_keys=(KEY,)) as server,
        client_of(server) as client,
        client.beta.realtime.connect(model="any") as connection,
    ):
        text = {"type": "text", "text": "Good morning."}
        connection.send(
            {"type": "conversation.item.create", "item": {"type": "message", "role": "assistant", "content": [text]}}
        )
        connection.response.create()
        seen = []
        for event in connection:
            seen.append(event.type)
            if event.type == "response.done":
                break
    assert {"response.audio.delta", "response.audio_transcript.done", "conversation.item.created"} < set(seen)
    assert event.response.status == "completed"


def test_a_translation_is_spoken_and_closed() -> None:
    with realtime_service(api_keys=(KEY,)) as server:
        with client_of(server) as client:
            secret = client.realtime.translations.client_secrets.create(session={"model": "any"})
        with (
            client_of(server, secret.value) as client,
            client.realtime.translations.connect(model="any") as connection,
        ):
            audio = base64.b64encode(encode(utterance([3, 1, 4]), Encoding.PCM16)).decode()
            connection.send({"type": "session.input_audio_buffer.append", "audio": audio})
            connection.send({"type": "session.close"})
            events: list[Any] = []
            while not events or events[-1].type != "session.closed":
                events.append(connection.recv())
    text = "".join(event.delta for event in events if event.type == "session.output_transcript.delta")
    assert text == transcript_of([3, 1, 4])
    assert any(event.type == "session.output_audio.delta" for event in events)
