"""Captions of the page with a scripted server: hours of them, and how soon they are seen."""

from collections.abc import Iterator

import pytest

from tests.bench.hard_cases.page import WATCH, Turns, captioning, play_times
from tests.page.conftest import chromium_only
from tests.support.browsers.chromium import ChromiumPage
from tests.support.browsers.scripted_page import scripted_page
from tests.support.realtime_service import eventually

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
