"""The client against servers on the loopback interface."""

import asyncio
import json
import logging
from typing import Any

import pytest

from realtime.backends import timeouts
from realtime.backends.client import ChatReport
from realtime.session.generation import (
    ChatDelta,
    ChatError,
    ChatFinished,
    ChatFinishReason,
    ChatInterrupted,
    ChatMessage,
    ChatOverloaded,
    ChatRefused,
    ChatRequest,
    ChatRole,
    ChatTextDelta,
    ChatTimeout,
    ChatToolCall,
    ChatToolCallDelta,
    ChatUsage,
)
from tests.support.chat_server import (
    REQUEST,
    WAIT,
    ChatServer,
    Pieces,
    Reply,
    answer,
    chat_client,
    chat_server,
    chunk,
    deltas_of,
    sse,
)

JSON = {"content-type": "application/json"}
HELLO = [ChatTextDelta("Hel"), ChatTextDelta("lo."), ChatFinished(ChatFinishReason.STOP, ChatUsage(7, 2))]


def talk(
    *replies: Reply | bytes | None,
    request: ChatRequest = REQUEST,
    reports: list[ChatReport] | None = None,
    **settings: Any,
) -> tuple[list[ChatDelta], ChatServer]:
    """Request one answer of a server with these replies."""

    async def scene() -> tuple[list[ChatDelta], ChatServer]:
        async with chat_server(*replies) as server, chat_client(server.url, reports, **settings) as client:
            try:
                return await deltas_of(client, request), server
            except ChatError as error:
                error.add_note(f"requests: {len(server.bodies)}")
                raise

    return asyncio.run(scene())


def failure(kind: type[ChatError], *replies: Reply | bytes | None, requests: int, **settings: Any) -> ChatError:
    """Return the error of a request, of which the server must have seen so many."""
    with pytest.raises(ChatError) as raised:
        talk(*replies, **settings)
    assert type(raised.value) is kind
    assert raised.value.__notes__ == [f"requests: {requests}"]
    return raised.value


def test_an_answer_arrives_in_deltas_with_its_usage() -> None:
    assert talk(answer("Hel", "lo."))[0] == HELLO


def test_a_request_names_the_model_and_carries_the_key_and_the_instructions() -> None:
    _, server = talk(answer("Hi"), chat_model="llama", chat_api_key="secret", chat_instructions="Be brief.")
    (body,), (headers,) = server.bodies, server.headers
    assert headers["authorization"] == "Bearer secret"
    assert body == {
        "model": "llama",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_call_gets_another_id_than_the_calls_before_it() -> None:
    deltas = {"tool_calls": [{"index": 0, "id": "call_0", "function": {"name": "go", "arguments": "{}"}}]}
    before = ChatMessage(ChatRole.ASSISTANT, tool_calls=(ChatToolCall("call_0", "go", "{}"),))
    request = ChatRequest((*REQUEST.messages, before, ChatMessage(ChatRole.TOOL, "gone", call_id="call_0")))
    (call, _), _ = talk(sse(chunk(deltas, "tool_calls")), request=request)
    assert isinstance(call, ChatToolCallDelta)
    assert call.call_id.startswith("call_")
    assert call.call_id != "call_0"


def test_the_second_request_uses_the_connection_of_the_first() -> None:
    async def scene() -> int:
        async with chat_server(answer("Hi")) as server, chat_client(server.url) as client:
            await deltas_of(client)
            await deltas_of(client)
            return server.connections

    assert asyncio.run(scene()) == 1


def test_a_backend_on_this_machine_is_reached_without_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert talk(answer("Hel", "lo."))[0] == HELLO


# Retries.


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_failure_that_may_pass_is_retried_once(status: int) -> None:
    reports: list[ChatReport] = []
    deltas, server = talk(Reply(status=status, headers={"retry-after": "0"}), answer("Hel", "lo."), reports=reports)
    assert deltas == HELLO
    assert len(server.bodies) == 2
    assert [(each.outcome, each.retried) for each in reports] == [("completed", True)]


@pytest.mark.parametrize("retry_after", ["soon", "", "-1", "Fri, 01 Jan 2010 00:00:00 GMT"])
def test_an_unusable_retry_after_is_ignored(retry_after: str) -> None:
    assert talk(Reply(status=429, headers={"retry-after": retry_after}), answer("Hel", "lo."))[0] == HELLO


def test_a_connection_that_is_reset_is_retried_once() -> None:
    assert talk(None, answer("Hel", "lo."))[0] == HELLO
    failure(ChatInterrupted, None, requests=2)


def test_an_answer_that_breaks_off_before_its_first_delta_is_retried_once() -> None:
    assert talk(b": wait\n\n", answer("Hel", "lo."))[0] == HELLO


def test_a_backend_that_cannot_be_reached_is_a_failure_that_names_no_more_than_its_origin() -> None:
    async def scene() -> ChatError:
        async with chat_server() as server:
            url = f"http://user:password@127.0.0.1:{server.port}/v1?key=secret"
        async with chat_client(url) as client:
            with pytest.raises(ChatError) as raised:
                await deltas_of(client)
            return raised.value

    error = asyncio.run(scene())
    assert "cannot connect to the chat backend at http://127.0.0.1:" in error.message
    assert "secret" not in error.message
    assert "password" not in error.message


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (ChatRefused, Reply(b'{"error": {"code": "invalid_api_key"}}', 401, JSON)),
        (ChatRefused, Reply(b"<html>", 404)),
        (ChatRefused, Reply(status=307, headers={"location": "https://example.org/"})),
        (ChatError, Reply(b"{", 500)),
        (ChatOverloaded, Reply(b'{"error": {"type": "insufficient_quota"}}', 429, JSON)),
        (ChatOverloaded, Reply(status=503, headers={"retry-after": "3600"})),
        (ChatOverloaded, Reply(status=429, headers={"retry-after": "Fri, 31 Dec 2100 23:59:59 GMT"})),
        (ChatRefused, Reply(sse({"error": {"code": 400, "message": "too long"}}))),
    ],
)
def test_a_failure_that_stays_is_not_retried(kind: type[ChatError], reply: Reply) -> None:
    failure(kind, reply, requests=1)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, {"code": "invalid_api_key"}, "401 (invalid_api_key): check VIVAVOCE_CHAT_API_KEY"),
        (404, {"message": "model not found"}, "404: check VIVAVOCE_CHAT_BASE_URL and VIVAVOCE_CHAT_MODEL"),
        (400, {"message": "Invalid model name", "code": "400"}, "400: check VIVAVOCE_CHAT_MODEL"),
        (400, {"code": "context_length_exceeded"}, ": lower VIVAVOCE_CHAT_MAX_HISTORY_TOKENS"),
        (400, {"code": 400, "type": "exceed_context_size_error"}, ": lower VIVAVOCE_CHAT_MAX_HISTORY_TOKENS"),
        (307, {}, "307: check VIVAVOCE_CHAT_BASE_URL"),
    ],
)
def test_the_log_says_which_setting_to_look_at(status: int, error: dict[str, object], said: str) -> None:
    reply = Reply(json.dumps({"error": error}).encode(), status, JSON)
    assert failure(ChatRefused, reply, requests=1).message.endswith(said)


