import asyncio
import io
import os
import threading
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from clients.playback import FRAME_BYTES, SAMPLE_RATE, AudioUnreadable, decode, decode_stream, play
from tests.support import recordings

TONE = 440.0


def tone(seconds: float, rate: int) -> NDArray[np.int16]:
    return (np.sin(2 * np.pi * TONE * np.arange(round(seconds * rate)) / rate) * 16_000).astype(np.int16)


def write(path: Path, codec: str, rate: int, channels: int) -> None:
    """Write one second of a tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono" if channels == 1 else "stereo")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(tone(1.0, rate), channels).reshape(1, -1), format="s16", layout=stream.layout.name
        )
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def wav_bytes(samples: NDArray[np.int16], rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def pitch(frames: list[bytes]) -> float:
    samples = np.frombuffer(b"".join(frames), np.int16).astype(np.float64)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels"),
    [
        ("a.wav", "pcm_s16le", 24_000, 1),
        ("b.wav", "pcm_s16le", 44_100, 2),
        ("c.ogg", "libopus", 48_000, 2),
        ("d.flac", "flac", 16_000, 1),
    ],
)
def test_any_file_becomes_frames_of_40_ms(tmp_path: Path, name: str, codec: str, rate: int, channels: int) -> None:
    write(tmp_path / name, codec, rate, channels)
    frames = list(decode(str(tmp_path / name)))
    assert {len(frame) for frame in frames[:-1]} == {FRAME_BYTES}
    assert 0 < len(frames[-1]) <= FRAME_BYTES
    assert sum(map(len, frames)) == pytest.approx(SAMPLE_RATE * 2, rel=0.01)
    assert pitch(frames) == pytest.approx(TONE, abs=2)


def test_a_file_is_read_around_its_damage(tmp_path: Path) -> None:
    parts = []
    for number, rate in enumerate((44_100, 22_050)):
        write(tmp_path / f"{number}.mp3", "libmp3lame", rate, 1)
        parts.append((tmp_path / f"{number}.mp3").read_bytes())
    tag = b"TAG" + bytes(125)
    (tmp_path / "joined.mp3").write_bytes(parts[0] + tag + bytes(500) + parts[0] + tag + parts[1])
    frames = list(decode(str(tmp_path / "joined.mp3")))
    assert {len(frame) for frame in frames[:-1]} == {FRAME_BYTES}
    assert sum(map(len, frames)) == pytest.approx(3 * SAMPLE_RATE * 2, rel=0.1)
    assert pitch(frames) == pytest.approx(TONE, abs=2)


def test_a_file_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "tone.m4a", "aac", 16_000, 1)
    whole = (tmp_path / "tone.m4a").read_bytes()
    start, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    (tmp_path / "tone.m4a").write_bytes(whole[:start] + b"\xff" * (end - start) + whole[end:])
    with pytest.raises(AudioUnreadable, match="cannot decode"):
        list(decode(str(tmp_path / "tone.m4a")))


def test_a_file_at_the_right_rate_is_left_as_it_is(tmp_path: Path) -> None:
    samples = tone(0.5, SAMPLE_RATE)
    (tmp_path / "tone.wav").write_bytes(wav_bytes(samples, SAMPLE_RATE))
    assert b"".join(decode(str(tmp_path / "tone.wav"))) == samples.tobytes()


def test_raw_samples_come_from_a_pipe_as_they_are() -> None:
    samples = tone(0.1, SAMPLE_RATE).tobytes()
    frames = list(decode_stream(io.BytesIO(samples)))
    assert [len(frame) for frame in frames] == [FRAME_BYTES, FRAME_BYTES, len(samples) - 2 * FRAME_BYTES]
    assert b"".join(frames) == samples


def test_half_a_sample_at_the_end_of_a_pipe_is_dropped() -> None:
    assert list(decode_stream(io.BytesIO(b"\x01\x02\x03"))) == [b"\x01\x02"]


def test_a_single_byte_is_no_audio() -> None:
    assert list(decode_stream(io.BytesIO(b"\x01"))) == []


def test_a_wav_file_is_recognized_in_a_pipe_that_cannot_seek() -> None:
    content = wav_bytes(tone(1.0, 16_000), 16_000)
    reading, writing = os.pipe()

    def fill() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)

    filling = threading.Thread(target=fill)
    filling.start()
    with os.fdopen(reading, "rb") as pipe:
        frames = list(decode_stream(pipe))
    filling.join()
    assert sum(map(len, frames)) == pytest.approx(SAMPLE_RATE * 2, rel=0.01)
    assert pitch(frames) == pytest.approx(TONE, abs=2)


def test_a_file_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(AudioUnreadable, match=r"cannot open .*No such file"):
        decode(str(tmp_path / "missing.wav"))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("letter.txt", "Dear server, " * 100, "has no audio"),  # FFmpeg takes a text for a picture
        ("letter.wav", "Dear server, " * 100, "it is no audio or video"),
        ("empty.wav", "", "it is no audio or video"),
    ],
)
def test_a_file_that_is_no_audio_is_refused_at_once(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AudioUnreadable, match=reason):
        decode(str(tmp_path / name))


class Clock:
    """A clock that advances only while sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def sent_at(frames: Iterator[bytes], clock: Clock, *, fast: bool = False) -> list[float]:
    async def client() -> list[float]:
        return [round(clock() - 100.0, 6) async for _ in play(frames, fast=fast, clock=clock, sleep=clock.sleep)]

    return asyncio.run(client())


