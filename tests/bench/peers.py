"""`make bench-peers`: one stream through other servers and through ours, with the same weights and the same words.

Each peer is installed from PyPI into an environment of its own under `.bench-peers`, pinned to one version, and started
on the CPU with the directory of whisper-base that our own service reads. `../shared/bench/caption_load.py` plays the
stream and counts; it speaks the protocols of all of them. A peer that does not install, start or answer within bounds
has a row that says why. Prints a table and writes `bench-peers.json`.

Where pip knows only PyPI, torch 2.13.0 for Linux brings CUDA libraries, several gigabytes for each peer; to save them,
name an index with CPU builds in `PIP_EXTRA_INDEX_URL`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.bench.under_load import MAX_COMMIT_LAG, MAX_WORD_ERROR_RATE
from tests.support.running_service import running_service

SHARED: Final = Path(__file__).parents[2] / "../shared"
SPEECH: Final = SHARED / "speech"
LOAD: Final = SHARED / "bench/caption_load.py"
PLACE: Final = Path(".bench-peers")
RESULTS: Final = Path("bench-peers.json")
MODEL: Final = "whisper-base"

INSTALL_SECONDS: Final = 900.0
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 15.0
GRACE_SECONDS: Final = 120.0
"""What a run may take beyond its audio."""

PINS: Final = "torch==2.13.0\n"
LOAD_NEEDS: Final = ("av", "jiwer", "numpy", "psutil", "soundfile", "soxr", "websockets")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server: what pip is asked for, how it is started, and how the load generator reaches it.

    `{model}` stands for the directory of the weights and `{port}` for the port. `remark` says where it does not run
    with its defaults.
    """

    name: str
    installs: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    load: tuple[str, ...]
    remark: str


WHISPERLIVE_START: Final = (
    "import sys; from whisper_live.server import TranscriptionServer; TranscriptionServer().run('127.0.0.1',"
    " port=int(sys.argv[2]), backend='faster_whisper', faster_whisper_custom_model_path=sys.argv[1])"
)

PEERS: Final = (
    Peer(
        name="WhisperLiveKit 0.2.26",
        installs=(("whisperlivekit==0.2.26",),),
        command=(
            "-m", "whisperlivekit.basic_server", "--host", "127.0.0.1", "--port", "{port}", "--pcm-input",
            "--backend", "faster-whisper", "--backend-policy", "localagreement", "--model_dir", "{model}",
            "--lan", "en", "--log-level", "WARNING",
        ),
        load=("--protocol", "wlk", "--url", "ws://127.0.0.1:{port}/asr"),
        remark="policy localagreement: its default needs PyTorch weights besides",
    ),
    Peer(
        name="WhisperLive 0.10.0",
        installs=(
            (
                "torch", "faster-whisper==1.2.0", "numpy<2.5", "fastapi", "uvicorn", "python-multipart", "websockets",
                "requests", "soundfile", "scipy",
            ),
            ("--no-deps", "whisper-live==0.10.0"),
        ),
        command=("-c", WHISPERLIVE_START, "{model}", "{port}"),
        load=("--protocol", "whisperlive", "--url", "ws://127.0.0.1:{port}"),
        remark="backend faster_whisper; installed without what only its GPU and OpenVINO backends need",
    ),
)  # fmt: skip

OURS: Final = (
    "--protocol", "openai", "--url", "ws://127.0.0.1:{port}/v1/realtime", "--model", "whisper-1",
    "--query", "ext=partials", "--openai-partial", "x.transcription.partial",
)  # fmt: skip


class Unavailable(Exception):
    """A peer cannot be measured; the message is what its row says."""


@dataclass(frozen=True, slots=True)
class Result:
    """One row: the load generator's figures, or why there are none."""

    server: str
    remark: str
    figures: dict[str, Any] = field(default_factory=dict)
    capacity: int | None = None
    reason: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure other servers with the weights and the words of ours.")
    parser.add_argument("--seconds", type=float, default=60.0, help="audio of each stream (default: %(default)g)")
    parser.add_argument("--only", default="", help="peers whose name contains this")
    parser.add_argument("--capacity", type=int, metavar="N", help="then add stream after stream, up to N, while held")
    arguments = parser.parse_args()
    if not (LOAD.is_file() and (SPEECH / "words.jsonl").is_file()):
        print("the comparison needs the load generator and the recordings of ../shared", file=sys.stderr)
        return 2
    PLACE.mkdir(exist_ok=True)
    try:
        generator = environment("load", (LOAD_NEEDS,))
    except Unavailable as fault:
        print(f"the load generator: {fault}", file=sys.stderr)
        return 1
    run = LoadRun(generator, arguments.seconds, arguments.capacity)
    weights = whisper_weights()
    chosen = [peer for peer in PEERS if arguments.only.lower() in peer.name.lower()]
    results = [*(measure_peer(peer, weights, run) for peer in chosen), measure_ours(run)]
    console = Console(width=150)
    console.print(table(results, arguments.seconds))
    for result in results:
        if remark := result.reason or result.remark:
            console.print(f"{result.server}: {remark}", markup=False, highlight=False)
    RESULTS.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    return 0


