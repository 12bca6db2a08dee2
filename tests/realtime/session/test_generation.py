import pytest

from realtime.session.generation import (
    ChatError,
    ChatInterrupted,
    ChatNotConfigured,
    ChatOverloaded,
    ChatRefused,
    ChatTimeout,
    ImagesUnsupported,
)


@pytest.mark.parametrize("kind", [ChatError, ChatInterrupted, ChatTimeout, ChatOverloaded, ChatRefused])
def test_the_client_is_told_nothing_that_the_backend_wrote(kind: type[ChatError]) -> None:
    error = kind("http://10.0.0.7:11434 answered 401: Incorrect API key: sk-secret")
    assert "secret" not in error.public_message
    assert "10.0.0.7" not in error.public_message
    assert error.public_message


def test_each_kind_of_failure_has_a_code_of_its_own() -> None:
    kinds: list[type[ChatError]] = [
        ChatError,
        ChatInterrupted,
        ChatTimeout,
        ChatOverloaded,
        ChatRefused,
        ChatNotConfigured,
    ]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_without_a_backend_the_log_names_the_setting_and_the_client_is_told_less() -> None:
    error = ChatNotConfigured()
    assert "VIVAVOCE_CHAT_BASE_URL" in error.message
    assert error.public_message == "No chat backend is configured on this server."


def test_a_refused_image_names_its_field() -> None:
    assert ImagesUnsupported(param="item.content").param == "item.content"
