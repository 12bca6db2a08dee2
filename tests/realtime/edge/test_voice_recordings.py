"""Recordings of voices to clone over the websocket, with a voice model in a process."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from tests.support.process_engine import obedient_voice
from tests.support.realtime_service import ProtocolClient, RealtimeService, eventually, realtime_service
from tests.support.recordings import tone, wav_file
from tests.support.scripted_engines import ScriptedEngines

WORDS = "What Ann says in it."


class Cloning(ScriptedEngines):
    """Engines with a ChatTTS that says a thousand times the first sample of the recording for each letter."""

    def synthesizer(self, entry: ModelEntry) -> Any:
        return obedient_voice() if entry == lookup("ChatTTS") else super().synthesizer(entry)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces")


@pytest.fixture(scope="module")
def service(traces: Path) -> Iterator[RealtimeService]:
    with realtime_service(Cloning(), speech_model="ChatTTS", trace=traces, trace_text=True) as running:
        yield running


def recording(level: float, seconds: float = 1.5) -> str:
    return base64.b64encode(wav_file(np.full(int(seconds * 16_000), level, np.float32))).decode()


def spoken(client: ProtocolClient, **response: object) -> int:
    """Return the bytes of audio of a response."""
    client.speak("Say it now", conversation="none", **response)
    messages = client.until("response.done")
    audio = [each["delta"] for each in messages if each["type"] == "response.output_audio.delta"]
    return sum(len(base64.b64decode(delta)) for delta in audio)


def configure(client: ProtocolClient, **output: object) -> None:
    client.send("session.update", event_id="event_1", session={"audio": {"output": output}})


def test_a_recording_speaks_for_the_session_or_for_one_response(service: RealtimeService, traces: Path) -> None:
    with service.session() as client:
        plain = spoken(client)
        configure(client, x_prompt_speech=recording(0.8), x_prompt_text=WORDS)
        assert client.wait_for("session.updated")["session"]["audio"]["output"]["x_prompt_text"] == WORDS
        cloned = spoken(client)
        once = spoken(client, audio={"output": {"x_prompt_speech": recording(0.2)}})
        assert once < plain < cloned
        assert spoken(client, audio={"output": {"voice": "amber"}}) == plain
        assert spoken(client) == cloned
        configure(client, x_prompt_speech=None)
        client.wait_for("session.updated")
        assert spoken(client) == plain
    (trace,) = traces.iterdir()
    assert eventually(lambda: '"end":"closed"' in trace.read_text())
    assert "Say it now" in trace.read_text()
    assert WORDS not in trace.read_text()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (base64.b64encode(b"no sound").decode(), "`x_prompt_speech`: "),
        (base64.b64encode(wav_file(tone(0.2))).decode(), "must be at least 1 s long"),
        (base64.b64encode(wav_file(tone(31), 8_000)).decode(), "longer than 30 seconds"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_and_the_session_goes_on(
    service: RealtimeService, data: str, text: str
) -> None:
    with service.session() as client:
        configure(client, x_prompt_speech=data)
        error = client.wait_for("error")["error"]
        assert (error["code"], error["event_id"]) == ("invalid_value", "event_1")
        assert text in error["message"]
        assert spoken(client) > 0


def test_a_voice_that_clones_none_refuses_a_recording() -> None:
    with realtime_service() as service, service.session() as client:
        configure(client, x_prompt_speech=recording(0.5))
        assert "does not clone voices" in client.wait_for("error")["error"]["message"]
