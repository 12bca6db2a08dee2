"""What is left of words and speech over a connection that is cut at random: `python -m tests.bench.hard_cases.cuts`.

A recording is streamed in real time to a service with the default models, twice over a connection that is not cut and
then over one that is cut 30 times, with `clients.aio` and finals only, and as captions, which show words while somebody
speaks. The table has how many words of the first transcript were lost, added and changed. With finals only, each part
of a turn is decoded once, so that the words are to be the same; what captions have committed depends a little on the
time, so that their second run may differ, too. Then a text is spoken, and the samples that were heard are compared.

`--file` names another recording, `--fast` sends it as fast as it is taken, `--cuts` sets their number. With
`--replaced` no session can be resumed, as where replicas are killed: each cut is followed by another session, which
only captions survive.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterable, Iterator
from typing import Final

import jiwer
from rich.console import Console
from rich.table import Table

import clients.backoff
from clients.aio import connect
from clients.captions import caption
from clients.events import Completed, Reconnected
from clients.playback import decode, play
from realtime.settings import Settings
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import SPEECH, TEXTS
from tests.support.fault_proxy import fault_proxy
from tests.support.pending_transcripts import PendingTranscripts
from tests.support.running_service import running_service

FILE: Final = "audio/en_sonnet1.mp3"
CUTS: Final = 30
BYTES_PER_SECOND: Final = 48_000
GREETING_BYTES: Final = 10_000
TEXT: Final = " ".join(TEXTS)


def lifetimes(size: float, cuts: int) -> list[int]:
    """Return after how many bytes each connection is cut, so that all of them are within `size` bytes."""
    chosen = random.Random(1)
    longest = int(2 * 0.8 * size / cuts) if cuts else 0
    return [GREETING_BYTES + chosen.randrange(longest) for _ in range(cuts)]


def frames(file: str) -> Iterator[bytes]:
    return decode(str(SPEECH / file))


def words(texts: Iterable[str]) -> list[str]:
    return list(plain_words(" ".join(texts)))


async def captioned(port: int, file: str, *, fast: bool) -> tuple[list[str], int]:
    """Return the words, and how often there was a session again."""
    texts: list[str] = []
    again = 0
    async with caption(play(frames(file), fast=fast), f"ws://127.0.0.1:{port}", language="en") as captions:
        async for event in captions:
            if isinstance(event, Completed):
                texts.append(event.text)
            again += isinstance(event, Reconnected)
    return words(texts), again


async def finals(port: int, file: str, *, fast: bool) -> tuple[list[str], int]:
    """Return the words, and how often the session was resumed."""
    texts: list[str] = []
    again, pending = 0, PendingTranscripts()
    async with connect(f"ws://127.0.0.1:{port}", language="en", binary=True, finals_only=True) as session:

        async def send() -> None:
            async for frame in play(frames(file), fast=fast):
                await session.send_audio(frame)
            pending.final_commits.extend([await session.commit(), await session.commit()])

        sending = asyncio.create_task(send())
        while not pending.done:
            event = await anext(session)
            pending.receive(event)
            if isinstance(event, Completed):
                texts.append(event.text)
            again += isinstance(event, Reconnected)
        await sending
    return words(texts), again


async def spoken(port: int) -> bytes:
    """Return the speech of the text as it was heard."""
    async with connect(f"ws://127.0.0.1:{port}", transcription=False, binary=True) as session:
        return b"".join([chunk async for chunk in session.speak(TEXT)])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--file", default=FILE)
    options.add_argument("--cuts", type=int, default=CUTS)
    options.add_argument("--fast", action="store_true")
    options.add_argument("--replaced", action="store_true")
    chosen = options.parse_args()
    clients.backoff.FIRST_SECONDS = 0.1  # type: ignore[misc]
    parked = "0" if chosen.replaced else str(Settings().max_parked_sessions)
    table = Table("as", "connection", "cuts", "again", "words", "lost", "added", "changed", "seconds")
    size = sum(map(len, frames(chosen.file)))
    ways = {"captions": captioned} if chosen.replaced else {"finals only": finals, "captions": captioned}
    with running_service(offline="true", log_level="error", max_parked_sessions=parked) as service:
        port = int(service.address.rpartition(":")[2])
        for way, transcribe in ways.items():
            expected: list[str] = []
            for name, cuts in (("whole", 0), ("again", 0), ("cut", chosen.cuts)):
                began = time.monotonic()
                with fault_proxy(port, lifetimes(size, cuts)) as proxy:
                    heard, again = asyncio.run(transcribe(proxy.port, chosen.file, fast=chosen.fast))
                    assert proxy.resets == cuts, proxy.resets
                expected = expected or heard
                errors = jiwer.process_words(" ".join(expected), " ".join(heard))
                counts = (len(heard), errors.deletions, errors.insertions, errors.substitutions)
                table.add_row(way, name, str(cuts), str(again), *map(str, counts), f"{time.monotonic() - began:.1f}")
        console = Console(width=120)
        console.print(table)
        if not chosen.replaced:
            whole = asyncio.run(spoken(port))
            with fault_proxy(port, lifetimes(len(whole), chosen.cuts)) as proxy:
                heard_speech = asyncio.run(spoken(proxy.port))
            same = "the same" if heard_speech == whole else "not the same"
            console.print(f"{len(whole) / BYTES_PER_SECOND:.1f} s of speech with {proxy.resets} cuts: {same} samples")


if __name__ == "__main__":
    main()
