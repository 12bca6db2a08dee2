"""What a service manager is told, over a real socket, and what it passes to the service."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
import pytest

from realtime.edge.service_manager import ServiceManager, passed_sockets
from realtime.edge.successor import Successor
from tests.support.realtime_service import TIMEOUT, RealtimeService, eventually, realtime_service, utterance
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines, Work
from tests.support.scripted_process import service

BEAT_SECONDS = 0.02
WATCHDOG = str(int(3e6 * BEAT_SECONDS))


class Held(ScriptedEngines):
    """Engines whose decoding stands still, once it is `reached`, until `gate` is open."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.gate = threading.Event()

    def work(self, work: Work, audio_seconds: float) -> None:
        if work is Work.DECODING:
            self.reached.set()
            assert self.gate.wait(TIMEOUT)


class Listener:
    """The end of a service manager."""

    def __init__(self, connection: socket.socket, address: str) -> None:
        self._connection = connection
        self.manager = ServiceManager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": WATCHDOG})

    def receive(self, timeout: float = TIMEOUT) -> str:
        self._connection.settimeout(timeout)
        return self._connection.recv(1000).decode()

    def wait_for(self, state: str) -> None:
        while state not in self.receive().splitlines():
            pass

    def forget(self) -> None:
        """Drop what has been received."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.receive(timeout=0)


@contextlib.contextmanager
def listening(address: str) -> Iterator[Listener]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.bind("\0" + address[1:] if address.startswith("@") else address)
        yield Listener(connection, address)


def is_alive(server: RealtimeService) -> bool:
    return httpx.get(f"http://127.0.0.1:{server.port}/livez", timeout=TIMEOUT).status_code == HTTPStatus.OK


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_is_ready_when_its_models_are_loaded_then_alive_and_at_last_ending(
    abstract: bool, tmp_path: Path
) -> None:
    address = f"@vivavoce-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with listening(address) as listener, realtime_service(manager=listener.manager) as server:
        listener.wait_for("READY=1")
        listener.wait_for("WATCHDOG=1")
        server.signal()
        listener.wait_for("STOPPING=1")


def test_a_service_whose_engine_does_not_return_is_not_alive_until_it_does(tmp_path: Path) -> None:
    engines = Held()
    with (
        listening(str(tmp_path / "notify")) as listener,
        realtime_service(engines, manager=listener.manager, engine_stall_timeout_seconds=0.1) as server,
        server.session("intent=transcription") as client,
    ):
        client.send_audio(utterance([1, 2]))
        assert engines.reached.wait(TIMEOUT)  # on a busy machine the detector takes as long for a moment
        assert eventually(lambda: not is_alive(server))
        listener.forget()
        with pytest.raises(TimeoutError):
            listener.receive(timeout=10 * BEAT_SECONDS)
        engines.gate.set()
        assert eventually(lambda: is_alive(server))
        listener.wait_for("WATCHDOG=1")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "30000000"}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(environ: dict[str, str], seconds: float | None) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "/nowhere", **environ}).heartbeat_seconds == seconds


def test_a_manager_that_is_gone_does_not_matter() -> None:
    ServiceManager({"NOTIFY_SOCKET": "/nowhere/notify"}).ready()


def test_a_line_goes_to_the_descriptor_of_who_waits_for_the_service() -> None:
    waiting, ready = os.pipe()
    with os.fdopen(waiting, "rb") as end:
        manager = ServiceManager({}, ready)
        manager.ready()
        manager.ready()
        assert end.read() == b"\n"


def test_sockets_passed_to_another_process_are_none() -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "vivavoce.socket:wyoming"}
    assert passed_sockets(environ) == [("vivavoce.socket", 3), ("wyoming", 4)]
    assert passed_sockets(environ | {"LISTEN_PID": "1"}) == []


def test_a_service_goes_on_if_the_next_process_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "raise SystemExit(3)"])
    with listening(str(tmp_path / "notify")) as listener, realtime_service(manager=listener.manager) as server:
        listener.wait_for("READY=1")
        server.hand_over()
        listener.wait_for("RELOADING=1")
        listener.wait_for("READY=1")
        with server.session():
            pass
    assert "did not start" in caplog.text


NEXT_PROCESS = """
import os, pathlib, signal, sys
started, go_on, ready = (pathlib.Path(sys.argv[1], name) for name in ("started", "go_on", "ready"))
os.mkfifo(go_on)
started.write_text(str(os.getpid()))
go_on.read_bytes()
os.write(int(sys.argv[-1]), b"\\n")
ready.touch()
signal.pause()
"""


@pytest.mark.parametrize("ready", [False, True], ids=["before", "in the moment in which"])
def test_a_service_that_is_stopped_before_the_next_process_has_taken_over_stops_that_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: bool
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", NEXT_PROCESS, str(tmp_path)])

    async def stop() -> None:
        if ready:  # in this turn of the event loop
            (tmp_path / "go_on").write_bytes(b"")
            assert eventually((tmp_path / "ready").exists)
        server.signal()

    with realtime_service() as server:
        server.hand_over()
        assert eventually((tmp_path / "started").exists)
        assert eventually(lambda: bool((tmp_path / "started").read_text()))
        process = psutil.Process(int((tmp_path / "started").read_text()))
        server.call(stop())
    assert eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def test_a_process_that_is_to_take_over_ends_at_once_although_it_still_loads_its_models(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "ready").open("wb") as ready:
        descriptors = (listener.fileno(), ready.fileno())
        arguments = ("--fd", str(descriptors[0]), "--ready-fd", str(descriptors[1]))
        with service(*arguments, engines="Held", until="Started server process", pass_fds=descriptors) as running:
            assert running.stop(signal.SIGTERM) == 0
    assert (tmp_path / "ready").read_bytes() == b""


ARGUMENTS = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))"


def test_each_process_is_given_the_sockets_anew_and_not_those_of_all_processes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--fd", "90", "--ready-fd", "91"]
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", ARGUMENTS, str(tmp_path / "seen"), "serve", *given, *given])

    async def scenario() -> None:
        assert not await Successor({"--fd": listener.fileno()}).ready()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        run(scenario())
        serve, *seen = (tmp_path / "seen").read_text().split()
        assert (serve, seen[:3], len(seen)) == ("serve", ["--fd", str(listener.fileno()), "--ready-fd"], len(given))
