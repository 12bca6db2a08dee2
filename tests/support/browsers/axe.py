"""Whether everybody can use a page, as axe-core judges it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.browsers.page import Page


def add_axe(page: Page) -> None:
    """Load axe-core into the page; skips the test where it is not installed."""
    axe = pytest.importorskip("axe_playwright_python")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(f"(() => {{ {source} }})()")


def obstacles(page: Page) -> list[Any]:
    """Return the serious and critical violations in the state in which the page is; of lists, in the first lines."""
    violations = page.evaluate("axe.run({ exclude: [['li:nth-child(n + 5)']] }).then(({ violations }) => violations)")
    return [each for each in violations if each["impact"] in {"serious", "critical"}]
