"""Two versions are measured by turns, and the earlier one is a work tree that is gone afterwards."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.bench import compare
from tests.bench.compare import Figures, Row, Version
from tests.bench.speech_clips import Speech, SpeechClip

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

CLIP = SpeechClip("hello", np.zeros(2400, np.float32))
SPEECH = Speech("silence", [CLIP], [CLIP], CLIP)


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the first commit of a repository in the working directory, in which `lag` was 3; now it is 2."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # those of a hook that runs the tests
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path("lag").write_text("3")
    subprocess.run(["git", "add", "lag"], check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "--message", "before"], check=True)
    Path("lag").write_text("2")
    return subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_both_versions_are_measured_by_turns(
    commit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turns: list[str] = []

    def measure(version: Version, clips: Sequence[SpeechClip]) -> Figures:
        turns.append(version.name)
        assert [*clips] == SPEECH.clips
        return {"lag, s": float(((version.checkout or Path()) / "lag").read_text())}

    monkeypatch.setattr(compare, "ROWS", {"one": Row(measure), "other": Row(measure, 1)})
    compare.compare(commit, SPEECH, ["one"], "a machine")
    assert turns == ["before", "now", "before", "now"]
    report = json.loads(Path("bench-compare.json").read_text())
    assert report["before"] == commit
    assert report["rows"] == {"one": {"lag, s": {"before": [3.0, 3.0], "now": [2.0, 2.0]}}}
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "lag, s" in line]
    assert "3, 3" in row
    assert "2, 2" in row
    assert "0.67" in row
    assert_no_work_tree()


def assert_no_work_tree() -> None:
    trees = subprocess.run(["git", "worktree", "list"], check=True, capture_output=True, text=True).stdout
    assert len(trees.splitlines()) == 1


@pytest.mark.parametrize("most", [0, 8, 20, 32, 64])
def test_the_largest_number_of_streams_is_found(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_run(model: str, clips: Any, streams: int, plan: Any, checkout: Any) -> Any:
        return SimpleNamespace(streams=streams, held=streams <= most, commit_lag_p95=streams / 10)

    monkeypatch.setattr(compare, "load_run", load_run)
    figures = compare.largest(compare.BASE)(Version("now", None), SPEECH.clips)
    assert figures["streams"] == most
    assert len(figures) <= 8


def test_a_measurement_that_fails_leaves_no_work_tree(commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(version: Version, clips: Sequence[SpeechClip]) -> Figures:
        raise RuntimeError("the service has ended")

    monkeypatch.setattr(compare, "ROWS", {"one": Row(measure)})
    with pytest.raises(RuntimeError):
        compare.compare(commit, SPEECH, [], "a machine")
    assert_no_work_tree()


def test_a_commit_must_be_known(commit: str) -> None:
    assert compare.resolved(commit[:7]) == commit
    with pytest.raises(ValueError, match="no commit 'HEAD~9'"):
        compare.resolved("HEAD~9")
