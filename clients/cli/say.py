"""The command `vivavoce say`: speak a text through the service, into a file or through the loudspeaker."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clients.aio import DEFAULT_URL, SAMPLE_RATE, Session, open_session
from clients.cli.audio_file import open_recording
from clients.cli.exit_codes import ExitCode
from clients.cli.server import SessionName, add_server_arguments, key_for, report, warn_of_languages, warn_of_waiting
from clients.cli.signals import run_until_stopped
from clients.cli.terminal import warn
from clients.cli.values import audio_path, decimal_number
from clients.errors import RealtimeError
from clients.first_session import open_patiently
from clients.options import SPEECH_MODEL, SessionOptions
from clients.sound_devices import SoundUnavailable, load_sounddevice


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """Options of the command. `output` None is the loudspeaker."""

    text: str = field(repr=False)
    output: Path | None = None
    voice: str | None = None
    speed: float | None = None
    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    verbose: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("text", metavar="TEXT", help="text to speak; - reads standard input")
    parser.add_argument(
        "-o",
        "--output",
        type=audio_path,
        metavar="FILE",
        help="write a file instead of playing: .wav, .mp3, ...",
    )
    parser.add_argument("--voice", help="voice, as `vivavoce voices` lists them (default: the server's)")
    parser.add_argument(
        "--speed", type=decimal_number(0.25, 1.5), help="speed of speech, 0.25 to 1.5; 1 is the voice's own"
    )
    add_server_arguments(parser)


def run(namespace: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    options = SpeakOptions(
        text=sys.stdin.read() if namespace.text == "-" else namespace.text,
        output=namespace.output,
        voice=namespace.voice,
        speed=namespace.speed,
        url=namespace.url,
        api_key=key_for(namespace.url, namespace.api_key),
        verbose=namespace.verbose,
    )
    return run_until_stopped(speak(options))


async def speak(options: SpeakOptions) -> int:
    """Speak one text and return the exit code; the time to first audio and warnings go to standard error."""
    if not any(map(str.isalnum, options.text)):
        _warn("the text has nothing to speak: no letter or digit")
        return ExitCode.USAGE
    name = SessionName("say", verbose=options.verbose)
    session_options = SessionOptions(transcription=False, model=SPEECH_MODEL, voice=options.voice)
    opening = partial(open_session, options.url, session_options, api_key=options.api_key)
    try:
        if options.output is None:
            load_sounddevice()  # what is missing is said before the server is asked
        async with open_patiently(opening, partial(warn_of_waiting, "say")) as session:
            name.note(session.effective("id"))
            with open_recording(options.output) if options.output is not None else _open_loudspeaker() as write:
                return name.tell_after(await _say(session, options, write))
    except SoundUnavailable as error:
        _warn(f"playing {error}; use -o speech.wav to write a file")
    except OSError as error:
        _warn(f"cannot write {options.output}: {error.strerror or error}")
    except RealtimeError as error:
        return report("say", error, options.url)
    return ExitCode.FAILED


async def _say(session: Session, options: SpeakOptions, write: Callable[[bytes], object]) -> int:
    started = time.monotonic()
    silent = True
    try:
        chunks = session.speak(options.text, speed=options.speed, on_done=partial(warn_of_languages, "say"))
        async for chunk in chunks:
            if silent:
                silent = False
                sys.stderr.write(f"first audio after {(time.monotonic() - started) * 1000:.0f} ms\n")
            await asyncio.to_thread(write, chunk)  # playing blocks
    except RealtimeError as error:
        _warn(str(error))
        return ExitCode.FAILED
    if silent:
        _warn("the server sent no audio")
    return ExitCode.FAILED if silent else ExitCode.OK


@contextmanager
def _open_loudspeaker() -> Iterator[Callable[[bytes], object]]:
    """Open the default output device; leaving the block waits until everything has been played."""
    sounddevice = load_sounddevice()
    try:
        stream = sounddevice.RawOutputStream(samplerate=SAMPLE_RATE, channels=1, dtype="int16")
        stream.start()
    except sounddevice.PortAudioError as error:
        raise SoundUnavailable(f"needs a loudspeaker: {error}") from error
    try:
        yield stream.write
        stream.stop()
    finally:
        stream.close()


def _warn(message: str) -> None:
    warn("say", message)
