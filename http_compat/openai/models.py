"""`GET /v1/models` and related endpoints: the models, which of them are loaded, and the progress of loading.

A model is one object that all clients can read: OpenAI's clients need `id`, `object`, `created` and `owned_by`,
Xinference's need `model_type`.
"""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.errors import ClientError
from realtime.weights.progress import Step

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

TASK_NAMES: Final = {Task.TRANSCRIPTION: "automatic-speech-recognition", Task.SPEECH: "text-to-speech"}
"""Names of the tasks on the Hugging Face hub."""

_ABILITIES: Final = {Task.TRANSCRIPTION: ["audio2text"], Task.SPEECH: ["text2audio"]}
"""Xinference's names of what a model does."""


class ModelEndpoints:
    """The endpoints that describe models."""

    def __init__(self, models: "ModelService", names: ModelNames) -> None:
        self._models = models
        self._names = names
        self._created = int(time.time())

    async def models(self, request: Request) -> Response:
        """List the models, or those for the query's `task`, as OpenAI's API does."""
        return JSONResponse({"object": "list", "data": self._model_list(request)})

    async def audio_models(self, request: Request) -> Response:
        """List the same models under the key `models`."""
        return JSONResponse({"object": "list", "models": self._model_list(request)})

    async def model(self, request: Request) -> Response:
        name: str = request.path_params["id"]
        return JSONResponse(self._model_body(name, self._names.entry(name)))

    async def loaded(self, _: Request) -> Response:
        return JSONResponse({"models": sorted(entry.name for entry in self._models.loaded())})

    async def loading(self, _: Request) -> Response:
        """List the models that are being loaded, with their progress."""
        return JSONResponse({"models": [_step_body(step) for step in self._models.progress().values()]})

    async def progress(self, request: Request) -> Response:
        """Return the stage in which a model is, and the progress of this stage."""
        entry = self._names.entry(request.path_params["id"])
        if self._models.is_loaded(entry):
            return JSONResponse({"model": entry.name, "stage": "loaded", "progress": 1.0})
        step = self._models.progress().get(entry.name)
        return JSONResponse(_step_body(step) if step else {"model": entry.name, "stage": "not_loaded", "progress": 0.0})

    def _model_list(self, request: Request) -> list[dict[str, Any]]:
        task = request.query_params.get("task")
        if task not in {None, *TASK_NAMES.values()}:
            raise ClientError(f"`task` must be one of {', '.join(TASK_NAMES.values())}.", param="task")
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
            "capabilities": {name: able for name, able in asdict(entry.capabilities).items() if isinstance(able, bool)},
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
