"""The web page of the service: the files of `clients/browser`, at `/` and below."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIRECTORY: Final = Path(str(files("clients"))) / "browser"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src blob:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""What the page may load and run (W3C Content Security Policy Level 3): nothing from elsewhere, nothing inline."""

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "permissions-policy": "microphone=(self), display-capture=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",  # browsers ask for changes: the page and its modules must be of one version
}

_PAGES: Final = {"index.html": "/", "overlay.html": "/overlay", "status.html": "/status"}
"""The paths of the pages; other files have that of their name."""

_SUFFIXES: Final = frozenset({".css", ".html", ".js", ".svg"})


class _Files(StaticFiles):
    """Files with `HEADERS`."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


def routes() -> list[BaseRoute]:
    """Return one route for each file, so that all other paths are answered as before."""
    served = _Files(directory=DIRECTORY)

    def route(name: str) -> Route:
        async def respond(request: Request) -> Response:
            return await served.get_response(name, request.scope)

        return Route(_PAGES.get(name, f"/{name}"), respond, methods=["GET"])

    names = (file.relative_to(DIRECTORY) for file in sorted(DIRECTORY.rglob("*")) if file.suffix in _SUFFIXES)
    return [route(name.as_posix()) for name in names]
