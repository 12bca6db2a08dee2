import asyncio
import sys
from collections.abc import Awaitable, Callable

import pytest

import clients.microphone
import clients.recorder
from clients.loudspeaker import open_loudspeaker
from clients.microphone import Microphone, open_microphone
from clients.sound_devices import SoundUnavailable, UnknownDevice, find_microphone, load_sounddevice
from tests.support.portaudio import Plugged, PortAudio

SILENCE = bytes(1_920)
USB, BUILT_IN = Plugged("USB Headset"), Plugged("Built-in Audio")


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> PortAudio:
    """Two microphones, the built-in one the default; what is unplugged is looked for without waiting."""
    module = PortAudio(BUILT_IN, USB)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(clients.recorder, "RETRY_SECONDS", 0.04)
    return module


def take(microphone: Microphone) -> list[bytes]:
    async def client() -> list[bytes]:
        return [frame async for frame in microphone]

    return asyncio.run(client())


def recording(client: Callable[[Microphone, asyncio.Queue[str]], Awaitable[None]], device: str | None = None) -> None:
    """Run a client with a microphone and what it tells the user."""

    async def run() -> None:
        told: asyncio.Queue[str] = asyncio.Queue()
        async with asyncio.timeout(20):
            with open_microphone(device, told.put_nowait) as microphone:
                await client(microphone, told)

    asyncio.run(run())


async def next_sound(microphone: Microphone) -> bytes:
    """Return the next frame that is not silent."""
    while (frame := await anext(microphone)) == SILENCE:
        pass
    return frame


def test_frames_are_copies_of_what_was_recorded(portaudio: PortAudio) -> None:
    async def client(microphone: Microphone, _: asyncio.Queue[str]) -> None:
        portaudio.open["Built-in Audio"].record(b"\x01\x02")
        portaudio.open["Built-in Audio"].record(b"\x03\x04")
        assert [await anext(microphone), await anext(microphone)] == [b"\x01\x02", b"\x03\x04"]
        microphone.stop()
        assert [frame async for frame in microphone] == []
        assert [frame async for frame in microphone] == []  # it stays ended

    recording(client)
    assert portaudio.open == {}


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
    monkeypatch.setitem(sys.modules, "sounddevice", PortAudio())

    async def client() -> None:
        with open_microphone():
            pass

    with pytest.raises(SoundUnavailable, match="needs a microphone"):
        asyncio.run(client())


@pytest.mark.parametrize("wanted", ["1", "USB Headset", "usb headset", "headset"])
def test_a_device_is_found_by_its_number_its_name_or_a_part_of_it(portaudio: PortAudio, wanted: str) -> None:
    assert find_microphone(wanted).name == "USB Headset"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("2", "there is no microphone '2'; those of this machine: 0 Built-in Audio, 1 USB Headset"),  # a loudspeaker
        ("webcam", "there is no microphone 'webcam'"),
        ("u", "'u' means several devices: Built-in Audio, USB Headset"),
    ],
)
def test_a_name_of_no_or_of_several_devices_is_refused(portaudio: PortAudio, wanted: str, message: str) -> None:
    with pytest.raises(UnknownDevice) as refusal:
        find_microphone(wanted)
    assert str(refusal.value).startswith(message)


def test_a_device_that_is_unplugged_is_silent_until_it_is_back(
    portaudio: PortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.recorder, "PATIENCE", 1_000)

    async def client(microphone: Microphone, told: asyncio.Queue[str]) -> None:
        portaudio.open["USB Headset"].record(b"\x01\x02")
        assert await anext(microphone) == b"\x01\x02"
        portaudio.unplug("USB Headset")
        assert await told.get() == "the microphone is gone; waiting for it"
        assert await anext(microphone) == SILENCE
        portaudio.plugged.append(USB)
        assert await told.get() == "recording again, from USB Headset"
        portaudio.open["USB Headset"].record(b"\x03\x04")
        assert await next_sound(microphone) == b"\x03\x04"

    recording(client, "headset")


def test_a_device_that_delivers_nothing_is_taken_for_unplugged(
    portaudio: PortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.recorder, "PATIENCE", 1_000)
    monkeypatch.setattr(clients.recorder, "STALL_SECONDS", 0.04)

    async def client(microphone: Microphone, told: asyncio.Queue[str]) -> None:
        assert await told.get() == "the microphone is gone; waiting for it"
        assert await anext(microphone) == SILENCE
        assert await told.get() == "recording again, from USB Headset"

    recording(client, "headset")


def test_another_device_takes_the_place_of_one_that_does_not_come_back(portaudio: PortAudio) -> None:
    async def client(microphone: Microphone, told: asyncio.Queue[str]) -> None:
        portaudio.unplug("USB Headset")
        assert await told.get() == "the microphone is gone; waiting for it"
        assert await told.get() == "recording again, from the default microphone"
        portaudio.open["Built-in Audio"].record(b"\x03\x04")
        assert await next_sound(microphone) == b"\x03\x04"

    recording(client, "USB Headset")


def test_a_loudspeaker_goes_on_playing_when_a_microphone_was_unplugged(portaudio: PortAudio) -> None:
    async def client(_: Microphone, told: asyncio.Queue[str]) -> None:
        with open_loudspeaker() as loudspeaker:
            before = portaudio.playing[0]
            loudspeaker.play(b"\x01\x02" * 960)
            assert before.play() == b"\x01\x02" * 480
            portaudio.unplug("USB Headset")
            assert await told.get() == "the microphone is gone; waiting for it"
            assert await told.get() == "recording again, from the default microphone"
            (after,) = portaudio.playing
            assert after is not before
            assert after.play() == b"\x01\x02" * 480
            assert loudspeaker.played_seconds == pytest.approx(0.04)

    recording(client, "USB Headset")
    assert portaudio.playing == []


def test_recording_ends_while_a_device_is_waited_for(portaudio: PortAudio) -> None:
    async def client(microphone: Microphone, told: asyncio.Queue[str]) -> None:
        portaudio.plugged.clear()
        portaudio.open["Built-in Audio"].finished_callback()
        assert await told.get() == "the microphone is gone; waiting for it"
        microphone.stop()

    recording(client)
    assert portaudio.open == {}


@pytest.mark.parametrize("channels", [1, 2])
def test_a_device_that_knows_only_its_own_rate_is_converted(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    module = PortAudio(Plugged("Interface", rates=(48_000,), channels=channels))
    monkeypatch.setitem(sys.modules, "sounddevice", module)

    async def client(microphone: Microphone, _told: asyncio.Queue[str]) -> None:
        stream = module.open["Interface"]
        assert (stream.samplerate, stream.blocksize, stream.channels) == (48_000, 1_920, channels)
        for _ in range(25):
            stream.record(bytes(stream.blocksize * 2 * channels))
        await asyncio.sleep(0)
        microphone.stop()
        heard = sum(len(frame) for frame in [frame async for frame in microphone]) / 2 / 24_000
        assert heard == pytest.approx(1.0, abs=0.01)

    recording(client)
