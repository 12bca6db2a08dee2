"""A stand-in for the package sounddevice, whose microphones a test plugs in and out and speaks into."""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class PortAudioError(Exception):
    """As in the package."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """A device. `rates` are the sample rates in Hz that it knows, the first is its own."""

    name: str
    rates: tuple[int, ...] = (48_000, 24_000)
    channels: int = 1


class PortAudio(types.ModuleType):
    """The module. Like PortAudio it lists devices only when it is initialized; the first is the default one."""

    PortAudioError = PortAudioError

    def __init__(self, *devices: Plugged) -> None:
        super().__init__("sounddevice")
        self.plugged = list(devices)
        self.open: dict[str, InputStream] = {}
        self.playing: list[OutputStream] = []
        self._initialize()

    def _initialize(self) -> None:
        self._listed = list(self.plugged)
        self.default = types.SimpleNamespace(device=(0 if self._listed else -1, -1))

    def _terminate(self) -> None:
        assert [*self.open, *self.playing] == [], "PortAudio would close these streams under their users"

    def query_hostapis(self) -> list[dict[str, str]]:
        return [{"name": "ALSA"}]

    def query_devices(self, device: int | None = None, kind: str | None = None) -> Any:
        loudspeaker = {"name": "Loudspeaker", "hostapi": 0, "max_input_channels": 0, "default_samplerate": 48_000.0}
        described = [
            {"name": each.name, "hostapi": 0, "max_input_channels": each.channels, "default_samplerate": each.rates[0]}
            for each in self._listed
        ]
        if kind is None:
            return [*described, loudspeaker]
        if not described:
            raise PortAudioError("Error querying device -1")
        return described[device or 0]

    def RawInputStream(self, *, device: int = 0, **parameters: Any) -> "InputStream":  # noqa: N802 - as in the package
        listed = self._listed[device] if device < len(self._listed) else None
        if listed is None or listed not in self.plugged:
            raise PortAudioError("Error querying device -1")
        return InputStream(self, listed, **parameters)

    def RawOutputStream(self, **parameters: Any) -> "OutputStream":  # noqa: N802 - as in the package
        return OutputStream(self, **parameters)

    def unplug(self, name: str) -> None:
        """Take a device away; its stream ends."""
        self.plugged = [each for each in self.plugged if each.name != name]
        self.open[name].finished_callback()


class InputStream:
    """A stream of one device."""

    def __init__(
        self,
        owner: PortAudio,
        device: Plugged,
        *,
        samplerate: int,
        blocksize: int,
        channels: int,
        dtype: str,
        callback: Callable[..., None],
        finished_callback: Callable[[], None],
    ) -> None:
        assert dtype == "int16"
        if samplerate not in device.rates or channels > device.channels:
            raise PortAudioError("Invalid sample rate")
        self.samplerate, self.blocksize, self.channels = samplerate, blocksize, channels
        self.finished_callback = finished_callback
        self._owner = owner
        self._device = device
        self._callback = callback

    def start(self) -> None:
        self._owner.open[self._device.name] = self

    def record(self, frame: bytes) -> None:
        """Hand over a frame, in memory that is used again."""
        memory = bytearray(frame)
        self._callback(memory, len(frame) // 2 // self.channels, None, None)
        memory[:] = bytes(len(frame))

    def close(self) -> None:
        self._owner.open.pop(self._device.name, None)


class OutputStream:
    """A stream of the loudspeaker."""

    def __init__(
        self,
        owner: PortAudio,
        *,
        samplerate: int,
        channels: int,
        dtype: str,
        blocksize: int = 0,
        callback: Callable[..., None] | None = None,
    ) -> None:
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")
        self._owner = owner
        self._blocksize = blocksize
        self._callback = callback

    def start(self) -> None:
        self._owner.playing.append(self)

    def play(self) -> bytes:
        """Play the next block, and return it."""
        assert self._callback is not None
        block = bytearray(self._blocksize * 2)
        self._callback(memoryview(block), self._blocksize, None, None)
        return bytes(block)

    def close(self) -> None:
        if self in self._owner.playing:
            self._owner.playing.remove(self)
