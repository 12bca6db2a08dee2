"""How many CPUs the service may use."""

import os
from pathlib import Path

import pytest

from realtime.cpus import usable_cpus

HERE = len(os.sched_getaffinity(0))


def groups(folder: Path, own: str, quotas: dict[str, str]) -> int:
    """Return the usable CPUs in the control group `own`, with `cpu.max` of groups as `quotas` says."""
    for group, quota in quotas.items():
        (folder / group).mkdir(parents=True, exist_ok=True)
        (folder / group / "cpu.max").write_text(f"{quota}\n")
    listed = folder / "own"
    listed.write_text(f"0::{own}\n")
    return usable_cpus(folder, listed)


def test_without_a_quota_all_cpus_of_the_affinity_are_usable(tmp_path: Path) -> None:
    assert groups(tmp_path, "/service", {"service": "max 100000"}) == HERE


def test_the_affinity_bounds_the_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7})
    assert groups(tmp_path, "/", {}) == 3


@pytest.mark.parametrize(("quota", "cpus"), [("50000 100000", 1), ("100000 100000", 1), ("250000 100000", 3)])
def test_a_part_of_a_cpu_counts_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str, cpus: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert groups(tmp_path, "/pod/service", {"pod/service": quota}) == cpus


def test_the_least_quota_above_the_process_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    quotas = {"pod": "400000 100000", "pod/service": "max 100000"}
    assert groups(tmp_path, "/pod/service", quotas) == 4


def test_a_container_sees_its_own_quota_at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert groups(tmp_path, "/", {".": "200000 100000"}) == 2


def test_without_control_groups_the_affinity_decides(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path, tmp_path / "absent") == HERE
