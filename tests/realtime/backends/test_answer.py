"""From the bytes of an answer, as real servers send them, to its deltas."""

import contextlib
import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.backends.answer import Answer
from realtime.backends.event_stream import MAX_EVENT_BYTES, MAX_STREAM_BYTES, EventStream
from realtime.backends.reasoning import ReasoningFilter
from realtime.backends.tool_calls import MAX_TOOL_CALLS
from realtime.session.generation import (
    ChatDelta,
    ChatError,
    ChatFinished,
    ChatFinishReason,
    ChatInterrupted,
    ChatOverloaded,
    ChatRefused,
    ChatTextDelta,
    ChatToolCallDelta,
    ChatUsage,
)
from tests.support.chat_server import answer, chunk, sse


def parsed(*pieces: bytes) -> list[ChatDelta]:
    """Return the deltas of a body that arrives in these pieces."""
    names = (f"new_{n}" for n in range(100))
    stream, found = EventStream(), Answer(lambda: next(names))

    def deltas() -> Iterator[ChatDelta]:
        for piece in pieces:
            for each in stream.feed(piece):
                yield from found.take(each)
        for each in stream.finish():
            yield from found.take(each)
        yield from found.finish(done=stream.done)

    return list(deltas())


def said(body: bytes) -> str:
    return "".join(delta.text for delta in parsed(body) if isinstance(delta, ChatTextDelta))


def end(body: bytes) -> ChatFinished:
    last = parsed(body)[-1]
    assert isinstance(last, ChatFinished)
    return last


def called(*tool_calls: object, finish_reason: str = "tool_calls") -> list[tuple[int, str, str, str]]:
    """Return index, id, name and whole arguments of each call, of chunks with these lists of deltas."""
    body = sse(*(chunk({"tool_calls": each}) for each in tool_calls), chunk(finish_reason=finish_reason))
    found: dict[int, tuple[int, str, str, str]] = {}
    for delta in parsed(body):
        if isinstance(delta, ChatToolCallDelta):
            before = found.get(delta.index, (0, "", "", ""))[3]
            found[delta.index] = (delta.index, delta.call_id, delta.name, before + delta.arguments)
    return list(found.values())


# The body.


@pytest.mark.parametrize(
    "body",
    [
        answer("Hel", "lo."),
        answer("Hel", "lo.").replace(b"\n", b"\r\n"),
        answer("Hel", "lo.").replace(b"\n", b"\r"),
        answer("Hel", "lo.").replace(b"\n\n", b"\n"),
        answer("Hel", "lo.").replace(b"data: ", b"data:"),
        answer("Hel", "lo.").replace(b"data: ", b": OPENROUTER PROCESSING\n\nid: 1\nretry: 10\ndata: "),
        b"\xef\xbb\xbf" + answer("Hel", "lo."),
        answer("Hel", "lo.").replace(b"data: [DONE]\n\n", b""),
        answer("Hel", "lo.").removesuffix(b"\n\n"),
        answer("Hel", "lo.").replace(b'{"choices"', b'{\ndata: "choices"'),
        answer("Hel", "lo.").replace(b"data: [DONE]", b"").replace(b"data: ", b""),
        json.dumps(
            {
                "choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 2},
            },
            indent=2,
        ).encode(),
    ],
    ids=[
        "events",
        "carriage returns and line feeds",
        "carriage returns",
        "no empty lines",
        "no spaces",
        "comments and other fields",
        "a byte order mark",
        "no [DONE]",
        "no empty line at the end",
        "an object in several lines",
        "lines of JSON",
        "one object",
    ],
)
def test_an_answer_is_understood_however_it_is_written(body: bytes) -> None:
    assert said(body) == "Hello."
    assert end(body) == ChatFinished(ChatFinishReason.STOP, ChatUsage(7, 2))


@given(cuts=st.lists(st.integers(0, 700), max_size=20))
def test_an_answer_does_not_depend_on_how_its_bytes_arrive(cuts: list[int]) -> None:
    body = sse(chunk({"content": "Schön, <thi"}), chunk({"content": "nk>hm</think>今天!"}), chunk(finish_reason="stop"))
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    deltas = parsed(*(body[start:stop] for start, stop in pairwise(edges)))
    assert deltas == parsed(body)
    assert said(body) == "Schön, 今天!"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html>\n<title>Sign in</title>\n",
        b": wait\n\n",
        b'data: {"choices": [{"delta": {"content": "He',
        sse(chunk({"content": "Hel"}), done=False),
        b'data: {"choices": "}\n\ndata: [DONE\n\n',
        b"data: " + b"[" * 100_000 + b"}\n\n",
        b'{"choices": [',
        b"data: }\n" * 1000,
    ],
)
def test_an_answer_that_breaks_off_or_is_something_else_is_a_failure(body: bytes) -> None:
    with pytest.raises(ChatInterrupted):
        parsed(body)


