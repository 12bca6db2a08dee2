"""The sound devices of this machine, through PortAudio, and the optional library that reaches them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Final, NamedTuple, Protocol

SAMPLE_RATE: Final = 24_000
"""Sample rate in Hz of what is recorded and played."""


_lock: Final = threading.Lock()
"""Held while streams of `_kept` are opened or closed."""


class SoundUnavailable(Exception):
    """This machine cannot record or play audio: a library or a device is missing."""


class UnknownDevice(SoundUnavailable):
    """There is no microphone of this name or number, or there are several; the message says which there are."""


class Device(NamedTuple):
    """A device that records. `number` is PortAudio's, which changes when devices are plugged in; `name` stays."""

    number: int
    name: str
    host: str
    default: bool


def load_sounddevice() -> ModuleType:
    """Import the optional library. Raises `SoundUnavailable` with what to install."""
    try:
        import sounddevice
    except ImportError:
        raise SoundUnavailable("needs sounddevice: pip install sounddevice") from None
    except OSError as error:
        raise SoundUnavailable(f"needs the PortAudio library of the operating system: {error}") from error
    return sounddevice


def microphones() -> list[Device]:
    """Return the devices that record, in PortAudio's order. Raises `SoundUnavailable`."""
    sounddevice = load_sounddevice()
    try:
        hosts = sounddevice.query_hostapis()
        default = sounddevice.default.device[0]
        return [
            Device(number, each["name"], hosts[each["hostapi"]]["name"], number == default)
            for number, each in enumerate(sounddevice.query_devices())
            if each["max_input_channels"] > 0
        ]
    except sounddevice.PortAudioError as error:
        raise SoundUnavailable(f"cannot list the devices: {error}") from error


def find_microphone(wanted: str) -> Device:
    """Return the microphone with this number, this name, or the only one whose name contains it.

    Raises `UnknownDevice`, and `SoundUnavailable`.
    """
    devices = microphones()
    folded = wanted.casefold()
    for found in (
        [each for each in devices if wanted == str(each.number)],
        [each for each in devices if each.name.casefold() == folded],
        [each for each in devices if folded in each.name.casefold()],
    ):
        if len({each.name for each in found}) == 1:
            return found[0]  # of the same device through several hosts, PortAudio lists the usual one first
        if found:
            raise UnknownDevice(f"{wanted!r} means several devices: {', '.join(each.name for each in found)}")
    there = ", ".join(f"{each.number} {each.name}" for each in devices) or "none"
    raise UnknownDevice(f"there is no microphone {wanted!r}; those of this machine: {there}")


class Stream(Protocol):
    """A stream of a device that can be closed and opened again."""

    def open(self) -> None:
        """Open the device as it is now. Raises `SoundUnavailable`, and is closed then."""

    def close(self) -> None:
        """Close the device, if it is open."""


_kept: Final[set[Stream]] = set()
"""The streams that `look_for_devices` opens again."""


@contextmanager
def kept_open(stream: Stream) -> Iterator[None]:
    """Open a stream until the block ends, also when PortAudio forgets it meanwhile. Raises `SoundUnavailable`."""
    with _lock:
        stream.open()
        _kept.add(stream)
    try:
        yield
    finally:
        with _lock:
            _kept.discard(stream)
            stream.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what PortAudio and ALSA write to standard error, dozens of lines for a device that is not there.

    Nothing else of this process can write there meanwhile, so the block is to be short.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def look_for_devices() -> None:
    """Let PortAudio see which devices there are now.

    It lists them once, when it is initialized, and forgets all streams when it is initialized anew. Those that are kept
    open are opened again, if their device is still there.
    """
    sounddevice = load_sounddevice()
    with _lock:
        for stream in _kept:
            stream.close()
        sounddevice._terminate()
        sounddevice._initialize()
        for stream in _kept:
            with suppress(SoundUnavailable):
                stream.open()
