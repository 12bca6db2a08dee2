"""whisper-live: `StreamingTranscriptionClient`, with a stand-in for PyAudio, which it only imports."""

import asyncio
from typing import Any

import numpy as np
from reporting import ADDRESS, RATE, SENTENCE, recording, report, words
from whisper_live.client import StreamingTranscriptionClient


def heard(port: str, pcm_format: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the partial texts and the committed segments of a recording."""
    partials: list[str] = []
    host, own = ADDRESS.split(":")
    client = StreamingTranscriptionClient(
        host, own + port, lang="en", on_partial_transcript=lambda text, _: partials.append(text)
    )
    spoken = np.frombuffer(recording("turn"), np.int16).astype(np.float32)
    samples = np.interp(np.arange(0, len(spoken), RATE / 16_000), np.arange(len(spoken)), spoken)
    data = samples.astype(np.int16).tobytes() if pcm_format == "int16" else (samples / 32768).astype("<f4").tobytes()
    with client:
        for start in range(0, len(data), 6_400):
            client.send(data[start : start + 6_400], pcm_format)
    return partials, client.transcript


async def segments() -> None:
    for port in ("", "/whisperlive"):
        _, committed = await asyncio.to_thread(heard, port, "int16")
        assert words(" ".join(each["text"] for each in committed)) == SENTENCE, committed
        assert all(float(each["start"]) <= float(each["end"]) for each in committed), committed


async def float_samples() -> None:
    _, committed = await asyncio.to_thread(heard, "", "float32")
    assert words(" ".join(each["text"] for each in committed)) == SENTENCE, committed


if __name__ == "__main__":
    asyncio.run(report({"segments": segments, "float samples": float_samples}))
