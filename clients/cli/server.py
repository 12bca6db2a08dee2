"""The server of a command: its address, the API key that is sent to it, and the name that it gives a session."""

import argparse
import ipaddress
import os
import ssl
from urllib.parse import urlsplit

from clients.aio import DEFAULT_URL
from clients.cli.exit_codes import ExitCode, code_of
from clients.cli.terminal import warn
from clients.cli.values import server_url
from clients.errors import RealtimeError
from clients.events import Disconnected, Event, Other, Reconnected, ResponseDone


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--url`, `--api-key` and `--verbose`."""
    parser.add_argument(
        "--url",
        type=server_url,
        default=DEFAULT_URL,
        help="address of the server, such as 127.0.0.1:8000 (default: %(default)s)",
    )
    parser.add_argument("--api-key", help="API key (default: $OPENAI_API_KEY for a local server or wss)")
    parser.add_argument("--verbose", action="store_true", help="say by which name the server knows the session")


def key_for(url: str, given: str | None) -> str | None:
    """Return the given key, or `$OPENAI_API_KEY` if the server is on this machine or reached through TLS.

    The variable may hold a key of another service, which must not cross a network in the clear.
    """
    is_private = urlsplit(url).scheme == "wss" or _is_local(url)
    return given or (os.environ.get("OPENAI_API_KEY") if is_private else None)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def report(command: str, error: RealtimeError, url: str) -> ExitCode:
    """Say why there is no session, and return the exit code."""
    is_nobody_there = isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, ssl.SSLError)
    is_ours = _is_local(url) and urlsplit(url).scheme != "wss"  # `vivavoce serve` does not speak TLS by itself
    hint = f". {_how_to_start(url)}" if is_nobody_there and is_ours else ""
    warn(command, f"{error}{hint}")
    return code_of(error)


def _how_to_start(url: str) -> str:
    port = urlsplit(url).port or 80
    ports = "" if port == urlsplit(DEFAULT_URL).port else f" --port {port}"
    return f"Start one with `vivavoce serve{ports}`, or give the address of another with --url"


def warn_of_waiting(command: str, reason: str) -> None:
    """Say why there is no session yet, and that there may be one soon."""
    warn(command, f"{reason.removesuffix('.')}; waiting")


class ConnectionWarnings:
    """Says why a command has no connection, each reason once in a row, and when it has one."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._told = ""

    def tell(self, event: Disconnected | Reconnected, *, was_open: bool) -> None:
        """Say what has become of the connection; `was_open` says whether there was one before."""
        match event:
            case Disconnected(reason=reason) if reason == self._told:
                pass
            case Disconnected(reason=reason) if was_open:
                warn(self._command, f"{reason.removesuffix('.')}; connecting again")
            case Disconnected(reason=reason):
                warn_of_waiting(self._command, reason)
            case Reconnected():
                warn(self._command, "connected again" if was_open else "connected")
        self._told = event.reason if isinstance(event, Disconnected) else ""


def warn_of_languages(command: str, done: ResponseDone) -> None:
    """Warn of text in languages that the voice does not speak."""
    if done.unspoken_languages:
        named = " and ".join(done.unspoken_languages)
        warn(command, f"the text is in a language that the voice does not speak ({named}), and is hard to understand")


class SessionName:
    """The name of a session in the server's log, on its page `/status` and of its trace.

    It is told at once if the command is `verbose`, and otherwise when something has failed.

    Attributes:
        opened: Whether there has been a session, named or not.
    """

    def __init__(self, command: str, *, verbose: bool) -> None:
        self._command = command
        self._verbose = verbose
        self._name: object = None
        self.opened = False

    def see(self, event: Event) -> bool:
        """Note the name in the confirmation of a session; return whether the event is one, of another session."""
        match event:
            case Other(raw={"type": "session.updated", "session": {"id": str(name)}}):
                return self.note(name)
            case Other(raw={"type": "session.updated"}):
                return self.note(None)
            case _:
                return False

    def note(self, name: object) -> bool:
        """Note the name of the session, None if the server has not given it one; return whether it is another."""
        self.opened = True
        is_new = name not in (None, self._name)
        if is_new and self._verbose:
            warn(self._command, f"session {name}")
        self._name = name or self._name
        return is_new

    def tell_after(self, code: int) -> int:
        """Tell the name if the command has failed or found no speech; return its exit code."""
        if code != ExitCode.OK and self._name is not None and not self._verbose:
            warn(self._command, f"session {self._name} in the log and the traces of the server")
        return code
