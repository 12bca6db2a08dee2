"""The files of the web page."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from realtime.edge.page import DIRECTORY, routes


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/overlay", "text/html"),
        ("/vivavoce.js", "text/javascript"),
        ("/vivavoce/capture.worklet.js", "text/javascript"),
        ("/page/style.css", "text/css"),
        ("/page/icon.svg", "image/svg+xml"),
    ],
)
def test_the_page_and_its_files_are_served_with_a_strict_policy(client: TestClient, path: str, media_type: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unchanged_file_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" in again.headers


@pytest.mark.parametrize("path", ["/index.html", "/page/", "/page/../__init__.py", "/package.json", "/%2e%2e/aio.py"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_names_no_other_host_and_no_path_from_the_root() -> None:
    for page in DIRECTORY.glob("*.html"):
        for address in re.findall(r'(?:src|href)="([^"]+)"', page.read_text(encoding="utf-8")):
            assert not re.match(r"/|\w+:", address), f"{page.name}: {address} would not work behind a path prefix"


def test_each_page_names_its_icon() -> None:
    """Browsers ask for `/favicon.ico` otherwise, which is an error in their console."""
    for page in DIRECTORY.glob("*.html"):
        assert 'rel="icon"' in page.read_text(encoding="utf-8"), page.name


def test_all_files_together_are_light() -> None:
    assert sum(each.stat().st_size for each in DIRECTORY.rglob("*") if each.is_file()) < 150_000
