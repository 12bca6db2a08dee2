"""The page does what its views promise, in the browsers that people have."""

import contextlib
import functools
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jiwer
import numpy as np
import pytest
from websockets.sync.client import connect

from realtime.audio.formats import Samples
from tests.page.conftest import RATE, SILENCE, Browse
from tests.support.browsers import chromium
from tests.support.browsers.axe import add_axe, obstacles
from tests.support.browsers.page import Page
from tests.support.realtime_service import eventually
from tests.support.recordings import wav_file
from tests.support.running_service import RunningService, running_service

pytestmark = pytest.mark.models

DOCS = Path(__file__).parents[2] / "docs"
BLANK = re.compile(r"{\w+}")
SENTENCE = "The garden behind the school is full of yellow flowers."
RECORD_LOUDNESS = """(() => {
  window.loudest = 0;
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...when) {
    window.loudest = Math.max(window.loudest, ...this.buffer.getChannelData(0));
    return start.apply(this, when);
  };
})()"""
"""Remember the loudest sample that the page plays."""


def word_errors(reference: str, text: str) -> float:
    said, heard = (re.sub(r"[^\w\s]", "", each.lower()) for each in (reference, text or "-"))
    return float(jiwer.wer(said, heard))


def shows(page: Page, selector: str, ending: str, seconds: float = 30) -> bool:
    return eventually(lambda: page.text(selector).endswith(ending), seconds)


def test_captions_of_the_microphone_appear_and_can_be_saved(
    browse: Browse, service: RunningService, spoken: Callable[[str], Samples], microphone: Callable[..., Path]
) -> None:
    # A busy browser hears the microphone up to two seconds after the page is connected.
    with browse(f"http://{service.address}/", microphone(SILENCE, SILENCE, spoken(SENTENCE))) as page:
        page.click("#captions-start")
        assert eventually(lambda: page.text("#state") == "connected", 30)
        page.start_microphone()
        assert shows(page, "#captions-live", "flowers."), page.text("#captions-turns")  # what screen readers say
        page.click("#captions-start")  # stop
        assert eventually(lambda: page.text("#state") == "not connected", 30)
        assert word_errors(SENTENCE, page.text("#captions-turns")) < 0.2
        assert page.text("#alert") == ""
        assert page.problems == []


def test_captions_of_a_tab_whose_sound_is_shared(
    browse_chromium: Browse, service: RunningService, spoken: Callable[[str], Samples], tmp_path: Path
) -> None:
    sound = np.concatenate([SILENCE, SILENCE, spoken(SENTENCE), SILENCE, SILENCE])
    (tmp_path / "clip.wav").write_bytes(wav_file(sound, RATE))
    (tmp_path / "clip.html").write_text("<title>A clip</title><audio src='clip.wav' loop autoplay></audio>")
    options = ("--auto-select-tab-capture-source-by-title=A clip", "--autoplay-policy=no-user-gesture-required")
    with chromium.browsed(f"http://{service.address}/", None, *options) as page:
        page.open_tab((tmp_path / "clip.html").as_uri())
        page.choose("#captions-source", "display")
        page.click("#captions-start")
        assert shows(page, "#captions-live", "flowers."), page.text("#alert")
        assert page.problems == []


