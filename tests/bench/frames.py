"""What a frame of 20 ms costs codec and session of each dialect, without the engines: `python -m tests.bench.frames`.

The time of the thread is measured, with a detector that hears nothing and costs nothing.
"""

import base64
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import numpy as np

from realtime.catalogue.table import WHISPER_BASE
from realtime.session.commands import Command
from realtime.session.jobs import ScoreWindows, WindowsScored
from realtime.session.session import Session
from realtime.wire.codec import Answer, Codec, Decoded, Handshake, MediaChunk, VoiceRecording
from realtime.wire.deepgram.listen import ListenCodec
from realtime.wire.openai.codec import OpenAICodec
from realtime.wire.twilio.codec import TwilioCodec
from realtime.wire.vosk.codec import VoskCodec
from realtime.wire.whisperlive.codec import WhisperLiveCodec
from realtime.wire.wyoming.codec import WyomingCodec
from realtime.wire.wyoming.framing import EventReader, WyomingEvent

FRAMES: Final = 5_000

_SAMPLES: Final = 320
"""Samples of a frame at 16 kHz."""

_PCM: Final = bytes(2 * _SAMPLES)
_RECOGNIZER: Final = WHISPER_BASE

Decode = Callable[[Any], Sequence[Decoded]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A connection: how it is opened, and what its client sends, first and then for each frame."""

    name: str
    open: Callable[[Handshake], Codec]
    frame: str | bytes
    opening: tuple[str | bytes, ...] = ()
    query: tuple[tuple[str, str], ...] = ()


class _Wyoming(WyomingCodec):
    """The codec of Wyoming behind the reader of its framing."""

    def __init__(self, handshake: Handshake) -> None:
        super().__init__(handshake)
        self._reader = EventReader(max_bytes=1 << 20)

    def read(self, data: bytes) -> list[Command]:
        return [command for event in self._reader.feed(data) for command in self.decode(event)]


def _media(samples: bytes) -> str:
    return base64.b64encode(samples).decode()


_TWILIO_FORMAT: Final = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
_TWILIO_START: Final = {
    "event": "start",
    "streamSid": "MZ1",
    "start": {"streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"], "mediaFormat": _TWILIO_FORMAT},
}
_PCM_FORMAT: Final = {"rate": 16_000, "width": 2, "channels": 1}

DIALECTS: Final = (
    Dialect(
        "openai",
        OpenAICodec.open,
        json.dumps({"type": "input_audio_buffer.append", "audio": _media(bytes(960))}),
    ),
    Dialect(
        "openai, ext=resume",
        OpenAICodec.open,
        json.dumps({"type": "input_audio_buffer.append", "audio": _media(bytes(960))}),
        query=(("ext", "resume"),),
    ),
    Dialect("deepgram", ListenCodec.open, _PCM, query=(("encoding", "linear16"), ("sample_rate", "16000"))),
    Dialect(
        "twilio",
        TwilioCodec.open,
        json.dumps(
            {"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": _media(b"\xff" * 160)}}
        ),
        opening=(json.dumps({"event": "connected"}), json.dumps(_TWILIO_START)),
    ),
    Dialect("vosk", VoskCodec.open, _PCM, opening=(json.dumps({"config": {"sample_rate": 16_000}}),)),
    Dialect(
        "whisperlive",
        WhisperLiveCodec.open,
        bytes(4 * _SAMPLES),
        opening=(json.dumps({"uid": "1", "language": "en", "task": "transcribe", "model": "base"}),),
    ),
)

_WYOMING_OPENING: Final = WyomingEvent("audio-start", _PCM_FORMAT).frame()
_WYOMING_FRAME: Final = WyomingEvent("audio-chunk", _PCM_FORMAT, _PCM).frame()


def figures() -> Iterator[tuple[str, float]]:
    """Yield the name of each dialect and the microseconds of a frame."""
    for dialect in DIALECTS:
        codec = dialect.open(_handshake(dialect.query))
        yield dialect.name, _microseconds(codec.decode, codec, dialect.opening, dialect.frame)
    wyoming = _Wyoming(_handshake())
    yield "wyoming", _microseconds(wyoming.read, wyoming, (_WYOMING_OPENING,), _WYOMING_FRAME)


def _handshake(query: tuple[tuple[str, str], ...] = ()) -> Handshake:
    numbers = count()
    return Handshake(
        session_id="sess_1",
        query={name: (value,) for name, value in query},
        new_id=lambda kind: f"{kind}_{next(numbers)}",
        find_recognizer=lambda _: _RECOGNIZER,
        find_voice=lambda _: "calm",
        max_input_characters=32_768,
        chat=True,
    )


def _microseconds(decode: Decode, codec: Codec | WyomingCodec, opening: Sequence[str | bytes], frame: Any) -> float:
    """Return the mean of the fastest nine tenths of the frames."""
    numbers = count()
    session = Session(codec.config, lambda kind: f"{kind}_{next(numbers)}")
    for message in opening:
        _pass_on(decode(message), session)
    times = []
    for _ in range(FRAMES):
        began = time.thread_time_ns()
        _pass_on(decode(frame), session)
        times.append(time.thread_time_ns() - began)
    return statistics.fmean(sorted(times)[: FRAMES * 9 // 10]) / 1e3


NOT_COMMANDS = (MediaChunk, VoiceRecording, Answer)


def _pass_on(commands: Sequence[Decoded], session: Session) -> None:
    state = np.zeros(1, np.float32)
    inputs: list[Any] = [command for command in commands if not isinstance(command, NOT_COMMANDS)]
    while inputs:
        outputs = session.receive(inputs.pop(0), 0.0)
        jobs = [output for output in outputs if isinstance(output, ScoreWindows)]
        inputs += [WindowsScored(job.number, [0.0] * len(job.windows), state) for job in jobs]


if __name__ == "__main__":
    for name, microseconds in figures():
        print(f"{name}: {microseconds:.1f} microseconds")
