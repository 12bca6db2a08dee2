"""What partials cost, and how soon and how correctly they commit words: `python -m tests.bench.hard_cases.partials`.

Sessions, scheduler, detector and recognizer are real, the clock is simulated: an engine is busy for the CPU time that
it takes on one thread here. So the figures depend little on what else the machine does. With `--plain`, a second row
has decoding without speculation; with `--finals`, a further one has finals alone, whose words no partial has committed
before.

The recordings are the clean English ones with known word times; with `--reading`, one reader who hardly pauses; with
`--every N`, every Nth recording of speech in any language, whose words have no lags.
"""

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Final

import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from clients.events import Completed, Delta, Event, Partial
from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding, Samples, encode
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.scheduling.priority import Priority
from realtime.scheduling.queue import Stage, Ticket
from realtime.session.config import SessionConfig
from realtime.session.events import Output, TranscriptCompleted, TranscriptExtended, TranscriptRevised
from realtime.session.jobs import ScoreWindows, WindowsScored
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.speech.certainty import Certainty
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.weights.locate import locate
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import frames, percentile, plain_words, score, word_error_rate
from tests.bench.speech_clips import RATE, SpeechClip, recorded
from tests.bench.speech_tracks import Track, lay_out, monologue, shuffled_track
from tests.bench.under_load import GAP_SECONDS
from tests.support.simulated_load import DETECTOR_SECONDS, FRAME_SECONDS, Simulation, Talker

CONFIG: Final = SessionConfig(
    WHISPER_BASE, AudioFormat(Encoding.PCM16, SAMPLE_RATE), transcribe=True, include_partials=True
)

END_SECONDS: Final = 2.0
"""Silence after a stream, so that its last turn ends."""


class Captions(Simulation):
    """Captions of recordings on a simulated clock, with the real detector and recognizer.

    Without `partials`, sessions decode finals alone, as with `ext=finals`.
    """

    config = CONFIG

    def __init__(self, recognizer: Whisper, detector: Silero, tracks: Sequence[Track], *, partials: bool) -> None:
        super().__init__()
        self._partials = partials
        self.cpu: defaultdict[str, float] = defaultdict(float)
        """CPU seconds by what they were spent on."""
        self.windows: list[float] = []
        """Seconds of audio of each partial."""
        self.tokens: list[int] = []
        """Text tokens of each partial."""
        self.events: list[list[tuple[float, Event]]] = [[] for _ in tracks]
        self._recognizer = recognizer
        self.detector = detector
        self._tracks = tracks
        self._outcomes: dict[Ticket[Any], Any] = {}
        self._indexes: dict[str, int] = {}
        """Index of the track of each session."""

    def _begin(self, number: int, seconds: float) -> None:
        name, numbers = f"session {number}", itertools.count(1)
        config = replace(self.config, decode_partials=self._partials, include_partials=self._partials)
        session = Session(config, lambda prefix: f"{prefix}_{next(numbers)}")
        self.load.admission.add_session(name, self.now)
        self._indexes[name] = number
        self._begin_talking(Talker(name, session, _frames(self._tracks[number].samples), self.now))

    def _act(self, talker: Talker, output: Output) -> None:
        shown = self.events[self._indexes[talker.name]]
        at = self.now - talker.began
        match output:
            case ScoreWindows(number, windows, state):
                began = time.process_time()
                before = self.detector.initial_state() if state is None else state
                scored = WindowsScored(number, *self.detector.score([(windows, before)])[0])
                self.cpu["detector"] += time.process_time() - began
                self._at(self.now + DETECTOR_SECONDS, partial(self._receive, talker, scored))
            case TranscriptExtended(item, delta):
                shown.append((at, Delta(item, delta)))
            case TranscriptRevised(item, _, tentative):
                shown.append((at, Partial(item, "", "".join(word.text for word in tentative), 0)))
            case TranscriptCompleted(item, text):
                shown.append((at, Completed(item, text)))
            case _:
                super()._act(talker, output)

    def _seconds(self, batch: list[Ticket[TranscriptionRequest]]) -> float:
        """Run a batch, and return the CPU time it took."""
        payloads: list[Any] = [ticket.payload for ticket in batch]
        began = time.process_time()
        if batch[0].stage is Stage.ENCODE:
            outcomes: list[Any] = [self._recognizer.encode(payload) for payload in payloads]
        else:
            outcomes = [*self._recognizer.decode(payloads)]
        seconds = time.process_time() - began
        self._outcomes |= zip(batch, outcomes, strict=True)
        for ticket, outcome in zip(batch, outcomes, strict=True):
            kind = "partial" if ticket.priority is Priority.PARTIAL else "final"
            self.cpu[f"{kind} {batch[0].stage.value}"] += seconds / len(batch)
            if isinstance(outcome, Hypothesis) and ticket.priority is Priority.PARTIAL:
                self.tokens.append(len(outcome.tokens))
            elif ticket.priority is Priority.PARTIAL:
                self.windows.append(outcome.request.seconds)
        return seconds

    def _outcome(self, ticket: Ticket[Any], talker: Talker) -> Any:
        return self._outcomes.pop(ticket)


