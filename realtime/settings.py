"""The settings of a server, read once from `VIVAVOCE_*` environment variables and the command line."""

import logging
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from realtime.errors import ClientError
from realtime.languages import language_code

PREFIX: Final = "VIVAVOCE_"

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
        "decoder_workers", "device_index", "engine_memory_bytes", "model_idle_seconds", "model_memory_bytes", "port",
        "threads_per_worker",
    }
)  # fmt: skip
"""Numbers for which 0 has a meaning; the others must be greater."""

MAX_PORT: Final = 65_535

DEFAULT_WYOMING_PORT: Final = 10_300
"""TCP port of Wyoming servers for speech recognition, for a `wyoming_uri` without one."""

LOOPBACK_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
"""Hosts that only clients on this machine can reach."""

SCRIPTED: Final = "scripted"
"""Value of `chat_base_url` for answers by rules."""

DIALECTS: Final = ("openai", "deepgram", "twilio", "vosk", "whisperlive", "whisper-asr-webservice", "wyoming")
"""Names of the protocols that can be served."""

UnknownNames: TypeAlias = Literal["default", "refuse"]
UnspokenLanguages: TypeAlias = Literal["speak", "refuse"]
EnglishVariant: TypeAlias = Literal["us", "uk"]
Hub: TypeAlias = Literal["huggingface", "modelscope"]
LogFormat: TypeAlias = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold the settings of a server.

    Every field is the environment variable `VIVAVOCE_<FIELD>`; items of a list are separated by commas. Sizes are in
    bytes and times in seconds unless the name says otherwise.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Accepted API keys. Without any, no key is required."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of web pages and desktop programs that may connect, besides pages of this machine and of the IP address
    by which the server is reached; `*` stands for a part of the host, and alone for all origins."""
    tls_certificate: Path | None = None
    """File in PEM with the certificate and those of its issuers: serve HTTPS and secure websockets. Unset: no TLS."""
    tls_key: Path | None = None
    """File in PEM with the key of the certificate. Unset: it is in the same file."""

    dialects: tuple[str, ...] = DIALECTS
    """Protocols to serve: `openai` is the Realtime API and the endpoints below `/v1/audio`, `deepgram` is `/v1/listen`
    and `/v1/speak`, `twilio` the Media Streams of telephone calls, `vosk`, `whisperlive` and `whisper-asr-webservice`
    (`/asr`, `/detect-language`) what the clients of these servers speak, `wyoming` what is served at `wyoming_uri`."""

    twilio_auth_token: str | None = field(default=None, repr=False)
    """Auth token of the Twilio account whose calls are served; those without its signature are refused. Unset: the
    signature is not checked."""

    wyoming_uri: str | None = None
    """Address for clients of the Wyoming protocol, such as Home Assistant: `tcp://HOST:PORT`, usually with port 10300.
    The protocol has no API keys. Unset: no such clients."""
    wyoming_zeroconf: bool = False
    """Announce that address in the local network, so that Home Assistant finds it; needs the extra `zeroconf`."""

    transcription_model: str = "whisper-base"
    """Default speech-to-text model."""
    speech_model: str = "hibari-tts"
    """Default text-to-speech model."""
    voices_by_language: tuple[str, ...] = ()
    """`language=name` pairs: models that speak texts in these languages for clients that ask for the default model,
    as in `de=piper-de_DE-thorsten-medium`. They are loaded at start and kept in memory."""
    unspoken_languages: UnspokenLanguages = "speak"
    """What to do with texts in a language that the voice does not speak: `speak` them all the same, or `refuse`."""
    english_variant: EnglishVariant = "us"
    """How written English is read: `us` takes 3/10/2024 for March tenth, `uk` for the third of October."""
    model_paths: tuple[str, ...] = ()
    """`name=directory` pairs: local weights, which take precedence over all other sources."""
    cache_dir: Path = Path("~/.cache/vivavoce")
    """Directory for assembled and converted weights."""
    offline: bool = False
    """Never contact the Hugging Face hub."""
    allow_downloads: bool = True
    """Let client requests download models of the catalogue; `vivavoce models pull` may always do so."""
    unknown_names: UnknownNames = "default"
    """How to answer requests for a model or a voice that means nothing here: `default` serves the default one and says
    so in a header of the response, `refuse` refuses them."""
    preload: tuple[str, ...] = ()
    """Models to load at start and keep in memory, besides the defaults. Clients may request the repositories named
    here."""
    model_load_timeout_seconds: float = 10.0
    """How long a request waits for a model to load before it is refused with `Retry-After`; loading continues."""
    model_idle_seconds: float = 1800.0
    """Time after which an unused model is unloaded, unless it is pinned; 0 disables unloading."""
    model_memory_bytes: int = 0
    """Upper bound for the weights in memory, by the size of their files; the least recently used models are evicted
    first. 0 means no bound."""
    device: str = "auto"
    """CTranslate2 device: `auto`, `cpu` or `cuda`."""
    compute_type: str = "int8"
    """CTranslate2 compute type: `int8` is the fastest on a CPU, `float16` on a GPU."""
    device_index: int = 0
    """Index of the GPU to use."""
    decoder_workers: int = 0
    """Batches of one model decoded in parallel; 0 chooses two, or one on a single CPU."""
    threads_per_worker: int = 0
    """Threads of each decoder worker; 0 divides the CPUs among the workers, at most four each."""

    chattts_python: Path | None = None
    """Python interpreter that has the libraries of ChatTTS. Unset: that of the service."""
    cosyvoice_home: Path | None = None
    """Clone of github.com/FunAudioLLM/CosyVoice with its submodules, which CosyVoice models need."""
    cosyvoice_python: Path | None = None
    """Python interpreter that has the libraries of CosyVoice. Unset: that of the service."""
    engine_processes: int = 1
    """Processes of each model that runs in processes of its own (ChatTTS, CosyVoice): so many phrases are spoken at the
    same time, and so many times the model is in memory."""
    engine_memory_bytes: int = 0
    """Upper bound for the memory that such a process may allocate. 0 means no bound."""
    engine_stall_timeout_seconds: float = 120.0
    """A process that has sent nothing for its phrase in this time is killed."""
    voices_dir: Path | None = None
    """Directory with recordings of voices to clone: `NAME.wav`, or another format, and what is said in it in
    `NAME.txt`. Models that can clone voices have these names as voices."""
    hub: Hub = "huggingface"
    """Where the weights of ChatTTS and CosyVoice are downloaded from: `huggingface` or `modelscope`."""

    chat_base_url: str | None = None
    """Address of a server with OpenAI's `/v1/chat/completions`, which answers in conversations; `scripted` for answers
    by rules, to try the service without a model. Unset: no answers."""
    chat_api_key: str | None = field(default=None, repr=False)
    """API key for the chat backend."""
    chat_model: str | None = None
    """Model to request. Unset: the request names none, and a backend with one model uses that."""
    chat_instructions: str = (
        "You are a voice assistant. Your answers are read aloud: answer briefly, in the language of the user, in plain "
        "sentences without Markdown, lists, code, links or emoji."
    )
    """System text of conversations whose client gives none."""
    chat_max_history_tokens: int = 3072
    """Upper bound for the conversation in a request, tools included, by estimate; the oldest turns are left out. The
    default leaves room for an answer in a context of 4096 tokens, the smallest default of common servers."""
    chat_prepare_answers: bool = True
    """Whether the backend is asked in a pause in which the user's turn may end; in vain, where it goes on."""
    resume_false_interruptions: bool = True
    """Whether an answer that was interrupted goes on if the user then says nothing, or a mere "mhm"."""
    echo_gate: bool = False
    """Whether speech that is an answer from a loudspeaker is told from speech of the user, for clients without echo
    cancellation."""
    chat_connect_timeout_seconds: float = 5.0
    """Time for connecting to the chat backend."""
    chat_first_token_timeout_seconds: float = 30.0
    """Time until the first token of an answer. A backend that loads its model first may need more."""
    chat_token_timeout_seconds: float = 15.0
    """Longest pause within an answer."""
    chat_timeout_seconds: float = 120.0
    """Time that a whole answer may keep its session waiting, all in all."""

    max_sessions: int = 32
    """Upper bound of concurrent sessions."""
    load_limit: float = 0.95
    """Share of an engine's time that admitted sessions may be expected to use before further sessions are refused.
    Higher values admit more sessions and increase the lag of all captions."""
    max_message_bytes: int = 2 * 1024 * 1024
    """Largest websocket message; the default holds half a minute of audio in base64."""
    max_upload_bytes: int = 512 * 1024 * 1024
    """Largest uploaded recording."""
    max_upload_seconds: float = 4 * 3600.0
    """Longest uploaded recording."""
    max_input_characters: int = 32_768
    """Longest text to speak in one request, in characters."""
    max_concurrent_uploads: int = 16
    """Upper bound of concurrent uploads."""
    idle_timeout_seconds: float = 300.0
    """A session is closed, or an upload is refused, when its client has sent nothing for this time."""
    send_timeout_seconds: float = 5.0
    """A client is disconnected when it has not read anything for this time."""

    log_level: str = "info"
    """Least severe level that is logged: `debug`, `info`, `warning`, `error` or `critical`."""
    log_format: LogFormat = "text"
    """`text`, or `json` for one JSON object per line."""
    trace: Path | None = None
    """Directory for a trace file of every session, which `vivavoce trace` reads. Unset: no traces."""
    trace_text: bool = False
    """Write the words of transcripts and spoken text into traces; without it, only their lengths and times."""

    @property
    def engine_threads(self) -> int:
        """Return the number of threads of one decoder worker."""
        return self.threads_per_worker or max(1, min(4, (os.cpu_count() or 1) // self.engine_workers))

    @property
    def engine_workers(self) -> int:
        """Return the number of decoder workers per model.

        Decoding is bound by memory bandwidth, so that a second worker can use the CPU while the first one waits.
        """
        return self.decoder_workers or min(2, os.cpu_count() or 1)

    @property
    def lacks_api_keys(self) -> bool:
        """Return whether clients on other machines could connect without an API key."""
        return not self.api_keys and self.host not in LOOPBACK_HOSTS

    @property
    def voice_names_by_language(self) -> dict[str, str]:
        """Return the names in `voices_by_language`, by Whisper's codes. Raises `ClientError` for other languages."""
        pairs = (pair.partition("=") for pair in self.voices_by_language)
        return {language_code(language) or "": name.strip() for language, _, name in pairs}

    @property
    def wyoming_address(self) -> tuple[str, int] | None:
        """Return the host and the port of `wyoming_uri`."""
        if self.wyoming_uri is None:
            return None
        uri = urlsplit(self.wyoming_uri)
        return uri.hostname or "", DEFAULT_WYOMING_PORT if uri.port is None else uri.port

    @property
    def wyoming_is_open(self) -> bool:
        """Return whether Wyoming clients on other machines can connect, which needs no API key."""
        return self.wyoming_address is not None and self.wyoming_address[0] not in LOOPBACK_HOSTS

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            ValueError: For an unknown `VIVAVOCE_*` name, a value of the wrong type or out of range, or an address for
                a protocol that is not to be served.
        """
        known = {PREFIX + each.name.upper(): each.name for each in fields(cls)}
        given = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
        if unknown := sorted(given.keys() - known.keys()):
            raise ValueError(f"unknown settings: {', '.join(map(_with_new_name, unknown))}")
        types = get_type_hints(cls)
        values: dict[str, Any] = {known[name]: _parse(name, text, types[known[name]]) for name, text in given.items()}
        for field_name, value in values.items():
            _check(field_name, value)
        settings = replace(cls(), **values)
        if settings.wyoming_uri and "wyoming" not in settings.dialects:
            raise ValueError(f"{PREFIX}WYOMING_URI is set, but {PREFIX}DIALECTS does not name wyoming")
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
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        expected = f"one of {', '.join(choices)}" if choices else f"of type {kind.__name__}"
        raise ValueError(f"{name} must be {expected}") from None