def test_the_example_of_the_library_works_on_a_page_of_another_server(
    browse_chromium: Browse,
    service: RunningService,
    spoken: Callable[[str], Samples],
    microphone: Callable[..., Path],
    tmp_path: Path,
) -> None:
    example = re.search(r"```html\n(.+?)```", (DOCS / "page.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example
    (tmp_path / "index.html").write_text(example[1].replace("127.0.0.1:8000", service.address), encoding="utf-8")
    heard = microphone(spoken(SENTENCE))
    with pages_of(tmp_path) as address, browse_chromium(address, heard) as page:
        page.click("button")
        assert eventually(lambda: page.text("pre").endswith("flowers."), 30), page.problems


@contextlib.contextmanager
def pages_of(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; yields the address."""
    handler = functools.partial(SilentHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join(10)


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_recording_is_captioned_and_a_word_of_it_is_heard(
    browse: Browse, service: RunningService, spoken: Callable[[str], Samples], microphone: Callable[..., Path]
) -> None:
    recording = microphone(spoken(SENTENCE))
    with browse(f"http://{service.address}/#recording", recording) as page:
        page.choose_file("#recording-file", recording)
        assert shows(page, "#recording-turns", "flowers."), page.text("#alert")
        start = page.evaluate("Number(document.querySelectorAll('#recording .word')[2].dataset.start)")
        page.evaluate("document.querySelectorAll('#recording .word')[2].click()")
        playing = "document.querySelector('#recording-audio').currentTime"
        assert eventually(lambda: page.evaluate(playing) > start, 30)
        assert page.evaluate(playing) < start + 5
        assert page.problems == []


def test_a_text_is_heard_while_its_words_are_marked(browse: Browse, service: RunningService, tmp_path: Path) -> None:
    with browse(f"http://{service.address}/#speak", tmp_path) as page:
        page.evaluate(RECORD_LOUDNESS)
        page.enter("#speak-text", SENTENCE)
        page.click("#speak-start")
        assert eventually(lambda: page.text("#speak .said") == "flowers.", 20)
        assert page.text("#speak-words") == SENTENCE
        assert page.evaluate("window.loudest") > 0.05
        assert eventually(lambda: page.text("#speak-start") == "Speak", 30)
        assert page.problems == []


def test_speaking_interrupts_an_answer(
    browse: Browse, service: RunningService, spoken: Callable[[str], Samples], microphone: Callable[..., Path]
) -> None:
    heard = microphone(spoken(f"{SENTENCE} {SENTENCE}"), *[SILENCE] * 3, spoken("Wait a moment, please."))
    with browse(f"http://{service.address}/#talk", heard) as page:
        page.evaluate(RECORD_LOUDNESS)
        page.click("#talk-start")
        assert eventually(lambda: page.text("#state") == "connected", 30)
        page.start_microphone()
        assert eventually(lambda: page.evaluate("document.querySelectorAll('.interrupted').length") == 1, 40)
        assert page.evaluate("window.loudest") > 0.05
        answer = page.text(".interrupted")
        assert answer.startswith("You said:")
        assert len(answer) < len(f"You said: {SENTENCE} {SENTENCE}")  # as much as has been heard
        assert page.problems == []


def test_every_text_of_the_page_exists_in_its_languages(
    browse_chromium: Browse, service: RunningService, tmp_path: Path
) -> None:
    with browse_chromium(f"http://{service.address}/", tmp_path) as page:
        for locale in ("de", "fr", "es", "zh", "en"):
            page.evaluate(f"import('/page/texts.js').then(({{ translatePage }}) => translatePage({locale!r}))")
            shown = page.evaluate(
                "[...document.querySelectorAll('[data-text], [data-label], [data-placeholder]')]"
                ".map((each) => each.textContent || each.ariaLabel || each.placeholder)"
            )
            assert len(shown) > 40
            assert all(shown)
            assert "undefined" not in shown
        texts = page.evaluate("import('/page/texts.js').then(({ TEXTS }) => Object.values(TEXTS))")
        assert all(len(each) == 5 and all(each) for each in texts)
        assert all(len({tuple(BLANK.findall(text)) for text in each}) == 1 for each in texts)


def test_captions_are_saved_as_subtitles_that_can_be_read(
    browse_chromium: Browse, service: RunningService, tmp_path: Path
) -> None:
    with browse_chromium(f"http://{service.address}/", tmp_path) as page:
        words = [
            {"word": f" word{number}{',' * (number % 6 == 5)}", "start": number, "end": number + 0.9}
            for number in range(20)
        ]
        text = "".join(str(each["word"]) for each in words)
        turn = {"committed": text, "words": words, "start": 0, "end": 20, "language": "en"}
        save = "import('/page/subtitles.js').then(({ FORMATS }) => FORMATS.%s([%s]))"
        srt = page.evaluate(save % ("srt", json.dumps(turn)))
        cues = [cue.split("\n") for cue in srt.strip().split("\n\n")]
        assert cues[0][:2] == ["1", "00:00:00,000 --> 00:00:05,920"]  # up to the comma, and two frames before the next
        assert " ".join(line for cue in cues for line in cue[2:]) == text.strip()
        assert max(len(line) for cue in cues for line in cue[2:]) <= 42
        assert page.evaluate(save % ("vtt", json.dumps(turn))).startswith("WEBVTT\n\n00:00:00.000 --> ")
        assert json.loads(page.evaluate(save % ("json", json.dumps(turn))))[0]["text"] == text.strip()


def test_a_key_is_asked_for_and_only_one_that_expires_is_kept(
    browse_chromium: Browse, spoken: Callable[[str], Samples], microphone: Callable[..., Path]
) -> None:
    recording = microphone(spoken(SENTENCE))
    with (
        running_service(offline="true", api_keys="correct-key", log_level="warning") as service,
        browse_chromium(f"http://{service.address}/#recording", recording) as page,
    ):
        assert eventually(lambda: page.evaluate("document.querySelector('#key-dialog').open"), 30)
        page.enter("#key", "wrong-key")
        page.click("#key-form button")
        assert eventually(lambda: page.text("#key-error") == "Incorrect API key provided.", 30)
        page.enter("#key", "correct-key")
        page.click("#key-form button")
        assert eventually(lambda: not page.evaluate("document.querySelector('#key-dialog').open"), 30)
        page.choose_file("#recording-file", recording)
        assert shows(page, "#recording-turns", "flowers."), page.text("#alert")
        page.click("#tab-captions")
        page.click("#captions-start")
        assert eventually(lambda: page.text("#state") == "connected", 30)
        stored = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
        assert "correct-key" not in stored
        assert "ek_" in stored


def test_a_server_that_was_restarted_is_found_again_and_captions_go_on(
    browse_chromium: Browse, spoken: Callable[[str], Samples], microphone: Callable[..., Path]
) -> None:
    heard = microphone(spoken(SENTENCE), *[SILENCE] * 8, spoken("Nobody has seen the little red house."))
    with contextlib.ExitStack() as stack:
        with running_service(offline="true", log_level="warning") as service:
            page = stack.enter_context(browse_chromium(f"http://{service.address}/", heard))
            page.click("#captions-start")
            assert shows(page, "#captions-live", "flowers.")
        assert eventually(lambda: page.text("#state") == "connection lost, trying again", 30)
        port = int(service.address.rpartition(":")[2])
        stack.enter_context(running_service(port=port, offline="true", log_level="warning"))
        assert eventually(lambda: page.text("#state") == "connected", 30)
        assert shows(page, "#captions-live", "house.", 40)
        assert page.evaluate("document.querySelectorAll('#captions-turns li').length") == 2


def test_the_page_for_operators_shows_who_speaks(
    browse_chromium: Browse, service: RunningService, microphone: Callable[..., Path]
) -> None:
    with browse_chromium(f"http://{service.address}/status", microphone()) as page:
        assert eventually(lambda: page.text("#state").startswith("0 of 128 sessions"), 30)
        with connect(f"{service.realtime_url}?intent=transcription"):
            assert eventually(lambda: page.text("#sessions").startswith("Session Key Age Lag"), 30)
            assert eventually(lambda: "sess_" in page.text("#sessions"), 30)
            assert "whisper-base" in page.text("#engines")
        assert eventually(lambda: "sess_" not in page.text("#sessions"), 30)
        assert page.evaluate("document.querySelectorAll('#plots svg').length") == 4
        add_axe(page)
        assert obstacles(page) == []
        assert page.problems == []
