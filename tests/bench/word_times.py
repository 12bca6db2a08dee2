"""When each word of a clip is said, as the service itself measures it over HTTP."""

import io
import wave
from collections.abc import Sequence

import httpx
import numpy as np

from tests.bench.scoring import SpokenWord, plain_words, recognised
from tests.support.running_service import RunningService


def ask_word_times(service: RunningService, text: str, pcm: bytes, rate: int) -> tuple[tuple[SpokenWord, ...], float]:
    """Return the plain words of `text` with their times in the clip, and the share of them that was measured.

    The times of words that the service did not recognize are interpolated. Without any recognized word, return none.
    """
    answer = httpx.post(
        f"http://{service.address}/v1/audio/transcriptions",
        data={"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities[]": "word"},
        files={"file": ("clip.wav", _wav(pcm, rate))},
        timeout=60,
    )
    heard = [
        SpokenWord(plain, word["start"], word["end"])
        for word in answer.raise_for_status().json()["words"]
        for plain in plain_words(word["word"])
    ]
    return place_words(plain_words(text), heard)


def place_words(spoken: Sequence[str], heard: Sequence[SpokenWord]) -> tuple[tuple[SpokenWord, ...], float]:
    """Give spoken words the times of the recognized ones, and interpolate the others."""
    pairs = recognised(spoken, [0.0] * len(spoken), [word.text for word in heard], [0.0] * len(heard))
    if not pairs:
        return (), 0.0
    known = list(pairs)
    places = range(len(spoken))
    starts = np.interp(places, known, [heard[place].start for place in pairs.values()])
    ends = np.interp(places, known, [heard[place].end for place in pairs.values()])
    words = tuple(
        SpokenWord(text, float(start), float(end)) for text, start, end in zip(spoken, starts, ends, strict=True)
    )
    return words, len(pairs) / len(spoken)


def _wav(pcm: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()