@pytest.mark.parametrize(
    "body",
    [
        [b"data: " + b"x" * (MAX_EVENT_BYTES + 1)],
        [b"data: " + b"x" * 1000 + b"\n"] * (MAX_EVENT_BYTES // 1000 + 1),
        [b": " + b"x" * 100_000 + b"\n"] * (MAX_STREAM_BYTES // 100_000 + 1),
    ],
    ids=["a line", "an event", "the body"],
)
def test_an_answer_without_end_is_a_failure(body: list[bytes]) -> None:
    with pytest.raises(ChatInterrupted, match="longer than"):
        parsed(*body)


# Text.


@pytest.mark.parametrize(
    "delta",
    [
        {"content": None},
        {"role": "assistant"},
        {"content": []},
        {"content": 7},
        {"reasoning_content": "The user greets."},
        {"reasoning": "The user greets.", "content": ""},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]},
        {"content": "<think>The user greets.</think>\n\n"},
        {"content": "<thinking>Hm."},
        {"tool_calls": None},
        {"tool_calls": [None, 1]},
        None,
    ],
)
def test_what_is_not_for_the_user_is_not_spoken(delta: object) -> None:
    assert said(sse({"choices": [{"delta": delta}]}, chunk(finish_reason="stop"))) == ""


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Hi"},
        {"content": [{"type": "text", "text": "H"}, {"text": "i"}]},
        {"refusal": "Hi", "content": None},
        {"content": "Hi", "reasoning_content": "Hm."},
        {"content": "<think>a</think> <thought>b</thought>\nHi"},
        {"content": "[THINK]a[/THINK]Hi"},
        {"content": "◁think▷a <think> b◁/think▷Hi"},
        {"content": "</think>\n\nHi"},
    ],
)
def test_what_is_for_the_user_is_spoken(delta: object) -> None:
    assert said(sse(chunk(delta), chunk(finish_reason="stop"))) == "Hi"


@pytest.mark.parametrize("text", ["a < b", "a <thin", "<b>bold</b>", "Use <", "1 <2 and 3>2", "x</thi"])
def test_text_that_only_resembles_a_thought_is_spoken(text: str) -> None:
    assert said(sse(*(chunk({"content": each}) for each in text), chunk(finish_reason="stop"))) == text


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<thought>", "</thought>", "<", ">", "a", " ", "th", "k>"])),
    st.booleans(),
    st.data(),
)
def test_reasoning_does_not_depend_on_how_the_text_is_divided(
    parts: list[str], inside: bool, data: st.DataObject
) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    whole, divided = ReasoningFilter(begins_inside=inside), ReasoningFilter(begins_inside=inside)
    spoken = "".join(divided.feed(text[start:stop]) for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True))
    assert spoken + divided.flush() == whole.feed(text) + whole.flush()
    assert divided.begins_inside == whole.begins_inside


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The user greets.</think>\n\nHi", "Hi"),
        ("\n<think>The user greets.</think>Hi", "Hi"),
        ("No tag, no reasoning.", "No tag, no reasoning."),
    ],
)
def test_an_answer_may_begin_with_reasoning_without_an_opening_tag(text: str, spoken: str) -> None:
    found = ReasoningFilter(begins_inside=True)
    assert "".join(map(found.feed, text)) + found.flush() == spoken


def test_half_a_character_is_replaced() -> None:
    assert said(sse(chunk({"content": "\ud83d Hi"}), chunk(finish_reason="stop"))) == "? Hi"


def test_chunks_without_choices_say_nothing() -> None:
    body = sse({}, {"choices": []}, {"choices": None}, {"choices": [None]}, chunk({"content": "Hi"}), {"error": None})
    assert said(body) == "Hi"


# The end.


