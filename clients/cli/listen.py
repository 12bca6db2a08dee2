"""The command `vivavoce listen`: live captions of a file, a pipe or the microphone.

Finished turns are printed as lines; on a terminal the current one is shown below them, committed text bright and
tentative text dim.
"""

import argparse
import asyncio
import math
import os
import sys
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from clients.aio import DEFAULT_URL, open_session
from clients.cli.display import NARROWEST, Display, WithSegments, open_display
from clients.cli.exit_codes import ExitCode, without_words
from clients.cli.server import ConnectionWarnings, SessionName, add_server_arguments, key_for, report
from clients.cli.signals import on_signal, run_until_stopped
from clients.cli.terminal import printable, warn
from clients.cli.values import whole_number
from clients.errors import RealtimeError
from clients.events import Completed, Delta, Disconnected, Event, Failed, Reconnected, ServerError
from clients.feeding import cancel, feed
from clients.hls import PATIENCE, HlsCaptions, SegmentsUnwritable
from clients.kept_audio import KeptAudio
from clients.microphone import open_microphone
from clients.options import SAMPLE_RATE, SessionOptions
from clients.playback import AudioUnreadable, decode, play
from clients.reconnecting import RECONNECT_SECONDS, ReconnectingSession, open_reconnecting
from clients.roll_up import LINE
from clients.sound_devices import SoundUnavailable, UnknownDevice, microphones

SILENCE_MS: Final = 1500
"""Silence in milliseconds that ends a turn: longer than for a dialogue, so that pauses do not break lines."""

LONGEST_SILENCE_MS: Final = 600_000
"""Longest silence in milliseconds that the server takes for the end of a turn."""


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """Options of the command. `source` is a path, `-` for standard input or None for the microphone."""

    source: str | None
    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    language: str | None = None
    prompt: str | None = None
    model: str | None = None
    translate: bool = False
    silence_ms: int = SILENCE_MS
    track: str | None = None
    fast: bool = False
    device: str | None = None
    as_json: bool = False
    roll_up: int | None = None
    hls: str | None = None
    hls_start: int = 0
    reconnect_seconds: float = RECONNECT_SECONDS
    verbose: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "file", nargs="?", metavar="FILE", help="an audio file; - reads WAV or raw 24 kHz PCM16 from standard input"
    )
    source.add_argument("--mic", action="store_true", help="record from a microphone until Ctrl-C")
    source.add_argument("--devices", action="store_true", help="list the microphones of this machine")
    parser.add_argument(
        "--device",
        metavar="NAME|NUMBER",
        help="microphone: its number, its name or a part of the name (default: the default microphone of the system)",
    )
    add_server_arguments(parser)
    parser.add_argument("--language", help="language spoken, such as en (default: detected)")
    parser.add_argument("--translate", action="store_true", help="transcribe into English")
    parser.add_argument("--prompt", help="names and words to expect")
    parser.add_argument("--model", help="recognizer (default: the server's)")
    parser.add_argument(
        "--silence-ms",
        type=whole_number(0, LONGEST_SILENCE_MS),
        default=SILENCE_MS,
        metavar="N",
        help="silence in milliseconds that ends a turn (default: %(default)s)",
    )
    parser.add_argument(
        "--track",
        help="audio track of a file: its index from 0, or its language as the file has it (default: the one that a "
        "player would choose, or another if that is silent)",
    )
    parser.add_argument("--fast", action="store_true", help="send a file faster than real time")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the server's events as JSON lines")
    output.add_argument(
        "--roll-up",
        type=whole_number(NARROWEST),
        metavar="WIDTH",
        help=f"print lines of at most WIDTH characters as they fill, as television rolls them up, which has {LINE}",
    )
    parser.add_argument(
        "--hls", metavar="DIR", help="also write segments of WebVTT and their playlist for HTTP Live Streaming to DIR"
    )
    parser.add_argument(
        "--hls-start",
        type=whole_number(0),
        default=0,
        metavar="TICKS",
        help="timestamp of the media, in ticks of 90 kHz, at which the audio begins (default: %(default)s)",
    )


