from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import openai
import pytest
from real_server import KEY, running, scripted_application
from scripted_models import ScriptedModels, ScriptedRecognizer, ScriptedSynthesizer, Serve
from starlette.applications import Starlette
from starlette.testclient import TestClient

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
    return partial(scripted_application, models)


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


@pytest.fixture
def address(application: Callable[[Settings], Starlette]) -> Iterator[str]:
    """The API's address at a real server, which wants the key `KEY`."""
    with running(application(Settings(api_keys=(KEY,), max_upload_bytes=10_000_000))) as address:
        yield f"{address}/v1"


@pytest.fixture
def openai_client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=20) as client:
        yield client
