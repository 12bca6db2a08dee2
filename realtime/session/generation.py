"""Generation: what a session asks of a chat model, and what comes back, as plain values.

The vocabulary is that of OpenAI's chat completions. A request holds the conversation as text: what the user said is its
transcript, what was spoken is the part that the user heard. An answer is a stream of deltas that ends with one
`ChatFinished`, or fails with a `ChatError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from realtime.errors import ClientError, VoiceError


class ChatRole(StrEnum):
    """Who wrote a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """The client, with the result of a tool call."""


@dataclass(frozen=True, slots=True)
class ChatToolCall:
    """A call of a tool in an answer. `arguments` is JSON as the model wrote it, which may be invalid."""

    call_id: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the conversation.

    An assistant's message has text, tool calls, or both. `call_id` is that of the call whose result a tool's message
    holds, and empty in all others.
    """

    role: ChatRole
    text: str = field(default="", repr=False)
    tool_calls: tuple[ChatToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatTool:
    """A function that the model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str = field(default="", repr=False)
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ChatFunctionChoice:
    """The demand that the model call this function."""

    name: str


ChatToolChoice: TypeAlias = Literal["auto", "none", "required"] | ChatFunctionChoice
"""Whether the model may call tools, must not, or must."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for the next answer. None for an option leaves it to the backend.

    Where `messages` does not begin with a system message, the backend adds its default instructions.
    """

    messages: tuple[ChatMessage, ...]
    tools: tuple[ChatTool, ...] = ()
    tool_choice: ChatToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ChatTextDelta:
    """More text of the answer, never empty."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatToolCallDelta:
    """More of the arguments of one tool call.

    `index` numbers the calls of an answer from 0. `call_id`, unique in the answer, and `name` are complete in every
    delta of the call. The first delta of a call may have no arguments.
    """

    index: int
    call_id: str
    name: str
    arguments: str = field(repr=False)


class ChatFinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    """The limit of output tokens, or the context of the model, was reached."""
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Tokens that the backend counted."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class ChatFinished:
    """The answer is complete; nothing follows."""

    finish_reason: ChatFinishReason
    usage: ChatUsage | None = None


ChatDelta: TypeAlias = ChatTextDelta | ChatToolCallDelta | ChatFinished
"""What an answer consists of."""


class ChatError(VoiceError):
    """The chat backend did not answer, or not completely.

    Its public messages name no address and quote nothing that the backend wrote, which may repeat a prompt or a key.
    """

    code = "backend_unavailable"
    http_status = 502

    @property
    def public_message(self) -> str:
        return "The chat backend did not answer. See the server log for details."


class ChatNotConfigured(ChatError):
    """An answer was requested where no chat backend is configured."""

    code = "backend_not_configured"
    http_status = 501

    def __init__(self) -> None:
        super().__init__("No chat backend is configured: set VIVAVOCE_CHAT_BASE_URL.")

    @property
    def public_message(self) -> str:
        return "No chat backend is configured on this server."


class ChatInterrupted(ChatError):
    """The answer of the chat backend broke off, or could not be understood."""

    code = "backend_interrupted"

    @property
    def public_message(self) -> str:
        return "The answer of the chat backend broke off. See the server log for details."


class ChatTimeout(ChatError):
    """The chat backend took too long."""

    code = "backend_timeout"
    http_status = 504

    @property
    def public_message(self) -> str:
        return "The chat backend took too long."


class ChatOverloaded(ChatError):
    """The chat backend is at its limit; the request may succeed later."""

    code = "backend_overloaded"
    http_status = 503

    @property
    def public_message(self) -> str:
        return "The chat backend is at its limit. Try again later."


class ChatRefused(ChatError):
    """The chat backend refused the request: its key, its model, or what it asks."""

    code = "backend_refused"

    @property
    def public_message(self) -> str:
        return "The chat backend refused the request. See the server log for details."


class ImagesUnsupported(ClientError):
    """A message with an image, which the chat backend is not sent."""

    code = "unsupported_content"

    def __init__(self, *, param: str | None = None) -> None:
        super().__init__("Images are not supported; send text or audio.", param=param)
