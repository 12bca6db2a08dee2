"""The programs of `clients/examples` run against the service with real models."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.docs.conftest import SOUND, TALK, Workspace
from tests.support.markdown import ROOT
from tests.support.recordings import tone, wav_file

pytestmark = pytest.mark.models

EXAMPLES = ROOT / "clients/examples"
PAGES = ("browser_captions.html", "browser_recorder.html")
NODE = shutil.which("node")

PLAIN_WORDS = Callable[[str], list[str]]


@pytest.fixture
def websocket_url(workspace: Workspace) -> str:
    return f"ws://{workspace.address}"


@pytest.fixture
def http_url(workspace: Workspace) -> str:
    return f"http://{workspace.address}/v1"


def test_a_file_is_captioned(workspace: Workspace, websocket_url: str, plain_words: PLAIN_WORDS) -> None:
    lines = workspace.run("python", "clients/examples/caption_file.py", "talk.mp3", websocket_url).splitlines()
    text = {line.partition(":")[0]: line.partition(":")[2] for line in lines}
    assert plain_words(text["complete"]) == plain_words(TALK)
    assert "committed" in text
    assert lines[-1].startswith("8 words, the last one ends at ")


def test_a_microphone_is_captioned_until_ctrl_c(
    workspace: Workspace, websocket_url: str, plain_words: PLAIN_WORDS
) -> None:
    text = workspace.run("python", "clients/examples/caption_microphone.py", websocket_url)
    assert plain_words(text) == plain_words(TALK)


def test_a_text_is_spoken(workspace: Workspace, websocket_url: str) -> None:
    out = workspace.run("python", "clients/examples/speak.py", "Good morning, everybody.", "spoken.wav", websocket_url)
    assert "s of audio after" in out
    assert (workspace.directory / "spoken.wav").stat().st_size > 24_000


def test_the_openai_package_captions(workspace: Workspace, http_url: str, plain_words: PLAIN_WORDS) -> None:
    text = workspace.run("python", "clients/examples/openai_captions.py", "talk.pcm", http_url)
    assert plain_words(text) == plain_words(TALK)


def test_the_openai_package_transcribes(workspace: Workspace, http_url: str, plain_words: PLAIN_WORDS) -> None:
    *segments, text = workspace.run(
        "python", "clients/examples/openai_transcription.py", "talk.mp3", http_url
    ).splitlines()
    assert plain_words(text) == plain_words(TALK)
    assert plain_words(" ".join(segment[14:] for segment in segments)) == plain_words(TALK)


def test_curl_transcribes_and_speaks(workspace: Workspace) -> None:
    out = workspace.run("clients/examples/requests.sh", "talk.mp3", f"http://{workspace.address}")
    assert "-->" in out
    assert "transcript.text.done" in out
    assert "morning.mp3" in out


def complaint(name: str, *arguments: str, directory: Path) -> str:
    """Return what a program says in place of a result, of which there is none."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{SOUND}", "TALK": os.devnull},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("caption_file.py", ("talk.mp3", "ws://127.0.0.1:9")),
        ("caption_microphone.py", ("ws://127.0.0.1:9",)),
        ("speak.py", ("Good morning.", "spoken.wav", "ws://127.0.0.1:9")),
        ("openai_captions.py", ("talk.pcm", "http://127.0.0.1:9/v1")),
        ("openai_transcription.py", (str(EXAMPLES / "speak.py"), "http://127.0.0.1:9/v1")),
    ],
)
def test_without_a_server_a_program_ends_with_one_line(name: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(wav_file(tone(0.1)))
    said = complaint(name, *arguments, directory=tmp_path)
    assert len(said.splitlines()) == 1
    assert re.search("no server answers at 127.0.0.1:9|[Cc]onnect", said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "usage: python clients/examples/caption_file.py FILE [URL]"),
        (("missing.mp3", "ws://127.0.0.1:9"), "cannot open missing.mp3: No such file or directory"),
    ],
)
def test_a_program_without_its_file_ends_with_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    assert complaint("caption_file.py", *arguments, directory=tmp_path) == f"{message}\n"


def test_every_example_is_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    unlisted = [path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".sh", ".html"}]
    assert [name for name in unlisted if f"[{name}]({name})" not in listed] == []


@pytest.fixture
def page() -> Iterator[str]:
    """Serve the examples as their README says, and return the address."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(EXAMPLES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_of_this_machine_is_served_and_may_connect(page: str, websocket_url: str) -> None:
    for name in PAGES:
        assert httpx.get(f"{page}/{name}").raise_for_status().content
    with connect(f"{websocket_url}/v1/realtime?intent=transcription", additional_headers={"Origin": page}) as socket:
        assert json.loads(socket.recv(10))["type"] == "session.created"


@pytest.mark.skipif(NODE is None, reason="needs Node")
@pytest.mark.parametrize("name", PAGES)
def test_the_scripts_of_the_page_are_well_formed(name: str, workspace: Workspace, tmp_path: Path) -> None:
    source = (EXAMPLES / name).read_text(encoding="utf-8")
    script = source.partition('<script type="module">')[2].partition("</script>")[0]
    (tmp_path / "script.mjs").write_text(script)
    workspace.run("node", "--check", str(tmp_path / "script.mjs"))


DRIVE = """
import { readFileSync } from "node:fs";
import { listen } from "./clients/browser/vivavoce.js";
const turns = [];
const listener = await listen({ url: process.argv[1], source: null, onFinal: (turn) => turns.push(turn) });
const audio = readFileSync("talk.pcm");
for (let at = 0; at < audio.length; at += 1920) listener.send(new Uint8Array(audio.subarray(at, at + 1920)).buffer);
await listener.stop();
console.log(turns.map((turn) => turn.committed).join(" "));
"""


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_the_library_of_web_pages_captions_what_it_is_given(workspace: Workspace, plain_words: PLAIN_WORDS) -> None:
    (workspace.directory / "package.json").write_text('{"type": "module"}')
    text = workspace.run(
        "node", "--experimental-websocket", "--no-warnings", "--input-type=module", "--eval", DRIVE,
        f"http://{workspace.address}",
    )  # fmt: skip
    assert plain_words(text) == plain_words(TALK)
