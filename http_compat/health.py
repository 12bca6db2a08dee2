"""Health checks: `/livez` and `/health` (the service works) and `/readyz` (it takes work)."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from realtime.edge.drain import Drain
from realtime.errors import RETRY_AT_ONCE, RETRY_LATER, RETRY_SOON

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService


class HealthEndpoints:
    """The health checks of a server."""

    def __init__(self, models: "ModelService", drain: Drain) -> None:
        self._models = models
        self._drain = drain

    async def livez(self, _: Request) -> Response:
        if self._models.stalled:
            return _unavailable("stalled", RETRY_LATER)
        return JSONResponse({"status": "ok", "message": "OK"})

    async def readyz(self, _: Request) -> Response:
        if self._drain.begun:
            return _unavailable("draining", RETRY_LATER)
        if not self._models.ready:
            return _unavailable("loading", RETRY_AT_ONCE)
        if self._models.recovering:
            return _unavailable("restarting", RETRY_SOON)
        return JSONResponse({"status": "ready"})


def _unavailable(status: str, retry_after: int) -> Response:
    return JSONResponse({"status": status}, HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": str(retry_after)})
