"""Streams at the pace of speech, one or many: each frame is sent when its last sample would have left a microphone."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from clients.aio import Session, connect
from clients.errors import ConnectionRefused, RealtimeError
from clients.events import Completed, Event
from clients.pending import PendingTranscripts
from tests.bench.speech_clips import RATE, pcm
from tests.bench.speech_tracks import Track

FRAME_SECONDS: Final = 0.1
"""Of each of many streams: sending must not cost much."""

STAGGER: Final = 0.37
"""Seconds between the beginnings of two streams, so that they do not speak in step."""

SILENCE_MS: Final = 500
OPEN_SECONDS: Final = 30.0
DRAIN_SECONDS: Final = 30.0
"""An answer that comes later than this after the end of the audio counts as never."""


@dataclass(slots=True)
class Heard:
    """Everything the server said of one stream, each with its time in seconds since the stream began.

    `began` is that moment on the monotonic clock, `sent_late` the most by which a frame was late. A stream that was
    `refused` by the server's admission control has heard nothing; `failure` says what else went wrong.
    """

    began: float = 0.0
    events: list[tuple[float, Event]] = field(default_factory=list)
    sent_late: float = 0.0
    refused: bool = False
    failure: str = ""

    @property
    def text(self) -> str:
        return " ".join(event.text for _, event in self.events if isinstance(event, Completed))


async def play(url: str, tracks: Sequence[Track]) -> list[Heard]:
    """All tracks at the same time, each begun `STAGGER` after the one before."""

    async def stream(number: int, track: Track) -> Heard:
        await asyncio.sleep(number * STAGGER)
        audio = pcm(track.samples)
        return await listen(url, audio, frame_seconds=FRAME_SECONDS, silence_ms=SILENCE_MS, language="en")

    return await asyncio.gather(*(stream(number, track) for number, track in enumerate(tracks)))


async def listen(
    url: str,
    audio: bytes,
    *,
    frame_seconds: float,
    fast: bool = False,
    silence_ms: int | None = None,
    language: str | None = None,
) -> Heard:
    """Send one stream, at the pace of speech unless `fast`, until the server owes nothing more.

    What goes wrong is told by the result and never raised.
    """
    heard, pending = Heard(), PendingTranscripts()
    size = round(frame_seconds * RATE) * 2
    frames = [audio[start : start + size] for start in range(0, len(audio), size)]
    try:
        async with connect(
            url, partials=True, silence_ms=silence_ms, language=language, open_timeout=OPEN_SECONDS
        ) as session:
            heard.began = time.monotonic()
            async with asyncio.timeout(len(frames) * frame_seconds + DRAIN_SECONDS):
                sending = asyncio.create_task(_send(session, frames, 0.0 if fast else frame_seconds, heard, pending))
                try:
                    await _receive(session, heard, pending)
                finally:
                    sending.cancel()
                    await asyncio.wait([sending])
    except ConnectionRefused as refusal:
        heard.refused = refusal.status == HTTPStatus.SERVICE_UNAVAILABLE
        heard.failure = "" if heard.refused else str(refusal)
    except StopAsyncIteration:
        heard.failure = "the server ended the session"
    except TimeoutError:
        heard.failure = f"not complete {DRAIN_SECONDS:g} s after the end of the audio"
    except RealtimeError as error:
        heard.failure = str(error)
    heard.failure = heard.failure or "; ".join(pending.warnings)
    return heard


async def _send(
    session: Session, frames: Sequence[bytes], pace: float, heard: Heard, pending: PendingTranscripts
) -> None:
    with suppress(RealtimeError):  # whoever receives meets it too
        for number, frame in enumerate(frames, 1):
            if pace:
                leaves = heard.began + number * pace
                await asyncio.sleep(max(0.0, leaves - time.monotonic()))
                heard.sent_late = max(heard.sent_late, time.monotonic() - leaves)
            await session.send_audio(frame)
        pending.final_commits.extend([await session.commit(), await session.commit()])


async def _receive(session: Session, heard: Heard, pending: PendingTranscripts) -> None:
    while not pending.done:
        event = await anext(session)
        if not pending.receive(event):
            heard.events.append((time.monotonic() - heard.began, event))
