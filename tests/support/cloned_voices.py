"""Recordings of voices that clients send over the websocket, spoken by the real libraries with tiny random models."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram
from tests.support.realtime_service import ProtocolClient, eventually, realtime_service
from tests.support.recordings import wav_file
from tests.support.scripted_engines import ScriptedEngines

PATIENCE: Final = 180.0
"""Seconds within which a tiny model loads or speaks, on a busy machine, too."""


class OneVoice(ScriptedEngines):
    """Scripted engines, but for one voice model, which runs in a process."""

    def __init__(self, model: str, program: EngineProgram) -> None:
        super().__init__()
        self._entry = lookup(model)
        self._program = program

    def synthesizer(self, entry: ModelEntry) -> Any:
        return self._program if entry == self._entry else super().synthesizer(entry)


@contextmanager
def talking_with(model: str, program: EngineProgram) -> Iterator[ProtocolClient]:
    """Yield a client in a session whose voice is that of the model."""
    with realtime_service(OneVoice(model, program), ready=False, speech_model=model) as service:
        assert eventually(lambda: service.models.ready, PATIENCE)
        with service.session() as client:
            client.timeout = PATIENCE
            yield client


def recorded(voice: Samples) -> str:
    """Return a recording as clients send it."""
    return base64.b64encode(wav_file(voice)).decode()


def beginning(client: ProtocolClient, text: str, **output: object) -> bytes:
    """Return the first audio of a response with this `audio.output`, and cancel the rest.

    Raises `AssertionError` with the error if it fails.
    """
    client.speak(text, conversation="none", audio={"output": output})
    messages = [client.receive()]
    while messages[-1]["type"] not in ("response.output_audio.delta", "response.done", "error"):
        messages.append(client.receive())
    last = messages[-1]
    assert last["type"] == "response.output_audio.delta", json.dumps(last)
    client.send("response.cancel", response_id=last["response_id"])
    client.wait_for("response.done")
    return base64.b64decode(last["delta"])
