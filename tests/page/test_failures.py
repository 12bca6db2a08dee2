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
