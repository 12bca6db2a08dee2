"""The clock of the machine is set while clients speak: nothing that they are told changes."""

import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from tests.support.realtime_service import RATE, SILENT, Message, ProtocolClient, eventually, realtime_service
from tests.support.recordings import silence
from tests.support.scripted_engines import say_numbers
from tests.support.scripted_process import service

COMPLETED = "conversation.item.input_audio_transcription.completed"
HOUR, DAY = 3600, 86_400
TOLERANCE = 60

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


class Clock:
    """The clock that a process reads, which can be set while it runs."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)
        self.prefix = (
            "env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={file}", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
        )  # fmt: skip

    def set(self, seconds: int) -> None:
        """Set the clock to so many seconds after the time of the machine."""
        self._file.write_text(f"{seconds:+d}\n")


def words_and_times(messages: list[Message]) -> list[Message]:
    told = ("audio_start_ms", "audio_end_ms", "transcript")
    return [{name: each[name]} for each in messages for name in told if name in each]


def listen(port: int, jumps: list[int], clock: Clock) -> list[Message]:
    """Speak a turn for each of the jumps, and set the clock in its middle; return what the client is told."""
    told = []
    with connect(f"ws://127.0.0.1:{port}/v1/realtime?intent=transcription", compression=None, logger=SILENT) as socket:
        client = ProtocolClient(socket)
        client.wait_for("session.created")
        for number, jump in enumerate(jumps):
            client.send_audio(np.concatenate([silence(0.4, RATE), say_numbers([3 * number, 3 * number + 1], RATE)]))
            told += client.until("input_audio_buffer.speech_started")
            clock.set(jump)
            client.send_audio(np.concatenate([say_numbers([3 * number + 2], RATE), silence(0.8, RATE)]))
            told += client.until(COMPLETED)
    return words_and_times(told)


def date_of(http: httpx.Client) -> float:
    """Return the time of the service."""
    return parsedate_to_datetime(http.get("/livez").headers["date"]).timestamp()


@pytest.mark.skipif(FAKETIME is None, reason="needs faketime")
def test_words_times_and_expiries_do_not_change_when_the_clock_is_set(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    jumps = [HOUR, -DAY]  # a few, because faketime reads its file at each look and so makes a turn take a second
    with realtime_service() as undisturbed:
        before = listen(undisturbed.port, jumps, clock)
    clock.set(0)
    with service(prefix=clock.prefix) as running, httpx.Client(base_url=f"http://127.0.0.1:{running.port}") as http:

        def secret() -> Message:
            answer = http.post("/v1/realtime/client_secrets", json={"session": {"type": "transcription"}})
            return dict(answer.json())

        early = secret()
        assert listen(running.port, jumps, clock) == before
        clock.set(DAY)
        # uvicorn reads the date once a second
        assert eventually(lambda: abs(date_of(http) - time.time() - DAY) < TOLERANCE)
        assert abs(secret()["expires_at"] - early["expires_at"]) < TOLERANCE
        headers = {"authorization": f"Bearer {early['value']}"}
        with connect(f"ws://127.0.0.1:{running.port}/v1/realtime", additional_headers=headers, logger=SILENT) as socket:
            socket.recv(timeout=20)
