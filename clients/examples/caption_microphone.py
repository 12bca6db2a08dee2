"""Caption the microphone until Ctrl-C.

    python clients/examples/caption_microphone.py

Needs the package sounddevice.
"""

import asyncio
import signal
import sys

from clients import Completed, Disconnected, Partial, RealtimeError, Reconnected, caption
from clients.microphone import SoundUnavailable, open_microphone


async def main(url: str) -> None:
    """Print one line for each turn, and tentative text meanwhile."""
    with open_microphone() as microphone:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, microphone.stop)
        async with caption(microphone, url, silence_ms=1000) as captions:
            async for event in captions:
                match event:
                    case Partial(stable=stable, tentative=tentative):
                        print(f"... {stable}{tentative}", file=sys.stderr)
                    case Completed(text=text):
                        print(text)
                    case Disconnected(reason=reason):
                        print(f"{reason}; trying again", file=sys.stderr)
                    case Reconnected():
                        print("connected again", file=sys.stderr)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000"))
    except (RealtimeError, SoundUnavailable) as error:
        sys.exit(str(error))
