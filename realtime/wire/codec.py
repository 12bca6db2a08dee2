"""What the websocket needs of a dialect: a codec between its messages and the session's commands and events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from realtime.catalogue.table import ModelEntry
from realtime.errors import VoiceError
from realtime.session.commands import Command
from realtime.session.config import SessionConfig
from realtime.session.events import Event
from realtime.speech.style import ReferenceClip

MAX_PROMPT_CHARACTERS: Final = 2_000
"""Characters of a transcription prompt that are used, counted from its end; no recognizer reads more."""

Frames: TypeAlias = list[str | bytes]
"""Messages to a client in order, text or binary."""


@dataclass(frozen=True, slots=True)
class Close:
    """The end of the connection, when all messages before have been sent (RFC 6455, section 7.4)."""

    code: int = 1000
    reason: str = ""


Outgoing: TypeAlias = Sequence[str | bytes | Close]
"""Messages to a client in order, after which the connection may end."""

FindRecognizer: TypeAlias = Callable[[str], ModelEntry | None]
"""Resolve the name of a recognizer, an empty one to the default; None if there is no such recognizer."""

FindVoice: TypeAlias = Callable[[str], str | None]
"""Turn a name that a client uses for a voice into the server's own, an empty one into the default; None if unknown."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a codec starts from: the request for the websocket and what the server offers.

    `new_id("item")` makes a unique id that begins with `item_`. `max_input_characters` limits a text to speak and an
    item of the conversation.
    """

    session_id: str
    query: Mapping[str, Sequence[str]]
    new_id: Callable[[str], str]
    find_recognizer: FindRecognizer
    find_voice: FindVoice
    max_input_characters: int
    chat: bool = False
    """Whether a chat backend is configured."""
    prepare_answers: bool = True
    """Whether its answers are prepared before a turn has ended."""
    resume_false_interruptions: bool = True
    """Whether its answers go on after a false interruption."""
    voice_model: ModelEntry | None = None
    """The default voice model."""
    first_words: int = 1
    """Least words of the first phrase of a response."""
    voice_of_language: FindVoice = lambda _: None
    """Turn the code of a language into the voice that is configured for it; None if that is one of the default ones."""
    opened_at: int = 0
    """When the connection was opened, in seconds since 1970 (Unix time)."""
    session: bytes = field(default=b"", repr=False)
    """The JSON of the session that the client's key carries, which is valid; empty if it carries none."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The headers of the request by their lower-case names, which may contain keys."""
    subprotocols: Sequence[str] = field(default=(), repr=False)
    """The websocket subprotocols that the client offers, which may contain keys."""

    def parameter(self, name: str) -> str:
        """Return the last value of a query parameter, or an empty string."""
        values = self.query.get(name, ())
        return values[-1] if values else ""


@dataclass(frozen=True, slots=True)
class MediaChunk:
    """A chunk of microphone audio in a container, which the websocket decodes to samples at 16 kHz for the session.

    No data end the stream, and another one may follow. It needs no end.
    """

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VoiceRecording:
    """The recording of a voice to clone, in any container, which the websocket decodes before it reads on.

    Attributes:
        transcript: What is said in it; empty if unknown.
        accept: Return the commands of the message that it came in. Raises `ClientError` where that is refused.
        refusal: Return the error that refuses the message because the recording cannot be used or decoded.
    """

    data: bytes = field(repr=False)
    transcript: str = field(repr=False)
    accept: Callable[[ReferenceClip], "Sequence[Command | MediaChunk]"] = field(repr=False)
    refusal: Callable[[VoiceError], VoiceError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent at once, without the session: after the commands before it have been passed on."""

    frames: Outgoing = field(repr=False)


Decoded: TypeAlias = Command | MediaChunk | VoiceRecording | Answer
"""What a message means."""


class Resumption(Protocol):
    """What a connection that can be resumed says about that, and what its client does."""

    @property
    def delivered(self) -> int:
        """Number of the last message that the client has said to have, 0 before that."""

    def offer(self, token: str, seconds: float) -> str:
        """Return the message with the token that resumes the session until so many seconds after a loss."""

    def numbered(self, message: str, number: int) -> str:
        """Return a text message with its number."""

    def received(self) -> str:
        """Return the message that says how much of the client's messages has been received."""

    def resumed(self, number: int) -> str:
        """Return the first message of a new connection, which says the same; message `number` is the next."""


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """A request to go on with a session, instead of opening one.

    Attributes:
        token: What proves that the client is the one of the session.
        number: Number of the last message that the client has.
        reads_refusals: Whether the client can read an HTTP response to its handshake. Browsers cannot.
    """

    session_id: str
    token: str = field(repr=False)
    number: int
    reads_refusals: bool


@dataclass(frozen=True, slots=True)
class Resuming:
    """How clients of a dialect resume sessions."""

    request: Callable[[Mapping[str, str], Mapping[str, str], Sequence[str]], ResumeRequest | None]
    """Return what the query, the headers and the subprotocols of a handshake ask for; None for a new session. Raises
    `ClientError` for a request that is not valid."""
    refusal: Callable[[VoiceError, Callable[[str], str]], Outgoing]
    """Build the messages that refuse a request after the handshake; the other argument makes ids."""


class Codec(Protocol):
    """One connection's protocol. It does no I/O: messages in, commands out; events in, messages out.

    Codecs inherit from it what most of them have in common.
    """

    @property
    def config(self) -> SessionConfig:
        """The configuration that the client has asked for last; at first, the one that the session starts with."""

    @property
    def only_speaks(self) -> bool:
        """Whether the client has said that texts are spoken and nothing is transcribed; asked at the handshake."""
        return False

    @property
    def idle_timeout_seconds(self) -> float | None:
        """Seconds without a message after which the protocol closes the connection; None: the setting decides."""
        return None

    @property
    def resumption(self) -> Resumption | None:
        """What to say about resuming the session; None where the client has not asked for that."""
        return None

    def greeting(self) -> Frames:
        """Return the first messages of the connection; none where the client speaks first."""
        return []

    def decode(self, message: str | bytes) -> Sequence[Decoded]:
        """Parse one message into commands.

        Raises `UnsupportedAudio` where the connection cannot go on, and any other `ClientError` where the message is
        refused and the connection continues.
        """

    def encode(self, event: Event) -> Outgoing:
        """Return the messages that report an event, in order."""

    def encode_draining(self, seconds: float) -> Frames:  # noqa: ARG002
        """Return the messages that announce the end of the service in `seconds` at the latest.

        There are none where clients might not expect them.
        """
        return []

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the messages that report an error, which is one of `decode` or of a `MediaChunk`.

        With `final` the error ends the connection, and the last of them is a `Close`.
        """


@dataclass(frozen=True, slots=True)
class Dialect:
    """A protocol of the websocket."""

    open: Callable[[Handshake], Codec]
    """Open a connection's codec. Raises `ClientError` to refuse the connection."""
    refusal: Callable[[VoiceError, str], Mapping[str, object]]
    """Build the JSON body that refuses a connection for an error, with the id of the session."""
    resuming: Resuming | None = None
    """How its clients resume sessions; None if they cannot."""
    signed_by_twilio: bool = False
    """Whether its clients are Twilio's servers, which sign their requests."""
