"""The OpenAPI document matches the server: its routes, and its responses to requests generated from the document."""

import base64
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from schemathesis import GenerationMode
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.checks import negative_data_rejection
from starlette.routing import Route
from starlette.testclient import TestClient

from http_compat.openapi.document import document
from http_compat.parsing.form_fields import Fields
from http_compat.parsing.speech_request import SpeechBody
from http_compat.parsing.transcription_form import UNSUPPORTED, read_fields
from http_compat.xinference.launch import LaunchBody
from realtime.settings import Settings
from tests.support.http_service import listening, scripted_application
from tests.support.recordings import tone, wav_file
from tests.support.scripted_models import ScriptedModels

CASES = int(os.environ.get("OPENAPI_CASES", "0"))
"""Random valid requests per operation, and as many invalid ones; 0 for a few that are the same in every run."""

SETTINGS = Settings(max_input_characters=40)
DOCUMENT = document(SETTINGS)
RECORDING = wav_file(tone(1))
SERVED: dict[str, dict[str, Any]] = {
    "/v1/audio/transcriptions": {"model": "whisper-1", "file": RECORDING, "language": "en"},
    "/v1/audio/translations": {"model": "whisper-1", "file": RECORDING, "language": "en"},
    "/asr": {"audio_file": RECORDING},
    "/detect-language": {"audio_file": RECORDING},
    "/v1/audio/speech": {"model": "tts-1", "input": "Ten chars.", "voice": "alloy", "kwargs": "{}"},
    "/v1/models": {"model_name": "whisper-tiny"},
    "/v1/speak": {"text": "Ten chars."},
    "/token": {},
    "/v1/realtime/client_secrets": {"session": {"type": "transcription"}},
    "/v1/realtime/translations/client_secrets": {"session": {"model": "gpt-realtime-translate"}},
    "/v1/realtime/sessions": {},
    "/v1/realtime/transcription_sessions": {},
}
"""Values that make a random request succeed, which it would hardly ever do."""

OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item if method != "parameters"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(scripted_application(ScriptedModels(), SETTINGS)) as address:
        yield address


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@cache
def loaded() -> Any:
    return schemathesis.openapi.from_dict(DOCUMENT)


def test_every_route_is_described_and_nothing_else_is() -> None:
    mounted = scripted_application(ScriptedModels(), SETTINGS).routes
    routes = [route for route in mounted if isinstance(route, Route)]
    assert len(routes) == len(mounted)
    served = {(route.path.replace(":path", ""), method) for route in routes for method in route.methods or ()}
    described = {(path, method) for path, method in served if method not in {"HEAD", "OPTIONS"}}
    assert described == {(path, method.upper()) for path, method in OPERATIONS}


def test_the_document_is_served_without_a_key(serve: Any) -> None:
    client: TestClient = serve(api_keys=("secret",))
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"


@pytest.mark.parametrize(("path", "kind"), [("/v1/audio/speech", SpeechBody), ("/v1/models", LaunchBody)])
def test_every_field_that_is_read_is_described(path: str, kind: Any) -> None:
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]
    described = {name for media in content.values() for name in media["schema"]["properties"]}
    assert described == set(kind.__struct_fields__)


class WitnessedFields(Fields):
    """Fields that record which of them are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def text(self, name: str) -> str | None:
        self.read.add(name)
        return super().text(name)

    def texts(self, name: str) -> list[str]:
        self.read.add(name)
        return super().texts(name)


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/translations"])
def test_every_field_of_a_recording_is_described(path: str) -> None:
    fields = WitnessedFields()
    fields.add("model", "whisper-1")
    read_fields(fields)
    form = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    described = {name.removesuffix("[]") for name in form["properties"]}
    assert described == {"file"} | fields.read - set(UNSUPPORTED)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_good_requests_are_answered_as_the_document_says(
    address: str, session: requests.Session, path: str, method: str
) -> None:
    answers_conform(address, session, path, method, GenerationMode.POSITIVE)


@pytest.mark.parametrize(("path", "method"), [each for each in OPERATIONS if each[1] == "post"])
def test_bad_requests_are_refused_as_the_document_says(
    address: str, session: requests.Session, path: str, method: str
) -> None:
    answers_conform(address, session, path, method, GenerationMode.NEGATIVE, negative_data_rejection)


def answers_conform(
    address: str, session: requests.Session, path: str, method: str, mode: GenerationMode, *more: CheckFunction
) -> None:
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        *more,
    ]
    positive = mode is GenerationMode.POSITIVE

    @settings(
        max_examples=CASES or 30,
        derandomize=not CASES,
        deadline=None,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(case=loaded()[path][method].as_strategy(generation_mode=mode), known=booleans())
    def conform(case: Any, known: bool) -> None:
        if positive and case.media_type == "application/octet-stream":
            case.body = RECORDING
        elif positive and known and method == "post":
            body = {name: value for name, value in case.body.items() if not name.startswith("prompt_")}
            case.body = body | SERVED[path]
            if "file" in body and case.media_type == "application/json":
                case.body["file"] = base64.b64encode(RECORDING).decode()
        if positive and known and "{id}" in path:
            case.path_parameters = {"id": "whisper-tiny"}
        case.call_and_validate(base_url=address, session=session, checks=checks)

    conform()
