"""What Xinference's clients ask for besides audio: launching and terminating models, and whether keys are needed.

A model is loaded when somebody first asks for it, launched or not; to launch one is to have it loaded now, perhaps
under a name of one's own.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.disconnect import while_connected
from http_compat.errors import QueueFull
from http_compat.limits import bounded
from http_compat.parsing.bodies import read_json
from http_compat.xinference.names import LaunchedNames
from realtime.edge.access import match_key
from realtime.errors import ClientError, Unauthorized, VoiceError
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

logger = logging.getLogger(__name__)

_MAX_BYTES: Final = 64 * 1024
_MAX_LAUNCHES: Final = 16
"""Clients that may wait for their models at the same time."""

_AT_ONCE: Final = 0.1
"""Seconds in which a name is found to be unknown, for those who wait no longer."""


class LaunchBody(msgspec.Struct, frozen=True):
    """What to launch, and under which name. All else that the clients send concerns clusters and is left alone."""

    model_name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    model_uid: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    model_type: str | None = None


class Login(msgspec.Struct, frozen=True):
    """A name, which is not looked at, and a password, which is one of the server's keys."""

    username: str
    password: str


class Xinference:
    """The endpoints of Xinference's supervisor."""

    def __init__(self, models: "ModelService", settings: Settings, names: LaunchedNames) -> None:
        self._models = models
        self._settings = settings
        self._names = names
        self._launches: set[asyncio.Task[None]] = set()

    async def launch(self, request: Request) -> Response:
        """Answer when the model is loaded; with `?wait_ready=False` at once, unless the name is unknown."""
        body = await read_json(self._limited(request), LaunchBody)
        if body.model_type not in {None, "audio"}:
            raise ClientError("All models here are of the type audio.", param="model_type")
        if len(self._launches) >= _MAX_LAUNCHES:
            raise QueueFull("Too many models are being launched.")
        uid = body.model_uid or body.model_name
        launch = asyncio.create_task(self._launch(uid, body.model_name))
        self._launches.add(launch)
        launch.add_done_callback(self._launched)
        timeout = _AT_ONCE if request.query_params.get("wait_ready", "").lower() == "false" else None
        await while_connected(request, _wait(launch, timeout))
        return JSONResponse({"model_uid": uid})

    async def terminate(self, request: Request) -> Response:
        """Unload the model; the files stay. The answer is what OpenAI's clients expect of a deletion."""
        uid: str = request.path_params["id"]
        if entry := self._names.unused_without(uid):
            await self._models.unload(entry)
        self._names.forget(uid)
        return JSONResponse({"id": uid, "object": "model", "deleted": True})

    async def needs_key(self, _: Request) -> Response:
        """The clients ask without a key, and send theirs only if they are told to."""
        return JSONResponse({"auth": bool(self._settings.api_keys)})

    async def token(self, request: Request) -> Response:
        login = await read_json(self._limited(request), Login)
        if match_key([login.password], self._settings.api_keys) is None:
            raise Unauthorized("The password must be one of the server's keys.")
        return JSONResponse({"access_token": login.password, "token_type": "bearer"})

    async def _launch(self, uid: str, name: str) -> None:
        entry = self._names.entry(name)
        self._names.check(uid, entry)
        await self._models.load(entry)
        self._names.launch(uid, entry)

    def _launched(self, launch: asyncio.Task[None]) -> None:
        """Log what went wrong, which nobody may have waited for."""
        self._launches.discard(launch)
        if not launch.cancelled() and (error := launch.exception()) is not None:
            bug = None if isinstance(error, VoiceError) else error
            logger.warning("a launch failed: %s", type(error).__name__, exc_info=bug)

    def _limited(self, request: Request) -> Request:
        return bounded(request, _MAX_BYTES, self._settings.idle_timeout_seconds)


async def _wait(launch: asyncio.Task[None], timeout: float | None) -> None:
    """Wait for the end of the launch, or no longer than `timeout`; leaving early does not stop it."""
    done, _ = await asyncio.wait({launch}, timeout=timeout)
    for each in done:
        each.result()
