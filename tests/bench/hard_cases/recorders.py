"""Live streams in containers, whole and with lost chunks: `python -m tests.bench.hard_cases.recorders`.

Sentences are recorded as browsers do, in chunks of 100 ms on average, and decoded by the decoding process of a session.
The table has the time from a chunk to its audio, how much audio a lost chunk costs, and the word errors of the captions
beside those of the samples themselves.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.media.decoder_pool import DecoderPool
from realtime.media.live_decoder import LiveDecoder
from tests.bench.hard_cases.in_process import Models
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import word_error_rate
from tests.support.recorders import RECORDERS, cut, decoded, recorded

SENTENCES: Final = 8
CHUNK_SECONDS: Final = 0.1
LOST_EVERY: Final = 20
"""One chunk of so many is lost: 5 %."""

PAUSE: Final = np.zeros(SAMPLE_RATE // 2, np.float32)


class Played(NamedTuple):
    """What a session receives of a stream, and the seconds from each chunk to its last sample."""

    samples: Samples
    delays: list[float]


async def played(chunks: Sequence[bytes]) -> Played:
    """Decode chunks in a process that is forked from one that has been started for another session."""
    decoders = DecoderPool(max_files=0, max_streams=1)
    with decoders.streaming():
        await asyncio.sleep(0.5)
    decoder, parts, delays = LiveDecoder(decoders), [], []
    for chunk in [*chunks, b""]:
        began = time.perf_counter()
        parts += [part async for part in decoder.decode(chunk) if isinstance(part, bytes)]
        delays.append(time.perf_counter() - began)
    decoder.close()
    decoders.close()
    return Played(np.frombuffer(b"".join(parts), np.int16).astype(np.float32) / np.float32(32_768), delays)


def main() -> None:
    chosen = [row for row in rows() if row["lang"] == "en" and row["kind"] == "clean" and 2 < row["seconds"] < 8]
    chosen = chosen[:: len(chosen) // SENTENCES][:SENTENCES]
    sound = np.concatenate([part for row in chosen for part in (load(row["file"]), PAUSE)])
    said = " ".join(row["text"] for row in chosen)
    models = Models()

    def errors(samples: Samples) -> str:
        turns = models.live(samples, language="en")
        return f"{word_error_rate([said], [' '.join(turn.text for turn in turns)]):.1%}"

    table = Table(title=f"{len(chosen)} sentences, {len(sound) / SAMPLE_RATE:.0f} s")
    for column in ("stream", "first chunk, ms", "p50", "p95", "lost per chunk, ms", "word errors", "5 % lost"):
        table.add_column(column)
    table.add_row("samples", "", "", "", "", errors(sound), "")
    for media_type in RECORDERS:
        stream = recorded(sound, media_type)
        chunks = cut(stream, max(1, round(len(stream) * CHUNK_SECONDS * SAMPLE_RATE / len(sound))))
        kept = [chunk for number, chunk in enumerate(chunks) if number % LOST_EVERY != LOST_EVERY // 2]
        whole, damaged = asyncio.run(played(chunks)), asyncio.run(played(kept))
        lost = (decoded(chunks).sound - decoded(kept).sound) / (len(chunks) - len(kept))
        first, *rest = (1000 * delay for delay in whole.delays)
        numbers = (f"{first:.1f}", f"{np.median(rest):.2f}", f"{np.percentile(rest, 95):.2f}", f"{1000 * lost:.0f}")
        table.add_row(media_type, *numbers, errors(whole.samples), errors(damaged.samples))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
