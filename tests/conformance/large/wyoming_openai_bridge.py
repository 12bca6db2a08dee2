"""wyoming-openai: the bridge between the Wyoming protocol and OpenAI's, by its realtime models and the others."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reporting import ADDRESS, FRAME_BYTES, RATE, RECORDINGS, SENTENCE, recording, report, words
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeVoice

with socket.create_server(("127.0.0.1", 0)) as unused:
    PORT = unused.getsockname()[1]


@asynccontextmanager
async def bridge() -> AsyncIterator[None]:
    """Run the bridge until the block ends."""
    url = f"http://{ADDRESS}/v1"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wyoming_openai", "--uri", f"tcp://127.0.0.1:{PORT}", "--languages", "en",
        "--stt-openai-url", url, "--stt-models", "whisper-1", "--stt-realtime-models", "gpt-4o-transcribe",
        "--tts-openai-url", url, "--tts-models", "tts-1", "--tts-realtime-models", "tts-1-hd",
        "--tts-voices", "alloy",
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", PORT)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                break
        yield
    finally:
        process.terminate()
        await process.wait()


async def answer(client: AsyncTcpClient) -> Event:
    event = await asyncio.wait_for(client.read_event(), 30)
    assert event is not None, "the bridge has closed the connection"
    assert event.type != "error", event.data
    return event


async def described() -> Info:
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(Describe().event())
        return Info.from_event(await answer(client))


async def spoken(voice: str) -> bytes:
    """Return what a voice says, as PCM16 at 24 kHz."""
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(Synthesize(text=SENTENCE, voice=SynthesizeVoice(name=voice)).event())
        pcm = b""
        while not AudioStop.is_type((event := await answer(client)).type):
            if AudioChunk.is_type(event.type):
                chunk = AudioChunk.from_event(event)
                assert (chunk.rate, chunk.width, chunk.channels) == (RATE, 2, 1), chunk
                pcm += chunk.audio
        return pcm


async def heard(model: str, name: str = "turn") -> tuple[str, int]:
    """Return the transcript of a recording, and the number of parts that came before it."""
    pcm, parts = recording(name), 0
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await client.write_event(Transcribe(name=model, language="en").event())
        await client.write_event(AudioStart(RATE, 2, 1).event())
        for at in range(0, len(pcm), FRAME_BYTES):
            await client.write_event(AudioChunk(RATE, 2, 1, pcm[at : at + FRAME_BYTES]).event())
        await client.write_event(AudioStop().event())
        while not Transcript.is_type((event := await answer(client)).type):
            parts += TranscriptChunk.is_type(event.type)
        return Transcript.from_event(event).text, parts


async def voices() -> None:
    info = await described()
    names = [voice.name for program in info.tts for voice in program.voices]
    assert len(names) == 2, names
    for name in names:
        (RECORDINGS / "bridge.pcm").write_bytes(bytes(RATE) + await spoken(name) + bytes(RATE))
        text, _ = await heard("whisper-1", "bridge")
        assert words(text) == SENTENCE, (name, text)


async def upload() -> None:
    text, _ = await heard("whisper-1")
    assert words(text) == SENTENCE, text


async def realtime() -> None:
    text, parts = await heard("gpt-4o-transcribe")
    assert words(text) == SENTENCE, text
    assert parts > 0


async def main() -> None:
    async with bridge():
        await report({"voices": voices, "upload": upload, "realtime": realtime})


asyncio.run(main())
