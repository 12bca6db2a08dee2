"""`make pictures`: the page in a real browser, as pictures for the documents.

A voice speaks, the page captions it, and Chromium draws it for readers of light and of dark pages.
"""

import base64
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from realtime.engines.hibari import Hibari
from tests.support.browsers import chromium
from tests.support.markdown import ROOT
from tests.support.realtime_service import eventually
from tests.support.recordings import wav_file
from tests.support.running_service import running_service

PICTURES: Final = ROOT / "docs/pictures"
MAX_BYTES: Final = 150_000
"""Size of a picture above which the README would load slowly."""

RATE: Final = 24_000
PAUSE: Final = np.zeros(2 * RATE, np.float32)
"""Two seconds, which end a turn."""

SENTENCES: Final = (
    "Good morning, and welcome to the annual meeting of the garden club.",
    "Last year we planted more than four hundred trees along the river.",
    "Today we want to talk about the new greenhouse behind the school, and about who is going to look after it.",
)
WIDTH: Final = 960
HEIGHT: Final = 470


def main() -> int:
    if chromium.CHROMIUM is None:
        print("Chromium is not installed", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        running_service(offline="true", log_level="warning") as service,
    ):
        microphone = Path(directory) / "microphone.wav"
        microphone.write_bytes(speech())
        with chromium.browsed(f"http://{service.address}/", microphone) as page:
            page.click("#captions-start")
            page.click("#show-times")
            waited = eventually(lambda: len(page.text("#captions-turns li:nth-child(3)").split()) >= 14, 60)
            assert waited, page.text("#captions-turns")
            for scheme in ("light", "dark"):
                take(page, f"page-{scheme}.png", scheme)
    return 0


def speech() -> bytes:
    """Return the sentences as a WAV file."""
    voice = Hibari()
    parts = [PAUSE]
    for sentence in SENTENCES:
        parts += [*voice.synthesize(sentence, voice.voices[0], 1.0), PAUSE]
    return wav_file(np.concatenate(parts), RATE)


def take(page: chromium.ChromiumPage, name: str, scheme: str) -> None:
    """Write a picture of the page as it is now."""
    page.resize(WIDTH, HEIGHT, scheme)
    page.hide_scrollbars()
    picture = base64.b64decode(page.screenshot())
    assert len(picture) <= MAX_BYTES, f"{name} has {len(picture)} bytes"
    (PICTURES / name).write_bytes(picture)
    print(f"{PICTURES.relative_to(ROOT) / name}: {len(picture) // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
