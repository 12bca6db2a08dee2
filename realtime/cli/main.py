"""The command `vivavoce` and its subcommands; the environment and the arguments become `Settings` here."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from clients.cli import listen
from clients.cli import say as speak
from realtime import __version__, logs
from realtime.cli import doctor, trace, transcribe, voices
from realtime.cli import models as model_commands
from realtime.cli.output import discard_standard_output
from realtime.cli.wyoming_checks import announcement_problem
from realtime.engines.registry import InstalledEngines
from realtime.errors import VoiceError
from realtime.models.models import Models
from realtime.server import Server, listening_error, listening_socket, tls_context, wyoming_socket
from realtime.settings import Settings
from realtime.tracing.files import prepare_directory
from realtime.weights.progress import LoggedProgress

logger = logging.getLogger("vivavoce")

USAGE_ERROR: Final = 2
"""Exit code for wrong arguments or settings, as of argparse."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code = int(options.run(options))
        if sys.stdout is not None:
            sys.stdout.flush()  # while an error can still be handled
    except BrokenPipeError:
        discard_standard_output()
        return 1
    except VoiceError as error:
        print(f"vivavoce: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vivavoce", description="Self-hosted real-time speech recognition and synthesis."
    )
    parser.add_argument("--version", action="version", version=f"vivavoce {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the service")
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default 8000)")
    serve.add_argument(
        "--model", dest="transcription_model", help="default speech-to-text model (default whisper-base)"
    )
    serve.add_argument("--insecure", action="store_true", help="allow clients on other machines without an API key")
    serve.set_defaults(run=_serve)

    listening = commands.add_parser("listen", help="live captions of a file or a microphone")
    listen.add_arguments(listening)
    listening.set_defaults(run=listen.run)

    transcribing = commands.add_parser("transcribe", help="transcribe recordings to text, subtitles or JSON")
    transcribe.add_arguments(transcribing)
    transcribing.set_defaults(run=_transcribe)

    saying = commands.add_parser("say", help="speak a text")
    speak.add_arguments(saying)
    saying.set_defaults(run=speak.run)

    explaining = commands.add_parser("trace", help="explain a session from its trace, or replay it")
    trace.add_arguments(explaining)

    examining = commands.add_parser("doctor", help="check this installation")
    doctor.add_arguments(examining)

    sounding = commands.add_parser("voices", help="list voices, and make samples to hear")
    voices.add_arguments(sounding)
    sounding.set_defaults(run=_voices)

    models = commands.add_parser("models", help="list, download and delete models")
    models.set_defaults(run=_models)
    model_commands.add_commands(models)
    return parser


def read_settings(environ: Mapping[str, str], options: argparse.Namespace) -> Settings:
    """Read the settings from the environment; options of the command line override them.

    Raises:
        SystemExit: A setting is unknown or has a wrong value; a line on standard error says which.

    """
    try:
        settings = Settings.from_environ(environ)
    except ValueError as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        raise SystemExit(USAGE_ERROR) from None
    given = {name: getattr(options, name, None) for name in ("host", "port", "transcription_model")}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


def _serve(options: argparse.Namespace) -> int:
    settings = read_settings(os.environ, options)
    if settings.lacks_api_keys and not options.insecure:
        print(
            f"vivavoce: refusing to listen on {settings.host} without API keys. "
            "Set VIVAVOCE_API_KEYS, or pass --insecure to allow it.",
            file=sys.stderr,
        )
        return USAGE_ERROR
    if settings.trace is not None:
        try:
            prepare_directory(settings.trace.expanduser())
        except OSError as error:
            reason = error.strerror or error
            print(f"vivavoce: VIVAVOCE_TRACE: cannot write to {settings.trace}: {reason}", file=sys.stderr)
            return USAGE_ERROR
    try:
        tls_context(settings)
    except ValueError as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        return USAGE_ERROR
    if problem := announcement_problem(settings):
        print(f"vivavoce: {problem}", file=sys.stderr)
        return USAGE_ERROR
    logs.configure(settings)
    with ExitStack() as sockets:
        try:
            place = f"{settings.host}, port {settings.port}"
            listener = sockets.enter_context(listening_socket(settings))
            place = str(settings.wyoming_uri)
            if wyoming := wyoming_socket(settings):
                sockets.enter_context(wyoming)
        except (OSError, OverflowError) as error:
            print(f"vivavoce: cannot listen on {place}: {listening_error(error)}", file=sys.stderr)
            return 1
        models = Models(settings, InstalledEngines(settings, LoggedProgress()))
        server = Server(models, settings, wyoming)
        scheme = "http" if settings.tls_certificate is None else "https"
        logger.info("listening on %s://%s:%d", scheme, *listener.getsockname()[:2])
        if wyoming is not None:
            logger.info("listening on tcp://%s:%d for Wyoming clients", *wyoming.getsockname()[:2])
            if settings.wyoming_is_open:
                logger.warning("Wyoming has no API keys: every machine that reaches this address can use the service")
        # After its shutdown uvicorn raises the signal again. With the default handler it then ends the process even if
        # a thread is still loading a model.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        server.run(sockets=[listener])
    if server.failure is not None:
        raise server.failure
    return 0 if server.started else 1


def _transcribe(options: argparse.Namespace) -> int:
    return transcribe.run(options, read_settings(os.environ, options))


def _voices(options: argparse.Namespace) -> int:
    return voices.run(options, read_settings(os.environ, options))


def _models(options: argparse.Namespace) -> int:
    return int(options.command(options, read_settings(os.environ, options)))


if __name__ == "__main__":
    sys.exit(main())
