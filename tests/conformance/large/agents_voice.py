"""openai-agents: `VoicePipeline` with its default models, from one buffer and from a stream."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
from agents.voice import (
    AudioInput,
    OpenAIVoiceModelProvider,
    StreamedAudioInput,
    VoicePipeline,
    VoicePipelineConfig,
    VoiceWorkflowBase,
)
from openai import AsyncOpenAI
from reporting import ADDRESS, recording, report, speak, until


class Echo(VoiceWorkflowBase):
    """A workflow that repeats what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def run(self, transcription: str) -> AsyncIterator[str]:
        self.heard.append(transcription)
        yield f"You said: {transcription}"


def pipeline(workflow: Echo) -> VoicePipeline:
    client = AsyncOpenAI(base_url=f"http://{ADDRESS}/v1", api_key="none")
    provider = OpenAIVoiceModelProvider(openai_client=client)
    return VoicePipeline(workflow=workflow, config=VoicePipelineConfig(model_provider=provider, tracing_disabled=True))


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, np.int16)


async def one_buffer() -> None:
    """Have a turn answered that is sent whole."""
    workflow = Echo()
    result = await pipeline(workflow).run(AudioInput(samples(recording("turn"))))
    events = [event async for event in result.stream()]
    assert "yellow flowers" in workflow.heard[0], workflow.heard
    assert sum(len(event.data) for event in events if event.type == "voice_stream_event_audio") > 48_000


async def two_turns() -> None:
    """Have both turns of a stream answered."""
    workflow = Echo()
    source = StreamedAudioInput()
    result = await pipeline(workflow).run(source)
    heard = 0

    async def listen() -> None:
        nonlocal heard
        async for event in result.stream():
            if event.type == "voice_stream_event_audio":
                heard += len(event.data)
            elif event.type == "voice_stream_event_error":
                raise event.error

    async def send(pcm: bytes) -> None:
        await source.add_audio(samples(pcm))

    listening = asyncio.create_task(listen())
    await speak("turn", send)
    await until(lambda: listening.done() or workflow.heard, "first turn")
    await speak("second", send)
    await until(lambda: listening.done() or len(workflow.heard) > 1, "second turn")
    await until(lambda: listening.done() or heard > 96_000, "audio of the answers")
    if listening.done():
        listening.result()
    listening.cancel()
    assert "yellow flowers" in workflow.heard[0], workflow.heard
    assert "first thing" in workflow.heard[1], workflow.heard


asyncio.run(report({"turn": one_buffer, "second turn": two_turns}))