def run(namespace: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if namespace.devices:
        return list_microphones()
    options = ListenOptions(
        source=None if namespace.mic or namespace.file is None else namespace.file,
        url=namespace.url,
        api_key=key_for(namespace.url, namespace.api_key),
        language=namespace.language,
        prompt=namespace.prompt,
        model=namespace.model,
        translate=namespace.translate,
        silence_ms=namespace.silence_ms,
        track=namespace.track,
        fast=namespace.fast,
        device=namespace.device,
        as_json=namespace.json,
        roll_up=namespace.roll_up,
        hls=namespace.hls,
        hls_start=namespace.hls_start,
        verbose=namespace.verbose,
    )
    try:
        return run_until_stopped(listen(options))
    except BrokenPipeError:  # Rich handles a closed pipe in the same way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes stdout when it exits
        return ExitCode.FAILED


async def listen(options: ListenOptions) -> int:
    """Transcribe one source and return the exit code; warnings go to standard error."""
    audio = KeptAudio(SAMPLE_RATE)
    session_options = SessionOptions(
        language=options.language,
        prompt=options.prompt,
        model=options.model,
        translate=options.translate,
        silence_ms=options.silence_ms,
        partials=True,
    )
    seconds = options.reconnect_seconds
    opening = partial(open_session, options.url, session_options, api_key=options.api_key, resume_seconds=seconds)
    name = SessionName("listen", verbose=options.verbose)
    try:
        with _open_hls(options) as hls, _open_source(options) as frames:
            async with open_reconnecting(opening, audio, reconnect_seconds=seconds) as session:
                with open_display(options.as_json, options.roll_up) as display:
                    if hls is not None:
                        frames, display = hls.follow(frames), WithSegments(display, hls)
                    return name.tell_after(await _transcribe(session, audio, frames, display, name))
    except UnknownDevice as error:
        _warn(f"{error}; `vivavoce listen --devices` lists them")
        return ExitCode.USAGE
    except SoundUnavailable as error:
        _warn(f"--mic {error}")
    except AudioUnreadable as error:
        _warn(str(error))
    except RealtimeError as error:
        return report("listen", error, options.url)
    except SegmentsUnwritable as error:
        _warn(f"--hls {error}")
    return ExitCode.FAILED


@contextmanager
def _open_hls(options: ListenOptions) -> Iterator[HlsCaptions | None]:
    """Open the segments for HTTP Live Streaming, if they are wanted, and end them with the block."""
    if options.hls is None:
        yield None
        return
    captions = HlsCaptions(Path(options.hls), options.hls_start, math.inf if options.fast else PATIENCE)
    try:
        yield captions
    finally:
        captions.close()


@contextmanager
def _open_source(options: ListenOptions) -> Iterator[AsyncIterable[bytes]]:
    if options.source is not None:
        yield play(decode(options.source, options.track), fast=options.fast)
        return
    with open_microphone(options.device, _warn) as microphone, on_signal("SIGINT", microphone.stop, once=True):
        yield microphone
    if microphone.lost:
        _warn(f"lost {microphone.lost} frames of the microphone because the server is too slow")


async def _transcribe(
    session: ReconnectingSession, audio: KeptAudio, frames: AsyncIterable[bytes], display: Display, name: SessionName
) -> int:
    """Send audio and show events concurrently until every turn has its transcript; return the exit code."""
    any_words, all_well = False, True
    suppressed: list[str] = []
    connection = ConnectionWarnings("listen")
    sending = asyncio.create_task(feed(session, audio, frames))
    try:
        async for event in session:
            display.show(event)
            name.see(event)
            any_words = any_words or (isinstance(event, Delta | Completed) and bool(event.text.strip()))
            suppressed += event.suppressed if isinstance(event, Completed) else ()
            all_well = _report(event, connection, was_open=name.opened) and all_well
        if not session.is_transcribed:
            all_well = _fail("the server closed the connection")
    except RealtimeError as error:
        if not name.opened:
            raise
        all_well = _fail(str(error))
    finally:
        await cancel(sending)
    try:
        if not sending.cancelled():
            sending.result()
    except (AudioUnreadable, ValueError) as error:  # the pipe is neither WAV nor samples
        all_well = _fail(str(error))
    if lost := session.untranscribed:
        all_well = _fail(f"{lost} turn{'s were' if lost > 1 else ' was'} not transcribed")
    if not all_well:
        return ExitCode.FAILED
    if not any_words:
        _warn(without_words(suppressed))
        return ExitCode.NO_SPEECH
    return ExitCode.OK


def _report(event: Event, connection: ConnectionWarnings, *, was_open: bool) -> bool:
    """Warn of what goes wrong; return whether nothing is lost by it. `was_open` says whether there was a session."""
    match event:
        case Failed(message=message):
            return _fail(f"a turn could not be transcribed: {message}")
        case ServerError(message=message):
            return _fail(message)
        case Reconnected(missing=missing) if missing > 0:
            return _fail(f"connected again; {missing:.1f} s of a turn are missing")
        case Disconnected() | Reconnected():
            connection.tell(event, was_open=was_open)
        case _:
            pass
    return True


def _fail(message: str) -> bool:
    _warn(message)
    return False


def list_microphones() -> int:
    """Print the devices that record, the default one marked, and return the exit code."""
    try:
        devices = microphones()
    except SoundUnavailable as error:
        _warn(f"--devices {error}")
        return ExitCode.FAILED
    for each in devices:
        sys.stdout.write(
            f"{each.number:3}  {printable(each.name)} ({each.host}){', default' if each.default else ''}\n"
        )
    if not devices:
        _warn("this machine has no microphone")
    return ExitCode.OK if devices else ExitCode.FAILED


def _warn(message: str) -> None:
    warn("listen", message)
