"""The messages of a spoken answer in the OpenAI Realtime dialect, in the order that clients rely on."""

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
from realtime.wire.openai.client_events import ResponseParameters
from realtime.wire.openai.conversation import Conversation
from realtime.wire.openai.frames import Frames, FrameWriter, error_type
from realtime.wire.openai.items import Item, spoken_by_assistant
from realtime.wire.openai.session_object import shown_format

BINARY_HEADER: Final = struct.Struct("<II")
"""Before the audio of a binary frame: which response of this connection, from 0, and the offset in samples."""

MAX_AUDIO_BYTES: Final = 180_000
"""Of one frame: 240 kB in base64, far below the 1 MiB that some clients take at most."""

_USAGE: Final = {
    "total_tokens": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "input_token_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 0, "audio_tokens": 0},
}
"""Speaking a text has no notion of tokens, but clients read all of this."""


@dataclass(slots=True)
class _Answer:
    """What the client has been told of a response in progress."""

    ordinal: int
    previous_item_id: str | None
    text: str = ""


class ResponseWriter:
    """Follows the responses of one connection."""

    def __init__(self, writer: FrameWriter, conversation: Conversation, *, binary: bool) -> None:
        self._writer = writer
        self._conversation = conversation
        self._binary = binary
        self._answers: dict[str, _Answer] = {}
        self._count = 0

    def started(self, response: Response) -> Frames:
        item = spoken_by_assistant(response.item_id, "in_progress")
        place = _place(response)
        frames: Frames = [
            self._writer.event("response.created", response=self._shown(response, "in_progress")),
            self._writer.event("response.output_item.added", response_id=response.id, output_index=0, item=item),
        ]
        previous = None
        if response.in_conversation:
            previous = self._conversation.append(item)
            frames.append(self._writer.event("conversation.item.added", previous_item_id=previous, item=item))
        part = {"type": "audio", "transcript": ""}
        frames.append(self._writer.event("response.content_part.added", **place, part=part))
        self._answers[response.id] = _Answer(self._count, previous)
        self._count += 1
        return frames

    def text_extended(self, event: ResponseTextExtended) -> str:
        self._answers[event.response.id].text += event.delta
        return self._writer.event("response.output_audio_transcript.delta", **_place(event.response), delta=event.delta)

    def audio_extended(self, event: ResponseAudioExtended) -> Frames:
        frames: Frames = []
        place = _place(event.response)
        for start in range(0, len(event.data), MAX_AUDIO_BYTES):
            data = event.data[start : start + MAX_AUDIO_BYTES]
            if self._binary:
                offset = event.offset + start // event.response.output_format.bytes_per_sample
                frames.append(BINARY_HEADER.pack(self._answers[event.response.id].ordinal, offset) + data)
            else:
                frames.append(self._writer.event("response.output_audio.delta", **place, delta=data))
        return frames

    def finished(self, event: ResponseFinished) -> Frames:
        response = event.response
        answer = self._answers.pop(response.id)
        item_status = "completed" if event.status is ResponseStatus.COMPLETED else "incomplete"
        item = spoken_by_assistant(response.item_id, item_status, answer.text)
        part = {"type": "audio", "transcript": answer.text}
        place = _place(response)
        frames: Frames = [
            self._writer.event("response.output_audio.done", **place),
            self._writer.event("response.output_audio_transcript.done", **place, transcript=answer.text),
            self._writer.event("response.content_part.done", **place, part=part),
            self._writer.event("response.output_item.done", response_id=response.id, output_index=0, item=item),
        ]
        if response.in_conversation:
            self._conversation.replace(item)
            previous = answer.previous_item_id
            frames.append(self._writer.event("conversation.item.done", previous_item_id=previous, item=item))
        details: Item | None = None
        if event.status is ResponseStatus.CANCELLED:
            details = {"type": "cancelled", "reason": event.reason}
        elif event.error is not None:
            details = _failure(error_type(event.error), event.error.code, event.error.message)
        shown = self._shown(response, event.status.value, details, [item], _USAGE)
        return [*frames, self._writer.event("response.done", response=shown)]

    def nothing_to_speak(self, asked: ResponseParameters, config: SessionConfig) -> Frames:
        """A response that fails at once: an `error` instead would end some clients for good."""
        response = Response(
            id=self._writer.new_id("resp"),
            item_id=self._writer.new_id("item"),
            in_conversation=asked.conversation != "none",
            output_format=config.output_format,
            voice=config.voice,
            metadata=asked.metadata,
        )
        message = "There is no text to speak, and no chat backend is configured to think of one."
        details = _failure("invalid_request_error", "backend_not_configured", message)
        self._count += 1
        return [
            self._writer.event("response.created", response=self._shown(response, "in_progress")),
            self._writer.event("response.done", response=self._shown(response, "failed", details, usage=_USAGE)),
        ]

    def _shown(
        self,
        response: Response,
        status: str,
        details: Item | None = None,
        output: list[Item] | None = None,
        usage: Item | None = None,
    ) -> Item:
        """The response object; clients need all of these keys."""
        audio = {"format": shown_format(response.output_format), "voice": response.voice}
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


def _place(response: Response) -> dict[str, Any]:
    """Where in a response its one piece of content is."""
    return {"response_id": response.id, "item_id": response.item_id, "output_index": 0, "content_index": 0}


def _failure(error_type: str, code: str, message: str) -> Item:
    return {"type": "failed", "error": {"type": error_type, "code": code, "message": message}}
