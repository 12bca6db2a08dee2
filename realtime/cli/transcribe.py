"""`vivavoce transcribe`: recordings to text, subtitles or JSON, in this process and without a server."""

import argparse
import asyncio
import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.cli.models import Bars
from realtime.engines.registry import InstalledEngines, Registry
from realtime.errors import EmptyFile, TooLarge, VoiceError
from realtime.languages import language_code
from realtime.media.decoder_pool import DecoderPool
from realtime.models.handles import DetectorHandle, RecognizerHandle
from realtime.offline.formats import to_dict, to_srt, to_text, to_vtt
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import Transcript
from realtime.settings import Settings

_STDIN: Final = "-"
MAX_SECONDS: Final = 24 * 3600.0
"""Seconds of audio in one recording. The limits of uploads do not apply; a damaged file may claim any length."""

MAX_PIPE_BYTES: Final = 16 * 1024**3
"""Bytes of one recording that comes through a pipe; they are copied to a temporary file."""

_READ_SIZE: Final = 1024 * 1024
"""Bytes read from a pipe at a time."""

_WRITERS: Final[Mapping[str, Callable[[Transcript], str]]] = {"txt": to_text, "srt": to_srt, "vtt": to_vtt}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.set_defaults(usage_error=parser.error)
    parser.add_argument("files", nargs="+", metavar="FILE", help="audio or video file, or - for standard input")
    parser.add_argument(
        "--format", choices=[*_WRITERS, "json"], default="txt", help="format of the transcripts (default txt)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="directory for the transcripts (default: standard output for one file, next to each of several)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing transcripts")
    parser.add_argument("--model", dest="transcription_model", help="speech-to-text model (default whisper-base)")
    parser.add_argument("--language", help="language spoken, as a code or an English name (default: detected)")
    parser.add_argument("--translate", action="store_true", help="translate to English")
    parser.add_argument("--prompt", default="", help="text that precedes the recording: names, terms, style")
    parser.add_argument(
        "--vad",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="skip audio without speech (default yes)",
    )
    parser.add_argument("--word-timestamps", action="store_true", help="add the time of every word; json only")


def run(options: argparse.Namespace, settings: Settings, engines: Registry | None = None) -> int:
    """Transcribe the files and return the exit code: 1 if any of them failed.

    Raises:
        VoiceError: The model is unknown, cannot be loaded or does not support the language or the translation.
    """
    if options.word_timestamps and options.format != "json":
        options.usage_error("--word-timestamps requires --format json")
    entry = ModelNames(settings).defaults[Task.TRANSCRIPTION]
    wanted = _offline_options(options).for_model(entry)
    sources = list(_sources(options))
    ready = [each for each in sources if each is not None]
    failures = len(sources) - len(ready)
    if not ready:
        return 1
    with ExitStack() as loaded:
        with Bars() as bars:
            engines = engines or InstalledEngines(replace(settings, allow_downloads=True), bars)
            detector = DetectorHandle(engines.detector())
            loaded.callback(detector.close)
            recognizer = RecognizerHandle(entry, engines.recognizer(entry), settings.load_limit)
            loaded.callback(recognizer.close)
        wanted = wanted.for_model(recognizer.entry)  # which for a repository is known only now
        try:
            failures += asyncio.run(_Command(detector, recognizer, options, wanted).run(ready))
        except _ReaderLeft:
            return 1
    return 1 if failures else 0


def _offline_options(options: argparse.Namespace) -> OfflineOptions:
    return OfflineOptions(
        languages=(language_code(options.language),) if options.language else (),
        prompt=options.prompt,
        vad_filter=options.vad,
        word_times=options.format != "txt",
        translate=options.translate,
    )


class _OutputError(Exception):
    """The output cannot be prepared or written; `output` is its name in messages."""

    def __init__(self, output: str, cause: OSError) -> None:
        super().__init__(output)
        self.output = output
        self.cause = cause


class _ReaderLeft(Exception):
    """Standard output is a pipe that nobody reads any more."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A recording, and where its transcript goes.

    `pipe` holds what came through a pipe, `destination` is None for standard output.
    """

    name: str
    destination: Path | None
    pipe: IO[bytes] | None

    def open(self) -> IO[bytes]:
        """Open the recording. Raises `OSError`, and `EmptyFile`."""
        file = self.pipe or Path(self.name).open("rb")  # noqa: SIM115 - the caller closes it
        if not file.seek(0, 2):
            file.close()
            raise EmptyFile("The file is empty.")
        return file


def _sources(options: argparse.Namespace) -> Iterator[_Source | None]:
    """Yield the recordings; None for one that cannot be transcribed, after reporting why.

    Pipes are read here, in the main thread, where Ctrl-C interrupts the reading.
    """
    destinations: set[Path] = set()
    for name in options.files:
        try:
            _check_readable(name)
            destination = _destination(name, options)
            if destination is not None:
                if destination in destinations:
                    raise FileExistsError(f"another file is transcribed to {destination}")
                with _blaming(destination):
                    exists = destination.exists()
                if exists and not options.force:
                    raise FileExistsError(f"{destination} exists; overwrite it with --force")
                destinations.add(destination)
            _check_writable(destination)
            yield _Source(name, destination, _pipe(name))
        except (OSError, VoiceError) as error:
            _report(name, error)
            yield None
        except _OutputError as error:
            _report(error.output, error.cause)
            yield None


def _check_readable(name: str) -> None:
    """Raise `OSError` if a file cannot be opened. Pipes are left alone: they can be opened only once."""
    if name != _STDIN and not Path(name).is_fifo():
        with Path(name).open("rb"):
            pass


def _check_writable(destination: Path | None) -> None:
    """Raise `_OutputError` if a transcript cannot be written there, before the work is done in vain."""
    with _blaming(destination):
        if destination is None:
            if sys.stdout is None:
                raise OSError("is closed")
        elif destination.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        elif destination.exists():
            if not os.access(destination, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        elif not os.access(destination.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _blaming(output: Path | None) -> Iterator[None]:
    """Turn an `OSError` into an `_OutputError` that names the output; None is standard output."""
    try:
        yield
    except OSError as error:
        raise _OutputError("standard output" if output is None else str(output), error) from error


def _destination(name: str, options: argparse.Namespace) -> Path | None:
    """Return the path of the transcript, or None for standard output. Creates the directory."""
    stem = "stdin" if name == _STDIN else Path(name).stem
    if options.output is not None:
        with _blaming(options.output):
            options.output.mkdir(parents=True, exist_ok=True)
        return Path(options.output, f"{stem}.{options.format}")
    if name == _STDIN or len(options.files) == 1:
        return None
    return Path(name).with_name(f"{stem}.{options.format}")


def _pipe(name: str) -> IO[bytes] | None:
    """Copy a pipe or standard input into a temporary file, because decoding seeks; return None for a regular file.

    Raises `OSError`, and `TooLarge`.
    """
    if name == _STDIN:
        if sys.stdin is None:
            raise OSError("is closed")
        return _copied(sys.stdin.buffer)
    if Path(name).is_fifo():
        with Path(name).open("rb") as pipe:
            return _copied(pipe)
    return None


def _copied(pipe: IO[bytes]) -> IO[bytes]:
    copy = TemporaryFile()  # noqa: SIM115 - the caller closes it
    while data := pipe.read(_READ_SIZE):
        copy.write(data)
        if copy.tell() > MAX_PIPE_BYTES:
            copy.close()
            raise TooLarge(f"The input is larger than {MAX_PIPE_BYTES} bytes.")
    return copy


class _Command:
    """Transcribes several recordings, one after the other, with the same models."""

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
        self._decoders = DecoderPool(max_files=1)

    async def run(self, sources: list[_Source]) -> int:
        """Transcribe the recordings and return the number of those that failed. Raises `_ReaderLeft`."""
        failures = 0
        if len(sources) > 1:
            self._decoders.open()
        try:
            for number, source in enumerate(sources, 1):
                try:
                    with _progress_bar(f"{_printable(Path(source.name).name)} ({number}/{len(sources)})") as advance:
                        transcript = await self._transcribe(source, advance)
                    self._write(source, transcript)
                except (OSError, VoiceError) as error:
                    _report(source.name, error)
                    failures += 1
                except _OutputError as error:
                    _report(error.output, error.cause)
                    failures += 1
        finally:
            self._decoders.close()
        return failures

    async def _transcribe(self, source: _Source, advance: Callable[[float, float | None], None]) -> Transcript:
        with source.open() as file:
            async with self._decoders.decoding(file, MAX_SECONDS) as audio:
                job = TranscriptionJob(audio, self._detector, self._recognizer, self._wanted)
                async with aclosing(job.segments()) as segments:
                    async for _ in segments:
                        advance(job.position / SAMPLE_RATE, audio.declared_seconds)
                return job.transcript()

    def _write(self, source: _Source, transcript: Transcript) -> None:
        if self._options.format == "json":
            body = to_dict(transcript, words=self._options.word_timestamps)
            text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
        else:
            text = _WRITERS[self._options.format](transcript)
        if source.destination is None:
            _print(text)
            return
        with (
            _blaming(source.destination),
            source.destination.open("w" if self._options.force else "x", encoding="utf-8") as file,
        ):
            file.write(text)
        _print(_printable(str(source.destination), sys.stdout) + "\n")


@contextmanager
def _progress_bar(name: str) -> Iterator[Callable[[float, float | None], None]]:
    """Show a progress bar on standard error, if that is a terminal; yield what updates it: seconds done, and in all."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[position]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = progress.add_task(name, total=None, position="")

    def advance(done: float, total: float | None) -> None:
        position = f"{_clock(done)} / {_clock(total)}" if total else _clock(done)
        progress.update(task, completed=done, total=total, position=position)

    with progress if console.is_terminal else nullcontext():
        yield advance


def _print(text: str) -> None:
    """Print to standard output at once. Raises `_OutputError`, and `_ReaderLeft`."""
    try:
        with _blaming(None):
            print(text, end="", flush=True)
    except _OutputError as error:
        _discard_standard_output()
        if isinstance(error.cause, BrokenPipeError):
            raise _ReaderLeft from error
        raise


def _discard_standard_output() -> None:
    """Let what could not be written go nowhere, or Python fails again to write it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _printable(name: str, file: IO[str] | None = None) -> str:
    """Return the name with escapes for what the file, by default standard error, cannot show."""
    encoding = getattr(file or sys.stderr, "encoding", None) or "utf-8"
    return name.encode(encoding, "backslashreplace").decode(encoding)


def _report(name: str, error: OSError | VoiceError) -> None:
    """Print a line that names the file and says what is wrong with it."""
    message = error.message if isinstance(error, VoiceError) else error.strerror or str(error)
    line = f"vivavoce: {'standard input' if name == _STDIN else name}: {message}"
    print(_printable(line), file=sys.stderr)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
