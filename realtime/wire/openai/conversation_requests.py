"""Requests about items and responses in the OpenAI dialect, as commands of the session."""

from typing import Final, assert_never

from realtime.errors import ClientError
from realtime.session.commands import (
    FRONT,
    Command,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ExtendSpeech,
    ItemReference,
    RetrieveItem,
    TruncateItem,
)
from realtime.session.conversation import ItemContent
from realtime.session.generation import ChatTool, ChatToolChoice, ImagesUnsupported
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import Handshake
from realtime.wire.openai import client_events as wire
from realtime.wire.openai.client_events import InvalidValue
from realtime.wire.openai.items import IMAGE_TYPES, NewItem, WireItemReference, WireMessage
from realtime.wire.openai.session_update import (
    ToolChoice,
    chat_tool_choice,
    function_tools,
    modality_of,
    token_limit,
)

ROOT: Final = "root"
"""Value of `previous_item_id` that inserts an item before all others."""


class ConversationRequests:
    """Translates the requests of one connection, within the limits of the server."""

    def __init__(self, handshake: Handshake) -> None:
        self._handshake = handshake
        self._characters = 0
        """Characters that the client has added to the newest response."""

    def command(
        self, request: wire.CreateResponse | wire.AppendText | wire.ItemRequest, tools: tuple[ChatTool, ...],
        clip: ReferenceClip | None = None,
    ) -> Command:  # fmt: skip
        """Return the command of a request in a session with these tools, perhaps with the recording of a voice.

        Raises `RefusedRequest` for one that is too long, has an image, or chooses a tool that does not exist.
        """
        match request:
            case wire.CreateResponse():
                return self._create_response(request, request.response or wire.ResponseParameters(), tools, clip)
            case wire.AppendText():
                return self._more_text(request)
            case wire.CreateItem(item=item, previous_item_id=previous, event_id=event_id):
                after = FRONT if previous == ROOT else previous
                audio = item.recordings if isinstance(item, WireMessage) else ()
                return CreateItem(self._content(item, "item", event_id), item.id, after, event_id, audio)
            case wire.DeleteItem():
                return DeleteItem(request.item_id, request.event_id)
            case wire.RetrieveItem():
                return RetrieveItem(request.item_id, request.event_id)
            case wire.TruncateItem():
                return TruncateItem(request.item_id, request.audio_end_ms, request.content_index, request.event_id)
            case _:
                assert_never(request)

    def _more_text(self, request: wire.AppendText) -> ExtendSpeech:
        if self._characters + len(request.text) > self._handshake.max_input_characters:
            raise InvalidValue(
                f"The text of a response has at most {self._handshake.max_input_characters} characters. This part was "
                "dropped.",
                param="text",
                request_id=request.event_id,
            )
        self._characters += len(request.text)
        return ExtendSpeech(request.text, request.flush, request.final, request.event_id)

    def _content(self, item: NewItem, param: str, request_id: str | None) -> ItemContent:
        """Return the content of a client's item. Raises `RefusedRequest` if it is too long or has an image."""
        if item.characters > self._handshake.max_input_characters:
            raise InvalidValue(
                f"The item has more than {self._handshake.max_input_characters} characters of text.",
                param=f"{param}.content",
                request_id=request_id,
            )
        if isinstance(item, WireMessage) and any(part.type in IMAGE_TYPES for part in item.content):
            raise InvalidValue(ImagesUnsupported().message, param=f"{param}.content", request_id=request_id)
        return item.to_content()

    def _input(self, item: NewItem, param: str, request_id: str | None) -> ItemContent:
        """Return the content of an item for one response. Raises `RefusedRequest` as `_content`, and for audio."""
        if isinstance(item, WireMessage) and item.recordings:
            raise InvalidValue(
                "Audio is transcribed only in items of the conversation: create one, and refer to it here with an "
                "`item_reference`.",
                param=f"{param}.content",
                request_id=request_id,
            )
        return self._content(item, param, request_id)

    def _create_response(
        self, request: wire.CreateResponse, parameters: wire.ResponseParameters, session_tools: tuple[ChatTool, ...],
        clip: ReferenceClip | None,
    ) -> CreateResponse:  # fmt: skip
        if len(parameters.instructions or "") > self._handshake.max_input_characters:
            raise InvalidValue(
                f"The instructions have more than {self._handshake.max_input_characters} characters.",
                param="response.instructions",
                request_id=request.event_id,
            )
        tools = None if parameters.tools is None else function_tools(parameters.tools)
        choosable = session_tools if tools is None else tools
        output = parameters.output
        modalities = parameters.output_modalities or parameters.modalities
        voice = self._handshake.find_voice(output.voice_name) if output.voice_name else None
        self._characters = 0
        return CreateResponse(
            in_conversation=parameters.conversation != "none",
            input=None
            if parameters.input is None
            else tuple(
                ItemReference(each.id)
                if isinstance(each, WireItemReference)
                else self._input(each, f"response.input[{index}]", request.event_id)
                for index, each in enumerate(parameters.input)
            ),
            instructions=parameters.instructions,
            modality=modality_of(modalities) if modalities else None,
            voice=voice,
            voice_unknown=bool(output.voice_name) and voice is None,
            speed=output.speed or None,
            clip=clip,
            output_format=output.format.audio_format() if output.format else None,
            tools=tools,
            tool_choice=_tool_choice(parameters.tool_choice, choosable, request.event_id),
            max_output_tokens=token_limit(parameters.max_output_tokens or parameters.max_response_output_tokens),
            metadata=parameters.metadata,
            text_follows=parameters.x_text_follows,
            request_id=request.event_id,
        )


def _tool_choice(
    requested: str | ToolChoice | None, tools: tuple[ChatTool, ...], request_id: str | None
) -> ChatToolChoice | None:
    """Return the tool choice of a response; None for that of the session. Raises `InvalidValue`."""
    if requested is None:
        return None
    try:
        return chat_tool_choice(requested, tools)
    except ClientError as error:
        raise InvalidValue(error.message, param="response.tool_choice", request_id=request_id) from error
