"""The command `vivavoce serve`."""

import argparse
import logging
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace

from realtime import logs
from realtime.cli.output import USAGE_ERROR
from realtime.cli.wyoming_checks import announcement_problem
from realtime.engines.registry import InstalledEngines
from realtime.models.models import Models
from realtime.server import Server, inherited_socket, listening_error, listening_socket, tls_context, wyoming_socket
from realtime.settings import Settings
from realtime.tracing.files import prepare_directory
from realtime.weights.progress import LoggedProgress

logger = logging.getLogger("vivavoce")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8000)")
    parser.add_argument(
        "--model", dest="transcription_model", help="default speech-to-text model (default whisper-base)"
    )
    parser.add_argument(
        "--fd", type=int, help="file descriptor of a listening TCP socket to use instead, as by systemd (3)"
    )
    parser.add_argument("--insecure", action="store_true", help="allow clients on other machines without an API key")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the service until it is stopped, and return the exit code. Raises what ended the service."""
    inherited = None
    if options.fd is not None:
        try:
            inherited = inherited_socket(options.fd, settings)
        except OSError as error:
            print(f"vivavoce: cannot use --fd {options.fd}: {listening_error(error)}", file=sys.stderr)
            return USAGE_ERROR
        host, port = inherited.getsockname()[:2]
        settings = replace(settings, host=host, port=port)
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
            listener = sockets.enter_context(inherited or listening_socket(settings))
            place = str(settings.wyoming_uri)
            if wyoming := wyoming_socket(settings):
                sockets.enter_context(wyoming)
        except (OSError, OverflowError) as error:
            print(f"vivavoce: cannot listen on {place}: {listening_error(error)}", file=sys.stderr)
            return 1
        models = Models(settings, InstalledEngines(settings, LoggedProgress()))
        server = Server(models, settings, wyoming, successor=inherited is not None)
        scheme = "http" if settings.tls_certificate is None else "https"
        logger.info("listening on %s://%s:%d", scheme, *listener.getsockname()[:2])
        if wyoming is not None:
            logger.info("listening on tcp://%s:%d for Wyoming clients", *wyoming.getsockname()[:2])
            if settings.wyoming_is_open:
                logger.warning("Wyoming has no API keys: every machine that reaches this address can use the service")
        # After its shutdown uvicorn raises the signal again. That ends the process even if a thread is still loading a
        # model: Ctrl-C as it usually does, and what a supervisor sends without an error.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, lambda number, _: _end(number, drained=not server.force_exit))
        server.run(sockets=[listener])
    if server.failure is not None:
        raise server.failure
    return 0 if server.started else 1


def _end(number: int, *, drained: bool) -> None:
    """End the process after its shutdown: with code 0 if it has `drained`, else by the signal."""
    logging.shutdown()
    if drained:
        os._exit(0)
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
