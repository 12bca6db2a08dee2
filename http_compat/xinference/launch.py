"""Launching and terminating models, as Xinference's clients do.

A model is loaded on first use, launched or not. Launching loads it now, and can give it another name.
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
from http_compat.parsing.form_fields import query_fields
from http_compat.xinference.names import LaunchedNames
from realtime.errors import ClientError, VoiceError
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

logger = logging.getLogger(__name__)

_MAX_BYTES: Final = 64 * 1024
"""Maximum size of a body in bytes."""

_MAX_LAUNCHES: Final = 16
"""Launches that may be in progress at the same time."""

_CHECK_SECONDS: Final = 0.1
"""Seconds a request with `wait_ready=False` waits, to report errors that appear at once, such as an unknown name."""


class LaunchBody(msgspec.Struct, frozen=True):
    """The model to launch and the name to give it; other fields, which concern clusters, are ignored."""

    model_name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    model_uid: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    model_type: str | None = None


class LaunchEndpoints:
    """The endpoints for launching and terminating models."""

    def __init__(self, models: "ModelService", settings: Settings, names: LaunchedNames) -> None:
        self._models = models
        self._settings = settings
        self._names = names
        self._launches: set[asyncio.Task[None]] = set()

    async def launch(self, request: Request) -> Response:
        """Load a model and respond when it is loaded, or with `?wait_ready=False` at once."""
        body = await read_json(bounded(request, _MAX_BYTES, self._settings.idle_timeout_seconds), LaunchBody)
        if body.model_type not in {None, "audio"}:
            raise ClientError("`model_type` must be audio.", param="model_type")
        timeout = _CHECK_SECONDS if query_fields(request.query_params).flag("wait_ready") is False else None
        if len(self._launches) >= _MAX_LAUNCHES:
            raise QueueFull("Too many models are being loaded.")
        uid = body.model_uid or body.model_name
        launch = asyncio.create_task(self._launch(uid, body.model_name))
        self._launches.add(launch)
        launch.add_done_callback(self._launched)
        await while_connected(request, _wait(launch, timeout))
        return JSONResponse({"model_uid": uid})

    async def terminate(self, request: Request) -> Response:
        """Unload a model and keep its files; the response is that of OpenAI's API for deletions."""
        uid: str = request.path_params["id"]
        if entry := self._names.unused_without(uid):
            await self._models.unload(entry)
        self._names.forget(uid)
        return JSONResponse({"id": uid, "object": "model", "deleted": True})

    async def _launch(self, uid: str, name: str) -> None:
        entry = self._names.entry(name)
        self._names.check(uid, entry)
        await self._models.load(entry)
        self._names.launch(uid, entry)

    def _launched(self, launch: asyncio.Task[None]) -> None:
        """Log a failed launch, because its client may not have waited for the result."""
        self._launches.discard(launch)
        if not launch.cancelled() and (error := launch.exception()) is not None:
            unexpected = None if isinstance(error, VoiceError) else error
            logger.warning("a launch failed: %s", type(error).__name__, exc_info=unexpected)


async def _wait(launch: asyncio.Task[None], timeout: float | None) -> None:
    """Wait at most `timeout` seconds for the launch, which goes on after that. Raises what the launch raised."""
    done, _ = await asyncio.wait({launch}, timeout=timeout)
    for each in done:
        each.result()