@dataclass(frozen=True, slots=True)
class LoadRun:
    """How the load generator is run: by which Python, with how much audio, and whether it searches the capacity."""

    python: Path
    seconds: float
    capacity: int | None

    def figures(self, load: tuple[str, ...], port: int, process_id: int) -> tuple[dict[str, Any], int | None]:
        """Return the figures of one stream and the sustained number of streams. Raises `Unavailable`."""
        search = ["--find-capacity", "--max-streams", str(self.capacity)] if self.capacity else []
        command = [
            str(self.python), str(LOAD), *(part.format(port=port) for part in load), *search,
            "--root", str(SPEECH), "--manifest", str(SPEECH / "manifest.jsonl"), "--words", str(SPEECH / "words.jsonl"),
            "--kind", "clean", "--seconds", str(self.seconds), "--server-pid", str(process_id),
            "--max-lag", str(MAX_COMMIT_LAG), "--max-wer", str(MAX_WORD_ERROR_RATE),
        ]  # fmt: skip
        bound = (self.capacity or 1) * (self.seconds + GRACE_SECONDS)
        lines = [json.loads(line) for line in run_bounded(command, bound).splitlines() if line.startswith("{")]
        if not lines:
            raise Unavailable("the load generator gave no figures")
        if lines[0]["errors"]:
            raise Unavailable(str(lines[0]["errors"][0]))
        return lines[0], lines[-1].get("capacity")


def measure_peer(peer: Peer, weights: Path, run: LoadRun) -> Result:
    """Install, start and measure one peer."""
    try:
        progress(f"{peer.name}: installing ...")
        python = environment(peer.name.lower().replace(" ", "-"), peer.installs)
        with started(peer, python, weights) as (port, process_id):
            progress(f"{peer.name}: a stream of {run.seconds:g} s ...")
            return Result(peer.name, peer.remark, *run.figures(peer.load, port, process_id))
    except Unavailable as fault:
        return Result(peer.name, peer.remark, reason=str(fault))


def measure_ours(run: LoadRun) -> Result:
    progress(f"Vivavoce: a stream of {run.seconds:g} s ...")
    with running_service(log_level="warning") as service:
        port = int(service.address.rpartition(":")[2])
        try:
            return Result("Vivavoce", "", *run.figures(OURS, port, service.process_id))
        except Unavailable as fault:
            return Result("Vivavoce", "", reason=str(fault))


def environment(name: str, installs: tuple[tuple[str, ...], ...]) -> Path:
    """Return the Python of a virtual environment with these packages, created once. Raises `Unavailable`."""
    folder = (PLACE / name).absolute()
    python, done, pins = folder / "bin/python", folder / "installed.json", PLACE / "constraints.txt"
    wanted = json.dumps([PINS, *installs])
    if done.is_file() and done.read_text() == wanted:
        return python
    pins.write_text(PINS)
    run_bounded([sys.executable, "-m", "venv", "--clear", str(folder)], INSTALL_SECONDS)
    for packages in installs:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(pins)]
        run_bounded([*pip, *packages], INSTALL_SECONDS)
    done.write_text(wanted)
    return python


@contextmanager
def started(peer: Peer, python: Path, weights: Path) -> Iterator[tuple[int, int]]:
    """Run a peer and yield its port and process id; its output is written beside its environment."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = int(unused.getsockname()[1])
    log = python.parents[1] / "server.log"
    command = [str(python), *(part.format(port=port, model=weights) for part in peer.command)]
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    with log.open("wb") as output, subprocess.Popen(command, env=offline, stdout=output, stderr=output) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _accepts(port):
                if process.poll() is not None:
                    raise Unavailable(f"it ended at once: {last_line(log.read_text())}")
                if time.monotonic() > deadline:
                    raise Unavailable(f"no port after {START_SECONDS:g} s: {last_line(log.read_text())}")
                time.sleep(0.2)
            yield port, process.pid
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def run_bounded(command: list[str], seconds: float) -> str:
    """Run a program and return its standard output. Raises `Unavailable` after a timeout, or if it failed silently."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"not done after {seconds:.0f} s: {' '.join(command[1:5])} ...") from None
    if done.returncode and not done.stdout:
        raise Unavailable(f"exit code {done.returncode}: {last_line(done.stderr)}")
    return done.stdout


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def whisper_weights() -> Path:
    """Return the directory of whisper-base, assembling it if necessary."""
    command = [sys.executable, "-m", "realtime.cli.main", "models", "pull", MODEL]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Path(answer.strip().removeprefix(f"{MODEL}: "))


def table(results: list[Result], seconds: float) -> Table:
    rows = Table(title=f"{MODEL}, one stream of {seconds:g} s, seconds")
    rows.add_column("server", no_wrap=True)
    for heading in (
        "WER %", "commit lag p50/p95", "settled lag p50/p95", "first partial p50", "final after last word p50/p95",
        "CPU s per audio s", "peak RSS MB", "other CPU %", "held",
    ):  # fmt: skip
        rows.add_column(heading, justify="right")
    for result in results:
        rows.add_row(result.server, *(_cells(result) if result.figures else ["-"] * 9))
    return rows


def _cells(result: Result) -> list[str]:
    each = result.figures
    return [
        f"{100 * each['wer']:.1f}",
        *(f"{_seconds(each[f'{lag}_p50'])}/{_seconds(each[f'{lag}_p95'])}" for lag in ("commit_lag", "settled_lag")),
        _seconds(each["first_partial_p50"]),
        f"{_seconds(each['final_latency_p50'])}/{_seconds(each['final_latency_p95'])}",
        f"{each['cpu_s_per_audio_s']:.2f}",
        f"{each['peak_rss_mb'] * 2**20 / 1e6:.0f}",
        f"{100 * each['other_cpu_share']:.0f}",
        _held(result),
    ]


def _held(result: Result) -> str:
    if result.capacity is not None:
        return f"{result.capacity} streams"
    p95 = result.figures["commit_lag_p95"]
    return "yes" if p95 is not None and p95 <= MAX_COMMIT_LAG and result.figures["wer"] <= MAX_WORD_ERROR_RATE else "no"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
