"""Streams in real time, one or many: each frame is sent when a microphone would have recorded its last sample."""

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
from tests.bench.speech_clips import RATE, pcm
from tests.bench.speech_tracks import Track
from tests.support.pending_transcripts import PendingTranscripts

FRAME_SECONDS: Final = 0.1
"""Seconds of audio in a frame of one of many streams: long, so that sending costs little."""

STAGGER: Final = 0.37
"""Most seconds between the beginnings of two streams, so that they do not speak in step."""

MAX_RAMP: Final = 5.0
"""Seconds in which all streams have begun: many follow each other sooner."""

SILENCE_MS: Final = 500
OPEN_SECONDS: Final = 30.0
DRAIN_SECONDS: Final = 30.0
"""Seconds after the end of the audio after which a missing transcript counts as lost."""


@dataclass(slots=True)
class StreamRecord:
    """The events of one stream, each with its time in seconds since the stream began.

    Attributes:
        began: When the stream began, in monotonic seconds.
        sent_late: Largest delay of a frame, in seconds.
        refusal: How admission control refused the stream; there are no events then.
        refused_after: Seconds from the first packet to that refusal.
        failure: What else went wrong; empty if nothing did.
    """

    began: float = 0.0
    events: list[tuple[float, Event]] = field(default_factory=list)
    sent_late: float = 0.0
    refusal: ConnectionRefused | None = None
    refused_after: float = 0.0
    failure: str = ""

    @property
    def refused(self) -> bool:
        return self.refusal is not None

    @property
    def text(self) -> str:
        return " ".join(event.text for _, event in self.events if isinstance(event, Completed))


def stagger(streams: int) -> float:
    """Return the seconds between the beginnings of two of so many streams."""
    return min(STAGGER, MAX_RAMP / streams)


async def play(url: str, tracks: Sequence[Track]) -> list[StreamRecord]:
    """Play all tracks concurrently, each starting `STAGGER` seconds after the one before or sooner."""

    async def stream(number: int, track: Track) -> StreamRecord:
        await asyncio.sleep(number * stagger(len(tracks)))
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
) -> StreamRecord:
    """Send one stream, in real time unless `fast`, and receive until all transcripts are complete.

    Failures are reported in the result and never raised.
    """
    record, pending = StreamRecord(), PendingTranscripts()
    size = round(frame_seconds * RATE) * 2
    frames = [audio[start : start + size] for start in range(0, len(audio), size)]
    opened = time.monotonic()
    try:
        async with connect(
            url, partials=True, silence_ms=silence_ms, language=language, open_timeout=OPEN_SECONDS
        ) as session:
            record.began = time.monotonic()
            async with asyncio.timeout(len(frames) * frame_seconds + DRAIN_SECONDS):
                sending = asyncio.create_task(_send(session, frames, 0.0 if fast else frame_seconds, record, pending))
                try:
                    await _receive(session, record, pending)
                finally:
                    sending.cancel()
                    await asyncio.wait([sending])
    except ConnectionRefused as refusal:
        if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
            record.refusal, record.refused_after = refusal, time.monotonic() - opened
        else:
            record.failure = str(refusal)
    except StopAsyncIteration:
        record.failure = "the server ended the session"
    except TimeoutError:
        record.failure = f"not complete {DRAIN_SECONDS:g} s after the end of the audio"
    except RealtimeError as error:
        record.failure = str(error)
    record.failure = record.failure or "; ".join(pending.warnings)
    return record


async def _send(
    session: Session, frames: Sequence[bytes], pace: float, record: StreamRecord, pending: PendingTranscripts
) -> None:
    with suppress(RealtimeError):  # the receiver reports it
        for number, frame in enumerate(frames, 1):
            if pace:
                leaves = record.began + number * pace
                await asyncio.sleep(max(0.0, leaves - time.monotonic()))
                record.sent_late = max(record.sent_late, time.monotonic() - leaves)
            await session.send_audio(frame)
        pending.final_commits.extend([await session.commit(), await session.commit()])


async def _receive(session: Session, record: StreamRecord, pending: PendingTranscripts) -> None:
    while not pending.done:
        event = await anext(session)
        if not pending.receive(event):
            record.events.append((time.monotonic() - record.began, event))
