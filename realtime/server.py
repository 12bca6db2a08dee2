"""How the application is put on the network: uvicorn, its limits, its log and its socket."""

import logging
import socket
from typing import Final

import uvicorn

from realtime.app import create_app
from realtime.models.models import Models
from realtime.settings import Settings

REFUSED: Final = "ASGI callable returned without completing handshake."


class Server(uvicorn.Server):
    """uvicorn with the application. It also ends when the default models cannot be loaded: `failure` says why."""

    def __init__(self, models: Models, settings: Settings) -> None:
        logging.getLogger("uvicorn.error").addFilter(_discreet)
        super().__init__(
            uvicorn.Config(
                create_app(models, settings, self._end),
                ws="websockets-sansio",
                ws_max_size=settings.max_message_bytes,
                ws_per_message_deflate=False,
                # While a session is saturated its socket is not read, and pongs wait behind the audio: no time is too
                # long for them. Dead peers are found by TCP (see `listening_socket`) and by the patience of each
                # session.
                ws_ping_timeout=None,
                log_config=None,  # that of the whole process
                access_log=False,  # it would hold query strings
                timeout_graceful_shutdown=5,
            )
        )
        self._models = models
        self.failure: BaseException | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._models.stop_opening()  # or those who wait for them would be cut off after a while
        await super().shutdown(sockets)

    def _end(self, failure: BaseException) -> None:
        self.failure = failure
        self.should_exit = True


def _discreet(record: logging.LogRecord) -> bool:
    """Keep what clients send out of uvicorn's log: query strings and, of websockets, every header and frame.

    And what it says of every socket that was refused, as if the refusal had not been sent.
    """
    if isinstance(record.args, tuple):
        record.args = tuple(each.partition("?")[0] if isinstance(each, str) else each for each in record.args)
    return record.levelno > logging.DEBUG and record.msg != REFUSED


def listening_socket(settings: Settings) -> socket.socket:
    """The listening socket. Sockets accepted from it notice a peer that no longer takes what it is sent."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.create_server((settings.host, settings.port), family=family, backlog=128)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.send_timeout_seconds * 4000))
    return listener