def test_nothing_is_retried_after_the_first_delta() -> None:
    failure(ChatInterrupted, sse(chunk({"content": "Hel"}), done=False), answer("Hi"), requests=1)
    failure(ChatInterrupted, sse(chunk({"content": "Hel"}), {"error": "out of memory"}), answer("Hi"), requests=1)


def test_parameters_that_a_backend_refuses_are_left_out_from_then_on() -> None:
    refusal = Reply(b'{"detail": [{"loc": ["body", "stream_options"], "type": "extra_forbidden"}]}', 422, JSON)

    async def scene() -> list[dict[str, Any]]:
        async with chat_server(refusal, answer("Hi")) as server, chat_client(server.url) as client:
            await deltas_of(client)
            await deltas_of(client)
            return server.bodies

    assert [body.get("stream_options") for body in asyncio.run(scene())] == [{"include_usage": True}, None, None]


def test_a_model_that_counts_thoughts_as_well_gets_its_limit_by_another_name() -> None:
    refusal = Reply(b'{"error": {"param": "max_tokens", "code": "unsupported_parameter"}}', 400, JSON)
    request = ChatRequest(REQUEST.messages, max_output_tokens=50)
    _, server = talk(refusal, answer("Hi"), request=request)
    first, second = server.bodies
    assert first["max_tokens"] == second["max_completion_tokens"] == 50
    assert "max_tokens" not in second


def test_an_error_of_any_length_is_understood() -> None:
    failure(ChatRefused, Reply([b"x" * 50_000] * 10, 400), requests=1)


def test_a_model_whose_answers_begin_with_reasoning_without_a_tag_is_understood_from_its_second_answer_on() -> None:
    async def scene() -> list[list[ChatDelta]]:
        without_tag, plain = answer("Hm.", "</think>", "Hi"), answer("Hel", "lo.")
        async with chat_server(without_tag, without_tag, plain) as server, chat_client(server.url) as client:
            return [(await deltas_of(client))[:-1] for _ in range(4)]

    first, second, third, fourth = asyncio.run(scene())
    assert first == [ChatTextDelta("Hm."), ChatTextDelta("Hi")]
    assert second == [ChatTextDelta("Hi")]
    assert third == [ChatTextDelta("Hello.")]
    assert fourth == [ChatTextDelta("Hel"), ChatTextDelta("lo.")]


# Time.


