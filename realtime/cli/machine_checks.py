"""Checks of `vivavoce doctor`: the operating system, the installed packages, processors and memory."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from realtime import __version__
from realtime.cli.findings import Finding, Findings, Status, pip_install
from realtime.cpus import usable_cpus
from realtime.engines.decoder_layouts import possible_layouts, usual_layout
from realtime.settings import PREFIX, Settings

EXTRAS: Final = ("bundled", "convert", "microphone")
"""Extras of the package that users install; the others are for development."""

LOW_MEMORY_BYTES: Final = 1 << 30
"""Available memory below which to warn. A process with the default models takes 0.45 GB (Linux, resident)."""

CPU_FEATURES: Final = ("avx", "avx2", "avx512f", "avx512_vnni", "amx_int8", "asimd", "asimddp")
"""Vector extensions that matter for decoding, by their names in /proc/cpuinfo."""


def check_platform(_: Settings) -> Findings:
    """Report the Python interpreter and the operating system."""
    python = f"Python {platform.python_version()}"
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if sys.platform in ("linux", "darwin"):
        yield Finding("platform", Status.OK, f"vivavoce {__version__}, {python}, {system}")
    else:
        yield Finding("platform", Status.WARNING, f"{python}, {system}", "Vivavoce is tested on Linux and macOS only.")


def check_packages(_: Settings) -> Findings:
    """Compare the installed packages with the requirements of vivavoce."""
    try:
        requirements = [Requirement(each) for each in importlib.metadata.requires("vivavoce") or ()]
    except importlib.metadata.PackageNotFoundError:
        advice = f"Install it: {pip_install('.')}"
        yield Finding("packages", Status.WARNING, "vivavoce is not installed", advice)
        return
    required = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]
    versions, wrong = _compare(required)
    yield Finding(
        "packages",
        Status.FAILURE if wrong else Status.OK,
        "; ".join(wrong) or f"all {len(required)} required packages",
        f"Install the missing versions: {pip_install('.')}" if wrong else "",
        {"versions": versions},
    )
    for extra in EXTRAS:
        wanted = [each for each in requirements if each not in required and each.marker is not None]
        versions, wrong = _compare([each for each in wanted if each.marker and each.marker.evaluate({"extra": extra})])
        install = pip_install(f".[{extra}]")
        present = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        absent = not present or any("is missing" in each for each in wrong)
        yield Finding(
            f"extra {extra}",
            Status.WARNING if wrong and not absent else Status.OK,
            f"not installed ({install})" if absent else "; ".join(wrong) or present,
            install if wrong and not absent else "",
            {"versions": versions},
        )


def _compare(requirements: Sequence[Requirement]) -> tuple[dict[str, str | None], list[str]]:
    """Return the installed version of each package, and descriptions of the problems."""
    versions: dict[str, str | None] = {}
    wrong = []
    for each in requirements:
        try:
            versions[each.name] = version = importlib.metadata.version(each.name)
        except importlib.metadata.PackageNotFoundError:
            versions[each.name] = None
            wrong.append(f"{each.name} is missing")
            continue
        if not each.specifier.contains(version, prereleases=True):
            wrong.append(f"{each.name} is {version}, but must be {each.specifier}")
    return versions, wrong


def check_processor(settings: Settings) -> Findings:
    """Report CPUs, vector extensions and GPUs, and whether they suit the settings."""
    import ctranslate2

    from realtime.engines.whisper.cpu import VARIABLE, enable_avx512

    enable_avx512()
    gpus = ctranslate2.get_cuda_device_count()
    device = settings.device if settings.device != "auto" else "cuda" if gpus else "cpu"
    on_device = replace(settings, device=device)
    cpus, (workers, threads) = usable_cpus(), usual_layout(on_device, 0)
    measured = ", if the service does not choose others when it starts" if len(possible_layouts(on_device)) > 1 else ""
    features = [each for each in CPU_FEATURES if each in _cpu_features()]
    chosen = os.environ.get(VARIABLE, "the widest that CTranslate2 uses by itself")
    yield Finding(
        "CPU",
        Status.WARNING if workers * threads > cpus else Status.OK,
        f"{cpus} CPUs, for a small model {workers} decoder workers of {threads} threads{measured}; "
        f"{', '.join(features) or 'unknown extensions'}; instruction set: {chosen}",
        f"Set {PREFIX}DECODER_WORKERS or {PREFIX}THREADS_PER_WORKER lower: there are more threads than CPUs."
        if workers * threads > cpus
        else "",
        {"cpus": cpus, "workers": workers, "threads_per_worker": threads, "features": features},
    )
    if device == "cuda" and settings.device_index >= gpus:
        found = f"{PREFIX}DEVICE asks for GPU {settings.device_index}, but {gpus} are usable"
        advice = f"Set {PREFIX}DEVICE=cpu, or install the NVIDIA driver, CUDA 12 and cuDNN 9."
        yield Finding("device", Status.FAILURE, found, advice)
        return
    types = sorted(ctranslate2.get_supported_compute_types(device, settings.device_index if device == "cuda" else 0))
    known = settings.compute_type in (*types, "default", "auto")
    yield Finding(
        "device",
        Status.OK if known else Status.FAILURE,
        f"{device}, {gpus} GPUs, compute type {settings.compute_type} (supported: {', '.join(types)})",
        "" if known else f"Set {PREFIX}COMPUTE_TYPE to one that is supported.",
        {"device": device, "gpus": gpus, "compute_types": types},
    )


def _cpu_features() -> set[str]:
    try:
        return set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:  # not Linux
        return set()


def check_memory(_: Settings) -> Findings:
    """Report the available memory, on systems with /proc/meminfo."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    figures = {name: 1024 * int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    available = figures["MemAvailable"]
    low = available < LOW_MEMORY_BYTES
    yield Finding(
        "memory",
        Status.WARNING if low else Status.OK,
        f"{available / 1e9:.1f} of {figures['MemTotal'] / 1e9:.1f} GB available",
        "Stop other programs, or choose a smaller model, such as --model whisper-tiny." if low else "",
        {"available_bytes": available},
    )
