"""Whether words and cues end where the voice pauses: `python -m tests.bench.hard_cases.times`.

Recorded sentences are joined with pauses of known length, so that the times are measured against the pauses themselves
and not against another alignment. Background noise covers speech and pauses alike. Each track is transcribed live, as
an upload, and by faster-whisper with the same weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Encoding, Samples, encode
from realtime.catalogue.table import WHISPER_BASE
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import cues
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, CommitAudio
from realtime.session.config import SessionConfig
from realtime.session.events import TranscriptCompleted
from realtime.session.jobs import CancelJob, ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.session.session import Session
from realtime.speech.segmentation import Span
from tests.bench.hard_cases.in_process import PCM16, Models
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import word_error_rate
from tests.support.recognizing import transcribe

PAUSES: Final = (0.3, 0.7, 1.0, 1.5)
"""Seconds of the pauses between sentences, in turn."""

SENTENCE_SECONDS: Final = (2.0, 6.0)
SENTENCES: Final = 16
SPEECH_LEVEL: Final = 0.05
"""Root mean square of every sentence."""

SOUND: Final = 10**-3.6
"""Energy of 20 ms with sound, as a share of that of the loudest in a clean sentence: 36 dB below it."""

HOP: Final = SAMPLE_RATE // 50

ROOM: Final = "audio/noise_sb1.wav"
NOISES: Final = (("clean", 0), ("room", 30), ("room", 20), ("room", 10), ("pink", 30), ("pink", 20), ("pink", 10))
"""Background and decibels below the speech."""

FRAME_BYTES: Final = 2 * WINDOW
DECODE_SAMPLES: Final = SAMPLE_RATE
"""Samples (1 s) of a live stream during which a decode lasts."""


@dataclass(slots=True)
class Track:
    """Sentences with their text, and the pauses between them."""

    samples: Samples
    text: str
    pauses: list[Span]


@dataclass(slots=True)
class Figures:
    """How words and cues keep to the pauses. The errors are in seconds, negative where a time is too early."""

    pauses: int = 0
    in_words: int = 0
    """Pauses of which words take up more than half."""
    long_pauses: int = 0
    """Pauses of 1 s and more."""
    in_cues: int = 0
    """Long pauses of which a cue takes up more than half."""
    end_errors: list[float] = field(default_factory=list)
    start_errors: list[float] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """What was said, and what was recognized."""

    def add(self, track: Track, words: Sequence[Span], shown: Sequence[Span], text: str) -> None:
        """Add the times of one track; `shown` are its cues."""
        self.texts.append((track.text, text))
        for pause in track.pauses:
            half = (pause.end - pause.start) / 2
            self.pauses += 1
            self.in_words += sum(_overlap(word, pause) for word in words) > half
            if 2 * half >= SAMPLE_RATE:
                self.long_pauses += 1
                self.in_cues += any(_overlap(cue, pause) > half for cue in shown)
            middle = pause.start + half
            before = [word for word in words if word.start + min(word.end, middle) < 2 * pause.start]
            after = [word for word in words if word.end > middle and word not in before]
            if before and after:
                self.end_errors.append((before[-1].end - pause.start) / SAMPLE_RATE)
                self.start_errors.append((after[0].start - pause.end) / SAMPLE_RATE)


class TimedModels(Models):
    """The models of the default configuration, whose times are added to figures."""

    def time_upload(self, track: Track, figures: Figures) -> None:
        """Transcribe a track as an upload."""
        options = OfflineOptions(languages=("en",), word_times=True)
        transcript = self.upload(track.samples, options)
        words = [Span(word.start, word.end) for segment in transcript.segments for word in segment.words]
        figures.add(track, words, [Span(cue.start, cue.end) for cue in cues(transcript)], transcript.text)

    def time_live(self, track: Track, figures: Figures) -> None:
        """Transcribe a track as a live stream, in which a decode ends `DECODE_SAMPLES` after it began."""
        config = SessionConfig(WHISPER_BASE, PCM16, transcribe=True, language="en")
        session = Session(config, lambda prefix: prefix)
        audio = encode(track.samples, Encoding.PCM16)
        turns: list[TranscriptCompleted] = []
        waiting: dict[int, int] = {}
        for start in range(0, len(audio) + 2 * DECODE_SAMPLES * 2, FRAME_BYTES):
            outputs = session.receive(AppendAudio(audio[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")), 0.0)
            if start >= len(audio) and not waiting:
                outputs += session.receive(CommitAudio(), 0.0)
            for number in [number for number, due in waiting.items() if due <= start]:
                del waiting[number]
                if request := session.request_for(number, LoadLevel.LOW):
                    outputs += session.receive(Transcribed(number, transcribe(self._whisper, request)), 0.0)
            while outputs:
                match outputs.pop(0):
                    case ScoreWindows(number, windows, state):
                        outputs += session.receive(WindowsScored(number, *self._score(windows, state)), 0.0)
                    case Transcribe(number):
                        waiting[number] = start + 2 * DECODE_SAMPLES
                    case CancelJob(number):
                        waiting.pop(number, None)
                    case TranscriptCompleted() as turn:
                        turns.append(turn)
        words = [Span(word.start, word.end) for turn in turns for word in turn.words]
        figures.add(track, words, [], " ".join(turn.text for turn in turns))

    def time_whole_file(self, track: Track, figures: Figures) -> None:
        """Transcribe a track with faster-whisper."""
        segments, _ = self._faster_whisper.transcribe(
            track.samples, language="en", beam_size=1, temperature=0.0, word_timestamps=True
        )
        found = list(segments)
        words = [_span(word.start, word.end) for segment in found for word in segment.words or ()]
        shown = [_span(segment.start, segment.end) for segment in found]
        figures.add(track, words, shown, "".join(segment.text for segment in found))


def tracks() -> list[Track]:
    """Return two tracks of different speakers, with the pauses between and within their sentences."""
    shortest, longest = SENTENCE_SECONDS
    clean = [
        row
        for row in rows()
        if row["lang"] == "en" and row["kind"] == "clean" and row["wer_ok"] and shortest < row["seconds"] < longest
    ]
    chosen = clean[:: max(1, len(clean) // SENTENCES)][:SENTENCES]
    return [_joined(chosen[::2]), _joined(chosen[1::2])]


def _joined(chosen: Sequence[dict[str, Any]]) -> Track:
    parts: list[Samples] = [np.zeros(SAMPLE_RATE // 2, np.float32)]
    pauses: list[Span] = []
    position = len(parts[0])
    for number, row in enumerate(chosen):
        if number:
            pause = round(PAUSES[number % len(PAUSES)] * SAMPLE_RATE)
            parts.append(np.zeros(pause, np.float32))
            pauses.append(Span(position, position + pause))
            position += pause
        sentence = load(row["file"])
        sounds = _sounds(sentence)
        sentence = sentence[sounds[0] * HOP : (sounds[-1] + 1) * HOP]
        parts.append(sentence * np.float32(SPEECH_LEVEL / np.sqrt(np.mean(sentence**2))))
        pauses += [Span(position + start, position + end) for start, end in _inner_pauses(sentence)]
        position += len(sentence)
    parts.append(np.zeros(SAMPLE_RATE // 2, np.float32))
    return Track(np.concatenate(parts), " ".join(row["text"] for row in chosen), pauses)


def _sounds(clean: Samples) -> NDArray[np.intp]:
    """Return the hops of a clean sentence with sound that is no click or breath: of the 300 ms around, half sound."""
    hops = clean[: len(clean) // HOP * HOP].reshape(-1, HOP)
    energy = np.einsum("ij,ij->i", hops, hops)
    sound = energy > SOUND * energy.max()
    return np.flatnonzero(sound & (np.convolve(sound, np.ones(15), "same") >= 7))


def _inner_pauses(clean: Samples) -> Iterator[tuple[int, int]]:
    sounds = _sounds(clean)
    for place in np.flatnonzero(np.diff(sounds) * HOP > PAUSES[0] * SAMPLE_RATE):
        yield (int(sounds[place]) + 1) * HOP, int(sounds[place + 1]) * HOP


def noisy(track: Track, noise: str, decibels: int) -> Track:
    """Return the track with noise this far below its speech."""
    if noise == "clean":
        return track
    sound: NDArray[Any]
    if noise == "room":
        sound = np.resize(load(ROOM), len(track.samples))
    else:
        spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=len(track.samples)))
        sound = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), len(track.samples))
    level = SPEECH_LEVEL * 10 ** (-decibels / 20) / np.sqrt(np.mean(sound**2))
    return Track((track.samples + level * sound).astype(np.float32), track.text, track.pauses)


def _overlap(one: Span, other: Span) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _span(start: float, end: float) -> Span:
    return Span(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))


def main() -> None:
    """Print the table."""
    models = TimedModels()
    ways = {"upload": models.time_upload, "live": models.time_live, "faster-whisper": models.time_whole_file}
    table = Table("background", "by", "pauses in words", "1 s in cues", "end p50/p95 ms", "start p50/p95 ms", "WER %")
    for noise, decibels in NOISES:
        for name, way in ways.items():
            figures = Figures()
            for track in tracks():
                way(noisy(track, noise, decibels), figures)
            table.add_row(
                f"{noise} {decibels} dB" if decibels else noise,
                name,
                f"{figures.in_words} of {figures.pauses}",
                "" if name == "live" else f"{figures.in_cues} of {figures.long_pauses}",
                *(
                    f"{1000 * np.median(errors):.0f} / {1000 * np.percentile(np.abs(errors), 95):.0f}"
                    for errors in (figures.end_errors, figures.start_errors)
                ),
                f"{100 * word_error_rate(*map(list, zip(*figures.texts, strict=True))):.1f}",
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
