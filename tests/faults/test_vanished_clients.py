"""Clients that vanish or do not read: nothing of them is left, and others notice nothing."""

import base64
import contextlib
import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from websockets.frames import Frame, Opcode

from realtime.audio.formats import Encoding, encode
from tests.support.raw_socket import ask_for_long_speech, raw_websocket
from tests.support.realtime_service import RATE, RealtimeService, eventually, realtime_service, utterance
from tests.support.repetitions import repetitions
from tests.support.scripted_engines import transcript_of

COMPLETED = "conversation.item.input_audio_transcription.completed"
STUCK = 3
MAX_GROWTH = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service(send_timeout_seconds=1.0) as service:
        with service.session():  # what is made once, is made now
            pass
        assert eventually(lambda: service.connections == 0)
        yield service


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def nothing_is_left(server: RealtimeService, before: int) -> bool:
    return server.sessions == 0 and server.connections == 0 and not server.jobs() and descriptors() <= before


def messages() -> bytes:
    """Return the messages of a client that says something."""
    data = encode(utterance([1, 2, 3]), Encoding.PCM16)
    sent = b""
    for start in range(0, len(data), RATE // 5):
        audio = base64.b64encode(data[start : start + RATE // 5]).decode()
        message = json.dumps({"type": "input_audio_buffer.append", "audio": audio}).encode()
        sent += Frame(Opcode.TEXT, message).serialize(mask=True)
    return sent


def test_of_clients_that_vanish_while_they_speak_nothing_is_left(server: RealtimeService) -> None:
    chance, speech, before = random.Random(7), messages(), descriptors()
    slowest = 0.0
    for number in range(repetitions(20, 200)):
        with raw_websocket(server.port) as connection:
            connection.sendall(speech[: chance.randrange(len(speech))])
            if number % 2:
                connection.shutdown(socket.SHUT_WR)  # the end of the stream; otherwise the connection is reset
        began = time.monotonic()
        assert eventually(lambda: nothing_is_left(server, before))
        slowest = max(slowest, time.monotonic() - began)
    print(f"nothing was left after {slowest:.2f} s at the most")
    with server.session("intent=transcription") as client:
        client.send_audio(utterance([7]))
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([7])


def test_a_client_that_falls_silent_is_dropped() -> None:
    with realtime_service(idle_timeout_seconds=0.5) as server, raw_websocket(server.port) as connection:
        connection.sendall(messages()[:10_000])
        assert eventually(lambda: server.sessions == 0)


def test_clients_that_do_not_read_are_dropped_and_others_are_served_meanwhile(server: RealtimeService) -> None:
    before = descriptors()
    with contextlib.ExitStack() as stack:
        with server.session("intent=transcription") as client:
            for _ in range(STUCK):
                ask_for_long_speech(stack.enter_context(raw_websocket(server.port, "", receive_buffer=4096)))
            for number in range(3):
                client.send_audio(utterance([number]))
                assert client.wait_for(COMPLETED)["transcript"] == transcript_of([number])
        assert eventually(lambda: server.sessions == 0, timeout=20)
    assert eventually(lambda: nothing_is_left(server, before))


def test_clients_that_come_and_go_leave_no_memory_descriptor_or_task(server: RealtimeService) -> None:
    def come_and_go(times: int) -> None:
        for _ in range(times):
            with server.session("intent=transcription"):
                pass
        assert eventually(lambda: server.connections == 0 and not server.jobs())

    cycles, process = repetitions(60, 10_000), psutil.Process()
    come_and_go(cycles // 4)  # until caches and arenas have their size
    tasks, opened, before = server.tasks, descriptors(), process.memory_info().rss
    come_and_go(cycles)
    grown = process.memory_info().rss - before
    print(f"{cycles} clients: {grown / 1e6:+.1f} MB")
    assert eventually(lambda: server.tasks <= tasks and descriptors() <= opened)
    assert grown < MAX_GROWTH
