"""Clients that cost the server more than they pay, on raw sockets."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.frames import Opcode

from realtime.edge import guarded_protocols
from tests.support.raw_socket import (
    close_code,
    frame,
    handshake,
    raw_socket,
    raw_websocket,
    read_until_closed,
    send_until_closed,
)
from tests.support.realtime_service import TIMEOUT, RealtimeService, eventually, realtime_service
from tests.support.repetitions import SOAKING, repetitions

POLICY_VIOLATION = 1008
MEBIBYTE = 1024 * 1024
FLOOD = repetitions(32, 200) * MEBIBYTE


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service() as service:
        yield service


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_protocols, "HEAD_SECONDS", 1.0)


def peak() -> int:
    """Return the largest memory of this process so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# Cheap frames.


def test_a_flood_of_pings_is_cut_off_and_costs_no_memory(server: RealtimeService) -> None:
    pings = frame(Opcode.PING, bytes(100)) * 10_000
    before = peak()
    with raw_websocket(server.port, receive_buffer=4096) as connection:
        assert send_until_closed(connection, pings, FLOOD // len(pings))
    assert peak() - before < 20 * MEBIBYTE
    assert eventually(lambda: server.sessions == 0)


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
def test_a_client_that_reads_is_told_why(server: RealtimeService, opcode: Opcode) -> None:
    with raw_websocket(server.port) as connection:
        connection.sendall(frame(opcode) * (guarded_protocols.MAX_CONTROL_FRAMES + 1))
        received = read_until_closed(connection)
    assert b"too many control frames" in received
    assert close_code(received) == POLICY_VIOLATION


def test_pings_at_the_rate_of_a_client_are_answered(server: RealtimeService) -> None:
    with raw_websocket(server.port) as connection:
        for number in range(20):
            connection.sendall(frame(Opcode.PING, bytes([number])))
            assert connection.recv(100) == bytes([0x8A, 1, number])


def test_fragments_without_end_are_cut_off(server: RealtimeService) -> None:
    with raw_websocket(server.port) as connection:
        connection.sendall(frame(Opcode.TEXT, b"{", final=False))
        connection.sendall(frame(Opcode.CONT, final=False) * guarded_protocols.MAX_FRAGMENTS)
        received = read_until_closed(connection)
    assert b"too many fragments" in received
    assert close_code(received) == POLICY_VIOLATION


def test_what_is_sent_after_a_violation_finds_that_the_client_has_left() -> None:
    outcome: list[BaseException | None] = [None]

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        try:  # before the connection is closed
            await send({"type": "websocket.send", "text": "late"})
        except (OSError, RuntimeError) as error:
            outcome[0] = error

    async def violate(listener: socket.socket) -> None:
        config = uvicorn.Config(app, ws=guarded_protocols.GuardedWebSocketProtocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(handshake())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(Opcode.CONT))  # of no message
        await reader.read()
        writer.close()
        server.should_exit = True
        await serving

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(violate(listener))
    assert isinstance(outcome[0], OSError), outcome  # by which Starlette knows that the client has left


def test_a_message_may_come_in_pieces(server: RealtimeService) -> None:
    message = b'{"type": "input_audio_buffer.clear"}'
    with raw_websocket(server.port) as connection:
        connection.sendall(frame(Opcode.TEXT, message[:1], final=False))
        for position in range(1, len(message)):
            connection.sendall(frame(Opcode.CONT, message[position : position + 1], final=position == len(message) - 1))
        assert b"input_audio_buffer.cleared" in connection.recv(65_536)


def test_compression_of_messages_is_not_accepted(server: RealtimeService) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    with raw_socket(server.port, handshake("/v1/realtime", offer)) as connection:
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"deflate" not in answer.lower()


# Requests that do not come to an end.


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"GET /livez HTTP/1.1\r\n", b"HTTP/1.1 408 "),
        (handshake()[:-2], b"HTTP/1.1 408 "),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\n", b"HTTP/1.1 408 "),
    ],
    ids=["nothing", "half a request", "half a handshake", "half of another request"],
)
def test_half_a_request_holds_no_connection(server: RealtimeService, sent: bytes, answer: bytes) -> None:
    with raw_socket(server.port, sent) as connection:
        assert answer in read_until_closed(connection)
    assert eventually(lambda: server.connections == 0)


@pytest.mark.usefixtures("hurried")
def test_headers_that_trickle_hold_no_connection(server: RealtimeService) -> None:
    with raw_socket(server.port, b"GET /livez HTTP/1.1\r\n") as connection:
        connection.settimeout(0.05)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            answer = b""
            while not answer:
                assert time.monotonic() - began < TIMEOUT
                connection.sendall(b"x: y\r\n")
                with contextlib.suppress(TimeoutError):
                    answer = connection.recv(100)
    assert eventually(lambda: server.connections == 0)


def test_headers_without_end_are_refused(server: RealtimeService) -> None:
    with raw_socket(server.port, b"GET /livez HTTP/1.1\r\n") as connection:
        assert send_until_closed(connection, b"x: " + bytes([65]) * 8000 + b"\r\n", 10_000)


def test_half_requests_by_the_hundred_leave_others_served(server: RealtimeService) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(raw_socket(server.port, handshake()[:-2]))
        with server.session() as client:
            client.send("input_audio_buffer.clear")
            client.wait_for("input_audio_buffer.cleared")
    assert eventually(lambda: server.connections == 0)


@pytest.mark.skipif(not SOAKING, reason="takes ten seconds; part of make soak")
def test_a_thousand_half_handshakes_are_closed_within_ten_seconds(server: RealtimeService) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # both ends are in this process
    try:
        before = peak()
        with contextlib.ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(raw_socket(server.port, handshake()[:-2]))
            began = time.monotonic()
            assert eventually(lambda: server.connections == 0)
            seconds = time.monotonic() - began
        print(f"1,000 half handshakes: closed after {seconds:.1f} s, {(peak() - before) / 1e6:+.1f} MB")
        assert seconds < 10
        assert peak() - before < 20 * MEBIBYTE
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_page_whose_name_resolves_to_this_machine_gets_nothing(server: RealtimeService) -> None:
    evil = {"host": "evil.example"}
    answer = httpx.get(f"http://127.0.0.1:{server.port}/v1/models", headers=evil, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_not_allowed")
    with raw_socket(server.port, handshake().replace(b"127.0.0.1", b"evil.example")) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 403 ")


def test_deep_json_is_refused(server: RealtimeService) -> None:
    deep = b'{"input": ' + b"[" * 100_000
    answer = httpx.post(
        f"http://127.0.0.1:{server.port}/v1/audio/speech",
        content=deep,
        headers={"content-type": "application/json"},
        timeout=TIMEOUT,
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")
