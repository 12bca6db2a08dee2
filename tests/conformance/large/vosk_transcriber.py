"""vosk: `vosk-transcriber --server`, without the model that it loads and the FFmpeg that it starts, but never uses."""

import argparse
import asyncio
import asyncio.subprocess

from reporting import ADDRESS, RATE, RECORDINGS, SENTENCE, recording, report, words
from vosk.transcriber.transcriber import SAMPLE_RATE, Transcriber


async def transcribed(output_type: str, path: str) -> str:
    """Return what the program writes of a recording."""
    transcriber = object.__new__(Transcriber)  # its constructor loads a model
    transcriber.args = argparse.Namespace(server=f"ws://{ADDRESS}{path}", output_type=output_type)
    raw = RECORDINGS / "turn16.pcm"
    raw.write_bytes(resampled(recording("turn")))
    process = await asyncio.create_subprocess_exec("cat", raw, stdout=asyncio.subprocess.PIPE)
    result, _ = await transcriber.recognize_stream_server(process)
    await process.wait()
    written: str = transcriber.format_result(result)
    return written


def resampled(pcm: bytes) -> bytes:
    """Return 24 kHz as 16 kHz: of each three samples the first, and the mean of the others."""
    assert (RATE, SAMPLE_RATE) == (24_000, 16_000)
    samples = memoryview(pcm[: len(pcm) // 6 * 6]).cast("h")
    kept = (
        each.to_bytes(2, "little", signed=True)
        for at in range(0, len(samples), 3)
        for each in (samples[at], (samples[at + 1] + samples[at + 2]) // 2)
    )
    return b"".join(kept)


async def text() -> None:
    for path in ("", "/vosk", "/vosk?language=en"):
        written = await transcribed("txt", path)
        assert words(written) == SENTENCE, written


async def subtitles() -> None:
    written = await transcribed("srt", "")
    assert written.startswith(("0\n00:00:00,", "1\n00:00:00,")), written
    assert words(written) == SENTENCE, written


if __name__ == "__main__":
    asyncio.run(report({"text": text, "subtitles": subtitles}))
