"""Keys that expire, for programs that must not know a real one."""

import json
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from realtime.catalogue.names import lookup
from realtime.catalogue.voices import VoiceNames
from realtime.edge.client_secrets import MAX_SECRETS, ClientSecrets
from realtime.edge.handshakes import Handshakes
from realtime.errors import ClientError, Overloaded, Unauthorized
from realtime.settings import Settings
from realtime.wire.dialects import SECRET_DIALECTS
from realtime.wire.openai.client_secrets import SecretKind
from tests.support.realtime_service import SILENT, RealtimeService, realtime_service

DIALECT = SECRET_DIALECTS[SecretKind.CLIENT_SECRETS]
PAGE = "https://app.example"


class Clock:
    """Unix time that passes only when a test says so."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def service(clock: Clock) -> ClientSecrets:
    return ClientSecrets(
        Handshakes(Settings(), lambda: VoiceNames(lookup("hibari-tts"), ("amber",)), chat=False), clock
    )


def made(secrets: ClientSecrets, seconds: int = 600, **body: Any) -> str:
    request = {"expires_after": {"anchor": "created_at", "seconds": seconds}, **body}
    value: str = secrets.create("client_secrets", "key0", json.dumps(request).encode())["value"]
    return value


def test_a_secret_is_found_until_it_expires() -> None:
    clock = Clock()
    secrets = service(clock)
    value = made(secrets, 10)
    clock.now += 9.9
    found = secrets.find(["other", value], DIALECT)
    assert found is not None
    assert (found.account, found.expires_at) == ("key0", 1_010)
    clock.now += 0.1
    with pytest.raises(Unauthorized):
        secrets.find([value], DIALECT)


def test_other_keys_are_no_secrets() -> None:
    assert service(Clock()).find(["sk-1", "ek_local", ""], DIALECT) is None


def test_a_secret_of_another_endpoint_is_refused() -> None:
    secrets = service(Clock())
    value = made(secrets)
    with pytest.raises(Unauthorized, match="another endpoint"):
        secrets.find([value], replace(DIALECT, refusal=lambda error, _: error.body()))


def test_there_is_a_limit_to_valid_secrets_and_expired_ones_make_room() -> None:
    clock = Clock()
    secrets = service(clock)
    for _ in range(MAX_SECRETS):
        made(secrets, 10)
    with pytest.raises(Overloaded):
        made(secrets)
    clock.now += 10
    assert made(secrets)


def test_a_session_that_is_not_possible_makes_no_secret() -> None:
    session = {"audio": {"input": {"transcription": {"model": "whisper-tiny.en", "task": "translate"}}}}
    with pytest.raises(ClientError, match="cannot translate"):
        made(service(Clock()), session=session)


def test_the_beta_has_secrets_too() -> None:
    secrets = service(Clock())
    answer = secrets.create("transcription_sessions", "", b"{}")
    assert answer["object"] == "realtime.transcription_session"
    assert secrets.find([answer["client_secret"]["value"]], DIALECT) is not None


# The whole service.


def post(server: RealtimeService, endpoint: str, body: Any, key: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/v1/realtime/{endpoint}",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["cache-control"] == "no-store"
        return json.load(answer)


def opened(server: RealtimeService, value: str) -> Any:
    """Return the first message of a connection of a web page with this key."""
    protocols: Any = ["realtime", f"openai-insecure-api-key.{value}", "openai-agents-sdk.1"]
    with connect(server.url, subprotocols=protocols, logger=SILENT, origin=Origin(PAGE)) as socket:
        assert socket.subprotocol == "realtime"
        return json.loads(socket.recv())


@pytest.mark.parametrize("keys", [(), ("real-key",)])
def test_a_web_page_opens_the_session_of_its_secret(keys: tuple[str, ...]) -> None:
    with realtime_service(api_keys=keys) as server:
        session = {"type": "transcription", "audio": {"input": {"transcription": {"language": "de"}}}}
        answer = post(server, "client_secrets", {"session": session}, "real-key")
        for _ in range(2):
            created = opened(server, answer["value"])
            assert created["type"] == "session.created"
            assert created["session"]["object"] == "realtime.transcription_session"
            assert created["session"]["audio"] == answer["session"]["audio"]
            assert created["session"]["audio"]["input"]["transcription"]["language"] == "de"
        with pytest.raises(InvalidStatus) as refused:
            opened(server, "ek_" + "0" * 32)
        assert refused.value.response.status_code == 401


def test_a_secret_is_no_key_for_anything_else() -> None:
    with realtime_service(api_keys=("real-key",)) as server:
        value = post(server, "client_secrets", {}, "real-key")["value"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(server, "client_secrets", {}, value)
        assert refused.value.code == 401
        refused.value.close()
