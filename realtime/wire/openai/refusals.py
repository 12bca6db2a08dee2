"""The `error` events with which the OpenAI dialect reports commands that the session has refused."""

from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.session.commands import (
    Command,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ExtendSpeech,
    RetrieveItem,
    TruncateItem,
)
from realtime.session.events import CommandRefused, RefusalReason
from realtime.wire.openai.frames import FrameWriter

MIN_COMMIT_MS: Final = 100
"""Least audio in milliseconds that a client may commit by hand, as at OpenAI, whose clients check it themselves."""

_REFUSALS: Final[dict[RefusalReason, tuple[str, str]]] = {
    RefusalReason.NOTHING_TO_COMMIT: (
        "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: no speech has been detected since the last turn.",
    ),
    RefusalReason.TOO_LITTLE_TO_COMMIT: (
        "input_audio_buffer_commit_empty",
        f"Error committing input audio buffer: buffer too small. Expected at least {MIN_COMMIT_MS}ms of audio, but "
        "buffer only has {milliseconds:.2f}ms of audio.",
    ),
    RefusalReason.RESPONSE_IN_PROGRESS: (
        "conversation_already_has_active_response",
        "Conversation already has an active response in progress: {response_id}. Wait until the response is finished "
        "before creating a new one.",
    ),
    RefusalReason.RESPONSE_NOT_ACTIVE: (
        "response_cancel_not_active",
        "Cancellation failed: no active response found",
    ),
    RefusalReason.UNKNOWN_PREDECESSOR: (
        "item_create_invalid_previous_item_id",
        "Item '{item_id}' does not exist, so no item can follow it.",
    ),
    RefusalReason.DUPLICATE_ITEM: ("item_create_duplicate_item_id", "Item '{item_id}' already exists."),
    RefusalReason.NOT_SPOKEN: ("invalid_value", "Only model output audio messages can be truncated."),
    RefusalReason.UNKNOWN_ITEM: ("invalid_value", "Item '{item_id}' does not exist."),
}
"""OpenAI's error code and message for each reason of a refusal."""

_UNKNOWN_ITEM_CODES: Final[dict[type[Command], str]] = {
    DeleteItem: "item_delete_invalid_item_id",
    RetrieveItem: "item_retrieve_invalid_item_id",
    TruncateItem: "item_truncate_invalid_item_id",
}
"""OpenAI's error code where the item of such a command does not exist."""

_REFUSED_PARAMETERS: Final[dict[tuple[type[Command], RefusalReason], str]] = {
    (DeleteItem, RefusalReason.UNKNOWN_ITEM): "item_id",
    (RetrieveItem, RefusalReason.UNKNOWN_ITEM): "item_id",
    (TruncateItem, RefusalReason.UNKNOWN_ITEM): "item_id",
    (TruncateItem, RefusalReason.NOT_SPOKEN): "item_id",
    (CreateItem, RefusalReason.UNKNOWN_PREDECESSOR): "previous_item_id",
    (CreateItem, RefusalReason.DUPLICATE_ITEM): "item.id",
    (CreateResponse, RefusalReason.UNKNOWN_ITEM): "response.input",
}
"""The field of a refused event that is to blame."""


_NO_MORE_TEXT: Final = (
    "response_not_active",
    "No response takes this text: it is complete, cancelled or full, or was not created with `x_text_follows`.",
)


def refused(event: CommandRefused, writer: FrameWriter) -> str:
    """Return the `error` event for a refused command."""
    command = event.command
    code, text = _NO_MORE_TEXT if isinstance(command, ExtendSpeech) else _REFUSALS[event.reason]
    if event.reason is RefusalReason.UNKNOWN_ITEM:
        code = _UNKNOWN_ITEM_CODES.get(type(command), code)
    return writer.refusal(
        code,
        text.format(
            response_id=event.response_id, item_id=event.item_id, milliseconds=event.samples * 1000 / SAMPLE_RATE
        ),
        param=_REFUSED_PARAMETERS.get((type(command), event.reason)),
        request_id=getattr(command, "request_id", None),
    )
