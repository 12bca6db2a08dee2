import argparse

import pytest

from clients.cli.server import key_for
from clients.cli.values import websocket_url


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:8000/v1/realtime", "ws://localhost/", "ws://[::1]:8000/", "wss://captions.example/"]
)
def test_the_environments_key_goes_to_this_machine_or_over_tls(url: str) -> None:
    assert key_for(url, None) == "from the environment"


@pytest.mark.parametrize("url", ["ws://captions.example/", "ws://192.168.1.2/", "ws://127.0.0.1.example/", "captions"])
def test_the_environments_key_never_leaves_this_machine_in_the_clear(url: str) -> None:
    assert key_for(url, None) is None


def test_a_key_that_is_given_goes_anywhere() -> None:
    assert key_for("ws://captions.example/", "given") == "given"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("ws://voice.example/v1/realtime", "ws://voice.example/v1/realtime"),
        ("http://127.0.0.1:9000", "ws://127.0.0.1:9000"),
        ("https://voice.example/speech", "wss://voice.example/speech"),
        ("voice.example:9000", "ws://voice.example:9000"),
        (" HTTPS://voice.example ", "wss://voice.example"),
        ("[::1]:8000", "ws://[::1]:8000"),
    ],
)
def test_an_address_of_http_or_without_a_scheme_is_one_of_the_websocket(address: str, url: str) -> None:
    assert websocket_url(address) == url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:99999", "http://[::1", "voice.example:port", "ftp://voice.example", "",
        "http//:x", "http//voice.example", "http:/voice.example", "http:voice.example", "http://", "http:///v1",
        "//voice.example", "ws://voice.example//v1", "voice example", "voice.example:", "voice.example:0",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no address of a server"):
        websocket_url(address)
