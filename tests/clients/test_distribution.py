"""The distribution `vivavoce-client`: what clients/pyproject.toml builds, installed alone."""

import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from tests.support.markdown import ROOT, blocks
from tests.support.realtime_service import RATE, realtime_service, utterance
from tests.support.recordings import wav_file

EXAMPLE = next(block.code for block in blocks("python") if block.path.name == "python.md" and "blocking" in block.code)
HEAVY = ("realtime", "http_compat", "numpy", "av", "torch", "ctranslate2", "rich")


OUT_OF_REACH = ("onnect", "No matching distribution", "timed out", "Temporary failure")
"""What pip says where it does not reach a registry."""


def pip(*arguments: str) -> None:
    """Run pip; skip the test where the registry cannot be reached."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries=0", "--timeout=10", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("pip does not get an answer from the registry")
    if done.returncode and any(each in done.stdout + done.stderr for each in OUT_OF_REACH):
        pytest.skip("pip reaches no registry")
    assert done.returncode == 0, done.stderr


def test_it_has_the_version_of_the_service() -> None:
    documents = [tomllib.loads(path.read_text()) for path in (ROOT / "pyproject.toml", ROOT / "clients/pyproject.toml")]
    assert documents[0]["project"]["version"] == documents[1]["project"]["version"]


def test_it_is_installed_alone_and_runs_the_first_example(tmp_path: Path) -> None:
    venv.create(tmp_path / "alone", with_pip=False)
    python = str(tmp_path / "alone/bin/python")
    pip("wheel", "--no-deps", "-w", str(tmp_path), str(ROOT / "clients"))
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 100_000
    pip("--python", python, "install", str(wheel))
    (tmp_path / "talk.mp3").write_bytes(wav_file(utterance([1, 2]), RATE))
    imported = f"import sys\n{EXAMPLE}\nprint([name for name in {HEAVY} if name in sys.modules])"
    with realtime_service() as service:
        program = imported.replace("127.0.0.1:8000", f"127.0.0.1:{service.port}")
        done = subprocess.run(
            [python, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stdout) == (0, "word1 word2\n[]\n"), done.stderr
