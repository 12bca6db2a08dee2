"""Recognizers in processes: crashes, hangs, poisoned audio, restarts and the end."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest

from realtime.engines.base import EngineProgram
from realtime.engines.base import Recognizer as RecognizerProtocol
from realtime.errors import EngineError, Overloaded, VoiceError
from realtime.speech.recognition import TranscriptionRequest
from realtime.workers.cpu_times import CpuTimes, cpu_times
from realtime.workers.process_recognizer import MAX_LOST, ProcessRecognizer
from realtime.workers.worker_process import ProcessStalled
from tests.support.realtime_service import eventually
from tests.support.recognizer_process import (
    ALWAYS_HANGING,
    DEADLY,
    HANGING,
    REFUSED,
    ROOT,
    Recognizer,
    children,
    program,
)
from tests.support.recognizing import transcribe, transcribe_all
from tests.support.scripted_engines import ScriptedEngines, say_numbers


def request(*numbers: int) -> TranscriptionRequest:
    return TranscriptionRequest(say_numbers(numbers))


def ignore(_: str) -> None:
    pass


@contextlib.contextmanager
def started(engine: EngineProgram) -> Iterator[ProcessRecognizer]:
    before = children()
    recognizer = ProcessRecognizer(engine, ignore)
    try:
        yield recognizer
    finally:
        recognizer.close()
    assert children() == before


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recognizer")


@pytest.fixture(scope="module")
def recognizer(directory: Path) -> Iterator[ProcessRecognizer]:
    """A recognizer with one process, for tests that leave it working."""
    with started(program(directory)) as shared:
        yield shared


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_process_writes_what_a_thread_writes(recognizer: ProcessRecognizer, directory: Path) -> None:
    requests = [request(1, 2, 3), request(4), TranscriptionRequest(say_numbers([5]), language="de")]
    in_thread: RecognizerProtocol[Any] = Recognizer(ScriptedEngines(), directory / "hung")
    assert transcribe_all(recognizer, requests) == [transcribe(in_thread, each) for each in requests]
    assert recognizer.capabilities == in_thread.capabilities
    assert recognizer.partial_seconds == in_thread.partial_seconds


def test_what_was_encoded_in_a_process_that_has_ended_is_decoded_in_the_next(recognizer: ProcessRecognizer) -> None:
    state, restarts = recognizer.encode(request(3)), recognizer.processes.restarts
    (child,) = children()
    child.kill()
    assert recognizer.decode([state]) == [transcribe(recognizer, request(3))]
    assert recognizer.processes.restarts == restarts + 1


def test_a_process_that_is_killed_with_a_request_is_replaced_and_the_request_answered(
    recognizer: ProcessRecognizer, directory: Path
) -> None:
    hung = directory / "hung"
    hung.unlink(missing_ok=True)
    with ThreadPoolExecutor(1) as thread:
        transcript = thread.submit(transcribe, recognizer, request(1, HANGING, 2))
        assert eventually(hung.exists)
        children()[0].kill()
        assert transcript.result().text == f" word1 word{HANGING} word2"


def test_a_process_that_takes_longer_than_its_audio_explains_is_killed(tmp_path: Path) -> None:
    hung = pytest.raises(EngineError, match=r"ended 2 processes.* has not answered within")
    with started(program(tmp_path, stall_timeout=0.3)) as hasty, hung:
        transcribe(hasty, request(ALWAYS_HANGING))


@pytest.mark.parametrize(
    ("spent", "error"),
    [
        pytest.param(CpuTimes(running=0.1, waiting=30.0), Overloaded, id="starved"),
        pytest.param(CpuTimes(running=50.0, waiting=30.0), EngineError, id="in an endless loop on a busy machine"),
        pytest.param(CpuTimes(running=0.1, waiting=0.1), EngineError, id="blocked"),
    ],
)
def test_audio_is_at_fault_for_a_process_that_does_not_answer_unless_that_got_no_cpu(
    recognizer: ProcessRecognizer, monkeypatch: pytest.MonkeyPatch, spent: CpuTimes, error: type[VoiceError]
) -> None:
    def stall(*_: object) -> NoReturn:
        raise ProcessStalled("It has not answered.", spent)

    heard = request(51, int(spent.running), int(spent.waiting))
    with monkeypatch.context() as stalling:
        stalling.setattr(recognizer, "partial_seconds", 0.3)
        stalling.setattr(recognizer.processes, "call", stall)
        with pytest.raises(error):
            transcribe(recognizer, heard)
    if error is Overloaded:
        assert transcribe(recognizer, heard).text == " word51 word0 word30"
    else:
        with pytest.raises(EngineError, match="failed on this audio before"):
            transcribe(recognizer, heard)


def test_the_times_of_a_process_are_those_of_all_its_threads() -> None:
    def work() -> None:
        while time.thread_time() < 0.05:
            pass

    before = cpu_times(os.getpid())
    with ThreadPoolExecutor(1) as thread:  # which stays until the end of the block, and so do its times
        thread.submit(work).result()
        spent = cpu_times(os.getpid()) - before
    if not spent.running:
        pytest.skip("This kernel does not count them.")
    assert spent.running > 0.02
    assert spent.waiting >= 0


def test_audio_that_ends_two_processes_fails_and_ends_no_third(recognizer: ProcessRecognizer) -> None:
    before = recognizer.processes.restarts
    with pytest.raises(EngineError, match=r"ended 2 processes.* was ended by SIGSEGV"):
        transcribe(recognizer, request(DEADLY))
    for again in (request(DEADLY), request(DEADLY, 1)):
        with pytest.raises(EngineError, match="failed on this audio before"):
            transcribe(recognizer, again)
    assert transcribe(recognizer, request(1)).text == " word1"
    assert recognizer.processes.restarts == before + MAX_LOST


def test_a_batch_that_ends_a_process_fails_so_that_its_requests_are_tried_alone(
    recognizer: ProcessRecognizer,
) -> None:
    good, deadly = recognizer.encode(request(7)), recognizer.encode(request(8, DEADLY))
    with pytest.raises(EngineError, match="SIGSEGV"):
        recognizer.decode([good, deadly])
    assert recognizer.decode([good]) == [transcribe(recognizer, request(7))]
    with pytest.raises(EngineError, match="ended 2 processes"):
        recognizer.decode([deadly])


def test_an_error_of_the_engine_is_raised_and_what_it_logs_is_in_the_log(
    recognizer: ProcessRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    assert eventually(lambda: len(children()) == 1)  # another test may have ended the process just now
    before = children()
    with caplog.at_level(logging.WARNING), pytest.raises(EngineError, match="cannot hear this"):
        transcribe(recognizer, request(REFUSED))
    logged = [each.getMessage() for each in caplog.records if each.name == "realtime.scripted"]
    assert logged == ["1 requests refused"]
    assert children() == before


def test_a_process_has_no_socket_of_the_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        with started(program(tmp_path)):
            opened = [str(each.readlink()) for each in Path(f"/proc/{children()[-1].pid}/fd").iterdir()]
    assert len([each for each in opened if each.startswith("socket:")]) == 1


def test_a_restart_leaves_no_descriptor_and_no_thread(recognizer: ProcessRecognizer) -> None:
    assert transcribe(recognizer, request(1)).text == " word1"
    before = descriptors(), threading.active_count(), len(children())
    children()[0].kill()
    assert transcribe(recognizer, request(1)).text == " word1"
    assert eventually(lambda: (descriptors(), threading.active_count(), len(children())) == before)


def test_a_recognizer_that_cannot_be_loaded_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "damaged").touch()
    before = descriptors(), threading.active_count(), children()
    with pytest.raises(EngineError, match="damaged"):
        ProcessRecognizer(program(tmp_path), ignore)
    assert eventually(lambda: (descriptors(), threading.active_count(), children()) == before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the traceback goes to the log
def test_a_bug_while_the_first_process_starts_ends_the_load(tmp_path: Path) -> None:
    def fail(stage: str) -> NoReturn:
        raise RuntimeError(stage)

    before = children()
    with pytest.raises(EngineError, match="because of a bug"):
        ProcessRecognizer(program(tmp_path), fail)
    assert children() == before


def test_calls_that_wait_for_a_process_end_with_the_recognizer(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as thread, started(program(tmp_path)) as recognizer:
        (tmp_path / "damaged").touch()
        children()[-1].kill()
        waiting = thread.submit(transcribe, recognizer, request(1))
        assert eventually(lambda: not recognizer.processes.running)
        recognizer.close()
        with pytest.raises(Overloaded, match="unloaded"):
            waiting.result()


SERVICE = """
import sys
from pathlib import Path
from typing import Any
from realtime.speech.recognition import TranscriptionRequest
from realtime.workers.process_recognizer import ProcessRecognizer
from tests.support.recognizer_process import HANGING, program
from tests.support.recognizing import transcribe
from tests.support.scripted_engines import say_numbers

recognizer = ProcessRecognizer(program(Path(sys.argv[1])), lambda _: None)
transcribe(recognizer, TranscriptionRequest(say_numbers([HANGING])))
"""


def test_a_process_ends_with_a_service_that_is_killed_even_while_native_code_hangs(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", SERVICE, str(tmp_path)), cwd=ROOT) as service:
        try:
            assert eventually((tmp_path / "hung").exists)
            (child,) = children(service.pid)
        finally:
            service.kill()
    assert eventually(lambda: ended(child))


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_signal_that_ends_the_service_does_not_end_its_processes(recognizer: ProcessRecognizer) -> None:
    (child,) = children()
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(child.pid, number)
    assert transcribe(recognizer, request(1)).text == " word1"
    assert children() == [child]
