"""The settings of a server; `environment` reads them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from realtime.languages import language_code

PREFIX: Final = "VIVAVOCE_"

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
    allowed_hosts: tuple[str, ...] = ()
    """Host names by which a server for this machine only, without keys, may be addressed, besides `localhost`,
    addresses and `*.internal`: those under which a proxy on this machine publishes it."""
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
    draft_model: str | None = None
    """Smaller speech-to-text model, loaded at start, that writes the tentative words of live speech for all others.
    Unset: each writes its own."""
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
    speculative_decoding: bool = True
    """Whether greedy text is verified where it is expected, instead of being generated token by token; CPUs without
    VNNI cannot."""
    device_index: int = 0
    """Index of the GPU to use."""
    decoder_workers: int = 0
    """Batches of one model decoded in parallel; 0 chooses by rule or by measurement, see `engines.decoder_layouts`."""
    threads_per_worker: int = 0
    """Threads of each decoder worker; 0 divides the CPUs among the workers, at most four each."""
    decoders_in_processes: bool = False
    """Whether each decoder worker is a process, which has the model to itself, instead of threads of the service: a
    crash or a hang in native code ends no session."""

    chattts_python: Path | None = None
    """Python interpreter that has the libraries of ChatTTS. Unset: that of the service."""
    cosyvoice_home: Path | None = None
    """Clone of github.com/FunAudioLLM/CosyVoice with its submodules, which CosyVoice models need."""
    cosyvoice_python: Path | None = None
    """Python interpreter that has the libraries of CosyVoice. Unset: that of the service."""
    engine_processes: int = 1
    """Processes of each voice model that runs in processes of its own (ChatTTS, CosyVoice, Kokoro, pocket-tts): so many
    phrases are spoken at the same time, and so many times the model is in memory."""
    engine_memory_bytes: int = 0
    """Upper bound for the memory that a process of a model may allocate. 0 means no bound."""
    engine_stall_timeout_seconds: float = 120.0
    """A process that has sent nothing for its phrase in this time is killed. While a call of an engine in the service
    takes longer, the service is not alive (`/livez`)."""
    voices_dir: Path | None = None
    """Directory with recordings of voices to clone: `NAME.wav`, or another format, and what is said in it in
    `NAME.txt`. Models that can clone voices have these names as voices."""
    hub: Hub = "huggingface"
    """Where the weights of ChatTTS, CosyVoice and Kokoro are downloaded from: `huggingface` or `modelscope`."""

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

    max_sessions: int = 128
    """Upper bound of concurrent sessions. Of those that are to be transcribed, load usually allows fewer."""
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
    resume_timeout_seconds: float = 60.0
    """How long a session waits for a client that has asked for `ext=resume` and has lost its
    connection."""
    resume_buffer_bytes: int = 2 * 1024 * 1024
    """Largest size of the messages to such a client that are kept until it has them; the default holds half a minute of
    speech in base64."""
    max_parked_sessions: int = 16
    """Upper bound of sessions that wait so. They count as sessions; of more, the one that has waited longest ends,
    of those of the key that has the most. 0 lets no client resume."""

    max_sessions_per_key: int = 0
    """Upper bound of concurrent sessions of one API key. 0 means no bound but `max_sessions`."""
    max_failed_keys_per_minute: int = 20
    """Wrong API keys that one address may present in a minute before all that it asks for is refused. 0 means no
    bound."""
    max_handshakes_per_minute: int = 0
    """Websockets that one address may open in a minute. 0 means no bound."""
    max_requests_per_minute: int = 0
    """Requests for transcripts or speech of one API key in a minute; without keys, of one address. 0 means no bound."""
    max_audio_minutes_per_hour: float = 0.0
    """Minutes of audio of one API key in an hour, live and uploaded; without keys, of one address. 0 means no bound."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses or networks of proxies whose `X-Forwarded-For` names the address of the client."""

    drain_timeout_seconds: float = 30.0
    """Time for turns, responses and requests in progress to end when the service is stopped; 0 cuts them off."""

    log_level: str = "info"
    """Least severe level that is logged: `debug`, `info`, `warning`, `error` or `critical`."""
    log_format: LogFormat = "text"
    """`text`, or `json` for one JSON object per line."""
    trace: Path | None = None
    """Directory for a trace file of every session, which `vivavoce trace` reads. Unset: no traces."""
    trace_text: bool = False
    """Write the words of transcripts and spoken text into traces; without it, only their lengths and times."""

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
