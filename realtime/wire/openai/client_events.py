"""What a client may send in the OpenAI Realtime dialect, and the errors in it.

Types are strict and unknown fields are ignored. Parsing an `input_audio_buffer.append` decodes its base64 on the way.
"""

from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from realtime.errors import BadMessage
from realtime.wire.openai.items import ItemId, ItemReference, NewItem
from realtime.wire.openai.session_update import OutputPatch, SessionPatch

_LONGEST_REASON: Final = 300


class RefusedRequest(BadMessage):
    """A message that is not what the protocol says; `request_id` is the client's `event_id`, where it could be read."""

    def __init__(self, message: str, *, param: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message, param=param)
        self.request_id = request_id


class InvalidJson(RefusedRequest):
    """The message is not JSON."""

    code = "invalid_json"


class InvalidValue(RefusedRequest):
    """The message is well formed, but for a value that cannot be."""

    code = "invalid_value"


class Request(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all messages have."""

    event_id: str | None = None


class UpdateSession(Request, frozen=True, tag="session.update"):
    """Change what is present in `session`."""

    session: SessionPatch


class AppendInput(Request, frozen=True, tag="input_audio_buffer.append"):
    """Audio; base64 on the wire."""

    audio: bytes


class CommitInput(Request, frozen=True, tag="input_audio_buffer.commit"):
    """The turn ends here."""


class ClearInput(Request, frozen=True, tag="input_audio_buffer.clear"):
    """Forget the audio since the last commit."""


class ClearOutput(Request, frozen=True, tag="output_audio_buffer.clear"):
    """Has a meaning over WebRTC only, and is ignored."""


class ResponseAudio(Struct, frozen=True):
    """How one response sounds."""

    output: OutputPatch | None = None


class ResponseParameters(Struct, frozen=True):
    """What one response should be."""

    instructions: str | None = None
    audio: ResponseAudio | None = None
    metadata: dict[str, str] | None = None
    conversation: str | None = None
    input: list[NewItem | ItemReference] | None = None


class CreateResponse(Request, frozen=True, tag="response.create"):
    """Answer now."""

    response: ResponseParameters | None = None


class CancelCurrent(Request, frozen=True, tag="response.cancel"):
    """Stop answering."""

    response_id: str | None = None


class CreateItem(Request, frozen=True, tag="conversation.item.create"):
    """Put an item into the conversation."""

    item: NewItem
    previous_item_id: str | None = None


class DeleteItem(Request, frozen=True, tag="conversation.item.delete"):
    """Take an item out of the conversation."""

    item_id: ItemId


class RetrieveItem(Request, frozen=True, tag="conversation.item.retrieve"):
    """Show an item."""

    item_id: ItemId


class TruncateItem(Request, frozen=True, tag="conversation.item.truncate"):
    """The listener heard only so much of an answer."""

    item_id: ItemId
    content_index: Annotated[int, Meta(ge=0)] = 0
    audio_end_ms: Annotated[int, Meta(ge=0)] = 0


ItemRequest: TypeAlias = CreateItem | DeleteItem | RetrieveItem | TruncateItem
ClientRequest: TypeAlias = (
    AppendInput
    | CommitInput
    | ClearInput
    | ClearOutput
    | UpdateSession
    | CreateResponse
    | CancelCurrent
    | CreateItem
    | DeleteItem
    | RetrieveItem
    | TruncateItem
)


class _Envelope(Struct):
    event_id: Any = None


_DECODER: Final = msgspec.json.Decoder(ClientRequest)
_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)


def parse(message: str) -> ClientRequest:
    """Read one text message. Raises `RefusedRequest` and nothing else, whatever the text."""
    try:
        request: ClientRequest = _DECODER.decode(message)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), _request_id(message)) from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise InvalidJson("The message is not JSON, or nested too deeply.") from None
    return request


def _request_id(message: str) -> str | None:
    """The `event_id` of a message that is wrong elsewhere."""
    try:
        request_id = _ENVELOPES.decode(message).event_id
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidJson("The message is not JSON, or nested too deeply.") from None
    return request_id if isinstance(request_id, str) else None


def _refusal(text: str, request_id: str | None) -> RefusedRequest:
    """Put msgspec's "<reason> - at `$.<path>`" into the protocol's words."""
    reason, at, path = text.rpartition(" - at `$")
    if not at:
        reason, path = text, ""
    param = path.removeprefix(".").removesuffix("`")
    if reason.startswith("Object missing"):
        param = f"{param}.{reason.split('`')[1]}".removeprefix(".")
        return RefusedRequest(f"Missing required parameter: '{param}'.", param=param, request_id=request_id)
    reason = reason[:_LONGEST_REASON]
    if not param or (param == "type" and not reason.startswith("Invalid value")):
        return RefusedRequest(f"The message is not an event: {reason}.", param=param or None, request_id=request_id)
    return InvalidValue(f"Wrong '{param}': {reason}.", param=param, request_id=request_id)
