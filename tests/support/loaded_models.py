"""`Models` over scripted engines, for tests that call them from a coroutine."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.models.models import Models
from realtime.models.recognizers import RecognizerHandle
from realtime.settings import Settings
from tests.support.scripted_engines import ScriptedEngines

BASE: Final = lookup("whisper-base")
"""The default recognizer."""

VOICE: Final = lookup("hibari-tts")
"""The default voice model."""

TINY: Final = lookup("whisper-tiny")
SMALL: Final = lookup("whisper-small")


@contextlib.asynccontextmanager
async def opened(engines: ScriptedEngines | None = None, **settings: Any) -> AsyncIterator[Models]:
    """Yield models whose defaults are loaded, and close them at the end of the block."""
    models = Models(Settings(**settings), engines or ScriptedEngines())
    await models.open()
    try:
        yield models
    finally:
        await models.close()


async def recognizer(models: Models, entry: ModelEntry = BASE) -> RecognizerHandle:
    """Lease a recognizer, and end the lease at once."""
    async with models.lease_recognizer(entry) as leased:
        return leased
