"""What is answered while the default models are loading, and when they cannot be loaded."""

import asyncio
import concurrent.futures
import contextlib
import gc
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.errors import RETRY_AT_ONCE, EngineError, Overloaded, UnknownModel
from realtime.models.models import Models
from realtime.models.recognizers import RecognizerHandle
from realtime.settings import Settings
from realtime.weights.progress import Stage, Step
from tests.support import local_hub
from tests.support.bundled_models import require_packages
from tests.support.realtime_service import SILENT, RealtimeService, eventually, realtime_service
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines

STILL_LOADING = "The models are still loading (whisper-base: downloading, 43%, hibari-tts: waiting)."
FORM: dict[str, Any] = {"data": {"model": "whisper-1"}, "files": {"file": b"audio"}}
REPOSITORY = "someone/whisper"


class Held(ScriptedEngines):
    """Prepares models when `gate` is open, and then loads them but for the `broken` one."""

    def __init__(self, broken: str = "") -> None:
        super().__init__()
        self.gate = threading.Event()
        self.broken = broken

    def prepare(self, entry: ModelEntry) -> int:
        assert self.gate.wait(10)
        if entry.name == self.broken:
            raise EngineError(f"{entry.name} is broken.")
        return super().prepare(entry)

    def steps(self) -> Mapping[str, Step]:
        return {"whisper-base": Step("whisper-base", Stage.DOWNLOADING, 43, 100)}

    def stop(self) -> None:
        self.gate.set()


@pytest.fixture
def engines() -> Held:
    return Held()


def http(server: RealtimeService) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=10)


@contextlib.contextmanager
def waiting_request(engines: Held) -> Iterator[tuple[RealtimeService, "concurrent.futures.Future[httpx.Response]"]]:
    """Run a server that still loads its models, and ask it for its voices."""
    with (
        realtime_service(engines, ready=False) as server,
        http(server) as client,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        asked = pool.submit(client.get, "/v1/audio/voices")
        assert eventually(lambda: server.connections == 1)
        yield server, asked


# Over the network.


def test_requests_that_need_no_model_are_answered_while_the_defaults_load(engines: Held) -> None:
    with realtime_service(engines, ready=False) as server, http(server) as client:
        for path in ("/livez", "/health", "/metrics", "/openapi.json", "/v1/models", "/api/ps"):
            assert client.get(path).status_code == HTTPStatus.OK
        readiness = client.get("/readyz")
        assert (readiness.status_code, readiness.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
        stages = {step["model"]: (step["stage"], step["progress"]) for step in client.get("/progress").json()["models"]}
        assert stages == {"whisper-base": ("downloading", 0.43), "hibari-tts": ("waiting", 0.0)}
        engines.gate.set()
        assert eventually(lambda: client.get("/readyz").is_success)
        assert client.get("/progress").json() == {"models": []}


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.post("/v1/audio/transcriptions", **FORM),
        lambda client: client.post("/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": "Hello."}),
        lambda client: client.get("/v1/audio/voices"),
    ],
    ids=["a recording", "a text", "voices"],
)
def test_a_request_that_needs_a_model_times_out_with_the_progress_of_the_load(
    engines: Held, ask: Callable[[httpx.Client], httpx.Response]
) -> None:
    with realtime_service(engines, ready=False, model_load_timeout_seconds=0.0) as server, http(server) as client:
        answer = ask(client)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY_AT_ONCE))
        assert "x-should-retry" not in answer.headers
        assert answer.json()["error"]["message"] == STILL_LOADING


def test_a_request_that_waits_long_enough_is_served_when_the_defaults_are_loaded(engines: Held) -> None:
    with waiting_request(engines) as (_, asked):
        engines.gate.set()
        assert [voice["id"] for voice in asked.result(10).json()["voices"]] == ["amber", "birch"]


def test_a_session_is_refused_before_its_socket_is_accepted_and_let_in_later(engines: Held) -> None:
    with realtime_service(engines, ready=False) as server:
        with pytest.raises(InvalidStatus) as refused, connect(server.url, logger=SILENT):
            pass
        response = refused.value.response
        assert (response.status_code, response.headers["retry-after"]) == (503, str(RETRY_AT_ONCE))
        assert json.loads(response.body) == {
            "error": {"message": STILL_LOADING, "type": "server_error", "param": None, "code": "server_overloaded"},
            "detail": STILL_LOADING,
        }
        engines.gate.set()
        assert eventually(lambda: server.models.ready)
        with server.session():
            pass


def test_a_waiting_request_is_answered_at_once_when_the_server_stops(engines: Held) -> None:
    with waiting_request(engines) as (server, asked):
        server.stop(timeout=30)
        assert asked.result(5).status_code == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_default_that_cannot_be_loaded_ends_the_server_and_fails_waiting_requests() -> None:
    engines = Held(broken="whisper-base")
    with waiting_request(engines) as (server, asked):
        engines.gate.set()
        answer = asked.result(10)
        assert (answer.status_code, answer.headers["x-should-retry"]) == (500, "false")
        assert eventually(lambda: str(server.failure) == "whisper-base is broken.")


