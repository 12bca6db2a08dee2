"""The real `openai` package on the real websocket: transcription and speech."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from clients.events import Completed, Event
from realtime.audio.formats import Encoding, Samples, encode

pytestmark = pytest.mark.models

RATE = 24_000
FRAME_BYTES = 4_800
SENTENCE = "The garden behind the school is full of yellow flowers."
TRANSCRIPTION = "conversation.item.input_audio_transcription."


def frames(samples: Samples) -> Iterator[str]:
    pcm = encode(samples, Encoding.PCM16)
    return (base64.b64encode(pcm[at : at + FRAME_BYTES]).decode() for at in range(0, len(pcm), FRAME_BYTES))


@pytest.fixture(scope="module")
def audio(spoken: Callable[[str], Samples]) -> Samples:
    silence = np.zeros(RATE, np.float32)
    return np.concatenate([silence[: RATE // 2], spoken(SENTENCE), silence])


@asynccontextmanager
async def connected(address: str, model: str, **query: str) -> AsyncIterator[AsyncRealtimeConnection]:
    client = AsyncOpenAI(base_url=f"http://{address}/v1", api_key="none")
    async with asyncio.timeout(30), client, client.realtime.connect(model=model, extra_query=query) as connection:
        yield connection


async def until(connection: AsyncRealtimeConnection, last: str) -> list[Any]:
    """Return the events up to the first of this type."""
    events = []
    async for event in connection:
        assert event.type != "error", event
        events.append(event)
        if event.type == last:
            return events
    raise AssertionError(f"the connection ended before {last}")


def test_a_session_of_type_transcription(
    address: str, audio: Samples, word_errors: Callable[[str, str], float]
) -> None:
    async def transcribe() -> list[Any]:
        async with connected(address, "gpt-realtime") as connection:
            await connection.session.update(
                session={
                    "type": "transcription",
                    "audio": {
                        "input": {
                            "format": {"type": "audio/pcm", "rate": 24_000},
                            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
                        }
                    },
                }
            )
            for frame in frames(audio):
                await connection.input_audio_buffer.append(audio=frame)
            return await until(connection, TRANSCRIPTION + "completed")

    events = asyncio.run(transcribe())
    updated = next(event for event in events if event.type == "session.updated")
    assert updated.session.type == "transcription"
    order = [f"input_audio_buffer.{step}" for step in ("speech_started", "speech_stopped", "committed")]
    assert [event.type for event in events if event.type in order] == order
    assert word_errors(SENTENCE, events[-1].transcript) == 0
    assert "".join(event.delta for event in events if event.type == TRANSCRIPTION + "delta") == events[-1].transcript


def test_a_connection_with_the_intent_to_transcribe_and_a_commit(
    address: str, audio: Samples, word_errors: Callable[[str, str], float]
) -> None:
    async def transcribe() -> list[Any]:
        async with connected(address, "whisper-base", intent="transcription") as connection:
            for frame in frames(audio[: -RATE * 9 // 10]):
                await connection.input_audio_buffer.append(audio=frame)
            await connection.input_audio_buffer.commit()
            return await until(connection, TRANSCRIPTION + "completed")

    assert word_errors(SENTENCE, asyncio.run(transcribe())[-1].transcript) == 0


def test_an_assistant_message_is_spoken(
    address: str, captions: Callable[..., list[Event]], word_errors: Callable[[str, str], float]
) -> None:
    async def speak() -> list[Any]:
        async with connected(address, "gpt-realtime") as connection:
            await connection.conversation.item.create(
                item={
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": SENTENCE}],
                }
            )
            await connection.response.create()
            return await until(connection, "response.done")

    events = asyncio.run(speak())
    assert events[-1].response.status == "completed"
    said = [event.transcript for event in events if event.type == "response.output_audio_transcript.done"]
    assert said == [SENTENCE]
    chunks = [base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta"]
    assert len(chunks) > 5
    [heard] = [event.text for event in captions(iter(chunks)) if isinstance(event, Completed)]
    assert word_errors(SENTENCE, heard) == 0


def test_the_user_interrupts_a_response_by_speaking(address: str, audio: Samples) -> None:
    async def interrupt() -> list[Any]:
        async with connected(address, "gpt-realtime") as connection:
            await connection.response.create(response={"instructions": " ".join([SENTENCE] * 10)})
            await until(connection, "response.output_audio.delta")
            for frame in frames(audio):
                await connection.input_audio_buffer.append(audio=frame)
            return await until(connection, "response.done")

    response = asyncio.run(interrupt())[-1].response
    assert (response.status, response.status_details.reason) == ("cancelled", "turn_detected")
