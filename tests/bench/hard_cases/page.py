"""What the page needs for an hour of captions, and how soon a partial is seen: `python -m tests.bench.hard_cases.page`.

An hour of captions comes through a websocket as fast as Chromium takes it: turns of 5 s and 13 words with 15 partials.
After every ten minutes of it the heap and the nodes of the page are counted, and the time that it has spent on them.
Then the list is scrolled to its first line. At last partials come at the pace of speech. The text of each is the time
at which it was sent, and it has been seen at the frame after the one in which the page has changed.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table
from starlette.websockets import WebSocket

from tests.support.browsers.chromium import ChromiumPage, browsed
from tests.support.browsers.scripted_page import scripted_page
from tests.support.realtime_service import eventually
from tests.support.recordings import silence, wav_file

TURN_SECONDS: Final = 5
PARTIALS: Final = 15
TEXT: Final = "the committee meets again on Thursday and nobody knows about the bridge"
TURNS: Final = 3600 // TURN_SECONDS
STEPS: Final = 6
PARTIAL_SECONDS: Final = 0.3
SEEN_PARTIALS: Final = 100

TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"

WATCH: Final = """(() => {
  window.delays = [];
  new MutationObserver((mutations) => {
    const sent = Number(mutations.at(-1).target.textContent);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (sent) window.delays.push(performance.timeOrigin + performance.now() - sent);
    }));
  }).observe(document.querySelector("#captions-turns"), { subtree: true, childList: true, characterData: true });
})()"""
"""Note for each partial the milliseconds from the time that is its text to the frame after its own."""

SCROLL: Final = """(async () => {
  const list = document.querySelector("#captions-turns");
  const frame = () => new Promise(requestAnimationFrame);
  const times = [await frame()];
  let top;
  do {
    top = list.scrollTop;
    list.scrollTop -= 40;
    times.push(await frame());
  } while (list.scrollTop > 0 || top > 0);
  return [list.firstElementChild.textContent, times.slice(1).map((time, index) => time - times[index])];
})()"""
"""Scroll to the first line, 40 pixels a frame; the text of that line, and the milliseconds of each frame."""


def turn_events(number: int) -> Iterator[dict[str, Any]]:
    """Yield the events of a turn, whose last word is its number."""
    item, begin = f"item_{number}", number * TURN_SECONDS
    texts = f"{TEXT} {number}.".split()
    yield {"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": begin * 1000}
    for count in range(1, PARTIALS + 1):
        shown = len(texts) * count // PARTIALS
        yield tentative(item, " ".join(texts[:shown]), begin * 1000 + 350 * shown)
    words = [
        {"word": text, "start": begin + 0.35 * at, "end": begin + 0.35 * (at + 1), "probability": 0.4 + at / 20}
        for at, text in enumerate(texts)
    ]
    final = {"transcript": " ".join(texts), "words": words, "language": "en"}
    yield {"type": f"{TRANSCRIPTION}.completed", "item_id": item, **final}


def tentative(item: str, text: str, end_ms: int) -> dict[str, Any]:
    return {"type": "x.transcription.partial", "item_id": item, "stable": "", "text": text, "audio_end_ms": end_ms}


class Turns:
    """A script that sends turns up to `wanted`, as fast as the client takes them."""

    def __init__(self) -> None:
        self.wanted = 0

    async def play(self, socket: WebSocket) -> None:
        sent = 0
        while True:
            if sent == self.wanted:
                await asyncio.sleep(0.01)
                continue
            for event in turn_events(sent):
                await socket.send_text(json.dumps(event))
            sent += 1


async def play_times(socket: WebSocket) -> None:
    """Send the time, in milliseconds, as partials of one turn."""
    while True:
        await socket.send_text(json.dumps(tentative("item_0", str(time.time() * 1000), 0)))
        await asyncio.sleep(PARTIAL_SECONDS)


@contextmanager
def captioning(address: str) -> Iterator[ChromiumPage]:
    """Open the page in Chromium, and start captions of a microphone that hears nothing."""
    with tempfile.TemporaryDirectory() as directory:
        microphone = Path(directory) / "silence.wav"
        microphone.write_bytes(wav_file(silence(1)))
        with browsed(address, microphone) as page:
            page.click("#captions-start")
            assert eventually(lambda: page.text("#state") == "connected", 10)
            yield page


def _has_captioned(page: ChromiumPage, turns: int) -> bool:
    return not turns or page.text("#captions-live").endswith(f" {turns - 1}.")


def measure_hour() -> tuple[Table, list[float]]:
    """Return a row for every ten minutes of an hour, and the milliseconds of each frame while all of it is scrolled."""
    table = Table("minutes", "heap MB", "nodes", "lines", "busy ms per minute")
    turns = Turns()
    with scripted_page(turns.play) as address, captioning(address) as page:
        busy = page.busy_seconds()
        for minutes in range(0, 61, 60 // STEPS):
            turns.wanted = TURNS * minutes // 60
            assert eventually(partial(_has_captioned, page, turns.wanted), 120)
            heap, nodes = page.memory()
            before, busy = busy, page.busy_seconds()
            lines = page.evaluate("document.querySelectorAll('#captions-turns li').length")
            spent = f"{(busy - before) * 1000 / (60 // STEPS):.1f}" if minutes else ""
            table.add_row(str(minutes), f"{heap:.2f}", str(nodes), str(lines), spent)
        first, frames = page.evaluate(SCROLL)
        assert first.endswith(" 0."), first
    return table, frames


def measure_delays() -> list[float]:
    """Return the milliseconds from sending each partial to its being seen."""
    with scripted_page(play_times) as address, captioning(address) as page:
        page.evaluate(WATCH)
        assert eventually(lambda: page.evaluate("delays.length") >= SEEN_PARTIALS, 120)
        delays: list[float] = page.evaluate("delays")
    return delays


def main() -> None:
    """Print the table of the hour and the line of the delays."""
    console = Console(width=100)
    table, frames = measure_hour()
    console.print(table)
    for what, values in (("frames of scrolling through it", frames), ("partials seen after", measure_delays())):
        median, late = np.percentile(values, [50, 95])
        console.print(f"{len(values)} {what}: median {median:.0f} ms, p95 {late:.0f} ms, first {values[0]:.0f} ms")


if __name__ == "__main__":
    main()
