"""Server events about the user's audio, and about the items of the conversation, in the OpenAI Realtime dialect."""

from typing import TypeAlias, assert_never

from realtime.session.conversation import AudioPart, Item, Message, Role
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    IdleTimeoutReached,
    ItemAdded,
    ItemDeleted,
    ItemRetrieved,
    ItemTruncated,
    SpeechStarted,
    SpeechStopped,
)
from realtime.wire.codec import Frames
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.items import channel_field, item_object
from realtime.wire.openai.session_object import milliseconds

AudioEvent: TypeAlias = SpeechStarted | SpeechStopped | IdleTimeoutReached | AudioCommitted | AudioCleared
ItemEvent: TypeAlias = ItemAdded | ItemDeleted | ItemRetrieved | ItemTruncated


def audio_frames(event: AudioEvent, writer: FrameWriter) -> Frames:
    """Return the server events about the user's audio; a turn that is committed becomes an item."""
    match event:
        case SpeechStarted(item_id, at):
            times = {"audio_start_ms": milliseconds(at)}
            return [
                writer.event(
                    "input_audio_buffer.speech_started", **times, item_id=item_id, **channel_field(event.channel)
                )
            ]
        case SpeechStopped(item_id, at):
            times = {"audio_end_ms": milliseconds(at)}
            return [
                writer.event(
                    "input_audio_buffer.speech_stopped", **times, item_id=item_id, **channel_field(event.channel)
                )
            ]
        case IdleTimeoutReached(item_id, start, end):
            times = {"audio_start_ms": milliseconds(start), "audio_end_ms": milliseconds(end)}
            return [writer.event("input_audio_buffer.timeout_triggered", **times, item_id=item_id)]
        case AudioCommitted(item_id, previous):
            channel = channel_field(event.channel)
            committed = writer.event(
                "input_audio_buffer.committed", previous_item_id=previous, item_id=item_id, **channel
            )
            # Without its transcript, which clients would otherwise show twice.
            item = Item(item_id, Message(Role.USER, (AudioPart(),)), channel=event.channel)
            return [committed, *_added(item, previous, writer)]
        case AudioCleared():
            return [writer.event("input_audio_buffer.cleared")]
        case _:
            assert_never(event)


def item_frames(event: ItemEvent, writer: FrameWriter) -> Frames:
    """Return the server events about an item that the client has created, or asks for."""
    match event:
        case ItemAdded(item, previous):
            return _added(item, previous, writer)
        case ItemDeleted(item_id):
            return [writer.event("conversation.item.deleted", item_id=item_id)]
        case ItemRetrieved(item):
            return [writer.event("conversation.item.retrieved", item=item_object(item))]
        case ItemTruncated(item_id, index, end_ms):
            fields = {"item_id": item_id, "content_index": index, "audio_end_ms": end_ms}
            return [writer.event("conversation.item.truncated", **fields)]
        case _:
            assert_never(event)


def _added(item: Item, previous_item_id: str | None, writer: FrameWriter) -> Frames:
    shown = item_object(item)
    return [
        writer.event("conversation.item.added", previous_item_id=previous_item_id, item=shown),
        writer.event("conversation.item.done", previous_item_id=previous_item_id, item=shown),
    ]
