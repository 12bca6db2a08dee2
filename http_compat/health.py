"""Health checks: `/livez` and `/health` (the process is running) and `/readyz` (the default models are loaded)."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

_RETRY_AFTER: Final = 5
"""Seconds after which to ask a loading server again."""


class HealthEndpoints:
    """The health checks of a server."""

    def __init__(self, models: "ModelService") -> None:
        self._models = models

    async def livez(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "message": "OK"})

    async def readyz(self, _: Request) -> Response:
        if self._models.ready:
            return JSONResponse({"status": "ready"})
        headers = {"retry-after": str(_RETRY_AFTER)}
        return JSONResponse({"status": "loading"}, HTTPStatus.SERVICE_UNAVAILABLE, headers)
