"""Keys and origins."""

import base64

import pytest
from starlette.requests import HTTPConnection

from realtime.edge.access import (
    HostNotAllowed,
    authenticate,
    check_host,
    match_key,
    origin_allowed,
    presented_keys,
    select_subprotocol,
)
from realtime.errors import Forbidden, Unauthorized
from realtime.settings import Settings

KEYS = ("first-key", "schlüssel")
LOCKED = Settings(api_keys=KEYS)


def test_without_keys_all_clients_have_the_same_account() -> None:
    assert authenticate({}, Settings()) == authenticate({"authorization": "Bearer anything"}, Settings()) == ""


@pytest.mark.parametrize(
    "header", ["Bearer first-key", "bearer first-key", "Bearer  first-key ", "Bearer schlüssel", "Token first-key"]
)
def test_a_bearer_of_a_key_has_its_account(header: str) -> None:
    key = KEYS.index(header.split()[1])
    assert authenticate({"authorization": header}, LOCKED) == f"key{key}"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic first-key", "first-key"])
def test_a_request_without_a_key_of_the_server_is_unauthorized(header: str) -> None:
    with pytest.raises(Unauthorized):
        authenticate({"authorization": header}, LOCKED)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("scheme", ["Basic", "basic"])
def test_a_key_in_the_address_of_the_server_has_its_account(key: str, scheme: str) -> None:
    """Clients send the user and the password in an address as HTTP Basic authentication."""
    header = f"{scheme} {base64.b64encode(f'anyone:{key}'.encode()).decode()}"
    assert authenticate({"authorization": header}, LOCKED) == f"key{KEYS.index(key)}"


@pytest.mark.parametrize("credentials", ["", "%", "Zmlyc3Qta2V5", "Zmlyc3Qta2V5Og=="])
def test_basic_authentication_without_a_password_has_no_key(credentials: str) -> None:
    assert presented_keys({"authorization": f"Basic {credentials}"}) == [""]


@pytest.mark.parametrize("key", ["schlüssel", "ключ", "鍵"])
def test_a_key_beyond_ascii_is_recognised_in_utf_8(key: str) -> None:
    as_received = f"Bearer {key}".encode().decode("latin-1")
    assert authenticate({"authorization": as_received}, Settings(api_keys=("other", key))) == "key1"


def test_a_page_of_another_origin_is_forbidden_even_with_a_key() -> None:
    with pytest.raises(Forbidden):
        authenticate({"authorization": "Bearer first-key", "origin": "https://evil.example"}, LOCKED)


def test_a_key_in_a_subprotocol_has_its_account() -> None:
    assert authenticate({}, LOCKED, ["realtime", "openai-insecure-api-key.first-key"]) == "key0"


def test_an_account_does_not_reveal_the_key() -> None:
    assert not any(key in (match_key([key], KEYS) or "") for key in KEYS)


@pytest.mark.parametrize("name", ["api-key", "x-api-key"])
def test_the_headers_of_azure_and_speaches_carry_keys_too(name: str) -> None:
    assert presented_keys({name: "first-key"}) == ["first-key"]


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        (["realtime", "openai-insecure-api-key.first-key"], "realtime"),
        (["token", "first-key"], "token"),
        (["bearer", "first-key", "x-deepgram-session-id", "1"], "bearer"),
    ],
)
def test_a_browser_offers_its_key_as_a_subprotocol(offered: list[str], selected: str) -> None:
    assert presented_keys({}, offered) == ["first-key"]
    assert select_subprotocol(offered) == selected


def test_an_unknown_subprotocol_is_not_selected() -> None:
    assert select_subprotocol(["soap", "first-key"]) is None


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "voice.example", True),
        ("http://localhost:3000", "127.0.0.1:8000", True),
        ("http://[::1]:3000", "localhost:8000", True),
        ("http://tauri.localhost", "127.0.0.1:8000", True),
        ("tauri://localhost", "127.0.0.1:8000", True),
        ("http://localhost.evil.example", "127.0.0.1:8000", False),
        ("http://192.168.1.5:8000", "192.168.1.5:8000", True),
        ("https://evil.example", "127.0.0.1:8000", False),
        ("https://evil.example", "evil.example:8000", False),
        ("http://localhost:3000", "evil.example:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("http://[", "127.0.0.1:8000", False),
        ("http://localhost:3000", "[", False),
    ],
)
def test_pages_of_other_origins_are_refused(origin: str | None, host: str, allowed: bool) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    assert origin_allowed(headers, ()) is allowed


def test_a_listed_origin_may_connect() -> None:
    headers = {"host": "voice.example", "origin": "https://app.example"}
    assert origin_allowed(headers, ("https://app.example",))
    assert origin_allowed(headers, ("*",))
    assert not origin_allowed(headers, ("https://other.example",))


@pytest.mark.parametrize(
    "origin",
    ["app://obsidian.md", "null", "tauri://localhost", "http://tauri.localhost", "capacitor://localhost", "file://"],
)
def test_the_origin_of_a_desktop_program_is_allowed_as_it_is_written_in_the_setting(origin: str) -> None:
    headers = {"host": "voice.example", "origin": origin}
    assert origin_allowed(headers, ("https://app.example", origin))
    assert not origin_allowed(headers, ("https://app.example",))


@pytest.mark.parametrize("written", ["https://App.example", "https://app.example/"])
def test_capitals_and_a_final_slash_in_the_setting_do_not_matter(written: str) -> None:
    assert origin_allowed({"host": "voice.example", "origin": "https://app.example"}, (written,))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("vscode-webview://0v4kd4s8", True),
        ("https://beta.app.example", True),
        ("https://a.b.app.example", True),
        ("https://app.example.evil", False),
        ("https://evil/.app.example", False),
        ("vscode-webviews://0v4kd4s8", False),
        ("http://beta.app.example", False),
    ],
)
def test_a_star_stands_for_a_part_of_the_host(origin: str, allowed: bool) -> None:
    headers = {"host": "voice.example", "origin": origin}
    assert origin_allowed(headers, ("vscode-webview://*", "https://*.app.example")) is allowed


def test_a_refusal_names_the_origin_and_the_setting() -> None:
    with pytest.raises(Forbidden, match=r"'app://obsidian.md'.*VIVAVOCE_ALLOWED_ORIGINS"):
        authenticate({"origin": "app://obsidian.md"}, Settings())


# The host.


def addressed(host: str, reached_at: str = "127.0.0.1") -> HTTPConnection:
    headers = [(b"host", host.encode())] if host else []
    return HTTPConnection({"type": "http", "headers": headers, "server": (reached_at, 8000)})


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "a.localhost",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.0.2.7",
        "",
        "voice.example",
        "host.docker.internal:8000",
        "host.containers.internal",
    ],
)
def test_a_server_for_this_machine_may_be_addressed_by_its_own_names(host: str) -> None:
    check_host(addressed(host), Settings(allowed_hosts=("voice.example",)))
    check_host(addressed(host), Settings(allowed_origins=("https://*.example", "https://voice.example")))
    check_host(addressed(host), Settings(allowed_origins=("*",)))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "evil-internal", "[", "[x]", ":"]
)
def test_a_page_whose_name_resolves_to_this_machine_is_refused(host: str) -> None:
    with pytest.raises(HostNotAllowed):
        check_host(addressed(host), Settings(allowed_hosts=("voice.example",)))


def test_with_keys_or_for_other_machines_any_name_will_do() -> None:
    check_host(addressed("voice.example"), LOCKED)
    check_host(addressed("voice.example"), Settings(host="0.0.0.0"))
    check_host(addressed("voice.example", "192.0.2.1"), Settings())
