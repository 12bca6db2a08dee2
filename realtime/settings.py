"""The settings of a server, read once from `VIVAVOCE_*` environment variables and the command line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "VIVAVOCE_"


RENAMED: Final = {
    "downloads": "allow_downloads",
    "idle_seconds": "idle_timeout_seconds",
    "load_seconds": "model_load_timeout_seconds",
    "recognizer": "transcription_model",
    "send_seconds": "send_timeout_seconds",
    "threads": "threads_per_worker",
    "voice_model": "speech_model",
    "workers": "decoder_workers",
}
"""Former names of settings, each with the present one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field is the environment variable `VIVAVOCE_<FIELD>`; lists are separated by commas.

    Sizes are bytes, times are seconds.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys of which a client must present one; without any, everybody is served."""
    allowed_origins: tuple[str, ...] = ()
    """Browser origins besides this server's own host; `*` allows every page."""

    transcription_model: str = "whisper-base"
    """The default speech-to-text model."""
    speech_model: str = "hibari-tts"
    """The default text-to-speech model."""
    model_paths: tuple[str, ...] = ()
    """`name=directory` pairs: weights on this machine that come before all other places."""
    cache_dir: Path = Path("~/.cache/vivavoce")
    """Where assembled and converted weights are kept."""
    offline: bool = False
    """Never ask a model hub."""
    allow_downloads: bool = True
    """Whether a client's request may download a model of the catalogue; the operator's commands always may."""
    preload: tuple[str, ...] = ()
    """Models loaded at the start and kept, besides the defaults; clients may ask for repositories named here."""
    model_load_timeout_seconds: float = 10.0
    """How long a request waits for a model to be loaded before it is told to come back; the load goes on."""
    model_idle_seconds: float = 1800.0
    """A model that nobody has used for so long is unloaded, unless it is kept; 0 is never."""
    model_memory_bytes: int = 0
    """Weights that may be in memory at once, by the size of their files; models unused for longest make room for
    others. 0 is no limit."""
    device: str = "auto"
    compute_type: str = "int8"
    """CTranslate2's name for the precision: `int8` is the fastest on a CPU, `float16` on a GPU."""
    device_index: int = 0
    """Which GPU."""
    decoder_workers: int = 0
    """Decodes of one model that run side by side, each in batches; 0 is two, or one where there is one CPU."""
    threads_per_worker: int = 0
    """Threads of each; 0 shares the CPUs among the workers, at most four each."""

    max_sessions: int = 32
    load_limit: float = 0.95
    """Share of an engine's time that its sessions may be expected to take before newcomers are refused; with a larger
    one more talkers are let in, and all of them wait longer."""
    max_message_bytes: int = 2 * 1024 * 1024
    """Of one websocket message: half a minute of audio in base64."""
    max_upload_bytes: int = 512 * 1024 * 1024
    max_upload_seconds: float = 4 * 3600.0
    max_input_characters: int = 32_768
    """Longest text to speak in one request."""
    max_queued_uploads: int = 16
    idle_timeout_seconds: float = 300.0
    """A session that sends nothing for so long is closed."""
    send_timeout_seconds: float = 5.0
    """A client that takes nothing for so long is cut off."""
    log_level: str = "info"

    @property
    def engine_threads(self) -> int:
        """Threads of one worker."""
        return self.threads_per_worker or max(1, min(4, (os.cpu_count() or 1) // self.engine_workers))

    @property
    def engine_workers(self) -> int:
        """Workers of one model: decoding waits for memory, and another worker uses the CPU meanwhile."""
        return self.decoder_workers or min(2, os.cpu_count() or 1)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings. Raises `ValueError` for an unknown `VIVAVOCE_*` name or a value of the wrong type."""
        known = {PREFIX + each.name.upper(): each for each in fields(cls)}
        given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        if unknown := sorted(given.keys() - known.keys()):
            raise ValueError(f"unknown settings: {', '.join(map(_with_new_name, unknown))}")
        defaults = cls()
        values: dict[str, Any] = {}
        for name, text in given.items():
            key = known[name].name
            try:
                values[key] = _parse(text, getattr(defaults, key))
            except ValueError:
                raise ValueError(f"{name} must be of type {type(getattr(defaults, key)).__name__}") from None
        return replace(defaults, **values)


def _with_new_name(unknown: str) -> str:
    new = RENAMED.get(unknown.removeprefix(PREFIX).lower())
    return f"{unknown} (its name is now {PREFIX}{new.upper()})" if new else unknown


def _parse(text: str, default: object) -> object:
    match default:
        case bool():
            words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
            if text.lower() not in words:
                raise ValueError(text)
            return words[text.lower()]
        case int():
            return int(text)
        case float():
            return float(text)
        case Path():
            return Path(text)
        case tuple():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case _:
            return text
