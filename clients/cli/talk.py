"""The command `vivavoce talk`: a conversation with the chat model of a server, spoken in both directions.

What both say is shown: the user's turn while it is spoken, the answer while it is. Speaking interrupts an answer.
"""

import argparse
import asyncio
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clients.aio import DEFAULT_URL
from clients.cli.audio_file import open_audio_file
from clients.cli.dialogue import Dialogue, open_dialogue
from clients.cli.exit_codes import ExitCode, without_words
from clients.cli.server import ConnectionWarnings, SessionName, add_server_arguments, key_for, report
from clients.cli.signals import on_signal, run_until_stopped
from clients.cli.terminal import warn
from clients.cli.values import audio_path
from clients.conversation import Conversation, Loudspeaker, converse
from clients.errors import ErrorCode, RealtimeError, RequestFailed
from clients.events import Completed, Disconnected, Reconnected, ResponseDone, ServerError
from clients.loudspeaker import open_loudspeaker
from clients.microphone import open_microphone
from clients.playback import AudioUnreadable, decode, play
from clients.sound_devices import SoundUnavailable, UnknownDevice


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """Options of the command. `source` None is the microphone, `output` None the loudspeaker."""

    source: str | None = None
    output: Path | None = None
    device: str | None = None
    voice: str | None = None
    language: str | None = None
    instructions: str | None = None
    eagerness: str = "auto"
    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    verbose: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.description = (
        "Talk with the chat model of the server, until Ctrl-C. Speaking interrupts an answer. Use headphones: a "
        "microphone that hears the loudspeaker interrupts every answer, unless the server has VIVAVOCE_ECHO_GATE."
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="an audio file in place of the microphone; - reads WAV or raw 24 kHz PCM16 from standard input",
    )
    source.add_argument(
        "--device",
        metavar="NAME|NUMBER",
        help="microphone, as `vivavoce listen --devices` lists them (default: the default microphone of the system)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=audio_path,
        metavar="FILE",
        help="write what would be heard of the answers to a file: .wav, .mp3, ...",
    )
    parser.add_argument("--voice", help="voice of the answers, as `vivavoce voices` lists them (default: the server's)")
    parser.add_argument("--language", help="language spoken, such as en (default: detected)")
    parser.add_argument("--instructions", help="what the chat model is told about its part")
    parser.add_argument(
        "--eagerness",
        choices=["low", "medium", "high", "auto"],
        default="auto",
        help="how soon a pause ends your turn (default: %(default)s)",
    )
    add_server_arguments(parser)


def run(namespace: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    options = TalkOptions(
        source=namespace.file,
        output=namespace.output,
        device=namespace.device,
        voice=namespace.voice,
        language=namespace.language,
        instructions=namespace.instructions,
        eagerness=namespace.eagerness,
        url=namespace.url,
        api_key=key_for(namespace.url, namespace.api_key),
        verbose=namespace.verbose,
    )
    return run_until_stopped(talk(options))


async def talk(options: TalkOptions) -> int:
    """Hold one conversation and return the exit code; warnings go to standard error."""
    if _replaces_source(options):
        _warn(f"{options.output} is what you say: the answers need another file")
        return ExitCode.USAGE
    opened = open_audio_file(options.output) if options.output is not None else open_loudspeaker()
    name = SessionName("talk", verbose=options.verbose)
    try:
        with _open_source(options) as (source, ended), opened as loudspeaker:
            return name.tell_after(await _converse(options, source, ended, loudspeaker, name))
    except UnknownDevice as error:
        _warn(f"{error}; `vivavoce listen --devices` lists them")
        return ExitCode.USAGE
    except SoundUnavailable as error:
        _warn(f"talking {error}; FILE and -o answers.wav do without")
    except AudioUnreadable as error:
        _warn(str(error))
    except OSError as error:
        _warn(f"cannot write {options.output}: {error.strerror or error}")
    except RequestFailed as error:
        _warn(str(error))
        if error.code == ErrorCode.BACKEND_NOT_CONFIGURED:
            _warn("set VIVAVOCE_CHAT_BASE_URL and VIVAVOCE_CHAT_MODEL for the server, for example to those of Ollama")
        return ExitCode.REFUSED
    except RealtimeError as error:
        return report("talk", error, options.url)
    return ExitCode.FAILED


def _replaces_source(options: TalkOptions) -> bool:
    return bool(options.source and options.output and options.output.resolve() == Path(options.source).resolve())


@contextmanager
def _open_source(options: TalkOptions) -> Iterator[tuple[AsyncIterable[bytes], asyncio.Event]]:
    """Yield what the user says, and an event that is set when Ctrl-C ends the conversation."""
    ended = asyncio.Event()
    if options.source is not None:
        yield play(decode(options.source)), ended
        return
    with open_microphone(options.device, _warn) as microphone, on_signal("SIGINT", ended.set, once=True):
        yield microphone, ended


async def _converse(
    options: TalkOptions,
    source: AsyncIterable[bytes],
    ended: asyncio.Event,
    loudspeaker: Loudspeaker,
    name: SessionName,
) -> int:
    async with converse(
        source,
        loudspeaker,
        options.url,
        api_key=options.api_key,
        instructions=options.instructions,
        voice=options.voice,
        language=options.language,
        eagerness=options.eagerness,
    ) as conversation:
        with open_dialogue() as dialogue:
            following = asyncio.create_task(_follow(conversation, dialogue, name))
            interrupted = asyncio.create_task(ended.wait())
            try:
                await asyncio.wait([following, interrupted], return_when=asyncio.FIRST_COMPLETED)
                return following.result() if following.done() else ExitCode.OK
            finally:
                for task in (following, interrupted):
                    task.cancel()
                await asyncio.wait([following, interrupted])


async def _follow(conversation: Conversation, dialogue: Dialogue, name: SessionName) -> int:
    """Show what both say until the conversation is over and heard; return the exit code."""
    code = ExitCode.NO_SPEECH
    suppressed: list[str] = []
    connection = ConnectionWarnings("talk")
    async for event in conversation:
        dialogue.show(event)
        name.see(event)
        match event:
            case Completed(text=text) if text.strip() and code is ExitCode.NO_SPEECH:
                code = ExitCode.OK
            case Completed(suppressed=reasons):
                suppressed += reasons
            case ResponseDone(status="failed", message=message) | ServerError(message=message):
                _warn(message)
                code = ExitCode.FAILED
            case Disconnected() | Reconnected():
                connection.tell(event, was_open=name.opened)
            case _:
                pass
    await conversation.wait_until_heard()
    if code is ExitCode.NO_SPEECH:
        _warn(without_words(suppressed))
    return code


def _warn(message: str) -> None:
    warn("talk", message)
