"""A real browser: its MediaRecorder records a microphone, and the example page shows the captions."""

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from realtime.audio.formats import Samples
from tests.support.browsers.chromium import CHROMIUM, browsed
from tests.support.realtime_service import eventually

pytestmark = [pytest.mark.models, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

EXAMPLES = Path(__file__).parents[2] / "clients/examples"
SHOWN = "document.querySelector('main').innerText"
SENTENCE = "The garden behind the school is full of yellow flowers."


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page_url(address: str, tmp_path: Path) -> Iterator[str]:
    """Serve the example, with the address of the service under test in it."""
    example = (EXAMPLES / "browser_recorder.html").read_text(encoding="utf-8")
    (tmp_path / "browser_recorder.html").write_text(example.replace("127.0.0.1:8000", address), encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/browser_recorder.html"
        server.shutdown()


@pytest.mark.parametrize("media_type", ["audio/webm;codecs=opus", "audio/mp4;codecs=opus"])
def test_a_page_captions_its_microphone(
    page_url: str,
    media_type: str,
    spoken: Callable[[str], Samples],
    wav: Callable[[Samples], bytes],
    word_errors: Callable[[str, str], float],
    tmp_path: Path,
) -> None:
    silence = np.zeros(24_000, np.float32)
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav(np.concatenate([silence, spoken(SENTENCE), silence, silence])))
    query = urlencode({"type": media_type})
    with browsed(f"{page_url}?{query}", microphone) as page:
        page.evaluate("document.querySelector('button').click()")
        assert eventually(lambda: page.evaluate(SHOWN).strip().endswith("flowers."), timeout=30), page.evaluate(SHOWN)
        assert page.evaluate("document.querySelector('[role=alert]').innerText") == ""
        assert word_errors(SENTENCE, page.evaluate(SHOWN)) < 0.2
