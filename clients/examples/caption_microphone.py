"""Caption the microphone until Ctrl-C.

    python clients/examples/caption_microphone.py

Needs the package sounddevice.
"""

import asyncio
import signal
import sys

from clients import Completed, Partial, RealtimeError, ServerError, Session, SpeechStarted, connect
from clients.microphone import Microphone, SoundUnavailable, open_microphone


async def send(session: Session, microphone: Microphone) -> str:
    """Send what the microphone records until it is stopped; return the id of the closing commit."""
    async for frame in microphone:
        await session.send_audio(frame)
    await session.commit()
    return await session.commit()  # refused, because nothing is left: the refusal marks the end of the answers


async def main(url: str) -> None:
    """Print one line for each turn, and tentative text meanwhile."""
    with open_microphone() as microphone:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, microphone.stop)
        async with connect(url, partials=True, silence_ms=1000) as session, asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send(session, microphone))
            turns = 0
            stopped = False
            async for event in session:
                match event:
                    case SpeechStarted():
                        turns += 1
                    case Partial(stable=stable, tentative=tentative):
                        print(f"... {stable}{tentative}", file=sys.stderr)
                    case Completed(text=text):
                        turns -= 1
                        print(text)
                    case ServerError(event_id=request) if sending.done() and request == sending.result():
                        stopped = True
                if stopped and turns <= 0:
                    break


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000"))
    except (RealtimeError, SoundUnavailable) as error:
        sys.exit(str(error))
