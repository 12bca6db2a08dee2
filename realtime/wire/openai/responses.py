"""Server events of a spoken response in the OpenAI Realtime dialect, in the order that clients rely on."""

import struct
from dataclasses import dataclass
from typing import Any, Final

from realtime.session.config import SessionConfig
from realtime.session.events import (
    Response,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseStatus,
    ResponseTextExtended,
)
from realtime.wire.codec import Frames
from realtime.wire.openai.client_events import ResponseParameters
from realtime.wire.openai.conversation import Conversation
from realtime.wire.openai.frames import FrameWriter, error_type
from realtime.wire.openai.items import Item, spoken_by_assistant
from realtime.wire.openai.session_object import format_object

BINARY_HEADER: Final = struct.Struct("<II")
"""Header of a binary audio message: number of the response within the connection, from 0, and offset in samples."""

MAX_AUDIO_BYTES: Final = 180_000
"""Bytes of audio per message: 240 kB in base64, below 1 MiB, the largest message that some clients accept."""

_USAGE: Final = {
    "total_tokens": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "input_token_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 0, "audio_tokens": 0},
}
"""Token counts of a response. Speech from text has none, but clients read these fields."""


@dataclass(slots=True)
class _InProgress:
    """What the client has received of a response in progress."""

    ordinal: int
    previous_item_id: str | None
    text: str = ""


class ResponseWriter:
    """Writes the events of one connection's responses."""

    def __init__(self, writer: FrameWriter, conversation: Conversation, *, binary: bool) -> None:
        self._writer = writer
        self._conversation = conversation
        self._binary = binary
        self._in_progress: dict[str, _InProgress] = {}
        self._count = 0

    def started(self, response: Response) -> Frames:
        item = spoken_by_assistant(response.item_id, "in_progress")
        location = _location(response)
        frames: Frames = [
            self._writer.event("response.created", response=self._response_object(response, "in_progress")),
            self._writer.event("response.output_item.added", response_id=response.id, output_index=0, item=item),
        ]
        previous = None
        if response.in_conversation:
            previous = self._conversation.append(item)
            frames.append(self._writer.event("conversation.item.added", previous_item_id=previous, item=item))
        part = {"type": "audio", "transcript": ""}
        frames.append(self._writer.event("response.content_part.added", **location, part=part))
        self._in_progress[response.id] = _InProgress(self._count, previous)
        self._count += 1
        return frames

    def text_extended(self, event: ResponseTextExtended) -> str:
        self._in_progress[event.response.id].text += event.delta
        location = _location(event.response)
        return self._writer.event("response.output_audio_transcript.delta", **location, delta=event.delta)

    def audio_extended(self, event: ResponseAudioExtended) -> Frames:
        frames: Frames = []
        location = _location(event.response)
        for start in range(0, len(event.data), MAX_AUDIO_BYTES):
            data = event.data[start : start + MAX_AUDIO_BYTES]
            if self._binary:
                offset = event.offset + start // event.response.output_format.bytes_per_sample
                frames.append(BINARY_HEADER.pack(self._in_progress[event.response.id].ordinal, offset) + data)
            else:
                frames.append(self._writer.event("response.output_audio.delta", **location, delta=data))
        return frames

    def finished(self, event: ResponseFinished) -> Frames:
        response = event.response
        progress = self._in_progress.pop(response.id)
        item_status = "completed" if event.status is ResponseStatus.COMPLETED else "incomplete"
        item = spoken_by_assistant(response.item_id, item_status, progress.text)
        part = {"type": "audio", "transcript": progress.text}
        location = _location(response)
        frames: Frames = [
            self._writer.event("response.output_audio.done", **location),
            self._writer.event("response.output_audio_transcript.done", **location, transcript=progress.text),
            self._writer.event("response.content_part.done", **location, part=part),
            self._writer.event("response.output_item.done", response_id=response.id, output_index=0, item=item),
        ]
        if response.in_conversation:
            self._conversation.replace(item)
            previous = progress.previous_item_id
            frames.append(self._writer.event("conversation.item.done", previous_item_id=previous, item=item))
        details: Item | None = None
        if event.status is ResponseStatus.CANCELLED:
            details = {"type": "cancelled", "reason": event.reason}
        elif event.error is not None:
            details = _failure(error_type(event.error), event.error.code, event.error.public_message)
        shown = self._response_object(response, event.status.value, details, [item], _USAGE)
        return [*frames, self._writer.event("response.done", response=shown)]

    def nothing_to_speak(self, parameters: ResponseParameters, config: SessionConfig) -> Frames:
        """Return a response that fails at once; some clients would not recover from an `error` event."""
        response = Response(
            id=self._writer.new_id("resp"),
            item_id=self._writer.new_id("item"),
            in_conversation=parameters.conversation != "none",
            output_format=config.output_format,
            voice=config.voice,
            metadata=parameters.metadata,
        )
        message = "There is no text to speak, and no chat backend is configured to generate one."
        details = _failure("invalid_request_error", "backend_not_configured", message)
        self._count += 1
        created = self._response_object(response, "in_progress")
        done = self._response_object(response, "failed", details, usage=_USAGE)
        return [
            self._writer.event("response.created", response=created),
            self._writer.event("response.done", response=done),
        ]

    def _response_object(
        self,
        response: Response,
        status: str,
        details: Item | None = None,
        output: list[Item] | None = None,
        usage: Item | None = None,
    ) -> Item:
        """Return the JSON object of a response; clients expect all of these keys."""
        audio = {"format": format_object(response.output_format), "voice": response.voice}
        return {
            "object": "realtime.response",
            "id": response.id,
            "status": status,
            "status_details": details,
            "output": output or [],
            "conversation_id": self._conversation.id if response.in_conversation else None,
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "audio": {"output": audio},
            "usage": usage,
            "metadata": response.metadata,
        }


def _location(response: Response) -> dict[str, Any]:
    """Return the ids and indices of a response's only content part."""
    return {"response_id": response.id, "item_id": response.item_id, "output_index": 0, "content_index": 0}


def _failure(error_type: str, code: str, message: str) -> Item:
    return {"type": "failed", "error": {"type": error_type, "code": code, "message": message}}
