"""`GET /v1/audio/voices`: the voices of a model. OpenAI's API has no such endpoint; other servers use this path."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.disconnect import while_connected
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService


class VoicesEndpoint:
    """The endpoint that lists voices."""

    def __init__(self, models: "ModelService", names: ModelNames) -> None:
        self._models = models
        self._names = names

    async def voices(self, request: Request) -> Response:
        """List the voices of the query's `model`, or of the default model; the model is loaded if necessary.

        The list is sent under two keys, `voices` and `data`, because clients disagree about its name.
        """
        entry = self._names.resolve(request.query_params.get("model", ""), Task.SPEECH)
        async with AsyncExitStack() as leases:
            lease = leases.enter_async_context(self._models.lease_synthesizer(entry))
            synthesizer = await while_connected(request, lease)
            voices = [
                {"id": voice, "name": voice, "object": "audio.voice", "model": synthesizer.name}
                for voice in synthesizer.voices
            ]
        return JSONResponse({"object": "list", "voices": voices, "data": voices})
