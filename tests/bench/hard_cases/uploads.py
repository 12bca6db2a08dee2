"""How fast recordings are transcribed, against faster-whisper: `python -m tests.bench.hard_cases.uploads`.

English recordings are transcribed from their files, `--together` of them at a time as a server does, and one after the
other by faster-whisper, greedily, with the same weights and as many threads. `long` is the recordings in one file.
"""

import argparse
import asyncio
import os
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from faster_whisper import WhisperModel
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Encoding, encode
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.media.decoder_pool import DecoderPool
from realtime.models.detector import DetectorHandle
from realtime.models.recognizers import RecognizerHandle
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.recording import open_recording
from realtime.scheduling.priority import ClientId
from realtime.settings import Settings
from realtime.weights.locate import locate
from tests.bench.hard_cases.quiet import english
from tests.bench.hard_cases.recordings import load
from tests.bench.scoring import word_error_rate
from tests.bench.speech_clips import SPEECH

THREADS: Final = 2
MAX_SECONDS: Final = 4 * 3600.0


@dataclass(slots=True)
class Run:
    """What one way made of the files: a text each, in `seconds` of the clock and `cpu_seconds` of all processes."""

    texts: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        began, cpu = time.perf_counter(), sum(os.times()[:4])
        yield
        self.seconds, self.cpu_seconds = time.perf_counter() - began, sum(os.times()[:4]) - cpu


def uploads(files: Sequence[Path], together: int, options: OfflineOptions) -> Run:
    """Transcribe the files with the models of a server, `together` at a time."""
    directory = locate(WHISPER_BASE, Settings(offline=True))
    engine = Whisper(directory, device="cpu", compute_type="int8", workers=THREADS, threads=1)
    with ExitStack() as opened:
        detector, recognizer = DetectorHandle(Silero()), RecognizerHandle(WHISPER_BASE, engine, 1.0)
        decoders = DecoderPool(max_files=together)
        for each in (decoders, detector, recognizer):
            opened.callback(each.close)
        run = Run()

        async def transcribe_all() -> None:
            places = asyncio.Semaphore(together)

            async def text(file: Path) -> str:
                async with places:
                    with file.open("rb") as source:
                        async with open_recording(decoders, source, MAX_SECONDS, detector) as recording:
                            client = ClientId("", file.name)
                            job = TranscriptionJob(recording.audio, detector, recognizer, options, client)
                            return (await job.whole()).text

            run.texts = await asyncio.gather(*map(text, files))

        with run.timed():
            asyncio.run(transcribe_all())
            decoders.close()  # the time of processes counts when they have ended
    return run


def one_by_one(files: Sequence[Path]) -> Run:
    """Transcribe the files with faster-whisper."""
    directory = locate(WHISPER_BASE, Settings(offline=True))
    model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=THREADS)
    run = Run()
    with run.timed():
        for file in files:
            segments, _ = model.transcribe(str(file), language="en", beam_size=1, temperature=0.0)
            run.texts.append("".join(segment.text for segment in segments).strip())
    return run


def joined(names: Sequence[str], directory: Path) -> Path:
    """Write the recordings into one file, with a second of silence behind each."""
    path = directory / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for name in names:
            file.writeframes(encode(np.pad(load(name), (0, SAMPLE_RATE)), Encoding.PCM16))
    return path


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=4, metavar="N", help="take every N-th recording")
    parser.add_argument("--together", type=int, default=8, metavar="N")
    parser.add_argument("--only", choices=["clips", "long"])
    arguments = parser.parse_args()
    clips = english()[:: arguments.every]
    names, texts = [clip["file"] for clip in clips], [clip["text"] for clip in clips]
    seconds = sum(clip["seconds"] for clip in clips)
    table = Table("recordings", "way", "seconds", "times real time", "times faster-whisper", "CPU per s", "WER %")
    with tempfile.TemporaryDirectory() as directory:
        cases = {
            f"{len(names)} files, {seconds:.0f} s": ([SPEECH / name for name in names], texts),
            f"one file, {seconds + len(names):.0f} s": ([joined(names, Path(directory))], [" ".join(texts)]),
        }
        for (case, (files, said)), kind in zip(cases.items(), ("clips", "long"), strict=True):
            if arguments.only not in (None, kind):
                continue
            whole = one_by_one(files)
            runs = {"faster-whisper, greedy": whole}
            runs["uploads"] = uploads(files, arguments.together, OfflineOptions(("en",)))
            for way, run in runs.items():
                table.add_row(
                    case, way, f"{run.seconds:.1f}", f"{seconds / run.seconds:.0f}",
                    f"{whole.seconds / run.seconds:.2f}", f"{run.cpu_seconds / seconds:.4f}",
                    f"{100 * word_error_rate(said, run.texts):.2f}",
                )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
