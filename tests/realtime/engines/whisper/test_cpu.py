"""AVX-512 in CTranslate2: on which CPUs it is enabled, and that CTranslate2 then uses it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.engines.whisper.cpu import AVX512, VARIABLE, enable_avx512, has_vnni

CPUINFO = Path("/proc/cpuinfo")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")  # so that it is put back afterwards
    monkeypatch.delenv(VARIABLE)


def processor(tmp_path: Path, *features: str) -> Path:
    described = tmp_path / "cpuinfo"
    described.write_text("processor\t: 0\nflags\t\t: fpu sse2 avx2 " + " ".join(features) + "\nbugs\t\t: spectre\n")
    return described


def test_avx512_is_enabled_if_the_cpu_has_it(tmp_path: Path) -> None:
    enable_avx512(processor(tmp_path, *AVX512))
    assert os.environ[VARIABLE] == "AVX512"


@pytest.mark.parametrize("lacking", sorted(AVX512))
def test_avx512_is_not_enabled_if_one_feature_is_missing(tmp_path: Path, lacking: str) -> None:
    enable_avx512(processor(tmp_path, *AVX512 - {lacking}))
    assert VARIABLE not in os.environ


def test_avx512_is_not_enabled_if_the_cpu_is_unknown(tmp_path: Path) -> None:
    enable_avx512(tmp_path / "nowhere")
    assert VARIABLE not in os.environ


@pytest.mark.parametrize(("features", "has"), [(["avx512_vnni"], True), (["avx_vnni"], True), (["avx512f"], False)])
def test_vnni_is_found_on_avx512_and_avx2(tmp_path: Path, features: list[str], *, has: bool) -> None:
    assert has_vnni(processor(tmp_path, *features)) is has


def test_an_unknown_cpu_has_no_vnni(tmp_path: Path) -> None:
    assert not has_vnni(tmp_path / "nowhere")


def test_an_instruction_set_chosen_by_the_operator_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "AVX2")
    enable_avx512(processor(tmp_path, *AVX512))
    assert os.environ[VARIABLE] == "AVX2"


@pytest.mark.skipif(
    not CPUINFO.exists() or not AVX512.issubset(CPUINFO.read_text().split()), reason="this processor has no AVX-512"
)
def test_ctranslate2_uses_avx512(tmp_path: Path) -> None:
    script = (
        "from realtime.engines.whisper.cpu import enable_avx512\n"
        "import ctranslate2\n"
        "enable_avx512()\n"
        f"ctranslate2.models.Whisper({str(tmp_path)!r})\n"
    )
    environment = {**os.environ, "CT2_VERBOSE": "1"}
    outcome = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Selected ISA: AVX512" in outcome.stderr
