"""The clients of `make conformance`: how their files are downloaded, and what the documents say of them."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conformance.published import CLIENTS, STEPS, Client, SourceFile, conversations
from tests.conformance.run import downloaded
from tests.support.markdown import ROOT

CONTENT = b"print('a client')\n"


@contextmanager
def repository() -> Iterator[tuple[str, list[str]]]:
    """Serve `CONTENT` at `/new/client.py`, where `/old/client.py` leads; yield the address and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response({"/new/client.py": 200, "/old/client.py": 302}.get(self.path, 404))
            if self.path.startswith("/old"):
                self.send_header("Location", "/new/client.py")
            self.end_headers()
            if self.path == "/new/client.py":
                self.wfile.write(CONTENT)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def source(url: str, content: bytes = CONTENT) -> SourceFile:
    return SourceFile(url, hashlib.sha256(content).hexdigest())


def test_a_file_of_a_client_is_downloaded_once(tmp_path: Path) -> None:
    with repository() as (address, asked):
        for _ in range(2):
            path = downloaded(source(f"{address}/new/client.py"), tmp_path / "downloads")
            assert path == tmp_path / "downloads/client.py"
            assert path.read_bytes() == CONTENT
    assert asked == ["/new/client.py"]


def test_a_redirect_to_a_file_is_followed(tmp_path: Path) -> None:
    with repository() as (address, _):
        path = downloaded(source(f"{address}/old/client.py"), tmp_path)
    assert path is not None
    assert path.read_bytes() == CONTENT


def test_another_version_of_a_file_is_refused_and_not_kept(tmp_path: Path) -> None:
    with repository() as (address, _), pytest.raises(ValueError, match="has changed"):
        downloaded(source(f"{address}/new/client.py", b"another version"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_put_there_must_be_the_version_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_bytes(b"another version")
    with pytest.raises(ValueError, match="is not the file of"):
        downloaded(source("http://127.0.0.1:9/client.py"), tmp_path)


def test_a_file_that_is_not_there_is_not_downloaded(tmp_path: Path) -> None:
    with repository() as (address, _):
        assert downloaded(source(f"{address}/none/client.py"), tmp_path) is None


def test_a_file_of_a_server_that_does_not_answer_is_not_downloaded(tmp_path: Path) -> None:
    with repository() as (address, _):
        pass
    assert downloaded(source(f"{address}/new/client.py"), tmp_path) is None


def test_the_document_of_clients_has_the_table_of_conversations() -> None:
    assert conversations() in (ROOT / "docs/clients.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_lacks_only_steps_of_a_conversation(client: Client) -> None:
    assert set(client.lacks) <= set(STEPS if client.converses else ())
