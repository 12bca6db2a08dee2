"""Caption audio with the openai package's Realtime client.

    python clients/examples/openai_captions.py talk.pcm

The file is 16-bit mono PCM at 24 kHz without a header, as `ffmpeg -i talk.mp3 -f s16le -ac 1 -ar 24000 talk.pcm`
writes it.
"""

import asyncio
import base64
import sys
from pathlib import Path

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import WebSocketException

FRAME_BYTES = 4_800  # 100 ms


async def send(connection: AsyncRealtimeConnection, audio: bytes) -> None:
    """Send the audio and end the turn."""
    for start in range(0, len(audio), FRAME_BYTES):
        frame = audio[start : start + FRAME_BYTES]
        await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
    await connection.input_audio_buffer.commit()


async def main(path: str, url: str) -> None:
    """Print the text as it is committed."""
    client = AsyncOpenAI(base_url=url, api_key="none")
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        await connection.session.update(
            session={"type": "transcription", "audio": {"input": {"turn_detection": None}}},
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send(connection, await asyncio.to_thread(Path(path).read_bytes)))
            async for event in connection:
                if event.type == "conversation.item.input_audio_transcription.delta":
                    print(event.delta, end="", flush=True)
                elif event.type == "conversation.item.input_audio_transcription.completed":
                    print()
                    break
                elif event.type == "error":
                    raise SystemExit(event.error.message)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8000/v1"))
    except (OSError, WebSocketException) as error:
        sys.exit(f"Cannot connect: {error}")
