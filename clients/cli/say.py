"""The program behind `vivavoce say`: speak a text through the service, into a WAV file or out loud.

The exit code is 0 when all was spoken, 1 when the server failed or was lost, and 2 when nothing could begin.
"""

import argparse
import asyncio
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clients.aio import DEFAULT_URL, SAMPLE_RATE, Session, connect
from clients.cli.keys import key_for
from clients.errors import RealtimeError
from clients.microphone import SoundUnavailable, load_sounddevice


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """What to say and where to; `output` None is the loudspeaker."""

    text: str = field(repr=False)
    output: Path | None = None
    voice: str | None = None
    speed: float | None = None
    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("text", metavar="TEXT", help="what to say; - reads standard input")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.wav", help="write here instead of playing")
    parser.add_argument("--voice", help="the voice (default: the server's)")
    parser.add_argument("--speed", type=float, help="1 is the voice's own speed")
    parser.add_argument("--url", default=DEFAULT_URL, help="the server (default: %(default)s)")
    parser.add_argument("--api-key", help="the server's key (default: $OPENAI_API_KEY, if local or wss)")


def run(namespace: argparse.Namespace) -> int:
    """Speak as the parsed arguments say; the exit code."""
    options = SpeakOptions(
        text=sys.stdin.read() if namespace.text == "-" else namespace.text,
        output=namespace.output,
        voice=namespace.voice,
        speed=namespace.speed,
        url=namespace.url,
        api_key=key_for(namespace.url, namespace.api_key),
    )
    try:
        return asyncio.run(speak(options))
    except KeyboardInterrupt:
        return 130


async def speak(options: SpeakOptions) -> int:
    """Say one text and return the exit code. The time to first audio and complaints go to standard error."""
    if not options.text.strip():
        _warn("there is nothing to say")
        return 2
    try:
        async with connect(options.url, api_key=options.api_key, transcription=False, voice=options.voice) as session:
            taken = session.effective("audio", "output", "voice")
            if options.voice and taken and taken != options.voice:
                _warn(f"asked for the voice {options.voice}, the server takes {taken}")
            with _open_file(options.output) if options.output is not None else _open_loudspeaker() as write:
                return await _say(session, options, write)
    except SoundUnavailable as error:
        _warn(f"without -o FILE.wav this {error}")
    except (OSError, RealtimeError) as error:
        _warn(str(error))
    return 2


async def _say(session: Session, options: SpeakOptions, write: Callable[[bytes], object]) -> int:
    started = time.monotonic()
    silent = True
    try:
        async for chunk in session.speak(options.text, speed=options.speed):
            if silent:
                silent = False
                sys.stderr.write(f"first audio after {(time.monotonic() - started) * 1000:.0f} ms\n")
            await asyncio.to_thread(write, chunk)  # a loudspeaker takes its time
    except RealtimeError as error:
        _warn(str(error))
        return 1
    if silent:
        _warn("the server sent no audio")
    return 1 if silent else 0


@contextmanager
def _open_file(path: Path) -> Iterator[Callable[[bytes], object]]:
    with path.open("wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        yield file.writeframesraw


@contextmanager
def _open_loudspeaker() -> Iterator[Callable[[bytes], object]]:
    """The default output device; leaving the block waits until all has been heard."""
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
    sys.stderr.write(f"vivavoce say: {''.join(each for each in message if each.isprintable())}\n")
