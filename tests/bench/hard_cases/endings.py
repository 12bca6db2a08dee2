"""Whether live captions keep the endings of words: `python -m tests.bench.hard_cases.endings`.

"Explain" and "explained" before "the" sound nearly alike, and whisper-base changes between them as a partial grows.
What partials agree on is committed, and stays. Texts full of plurals and past tenses, spoken by the bundled voice, are
captioned live on a simulated clock, with partials and with finals alone, which nothing was committed before, and are
transcribed as uploads. `--delay` compares what clients can ask for.

The time that the engine is busy is that of `simulated_load.FAST_THREAD`, so that two runs have the same words.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import httpx
import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.offline.options import OfflineOptions
from realtime.scheduling.queue import Stage, Ticket
from realtime.session.events import Output, TranscriptCompleted
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.locate import locate
from realtime.wire.openai.session_update import CERTAINTIES, Delay
from tests.bench.hard_cases.in_process import Models
from tests.bench.hard_cases.partials import CONFIG, Captions
from tests.bench.scoring import percentile, plain_words, word_error_rate
from tests.bench.speech_clips import RATE
from tests.bench.speech_tracks import Track
from tests.support.running_service import running_service
from tests.support.simulated_load import FAST_THREAD, Talker

HIBARI: Final = "hibari-tts"

TEXTS: Final = (
    "Last summer my cousins visited three villages near the mountains. They rented bicycles, climbed the hills, and "
    "photographed hundreds of birds. In the evenings the farmers cooked potatoes and told stories about their "
    "grandparents. One night a storm damaged two bridges, so the buses stopped and the travelers waited for hours. "
    "The neighbors offered blankets, candles and biscuits. When the clouds disappeared, everybody laughed, packed the "
    "suitcases and returned home with wonderful memories.",
    "Two hundred tourists arrived on Monday and visited the museums. The guides explained the paintings, answered the "
    "questions and counted the visitors. Several students missed the buses, so they walked across the fields and "
    "followed the rivers. Their shoes were covered with mud, and their hands were frozen. The cooks roasted chickens, "
    "boiled eggs and served dishes of beans. After the meals everyone washed the plates, closed the shutters and "
    "listened to songs about sailors.",
    "The committee discussed the budgets of four departments and approved most of the changes. Members asked whether "
    "the offices could be moved before the leases ended. The lawyers reviewed the contracts, corrected the dates and "
    "signed the copies. Because the printers failed, the assistants carried the documents downstairs and scanned the "
    "pages there. The results were published on Friday, although some of the tables contained mistakes. Nobody "
    "complained, and the directors thanked the teams for their patience.",
    "When the engineers opened the cabinet, they noticed that the cables had melted. They replaced the switches, "
    "tested the batteries and labeled the boxes. The alarms sounded twice during the morning, but the sensors "
    "recorded nothing unusual. A technician suggested that mice had damaged the wires behind the walls. The managers "
    "closed the building for two days, and the workers stayed at home. Afterwards the inspectors checked the rooms, "
    "measured the temperatures and accepted the repairs.",
    "My grandmother planted roses, beans and tomatoes behind the houses on our street. Every spring she watered the "
    "seeds, pulled the weeds and talked to the bees. The children picked strawberries and hid them in their pockets. "
    "If it rained, they played cards with the neighbors and listened to old records. She taught us how to mend "
    "shirts, bake pies and polish shoes. Years later we discovered letters that described the gardens of her parents.",
    "The hospital hired nurses, doctors and drivers to prepare for the winter months. Patients arrived with fevers, "
    "coughs and broken bones, and the beds were filled within weeks. Volunteers delivered meals, cleaned the floors "
    "and answered the phones. One of the surgeons invented tools that shortened the operations by minutes. The "
    "reporters interviewed families who praised the staff. By the end of March, the numbers had dropped, and the "
    "wards were painted and reopened.",
    "Before the match started, the players stretched their legs and checked their boots. The fans waved flags, sang "
    "songs and threw scarves into the air. In the first half the visitors missed three chances, while the goalkeeper "
    "saved two shots. The referee stopped the game because dogs had entered the field. After the break the coaches "
    "changed their plans, and the teams scored four goals. The newspapers called it one of the finest evenings of the "
    "season.",
    "Scientists collected samples from lakes, caves and glaciers in seven countries. They dried the plants, counted "
    "the insects and mapped the rocks. In the laboratories, students compared the colors and weighed the crystals. "
    "Some of the machines overheated, which delayed the experiments for weeks. The researchers shared their findings "
    "with colleagues, and the journals accepted both articles. Visitors asked how the animals survived, and the "
    "guides explained the theories with pictures.",
)


class TimedCaptions(Captions):
    """Captions in a time that does not depend on the machine."""

    def __init__(self, recognizer: Whisper, detector: Silero, tracks: Sequence[Track], delay: Delay | None) -> None:
        """Caption with partials, whose words are as certain as `delay` asks for, or with finals alone."""
        super().__init__(recognizer, detector, tracks, partials=delay is not None)
        self.config = replace(CONFIG, language="en", certainty=CERTAINTIES[delay or "low"])
        self.turns: list[TranscriptCompleted] = []

    def _act(self, talker: Talker, output: Output) -> None:
        if isinstance(output, TranscriptCompleted):
            self.turns.append(output)
        super()._act(talker, output)

    def _seconds(self, batch: list[Ticket[TranscriptionRequest]]) -> float:
        payloads: list[Any] = [ticket.payload for ticket in batch]
        super()._seconds(batch)
        if batch[0].stage is Stage.ENCODE:
            return FAST_THREAD.encoding(payloads[0])
        return FAST_THREAD.decoding([state.request for state in payloads])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", nargs="*", choices=CERTAINTIES, default=["low"], help="as clients ask for it")
    parser.add_argument("--texts", action="store_true", help="print the transcripts")
    arguments = parser.parse_args()
    recognizer = Whisper(locate(WHISPER_BASE, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)
    detector, models, tracks = Silero(), Models(), _spoken()
    words = sum(len(plain_words(text)) for text in TEXTS)
    table = Table("by", f"errors in {words} words", "commit lag p50/p95")

    def add(name: str, texts: Sequence[str], lags: Sequence[float] = ()) -> None:
        lag = " / ".join(f"{percentile(lags, share):.2f}" for share in (0.5, 0.95)) if lags else "-"
        table.add_row(name, f"{words * word_error_rate(TEXTS, texts):.0f}", lag)
        if arguments.texts:
            print(name, *texts, sep="\n  ", flush=True)

    for delay in (*arguments.delay, None):
        texts, lags = list[str](), list[float]()
        for track in tracks:
            captions = TimedCaptions(recognizer, detector, [track], delay)
            captions.run(1, 0)
            texts.append(" ".join(turn.text for turn in captions.turns))
            lags += [lag / SAMPLE_RATE for turn in captions.turns for lag in turn.commit_lags]
        add("finals alone" if delay is None else f"partials, delay {delay}", texts, lags)
    options = OfflineOptions(languages=("en",))
    add("uploads", [models.upload(soxr.resample(track.samples, RATE, SAMPLE_RATE), options).text for track in tracks])
    Console(width=120).print(table)


def _spoken() -> list[Track]:
    """Return the texts as the service speaks them."""
    tracks = []
    with running_service(log_level="error") as service:
        for text in TEXTS:
            request = {"model": HIBARI, "input": text, "response_format": "pcm"}
            answer = httpx.post(f"http://{service.address}/v1/audio/speech", json=request, timeout=60)
            pcm = np.frombuffer(answer.raise_for_status().content, "<i2")
            tracks.append(Track(pcm.astype(np.float32) / np.float32(32_768), (), ()))
    return tracks


if __name__ == "__main__":
    main()
