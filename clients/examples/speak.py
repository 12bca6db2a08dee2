"""Speak a text into a WAV file as it is synthesized.

python clients/examples/speak.py "Good morning." morning.wav
"""

import asyncio
import sys
import time
import wave
from pathlib import Path

from clients import RealtimeError, speak


async def main(text: str, path: str, url: str) -> None:
    """Write the audio chunk by chunk; a program that plays it would do so with each chunk."""
    with Path(path).open("wb") as opened, wave.open(opened, "wb") as file:  # noqa: ASYNC230
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        started = time.monotonic()
        async for chunk in speak(text, url):
            print(f"{len(chunk) / 48_000:.2f} s of audio after {time.monotonic() - started:.3f} s")
            file.writeframesraw(chunk)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "ws://127.0.0.1:8000"))
    except RealtimeError as error:
        sys.exit(str(error))
