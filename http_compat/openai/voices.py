"""`GET /v1/audio/voices`: the voices of a model. OpenAI's API has no such endpoint; other servers use this path."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.disconnect import while_connected
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import VoicesAtHand, voice_languages

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService


class VoicesEndpoint:
    """The endpoint that lists voices."""

    def __init__(self, models: "ModelService", names: ModelNames) -> None:
        self._models = models
        self._names = names

    async def voices(self, request: Request) -> Response:
        """List the voices of the query's `model`, which is loaded if necessary, or of all that are on this machine.

        Those of the default model are the first. The list is sent under two keys, `voices` and `data`, because clients
        disagree about its name. Models on this machine that cannot speak are listed under `unavailable`, with the error
        that a request for their speech gets.
        """
        name = request.query_params.get("model", "").strip()
        entry = self._names.resolve(name, Task.SPEECH)
        async with AsyncExitStack() as leases:
            lease = leases.enter_async_context(self._models.lease_synthesizer(entry))
            synthesizer = await while_connected(request, lease)
            asked = VoicesAtHand({entry.name: synthesizer.voices})
            at_hand = asked if name else await self._models.voices_at_hand()
        listed = self._names.listed()
        voices = [_body(voice, listed[model]) for model, names in at_hand.voices.items() for voice in names]
        unavailable = [
            {"model": model, "code": error.code, "message": error.public_message}
            for model, error in at_hand.errors.items()
        ]
        return JSONResponse({"object": "list", "voices": voices, "data": voices, "unavailable": unavailable})


def _body(voice: str, entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": voice,
        "name": voice,
        "object": "audio.voice",
        "model": entry.name,
        "languages": list(voice_languages(voice, entry.languages)),
        "licence": entry.licence,
    }
