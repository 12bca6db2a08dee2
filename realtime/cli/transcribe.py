"""`vivavoce transcribe`: recordings to text, subtitles or JSON, in this process and without a server."""

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from clients.cli.exit_codes import ExitCode, without_words
from clients.cli.values import whole_number
from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.cli.models import Bars
from realtime.cli.output import discard_standard_output
from realtime.cli.recording_bars import RecordingBars
from realtime.cli.recordings import STDOUT, OutputError, Recording, blaming, note, printable, recordings, report
from realtime.engines.registry import InstalledEngines, Registry
from realtime.errors import VoiceError
from realtime.languages import language_code
from realtime.media.decoder_pool import DecoderPool
from realtime.models.detector import DetectorHandle
from realtime.models.recognizers import RecognizerHandle, load_recognizer
from realtime.offline.formats import to_dict, to_srt, to_text, to_vtt
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.recording import label, open_recording
from realtime.offline.transcript import Transcript
from realtime.settings import Settings
from realtime.speech.subtitles import SubtitleLayout, subtitle_layout

MAX_SECONDS: Final = 24 * 3600.0
"""Seconds of audio in one recording. The limits of uploads do not apply; a damaged file may claim any length."""

MAX_RECORDINGS: Final = 4
"""Recordings that are transcribed at a time, so that the recognizer has full batches of segments of short ones too."""

_REFRESH_SECONDS: Final = 0.2
"""Seconds between two updates of the progress of a recording."""

_SUBTITLES: Final[Mapping[str, Callable[[Transcript, SubtitleLayout | None], str]]] = {"srt": to_srt, "vtt": to_vtt}


