"""The published `wyoming` package, used as Home Assistant's integration uses it."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from realtime.audio.formats import Encoding, encode
from realtime.speech.pauses import SENTENCE_PAUSE
from tests.conformance.conftest import OTHER_PYTHON, PROGRAMS
from tests.support.realtime_service import realtime_service
from tests.support.recordings import silence
from tests.support.scripted_engines import SECONDS_PER_CHARACTER, say_numbers, transcript_of

NUMBERS = [3, 1, 4, 1, 5]


@pytest.mark.usefixtures("node")
def test_home_assistant_hears_and_speaks(tmp_path: Path) -> None:
    command = tmp_path / "command.pcm"
    samples = np.concatenate([silence(0.4, 16_000), say_numbers(NUMBERS), silence(0.4, 16_000)])
    command.write_bytes(encode(samples, Encoding.PCM16))
    with realtime_service(wyoming_uri="tcp://127.0.0.1:0") as server:
        program = [*map(str, (OTHER_PYTHON, "-I", PROGRAMS / "wyoming_python.py", server.wyoming_port, command))]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    seen = json.loads(done.stdout)
    assert seen["asr"] == seen["tts"] == ["Vivavoce", True, True]
    assert seen["languages"] == 99
    assert seen["transcript"] == transcript_of(NUMBERS)
    for audio in (seen["spoken"], seen["streamed"]):
        assert audio["format"] == [24_000, 2, 1]
        seconds = SECONDS_PER_CHARACTER * len("It is ten o'clock. Good night.") + 2 * SENTENCE_PAUSE
        assert audio["seconds"] == pytest.approx(seconds, abs=0.2)
    assert "Klingon" in seen["refused"]
