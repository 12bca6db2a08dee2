"""Settings from the environment: variables `VIVAVOCE_*`, which values they may have, and former names."""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from realtime.errors import ClientError
from realtime.languages import language_code
from realtime.settings import DIALECTS, PREFIX, SCRIPTED, Settings

RENAMED: Final = {
    "downloads": "allow_downloads",
    "idle_seconds": "idle_timeout_seconds",
    "load_seconds": "model_load_timeout_seconds",
    "max_queued_uploads": "max_concurrent_uploads",
    "recognizer": "transcription_model",
    "send_seconds": "send_timeout_seconds",
    "threads": "threads_per_worker",
    "voice_model": "speech_model",
    "workers": "decoder_workers",
}
"""Former names of settings, each with the present one."""

MAY_BE_ZERO: Final = frozenset(
    {
        "decoder_workers", "device_index", "drain_timeout_seconds", "engine_memory_bytes",
        "max_audio_minutes_per_hour", "max_failed_keys_per_minute", "max_handshakes_per_minute", "max_parked_sessions",
        "max_requests_per_minute", "max_sessions_per_key", "model_idle_seconds", "model_memory_bytes", "port",
        "threads_per_worker",
    }
)  # fmt: skip
"""Numbers for which 0 has a meaning; the others must be greater."""

MAX_PORT: Final = 65_535


class WrongSettings(ValueError):
    """Settings that are unknown or have wrong values; `problems` has a message for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        WrongSettings: For unknown `VIVAVOCE_*` names, values of the wrong type or out of range, or an address for a
            protocol that is not to be served; it has all of them.

    """
    known = {PREFIX + each.name.upper(): each.name for each in fields(Settings)}
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(given.keys() - known.keys())
    problems = [f"unknown settings: {', '.join(map(_with_new_name, unknown))}"] if unknown else []
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for name in sorted(given.keys() - set(unknown)):
        try:
            value = _parse(name, given[name], types[known[name]])
            _check(known[name], value)
        except ValueError as error:
            problems.append(str(error))
        else:
            values[known[name]] = value
    settings = replace(Settings(), **values)
    if settings.wyoming_uri and "wyoming" not in settings.dialects:
        problems.append(f"{PREFIX}WYOMING_URI is set, but {PREFIX}DIALECTS does not name wyoming")
    if problems:
        raise WrongSettings(problems)
    return settings


def _with_new_name(unknown: str) -> str:
    new = RENAMED.get(unknown.removeprefix(PREFIX).lower())
    return f"{unknown} (its name is now {PREFIX}{new.upper()})" if new else unknown


def _check(field_name: str, value: object) -> None:
    """Refuse a number out of range, an unknown log level, no address or no key. Raises `ValueError`."""
    name = PREFIX + field_name.upper()
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be a finite number that is not negative, not {value}")
        if value == 0 and field_name not in MAY_BE_ZERO:
            raise ValueError(f"{name} must be greater than 0")
        if field_name == "port" and value > MAX_PORT:
            raise ValueError(f"{name} must be at most {MAX_PORT}, not {value}")
    if field_name == "wyoming_uri" and value is not None and not _is_tcp_address(str(value)):
        raise ValueError(f"{name} must be an address such as tcp://127.0.0.1:10300 or tcp://0.0.0.0:10300")
    if field_name == "chat_base_url" and value not in (None, SCRIPTED) and not _is_web_address(str(value)):
        raise ValueError(f"{name} must be an address such as http://127.0.0.1:11434/v1, or {SCRIPTED}")
    if field_name == "chat_api_key" and value is not None and not re.fullmatch(r"[!-~]+", str(value)):
        raise ValueError(f"{name} must be ASCII without spaces")
    if field_name == "dialects" and isinstance(value, tuple) and not set() < set(value) <= set(DIALECTS):
        raise ValueError(f"{name} must name one or more of {', '.join(DIALECTS)}")
    if field_name == "voices_by_language" and isinstance(value, tuple) and not all(map(_is_voice_of_language, value)):
        raise ValueError(f"{name} must be pairs of a language and a model, such as de=piper-de_DE-thorsten-medium")
    if field_name == "log_level" and str(value).upper() not in logging.getLevelNamesMapping():
        raise ValueError(f"{name} must be debug, info, warning, error or critical, not {value}")


def _is_voice_of_language(pair: str) -> bool:
    language, _, name = pair.partition("=")
    try:
        return language_code(language) is not None and bool(name.strip())
    except ClientError:
        return False


def _is_web_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _is_tcp_address(text: str) -> bool:
    try:
        uri = urlsplit(text)
        return uri.scheme == "tcp" and bool(uri.hostname) and (uri.port or 0) >= 0 and uri.path in ("", "/")
    except ValueError:
        return False


def _expected(kind: type) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    return {int: "a whole number", float: "a number", bool: "true or false"}[kind]


def _parse(name: str, text: str, kind: type) -> object:
    """Convert the value of a variable. Raises `ValueError`."""
    value: object = text
    if kind == tuple[str, ...]:
        value = [part.strip() for part in text.split(",") if part.strip()]
    elif kind is bool:
        value = {"yes": "true", "no": "false"}.get(text.lower(), text)
    elif not text and type(None) in get_args(kind):
        value = None
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=lambda convert, raw: convert(raw))
    except msgspec.ValidationError:
        raise ValueError(f"{name} must be {_expected(kind)}, not {text}") from None
