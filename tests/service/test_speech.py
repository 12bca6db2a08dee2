"""Speech by the real service through the command, checked by transcribing it again."""

import re
import wave
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

pytestmark = pytest.mark.models

TEXT = "The library opens at nine in the morning. Please bring your card and a quiet friend."


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speech") / "said.wav"


@pytest.fixture(scope="module")
def said(vivavoce: Callable[..., "CompletedProcess[str]"], file: Path) -> "CompletedProcess[str]":
    return vivavoce("say", TEXT, "-o", str(file))


def test_a_text_is_spoken_into_a_file(said: "CompletedProcess[str]", file: Path) -> None:
    assert (said.returncode, said.stdout) == (0, "")
    with wave.open(str(file)) as recording:
        assert recording.getparams()[:3] == (1, 2, 24_000)
        assert 3 < recording.getnframes() / 24_000 < 9


def test_the_time_to_first_audio_is_printed(said: "CompletedProcess[str]") -> None:
    assert re.fullmatch(r"first audio after \d+ ms\n", said.stderr)


def test_what_was_spoken_can_be_understood(
    said: "CompletedProcess[str]",
    file: Path,
    vivavoce: Callable[..., "CompletedProcess[str]"],
    word_errors: Callable[[str, str], float],
) -> None:
    heard = vivavoce("listen", "--fast", str(file))
    assert heard.returncode == 0
    assert word_errors(TEXT, heard.stdout) <= 0.07


def test_an_unknown_server_is_reported_in_one_line(vivavoce: Callable[..., "CompletedProcess[str]"]) -> None:
    done = vivavoce("say", "Hello.", "-o", "/dev/null", "--url", "ws://127.0.0.1:9/v1/realtime")
    assert done.returncode == 3
    assert re.fullmatch(r"vivavoce say: no server answers at [^\n]*\n", done.stderr)
