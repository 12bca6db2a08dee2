"""The part of a conversation that a chat model is sent: well-formed, and bounded by tokens.

Chat APIs and the templates of many models refuse a history that a spoken conversation produces easily: two messages of
the user in a row, a tool result that follows something the user said meanwhile, a call without a result.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from realtime.backends.tokens import shortened, tokens
from realtime.session.generation import ChatMessage, ChatRole

MESSAGE_TOKENS: Final = 5
"""Tokens around each message in the templates of common models (3 to 5)."""

BLOCKS: Final = 4
"""The history is dropped in blocks of this part of the limit.

In between the beginning of the history stays the same from request to request, so that servers reuse what they have
computed for it (prompt caching), and the first token does not come later with each turn.
"""

OMITTED: Final = "The beginning of this conversation is omitted."
"""What the system text is followed by where turns were dropped."""

NO_RESULT: Final = "There is no result yet."
"""Result of a call that the client has not answered."""


def message_tokens(message: ChatMessage) -> int:
    """Estimate the tokens of one message."""
    calls = sum(MESSAGE_TOKENS + tokens(call.name) + tokens(call.arguments) for call in message.tool_calls)
    return MESSAGE_TOKENS + tokens(message.text) + calls


def well_formed(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Return the messages in a form that every chat model takes.

    Each tool result follows its call, a call without a result gets `NO_RESULT`, and a result without a call is dropped,
    as are empty messages. Messages of the same author in a row become one, whose calls have different ids.
    """
    results: list[str] = []
    """The result of each call, in the order of the calls."""
    latest: dict[str, int] = {}
    """The last call with each id so far; some backends use the same ids in every answer."""
    joined: list[ChatMessage] = []
    answered = False
    """Whether a call of the last of `joined` has its result: what the assistant says next is another message."""
    for message in messages:
        if message.role is ChatRole.TOOL:
            if (place := latest.pop(message.call_id, None)) is not None:
                results[place] = message.text
                answered = answered or place >= len(results) - len(joined[-1].tool_calls)
            continue
        if not (message.text.strip() or message.tool_calls):
            continue
        if not joined or joined[-1].role is not message.role or answered:
            joined.append(ChatMessage(message.role))
            answered = False
        last = joined[-1]
        known = {call.call_id for call in last.tool_calls}
        new = {call.call_id: call for call in message.tool_calls if call.call_id not in known}
        for call_id in new:
            latest[call_id] = len(results)
            results.append(NO_RESULT)
        text = "\n".join(filter(None, (last.text, message.text)))
        joined[-1] = replace(last, text=text, tool_calls=(*last.tool_calls, *new.values()))
    found = []
    following = iter(results)
    for message in joined:
        found.append(message)
        found += [ChatMessage(ChatRole.TOOL, next(following), call_id=call.call_id) for call in message.tool_calls]
    return found


def fitted(messages: Sequence[ChatMessage], limit: int) -> list[ChatMessage]:
    """Return the newest turns of well-formed messages that have at most `limit` tokens, by estimate.

    A turn begins with a message of the user. The system messages before the first turn are always kept, and so is the
    last turn, whose long texts are shortened if it alone is too long. Where turns are dropped, oldest first, `OMITTED`
    follows the system text.
    """
    start = next((n for n, each in enumerate(messages) if each.role is not ChatRole.SYSTEM), len(messages))
    system, history = list(messages[:start]), list(messages[start:])
    costs = [message_tokens(message) for message in history]
    room = limit - sum(map(message_tokens, system))
    if sum(costs) <= room:
        return [*system, *history]
    room -= MESSAGE_TOKENS + tokens(OMITTED)
    block = max(1, room // BLOCKS)
    excess = sum(costs) - room
    dropped = -(-excess // block) * block  # in whole blocks
    begins = [0, *accumulate(costs)]
    turns = [n for n, message in enumerate(history) if message.role is ChatRole.USER] or [0]
    first = next((turn for turn in turns if begins[turn] >= dropped), turns[-1])
    kept = history[first:]
    if first > 0:
        system = _with_note(system)
    return [*system, *_shortened(kept, room)]


def _with_note(system: list[ChatMessage]) -> list[ChatMessage]:
    if not system:
        return [ChatMessage(ChatRole.SYSTEM, OMITTED)]
    return [*system[:-1], replace(system[-1], text=f"{system[-1].text}\n\n{OMITTED}")]


def _shortened(messages: list[ChatMessage], room: int) -> list[ChatMessage]:
    """Shorten the longest texts of a turn until it fits into `room`, as far as its texts are what makes it long."""
    texts = [tokens(message.text) for message in messages]
    room -= sum(map(message_tokens, messages)) - sum(texts)
    if sum(texts) <= room:
        return messages
    longest, left = 0, room
    for place, cost in enumerate(sorted(texts)):  # the largest length that all may have
        longest = left // (len(texts) - place)
        if cost > longest:
            break
        left -= cost
    longest = max(1, longest)
    return [replace(message, text=shortened(message.text, longest)) for message in messages]
