"""A recording device that is kept open: when it is unplugged, silence takes its place until it or another is there.

PortAudio calls back with each frame in a thread of its own. A second thread watches that it does: some systems say that
a device is gone, on others the frames just stop.
"""

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from clients.sound_devices import SAMPLE_RATE, SoundUnavailable, find_microphone, look_for_devices, quiet

FRAME_SAMPLES: Final = SAMPLE_RATE * 40 // 1000
"""Samples of one frame: 40 ms."""

STALL_SECONDS: Final = 2.0
"""Seconds without a frame after which a device is taken for unplugged."""

START_STALLS: Final = 5
"""How many times longer the first frame may take.

PulseAudio took up to 1.7 s for it on a busy machine, and headsets change their profile first.
"""

RETRY_SECONDS: Final = 1.0
"""Seconds between two attempts to open a device that was unplugged."""

PATIENCE: Final = 5
"""Attempts to open the chosen device before the default one takes its place."""

CLOSE_SECONDS: Final = 5.0
"""Seconds that closing waits for the watching thread, which a driver may hold up."""


class Recorder:
    """Delivers frames of PCM16, mono, 24 kHz, until it is closed.

    `device` is a name or number as of `find_microphone`, or None for the default. `deliver` takes the frames, and
    `notify` a line for the user when the device is gone or back; both are called in other threads.
    """

    def __init__(
        self,
        sounddevice: ModuleType,
        device: str | None,
        deliver: Callable[[bytes], object],
        notify: Callable[[str], object],
    ) -> None:
        self._sounddevice = sounddevice
        self._wanted = None if device is None else find_microphone(device).name
        self._deliver = deliver
        self._notify = notify
        self._stream: Any = None
        self._frames = 0  # since the device was opened
        self._closing = False
        self._wake = threading.Event()  # the device has stopped, or the recorder is closed
        self._thread = threading.Thread(target=self._watch, name="microphone", daemon=True)

    def open(self) -> None:
        """Begin to record. Raises `SoundUnavailable`."""
        self._open(self._wanted)
        self._thread.start()

    def close(self) -> None:
        """Stop recording, if it has begun."""
        self._closing = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        self._close_stream()

    def _open(self, name: str | None) -> None:
        """Open a device at our sample rate, or at its own if it has no other. Raises `SoundUnavailable`."""
        chosen = {} if name is None else {"device": find_microphone(name).number}
        self._wake.clear()
        self._frames = 0
        try:
            try:
                self._start(chosen, SAMPLE_RATE, 1, self._record)
            except self._sounddevice.PortAudioError:
                self._close_stream()
                own = self._sounddevice.query_devices(chosen.get("device"), "input")
                rate, channels = round(own["default_samplerate"]), min(2, own["max_input_channels"])
                self._start(chosen, rate, channels, self._converted(rate, channels))
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise SoundUnavailable(f"needs a microphone: {error}") from error

    def _start(self, chosen: dict[str, int], rate: int, channels: int, record: Callable[[bytes], None]) -> None:
        stream: Any = None

        def take(data: bytes, *_: object) -> None:
            """Copy a frame out of PortAudio's memory."""
            if stream is self._stream:
                record(bytes(data))

        def stopped() -> None:
            if stream is self._stream:
                self._wake.set()

        stream = self._stream = self._sounddevice.RawInputStream(
            samplerate=rate,
            blocksize=rate * FRAME_SAMPLES // SAMPLE_RATE,
            channels=channels,
            dtype="int16",
            callback=take,
            finished_callback=stopped,
            **chosen,
        )
        stream.start()

    def _record(self, frame: bytes) -> None:
        self._frames += 1
        self._deliver(frame)

    def _converted(self, rate: int, channels: int) -> Callable[[bytes], None]:
        """Return what takes frames at the device's own rate and channels."""
        import av  # only such devices need it
        import numpy as np

        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)

        def record(data: bytes) -> None:
            samples = np.frombuffer(data, np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo" if channels == 2 else "mono")
            frame.sample_rate = rate
            for each in resampler.resample(frame):
                self._record(each.to_ndarray().tobytes())

        return record

    def _watch(self) -> None:
        while not self._lost():
            pass
        while not self._closing:
            self._notify("the microphone is gone; waiting for it")
            self._close_stream()
            self._reopen()
            while not self._lost():
                pass

    def _lost(self) -> bool:
        """Wait for a while; return whether the device has stopped meanwhile, or this recorder is closed."""
        before = self._frames
        stalls = 1 if before else START_STALLS
        for _ in range(stalls):
            if self._wake.wait(STALL_SECONDS) or self._closing:
                return True
            if self._frames != before:
                return False
        self._fill(stalls * STALL_SECONDS)
        return True

    def _reopen(self) -> None:
        """Try to open the chosen device, later the default one, until it succeeds or the recorder is closed."""
        attempts = 0
        while not self._closing:
            attempts += 1
            name = self._wanted if attempts <= PATIENCE else None
            try:
                with quiet():
                    look_for_devices()
                    self._open(name)
            except SoundUnavailable:
                self._close_stream()
                self._wake.clear()
                if not self._closing:
                    self._wake.wait(RETRY_SECONDS)
                self._fill(RETRY_SECONDS)
            else:
                self._notify(f"recording again, from {name or 'the default microphone'}")
                return

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _fill(self, seconds: float) -> None:
        """Deliver silence, so that the turn in progress ends and later times are right."""
        for _ in range(round(seconds * SAMPLE_RATE / FRAME_SAMPLES)):
            self._deliver(bytes(FRAME_SAMPLES * 2))
