"""Captions of the page with a scripted server: hours of them, and how soon they are seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.hard_cases.page import WATCH, Turns, captioning, play_times
from tests.page.conftest import chromium_only
from tests.support.browsers import chromium
from tests.support.browsers.axe import add_axe, obstacles
from tests.support.browsers.chromium import ChromiumPage
from tests.support.browsers.scripted_page import scripted_page
from tests.support.realtime_service import eventually
from tests.support.recordings import silence, wav_file

TURNS = 300
ON_THE_PAGE = 120
SEEN_MS = 100
"""Milliseconds from sending a partial to its being seen; 20 on an idle machine."""


@pytest.fixture(scope="module")
def page() -> Iterator[ChromiumPage]:
    """Return a page that has captioned `TURNS` turns."""
    chromium_only()
    turns = Turns()
    turns.wanted = TURNS
    with scripted_page(turns.play) as address, captioning(address) as page:
        assert eventually(lambda: page.text("#captions-live").endswith(f" {TURNS - 1}."), 30)
        yield page


def test_the_page_holds_the_last_lines_and_saves_all(page: ChromiumPage) -> None:
    assert page.evaluate("document.querySelectorAll('#captions-turns li').length") == ON_THE_PAGE
    assert page.text("#captions-turns li:last-child").endswith(f" {TURNS - 1}.")
    page.evaluate("""(() => {
      const create = URL.createObjectURL;
      URL.createObjectURL = (blob) => { window.blob = blob; return create(blob); };
      [...document.querySelectorAll("#captions-exports button")].find((each) => each.textContent === "txt").click();
      URL.createObjectURL = create;
    })()""")
    saved = page.evaluate("blob.text()").splitlines()
    assert [line.rpartition(" ")[2] for line in saved] == [f"{number}." for number in range(TURNS)]


def test_the_last_line_stays_in_sight_when_the_layout_changes(page: ChromiumPage) -> None:
    below = "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)"

    def follows() -> bool:
        return bool(page.evaluate(f"{below}(document.querySelector('#captions-turns')) < 2"))

    page.click("#show-large")
    assert eventually(follows, 30)
    for width, height, scheme in ((1920, 1080, "dark"), (390, 844, "light")):
        page.resize(width, height, scheme)
        assert eventually(follows, 30)
    page.click("#show-large")
    assert eventually(follows, 30)


def test_no_state_of_the_page_is_an_obstacle_to_anybody(page: ChromiumPage) -> None:
    add_axe(page)
    page.resize(390, 844, "dark")
    page.click("#show-confidence")
    assert obstacles(page) == []
    page.resize(1100, 760, "light")
    page.click("#show-large")
    assert obstacles(page) == []
    page.click("#show-large")
    page.evaluate("document.querySelector('#events').open = true")
    for view in ("recording", "speak", "talk", "captions"):
        page.click(f"#tab-{view}")
        assert obstacles(page) == [], view
    assert page.problems == []


def test_the_overlay_is_no_obstacle_and_has_no_problem(tmp_path: Path) -> None:
    chromium_only()
    microphone = tmp_path / "silence.wav"
    microphone.write_bytes(wav_file(silence(1)))
    turns = Turns()
    turns.wanted = 1
    with scripted_page(turns.play) as address, chromium.browsed(f"{address}overlay", microphone) as page:
        assert eventually(lambda: page.text("#lines").endswith(" 0."), 30)
        add_axe(page)
        assert obstacles(page) == []
        assert page.problems == []


def test_earlier_lines_come_back_where_the_list_is_scrolled_to_them(page: ChromiumPage) -> None:
    for line, ending, place in (("first", "0.", "0"), ("last", f"{TURNS - 1}.", "list.scrollHeight")):
        page.evaluate(f"""(async () => {{
          const list = document.querySelector("#captions-turns");
          while (!list.{line}ElementChild.textContent.endsWith(" {ending}")) {{
            list.scrollTop = {place};
            await new Promise(requestAnimationFrame);
          }}
        }})()""")
        assert page.evaluate("document.querySelectorAll('#captions-turns li').length") <= ON_THE_PAGE


def test_a_partial_is_seen_soon_after_the_server_has_sent_it() -> None:
    chromium_only()
    with scripted_page(play_times) as address, captioning(address) as page:
        page.evaluate(WATCH)
        assert eventually(lambda: page.evaluate("delays.length") >= 5, 30)
        assert min(page.evaluate("delays")) < SEEN_MS
