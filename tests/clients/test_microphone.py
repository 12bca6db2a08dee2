import asyncio
import sys
import types
from collections.abc import Callable
from typing import ClassVar

import pytest

import clients.microphone
from clients.microphone import Microphone, SoundUnavailable, load_sounddevice, open_microphone


class StandInStream:
    """A stand-in for sounddevice's `RawInputStream` that records two frames when it starts."""

    recorded: ClassVar[list[bytearray]] = []
    closed: ClassVar[list[bool]] = []

    def __init__(
        self, *, callback: Callable[..., None], samplerate: int, channels: int, dtype: str, blocksize: int
    ) -> None:
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")
        self._callback = callback

    def start(self) -> None:
        for frame in self.recorded:
            self._callback(frame, len(frame) // 2, None, None)
            frame[:] = bytes(len(frame))

    def close(self) -> None:
        self.closed.append(True)


class BrokenStream:
    def __init__(self, **_: object) -> None:
        raise OSError("Error querying device -1")


def sounddevice(stream: type) -> types.ModuleType:
    module = types.ModuleType("sounddevice")
    module.RawInputStream = stream  # type: ignore[attr-defined]
    module.PortAudioError = OSError  # type: ignore[attr-defined]
    return module


def take(microphone: Microphone) -> list[bytes]:
    async def client() -> list[bytes]:
        return [frame async for frame in microphone]

    return asyncio.run(client())


def test_frames_are_copies_of_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice(StandInStream))
    monkeypatch.setattr(StandInStream, "recorded", [bytearray(b"\x01\x02"), bytearray(b"\x03\x04")])
    monkeypatch.setattr(StandInStream, "closed", [])

    async def client() -> list[bytes]:
        with open_microphone() as microphone:
            frames = [await anext(microphone), await anext(microphone)]
            microphone.stop()
            return frames + [frame async for frame in microphone]

    assert asyncio.run(client()) == [b"\x01\x02", b"\x03\x04"]
    assert StandInStream.closed == [True]


def test_frames_recorded_before_the_stop_are_delivered() -> None:
    microphone = Microphone()
    microphone.offer(b"before")
    microphone.stop()
    microphone.offer(b"after")
    assert take(microphone) == [b"before"]


def test_a_stalled_reader_loses_the_oldest_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.microphone, "MAX_WAITING", 2)
    microphone = Microphone()
    for frame in (b"1", b"2", b"3"):
        microphone.offer(frame)
    microphone.stop()
    assert take(microphone) == [b"2", b"3"]
    assert microphone.lost == 1


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SoundUnavailable, match="pip install sounddevice"):
        load_sounddevice()


def test_a_missing_device_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice(BrokenStream))

    async def client() -> None:
        with open_microphone():
            pass

    with pytest.raises(SoundUnavailable, match="needs a microphone"):
        asyncio.run(client())
