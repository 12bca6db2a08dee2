"""What a draft model does for a larger recognizer: `python -m tests.bench.hard_cases.drafts`.

whisper-tiny.en drafts for whisper-base, whose costs are multiplied by each of `--costs`: with 5, it is about as slow as
whisper-small. Sessions, schedulers and models are real, the clock is simulated, as in `partials`; each model has its
own workers, and there is one speaker, so that the two CPUs of the machine are enough for both. "Erased" are the words
shown that were others later, for each word spoken.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, takewhile
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from clients.events import Completed, Delta, Event, Partial
from realtime.catalogue.names import lookup
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.scheduling.cadence import DRAFTED_PATIENCE
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.queue import Ticket
from realtime.session.events import Input, Output
from realtime.session.jobs import CancelJob, Transcribe
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import normalised
from realtime.weights.locate import locate
from tests.bench.hard_cases.partials import CONFIG, Captions
from tests.bench.scoring import frames, percentile, plain_words, score, word_error_rate
from tests.bench.speech_clips import recorded
from tests.bench.speech_tracks import Track, monologue, shuffled_track
from tests.bench.under_load import GAP_SECONDS
from tests.support.simulated_load import ESTIMATED_PARTIAL, FRAME_SECONDS, WORKERS, Simulation, Talker

TINY: Final = lookup("whisper-tiny.en")


class Costly(Captions):
    """Captions by a recognizer whose costs are multiplied, alone or with a draft model."""

    def __init__(self, recognizer: Whisper, draft: Whisper | None, detector: Silero, track: Track, cost: float) -> None:
        super().__init__(recognizer, detector, [track], partials=True)
        self._cost = cost
        self.config = replace(CONFIG, language="en")
        self.drafts: _Drafts | None = None
        if draft is not None:
            self.config = replace(self.config, recognizer=replace(WHISPER_BASE, draft=TINY))
            self.drafts = _Drafts(self, draft)
        patience = 1.0 if draft is None else DRAFTED_PATIENCE
        self.load = Load(WORKERS, cost * ESTIMATED_PARTIAL, patience=patience)
        self.scheduler = Scheduler(self.load)

    def _seconds(self, batch: list[Ticket[TranscriptionRequest]]) -> float:
        return self._cost * super()._seconds(batch)

    def _act(self, talker: Talker, output: Output) -> None:
        match output:
            case Transcribe(draft=True) if self.drafts is not None:
                self.drafts.act(talker, output)
            case CancelJob(number) if self.drafts is not None and self.drafts.has(talker.jobs[number]):
                self.drafts.act(talker, output)
            case _:
                super()._act(talker, output)

    def hear(self, talker: Talker, message: Input) -> None:
        """Pass a result on to a session."""
        self._receive(talker, message)

    def schedule(self, moment: float, event: Any) -> None:
        """Call `event` at this moment."""
        self._at(moment, event)


class _Drafts(Captions):
    """The engine of the draft model, on the clock of `captions`."""

    def __init__(self, captions: Costly, recognizer: Whisper) -> None:
        self._captions = captions
        super().__init__(recognizer, captions.detector, [], partials=True)

    @property
    def now(self) -> float:
        return self._captions.now

    @now.setter
    def now(self, _: float) -> None:
        pass

    def act(self, talker: Talker, output: Output) -> None:
        """Take a job of the draft model, or its cancellation."""
        Simulation._act(self, talker, output)  # not as captions

    def has(self, ticket: Ticket[Any]) -> bool:
        """Return whether the draft model answers this request."""
        return ticket in self._owners

    def _at(self, moment: float, event: Any) -> None:
        self._captions.schedule(moment, event)

    def _receive(self, talker: Talker, message: Input) -> None:
        self._captions.hear(talker, message)


def erased(events: list[tuple[float, Event]]) -> int:
    """Return how many words were shown that were others later."""
    count = 0
    committed: defaultdict[str, str] = defaultdict(str)
    shown: defaultdict[str, list[str]] = defaultdict(list)
    for _, event in events:
        match event:
            case Delta(item, text):
                committed[item] += text
                continue  # the tentative words after it come in the next event
            case Partial(item, _, tentative):
                text = committed[item] + tentative
            case Completed(item):
                text = committed[item]
            case _:
                continue
        words = [normalised(word) for word in text.split()]
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(shown[item], words, strict=False)))
        count += len(shown[item]) - same
        shown[item] = words
    return count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the stream")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the recordings")
    parser.add_argument("--reading", action="store_true", help="a reader who hardly pauses, instead of clips")
    parser.add_argument("--costs", type=float, nargs="*", default=[1.0, 5.0], help="factors of the recognizer's costs")
    arguments = parser.parse_args()
    settings = Settings(offline=True)
    base, tiny = (
        Whisper(locate(entry, settings), device="cpu", compute_type="int8", threads=1, languages=entry.languages)
        for entry in (WHISPER_BASE, TINY)
    )
    track = (
        monologue(recorded().reading, arguments.seconds)
        if arguments.reading
        else shuffled_track(recorded().clips, arguments.seconds, GAP_SECONDS, arguments.seed)
    )
    table = Table(
        "costs", "draft", "partials", "drafts", "CPU per s of audio", "of that drafts", "first s p50/p95",
        "commit p50/p95", "settled p50/p95", "erased", "errors", "words",
    )  # fmt: skip
    for cost in arguments.costs:
        for draft in (None, tiny):
            captions = Costly(base, draft, Silero(), track, cost)
            captions.run(1, 0)
            table.add_row(f"{cost:g}", "-" if draft is None else TINY.name, *_row(captions, track, cost))
    Console(width=170).print(table)


def _row(captions: Costly, track: Track, cost: float) -> Iterator[str]:
    scored = score(track.words, list(frames(captions.events[0])), FRAME_SECONDS)
    text = track.text or " ".join(clip.text for clip in track.clips)
    own = cost * sum(seconds for kind, seconds in captions.cpu.items() if kind != "detector")
    drafts = 0.0 if captions.drafts is None else sum(captions.drafts.cpu.values())
    yield f"{len(captions.windows) / track.seconds:.2f}/s"
    yield "-" if captions.drafts is None else f"{len(captions.drafts.windows) / track.seconds:.2f}/s"
    yield f"{(own + drafts) / track.seconds:.3f}"
    yield f"{drafts / track.seconds:.3f}"
    for lags in (scored.first_partials, scored.commit_lags.values(), scored.settled_lags.values()):
        ordered = list(chain(lags))
        yield " / ".join(f"{percentile(ordered, share):.2f}" if ordered else "-" for share in (0.5, 0.95))
    words = len(plain_words(text))
    yield f"{erased(captions.events[0]) / words:.2f}"
    yield f"{100 * word_error_rate([text], [scored.transcript]):.2f} %"
    yield str(words)


if __name__ == "__main__":
    main()
