"""Send with the `wyoming` package what Home Assistant's integration sends, in its order: a connection for each request.

The arguments are the port and a file with 16-bit mono samples at 16 kHz. Prints one JSON object.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped, SynthesizeVoice

PORT = int(sys.argv[1])
AUDIO = Path(sys.argv[2]).read_bytes()
PARTS = ("It is ", "ten o'clock. ", "Good ", "night.")
TIMEOUT = 20


async def main() -> None:
    info = await describe()
    voice = SynthesizeVoice(name=info.tts[0].voices[0].name)
    print(
        json.dumps(
            {
                "asr": [info.asr[0].name, info.asr[0].installed, info.asr[0].supports_transcript_streaming],
                "tts": [info.tts[0].name, info.tts[0].installed, info.tts[0].supports_synthesize_streaming],
                "languages": len(info.asr[0].models[0].languages),
                "transcript": await transcribe("en"),
                "spoken": await speak(voice),
                "streamed": await stream(voice),
                "refused": await transcribe("Klingon"),
            }
        )
    )


async def describe() -> Info:
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(Describe().event())
        async for event in events(client):
            if Info.is_type(event.type):
                return Info.from_event(event)
    raise EOFError


async def transcribe(language: str) -> str | None:
    """Return the transcript, or the message of an error."""
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(Transcribe(language=language).event())
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        for start in range(0, len(AUDIO), 2048):
            chunk = AudioChunk(rate=16_000, width=2, channels=1, audio=AUDIO[start : start + 2048])
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        async for event in events(client):
            if Transcript.is_type(event.type):
                return str(Transcript.from_event(event).text)
            if Error.is_type(event.type):
                return str(Error.from_event(event).text)
    return None


async def speak(voice: SynthesizeVoice) -> dict[str, Any]:
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(Synthesize(text="".join(PARTS), voice=voice).event())
        return await heard(client, AudioStop)


async def stream(voice: SynthesizeVoice) -> dict[str, Any]:
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(SynthesizeStart(voice=voice).event())
        for part in PARTS:
            await client.write_event(SynthesizeChunk(text=part).event())
        await client.write_event(Synthesize(text="".join(PARTS), voice=voice).event())
        await client.write_event(SynthesizeStop().event())
        return await heard(client, SynthesizeStopped)


async def heard(client: AsyncTcpClient, last: type[AudioStop | SynthesizeStopped]) -> dict[str, Any]:
    """Return the format of the audio and its seconds."""
    start, seconds = None, 0.0
    async for event in events(client):
        if AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
        elif AudioChunk.is_type(event.type):
            seconds += AudioChunk.from_event(event).seconds
        elif last.is_type(event.type):
            break
    assert start is not None
    return {"format": [start.rate, start.width, start.channels], "seconds": round(seconds, 3)}


async def events(client: AsyncTcpClient) -> AsyncIterator[Event]:
    while event := await asyncio.wait_for(client.read_event(), TIMEOUT):
        yield event


asyncio.run(main())