def test_a_frame_goes_out_when_its_last_sample_would_have_been_heard() -> None:
    frames = [bytes(FRAME_BYTES), bytes(FRAME_BYTES), bytes(FRAME_BYTES // 2)]
    assert sent_at(iter(frames), Clock()) == [0.04, 0.08, 0.1]


def test_a_late_frame_does_not_delay_those_after_it() -> None:
    clock = Clock()

    def slow() -> Iterator[bytes]:
        yield bytes(FRAME_BYTES)
        clock.now += 0.1
        yield bytes(FRAME_BYTES)
        yield bytes(FRAME_BYTES)
        yield bytes(FRAME_BYTES)

    assert sent_at(slow(), clock) == [0.04, 0.14, 0.14, 0.16]


def test_fast_frames_never_wait() -> None:
    clock = Clock()
    assert len(sent_at(iter([bytes(FRAME_BYTES)] * 3), clock, fast=True)) == 3
    assert clock.slept == []


def tracks(path: Path, *levels: float, default: int = 0) -> str:
    """Write a file with a track for each level, whose tones are 400 Hz apart."""
    data = recordings.tracks_file(
        [np.float32(level) * recordings.tone(1.0, 400.0 * (number + 1)) for number, level in enumerate(levels)],
        languages=["eng", "ger", "fre"],
        default=default,
        codec="flac",
    )
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    ("levels", "default", "named", "heard"),
    [
        ((0.5, 0.5), 0, None, 400),
        ((0.5, 0.5), 1, None, 800),
        ((0.0, 0.5), 0, None, 800),
        ((0.0001, 0.5), 0, None, 800),
        ((0.5, 0.0, 0.5), 1, None, 400),
        ((0.5, 0.5), 0, "1", 800),
        ((0.5, 0.5, 0.5), 0, "FRE", 1200),
    ],
)
def test_the_track_that_a_player_would_choose_is_played_unless_it_is_silent(
    tmp_path: Path, levels: tuple[float, ...], default: int, named: str | None, heard: float
) -> None:
    path = tracks(tmp_path / "a.mkv", *levels, default=default)
    assert pitch([*decode(path, named)]) == pytest.approx(heard, abs=5)


def test_of_silent_tracks_the_preferred_one_is_played(tmp_path: Path) -> None:
    frames = [*decode(tracks(tmp_path / "a.mkv", 0.0, 0.0))]
    assert sum(map(len, frames)) == pytest.approx(2 * SAMPLE_RATE, rel=0.05)
    assert not any(map(any, frames))


def test_an_unknown_track_is_unreadable_and_the_others_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioUnreadable, match=r"no audio track '5'; the file has 0 \(eng\), 1 \(ger\)"):
        decode(tracks(tmp_path / "a.mkv", 0.5, 0.5), "5")
