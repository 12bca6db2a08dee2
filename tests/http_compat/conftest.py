from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from scripted_models import ScriptedModels, ScriptedRecognizer, ScriptedSynthesizer, Serve
from starlette.applications import Starlette
from starlette.testclient import TestClient

from http_compat.errors import exception_handlers
from http_compat.routes import routes
from realtime.metrics import Metrics
from realtime.settings import Settings


@pytest.fixture
def models() -> ScriptedModels:
    return ScriptedModels()


@pytest.fixture
def recognizer(models: ScriptedModels) -> ScriptedRecognizer:
    return models.recognizers.setdefault("whisper-base", ScriptedRecognizer("whisper-base"))


@pytest.fixture
def synthesizer(models: ScriptedModels) -> ScriptedSynthesizer:
    return models.synthesizers.setdefault("hibari-tts", ScriptedSynthesizer("hibari-tts"))


@pytest.fixture
def application(models: ScriptedModels) -> Callable[[Settings], Starlette]:
    def make(settings: Settings) -> Starlette:
        handlers = cast("Any", exception_handlers)
        return Starlette(routes=routes(cast("Any", models), settings, Metrics(dict)), exception_handlers=handlers)

    return make


@pytest.fixture
def serve(application: Callable[[Settings], Starlette]) -> Serve:
    """A client of a server with the settings given."""

    def make(**settings: Any) -> TestClient:
        return TestClient(application(Settings(**settings)), raise_server_exceptions=False)

    return make


@pytest.fixture
def client(serve: Serve) -> Iterator[TestClient]:
    with serve() as client:
        yield client
