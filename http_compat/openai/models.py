"""What may be asked for, in the one shape that all clients can read, and whether the server is ready.

OpenAI's clients need `id`, `object`, `created` and `owned_by`; Xinference's need `model_type`. OpenAI has no way to
list voices; servers like this one list them at `/v1/audio/voices`, under either of two names.
"""

import time
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.disconnect import while_connected
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.errors import ClientError
from realtime.weights.progress import Step

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

TASK_NAMES: Final = {Task.TRANSCRIPTION: "automatic-speech-recognition", Task.SPEECH: "text-to-speech"}
_ABILITIES: Final = {Task.TRANSCRIPTION: ["audio2text"], Task.SPEECH: ["text2audio"]}


class ModelEndpoints:
    """The endpoints that only tell."""

    def __init__(self, models: "ModelService", names: ModelNames) -> None:
        self._models = models
        self._names = names
        self._created = int(time.time())

    async def models(self, request: Request) -> Response:
        """All models, or those of a `task`."""
        return JSONResponse({"object": "list", "data": self._model_list(request)})

    async def audio_models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "models": self._model_list(request)})

    async def model(self, request: Request) -> Response:
        name: str = request.path_params["id"]
        return JSONResponse(self._model_body(name, self._names.entry(name)))

    async def voices(self, request: Request) -> Response:
        """The voices of a `model`, which is loaded for it, or else of the default."""
        entry = self._names.resolve(request.query_params.get("model", ""), Task.SPEECH)
        async with AsyncExitStack() as leases:
            lease = leases.enter_async_context(self._models.lease_synthesizer(entry))
            synthesizer = await while_connected(request, lease)
            voices = [
                {"id": voice, "name": voice, "object": "audio.voice", "model": synthesizer.name}
                for voice in synthesizer.voices
            ]
        return JSONResponse({"object": "list", "voices": voices, "data": voices})

    async def loaded(self, _: Request) -> Response:
        return JSONResponse({"models": sorted(entry.name for entry in self._models.loaded())})

    async def loading(self, _: Request) -> Response:
        """All that is being loaded."""
        return JSONResponse({"models": [_step_body(step) for step in self._models.progress().values()]})

    async def progress(self, request: Request) -> Response:
        """Whether one model is loaded, and how far the stage has come that it is in."""
        entry = self._names.entry(request.path_params["id"])
        if self._models.is_loaded(entry):
            return JSONResponse({"model": entry.name, "stage": "loaded", "progress": 1.0})
        step = self._models.progress().get(entry.name)
        return JSONResponse(_step_body(step) if step else {"model": entry.name, "stage": "not_loaded", "progress": 0.0})

    async def livez(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "message": "OK"})

    async def readyz(self, _: Request) -> Response:
        if self._models.ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "loading"}, HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": "5"})

    def _model_list(self, request: Request) -> list[dict[str, Any]]:
        task = request.query_params.get("task")
        if task not in {None, *TASK_NAMES.values()}:
            raise ClientError(f"task must be one of {', '.join(TASK_NAMES.values())}.", param="task")
        listed = self._names.listed().items()
        return [self._model_body(name, entry) for name, entry in listed if task in {None, TASK_NAMES[entry.task]}]

    def _model_body(self, name: str, entry: ModelEntry) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": self._created,
            "owned_by": "vivavoce",
            "model_type": "audio",
            "model_name": entry.name,
            "model_family": entry.engine.value,
            "model_engine": entry.engine.value,
            "model_revision": None,
            "model_ability": _ABILITIES[entry.task],
            "replica": 1,
            "task": TASK_NAMES[entry.task],
            "language": list(entry.languages),
            "multilingual": entry.multilingual,
            "licence": entry.licence,
            "source": entry.source,
            "loaded": self._models.is_loaded(entry),
        }


def _step_body(step: Step) -> dict[str, Any]:
    return {
        "model": step.model,
        "stage": step.stage,
        "progress": step.fraction,
        "done_bytes": step.done_bytes,
        "total_bytes": step.total_bytes,
    }