def _frames(samples: Samples) -> Iterator[bytes]:
    heard = soxr.resample(np.append(samples, np.zeros(round(END_SECONDS * RATE), np.float32)), RATE, SAMPLE_RATE)
    audio = encode(heard, Encoding.PCM16)
    size = 2 * round(FRAME_SECONDS * SAMPLE_RATE)
    return (audio[start : start + size] for start in range(0, len(audio), size))


def every_recording() -> list[SpeechClip]:
    """Return the recordings of speech with distinct texts, without word times."""
    chosen: dict[tuple[str, ...], SpeechClip] = {}
    for row in rows():
        words = plain_words(row["text"])
        if row["lang"] and row["wer_ok"] and row["kind"] != "long" and words not in chosen:
            chosen[words] = SpeechClip(row["text"], soxr.resample(load(row["file"]), SAMPLE_RATE, RATE))
    return list(chosen.values())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[1], help="speakers at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each stream")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the recordings")
    parser.add_argument("--reading", action="store_true", help="one reader instead of clips")
    parser.add_argument("--every", type=int, metavar="N", help="every Nth recording of speech, each once")
    parser.add_argument(
        "--certain", type=float, nargs=2, metavar=("P", "SECONDS"),
        help="commit words that stay with this probability, or for so long, whatever the load",
    )  # fmt: skip
    parser.add_argument("--plain", action="store_true", help="without speculative decoding too")
    parser.add_argument("--finals", action="store_true", help="without partials too")
    arguments = parser.parse_args()
    directory = locate(WHISPER_BASE, Settings(offline=True))
    load_whisper = partial(Whisper, directory, device="cpu", compute_type="int8", threads=1)
    recognizers = {"as it is": load_whisper()}
    if arguments.plain:
        recognizers["plain"] = load_whisper(speculative=False)
    detector = Silero()
    console = Console(width=170)
    table = Table(
        "", "streams", "partials", "encode ms", "decode ms", "window s", "tokens", "CPU per s of audio: partials",
        "finals", "detector", "first s", "commit p50/p95", "settled p50/p95", "errors", "words",
    )  # fmt: skip
    if arguments.certain:
        probability, seconds = arguments.certain
        Captions.config = replace(CONFIG, certainty=Certainty(probability, round(seconds * SAMPLE_RATE)))
    for streams in arguments.streams:
        tracks = [_track(arguments, streams, number) for number in range(streams)]
        kinds = [(name, True) for name in recognizers] + ([("as it is", False)] if arguments.finals else [])
        for name, partials in kinds:
            captions = Captions(recognizers[name], detector, tracks, partials=partials)
            captions.run(streams, 0)
            table.add_row(name if partials else "finals", *_row(captions, tracks))
    console.print(table)


def _track(arguments: argparse.Namespace, streams: int, number: int) -> Track:
    """Return what stream `number` of so many plays."""
    if arguments.reading:
        return monologue(recorded().reading, arguments.seconds)
    if arguments.every:
        return lay_out(every_recording()[:: arguments.every][number::streams], GAP_SECONDS, seed=number)
    return shuffled_track(recorded().clips, arguments.seconds, GAP_SECONDS, arguments.seed + number)


def _row(captions: Captions, tracks: Sequence[Track]) -> Iterator[str]:
    scores = [
        score(track.words, list(frames(shown)), FRAME_SECONDS)
        for track, shown in zip(tracks, captions.events, strict=True)
    ]
    texts = [track.text or " ".join(clip.text for clip in track.clips) for track in tracks]
    seconds, cpu = sum(track.seconds for track in tracks), captions.cpu
    count = max(1, len(captions.windows))
    yield str(len(tracks))
    yield f"{len(captions.windows) / seconds:.2f}/s"
    yield f"{1000 * cpu['partial encode'] / count:.0f}"
    yield f"{1000 * cpu['partial decode'] / count:.0f}"
    yield f"{np.mean(captions.windows or [0]):.2f}"
    yield f"{np.mean(captions.tokens or [0]):.1f}"
    yield f"{(cpu['partial encode'] + cpu['partial decode']) / seconds:.3f}"
    yield f"{(cpu['final encode'] + cpu['final decode']) / seconds:.3f}"
    yield f"{cpu['detector'] / seconds:.3f}"
    yield _seconds(chain.from_iterable(each.first_partials for each in scores), (0.5,))
    yield _seconds(chain.from_iterable(each.commit_lags.values() for each in scores), (0.5, 0.95))
    yield _seconds(chain.from_iterable(each.settled_lags.values() for each in scores), (0.5, 0.95))
    yield f"{100 * word_error_rate(texts, [each.transcript for each in scores]):.2f} %"
    yield str(sum(len(plain_words(text)) for text in texts))


def _seconds(values: Iterator[float], shares: Sequence[float]) -> str:
    ordered = list(values)
    return " / ".join(f"{percentile(ordered, share):.2f}" if ordered else "-" for share in shares)


if __name__ == "__main__":
    main()
