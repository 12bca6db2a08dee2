"""What a user of the service notices: when words appear, when they are final, when the voice begins, what is wrong."""

import asyncio
import io
import math
import re
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx
import jiwer
import numpy as np
from running_service import RunningService
from speech_clips import RATE, SpeechClip, Track, pcm

from clients.aio import Completed, Delta, Event, Partial, SpeechStarted, SpeechStopped, connect
from clients.listen import Ledger
from clients.replay import FRAME_BYTES, play

SAME_ONSET: Final = 0.7
"""Seconds that the detector's onset, with its pre-roll, and that of the first word may lie apart."""

AUDIBLE: Final = 650
"""Of 32768, about -34 dBFS."""


@dataclass(slots=True)
class Heard:
    """Everything the server said of one stream, each with its time in seconds since the stream began."""

    events: list[tuple[float, Event]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(event.text for _, event in self.events if isinstance(event, Completed))


async def listen(url: str, audio: bytes, *, fast: bool) -> Heard:
    """Send one stream, at the pace of speech unless `fast`, until the server owes nothing more."""
    heard, ledger = Heard(), Ledger()
    async with connect(url, partials=True) as session:
        started = time.monotonic()

        async def send() -> None:
            frames = (audio[start : start + FRAME_BYTES] for start in range(0, len(audio), FRAME_BYTES))
            async for frame in play(frames, fast=fast):
                await session.send_audio(frame)
            ledger.closing.extend([await session.commit(), await session.commit()])

        sending = asyncio.create_task(send())
        while not ledger.settled:
            event = await anext(session)
            if not ledger.enter(event):
                heard.events.append((time.monotonic() - started, event))
        await sending
    if ledger.complaints:
        raise RuntimeError("; ".join(ledger.complaints))
    return heard


def first_text_seconds(heard: Heard, words: Sequence[tuple[float, float]]) -> list[float]:
    """From the end of each first word to the first text of its utterance; `words` are times in the stream."""
    starts: dict[str, float] = {}
    appeared: dict[str, float] = {}
    for at, event in heard.events:
        match event:
            case SpeechStarted(item_id=item, audio_start_ms=start):
                starts[item] = start / 1000
            case Delta(item_id=item) | Partial(item_id=item) | Completed(item_id=item):
                appeared.setdefault(item, at)
            case _:
                pass
    return [
        appeared[item] - end
        for begin, end in words
        for item, start in starts.items()
        if abs(start - begin) < SAME_ONSET and item in appeared
    ]


def final_seconds(heard: Heard) -> list[float]:
    """From the news that an utterance has ended to its final text."""
    stopped, delays = {}, []
    for at, event in heard.events:
        if isinstance(event, SpeechStopped):
            stopped[event.item_id] = at
        elif isinstance(event, Completed) and event.item_id in stopped:
            delays.append(at - stopped[event.item_id])
    return delays


def first_words(service: RunningService, track: Track) -> list[tuple[float, float]]:
    """When the first word of each clip begins and ends in the stream, asking the service where nobody knows."""
    times = []
    for clip, start in zip(track.clips, track.starts, strict=True):
        first, last = clip.first_word or _measured_first_word(service, clip)
        times.append((start + first, start + last))
    return times


def _measured_first_word(service: RunningService, clip: SpeechClip) -> tuple[float, float]:
    answer = httpx.post(
        f"http://{service.address}/v1/audio/transcriptions",
        data={"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities[]": "word"},
        files={"file": ("clip.wav", _wav(clip))},
        timeout=60,
    )
    word = answer.raise_for_status().json()["words"][0]
    return word["start"], word["end"]


def _wav(clip: SpeechClip) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(pcm(clip.samples))
    return file.getvalue()


async def first_audio_seconds(url: str, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """From the request to speak each text to its first audio, and to its first sound for one who plays it at once."""
    first_audio, first_sound = [], []
    async with connect(url, transcription=False) as session:
        for text in texts:
            asked = time.monotonic()
            arrived, chunks = None, []
            async for chunk in session.speak(text):
                arrived = arrived or time.monotonic() - asked
                chunks.append(chunk)
            if arrived is None:
                raise RuntimeError(f"the voice was silent: {text}")
            first_audio.append(arrived)
            samples = np.frombuffer(b"".join(chunks), "<i2")
            first_sound.append(arrived + float(np.argmax(np.abs(samples) > AUDIBLE)) / RATE)
    return first_audio, first_sound


async def word_error_rate(url: str, clips: Sequence[SpeechClip]) -> float:
    """Of all the clips, each sent as fast as the server takes it."""
    heard = [(await listen(url, pcm(clip.samples), fast=True)).text for clip in clips]
    return float(jiwer.wer([_plain(clip.text) for clip in clips], [_plain(text) for text in heard]))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", re.sub(r"['’]", "", text.lower())))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
