"""Downloads from ModelScope: its real package, against a hub on the loopback interface."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from tests.support.local_hub import ROOT, Located, locate_in_a_fresh_process

PYTHON = ROOT / ".voices" / "bin" / "python"
NAMES = (
    *(f"asset/{name}.safetensors" for name in ("Decoder", "DVAE", "Embed", "Vocos")),
    *(f"asset/gpt/{name}" for name in ("config.json", "model.safetensors")),
    *(f"asset/tokenizer/{name}.json" for name in ("special_tokens_map", "tokenizer_config", "tokenizer")),
)
FILES = {name: name.encode() * 100 for name in (*NAMES, "README.md")}
REPOSITORY = "/api/v1/models/AI-ModelScope/ChatTTS/repo"

pytestmark = pytest.mark.skipif(
    not [*(ROOT / ".voices").glob("lib/python*/site-packages/modelscope")],
    reason="modelscope is not installed: make voices",
)


class ModelScope(BaseHTTPRequestHandler):
    """The part of ModelScope's API that `snapshot_download` uses, with one repository."""

    def do_GET(self) -> None:
        url = urlparse(self.path)
        if url.path == f"{REPOSITORY}/files":
            listed = [
                {"Name": name.rpartition("/")[2], "Path": name, "Type": "blob", "Size": len(content), "Revision": "1",
                 "Sha256": hashlib.sha256(content).hexdigest()}
                for name, content in FILES.items()
            ]  # fmt: skip
            self._send(json.dumps({"Code": 200, "Success": True, "Data": {"Files": listed}}).encode())
        elif url.path == REPOSITORY:
            self._send(FILES[parse_qs(url.query)["FilePath"][0]])
        else:
            self.send_error(404)

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ModelScope) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def located(name: str, home: Path, port: int) -> Located:
    return locate_in_a_fresh_process(
        name, home, PYTHON, VIVAVOCE_HUB="modelscope", MODELSCOPE_CACHE=str(home / "cache"),
        MODELSCOPE_ENDPOINT=f"http://127.0.0.1:{port}", HF_ENDPOINT="http://127.0.0.1:1",
    )  # fmt: skip


def test_a_model_is_downloaded_from_modelscope_once(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    first = located("ChatTTS", tmp_path, hub.server_port)
    assert first.directory, first
    directory = Path(first.directory)
    assert {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()} >= set(NAMES)
    assert (directory / "asset" / "Decoder.safetensors").read_bytes() == FILES["asset/Decoder.safetensors"]
    assert not (directory / "README.md").exists()
    assert located("ChatTTS", tmp_path, 1).directory == first.directory


def test_a_model_that_modelscope_does_not_have_is_not_found(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    assert "on modelscope: the request failed: " in located("CosyVoice2-0.5B", tmp_path, hub.server_port).error