def test_a_backend_that_does_not_complete_the_connection_is_a_timeout() -> None:
    async def scene() -> ChatError:
        async with chat_server(b"") as server:
            url = server.url.replace("http:", "https:")  # whose first bytes the server does not answer
            async with chat_client(url, chat_connect_timeout_seconds=0.05) as client:
                with pytest.raises(ChatTimeout) as raised:
                    await deltas_of(client)
                return raised.value

    assert "cannot connect" in asyncio.run(scene()).message


def test_a_request_beyond_the_connections_of_all_sessions_is_refused() -> None:
    hanging = Reply([sse(chunk({"content": "Hel"}), done=False), WAIT])

    async def scene() -> None:
        async with (
            chat_server(hanging) as server,
            chat_client(server.url, max_sessions=1, chat_connect_timeout_seconds=0.05) as client,
            client.stream(REQUEST) as one,
            client.stream(REQUEST) as other,
        ):
            await anext(one)
            await anext(other)
            with pytest.raises(ChatOverloaded):
                await deltas_of(client)

    asyncio.run(scene())


def test_the_first_token_has_its_time_whatever_keeps_the_connection_alive() -> None:
    waiting: Pieces = [b": wait\n\n", 0.02] * 20
    slow = Reply([sse(chunk({"role": "assistant"}), done=False), *waiting, answer("Late")])
    failure(ChatTimeout, slow, requests=2, chat_first_token_timeout_seconds=0.1)


def test_thoughts_count_as_tokens() -> None:
    thought = sse(chunk({"reasoning_content": "Hm."}), done=False)
    thinking: Pieces = [thought, 0.1] * 12
    deltas, _ = talk(Reply([*thinking, answer("Hel", "lo.")]), chat_first_token_timeout_seconds=1.0)
    assert deltas == HELLO


def test_the_next_token_has_its_time() -> None:
    slow = Reply([sse(chunk({"content": "Hel"}), done=False), WAIT])
    failure(ChatTimeout, slow, requests=1, chat_token_timeout_seconds=0.05)


def test_the_whole_answer_has_its_time() -> None:
    drops = Reply([sse(chunk({"content": "la "}), done=False), 0.02] * 50)
    failure(ChatTimeout, drops, requests=1, chat_timeout_seconds=0.2)


def test_an_answer_is_complete_without_its_usage_where_the_backend_keeps_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "USAGE_SECONDS", 0.05)
    endless = Reply([sse(chunk({"content": "Hi"}), chunk(finish_reason="stop"), done=False), WAIT])
    assert talk(endless)[0] == [ChatTextDelta("Hi"), ChatFinished(ChatFinishReason.STOP)]


# Cancelling.


@pytest.mark.parametrize("first", [b"", sse(chunk({"content": "Hel"}), done=False)])
def test_the_backend_sees_at_once_that_a_request_was_cancelled(first: bytes) -> None:
    reports: list[ChatReport] = []

    async def scene() -> None:
        async with chat_server(Reply([first, WAIT])) as server, chat_client(server.url, reports) as client:
            task = asyncio.create_task(deltas_of(client))
            await server.asked.wait()
            task.cancel()
            await asyncio.wait_for(server.gone.wait(), 0.5)

    asyncio.run(scene())
    assert [each.outcome for each in reports] == ["cancelled"]


def test_leaving_the_block_closes_the_connection_at_once() -> None:
    async def scene() -> None:
        body = sse(chunk({"content": "Hel"}), done=False)
        async with chat_server(Reply([body, WAIT])) as server, chat_client(server.url) as client:
            async with client.stream(REQUEST) as deltas:
                assert await anext(deltas) == ChatTextDelta("Hel")
            await asyncio.wait_for(server.gone.wait(), 0.5)

    asyncio.run(scene())


# What is reported and logged.


def test_the_end_of_each_request_is_reported_with_the_time_of_its_first_delta() -> None:
    reports: list[ChatReport] = []
    talk(answer("Hi"), reports=reports)
    with pytest.raises(ChatRefused):
        talk(Reply(status=401), reports=reports)
    assert [(each.outcome, each.retried) for each in reports] == [("completed", False), ("backend_refused", False)]
    assert reports[0].first_token_seconds is not None
    assert 0 < reports[0].first_token_seconds < 5
    assert reports[1].first_token_seconds is None


def test_neither_the_log_nor_an_error_repeats_what_was_said_or_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    message = b'{"error": {"message": "Wrong key sk-secret for: my mother is ill", "type": "my mother is ill"}}'
    with pytest.raises(ChatError) as raised:
        talk(
            Reply(message, 503, JSON),
            request=ChatRequest((ChatMessage(ChatRole.USER, "my mother is ill"),)),
            chat_api_key="sk-secret",
        )
    for text in (caplog.text, raised.value.message, raised.value.public_message):
        assert "secret" not in text
        assert "mother" not in text
    assert "answered 503; trying once more" in caplog.text
