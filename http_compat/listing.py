"""`GET /v1/models`: what may be asked for, in the one shape that all clients can read, and whether the server is ready.

OpenAI's clients need `id`, `object`, `created` and `owned_by`; Xinference's need `model_type`.
"""

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from realtime.catalogue import ALIASES, ENTRIES, Entry, Task, find
from realtime.errors import UnknownModel
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models import Models

_TASKS: Final = {Task.TRANSCRIPTION: "automatic-speech-recognition", Task.SPEECH: "text-to-speech"}
_ABILITIES: Final = {Task.TRANSCRIPTION: ["audio2text"], Task.SPEECH: ["text2audio"]}


class Listing:
    """The endpoints that only tell."""

    def __init__(self, models: "Models", settings: Settings) -> None:
        self._models = models
        self._defaults = {
            Task.TRANSCRIPTION: find("", Task.TRANSCRIPTION, settings.recognizer),
            Task.SPEECH: find("", Task.SPEECH, settings.voice_model),
        }
        self._entries = {entry.name: entry for entry in (*ENTRIES, *self._defaults.values())}
        self._created = int(time.time())

    async def models(self, _: Request) -> Response:
        data = [self._described(name, entry) for name, entry in self._entries.items()]
        return JSONResponse({"object": "list", "data": data})

    async def model(self, request: Request) -> Response:
        name: str = request.path_params["id"]
        entry = self._defaults[ALIASES[name]] if name in ALIASES else self._entries.get(name)
        if entry is None:
            raise UnknownModel(f"The model {name!r} does not exist.", param="model")
        return JSONResponse(self._described(name, entry))

    async def livez(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        if self._models.ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "loading"}, HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": "5"})

    def _described(self, name: str, entry: Entry) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": self._created,
            "owned_by": "vivavoce",
            "model_type": "audio",
            "model_name": entry.name,
            "model_family": entry.engine.value,
            "model_ability": _ABILITIES[entry.task],
            "task": _TASKS[entry.task],
            "language": list(entry.languages),
            "multilingual": entry.multilingual,
            "licence": entry.licence,
            "loaded": self._models.is_loaded(entry.name),
        }
