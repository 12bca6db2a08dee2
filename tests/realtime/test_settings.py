from dataclasses import fields
from pathlib import Path

import pytest

from realtime.environment import MAY_BE_ZERO, settings_from
from realtime.settings import Settings


def test_without_variables_the_defaults_hold() -> None:
    assert settings_from({"PATH": "/bin", "HOME": "/root"}) == Settings()


def test_a_variable_sets_the_field_of_its_name() -> None:
    settings = settings_from(
        {"VIVAVOCE_HOST": "0.0.0.0", "VIVAVOCE_PORT": "9000", "VIVAVOCE_SEND_TIMEOUT_SECONDS": "2"}
    )
    assert (settings.host, settings.port, settings.send_timeout_seconds) == ("0.0.0.0", 9000, 2.0)


def test_a_path_is_read_as_a_path() -> None:
    assert settings_from({"VIVAVOCE_CACHE_DIR": "/var/cache/voice"}).cache_dir == Path("/var/cache/voice")


def test_a_list_is_separated_by_commas() -> None:
    settings = settings_from({"VIVAVOCE_API_KEYS": " one, two ,,three"})
    assert settings.api_keys == ("one", "two", "three")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("FALSE", False)]
)
def test_a_switch_takes_the_usual_words(text: str, value: bool) -> None:
    assert settings_from({"VIVAVOCE_OFFLINE": text}).offline is value


def test_voices_by_language_are_pairs_of_a_language_and_a_model() -> None:
    settings = settings_from({"VIVAVOCE_VOICES_BY_LANGUAGE": "de=a, pt-BR = b,French=c"})
    assert settings.voice_names_by_language == {"de": "a", "pt": "b", "fr": "c"}


@pytest.mark.parametrize("text", ["de", "de=", "=a", "auto=a", "Klingon=a"])
def test_a_voice_of_no_language_is_an_error_that_names_the_variable(text: str) -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_VOICES_BY_LANGUAGE must be pairs"):
        settings_from({"VIVAVOCE_VOICES_BY_LANGUAGE": text})


def test_an_unknown_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_PROT"):
        settings_from({"VIVAVOCE_PROT": "9000"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VIVAVOCE_PORT", "http"),
        ("VIVAVOCE_PORT", ""),
        ("VIVAVOCE_IDLE_TIMEOUT_SECONDS", "5 minutes"),
        ("VIVAVOCE_OFFLINE", "perhaps"),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_from({name: text})


@pytest.mark.parametrize("text", ["-1", "-0.5", "nan", "inf"])
@pytest.mark.parametrize("name", ["VIVAVOCE_MODEL_IDLE_SECONDS", "VIVAVOCE_LOAD_LIMIT"])
def test_a_number_that_is_negative_or_not_finite_is_an_error_that_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_from({name: text})


def test_a_negative_whole_number_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_DECODER_WORKERS must be a finite number that is not negative"):
        settings_from({"VIVAVOCE_DECODER_WORKERS": "-1"})


@pytest.mark.parametrize(
    "field", [each.name for each in fields(Settings) if each.type in (int, float) and each.name not in MAY_BE_ZERO]
)
def test_a_limit_of_zero_is_an_error_that_names_the_variable(field: str) -> None:
    name = f"VIVAVOCE_{field.upper()}"
    with pytest.raises(ValueError, match=f"{name} must be greater than 0"):
        settings_from({name: "0"})


@pytest.mark.parametrize("field", sorted(MAY_BE_ZERO))
def test_zero_is_accepted_where_it_has_a_meaning(field: str) -> None:
    assert getattr(settings_from({f"VIVAVOCE_{field.upper()}": "0"}), field) == 0


def test_the_highest_port_is_accepted() -> None:
    assert settings_from({"VIVAVOCE_PORT": "65535"}).port == 65_535


def test_a_port_that_is_too_high_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_PORT must be at most 65535"):
        settings_from({"VIVAVOCE_PORT": "65536"})


def test_an_unknown_log_level_is_an_error_that_names_the_levels() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_LOG_LEVEL must be debug, info, warning, error or critical"):
        settings_from({"VIVAVOCE_LOG_LEVEL": "loud"})


def test_an_address_for_wyoming_clients_needs_its_dialect() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_DIALECTS does not name wyoming"):
        settings_from({"VIVAVOCE_DIALECTS": "openai", "VIVAVOCE_WYOMING_URI": "tcp://127.0.0.1"})


@pytest.mark.parametrize("text", ["", "openai,esperanto"])
def test_an_unknown_dialect_is_an_error_that_names_the_dialects(text: str) -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_DIALECTS must name one or more of openai"):
        settings_from({"VIVAVOCE_DIALECTS": text})


def test_keys_are_not_printed() -> None:
    assert "secret" not in repr(Settings(api_keys=("secret",)))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("VIVAVOCE_MAX_SESSIONS", "many", "a whole number"),
        ("VIVAVOCE_LOAD_LIMIT", "high", "a number"),
        ("VIVAVOCE_OFFLINE", "maybe", "true or false"),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_says_what_is_right(name: str, text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be {expected}, not {text}$"):
        settings_from({name: text})


def test_an_unknown_log_format_is_an_error_that_names_the_formats() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_LOG_FORMAT must be one of text, json"):
        settings_from({"VIVAVOCE_LOG_FORMAT": "xml"})


@pytest.mark.parametrize(("text", "trace"), [("", None), ("/var/trace", Path("/var/trace"))])
def test_an_optional_path_may_be_empty(text: str, trace: Path | None) -> None:
    assert settings_from({"VIVAVOCE_TRACE": text}).trace == trace


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:11434/v1", "https://api.openai.com/v1", "http://[::1]:8080", "scripted"]
)
def test_a_chat_backend_is_an_address_or_scripted(text: str) -> None:
    assert settings_from({"VIVAVOCE_CHAT_BASE_URL": text}).chat_base_url == text


@pytest.mark.parametrize(
    "text", ["127.0.0.1:11434", "localhost", "ftp://example.org", "http://", "http://[::1", "http://a:b"]
)
def test_a_chat_backend_that_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_CHAT_BASE_URL"):
        settings_from({"VIVAVOCE_CHAT_BASE_URL": text})


@pytest.mark.parametrize("text", ["sk 1", "sk-1\n", "schlüssel"])
def test_a_chat_key_that_fits_in_no_header_is_an_error_that_does_not_show_it(text: str) -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_CHAT_API_KEY") as raised:
        settings_from({"VIVAVOCE_CHAT_API_KEY": text})
    assert text not in str(raised.value)


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(Settings(api_keys=("secret",), chat_api_key="secret"))


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("tcp://0.0.0.0:10300", ("0.0.0.0", 10_300)),
        ("tcp://localhost", ("localhost", 10_300)),
        ("tcp://[::1]:7/", ("::1", 7)),
        ("tcp://127.0.0.1:0", ("127.0.0.1", 0)),
        ("", None),
    ],
)
def test_the_address_for_wyoming_clients_is_a_uri(uri: str, address: tuple[str, int] | None) -> None:
    assert settings_from({"VIVAVOCE_WYOMING_URI": uri}).wyoming_address == address


@pytest.mark.parametrize("uri", ["10300", "0.0.0.0:10300", "http://a:1", "tcp://:10300", "tcp://a:99999", "tcp://a/b"])
def test_an_address_for_wyoming_clients_that_is_none_is_an_error(uri: str) -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_WYOMING_URI must be an address such as tcp"):
        settings_from({"VIVAVOCE_WYOMING_URI": uri})
