"""What the page says and shows where something fails, in all of its languages, and on the screen of a phone."""

import pytest

from tests.support.browsers.chromium import ChromiumPage
from tests.support.browsers.page import Page


def translate(page: Page, locale: str) -> None:
    page.evaluate(f"import('/page/texts.js').then(({{ translatePage }}) => translatePage({locale!r}))")


@pytest.mark.parametrize("width", [390, 320])
def test_no_view_is_wider_than_the_screen_of_a_phone(page: ChromiumPage, width: int) -> None:
    page.resize(width, 800, "light")
    for locale in ("en", "de", "fr", "es", "zh"):
        translate(page, locale)
        for view in ("captions", "recording", "speak", "talk"):
            page.click(f"#tab-{view}")
            shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert shown == [width, width], (locale, view)


def test_what_is_stopped_twice_ends_once_and_quietly(page: Page) -> None:
    states, rejections = page.evaluate("""(async () => {
      const { listen, talk } = await import("/vivavoce.js");
      const { Capture } = await import("/vivavoce/capture.js");
      const rejections = [];
      addEventListener("unhandledrejection", ({ reason }) => rejections.push(reason.message));
      const states = [];
      const onState = (state) => states.push(state);
      const captured = new Capture(new MediaStream());
      captured.stop();
      captured.stop();
      const conversation = await talk({ source: null, onState });
      conversation.stop();
      conversation.stop();
      const listener = await listen({ source: null, onState });
      await Promise.all([listener.stop(), listener.stop()]);
      await new Promise((resolve) => setTimeout(resolve));
      return [states, rejections];
    })()""")
    assert rejections == []
    assert states == ["connecting", "open", "closed"] * 2


def test_speech_that_is_stopped_twice_ends_once_and_quietly(page: Page) -> None:
    states, rejections = page.evaluate("""(async () => {
      const { speak } = await import("/vivavoce.js");
      const rejections = [];
      addEventListener("unhandledrejection", ({ reason }) => rejections.push(reason.message));
      const states = [];
      const speech = await speak("Good morning.", { onState: (state) => states.push(state) });
      speech.stop();
      speech.stop();
      await new Promise((resolve) => setTimeout(resolve));
      return [states, rejections];
    })()""")
    assert (states, rejections) == (["connecting", "open", "closed"], [])
