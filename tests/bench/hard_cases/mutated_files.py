"""What becomes of damaged files: `python -m tests.bench.hard_cases.mutated_files [--count N] [--keep FOLDER]`.

Small files of many formats are damaged at random: bytes changed, parts cut out, doubled, moved or overwritten, fields
that hold lengths set to extreme values, the end cut off. Each is uploaded to a running service. The table counts the
answers by status; the lines below it give the slowest answer, the memory of the service and its children, and the
files whose answer was none of those that a client can act on. `--keep` writes these files into a folder.
"""

import argparse
import asyncio
import collections
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from tests.support.recordings import channels_file, compressed_file, film, rifx_file, tone, tracks_file
from tests.support.running_service import RunningService, running_service

SECONDS: Final = 0.4
EXPECTED: Final = frozenset({200, 400, 413})
LONGEST_ANSWER: Final = 15.0
TOGETHER: Final = 6
CODECS: Final = (
    ("wav", "pcm_s16le"), ("wav", "pcm_f32le"), ("wav", "pcm_mulaw"), ("wav", "adpcm_ms"), ("mp3", "libmp3lame"),
    ("ogg", "libopus"), ("flac", "flac"), ("mp4", "aac"), ("mp4", "alac"), ("webm", "libopus"),
    ("matroska", "flac"), ("adts", "aac"), ("caf", "pcm_s16be"), ("au", "pcm_s16be"), ("w64", "pcm_s16le"),
    ("aiff", "pcm_s16be"), ("avi", "pcm_s16le"), ("flv", "aac"), ("mpegts", "aac"), ("asf", "pcm_s16le"),
    ("ac3", "ac3"), ("mov", "pcm_s16le"),
)  # fmt: skip
"""Muxers and codecs of FFmpeg."""


def originals() -> Iterator[tuple[str, bytes]]:
    """Yield the files that are damaged, and their formats."""
    sound = tone(SECONDS)
    for muxer, codec in CODECS:
        rate = 48_000 if codec in ("libopus", "ac3") else 16_000
        yield f"{muxer} {codec}", compressed_file(tone(SECONDS, sample_rate=rate), muxer, codec, rate)
    yield "wav, two channels", channels_file(sound, -sound)
    yield "rifx", rifx_file(sound, 24, ">i4")
    yield "film", film(sound)
    yield "two tracks", tracks_file([sound, sound])


def changed(data: bytearray, chance: random.Random) -> None:
    """Change up to eight bytes, most of them among the first 200, where headers are."""
    for _ in range(chance.randint(1, 8)):
        end = min(len(data), 200) if chance.random() < 0.6 else len(data)
        data[chance.randrange(end)] = chance.randrange(256)


def with_extreme_length(data: bytearray, chance: random.Random) -> None:
    """Overwrite two, four or eight bytes with an extreme number."""
    size = chance.choice((2, 4, 8))
    value = chance.choice((0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)) % 2 ** (8 * size)
    start = chance.randrange(max(1, min(len(data), 400) - size))
    data[start : start + size] = value.to_bytes(size, chance.choice(("little", "big")))


def cut_out(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, max(1, len(data) // 4))]


def doubled(data: bytearray, chance: random.Random) -> None:
    """Insert a copy of a part somewhere."""
    start, place = chance.randrange(len(data)), chance.randrange(len(data))
    data[place:place] = data[start : start + chance.randint(1, max(1, len(data) // 4))]


def overwritten(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    data[start : start + 64] = chance.randbytes(min(64, len(data) - start))


def cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


DAMAGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    changed, changed, with_extreme_length, with_extreme_length, cut_out, doubled, overwritten, cut_off,
)  # fmt: skip


def damaged(original: bytes, chance: random.Random) -> bytes:
    """Return a file with one to three kinds of damage."""
    data = bytearray(original)
    for damage in chance.choices(DAMAGES, k=chance.randint(1, 3)):
        if data:
            damage(data, chance)
    return bytes(data)


@dataclass(slots=True)
class Outcomes:
    """The answers so far; `unexpected` has the numbers of files with another status, or none in time."""

    statuses: collections.Counter[str] = field(default_factory=collections.Counter)
    unexpected: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    most_memory: float = 0.0


async def upload(client: httpx.AsyncClient, number: int, data: bytes, outcomes: Outcomes) -> None:
    """Upload a file and note the answer."""
    began = time.monotonic()
    try:
        answer = await client.post(
            "/v1/audio/transcriptions",
            data={"model": "whisper-1", "language": "en"},
            files={"file": ("recording", data)},
        )
        status = answer.status_code
        good = status == 200 or (status in EXPECTED and answer.json()["error"]["message"])
        outcome = str(status)
    except httpx.HTTPError as error:
        good, outcome = False, type(error).__name__
    seconds = time.monotonic() - began
    outcomes.statuses[outcome] += 1
    outcomes.slowest = max(outcomes.slowest, seconds)
    if not good or seconds > LONGEST_ANSWER:
        outcomes.unexpected[number] = f"{outcome} after {seconds:.1f} s"


async def upload_all(service: RunningService, files: Iterator[tuple[int, bytes]], outcomes: Outcomes) -> None:
    """Upload all files, several at a time."""

    async def one_after_another(client: httpx.AsyncClient) -> None:
        for number, data in files:
            await upload(client, number, data, outcomes)
            if number % 50 == 0:
                outcomes.most_memory = max(outcomes.most_memory, service.memory_mb())

    async with httpx.AsyncClient(base_url=f"http://{service.address}", timeout=2 * LONGEST_ANSWER) as client:
        await asyncio.gather(*(one_after_another(client) for _ in range(TOGETHER)))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    formats = list(originals())

    def file(number: int) -> bytes:
        chance = random.Random(f"{arguments.seed} {number}")
        return damaged(formats[number % len(formats)][1], chance)

    outcomes = Outcomes()
    with running_service(transcription_model="whisper-tiny.en", log_level="error") as service:
        before = service.memory_mb()
        asyncio.run(upload_all(service, ((number, file(number)) for number in range(arguments.count)), outcomes))
        after = service.memory_mb()
    table = Table("answer", "files")
    for outcome, count in outcomes.statuses.most_common():
        table.add_row(outcome, str(count))
    console = Console()
    console.print(table)
    console.print(f"slowest answer: {outcomes.slowest:.1f} s")
    console.print(f"memory: {before:.0f} MB before, {outcomes.most_memory:.0f} at the most, {after:.0f} after")
    for number, outcome in sorted(outcomes.unexpected.items()):
        console.print(f"file {number}, {formats[number % len(formats)][0]}: {outcome}")
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            (arguments.keep / f"{number}.bin").write_bytes(file(number))


if __name__ == "__main__":
    main()
