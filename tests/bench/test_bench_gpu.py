"""The benchmark of GPUs, without one."""

import subprocess
import sys
from math import isnan
from pathlib import Path

import ctranslate2
import pytest

from tests.bench.gpu import next_count, summary, watched
from tests.bench.under_load import capacity

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks need Linux")


def search(largest: int, max_streams: int = 256) -> tuple[list[int], int]:
    """Return the numbers of streams that are tried on a GPU that holds `largest`, and what is found."""
    held: dict[int, bool] = {}
    while (streams := next_count(held, max_streams)) is not None:
        held[streams] = streams <= largest
    return [*held], capacity(held)


def test_streams_are_doubled_and_then_searched_between() -> None:
    assert search(90) == ([1, 2, 4, 8, 16, 32, 64, 128, 96, 80, 88], 88)


@pytest.mark.parametrize("largest", [0, 1, 2, 3, 7, 20, 100, 255, 256, 1000])
def test_the_search_ends_within_an_eighth(largest: int) -> None:
    tried, found = search(largest)
    assert len(tried) < 15
    assert found <= largest
    assert min(largest, 256) - found <= max(1, found // 8)


def test_the_readings_of_a_run_become_means_and_a_maximum() -> None:
    figures = summary(["NVIDIA L4, 40, 1000, 50.0", "NVIDIA L4, 60, 1200, 70.0", "NVI"])
    assert (figures.name, figures.utilization, figures.watts) == ("NVIDIA L4", 0.5, 60.0)
    assert figures.memory_mb == pytest.approx(1258.3, abs=0.1)


def test_what_a_gpu_does_not_tell_is_no_number() -> None:
    assert isnan(summary(["GB10, 12, [N/A], [N/A]"]).watts)
    assert isnan(summary([]).utilization)


def test_nvidia_smi_is_read_until_the_run_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho 'NVIDIA L4, 40, 1000, 50.0'\necho \"$@\" > {started}.new\n"
                       f"mv {started}.new {started}\nexec sleep 600\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with watched(3) as lines:
        subprocess.run(["sh", "-c", f"until test -e {started}; do :; done"], check=True, timeout=20)
    assert lines == ["NVIDIA L4, 40, 1000, 50.0"]
    assert "--id=3" in started.read_text()


@pytest.mark.skipif(ctranslate2.get_cuda_device_count() > 0, reason="has a GPU")
def test_a_machine_without_a_gpu_is_told_where_to_look() -> None:
    program = subprocess.run([sys.executable, "-m", "tests.bench.gpu"], capture_output=True, text=True, check=False)
    assert program.returncode == 1
    assert "0 are usable; `vivavoce doctor` says more" in program.stderr
