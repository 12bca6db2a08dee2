"""The server of a command: its address, the API key that is sent to it, and the name that it gives a session."""

import argparse
import ipaddress
import os
import ssl
from collections.abc import Collection
from urllib.parse import urlsplit

from clients.aio import DEFAULT_URL
from clients.cli.exit_codes import ExitCode, code_of
from clients.cli.terminal import warn
from clients.cli.values import websocket_url
from clients.errors import RealtimeError
from clients.events import Event, Other, ResponseDone


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--url`, `--api-key` and `--verbose`."""
    parser.add_argument(
        "--url", type=websocket_url, default=DEFAULT_URL, help="address of the server (default: %(default)s)"
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
    hint = ". Is the server running? Start it with `vivavoce serve`" if is_nobody_there and _is_local(url) else ""
    warn(command, f"{error}{hint}")
    return code_of(error)


def warn_of_loss(command: str, reason: str) -> None:
    """Say why the connection is lost, and that there will be another one."""
    warn(command, f"{reason.removesuffix('.')}; connecting again")


def substituted(session: object) -> Collection[str]:
    """Return which of `language`, `model` and `voice` the server does not know, by its session object."""
    match session:
        case {"x_substituted": [*names]}:
            return names
        case _:
            return ()


def warn_of_voice(command: str, wanted: str | None, session: object) -> None:
    """Warn if the server does not know the voice, by its session object; it uses its default then."""
    match session:
        case {"audio": {"output": {"voice": used}}} if "voice" in substituted(session):
            warn(command, f"the server has no voice {wanted}, it uses {used}")


def warn_of_languages(command: str, done: ResponseDone) -> None:
    """Warn of text in languages that the voice does not speak."""
    if done.unspoken_languages:
        named = " and ".join(done.unspoken_languages)
        warn(command, f"the text is in a language that the voice does not speak ({named}), and is hard to understand")


class SessionName:
    """The name of a session in the server's log, on its page `/status` and of its trace.

    It is told at once if the command is `verbose`, and otherwise when something has failed.
    """

    def __init__(self, command: str, *, verbose: bool) -> None:
        self._command = command
        self._verbose = verbose
        self._name: object = None

    def see(self, event: Event) -> bool:
        """Note the name in the confirmation of a session; return whether the event is one, of another session."""
        match event:
            case Other(raw={"type": "session.updated", "session": {"id": str(name)}}):
                return self.note(name)
            case _:
                return False

    def note(self, name: object) -> bool:
        """Note the name of the session, None if the server has not given it one; return whether it is another."""
        is_new = name not in (None, self._name)
        if is_new and self._verbose:
            warn(self._command, f"session {name}")
        self._name = name
        return is_new

    def tell_after(self, code: int) -> int:
        """Tell the name if the command has failed or found no speech; return its exit code."""
        if code != ExitCode.OK and self._name is not None and not self._verbose:
            warn(self._command, f"session {self._name} in the log and the traces of the server")
        return code
