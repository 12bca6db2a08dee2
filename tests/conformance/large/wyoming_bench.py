"""wyoming-bench: its measurements of speech and of recognition, whole and streamed, without a failure."""

import asyncio
import os
import re
import sys
import tempfile
import wave
from pathlib import Path

from reporting import RATE, SENTENCE, recording, report

SERVER = f"127.0.0.1:{os.environ['WYOMING_PORT']}"
PROGRAM = Path(sys.executable).with_name("wyoming-bench")


async def bench(*arguments: str) -> str:
    """Run the program and return what it prints, of which `fail=` must be 0 and the words right."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    text = printed.decode()
    assert process.returncode == 0, text[-600:]
    assert re.findall(r"ok=(\d+) fail=(\d+)", text) == [("2", "0")] * 2, text[-600:]
    return text


async def speech() -> None:
    text = await bench("tts", SERVER, "--rounds", "1", "--texts", SENTENCE, f"{SENTENCE}. {SENTENCE}.")
    assert "[streaming]" in text


def write_corpus(folder: Path) -> None:
    """Write two recordings, each with its text."""
    for name in ("first", "second"):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(recording("turn"))
        (folder / f"{name}.txt").write_text(SENTENCE)


async def recognition() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(Path(folder))
        text = await bench("stt", SERVER, "--corpus", folder, "--rounds", "1")
    assert text.count("WER=0.0%") == 2, text[-600:]


asyncio.run(report({"speech": speech, "recognition": recognition}))
