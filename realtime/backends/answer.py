"""From the chunks of a streamed chat completion to the deltas of an answer.

Only what is meant for the user becomes text: `content` and `refusal`, never `reasoning_content`, and no reasoning in
tags. Content may be a string or a list of parts.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from realtime.backends.failures import raise_stream_error
from realtime.backends.reasoning import ReasoningFilter
from realtime.backends.tool_calls import ToolCalls, text_of
from realtime.session.generation import (
    ChatDelta,
    ChatFinished,
    ChatFinishReason,
    ChatInterrupted,
    ChatTextDelta,
    ChatUsage,
)

_REASONING: Final = ("reasoning_content", "reasoning", "reasoning_details")
"""Fields with reasoning: of DeepSeek's API, vLLM and llama.cpp; of Groq, Ollama and newer vLLM; of
OpenRouter."""

_FINISH_REASONS: Final = {
    "length": ChatFinishReason.LENGTH,
    "max_tokens": ChatFinishReason.LENGTH,
    "model_length": ChatFinishReason.LENGTH,
    "content_filter": ChatFinishReason.CONTENT_FILTER,
    "safety": ChatFinishReason.CONTENT_FILTER,
}
"""Reasons that mean something; all others, such as `eos` or `function_call`, say that the model had finished."""


class Answer:
    """One answer as it arrives. All methods raise `ChatError` for what the backend reports as one."""

    def __init__(
        self, new_call_id: Callable[[], str], *, taken: Collection[str] = (), begins_with_reasoning: bool = False
    ) -> None:
        """`taken`: see `ToolCalls`; `begins_with_reasoning`: see `ReasoningFilter`."""
        self.started = False
        """Whether the backend has sent anything that the model generated, reasoning included."""
        self.usage: ChatUsage | None = None
        self._reason = ""
        self._has_text = False
        self._reasoning = ReasoningFilter(begins_inside=begins_with_reasoning)
        self._calls = ToolCalls(new_call_id, taken)

    @property
    def begins_with_reasoning(self) -> bool | None:
        """Whether its text has begun with reasoning without an opening tag; None if it has no text."""
        return self._reasoning.begins_inside if self._has_text else None

    @property
    def complete(self) -> bool:
        """Whether the backend has said why the answer ended; only the usage can follow."""
        return bool(self._reason)

    def take(self, chunk: Mapping[str, object]) -> Iterator[ChatDelta]:
        """Take one chunk; yield what it adds to the answer."""
        if chunk.get("error") or chunk.get("object") == "error":
            raise_stream_error(chunk.get("error") or chunk)
        self.usage = _usage(chunk.get("usage")) or self.usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        delta = choice.get("delta", choice.get("message"))  # a message if the backend does not stream
        if isinstance(delta, Mapping):
            yield from self._take_delta(delta)
        self._reason = text_of(choice.get("finish_reason")).lower() or self._reason
        if self._reason == "error":
            raise ChatInterrupted("the chat backend reports that its model failed")

    def finish(self, *, done: bool) -> Iterator[ChatDelta]:
        """End the answer, which was `[DONE]` if `done`; yield the rest of it and `ChatFinished`.

        Raises:
            ChatInterrupted: The answer broke off.

        """
        if not (done or self.complete):
            what = "broke off" if self.started else "is no chat completion"
            raise ChatInterrupted(f"the answer of the chat backend {what}")
        if rest := self._reasoning.flush():
            yield ChatTextDelta(rest)
        yield from self._calls.finish()
        reason = _FINISH_REASONS.get(self._reason, ChatFinishReason.STOP)
        if self._calls and reason is ChatFinishReason.STOP:
            reason = ChatFinishReason.TOOL_CALLS
        yield ChatFinished(reason, self.usage)

    def _take_delta(self, delta: Mapping[str, object]) -> Iterator[ChatDelta]:
        text = _content(delta.get("content")) + text_of(delta.get("refusal"))
        calls = self._calls.take(delta.get("tool_calls"))
        self.started = self.started or bool(
            text or delta.get("content") or delta.get("tool_calls") or any(delta.get(each) for each in _REASONING)
        )
        self._has_text = self._has_text or bool(text)
        if spoken := self._reasoning.feed(text):
            yield ChatTextDelta(spoken)
        yield from calls


def _content(content: object) -> str:
    """Return the text of a content: a string, or parts of which those of the type `text` count."""
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, Mapping) and part.get("type", "text") == "text")
        return "".join(text_of(part.get("text")) for part in parts)
    return text_of(content)


def _usage(usage: object) -> ChatUsage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens", 0)
    return ChatUsage(prompt, completion) if isinstance(prompt, int) and isinstance(completion, int) else None
