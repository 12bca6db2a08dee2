"""Word errors of live captions beside those of whole files, on the same words, on a simulated clock.

Sessions, scheduler, detector and recognizer are real (`hard_cases.partials`); a stream takes no longer than its work.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from rich.table import Table

from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.weights.locate import locate
from tests.bench.hard_cases.partials import Captions
from tests.bench.scoring import frames, score, word_error_rate
from tests.bench.speech_clips import SpeechClip
from tests.bench.speech_tracks import Track, shuffled_track
from tests.bench.streams import FRAME_SECONDS
from tests.bench.under_load import GAP_SECONDS
from tests.bench.whole_files import WholeFiles

STREAMS: Final = (1, 12)

GAINS: Final = (0.9, 1.0, 1.1)
"""Whole files are also read a little softer and louder, which nobody hears: rates that differ no more than these are
the same."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The word error rates of so many streams at once."""

    streams: int
    words: int
    live: float
    finals: float
    """Where no word is committed before the final: what segments of the audio cost."""
    whole_files: tuple[float, ...]
    """Of the same clips through faster-whisper, greedily, for each of `GAINS`."""

    @property
    def more(self) -> float:
        """By how much the live error rate is higher than that of whole files, on average."""
        return self.live - fmean(self.whole_files)


def measure(clips: Sequence[SpeechClip], seconds: float) -> Iterator[Accuracy]:
    """Yield the accuracy of `whisper-base` for each number of streams, which have `seconds` of audio together."""
    directory = locate(WHISPER_BASE, Settings(offline=True))
    recognizer, detector = Whisper(directory, device="cpu", compute_type="int8", threads=1), Silero()
    whole = [WholeFiles(WHISPER_BASE.name, gain) for gain in GAINS]
    for each in whole:
        each.read(clips)
    for streams in STREAMS:
        print(f"accuracy of {streams} streams ...", file=sys.stderr, flush=True)
        tracks = [shuffled_track(clips, seconds / streams, GAP_SECONDS, seed) for seed in range(streams)]
        live, finals = (
            _error_rate(Captions(recognizer, detector, tracks, partials=each), tracks) for each in (True, False)
        )
        words = sum(len(track.words) for track in tracks)
        played = [clip for track in tracks for clip in track.clips]
        yield Accuracy(streams, words, live, finals, tuple(each.error_rate(played) for each in whole))
    recognizer.close()
    detector.close()


def _error_rate(captions: Captions, tracks: Sequence[Track]) -> float:
    captions.run(len(tracks), 0)
    transcripts = [
        score(track.words, list(frames(shown)), FRAME_SECONDS).transcript
        for track, shown in zip(tracks, captions.events, strict=True)
    ]
    return word_error_rate([track.text for track in tracks], transcripts)


def table(rows: Sequence[Accuracy]) -> Table:
    """Return the rates as a table."""
    shown = Table(
        "N",
        "words",
        "WER %",
        "finals alone",
        "whole files",
        "points more",
        title="word errors, whisper-base, simulated clock",
    )
    for row in rows:
        whole = " to ".join(f"{100 * rate:.2f}" for rate in (min(row.whole_files), max(row.whole_files)))
        live, finals, more = (f"{100 * rate:.2f}" for rate in (row.live, row.finals, row.more))
        shown.add_row(str(row.streams), str(row.words), live, finals, whole, more)
    return shown
