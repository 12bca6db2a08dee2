from pathlib import Path

import pytest

from realtime.settings import Settings


def test_without_variables_the_defaults_hold() -> None:
    assert Settings.from_environ({"PATH": "/bin", "HOME": "/root"}) == Settings()


def test_a_variable_sets_the_field_of_its_name() -> None:
    settings = Settings.from_environ(
        {"VIVAVOCE_HOST": "0.0.0.0", "VIVAVOCE_PORT": "9000", "VIVAVOCE_SEND_TIMEOUT_SECONDS": "2"}
    )
    assert (settings.host, settings.port, settings.send_timeout_seconds) == ("0.0.0.0", 9000, 2.0)


def test_a_path_is_read_as_a_path() -> None:
    assert Settings.from_environ({"VIVAVOCE_CACHE_DIR": "/var/cache/voice"}).cache_dir == Path("/var/cache/voice")


def test_a_list_is_separated_by_commas() -> None:
    settings = Settings.from_environ({"VIVAVOCE_API_KEYS": " one, two ,,three"})
    assert settings.api_keys == ("one", "two", "three")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("FALSE", False)]
)
def test_a_switch_takes_the_usual_words(text: str, value: bool) -> None:
    assert Settings.from_environ({"VIVAVOCE_OFFLINE": text}).offline is value


def test_an_unknown_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_PROT"):
        Settings.from_environ({"VIVAVOCE_PROT": "9000"})


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
        Settings.from_environ({name: text})


def test_keys_are_not_printed() -> None:
    assert "secret" not in repr(Settings(api_keys=("secret",)))


def test_an_engine_has_at_least_one_thread_and_as_many_as_were_asked_for() -> None:
    assert 1 <= Settings().engine_threads <= 4
    assert Settings(threads_per_worker=7).engine_threads == 7


def test_an_unknown_log_format_is_an_error_that_names_the_formats() -> None:
    with pytest.raises(ValueError, match="VIVAVOCE_LOG_FORMAT must be one of text, json"):
        Settings.from_environ({"VIVAVOCE_LOG_FORMAT": "xml"})


@pytest.mark.parametrize(("text", "trace"), [("", None), ("/var/trace", Path("/var/trace"))])
def test_an_optional_path_may_be_empty(text: str, trace: Path | None) -> None:
    assert Settings.from_environ({"VIVAVOCE_TRACE": text}).trace == trace
