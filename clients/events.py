"""Server events as typed values."""

import base64
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeAlias

Payload: TypeAlias = dict[str, Any]

_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"


@dataclass(frozen=True, slots=True)
class Event:
    """Base class of all events. `raw` is the JSON message; empty for a binary message."""

    raw: Payload = field(default_factory=dict, repr=False, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its punctuation; times in seconds since the audio began. Uploads have no `probability` (NaN)."""

    text: str
    start: float
    end: float
    probability: float = math.nan


@dataclass(frozen=True, slots=True)
class SpeechStarted(Event):
    """Speech has started; `audio_start_ms` counts the audio since the session began."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped(Event):
    """Speech has stopped; `audio_end_ms` includes the silence that ended the turn."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class Committed(Event):
    """A turn has ended; `Completed` or `Failed` follows."""

    item_id: str
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class Delta(Event):
    """Committed text to append to the transcript of a turn."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Partial(Event):
    """The transcript so far: `stable` is committed, except for its last punctuation mark; `tentative` may change."""

    item_id: str
    stable: str
    tentative: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class Completed(Event):
    """The final transcript of a turn; `suppressed` has a reason for each segment whose text was suppressed.

    `words`, `language` and `suppressed` are empty without the extension `partials`. Captions have `start` and `end`, in
    seconds since the audio began, as far as they are known: of segments of a file, where their words begin and end.
    """

    item_id: str
    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    suppressed: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The transcription of a turn failed."""

    item_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ResponseCreated(Event):
    """A response has started; `metadata` is that of its request.

    `voice_unknown` says that the server does not have the voice of the request, so that another one speaks.
    """

    response_id: str
    metadata: dict[str, str]
    voice_unknown: bool = False


@dataclass(frozen=True, slots=True)
class ResponseText(Event):
    """Text of a response to append. `start` is the second of the response in which it begins to be spoken, if it is."""

    response_id: str
    item_id: str
    text: str
    start: float | None = None


@dataclass(frozen=True, slots=True)
class AudioChunk(Event):
    """PCM16 audio of a response. `offset` counts the samples before it; None without the extension `binary`."""

    response_id: str
    data: bytes = field(repr=False)
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class ResponseDone(Event):
    """A response has ended. Unless `status` is `completed`, `code` and `message` explain why.

    `unspoken_languages` are the codes of the languages of its text that the voice does not speak.
    """

    response_id: str
    status: str
    code: str = ""
    message: str = ""
    unspoken_languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerError(Event):
    """A request was refused and the session continues; `event_id` identifies the request."""

    code: str
    message: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Disconnected(Event):
    """The connection is lost, or could not be opened again; the next attempt begins in `retry_in` seconds.

    `resumes` says that the attempt is to go on with the same session.
    """

    reason: str
    retry_in: float
    resumes: bool = False


@dataclass(frozen=True, slots=True)
class Reconnected(Event):
    """There is a session again, the same one if it was `resumed`.

    `missing` is how many seconds of an unfinished turn were no longer kept, mostly 0.
    """

    missing: float = 0.0
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Interrupted(Event):
    """The user interrupted a response, of which `text` was heard, and `seconds` of its speech."""

    response_id: str
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Other(Event):
    """An event without a type of its own; see `raw`."""

    def __repr__(self) -> str:
        return f"Other({self.raw.get('type')!r})"


def parse_event(raw: Payload) -> Event:
    """Convert a server event to its type. Raises `LookupError`, `TypeError` or `ValueError` if it is malformed."""
    match raw["type"]:
        case "input_audio_buffer.speech_started":
            return SpeechStarted(raw["item_id"], raw["audio_start_ms"], raw=raw)
        case "input_audio_buffer.speech_stopped":
            return SpeechStopped(raw["item_id"], raw["audio_end_ms"], raw=raw)
        case "input_audio_buffer.committed":
            return Committed(raw["item_id"], raw.get("previous_item_id"), raw=raw)
        case "conversation.item.input_audio_transcription.delta":
            return Delta(raw["item_id"], raw["delta"], raw=raw)
        case "x.transcription.partial":
            return Partial(raw["item_id"], raw["stable"], raw["text"], raw["audio_end_ms"], raw=raw)
        case "conversation.item.input_audio_transcription.completed":
            words, language, suppressed = parse_words(raw), raw.get("language"), tuple(raw.get("suppressed") or ())
            return Completed(raw["item_id"], raw["transcript"], words, language, suppressed, raw=raw)
        case "conversation.item.input_audio_transcription.failed":
            error = raw["error"]
            return Failed(raw["item_id"], error.get("code") or "", error["message"], raw=raw)
        case "response.created":
            response = raw["response"]
            voice_unknown = "voice" in (response.get("x_substituted") or ())
            return ResponseCreated(response["id"], response.get("metadata") or {}, voice_unknown, raw=raw)
        case "response.output_audio_transcript.delta" | "response.output_text.delta":
            return ResponseText(raw["response_id"], raw["item_id"], raw["delta"], raw.get("start_time"), raw=raw)
        case "response.output_audio.delta":
            return AudioChunk(raw["response_id"], base64.b64decode(raw["delta"], validate=True), raw=raw)
        case "response.done":
            response = raw["response"]
            details = response.get("status_details") or {}
            error = details.get("error") or {}
            code = error.get("code") or details.get("reason") or ""
            message = (
                error.get("message") or f"the response ended as {response['status']} ({code or 'no reason given'})"
            )
            unspoken = tuple(response.get("x_unspoken_languages") or ())
            return ResponseDone(response["id"], response["status"], code, message, unspoken, raw=raw)
        case "error":
            error = raw["error"]
            return ServerError(error.get("code") or "", error["message"], error.get("event_id"), raw=raw)
        case _:
            return Other(raw=raw)


def parse_words(raw: Payload) -> tuple[Word, ...]:
    """Return the words of a transcript. Raises `LookupError` or `TypeError` if they are malformed."""
    return tuple(Word(each["word"], each["start"], each["end"], each["probability"]) for each in raw.get("words") or ())


def message_of(event: Event) -> Payload:
    """Return the server's message of an event, empty for one that has none.

    A session that replaces a lost one has other items and times. They are those of the event here, which go on.
    """
    match event:
        case SpeechStarted(item_id=item, audio_start_ms=start_ms):
            return {**event.raw, "item_id": item, "audio_start_ms": start_ms}
        case SpeechStopped(item_id=item, audio_end_ms=end_ms):
            return {**event.raw, "item_id": item, "audio_end_ms": end_ms}
        case Partial(item_id=item, audio_end_ms=end_ms):
            return {**event.raw, "item_id": item, "audio_end_ms": end_ms}
        case Committed(item_id=item) | Failed(item_id=item):
            return {**event.raw, "item_id": item}
        case Delta(item_id=item, text=text):
            return {"type": f"{_TRANSCRIPTION}.delta", "content_index": 0, **event.raw, "item_id": item, "delta": text}
        case Completed(item_id=item, text=text, words=words):
            message = {"type": f"{_TRANSCRIPTION}.completed", "content_index": 0, **event.raw}
            if words != parse_words(message):
                message["words"] = [
                    {("word" if name == "text" else name): value for name, value in asdict(word).items()}
                    for word in words
                ]
            return {**message, "item_id": item, "transcript": text}
        case _:
            return event.raw
