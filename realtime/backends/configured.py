"""The chat backend that the settings ask for."""

from collections.abc import Callable

from realtime.backends.backend import ChatBackend
from realtime.backends.client import ChatClient, ChatReport
from realtime.backends.scripted import ScriptedBackend
from realtime.settings import SCRIPTED, Settings


def configured_backend(settings: Settings, report: Callable[[ChatReport], None]) -> ChatBackend | None:
    """Return the backend, None where none is configured; `report` is that of `ChatClient`."""
    if settings.chat_base_url is None:
        return None
    return ScriptedBackend() if settings.chat_base_url == SCRIPTED else ChatClient(settings, report)
