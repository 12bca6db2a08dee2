"""The paths of Azure OpenAI, which are those of OpenAI's API below `/openai`.

Azure's clients name a deployment where others name a model: in the path (`/openai/deployments/NAME/audio/speech`), or
of a websocket in the query. It stands for the model where the request names none. The `api-version` is ignored: what
the versions differ in, this server does not have.
"""

import re
from collections.abc import Awaitable
from typing import Final
from urllib.parse import parse_qs, urlencode

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

_PATH: Final = re.compile(r"/openai(?:/v1|/deployments/(?P<deployment>[^/]+))?(?P<rest>/(?:audio/|models|realtime).*)")

_DEPLOYMENT: Final = "deployment"


def names_deployment(request: HTTPConnection) -> bool:
    """Return whether the model of a request is the name of a deployment, which its owner has chosen freely."""
    return bool(request.scope.get("state", {}).get(_DEPLOYMENT))


class AzurePathMiddleware:
    """Middleware that turns a path of Azure's into OpenAI's, for HTTP and websockets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if found := _PATH.fullmatch(scope.get("path", "")):
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            names = [found["deployment"]] if found["deployment"] else query.get("deployment", [])
            if names and not any(query.get("model", [])):
                query["model"] = names[-1:]
            encoded = urlencode(query, doseq=True).encode()
            scope = {**scope, "path": "/v1" + found["rest"], "query_string": encoded}
            scope["state"] = {**scope.get("state", {}), _DEPLOYMENT: found["deployment"] is not None}
        return self._app(scope, receive, send)
