"""What the Python programs share: recordings, a microphone, and the report of their checks.

A program is started with the address of the server and the directory of recordings, and prints one line of JSON for
each check.
"""

import asyncio
import json
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

RATE: Final = 24_000
FRAME_BYTES: Final = RATE // 50 * 2
"""Bytes of 20 ms of PCM16."""

ADDRESS: Final = sys.argv[1]
RECORDINGS: Final = Path(sys.argv[2])

SENTENCE: Final = "the garden behind the school is full of yellow flowers"
"""What the recording "turn" says, as `words`."""

PIPER: Final = "piper-en_US-joe-medium"
"""A voice besides the default one, which is in the environment of the server."""

Check = Callable[[], Awaitable[None]]


def recording(name: str) -> bytes:
    """Return a recording as PCM16 at 24 kHz, mono."""
    return (RECORDINGS / f"{name}.pcm").read_bytes()


def words(text: str) -> str:
    """Return the words of a text in lower case, because a recognizer may begin with a capital letter or not."""
    return " ".join(re.findall(r"[a-z]+", text.lower()))


async def speak(name: str, send: Callable[[bytes], Awaitable[object]], speed: float = 4.0) -> None:
    """Send a recording in frames of 20 ms, `speed` times as fast as it was spoken."""
    pcm = recording(name)
    began = time.monotonic()
    for at in range(0, len(pcm), FRAME_BYTES):
        await send(pcm[at : at + FRAME_BYTES])
        await asyncio.sleep(began + at / (2 * RATE * speed) - time.monotonic())


def assert_cut(text: str, sentences: int = 5) -> None:
    """Require the beginning of the long answer, and no more than so many of its ten sentences."""
    assert text.startswith("This is sentence"), text
    assert f"number {sentences + 1}" not in text, text


def assert_whole(texts: list[str]) -> None:
    """Require that the parts of an answer to "turn" that was interrupted by a nod say everything."""
    assert len(texts) > 1, texts
    said = words(" ".join(texts))
    assert said.startswith("you said the garden"), texts
    assert "before that you said" in said, texts
    assert "Okay" not in texts[-1], texts


async def until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until the condition holds. Raises `AssertionError` after `seconds`."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"no {what} within {seconds} s"
        await asyncio.sleep(0.02)


async def report(checks: dict[str, Check]) -> None:
    """Run the checks in order and print a line of JSON for each."""
    for name, check in checks.items():
        result: dict[str, Any] = {"check": name, "passed": True, "detail": ""}
        running = asyncio.ensure_future(check())
        await asyncio.wait([running])
        if error := running.exception():
            where = traceback.extract_tb(error.__traceback__)[-1]
            detail = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error}"
            result |= {"passed": False, "detail": detail[:600]}
        print(json.dumps(result), flush=True)
