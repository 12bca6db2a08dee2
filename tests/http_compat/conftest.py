from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from realtime.settings import Settings
from tests.support.http_service import scripted_application
from tests.support.scripted_models import ScriptedModels, ScriptedRecognizer, ScriptedSynthesizer, Serve


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
    return partial(scripted_application, models)


@pytest.fixture
def serve(application: Callable[[Settings], Starlette]) -> Serve:
    """Return a function that makes a client of a server with the given settings."""

    def make(**settings: Any) -> TestClient:
        return TestClient(application(Settings(**settings)), raise_server_exceptions=False)

    return make


@pytest.fixture
def client(serve: Serve) -> Iterator[TestClient]:
    with serve() as client:
        yield client
