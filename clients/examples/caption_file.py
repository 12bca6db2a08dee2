"""Caption an audio file while it plays.

python clients/examples/caption_file.py talk.mp3
"""

import asyncio
import sys
from collections.abc import Iterator

from clients import Completed, Delta, Partial, RealtimeError, Session, connect
from clients.playback import AudioUnreadable, decode, play


async def send(session: Session, frames: Iterator[bytes]) -> None:
    """Send the file at the speed of its playback, then end the turn."""
    async for frame in play(frames):
        await session.send_audio(frame)
    await session.commit()


async def main(path: str, url: str) -> None:
    """Print committed and tentative text as it arrives, and the transcript at the end."""
    frames = decode(path)
    async with connect(url, turn_detection=False, partials=True) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(send(session, frames))
        async for event in session:
            match event:
                case Delta(text=text):
                    print("committed:", text)
                case Partial(tentative=text):
                    print("tentative:", text)
                case Completed(text=text, words=words):
                    print("complete: ", text)
                    print(f"{len(words)} words, the last one ends at {words[-1].end:.2f} s" if words else "no speech")
                    break


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python clients/examples/caption_file.py FILE [URL]")
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "ws://127.0.0.1:8000"))
    except (AudioUnreadable, RealtimeError) as error:
        sys.exit(str(error))
