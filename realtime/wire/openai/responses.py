"""Server events of a response in the OpenAI Realtime dialect, in the order that clients rely on."""

import struct
from typing import Any, Final

from realtime.session.config import Modality
from realtime.session.conversation import FunctionCall, FunctionCallOutput, Item, Message
from realtime.session.generation import ChatUsage
from realtime.session.response_events import (
    Response,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStatus,
    ResponseTextExtended,
    ResponseWordsTimed,
)
from realtime.wire.codec import Frames
from realtime.wire.openai.formats import format_object
from realtime.wire.openai.frames import FrameWriter, error_type
from realtime.wire.openai.items import JsonItem, item_object

BINARY_HEADER: Final = struct.Struct("<II")
"""Header of a binary audio message: number of the response within the connection, from 0, and offset in samples."""

MAX_AUDIO_BYTES: Final = 180_000
"""Bytes of audio per message: 240 kB in base64, below 1 MiB, the largest message that some clients accept."""


class ResponseWriter:
    """Writes the events of one connection's responses."""

    def __init__(self, writer: FrameWriter, *, binary: bool, extended: bool) -> None:
        self._writer = writer
        self._binary = binary
        self._extended = extended
        self._conversation_id = writer.new_id("conv")
        self._ordinals: dict[str, int] = {}
        """Numbers of the responses in progress."""
        self._spoken: dict[str, float] = {}
        """Seconds of speech that have been written, of the responses in progress."""
        self._count = 0

    def started(self, response: Response) -> Frames:
        self._ordinals[response.id] = self._count
        self._spoken[response.id] = 0.0
        self._count += 1
        created = self._writer.event("response.created", response=self._response_object(response, "in_progress"))
        return [created, self._writer.event("rate_limits.updated", rate_limits=[])]  # there are none

    def item_added(self, event: ResponseItemAdded) -> Frames:
        response, item = event.response, item_object(event.item)
        frames: Frames = [
            self._writer.event(
                "response.output_item.added", response_id=response.id, output_index=event.index, item=item
            )
        ]
        if response.in_conversation:
            previous = event.previous_item_id
            frames.append(self._writer.event("conversation.item.added", previous_item_id=previous, item=item))
        if isinstance(event.item.content, Message):
            location = _location(response, event.index, event.item.id)
            frames.append(self._writer.event("response.content_part.added", **location, part=_part(response, "")))
        return frames

    def text_extended(self, event: ResponseTextExtended) -> str:
        location = _location(event.response, event.index, event.item_id)
        if event.response.modality is Modality.TEXT:
            return self._writer.event("response.output_text.delta", **location, delta=event.delta)
        # An extension, by which LiveKit aligns captions with the speech.
        start = round(self._spoken[event.response.id], 3)
        kind = "response.output_audio_transcript.delta"
        return self._writer.event(kind, **location, delta=event.delta, start_time=start)

    def audio_extended(self, event: ResponseAudioExtended) -> Frames:
        frames: Frames = []
        location = _location(event.response, event.index, event.item_id)
        audio_format = event.response.output_format
        samples = event.offset + len(event.data) // audio_format.bytes_per_sample
        self._spoken[event.response.id] = samples / audio_format.sample_rate
        for start in range(0, len(event.data), MAX_AUDIO_BYTES):
            data = event.data[start : start + MAX_AUDIO_BYTES]
            if self._binary:
                offset = event.offset + start // audio_format.bytes_per_sample
                frames.append(BINARY_HEADER.pack(self._ordinals[event.response.id], offset) + data)
            else:
                frames.append(self._writer.event("response.output_audio.delta", **location, delta=data))
        return frames

    def words_timed(self, event: ResponseWordsTimed) -> str:
        rate = event.response.output_format.sample_rate
        words = [
            {"word": word.text, "start_ms": 1000 * word.start // rate, "end_ms": 1000 * word.end // rate}
            for word in event.timed
        ]
        location = _location(event.response, event.index, event.item_id)
        return self._writer.event("x.response.speech.words", **location, words=words)

    def item_finished(self, event: ResponseItemFinished) -> Frames:
        response, item = event.response, item_object(event.item)
        content = event.item.content
        assert not isinstance(content, FunctionCallOutput)  # which only the client makes
        if isinstance(content, Message):
            frames = self._message_done(response, event.index, event.item, content.text)
        else:
            frames = self._call_done(response, event.index, event.item, content)
        frames.append(
            self._writer.event(
                "response.output_item.done", response_id=response.id, output_index=event.index, item=item
            )
        )
        if response.in_conversation:
            previous = event.previous_item_id
            frames.append(self._writer.event("conversation.item.done", previous_item_id=previous, item=item))
        return frames

    def _message_done(self, response: Response, index: int, item: Item, text: str) -> Frames:
        location = _location(response, index, item.id)
        frames: Frames = []
        if response.modality is Modality.AUDIO:
            frames += [
                self._writer.event("response.output_audio.done", **location),
                self._writer.event("response.output_audio_transcript.done", **location, transcript=text),
            ]
        else:
            frames.append(self._writer.event("response.output_text.done", **location, text=text))
        return [*frames, self._writer.event("response.content_part.done", **location, part=_part(response, text))]

    def _call_done(self, response: Response, index: int, item: Item, call: FunctionCall) -> Frames:
        location = {"response_id": response.id, "item_id": item.id, "output_index": index, "call_id": call.call_id}
        kind = "response.function_call_arguments"
        return [
            self._writer.event(f"{kind}.delta", **location, delta=call.arguments),
            self._writer.event(f"{kind}.done", **location, name=call.name, arguments=call.arguments),
        ]

    def finished(self, event: ResponseFinished) -> str:
        del self._ordinals[event.response.id], self._spoken[event.response.id]
        details: JsonItem | None = None
        if event.error is not None:
            error = event.error
            shown = {"type": error_type(error), "code": error.code, "message": error.public_message}
            details = {"type": "failed", "error": shown}
        elif event.status in (ResponseStatus.CANCELLED, ResponseStatus.INCOMPLETE):
            details = {"type": event.status.value, "reason": event.reason}
        items = [item_object(item) for item in event.items]
        response = self._response_object(event.response, event.status.value, details, items, _usage(event.usage))
        if event.unspoken_languages:  # an extension
            response["x_unspoken_languages"] = event.unspoken_languages
        return self._writer.event("response.done", response=response)

    def _response_object(
        self,
        response: Response,
        status: str,
        details: JsonItem | None = None,
        output: list[JsonItem] | None = None,
        usage: JsonItem | None = None,
    ) -> JsonItem:
        """Return the JSON object of a response; clients expect all of these keys."""
        audio = {"format": format_object(response.output_format), "voice": response.voice}
        substituted = {"x_substituted": ["voice"]} if self._extended and response.voice_unknown else {}
        return {
            "object": "realtime.response",
            "id": response.id,
            "status": status,
            "status_details": details,
            "output": output or [],
            "conversation_id": self._conversation_id if response.in_conversation else None,
            "output_modalities": [response.modality.value],
            "max_output_tokens": response.max_output_tokens or "inf",
            "audio": {"output": audio},
            "usage": usage,
            "metadata": response.metadata,
        } | substituted


def _location(response: Response, index: int, item_id: str) -> dict[str, Any]:
    """Return the ids and indices of a message's only content part."""
    return {"response_id": response.id, "item_id": item_id, "output_index": index, "content_index": 0}


def _part(response: Response, text: str) -> JsonItem:
    """Return a content part; its types lack the `output_` of those in an item."""
    if response.modality is Modality.AUDIO:
        return {"type": "audio", "transcript": text}
    return {"type": "text", "text": text}


def _usage(usage: ChatUsage | None) -> JsonItem:
    """Return the token counts of a response. A text that the client gave has none, but clients read these fields."""
    read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return {
        "total_tokens": read + written,
        "input_tokens": read,
        "output_tokens": written,
        "input_token_details": {"text_tokens": read, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": written, "audio_tokens": 0},
    }
