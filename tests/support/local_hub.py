"""A Hugging Face hub on the loopback interface, and `locate` in a process that uses it."""

import contextlib
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Hub:
    """The part of the Hugging Face API that `snapshot_download` uses, with these repositories.

    Weights are served while `gate` is set, as it is at first.
    """

    repositories: dict[str, dict[str, bytes]]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    commit = "0123456789abcdef0123456789abcdef01234567"

    def answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        path = path.partition("?")[0]
        self.asked.append(f"{method} {path}")
        for name, files in self.repositories.items():
            if path == f"/api/models/{name}/revision/main":
                siblings = [{"rfilename": file} for file in files]
                return 200, {}, json.dumps({"id": name, "sha": self.commit, "siblings": siblings}).encode()
            if path == f"/api/models/{name}/tree/{self.commit}":
                tree = [
                    {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for file, content in files.items()
                ]
                return 200, {}, json.dumps(tree).encode()
            for file, content in files.items():
                if path == f"/{name}/resolve/{self.commit}/{file}":
                    if method == "GET" and file == "model.bin":
                        self.gate.wait(30)
                    etag = f'"{hashlib.sha1(content).hexdigest()}"'
                    return 200, {"ETag": etag, "X-Repo-Commit": self.commit}, content
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"


@contextlib.contextmanager
def running_hub(repositories: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    hub = Hub(repositories)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, content = hub.answer(self.command, self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield hub
        server.shutdown()
        thread.join()


LOCATE = """
import json, os, sys
from realtime.catalogue.names import lookup
from realtime.errors import VoiceError
from realtime.environment import settings_from
from realtime.settings import Settings
from realtime.weights.locate import locate

steps = []
note = lambda step: steps.append([step.stage, step.model, step.done_bytes, step.total_bytes])
try:
    directory = locate(lookup(sys.argv[1]), settings_from(os.environ), note)
    print(json.dumps({"directory": str(directory), "steps": steps}))
except VoiceError as error:
    print(json.dumps({"error": error.message, "code": error.code, "steps": steps}))
"""


@dataclass(frozen=True, slots=True)
class Located:
    directory: str = ""
    steps: list[list[str | int]] = field(default_factory=list)
    error: str = ""
    code: str = ""
    shown: str = ""


def environment_of(home: Path, **environment: str) -> dict[str, str]:
    """Return environment variables that give a process its own home and hub cache."""
    return {"PATH": os.defpath, "HOME": str(home), "HF_HOME": str(home / "hf"), "PYTHONPATH": str(ROOT), **environment}


def locate_in_a_fresh_process(name: str, home: Path, python: Path | None = None, /, **environment: str) -> Located:
    """Run `locate` in a process: the hub's library reads its environment only when imported."""
    return locate_in_fresh_processes(1, name, home, python, **environment)[0]


def locate_in_fresh_processes(
    count: int, name: str, home: Path, python: Path | None = None, /, **environment: str
) -> list[Located]:
    """Run `locate` in several processes that start at once, of this Python or another one."""
    command = [str(python or sys.executable), "-c", LOCATE, name]
    variables = environment_of(home, **environment)
    with contextlib.ExitStack() as files:

        def file() -> IO[
            str
        ]:  # no pipe: a process that holds a lock might wait for its reader, and others for the lock
            return files.enter_context(tempfile.TemporaryFile("w+"))

        outputs = [(file(), file()) for _ in range(count)]
        processes = [subprocess.Popen(command, env=variables, stdout=out, stderr=err) for out, err in outputs]
        for process in processes:
            process.wait()
        for each in itertools.chain(*outputs):
            each.seek(0)
        return [Located(**json.load(out), shown=err.read()) for out, err in outputs]
