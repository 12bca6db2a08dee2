"""Costs and reach of hostile files, each decoded by a service of its own whose child processes are measured."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.recordings import compressed_file, film, timed_file, tone, wav_file, write_silence

PROJECT = Path(__file__).parents[3]
MEMORY = 300e6
SECONDS = 15.0
FOUR_HOURS = 4 * 3600
TIMEOUT = 300.0
"""Seconds for what hangs: a busy machine takes long for five hours of silence."""

MEASURED = """
import asyncio, json, resource, sys
from realtime.media.decoder_pool import DecoderPool
from realtime.errors import VoiceError

decoders = DecoderPool(max_files=1)

async def decode(path):
    with open(path, "rb") as file:
        async with decoders.decoding(file, float(sys.argv[2])) as blocks:
            return sum([len(block) async for block in blocks]) / 16000

try:
    outcome = asyncio.run(decode(sys.argv[1]))
except VoiceError as error:
    outcome = [error.code, error.message]
decoders.close()  # which adds what its processes have spent to those of this one
spent, own = (resource.getrusage(each) for each in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
memory = spent.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
seconds = [each.ru_utime + each.ru_stime for each in (spent, own)]
print(json.dumps({"outcome": outcome, "memory": memory, "processor": seconds[0], "service": seconds[1]}))
"""


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=TIMEOUT, check=False)


def outcome(path: Path, memory: float = MEMORY, processor: float = SECONDS) -> Any:
    """Return the seconds decoded, or the code and message of the error; check the limits of memory and CPU seconds.

    Those do not depend on what else runs on the machine. A decoder that only waits ends this test after `TIMEOUT`.
    """
    done = run(MEASURED, str(path), str(FOUR_HOURS))
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert result["memory"] < memory
    assert result["processor"] < processor
    assert result["service"] < SECONDS
    return result["outcome"]


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload.wav"


@pytest.fixture(scope="module")
def five_hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("silence") / "silence.flac"
    write_silence(path, hours=5, rate=4_000)
    return path


def of_unknown_length(path: Path) -> bytes:
    """Return the FLAC file without its declared number of samples (RFC 9639, section 8.2)."""
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return bytes(data)


def test_five_hours_of_silence_are_refused(five_hours: Path) -> None:
    assert five_hours.stat().st_size < 10e6
    assert outcome(five_hours) == ["audio_too_long", "The audio is longer than 14400 seconds."]


def test_five_hours_of_silence_without_a_declared_length_are_refused(five_hours: Path, upload: Path) -> None:
    upload.write_bytes(of_unknown_length(five_hours))
    assert outcome(upload) == ["audio_too_long", "The audio is longer than 14400 seconds."]


def test_the_memory_of_a_decoder_does_not_grow_with_the_file(upload: Path) -> None:
    write_silence(upload, hours=1, rate=16_000)
    assert outcome(upload, memory=100e6) == 3600  # its samples alone would take 115 MB


@pytest.mark.parametrize("rate", [1, 2_000_000_000])
def test_an_absurd_rate_is_refused(upload: Path, rate: int) -> None:
    upload.write_bytes(wav_file(tone(60.0), rate))
    assert outcome(upload) == ["unsupported_audio", f"A sample rate of {rate} Hz is not supported."]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "invalid_file_format"),
        (film(), "no_audio_stream"),
        (wav_file(tone(0.1), channels=9), "unsupported_audio"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\x7f" + bytes(1000), "invalid_file_format"),
    ],
    ids=["picture", "film without sound", "nine channels", "enormous header"],
)
def test_a_file_that_is_not_audio_is_refused_within_bounds(upload: Path, data: bytes, expected: str) -> None:
    upload.write_bytes(data)
    code, _ = outcome(upload)
    assert code == expected


def test_a_truncated_file_yields_what_there_is(upload: Path) -> None:
    whole = compressed_file(tone(10.0, 440, 44_100), "mp3", "libmp3lame", 44_100)
    upload.write_bytes(whole[: len(whole) // 2])
    assert outcome(upload) == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize("hours", [3.9, 365 * 24], ids=["hours", "a year"])
def test_a_forged_gap_costs_nothing(upload: Path, hours: float) -> None:
    upload.write_bytes(timed_file(tone(2.0), "matroska", "flac", [0.0, 3600 * hours]))
    seconds = outcome(upload, memory=100e6, processor=5)
    assert seconds == pytest.approx(3600 * hours + 2 if hours < 4 else 2, abs=0.2)


def test_gaps_count_as_audio(upload: Path) -> None:
    upload.write_bytes(timed_file(tone(9.0), "matroska", "flac", [3600.0 * number for number in range(6)]))
    assert outcome(upload) == ["audio_too_long", "The audio is longer than 14400 seconds."]


LURES = {
    "session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXTINF:10,\n{file}\n#EXT-X-ENDLIST\n",
    "concatenation": "ffconcat version 1.0\nfile {name}\nfile {path}\n",
    "manifest": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet mimeType="audio/wav"><Representation id="0"><BaseURL>{url}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
    "redirection": "RTSPtext\nrtsp://127.0.0.1:{port}/secret.wav\n",
}


@pytest.mark.parametrize("lure", LURES.values(), ids=LURES.keys())
def test_a_file_that_refers_to_others_reaches_none_of_them(upload: Path, lure: str) -> None:
    secret = upload.with_name("secret.wav")
    secret.write_bytes(wav_file(tone(1.0)))
    os.utime(secret, (0, 1))  # a first look would set the time of the last
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}/secret.wav"
        upload.write_text(lure.format(port=port, url=url, path=secret, name=secret.name, file=secret.as_uri()))
        assert outcome(upload)[0] == "invalid_file_format"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert secret.stat().st_atime == 0


CONFINED = "import os, socket; from realtime.media.decoder_process import confine; confine(1)\n"


@pytest.mark.parametrize("attempt", ["open('/etc/passwd')", "socket.socket()", "os.pipe()"])
def test_a_confined_process_can_open_nothing(attempt: str) -> None:
    assert "Too many open files" in run(CONFINED + attempt).stderr


def test_a_confined_process_cannot_run_on() -> None:
    assert run(CONFINED + "while True: pass").returncode in {-signal.SIGXCPU, -signal.SIGKILL}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the bound")
def test_a_confined_process_cannot_take_much_memory() -> None:
    assert "MemoryError" in run(CONFINED + "bytearray(300_000_000)").stderr


def test_a_confined_process_cannot_write_to_the_upload(upload: Path) -> None:
    upload.write_bytes(b"RIFF")
    program = (
        "import os, sys; from realtime.media.decoder_process import confine; file = os.open(sys.argv[1], os.O_RDWR)\n"
    )
    assert "File too large" in run(program + "confine(1); os.write(file, b'more')", str(upload)).stderr
    assert upload.read_bytes() == b"RIFF"
