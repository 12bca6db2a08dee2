"""Connections of clients that keep to no protocol: bytes on a TCP socket."""

import base64
import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.frames import Frame, Opcode

TIMEOUT = 10.0


@contextmanager
def raw_socket(port: int, sent: bytes = b"", *, receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """Connect, send, and reset the connection at the end; `receive_buffer` makes a client whose reading matters."""
    with socket.socket() as connection:
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(TIMEOUT)
        connection.connect(("127.0.0.1", port))
        connection.sendall(sent)
        yield connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def handshake(path: str = "/v1/realtime?intent=transcription", *headers: str) -> bytes:
    """Return the request for a websocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


@contextmanager
def raw_websocket(
    port: int, query: str = "intent=transcription", *, receive_buffer: int | None = None
) -> Iterator[socket.socket]:
    """Open a websocket and read its greeting."""
    with raw_socket(port, handshake(f"/v1/realtime?{query}"), receive_buffer=receive_buffer) as connection:
        received = b""
        while b"session.created" not in received:
            received += connection.recv(65_536)
        yield connection


def frame(opcode: Opcode, data: bytes = b"", *, final: bool = True) -> bytes:
    return Frame(opcode, data, fin=final).serialize(mask=True)


def ask_for_long_speech(connection: socket.socket) -> None:
    """Ask for a response with more audio than the sockets hold: 18 minutes, as fast as they are made."""
    text = "A sentence of some length that nobody reads. " * 400
    request = {"type": "response.create", "response": {"instructions": text, "conversation": "none"}}
    connection.sendall(frame(Opcode.TEXT, json.dumps(request).encode()))


def send_until_closed(connection: socket.socket, data: bytes, times: int) -> bool:
    """Send again and again, and return whether the server has ended the connection before the last time."""
    try:
        for _ in range(times):
            connection.sendall(data)
    except OSError:
        return True
    return False


def read_until_closed(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection. Raises `TimeoutError` if it does not."""
    received = bytearray()
    with suppress(ConnectionError):
        while data := connection.recv(65_536):
            received += data
    return bytes(received)


def close_code(received: bytes) -> int:
    """Return the code of the close frame at the end of what a server has sent."""
    position = received.rindex(b"\x88")
    return int.from_bytes(received[position + 2 : position + 4], "big")
