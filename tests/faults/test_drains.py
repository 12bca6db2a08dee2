"""The service is stopped while clients speak: nothing that they said is lost, and nobody holds up its end."""

import contextlib
import signal
import socket
import threading
import time
from http import HTTPStatus

import httpx
import numpy as np
import psutil
import pytest
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import CloseCode
from websockets.sync.client import connect

from tests.support.raw_socket import ask_for_long_speech, raw_socket, raw_websocket
from tests.support.realtime_service import RATE, SILENT, ProtocolClient, eventually, read_to_end
from tests.support.recordings import silence
from tests.support.repetitions import repetitions
from tests.support.scripted_engines import say_numbers, transcript_of
from tests.support.scripted_process import Service, service

DRAIN_SECONDS = 20.0
SPEAKERS = repetitions(4, 12)
HALF_OPEN = repetitions(10, 50)
STUCK = repetitions(2, 5)
WORDS = [list(range(speaker, speaker + 4)) for speaker in range(SPEAKERS)]
COMPLETED = "conversation.item.input_audio_transcription.completed"


def speaker(running: Service, stack: contextlib.ExitStack, numbers: list[int]) -> ProtocolClient:
    """Open a session in which a turn is in progress."""
    url = f"ws://127.0.0.1:{running.port}/v1/realtime?intent=transcription"
    client = ProtocolClient(stack.enter_context(connect(url, compression=None, logger=SILENT)))
    client.wait_for("session.created")
    client.send_audio(np.concatenate([silence(0.4, RATE), say_numbers(numbers, RATE)]))
    client.wait_for("input_audio_buffer.speech_started")
    return client


def refuses_sessions(running: Service) -> bool:
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{running.port}/v1/realtime", logger=SILENT):
        pass
    headers = refused.value.response.headers
    return refused.value.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in headers


@pytest.mark.parametrize("number", range(repetitions(1, 50)))
def test_a_service_that_is_stopped_delivers_what_was_said_and_ends_in_time(number: int) -> None:
    with (
        service(drain_timeout_seconds=str(DRAIN_SECONDS), send_timeout_seconds="1") as running,
        contextlib.ExitStack() as stack,
    ):
        readiness = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=20))
        assert readiness.get("/readyz").status_code == HTTPStatus.OK
        for _ in range(HALF_OPEN):
            stack.enter_context(raw_socket(running.port, b"GET /livez HTTP/1.1\r\n"))
        for _ in range(STUCK):
            ask_for_long_speech(stack.enter_context(raw_websocket(running.port, "", receive_buffer=4096)))
        clients = [speaker(running, stack, numbers) for numbers in WORDS]
        began = time.monotonic()
        running.send(signal.SIGTERM)
        assert eventually(lambda: readiness.get("/readyz").status_code == HTTPStatus.SERVICE_UNAVAILABLE)
        unready = time.monotonic() - began
        assert refuses_sessions(running)
        for client in clients:
            client.send_audio(silence(0.8, RATE))
        said = [client.wait_for(COMPLETED)["transcript"] for client in clients]
        codes = [read_to_end(client.socket) for client in clients]
        exit_code = running.exit_code()
        ended = time.monotonic() - began
    print(f"drain {number}: not ready after {unready:.3f} s, ended after {ended:.1f} s")
    assert said == [transcript_of(numbers) for numbers in WORDS]
    assert codes == [CloseCode.SERVICE_RESTART] * SPEAKERS
    assert exit_code == 0
    assert ended < DRAIN_SECONDS + 2


class Arrivals(threading.Thread):
    """Clients that connect one after the other, each for one request, or for a session."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._address = f"127.0.0.1:{port}"
        self._enough = threading.Event()
        self.outcomes: list[int | str] = []

    def run(self) -> None:
        while not self._enough.is_set():
            speech = {"model": "tts-1", "input": "Yes.", "response_format": "pcm"}
            try:
                self.outcomes.append(httpx.get(f"http://{self._address}/readyz", timeout=20).status_code)
                self.outcomes.append(
                    httpx.post(f"http://{self._address}/v1/audio/speech", json=speech, timeout=20).status_code
                )
                with connect(f"ws://{self._address}/v1/realtime", compression=None, logger=SILENT) as session:
                    session.recv(timeout=20)
            except (httpx.HTTPError, WebSocketException, OSError) as error:
                self.outcomes.append(repr(error))

    def stop(self) -> None:
        self._enough.set()
        self.join()


def end(process_id: int) -> None:
    """End a process that is no child of this one."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(process_id)
        process.kill()
        process.wait(20)


def test_after_sighup_another_process_takes_over_and_no_connection_is_refused() -> None:
    with service(drain_timeout_seconds=str(3 * DRAIN_SECONDS)) as running, contextlib.ExitStack() as stack:
        clients = [speaker(running, stack, [number]) for number in range(3)]
        arrivals = Arrivals(running.port)
        arrivals.start()
        stack.callback(arrivals.stop)
        running.send(signal.SIGHUP)
        successor = int(running.read_until(r"process (\d+) is about to take over"))
        stack.callback(end, successor)
        running.read_until("(has taken over)")
        clients += [speaker(running, stack, [number]) for number in range(3, 6)]
        for number, client in enumerate(clients):
            client.send_audio(silence(0.8, RATE))
            assert client.wait_for(COMPLETED)["transcript"] == transcript_of([number])
        assert running.exit_code() == 0
        seen = len(arrivals.outcomes)
        assert eventually(lambda: len(arrivals.outcomes) > seen + 3)  # of the other process alone
        arrivals.stop()
        assert set(arrivals.outcomes) == {HTTPStatus.OK}


def test_a_successor_on_the_same_socket_takes_over_without_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        descriptor = listener.fileno()

        def start(*arguments: str, prefix: tuple[str, ...] = ()) -> Service:
            seconds = str(3 * DRAIN_SECONDS)
            return stack.enter_context(
                service(*arguments, pass_fds=(descriptor,), prefix=prefix, drain_timeout_seconds=seconds)
            )

        as_systemd_does = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{descriptor}'
        first = start(prefix=("bash", "-c", as_systemd_does, "bash"))
        clients = [speaker(first, stack, [number]) for number in range(3)]
        second = start("--fd", str(descriptor))
        first.send(signal.SIGTERM)
        first.read_until("(draining)")
        clients += [speaker(second, stack, [number]) for number in range(3, 6)]
        for number, client in enumerate(clients):
            client.send_audio(silence(0.8, RATE))
            assert client.wait_for(COMPLETED)["transcript"] == transcript_of([number])
        assert first.exit_code() == 0
