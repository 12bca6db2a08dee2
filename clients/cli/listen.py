"""The program behind `vivavoce listen`: a file, a pipe or the microphone as live captions.

Finished utterances are printed as lines; below them, on a terminal, stands what is being said: committed text bright,
tentative text dim. The exit code is 0 when every utterance came back, 1 when something failed or was lost, as it is
when whoever reads the output goes away, and 2 when nothing could begin.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from clients.aio import DEFAULT_URL, Session, connect
from clients.cli.display import Display, open_display, printable
from clients.cli.keys import key_for
from clients.errors import RealtimeError
from clients.microphone import SoundUnavailable, open_microphone
from clients.pending import PendingTranscripts
from clients.replay import AudioUnreadable, decode, play

RESULT_TIMEOUT: Final = 60.0
"""Seconds without a word from the server after which what it still owes is given up."""


SILENCE_MS: Final = 1500
"""Captions appear while somebody speaks; a line may wait until a speaker who pauses to think has finished."""


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What to transcribe, where, and how to show it. `source` None is the microphone, `-` standard input."""

    source: str | None
    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    language: str | None = None
    prompt: str | None = None
    model: str | None = None
    translate: bool = False
    silence_ms: int = SILENCE_MS
    fast: bool = False
    as_json: bool = False
    result_timeout: float = RESULT_TIMEOUT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "file", nargs="?", metavar="FILE", help="an audio file; - is standard input, WAV or raw PCM16 at 24 kHz"
    )
    source.add_argument("--mic", action="store_true", help="the default microphone, until Ctrl-C")
    parser.add_argument("--url", default=DEFAULT_URL, help="the server (default: %(default)s)")
    parser.add_argument("--api-key", help="the server's key (default: $OPENAI_API_KEY, if local or wss)")
    parser.add_argument("--language", help="the language spoken, such as en (default: detected)")
    parser.add_argument("--translate", action="store_true", help="write English, whatever is spoken")
    parser.add_argument("--prompt", help="names and words to expect")
    parser.add_argument("--model", help="the recognizer (default: the server's)")
    parser.add_argument(
        "--silence-ms",
        type=int,
        default=SILENCE_MS,
        metavar="N",
        help="an utterance ends after so much silence (default: %(default)s)",
    )
    parser.add_argument("--fast", action="store_true", help="send a file as fast as the server takes it")
    parser.add_argument("--json", action="store_true", help="print the server's events, one a line")


def run(namespace: argparse.Namespace) -> int:
    """Listen as the parsed arguments say; the exit code."""
    options = ListenOptions(
        source=None if namespace.mic else namespace.file,
        url=namespace.url,
        api_key=key_for(namespace.url, namespace.api_key),
        language=namespace.language,
        prompt=namespace.prompt,
        model=namespace.model,
        translate=namespace.translate,
        silence_ms=namespace.silence_ms,
        fast=namespace.fast,
        as_json=namespace.json,
    )
    try:
        return asyncio.run(listen(options))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # Rich, which prints the captions, does the same where they are piped
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what the interpreter flushes at its end
        return 1


async def listen(options: ListenOptions) -> int:
    """Transcribe one source and return the exit code. Complaints go to standard error."""
    try:
        with _open_source(options) as frames:
            async with connect(
                options.url,
                api_key=options.api_key,
                language=options.language,
                prompt=options.prompt,
                model=options.model,
                translate=options.translate,
                silence_ms=options.silence_ms,
                partials=True,
            ) as session:
                _tell_substitutes(session, options)
                with open_display(options.as_json) as display:
                    return await _transcribe(session, frames, display, options.result_timeout)
    except SoundUnavailable as error:
        _warn(f"--mic {error}")
    except (AudioUnreadable, RealtimeError) as error:
        _warn(str(error))
    return 2


def _tell_substitutes(session: Session, options: ListenOptions) -> None:
    """A server leaves what is in force where it does not know the name asked for."""
    taken = session.effective("audio", "input", "transcription")
    if isinstance(taken, dict):
        for name, asked in (("model", options.model), ("language", options.language)):
            if asked and taken.get(name) != asked:
                _warn(f"asked for the {name} {asked}, the server takes {taken.get(name) or 'its own choice'}")


@contextmanager
def _open_source(options: ListenOptions) -> Iterator[AsyncIterable[bytes]]:
    if options.source is not None:
        yield play(decode(options.source), fast=options.fast)
        return
    with open_microphone() as microphone:
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            loop.remove_signal_handler(signal.SIGINT)  # a second Ctrl-C does not wait for the last utterance
            microphone.stop()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            yield microphone
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            if microphone.lost:
                _warn(f"{microphone.lost} frames of the microphone were lost: the server is too slow")


async def _transcribe(session: Session, frames: AsyncIterable[bytes], display: "Display", result_timeout: float) -> int:
    """Send and receive side by side until everything said has come back."""
    ledger = PendingTranscripts()
    sending = asyncio.create_task(_send(session, frames, ledger))
    clock = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(None) as deadline:  # while it is being sent audio, a server may have nothing to say

            def expect_answer(*_: object) -> None:
                deadline.reschedule(clock() + result_timeout)

            sending.add_done_callback(expect_answer)
            try:
                while not ledger.done:
                    event = await anext(session)
                    if not ledger.enter(event):
                        display.show(event)
                    if sending.done():
                        expect_answer()
            finally:
                sending.cancel()
                await asyncio.wait([sending])
    except StopAsyncIteration:
        ledger.warn("the server closed the connection")
    except TimeoutError:
        ledger.warn(f"the server has been silent for {result_timeout:g} s")
    except RealtimeError as error:
        ledger.warn(str(error))
    if not sending.cancelled():
        sending.result()
    if lost := len(ledger.pending):
        ledger.warn(f"{lost} utterance{'s' if lost > 1 else ''} did not come back")
    for warning in ledger.warnings:
        _warn(warning)
    return 1 if ledger.warnings else 0


async def _send(session: Session, frames: AsyncIterable[bytes], ledger: "PendingTranscripts") -> None:
    """Send all there is and end the last utterance.

    `committed` may be the answer to this commit or news of an utterance that ended long before, so a second commit
    follows: answers keep their order and there is nothing left to commit, so its refusal is the end of the answers.
    """
    with suppress(RealtimeError):  # the receiving side meets it too, and reports it
        try:
            async for frame in frames:
                await session.send_audio(frame)
        except AudioUnreadable as error:
            ledger.warn(str(error))
        ledger.closing.append(await session.commit())
        ledger.closing.append(await session.commit())


def _warn(message: str) -> None:
    sys.stderr.write(f"vivavoce listen: {printable(message)}\n")
