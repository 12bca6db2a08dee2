"""What a response is made from: its options, who speaks it, and a text of the client or a request to the chat backend.

- An `input` that ends with a message of the assistant is spoken as it is written, and what the client adds to it. If it
  has no letter or digit, and nothing is added, the response fails.
- Otherwise the chat backend generates the answer. It is sent the conversation, or `input`, as text; turns that are
  still being transcribed are waited for.
- Without a chat backend, the text that the client gave is spoken: the message at the end of `input`; else the
  assistant's message that the client has added last; else the `instructions`, where there is nothing else that they
  could be instructions for. A response without any such text fails.
"""

from collections.abc import Callable

from realtime.session.commands import CreateResponse, ItemReference, Speak
from realtime.session.config import Modality, SessionConfig
from realtime.session.conversation import Conversation, ItemContent, Message, Role, chat_messages
from realtime.session.generation import ChatRequest
from realtime.session.phrase_synthesis import Speaker
from realtime.session.response_events import Response


def response_of(command: CreateResponse | Speak, config: SessionConfig, new_id: Callable[[str], str]) -> Response:
    """Return the response that the command begins, with the options of `config` where it names none."""
    chosen_id = command.response_id if isinstance(command, Speak) else None
    modality = command.modality if isinstance(command, CreateResponse) else None
    limit = command.max_output_tokens if isinstance(command, CreateResponse) else None
    voice_unknown = isinstance(command, CreateResponse) and command.voice_unknown
    return Response(
        id=chosen_id or new_id("resp"),
        in_conversation=command.in_conversation,
        modality=modality or config.modality,
        output_format=command.output_format or config.output_format,
        voice=command.voice or config.voice,
        metadata=command.metadata,
        max_output_tokens=limit or config.max_output_tokens,
        voice_unknown=voice_unknown,
    )


def speaker_of(command: CreateResponse | Speak, config: SessionConfig) -> Speaker | None:
    """Return who speaks the response that the command begins; None for a written one."""
    modality, clip = (command.modality, command.clip) if isinstance(command, CreateResponse) else (None, None)
    if (modality or config.modality) is not Modality.AUDIO:
        return None
    clip = clip or (None if command.voice else config.clip)
    return Speaker(command.voice or config.voice, command.speed or config.speed, clip)


class ResponseSource:
    """Finds what a response says in its command, the conversation and the configuration."""

    def __init__(self, conversation: Conversation) -> None:
        self.unspoken_id: str | None = None
        """The item that the client has added last, unless a response in the conversation has begun since."""
        self._conversation = conversation

    def missing_item(self, command: CreateResponse) -> str | None:
        """Return the first item that the command refers to and that the conversation does not have."""
        known = self._referable(command)
        references = (each.item_id for each in command.input or () if isinstance(each, ItemReference))
        return next((item_id for item_id in references if item_id not in known), None)

    def verbatim(self, command: CreateResponse, config: SessionConfig) -> str | None:
        """Return the text that is given, to be spoken as it is written; None where there is none."""
        if config.chat or command.text_follows or command.input:
            contents = self._input(command) if command.input else []
            roles = {Role.ASSISTANT} if config.chat or command.text_follows else {Role.ASSISTANT, Role.USER}
            last = contents[-1] if contents else None
            return last.text if isinstance(last, Message) and last.role in roles else None
        if self.unspoken_id is not None and self.unspoken_id in self._conversation:
            item = self._conversation[self.unspoken_id].content
            if isinstance(item, Message) and item.role is Role.ASSISTANT:
                return item.text
        anything_else = len(self._conversation) or config.instructions.strip()
        return None if anything_else else command.instructions or None

    def chat_request(self, command: CreateResponse, config: SessionConfig, *more: ItemContent) -> ChatRequest:
        """Return the request for an answer to the conversation, or to the input, and to what has been said since."""
        tools = config.tools if command.tools is None else command.tools
        return ChatRequest(
            chat_messages(command.instructions or config.instructions, [*self._input(command), *more]),
            tools,
            (command.tool_choice or config.tool_choice) if tools else "auto",
            max_output_tokens=command.max_output_tokens or config.max_output_tokens,
        )

    def _input(self, command: CreateResponse) -> list[ItemContent]:
        """Return what the response answers: the input of the command, or the conversation."""
        if command.input is None:
            return [item.content for item in self._conversation]
        known = self._referable(command)
        return [
            known[each.item_id] if isinstance(each, ItemReference) else each
            for each in command.input
            if not isinstance(each, ItemReference) or each.item_id in known
        ]

    def _referable(self, command: CreateResponse) -> dict[str, ItemContent]:
        """Return the conversation by item, if the command refers to any: one may refer to thousands."""
        refers = any(isinstance(each, ItemReference) for each in command.input or ())
        return {item.id: item.content for item in self._conversation} if refers else {}
