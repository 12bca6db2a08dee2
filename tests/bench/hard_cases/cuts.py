"""What is left of a recording over a connection that is cut at random: `python -m tests.bench.hard_cases.cuts`.

A recording is streamed in real time to a service with the default models, twice over a connection that is not cut and
then over one that is cut 30 times. The table has how many words of the first transcript were lost, added and changed:
what partials saw of a word depends a little on the time, so the second run may differ from the first one, too. `--file`
names another recording, `--fast` sends it as fast as it is taken, `--cuts` sets their number. With `--replaced` no
session can be resumed, as where replicas are killed: each cut is followed by another session.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterator
from typing import Final

import jiwer
from rich.console import Console
from rich.table import Table

import clients.backoff
from clients.captions import caption
from clients.events import Completed, Reconnected
from clients.playback import decode, play
from realtime.settings import Settings
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import SPEECH
from tests.support.fault_proxy import fault_proxy
from tests.support.running_service import running_service

FILE: Final = "audio/en_sonnet1.mp3"
CUTS: Final = 30
BYTES_PER_SECOND: Final = 48_000
GREETING_BYTES: Final = 10_000


def lifetimes(seconds: float, cuts: int) -> list[int]:
    """Return after how many bytes each connection is cut, so that all of them are within the recording."""
    chosen = random.Random(1)
    longest = int(2 * 0.8 * seconds * BYTES_PER_SECOND / cuts)
    return [GREETING_BYTES + chosen.randrange(longest) for _ in range(cuts)]


def frames(file: str) -> Iterator[bytes]:
    return decode(str(SPEECH / file))


async def transcribe(port: int, file: str, *, fast: bool) -> tuple[list[str], int, float]:
    """Return the words, how often there was a session again, and the seconds that it took."""
    texts: list[str] = []
    again, began = 0, time.monotonic()
    source, url = play(frames(file), fast=fast), f"ws://127.0.0.1:{port}"
    async with caption(source, url, language="en") as captions:
        async for event in captions:
            if isinstance(event, Completed):
                texts.append(event.text)
            again += isinstance(event, Reconnected)
    return list(plain_words(" ".join(texts))), again, time.monotonic() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--file", default=FILE)
    options.add_argument("--cuts", type=int, default=CUTS)
    options.add_argument("--fast", action="store_true")
    options.add_argument("--replaced", action="store_true")
    arguments = options.parse_args()
    parked = "0" if arguments.replaced else str(Settings().max_parked_sessions)
    clients.backoff.FIRST_SECONDS = 0.1  # type: ignore[misc]
    seconds = sum(map(len, frames(arguments.file))) / BYTES_PER_SECOND
    table = Table("connection", "cuts", "again", "words", "lost", "added", "changed", "seconds")
    expected: list[str] = []
    for name, cuts in (("whole", 0), ("again", 0), ("cut", arguments.cuts)):
        with running_service(offline="true", log_level="error", max_parked_sessions=parked) as service:
            port = int(service.address.rpartition(":")[2])
            with fault_proxy(port, lifetimes(seconds, cuts) if cuts else ()) as proxy:
                words, again, took = asyncio.run(transcribe(proxy.port, arguments.file, fast=arguments.fast))
                assert proxy.resets == cuts, proxy.resets
        expected = expected or words
        errors = jiwer.process_words(" ".join(expected), " ".join(words))
        counts = (len(words), errors.deletions, errors.insertions, errors.substitutions)
        table.add_row(name, str(cuts), str(again), *map(str, counts), f"{took:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
