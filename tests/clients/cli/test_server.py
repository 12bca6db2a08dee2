import argparse
import asyncio
import errno
import socket

import pytest

from clients.cli.exit_codes import ExitCode
from clients.cli.server import ConnectionWarnings, key_for, report
from clients.cli.values import server_url
from clients.connection import open_connection, unreachable
from clients.errors import ConnectionRefused
from clients.events import Disconnected, Reconnected


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
    assert server_url(address) == url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:99999", "http://[::1", "voice.example:port", "ftp://voice.example", "",
        "http//:x", "http//voice.example", "http:/voice.example", "http:voice.example", "http://", "http:///v1",
        "//voice.example", "ws://voice.example//v1", "voice example", "voice.example:", "voice.example:0",
        "voice..example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no address of a server"):
        server_url(address)


@pytest.mark.parametrize(
    ("scheme", "greeting", "reason"),
    [
        ("wss", b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server does not speak TLS there"),
        ("ws", b"", "the server does not answer with HTTP; if it speaks TLS, its address begins with https"),
    ],
)
def test_an_address_with_the_wrong_scheme_is_said_to_be_one(
    scheme: str, greeting: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(greeting)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def meet() -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(ConnectionRefused) as refusal:
                await open_connection(url, {}, None, 5.0)
        report("say", refusal.value, url)
        return url

    url = asyncio.run(meet())
    assert capsys.readouterr().err == f"vivavoce say: cannot connect to {url}: {reason}\n"


def test_the_reason_of_a_loss_may_be_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    ConnectionWarnings("listen").tell(Disconnected("The server is full.", 1.0), was_open=True)
    assert capsys.readouterr().err == "vivavoce listen: The server is full; connecting again\n"


def test_a_reason_is_told_again_only_after_another_or_a_connection(capsys: pytest.CaptureFixture[str]) -> None:
    full, loading = Disconnected("The server is full.", 1.0), Disconnected("The models are loading.", 1.0)
    warnings = ConnectionWarnings("listen")
    for event in (full, full, loading, full, Reconnected(), full, full):
        warnings.tell(event, was_open=False)
    assert capsys.readouterr().err.splitlines() == [
        "vivavoce listen: The server is full; waiting",
        "vivavoce listen: The models are loading; waiting",
        "vivavoce listen: The server is full; waiting",
        "vivavoce listen: connected",
        "vivavoce listen: The server is full; waiting",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_that_no_server_answers_is_said_in_plain_words_with_how_to_start_one(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        port = unused.getsockname()[1]
        url = f"ws://{host}:{port}"
        with pytest.raises(ConnectionRefused) as refusal:
            asyncio.run(open_connection(url, {}, None, 5.0))
    assert str(refusal.value) == f"no server answers at {host}:{port}"
    assert report("say", refusal.value, url) is ExitCode.NO_SERVER
    hint = f"Start one with `vivavoce serve --port {port}`, or give the address of another with --url"
    assert capsys.readouterr().err == f"vivavoce say: no server answers at {host}:{port}. {hint}\n"


def test_where_tls_is_asked_for_no_command_that_serves_without_is_recommended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "wss://localhost"
    refusal = unreachable(url, ConnectionRefusedError())
    refusal.__cause__ = ConnectionRefusedError()
    assert report("say", refusal, url) is ExitCode.NO_SERVER
    assert capsys.readouterr().err == "vivavoce say: no server answers at localhost:443\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 80)"), "No route to host"),
        (socket.gaierror(-2, "Name or service not known"), "the host voice.example cannot be found"),
        (TimeoutError("timed out"), "no server answers at voice.example:80 in time"),
        (OSError("Multiple exceptions: [Errno 111] ..., [Errno 111] ..."), "no server answers at voice.example:80"),
        (OSError("Tunnel connection failed: 407"), "Tunnel connection failed: 407"),
    ],
)
def test_what_the_system_says_of_a_connection_is_told_without_its_arguments(error: OSError, message: str) -> None:
    url = "ws://voice.example"
    assert str(unreachable(url, error)).removeprefix(f"cannot connect to {url}: ") == message
