"""Serve the application with uvicorn: limits, shutdown, and redaction of its log."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Sequence
from types import FrameType
from typing import Final

import uvicorn

from realtime.app import create_app
from realtime.edge.drain import Drain
from realtime.edge.guarded_protocols import GuardedHttpProtocol, GuardedWebSocketProtocol
from realtime.edge.service_manager import ServiceManager
from realtime.edge.successor import Successor
from realtime.models.models import Models
from realtime.settings import Settings
from realtime.tls import tls_context
from realtime.wire.dialects import without_key

logger = logging.getLogger("vivavoce")

REFUSED: Final = "ASGI callable returned without completing handshake."
"""What uvicorn logs as an error after a websocket was refused with an HTTP response, which is no error."""

DRAIN_INTERVAL: Final = 0.02
"""Seconds between two looks at whether all work has ended."""

ACCEPTED_SECONDS: Final = 1.0
"""Seconds in which connections that this process has accepted may send a request, when another one accepts the next.

Clients send it with the next packet, so that it arrives within a round trip; the longest ones on earth take 0.5 s.
uvloop reports a connection only after it has accepted it, so that there may be some although none is known.
"""

CLOSING_SECONDS: Final = 1
"""Seconds for closing the connections that are left when the service has drained, or its time for that is over."""


class Server(uvicorn.Server):
    """Run the application in uvicorn until a signal, or until a default model cannot be loaded.

    In that case `failure` is the exception. A signal begins the drain (`realtime.edge.drain`), a second one ends it.
    """

    def __init__(
        self,
        models: Models,
        settings: Settings,
        wyoming: socket.socket | None = None,
        *,
        successor: bool = False,
        accept_when_ready: bool = False,
        manager: ServiceManager | None = None,
        owns_process: bool = False,
    ) -> None:
        """Serve Wyoming clients from the listening socket `wyoming`, too, if there is one.

        With `successor`, another process accepts connections from the same sockets when this one drains, and with
        `accept_when_ready` until the default models of this one are loaded. `manager` is told when the service is
        ready, and that it is alive, as long as no engine stalls. With `owns_process`, the process does nothing else:
        there the garbage collector no longer looks at what has been loaded. With 200 streams a full collection held up
        the event loop for 110 ms, and for 4 ms without that.

        Raises `ValueError` if the files for TLS cannot be used.
        """
        tls = tls_context(settings)
        logging.getLogger("uvicorn.error").addFilter(_redact)
        self.drain = Drain()
        super().__init__(
            uvicorn.Config(
                create_app(models, settings, self.drain, self._end, wyoming),
                http=GuardedHttpProtocol,
                ws=GuardedWebSocketProtocol,
                ws_max_size=settings.max_message_bytes,
                ws_per_message_deflate=False,
                # The socket of a saturated session is not read, so that pongs may wait behind audio for any time. Dead
                # peers are detected by TCP (`edge/listening_sockets.py`), and by the timeouts of each session.
                ws_ping_timeout=None,
                log_config=None,  # keep the logging configuration of the process
                forwarded_allow_ips=_as_reported(settings.trusted_proxies),
                access_log=False,  # it would contain query strings
                timeout_graceful_shutdown=CLOSING_SECONDS,
                ssl_context_factory=None if tls is None else lambda *_: tls,
            )
        )
        self._models = models
        self._drain_timeout_seconds = settings.drain_timeout_seconds
        self._listeners: list[socket.socket] = []
        self._wyoming = wyoming
        self._accept_when_ready = accept_when_ready
        self._successor = successor
        self._manager = manager or ServiceManager({})
        self._owns_process = owns_process
        self._handing_over: asyncio.Task[None] | None = None
        self._signalled = asyncio.Event()
        self.servers = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and serve it."""
        self._loop = asyncio.get_running_loop()
        self._listeners = sockets or []
        opening = self._models.open()
        if self.should_exit:  # by a signal that came before there was an event loop
            self._signalled.set()
        if self._accept_when_ready:
            ending = asyncio.create_task(self._signalled.wait())
            await asyncio.wait([opening, ending], return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if not self._models.ready:
                self.failure = None if not opening.done() or opening.cancelled() else opening.exception()
                self.should_exit = True
                await self._models.close()
                return
        await super().startup(sockets)
        opening.add_done_callback(self._opened)
        self._beat(self._loop)

    def _opened(self, opening: "asyncio.Task[None]") -> None:
        if not opening.cancelled() and opening.exception() is None:
            if self._owns_process:
                gc.freeze()
            self._manager.ready()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the manager that the service is alive, now and regularly, unless an engine does not answer."""
        if self._manager.heartbeat_seconds is not None:
            if not self._models.stalled:
                self._manager.alive()
            loop.call_later(self._manager.heartbeat_seconds, self._beat, loop)

    def hand_over(self) -> None:
        """Have another process take over the listening sockets, and drain when it is ready; for signal handlers."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_hand_over)

    def _begin_hand_over(self) -> None:
        if os.getpid() == 1:
            logger.error("not restarted: the container would end with its first process; start another container")
        elif not self.should_exit and (self._handing_over is None or self._handing_over.done()):
            self._handing_over = asyncio.create_task(self._hand_over())

    async def _hand_over(self) -> None:
        """Start another process of the service, and drain when it is ready. If it does not start, go on."""
        sockets = {"--fd": self._listeners[0].fileno()}
        if self._wyoming is not None:
            sockets["--wyoming-fd"] = self._wyoming.fileno()
        self._manager.reloading()
        try:
            successor = Successor(sockets)
        except OSError as error:
            logger.error("not restarted: %s", error.strerror or error)  # noqa: TRY400 - no bug
            self._manager.ready()
            return
        logger.info("process %d is about to take over", successor.process_id)
        ready = await successor.ready()
        if self.should_exit:  # a signal has come at the same time
            await successor.end()
        elif ready:
            logger.info("process %d has taken over", successor.process_id)
            self._manager.leave()
            self._successor = True
            # So that the process ends as after a signal, even if a thread still loads a model or sends spans.
            self.handle_exit(signal.SIGTERM, None)
        else:
            logger.error("not restarted: process %d did not start", successor.process_id)
            self._manager.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop loading models, so that requests waiting for them are answered, drain, and shut down.

        Meanwhile connections are accepted, so that health checks and refusals are answered, unless there is a successor
        for them.
        """
        self._models.stop_opening()
        if self._successor:
            await self._leave_to_successor()
        self._begin_drain()
        if self._busy:
            logger.info(
                "draining for at most %.0f seconds; open sessions: %d; a second signal ends them",
                self.drain.seconds_left,
                self.drain.sessions,
            )
        while self._busy and self.drain.seconds_left and not self.force_exit:  # noqa: ASYNC110 - nobody notifies
            await asyncio.sleep(DRAIN_INTERVAL)
        await super().shutdown(sockets)
        if self._owns_process:
            gc.unfreeze()  # libraries report what they find at the end of the process as leaked

    @property
    def _busy(self) -> bool:
        """Whether a session is connected or a request is being answered."""
        return bool(self.server_state.tasks) or self.drain.sessions > 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; with a second signal, whichever it is, end."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)
        if self._loop is not None:  # at once, and not when uvicorn next looks
            self._loop.call_soon_threadsafe(self._begin_end)

    def _begin_end(self) -> None:
        """End what a signal ends at once: a start, a hand-over, and that the service is ready."""
        self._signalled.set()
        if self._handing_over is not None:
            self._handing_over.cancel()
        if not self._successor:
            self._begin_drain()

    async def _leave_to_successor(self) -> None:
        """Accept no more connections, and serve what those that have been accepted ask for before they are idle."""
        for server in self.servers:
            server.close()
        self.drain.leave_to_successor()
        await asyncio.sleep(ACCEPTED_SECONDS)
        for connection in [*self.server_state.connections]:
            if isinstance(connection, GuardedHttpProtocol):
                connection.shutdown()

    def _begin_drain(self) -> None:
        self._manager.stopping()
        self.drain.begin(0 if self.failure else self._drain_timeout_seconds)

    def _end(self, failure: BaseException) -> None:
        self.failure = failure
        self.should_exit = True


def _as_reported(proxies: Sequence[str]) -> list[str]:
    """Return addresses and networks as sockets report them: those for both versions of IP report IPv4 as IPv6."""
    mapped = []
    for each in proxies:
        address, slash, bits = each.partition("/")
        if ":" not in address and "." in address:
            mapped.append(f"::ffff:{address}{slash}{96 + int(bits) if bits.isdecimal() else bits}")
    return [*proxies, *mapped]


def _redact(record: logging.LogRecord) -> bool:
    """Remove query strings and keys in paths from a record of uvicorn.

    Drop `REFUSED`, and DEBUG records, which hold client data.
    """
    if isinstance(record.args, tuple):
        record.args = tuple(
            without_key(each.partition("?")[0]) if isinstance(each, str) else each for each in record.args
        )
    return record.levelno > logging.DEBUG and record.msg != REFUSED