@pytest.mark.parametrize(
    ("given_reason", "reason"),
    [
        ("stop", ChatFinishReason.STOP),
        ("eos_token", ChatFinishReason.STOP),
        ("tool_calls", ChatFinishReason.STOP),
        ("length", ChatFinishReason.LENGTH),
        ("MAX_TOKENS", ChatFinishReason.LENGTH),
        ("content_filter", ChatFinishReason.CONTENT_FILTER),
    ],
)
def test_the_reason_of_the_end_is_known(given_reason: str, reason: ChatFinishReason) -> None:
    assert end(sse(chunk({"content": "Hi"}, given_reason))).finish_reason is reason


def test_an_answer_with_calls_ends_because_of_them_whatever_the_reason() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "go", "arguments": "{}"}}
    assert end(sse(chunk({"tool_calls": [call]}, "stop"))).finish_reason is ChatFinishReason.TOOL_CALLS
    assert end(sse(chunk({"tool_calls": [call]}, "length"))).finish_reason is ChatFinishReason.LENGTH


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}, ChatUsage(7, 2)),
        ({"prompt_tokens": 7}, ChatUsage(7, 0)),
        ({"prompt_tokens": None}, None),
        (None, None),
    ],
)
def test_the_usage_may_come_with_any_chunk_or_never(usage: object, expected: ChatUsage | None) -> None:
    assert end(sse(chunk({"content": "Hi"}, "stop", usage=usage))).usage == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (sse({"error": {"message": "overloaded", "code": 503}}), ChatOverloaded),
        (sse({"error": {"message": "slow down", "type": "rate_limit_error"}}), ChatOverloaded),
        (sse({"error": {"message": "too long", "code": "context_length_exceeded"}}), ChatRefused),
        (sse({"error": {"message": "too long", "code": 400, "type": "exceed_context_size_error"}}), ChatRefused),
        (sse({"error": "out of memory"}), ChatInterrupted),
        (sse({"object": "error", "message": "too long", "code": 400}), ChatRefused),
        (b'event: error\ndata: {"message": "out of memory"}\n\n', ChatInterrupted),
        (b'event: error\ndata: {"error": {"code": 500}}\n\n', ChatError),
        (b'event: error\ndata: "out of memory"\n\n', ChatInterrupted),
        (b'error: {"code": 400, "message": "too long"}\n\n', ChatRefused),
        (b'{"error": {"code": 429}}', ChatOverloaded),
        (sse(chunk({"content": "Hi"}, "error")), ChatInterrupted),
    ],
)
def test_an_error_within_an_answer_is_a_failure(body: bytes, kind: type[ChatError]) -> None:
    with pytest.raises(ChatError) as raised:
        parsed(body)
    assert type(raised.value) is kind


# Tool calls.


def part(
    index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: object = None
) -> object:
    """Return one delta of a call, with the fields that are given."""
    function = {"name": name, "arguments": arguments}
    fields = {
        "index": index,
        "id": call_id,
        "function": {key: each for key, each in function.items() if each is not None},
    }
    return {key: each for key, each in fields.items() if each is not None}


