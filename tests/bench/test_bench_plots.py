from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench.under_load import lag_over_time

TINY = "whisper-tiny.en"
SVG = "{http://www.w3.org/2000/svg}"


def run(model: str, streams: int) -> dict[str, Any]:
    over_time = [[5.0, 1.2, 1.8], [10.0, 1.3, 2.1]]
    return {
        "model": model, "streams": streams, "commit_lag_p50": 1.2, "commit_lag_p95": 2.1, "lag_over_time": over_time,
        "cpu_seconds_per_audio_second": 0.3,
        "engine_seconds_per_audio_second": {"decode partial": 0.15, "encode partial": 0.05},
    }  # fmt: skip


def words_in(file: Path) -> str:
    return " ".join(each.text or "" for each in ElementTree.parse(file).iter(f"{SVG}text"))


def test_runs_become_small_plots_without_scripts(tmp_path: Path) -> None:
    pytest.importorskip("pygal")
    from tests.bench.plots import draw

    report = {
        "load": [run("whisper-base", 1), run("whisper-tiny.en", 4)],
        "capacity": [{"runs": [run("whisper-base", 24)]}],
    }
    files = {file.stem: file for file in draw(report, tmp_path / "plots")}
    assert files.keys() == {
        "lag-against-streams",
        *(f"{plot}-{model}" for plot in ("lag-over-time", "cost-per-stage") for model in ("whisper-base", TINY)),
    }
    assert "whisper-tiny.en, p95" in words_in(files["lag-against-streams"])
    assert "24 streams" in words_in(files["lag-over-time-whisper-base"])
    assert "decode partial encode partial everything else" in words_in(files["cost-per-stage-whisper-base"])
    for file in files.values():
        assert file.stat().st_size < 40_000
        assert list(ElementTree.parse(file).iter(f"{SVG}script")) == []


def test_without_runs_nothing_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("pygal")
    from tests.bench.plots import draw

    assert draw({"results": []}, tmp_path) == []


def test_lag_over_time_is_that_of_the_words_that_end_in_each_stretch() -> None:
    commits = [(1.0, 1.0), (2.0, 2.0), (12.0, 0.5)]
    assert list(lag_over_time([*commits, *commits])) == [(5.0, 1.0, 2.0), (15.0, 0.5, 0.5)]
