"""The message of one response as the client gets it: its text, its audio as it is due, and what of it was heard."""

from collections.abc import Iterator

from realtime.audio.formats import encode
from realtime.session.config import Modality
from realtime.session.conversation import AudioPart, Conversation, ItemStatus, Message, Role, TextPart
from realtime.session.events import Output
from realtime.session.response_events import (
    Response,
    ResponseAudioExtended,
    ResponseFlushed,
    ResponseTextExtended,
    ResponseWordsTimed,
)
from realtime.session.response_items import ResponseItems
from realtime.session.speech_queue import SpeechQueue


class ReplyMessage:
    """Sends the message that is open among `items`; `conversation` is None for a response outside of it.

    Attributes:
        speech: What is to be sent of a spoken message.
        item_id: The item in the conversation that holds what was spoken, once it is finished.
    """

    def __init__(self, response: Response, items: ResponseItems, conversation: Conversation | None) -> None:
        # A conversation is paced; out of it, the speech is wanted as a recording, as fast as the socket takes it.
        self.speech = SpeechQueue(response.output_format.sample_rate, paced=response.in_conversation)
        self.item_id = ""
        self._response = response
        self._items = items
        self._conversation = conversation
        self._sent_text: list[str] = []
        self._sent_samples = 0

    def write(self, text: str) -> Iterator[Output]:
        """Send text of a written message."""
        if text:
            self._sent_text.append(text)
            message = self._items.current
            yield ResponseTextExtended(self._response, message.index, message.id, text)

    def send_due(self, now: float) -> Iterator[Output]:
        """Send the text and audio of a spoken message that are due by `now`."""
        for chunk in self.speech.release(now):
            message = self._items.current
            if chunk is None:
                yield ResponseFlushed(self._response)
            elif isinstance(chunk, str):
                yield from self.write(chunk)
            else:
                data = encode(chunk, self._response.output_format.encoding)
                yield ResponseAudioExtended(self._response, message.index, message.id, data, self._sent_samples)
                self._sent_samples += len(chunk)

    def time_words(self) -> Iterator[Output]:
        """Report when the words of the last phrase are played."""
        item, words = self._items.current, self.speech.timing.last_words()
        yield ResponseWordsTimed(self._response, item.index, item.id, words)

    def finish(self, status: ItemStatus) -> Iterator[Output]:
        """End the message with the text that was sent."""
        item_id = self._items.current.id
        spoken = self._response.modality is Modality.AUDIO
        text = "".join(self._sent_text)
        part = AudioPart(text) if spoken else TextPart(text)
        yield from self._items.finish(Message(Role.ASSISTANT, (part,)), status)
        if self._conversation is not None and spoken:
            self._conversation.set_timing(item_id, self.speech.timing)
            self.item_id = item_id

    def keep_until(self, seconds: float) -> str:
        """Keep in the conversation what was played in the first `seconds` of the finished message, and return it."""
        heard = self.speech.timing.text_until(seconds)
        if self._conversation is not None and self.item_id in self._conversation:
            self._conversation.truncate(self.item_id, seconds)
        return heard