A = (0, "a", "go", '{"x": 1}')
B = (1, "b", "stop", '{"y": 2}')
NEW_A = (0, "new_0", "go", '{"x": 1}')
NEW_B = (1, "new_1", "stop", '{"y": 2}')


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (
            [
                [part(0, "a", "go", "")],
                [part(0, arguments='{"x"')],
                [part(0, arguments=": 1}")],
                [part(1, "b", "stop", "")],
                [part(1, arguments='{"y": 2}')],
            ],
            [A, B],
        ),
        ([[part(0, "a", "go", '{"x": 1}'), part(1, "b", "stop", '{"y": 2}')]], [A, B]),
        ([[part(None, "a", "go", '{"x": 1}'), part(None, "b", "stop", '{"y": 2}')]], [A, B]),
        ([[part(None, "a", "go", '{"x": 1}')], [part(None, "b", "stop", '{"y": 2}')]], [A, B]),
        ([[part(0, "a", "go", '{"x": 1}')], [part(0, "b", "stop", '{"y": 2}')]], [A, B]),
        ([[part(None, None, "go", '{"x": 1}')], [part(None, None, "stop", '{"y": 2}')]], [NEW_A, NEW_B]),
        ([[part(0, "", "go", '{"x": 1}'), part(1, "", "stop", '{"y": 2}')]], [NEW_A, NEW_B]),
        ([[part(0, "a", "go", '{"x"')], [part(0, "", "", ": 1}")]], [A]),
        ([[part(0, "a", "go", '{"x"')], [part(0, "a", "go", ": 1}")]], [A]),
        ([[part(0, "a", "go", '{"x"')], [part(0, "other", None, ": 1}")]], [A]),
        ([[part(None, "a", "go", '{"x"')], [part(None, "a", "go", ": 1}")]], [A]),
        ([[part(None, "a", "go", '{"x"')], [part(arguments=": 1}")]], [A]),
        (
            [
                [part(0, "a", "go", '{"x"')],
                [part(1, "b", "stop", '{"y"')],
                [part(0, arguments=": 1}")],
                [part(1, arguments=": 2}")],
            ],
            [A, B],
        ),
        ([[part(0, "a")], [part(0, name="go", arguments='{"x"')], [part(0, arguments=": 1}")]], [A]),
        ([[part(0, "a", None, '{"x": 1}')], [part(0, name="go")]], [A]),
        ([[part(0, "a", "go", {"x": 1})]], [A]),
        ([[part(3, "a", "go", '{"x": 1}'), part(7, "b", "stop", '{"y": 2}')]], [A, B]),
        ([[part(0, "a", "go", '{"x": 1}'), part(1, "a", "stop", '{"y": 2}')]], [A, (1, "new_0", "stop", '{"y": 2}')]),
        ([[part(None, None, "go", '{"x"')], [part(None, None, "go", ": 1}")]], [NEW_A]),
        ([[part(0, "a", "go")]], [(0, "a", "go", "{}")]),
        ([[part(0, "a", "go", "")], [part(0, "a", "go", "{}")]], [(0, "a", "go", "{}")]),
    ],
    ids=[
        "in pieces, as OpenAI",
        "whole, in one chunk",
        "without an index, in one chunk",
        "without an index, one after the other",
        "index 0 for all",
        "neither index nor id",
        "empty ids",
        "empty id and name in what follows",
        "id and name in every piece",
        "another id in every piece",
        "without an index, id in every piece",
        "without an index, id at first",
        "interleaved",
        "the name later",
        "the name last",
        "arguments as an object",
        "indexes with gaps",
        "the same id twice",
        "neither index nor id, name in every piece",
        "no arguments",
        "name repeated with the arguments",
    ],
)
def test_tool_calls_are_assembled(chunks: list[object], expected: list[tuple[int, str, str, str]]) -> None:
    assert called(*chunks) == expected


def test_every_delta_of_a_call_has_its_id_and_name() -> None:
    body = sse(
        chunk({"tool_calls": [part(0, "a", "go", "{")]}), chunk({"tool_calls": [part(0, arguments="}")]}, "stop")
    )
    assert parsed(body)[:-1] == [ChatToolCallDelta(0, "a", "go", "{"), ChatToolCallDelta(0, "a", "go", "}")]


def test_a_call_without_a_name_is_a_failure() -> None:
    with pytest.raises(ChatInterrupted):
        called([part(0, "a", None, "{}")])


def test_calls_without_end_are_a_failure() -> None:
    with pytest.raises(ChatInterrupted):
        called([part(n, f"id{n}", "go", "{}") for n in range(MAX_TOOL_CALLS + 1)])


WHOLE_CHUNK = {
    "object": "chat.completion.chunk",
    "choices": [
        {
            "delta": {
                "content": [{"type": "text", "text": "Hi"}],
                "refusal": None,
                "tool_calls": [{"index": 0, "id": "a", "function": {"name": "go", "arguments": "{}"}}],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    "error": None,
}


def variants(value: object) -> Iterator[object]:
    """Yield copies of a JSON value in which one part each is missing or has another type."""
    yield from (None, True, -1, 1.5, 10**30, "", "x", [], [[]], {}, {"x": {}})
    if isinstance(value, dict):
        for key, each in value.items():
            yield {name: other for name, other in value.items() if name != key}
            yield from ({**value, key: variant} for variant in variants(each))
    if isinstance(value, list):
        yield from ([variant] for each in value for variant in variants(each))


def test_a_chunk_of_any_shape_is_understood_or_a_failure() -> None:
    for variant in variants(WHOLE_CHUNK):
        with contextlib.suppress(ChatError):
            assert isinstance(parsed(sse(variant))[-1], ChatFinished)
