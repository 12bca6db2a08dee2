"""Health checks: `/livez` and `/health` (the process is running) and `/readyz` (the default models are loaded)."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from realtime.errors import RETRY_SOON

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService


class HealthEndpoints:
    """The health checks of a server."""

    def __init__(self, models: "ModelService") -> None:
        self._models = models

    async def livez(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "message": "OK"})

    async def readyz(self, _: Request) -> Response:
        if self._models.ready:
            return JSONResponse({"status": "ready"})
        headers = {"retry-after": str(RETRY_SOON)}
        return JSONResponse({"status": "loading"}, HTTPStatus.SERVICE_UNAVAILABLE, headers)
