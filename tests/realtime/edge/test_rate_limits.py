"""How often one client may do something, on a scripted clock and over real sockets."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from realtime.edge.rate_limits import MAX_CLIENTS, RateLimit, RateLimited, RateLimits, address_of
from realtime.errors import Unauthorized
from realtime.models.models import Models
from realtime.server import Server
from realtime.settings import Settings
from tests.support.raw_socket import handshake, raw_socket
from tests.support.realtime_service import RATE, SILENT, RealtimeService, read_to_end, realtime_service
from tests.support.recordings import silence, wav_file
from tests.support.scripted_engines import ScriptedEngines, say_numbers

KEY = "right-key"
KEYS = {"authorization": f"Bearer {KEY}"}
WRONG = {"authorization": "Bearer wrong-key"}
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def get(server: RealtimeService, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{server.port}/v1/models", headers=headers, timeout=20)


def refusal(server: RealtimeService, **headers: str) -> Any:
    """Return the response that refuses a websocket."""
    with pytest.raises(InvalidStatus) as refused, connect(server.url, additional_headers=headers, logger=SILENT):
        pass
    return refused.value.response


# The bucket.


def test_what_was_taken_runs_out_with_time() -> None:
    clock = Clock()
    limit = RateLimit(3, 60, "things", clock)
    for _ in range(3):
        limit.take("one")
    with pytest.raises(RateLimited) as refused:
        limit.take("one")
    assert (refused.value.retry_after, refused.value.http_status) == (20, TOO_MANY)
    clock.now += refused.value.retry_after
    limit.take("one")
    with pytest.raises(RateLimited):
        limit.take("one")


def test_clients_do_not_share_a_limit() -> None:
    limit = RateLimit(1, 60, "things", Clock())
    limit.take("one")
    limit.take("other")


def test_without_a_limit_nothing_is_counted() -> None:
    limit = RateLimit(0, 60, "things", Clock())
    for _ in range(100):
        limit.take("one")


def test_as_many_clients_are_remembered_as_there_is_room_for() -> None:
    limit = RateLimit(1, 60, "things", Clock())
    for number in range(MAX_CLIENTS + 1):
        limit.take(str(number))
    limit.take("0")
    with pytest.raises(RateLimited):
        limit.take(str(MAX_CLIENTS))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_an_address_of_ipv6_stands_for_its_network_unless_it_is_one_of_ipv4(host: str, address: str) -> None:
    assert address_of(HTTPConnection({"type": "http", "client": (host, 1) if host else None})) == address


# Wrong keys.


def test_an_address_that_guesses_keys_is_refused_whatever_it_presents() -> None:
    with realtime_service(api_keys=(KEY,), max_failed_keys_per_minute=2) as server:
        statuses = [get(server, WRONG).status_code, refusal(server, **WRONG).status_code]
        assert statuses == [HTTPStatus.UNAUTHORIZED] * 2
        refused = get(server, KEYS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (TOO_MANY, "rate_limit_exceeded")
        assert int(refused.headers["retry-after"]) > 0
        websocket = refusal(server, **KEYS)
        assert (websocket.status_code, json.loads(websocket.body)["error"]["type"]) == (TOO_MANY, "rate_limit_error")
        assert int(websocket.headers["retry-after"]) > 0
        login = {"username": "any", "password": KEY}
        assert httpx.post(f"http://127.0.0.1:{server.port}/token", json=login, timeout=20).status_code == TOO_MANY
        elsewhere = {**KEYS, "x-forwarded-for": "192.0.2.7"}
        assert get(server, elsewhere).status_code == HTTPStatus.OK


def test_twenty_guesses_are_allowed_in_a_minute() -> None:
    rates, client = RateLimits(Settings(), Clock()), HTTPConnection({"type": "http", "client": ("192.0.2.1", 1)})
    for _ in range(20):
        with pytest.raises(Unauthorized), rates.authenticating(client, presents_key=True):
            raise Unauthorized("Wrong.")
    with pytest.raises(RateLimited), rates.authenticating(client, presents_key=True):
        pytest.fail("the key is not looked at")


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer"}, {"authorization": "Basic dXNlcjo=", "api-key": ""}]
)
def test_a_client_without_a_key_does_not_guess(headers: dict[str, str]) -> None:
    with realtime_service(api_keys=(KEY,), max_failed_keys_per_minute=1) as server:
        assert [get(server, headers).status_code for _ in range(2)] == [HTTPStatus.UNAUTHORIZED] * 2
        assert refusal(server, **headers).status_code == HTTPStatus.UNAUTHORIZED
        assert get(server, KEYS).status_code == HTTPStatus.OK


def test_a_client_secret_that_has_expired_is_no_guess() -> None:
    expired = {"authorization": "Bearer ek_" + "0" * 32}
    with realtime_service(api_keys=(KEY,), max_failed_keys_per_minute=1) as server:
        assert [refusal(server, **expired).status_code for _ in range(2)] == [HTTPStatus.UNAUTHORIZED] * 2
        assert get(server, KEYS).status_code == HTTPStatus.OK


def test_only_a_trusted_proxy_may_name_the_address_of_a_client() -> None:
    with realtime_service(api_keys=(KEY,), max_failed_keys_per_minute=1, trusted_proxies=("192.0.2.1",)) as server:
        assert get(server, {**WRONG, "x-forwarded-for": "192.0.2.7"}).status_code == HTTPStatus.UNAUTHORIZED
        assert get(server, {**KEYS, "x-forwarded-for": "192.0.2.8"}).status_code == TOO_MANY


@pytest.mark.parametrize(
    ("proxies", "peer", "trusted"),
    [
        (("192.0.2.1", "::1"), "192.0.2.1", True),
        (("192.0.2.1", "::1"), "::ffff:192.0.2.1", True),
        (("192.0.2.0/24",), "::ffff:192.0.2.7", True),
        (("192.0.2.0/24",), "::ffff:198.51.100.1", False),
        (("2001:db8::1",), "2001:db8::1", True),
        (("*",), "::ffff:198.51.100.1", True),
    ],
)
def test_a_proxy_is_trusted_also_where_the_socket_reports_ipv4_as_ipv6(
    proxies: tuple[str, ...], peer: str, trusted: bool
) -> None:
    settings = Settings(trusted_proxies=proxies)
    scope: dict[str, Any] = {"type": "http", "client": (peer, 1)}
    config = Server(Models(settings, ScriptedEngines()), settings).config
    assert config.forwarded_allow_ips is not None

    async def app(scope: Any, *_: Any) -> None:
        assert address_of(HTTPConnection(scope)) == ("203.0.113.9" if trusted else address_of(HTTPConnection(before)))

    before = dict(scope)
    scope["headers"] = [(b"x-forwarded-for", b"203.0.113.9")]
    asyncio.run(ProxyHeadersMiddleware(app, config.forwarded_allow_ips)(scope, None, None))  # type: ignore[arg-type]


# Work.


def test_an_address_opens_no_more_websockets_than_it_may() -> None:
    with realtime_service(max_handshakes_per_minute=2) as server:
        for _ in range(2):
            with server.session():
                pass
        with raw_socket(server.port, handshake()) as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 429 ")


def test_a_key_has_no_more_sessions_than_it_may_and_others_have_theirs() -> None:
    other = {"authorization": "Bearer other-key"}
    with realtime_service(api_keys=(KEY, "other-key"), max_sessions_per_key=1) as server:
        with server.session(additional_headers=KEYS), server.session(additional_headers=other):
            refused = refusal(server, **KEYS)
            assert (refused.status_code, json.loads(refused.body)["error"]["code"]) == (TOO_MANY, "too_many_sessions")
        with server.session(additional_headers=KEYS):
            pass


def test_a_key_sends_no_more_requests_for_work_than_it_may() -> None:
    speech = {"input": "Hello.", "model": "tts-1"}
    with (
        realtime_service(api_keys=(KEY,), max_requests_per_minute=2) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=KEYS, timeout=20) as client,
    ):
        statuses = [client.post("/v1/audio/speech", json=speech).status_code for _ in range(3)]
        assert statuses == [HTTPStatus.OK, HTTPStatus.OK, TOO_MANY]
        assert client.get("/v1/models").status_code == HTTPStatus.OK


def test_a_session_ends_when_its_key_has_no_minutes_of_audio_left_and_no_other_begins() -> None:
    with realtime_service(api_keys=(KEY,), max_audio_minutes_per_hour=1 / 60) as server:
        with server.session("intent=transcription", additional_headers=KEYS) as client:
            client.send_audio_until_closed(silence(1.5, RATE))
            assert client.wait_for("error")["error"]["code"] == "rate_limit_exceeded"
            assert read_to_end(client.socket) == 1013
        assert refusal(server, **KEYS).status_code == TOO_MANY


def test_uploads_count_as_audio() -> None:
    with (
        realtime_service(max_audio_minutes_per_hour=1 / 60) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client,
    ):
        files = {"file": wav_file(say_numbers([1, 2, 3, 4]))}
        answers = [client.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files=files) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [HTTPStatus.OK, TOO_MANY]
