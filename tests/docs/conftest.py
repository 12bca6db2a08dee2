"""A running service and a directory in which the commands and programs of the documents find what they name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.support.markdown import ROOT
from tests.support.running_service import RunningService, running_service

TALK: Final = "Please bring the minutes of the last meeting."
DOCUMENTED_ADDRESS: Final = "127.0.0.1:8000"
TIMEOUT_SECONDS: Final = 60
COMMANDS: Final = Path(__file__).parent / "commands"
SOUND: Final = ROOT / "tests/support/sound"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The recordings that the documents name, the examples, a `.venv/bin`, and a microphone that hears the talk."""

    directory: Path
    address: str

    def run(self, *command: str, environment: dict[str, str] | None = None) -> str:
        """Run a command here and return what it printed; it must succeed.

        The address that the documents name is replaced by that of the service under test.
        """
        done = subprocess.run(
            [part.replace(DOCUMENTED_ADDRESS, self.address) for part in command],
            cwd=self.directory,
            env=self._environment() | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIVAVOCE_", "OPENAI_"))}
        return kept | {
            "PATH": f"{COMMANDS}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{SOUND}",
            "PYTHON": sys.executable,
            "REPOSITORY": str(ROOT),
            "SERVICE": self.address,
            "TALK": str(self.directory / "talk.pcm"),
            "VIVAVOCE_CACHE_DIR": str(self.directory / "cache"),
            "VIVAVOCE_OFFLINE": "true",
        }


@pytest.fixture(scope="session")
def service() -> Iterator[RunningService]:
    """Start the service with real models, once."""
    with running_service(log_level="warning", offline="true") as service:
        yield service


@pytest.fixture(scope="session")
def workspace(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    directory = tmp_path_factory.mktemp("workspace")
    (directory / ".venv").mkdir()
    (directory / ".venv/bin").symlink_to(COMMANDS)
    with httpx.Client(base_url=f"http://{service.address}") as client:
        for name in ("talk.mp3", "talk.wav", "talk.pcm", "lecture.flac"):
            request = {"model": "tts-1", "input": TALK, "response_format": name.partition(".")[2]}
            answer = client.post("/v1/audio/speech", json=request).raise_for_status()
            (directory / name).write_bytes(answer.content)
    shutil.copy(directory / "talk.wav", directory / "call.wav")
    shutil.copytree(ROOT / "clients/examples", directory / "clients/examples")
    shutil.copytree(ROOT / "clients/browser", directory / "clients/browser")
    (directory / "traces").mkdir()
    shutil.copy(ROOT / "tests/data/trace.jsonl", directory / "traces/sess_e73de064333f45f6be5ed.jsonl")
    for copy in (directory / "clients/examples").iterdir():
        copy.write_text(copy.read_text().replace(DOCUMENTED_ADDRESS, service.address))
    return Workspace(directory, service.address)


@pytest.fixture(scope="session")
def plain_words() -> Callable[[str], list[str]]:
    """Return a function that splits a text into words without case and punctuation."""

    def words(text: str) -> list[str]:
        return "".join(each for each in text.lower() if each.isalnum() or each.isspace()).split()

    return words
