"""The messages that the page on troubleshooting explains are those that users see."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

PAGE = ROOT / "docs/troubleshooting.md"


def complaint(*arguments: str, **settings: str) -> str:
    """Return what `vivavoce serve` says before it gives up."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIVAVOCE_")}
    done = subprocess.run(
        [sys.executable, "-m", "realtime.cli.main", "serve", *arguments],
        env=environment | settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in {1, 2}
    return done.stderr


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def explained(message: str) -> bool:
    return f"### `{message}" in PAGE.read_text(encoding="utf-8")


def test_a_port_that_is_taken(taken_port: str) -> None:
    complained = complaint("--port", taken_port).replace(taken_port, "8000")
    assert "cannot listen on 127.0.0.1, port 8000: Address already in use" in complained
    assert explained("cannot listen on 127.0.0.1, port 8000: Address already in use")


def test_an_unknown_setting() -> None:
    assert "unknown settings: VIVAVOCE_COLOUR" in complaint(VIVAVOCE_COLOUR="red")
    assert explained("unknown settings: VIVAVOCE_")


def test_an_address_without_keys() -> None:
    message = "refusing to listen on 0.0.0.0 without API keys"
    assert message in complaint("--host", "0.0.0.0")
    assert explained(message)


@pytest.mark.models
def test_a_default_model_without_weights(tmp_path: Path) -> None:
    nowhere = {"VIVAVOCE_OFFLINE": "true", "HF_HOME": str(tmp_path), "VIVAVOCE_CACHE_DIR": str(tmp_path)}
    assert "No weights found for whisper-small." in complaint("--port", "0", "--model", "whisper-small", **nowhere)
    assert explained("No weights found for ")