# The models themselves.


async def recognizer(models: Models, name: str) -> RecognizerHandle:
    """Lease a recognizer, for no longer than it takes to get it."""
    async with models.lease_recognizer(lookup(name)) as recognizer:
        return recognizer


def run_with(scenario: Callable[[Models], Any], engines: ScriptedEngines, **settings: Any) -> None:
    """Run a scenario with models that it may open, and that are closed after it."""

    async def closing() -> None:
        models = Models(Settings(**settings), engines)
        try:
            await scenario(models)
        finally:
            await models.close()

    run(closing())


def test_concurrent_requests_for_a_default_model_load_it_once(engines: Held) -> None:
    async def scenario(models: Models) -> None:
        opening = models.open()
        asked = [asyncio.create_task(recognizer(models, "whisper-base")) for _ in range(3)]
        await asyncio.sleep(0)
        engines.gate.set()
        await opening
        assert len({await each for each in asked}) == 1
        assert engines.loaded.count("whisper-base") == 1

    run_with(scenario, engines)


def test_other_models_are_not_leased_before_the_defaults_are_loaded(engines: Held) -> None:
    async def scenario(models: Models) -> None:
        opening = models.open()
        with pytest.raises(Overloaded, match="still loading"):
            await recognizer(models, "whisper-tiny")
        engines.gate.set()
        await opening
        await models.load(lookup("whisper-tiny"))
        assert models.is_loaded(lookup("whisper-tiny"))

    run_with(scenario, engines, model_load_timeout_seconds=0.0)


@pytest.mark.parametrize("setting", ["transcription_model", "draft_model", "speech_model", "preload"])
def test_an_unknown_default_is_an_error_before_anything_is_loaded(setting: str) -> None:
    value: Any = ("nothing",) if setting == "preload" else "nothing"
    with pytest.raises(UnknownModel):
        Models(Settings(**{setting: value}), ScriptedEngines())


# The command, with real engines and a hub on this machine.


@pytest.fixture
def hub() -> Iterator[local_hub.Hub]:
    """Run a hub with a recognizer whose weights are invalid."""
    require_packages("hibari", "silero_vad")
    files = {"model.bin": b"weights " * 100, "config.json": b"{}", "tokenizer.json": b"{}", "vocabulary.txt": b"a\n"}
    with local_hub.running_hub({REPOSITORY: files}) as hub:
        yield hub


def started(hub: local_hub.Hub, home: Path, **settings: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "realtime.cli.main", "serve", "--port", "0", "--model", REPOSITORY]
    environment = local_hub.environment_of(home, HF_ENDPOINT=hub.url, **settings)
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.models
def test_while_the_default_is_downloaded_its_progress_is_shown_and_a_signal_ends_the_service(
    hub: local_hub.Hub, tmp_path: Path
) -> None:
    hub.gate.clear()
    with started(hub, tmp_path) as process:
        try:
            assert process.stderr is not None
            address = next(line for line in process.stderr if "listening on" in line).split()[-1]
            progress = f"{address}/v1/models/{REPOSITORY}/progress"
            assert eventually(lambda: httpx.get(progress).json()["stage"] == "downloading", timeout=20)
            assert httpx.get(f"{address}/readyz").status_code == HTTPStatus.SERVICE_UNAVAILABLE
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=10)
            assert process.returncode == -signal.SIGINT
            assert "Traceback" not in rest
        finally:
            process.kill()
            hub.gate.set()


def test_a_process_of_its_own_no_longer_collects_what_it_has_loaded() -> None:
    with realtime_service(owns_process=True):
        assert eventually(lambda: gc.get_freeze_count() > 0)
    assert gc.get_freeze_count() == 0


@pytest.mark.models
def test_a_default_with_broken_weights_ends_the_command_with_a_line(hub: local_hub.Hub, tmp_path: Path) -> None:
    with started(hub, tmp_path, VIVAVOCE_ALLOW_DOWNLOADS="no") as process:  # which is about clients
        _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"{REPOSITORY}: downloading" in log
    assert log.splitlines()[-1].startswith("vivavoce serve: The Whisper model could not be loaded: ")
    assert "Traceback" not in log


@pytest.mark.models
@pytest.mark.parametrize("setting", [{"VIVAVOCE_OFFLINE": "1"}, {"VIVAVOCE_MODEL_PATHS": f"{REPOSITORY}=/nowhere"}])
def test_a_default_model_without_weights_ends_the_command_with_a_line(
    hub: local_hub.Hub, tmp_path: Path, setting: dict[str, str]
) -> None:
    with started(hub, tmp_path, **setting) as process:
        _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert log.splitlines()[-1].startswith("vivavoce serve: ")
    assert REPOSITORY in log.splitlines()[-1]
    assert "Traceback" not in log
