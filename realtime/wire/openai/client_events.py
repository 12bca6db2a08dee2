"""Client events of the OpenAI Realtime protocol as msgspec structs, and how they are parsed.

Field types are strict; unknown fields are ignored. msgspec decodes the base64 of `input_audio_buffer.append`.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from realtime.errors import BadMessage, Overloaded
from realtime.wire.invalid_field import Fault, invalid_json_field
from realtime.wire.openai.formats import FlatFormat, nested_format
from realtime.wire.openai.items import ItemId, NewItem, WireItemReference
from realtime.wire.openai.session_update import (
    MaxTokens,
    ModalityName,
    OutputPatch,
    SessionPatch,
    Tool,
    ToolChoice,
    VoiceId,
)

Parsed = TypeVar("Parsed")


class RefusedRequest(BadMessage):
    """A client event that is refused; `request_id` is its `event_id`, where that could be parsed."""

    def __init__(self, message: str, *, param: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message, param=param)
        self.request_id = request_id


class InvalidJson(RefusedRequest):
    """The message is not valid JSON."""

    code = "invalid_json"


class InvalidValue(RefusedRequest):
    """A field of the event has an invalid value."""

    code = "invalid_value"


class InvalidType(RefusedRequest):
    """A field of the event has a value of another type."""

    code = "invalid_type"


class OverloadedRequest(Overloaded):
    """A client event that cannot be carried out now and may be sent again; `request_id` is its `event_id`."""

    def __init__(self, message: str, *, request_id: str | None) -> None:
        super().__init__(message)
        self.request_id = request_id


class Request(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all client events."""

    event_id: str | None = None


class UpdateSession(Request, frozen=True, tag="session.update"):
    """Change the fields of the session that are present in `session`."""

    session: SessionPatch


class UpdateTranscriptionSession(Request, frozen=True, tag="transcription_session.update"):
    """Change the fields of a transcription session, as clients of the protocol's beta do."""

    session: SessionPatch


class AppendInput(Request, frozen=True, tag="input_audio_buffer.append"):
    """Audio in the session's input format; base64 on the wire."""

    audio: bytes


class CommitInput(Request, frozen=True, tag="input_audio_buffer.commit"):
    """End the turn here."""


class ClearInput(Request, frozen=True, tag="input_audio_buffer.clear"):
    """Discard the audio since the last commit."""


class ClearOutput(Request, frozen=True, tag="output_audio_buffer.clear"):
    """Applies to WebRTC only; ignored."""


class AcknowledgeMessages(Request, frozen=True, tag="x.session.received"):
    """Say that the messages of the server up to this number have been received; with `ext=resume`, else ignored."""

    messages: Annotated[int, Meta(ge=0)]


Metadata: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
"""What a client notes about a response, within the limits of OpenAI's API. It is returned with the response."""


class ResponseAudio(Struct, frozen=True):
    """Audio settings of one response."""

    output: OutputPatch | None = None


class ResponseParameters(Struct, frozen=True):
    """Parameters of one response; they override those of the session. The last three are those of the beta."""

    instructions: str | None = None
    audio: ResponseAudio | None = None
    output_modalities: list[ModalityName] | None = None
    modalities: list[ModalityName] | None = None
    metadata: Metadata | None = None
    conversation: Literal["auto", "none"] | None = None
    input: list[NewItem | WireItemReference] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | ToolChoice | None = None
    max_output_tokens: MaxTokens | None = None
    voice: str | VoiceId | None = None
    x_text_follows: bool = False
    output_audio_format: FlatFormat | None = None
    max_response_output_tokens: MaxTokens | None = None

    @property
    def output(self) -> OutputPatch:
        """The settings of the speech, which the beta has beside the others."""
        if self.audio is not None and self.audio.output is not None:
            return self.audio.output
        return OutputPatch(nested_format(self.output_audio_format), self.voice)


class CreateResponse(Request, frozen=True, tag="response.create"):
    """Start a response."""

    response: ResponseParameters | None = None


class AppendText(Request, frozen=True, tag="x.response.text.append"):
    """Add text to the newest response that was created with `x_text_follows`, as an extension of the protocol.

    `flush` speaks what there is without waiting for the end of a phrase, `final` ends the text.
    """

    text: str = ""
    flush: bool = False
    final: bool = False


class CancelCurrent(Request, frozen=True, tag="response.cancel"):
    """Cancel a response: the one given, or the one in progress."""

    response_id: str | None = None


class CreateItem(Request, frozen=True, tag="conversation.item.create"):
    """Insert an item into the conversation."""

    item: NewItem
    previous_item_id: ItemId | None = None


class DeleteItem(Request, frozen=True, tag="conversation.item.delete"):
    """Delete an item from the conversation."""

    item_id: ItemId


class RetrieveItem(Request, frozen=True, tag="conversation.item.retrieve"):
    """Return an item of the conversation."""

    item_id: ItemId


class TruncateItem(Request, frozen=True, tag="conversation.item.truncate"):
    """Report that only the beginning of a spoken item was played to the user."""

    item_id: ItemId
    content_index: Annotated[int, Meta(ge=0)] = 0
    audio_end_ms: Annotated[int, Meta(ge=0)] = 0


ItemRequest: TypeAlias = CreateItem | DeleteItem | RetrieveItem | TruncateItem
ClientRequest: TypeAlias = (
    AppendInput
    | CommitInput
    | ClearInput
    | ClearOutput
    | AcknowledgeMessages
    | UpdateSession
    | UpdateTranscriptionSession
    | CreateResponse
    | AppendText
    | CancelCurrent
    | CreateItem
    | DeleteItem
    | RetrieveItem
    | TruncateItem
)


class _EventId(Struct):
    event_id: Any = None


_DECODER: Final = msgspec.json.Decoder(ClientRequest)
_EVENT_IDS: Final = msgspec.json.Decoder(_EventId)


def parse(message: str) -> ClientRequest:
    """Parse one text message. Raises `RefusedRequest` for any text that is not a valid client event."""
    request: ClientRequest = parse_as(_DECODER, message)
    return request


def parse_as(decoder: msgspec.json.Decoder[Parsed], message: str) -> Parsed:
    """Parse a text with this decoder. Raises `RefusedRequest`."""
    try:
        return decoder.decode(message)
    except msgspec.ValidationError as error:
        raise _refusal(error, decoder, message) from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise InvalidJson("The message is not valid JSON, or is nested too deeply.") from None


def _request_id(message: str) -> str | None:
    """Return the `event_id` of an invalid event, if it has one."""
    try:
        request_id = _EVENT_IDS.decode(message).event_id
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidJson("The message is not valid JSON, or is nested too deeply.") from None
    return request_id if isinstance(request_id, str) else None


def _refusal(error: msgspec.ValidationError, decoder: msgspec.json.Decoder[Parsed], message: str) -> RefusedRequest:
    """Return the error of the protocol for a message that is not of the type of a decoder."""
    request_id = _request_id(message)
    field = invalid_json_field(error, decoder.type, message)
    kind = {Fault.MISSING: RefusedRequest, Fault.TYPE: InvalidType, Fault.VALUE: InvalidValue}[field.fault]
    if not field.path or (field.path == "type" and field.fault is not Fault.VALUE):  # it is no event at all
        kind = RefusedRequest
    return kind(field.message, param=field.path or None, request_id=request_id)
