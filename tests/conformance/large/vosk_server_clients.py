"""vosk-server: the three clients of its repository, with the address of the service in place of the one they have."""

import asyncio
import json
import re
import sys
import wave
from pathlib import Path
from typing import Any

from reporting import ADDRESS, RATE, RECORDINGS, SENTENCE, recording, report, words


def prepare(name: str, path: str) -> tuple[Path, Path]:
    """Return a client that has the address of the service, and its recording."""
    source = Path(name).read_text()
    assert "ws://localhost:2700" in source
    program = Path(f"changed_{name}")
    program.write_text(source.replace("ws://localhost:2700", f"ws://{ADDRESS}{path}"))
    spoken = RECORDINGS / "vosk.wav"
    with wave.open(str(spoken), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(recording("turn"))
    return program, spoken


async def printed(name: str, path: str = "") -> str:
    """Run a client with a recording and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *prepare(name, path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output[-600:]
    return output


def answers(output: str) -> list[dict[str, Any]]:
    """Return the messages that a client has printed, one a line."""
    return [json.loads(line) for line in output.splitlines()]


async def plain() -> None:
    for path in ("", "/vosk"):
        found = answers(await printed("test.py", path))
        assert all("partial" in answer or "text" in answer for answer in found), found
        assert words(" ".join(answer.get("text", "") for answer in found)) == SENTENCE, found


async def phrases() -> None:
    found = answers(await printed("test_words.py"))
    assert words(" ".join(answer.get("text", "") for answer in found)) == SENTENCE, found


async def subtitles() -> None:
    srt = await printed("test_srt.py")
    assert srt.startswith("1\n00:00:00,"), srt
    assert words(re.sub(r"\S*-->.*", "", srt)) == SENTENCE, srt


if __name__ == "__main__":
    asyncio.run(report({"test.py": plain, "test_words.py": phrases, "test_srt.py": subtitles}))
