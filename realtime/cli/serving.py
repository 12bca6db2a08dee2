"""Running the service of `vivavoce serve`, whose port is open: what needs all of the service."""

import logging
import os
import signal
import socket

from clients.cli.exit_codes import ExitCode
from clients.cli.terminal import warn
from realtime import logs
from realtime.cli.wyoming_checks import announcement_problem
from realtime.edge.service_manager import ServiceManager
from realtime.engines.registry import InstalledEngines
from realtime.models.models import Models
from realtime.server import Server
from realtime.settings import Settings
from realtime.tls import tls_context
from realtime.tracing.files import prepare_directory
from realtime.weights.progress import LoggedProgress

logger = logging.getLogger("vivavoce")


def serve(
    settings: Settings,
    listener: socket.socket,
    wyoming: socket.socket | None,
    *,
    successor: bool,
    ready_descriptor: int | None,
) -> int:
    """Serve from these sockets until a signal, and return the exit code. Raises what ended the service.

    Another process accepts connections from them, too, if this one is its `successor`. A line is written to
    `ready_descriptor` when the service is ready, and not before that it accepts connections.
    """
    if problem := _problem(settings):
        warn("serve", problem)
        return ExitCode.USAGE
    logs.configure(settings)
    models = Models(settings, InstalledEngines(settings, LoggedProgress(), measure_layouts=not successor))
    server = Server(
        models,
        settings,
        wyoming,
        successor=successor,
        accept_when_ready=ready_descriptor is not None,
        manager=ServiceManager(os.environ, ready_descriptor),
        owns_process=True,
    )
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
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        at_terminal = _has_terminal()
        signal.signal(signal.SIGHUP, lambda *_: _hang_up(server, at_terminal=at_terminal))
    server.run(sockets=[listener])
    if server.failure is not None:
        raise server.failure
    return 0 if server.started else 1


def _problem(settings: Settings) -> str | None:
    """Return which setting cannot be followed on this machine, and why; None if all can."""
    if settings.trace is not None:
        try:
            prepare_directory(settings.trace.expanduser())
        except OSError as error:
            return f"VIVAVOCE_TRACE: cannot write to {settings.trace}: {error.strerror or error}"
    try:
        tls_context(settings)
    except ValueError as error:
        return str(error)
    return announcement_problem(settings)


def _has_terminal() -> bool:
    """Return whether there is a terminal whose end would end this process."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _hang_up(server: Server, *, at_terminal: bool) -> None:
    """Handle SIGHUP: end as with SIGTERM if the terminal has been closed, else hand over to another process."""
    if at_terminal and not _has_terminal():
        server.handle_exit(signal.SIGTERM, None)
    else:
        server.hand_over()


def _end(number: int, *, drained: bool) -> None:
    """End the process after its shutdown: with code 0 if it has `drained`, else by the signal."""
    logging.shutdown()
    if drained:
        os._exit(0)
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
