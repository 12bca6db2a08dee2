"""What `vivavoce doctor` says about the chat backend."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from realtime.cli.chat_checks import check_chat
from realtime.cli.findings import Finding, Status
from realtime.settings import Settings
from tests.support.http_service import listening

KEY = "a-key"


async def _models(request: Request) -> Response:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        return JSONResponse({}, 401)
    return JSONResponse({"data": [{"id": "llama3.2:latest"}, {"id": "qwen3:8b"}]})


async def _no_models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": []})


async def _page(_: Request) -> Response:
    return PlainTextResponse("<html>")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    endpoints = {"/v1/models": _models, "/empty/models": _no_models, "/page/models": _page}
    with listening(Starlette(routes=[Route(path, endpoint) for path, endpoint in endpoints.items()])) as url:
        yield url


def checked(url: str | None, **settings: Any) -> Finding:
    (finding,) = check_chat(Settings(chat_base_url=url, **settings))
    return finding


def test_no_backend_and_the_scripted_one_are_green() -> None:
    assert checked(None).status is Status.OK
    assert checked("scripted").status is Status.OK


@pytest.mark.parametrize("model", ["llama3.2", "llama3.2:latest", "qwen3:8b"])
def test_a_backend_with_the_model_is_green(server: str, model: str) -> None:
    chat = checked(server, chat_api_key=KEY, chat_model=model)
    assert chat.status is Status.OK
    assert chat.data == {"models": ["llama3.2:latest", "qwen3:8b"]}


@pytest.mark.parametrize("model", ["llama3", None])
def test_a_model_that_is_missing_or_not_chosen_is_a_warning_that_names_those_there_are(
    server: str, model: str | None
) -> None:
    chat = checked(server, chat_api_key=KEY, chat_model=model)
    assert chat.status is Status.WARNING
    assert "VIVAVOCE_CHAT_MODEL to one of its models: llama3.2:latest, qwen3:8b." in chat.advice


def test_a_backend_without_a_model_is_a_warning(server: str) -> None:
    chat = checked(f"{server}/empty")
    assert chat.status is Status.WARNING
    assert chat.advice == "Set VIVAVOCE_CHAT_MODEL, or load a model."


def test_a_wrong_key_is_a_failure_that_says_so(server: str) -> None:
    chat = checked(server, chat_api_key="another")
    assert chat.status is Status.FAILURE
    assert "401: check VIVAVOCE_CHAT_API_KEY" in chat.detail


@pytest.mark.parametrize("path", ["/v2", "/page"])
def test_an_address_of_something_else_is_a_failure(server: str, path: str) -> None:
    chat = checked(server + path)
    assert chat.status is Status.FAILURE
    assert "VIVAVOCE_CHAT_BASE_URL" in chat.advice


def test_a_backend_that_does_not_run_is_a_failure_that_names_its_address() -> None:
    chat = checked("http://user:secret@127.0.0.1:9/v1?key=secret")
    assert chat.status is Status.FAILURE
    assert "cannot connect to http://127.0.0.1:9" in chat.detail
    assert "secret" not in chat.detail