_FORMAT_NAMES: Final = {"text": "txt", "verbose_json": "json"} | {name: name for name in ("txt", *_SUBTITLES, "json")}
"""Formats by their names over HTTP, and by the endings of files."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.set_defaults(usage_error=parser.error)
    parser.add_argument("files", nargs="+", metavar="FILE", help="audio or video file, or - for standard input")
    parser.add_argument(
        "--format",
        type=lambda name: _FORMAT_NAMES.get(name.lower(), name),
        choices=["txt", *_SUBTITLES, "json"],
        default="txt",
        help="format of the transcripts (default txt); also text and verbose_json, as over HTTP",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="directory for the transcripts, or - for standard output (default: that for one file, next to each of "
        "several)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing transcripts")
    parser.add_argument("--model", dest="transcription_model", help="speech-to-text model (default whisper-base)")
    parser.add_argument("--language", help="language spoken, as a code or a name (default: detected)")
    parser.add_argument("--translate", action="store_true", help="translate to English")
    parser.add_argument("--prompt", default="", help="text that precedes the recording: names, terms, style")
    parser.add_argument(
        "--vad",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="skip audio without speech (default yes)",
    )
    parser.add_argument(
        "--track", default="", help="audio track of the recordings: its index from 0, or its language (default: chosen)"
    )
    parser.add_argument(
        "--channels",
        choices=["mixed", "separate"],
        default="mixed",
        help="separate: each channel is a speaker, and the transcript a dialogue (default mixed)",
    )
    parser.add_argument(
        "--max-line-width",
        type=whole_number(0),
        metavar="N",
        help="characters in a line of subtitles (default 42); 0 shows each sentence in one line",
    )
    parser.add_argument("--max-line-count", type=whole_number(1), metavar="N", help="lines of a subtitle (default 2)")
    parser.add_argument("--word-timestamps", action="store_true", help="add the time of every word; json only")


def run(options: argparse.Namespace, settings: Settings, engines: Registry | None = None) -> int:
    """Transcribe the files and return the exit code: `FAILED` if any of them failed, `NO_SPEECH` if none has words.

    Raises:
        VoiceError: The model is unknown, cannot be loaded or does not support the language or the translation.
    """
    if options.word_timestamps and options.format != "json":
        options.usage_error("--word-timestamps requires --format json")
    if options.output == STDOUT and len(options.files) > 1:
        options.usage_error("--output - takes the transcript of one FILE; give a directory for those of several")
    entry = ModelNames(settings).defaults[Task.TRANSCRIPTION]
    wanted = _offline_options(options).for_model(entry)
    sources = list(recordings(options))
    ready = [each for each in sources if each is not None]
    failures = len(sources) - len(ready)
    if not ready:
        return 1
    with ExitStack() as loaded:
        with Bars() as bars:
            engines = engines or InstalledEngines(replace(settings, allow_downloads=True), bars)
            detector = DetectorHandle(engines.detector())
            loaded.callback(detector.close)
            recognizer = load_recognizer(entry, engines, settings.load_limit)
            loaded.callback(recognizer.close)
        wanted = wanted.for_model(recognizer.entry)  # which for a repository is known only now
        try:
            command = _Command(detector, recognizer, options, wanted)
            failures += asyncio.run(command.run(ready))
        except _ReaderLeft:
            return ExitCode.FAILED
    if failures:
        return ExitCode.FAILED
    return ExitCode.OK if command.any_words else ExitCode.NO_SPEECH


def _offline_options(options: argparse.Namespace) -> OfflineOptions:
    return OfflineOptions(
        languages=tuple(filter(None, [language_code(options.language or "")])),
        prompt=options.prompt,
        vad_filter=options.vad,
        word_times=options.format != "txt",
        translate=options.translate,
        separate_channels=options.channels == "separate",
    )


class _ReaderLeft(Exception):
    """Standard output is a pipe that nobody reads any more."""


class _Command:
    """Transcribes several recordings with the same models, a few of them at a time."""

    def __init__(
        self,
        detector: DetectorHandle,
        recognizer: RecognizerHandle,
        options: argparse.Namespace,
        wanted: OfflineOptions,
    ) -> None:
        self._detector = detector
        self._recognizer = recognizer
        self._options = options
        self._wanted = wanted
        self._decoders = DecoderPool(max_files=MAX_RECORDINGS)
        self._bars = RecordingBars()
        self.any_words = False

    async def run(self, sources: list[Recording]) -> int:
        """Transcribe the recordings, and return how many have failed. Raises `_ReaderLeft`.

        Each is written when it is done, and printed in the order of the command line.
        """
        failures = 0
        in_progress: deque[tuple[Recording, asyncio.Task[Transcript]]] = deque()
        try:
            with self._bars.shown():
                for number, source in enumerate(sources, 1):
                    name = f"{printable(Path(source.name).name)} ({number}/{len(sources)})"
                    in_progress.append((source, asyncio.create_task(self._transcribe(source, name))))
                    if len(in_progress) == MAX_RECORDINGS:
                        failures += await self._finish(*in_progress[0])
                        in_progress.popleft()
                while in_progress:
                    failures += await self._finish(*in_progress[0])
                    in_progress.popleft()
        finally:
            tasks = [task for _, task in in_progress]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._decoders.close()
        return failures

    async def _finish(self, source: Recording, transcribing: asyncio.Task[Transcript]) -> bool:
        """Wait for a transcript, and print it or the name of its file; return whether that failed."""
        await asyncio.wait([transcribing])
        with self._bars.hidden():
            try:
                transcript = transcribing.result()
                if source.destination is None:
                    _print(self._text(transcript))
                else:
                    _print(printable(str(source.destination), sys.stdout) + "\n")
                if to_text(transcript).strip():
                    self.any_words = True
                else:
                    note(source.name, without_words(each.reason for each in transcript.suppressed))
                if transcript.track:
                    note(source.name, f"transcribed audio track {label(transcript.track)}")
            except (OSError, VoiceError) as error:
                report(source.name, error)
                return True
            except OutputError as error:
                report(error.output, error.cause)
                return True
        return False

    async def _transcribe(self, source: Recording, name: str) -> Transcript:
        """Return the transcript of a recording, and write it to its file if it has one."""
        with source.open() as file, self._bars.bar(name) as advance:
            track = self._options.track
            async with open_recording(self._decoders, file, MAX_SECONDS, self._detector, track) as recording:
                audio = recording.audio
                blocks = audio.separate() if self._wanted.separate_channels else audio
                job = TranscriptionJob(blocks, self._detector, self._recognizer, self._wanted, track=recording.track)

                async def show() -> None:
                    while True:
                        advance(job.position / SAMPLE_RATE, audio.declared_seconds)
                        await asyncio.sleep(_REFRESH_SECONDS)

                showing = asyncio.create_task(show())
                try:
                    transcript = await job.whole()
                finally:
                    showing.cancel()
        if source.destination is not None:
            with (
                blaming(source.destination),
                source.destination.open("w" if self._options.force else "x", encoding="utf-8") as output,
            ):
                output.write(self._text(transcript))
        return transcript

    def _text(self, transcript: Transcript) -> str:
        """Return a transcript in the format of the command."""
        if self._options.format == "json":
            body = to_dict(transcript, words=self._options.word_timestamps)
            return json.dumps(body, ensure_ascii=False, indent=2) + "\n"
        if self._options.format == "txt":
            return to_text(transcript)
        layout = subtitle_layout(self._options.max_line_width, self._options.max_line_count)
        return _SUBTITLES[self._options.format](transcript, layout)


def _print(text: str) -> None:
    """Print to standard output at once. Raises `OutputError`, and `_ReaderLeft`."""
    try:
        with blaming(None):
            print(text, end="", flush=True)
    except OutputError as error:
        discard_standard_output()
        if isinstance(error.cause, BrokenPipeError):
            raise _ReaderLeft from error
        raise
