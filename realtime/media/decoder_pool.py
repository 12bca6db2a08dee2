"""Decode audio files to 16 kHz mono in child processes (`decoder_process.py`), block by block as they are consumed.

A process decodes one file and exits, so no file can affect or observe another. A few processes are started in advance,
because starting one takes longer than decoding a short recording. The child is not trusted: its records are bounded,
the seconds it sends are counted here, and it is killed when it stalls, when its consumer leaves, and after its last
record. However it failed, the client gets the same error.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

import numpy as np

from realtime.audio.channels import ChannelMixer
from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooLong, ClientError, InvalidFileFormat, NoAudioStream, Overloaded, UnsupportedAudio
from realtime.media.records import ANY_TRACK, BLOCK_BYTES, HEADER, MAX_CHANNELS, REQUEST, Kind, Record
from realtime.media.tracks import AudioTrack, from_json

logger = logging.getLogger(__name__)

_COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("decoder_process.py")))
_PACKAGES: Final = str(Path(__file__).parents[2])
"""Directory of the package `realtime`, of which the process imports a few modules."""

_ENVIRONMENT: Final = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables Python and PyAV may need to be found; the keys of the service are not passed on."""

_SPARES: Final = 2
"""Processes started in advance."""

_STALL_TIMEOUT: Final = 10.0
"""Seconds a process may take for one record."""

_MIN_PROCESSOR_SECONDS: Final = 20
"""Processor seconds granted for a file of any length."""

_AUDIO_PER_PROCESSOR_SECOND: Final = 100
"""Seconds of audio per further processor second; a slow processor decodes the most expensive codec at 500."""

_REFUSALS: Final = {
    Kind.UNSUPPORTED: UnsupportedAudio,
    Kind.INVALID_FORMAT: InvalidFileFormat,
    Kind.NO_AUDIO: NoAudioStream,
}

_FAILED: Final = "The file cannot be decoded. It may be corrupted."
"""Message to the client whose decoding process fails."""

_BLOCK: Final = BLOCK_BYTES // 2
"""Samples of a block: 10 s."""

_FULL_SCALE: Final = np.float32(32_768)


class DecoderPool:
    """The decoding processes of one service: at most `max_files`, and the spare ones between `open` and `close`.

    The server gives it the limit that HTTP applies to uploads before it reads them (`max_concurrent_uploads`). The
    pool applies it again so that no caller can start more processes than that.
    """

    def __init__(self, *, max_files: int, stall_timeout: float = _STALL_TIMEOUT) -> None:
        """Kill a process that takes longer than `stall_timeout` seconds for a block."""
        self._max_files = max_files
        self._stall_timeout = stall_timeout
        self._running = 0
        self._wanted_spares = 0
        self._spares: deque[_DecoderProcess] = deque()

    def open(self) -> None:
        """Start the spare processes. Without them, every file waits for its own process to start."""
        self._wanted_spares = _SPARES
        self._refill()

    def close(self) -> None:
        """End the spare processes; the others end with their consumers."""
        self._wanted_spares = 0
        while self._spares:
            self._spares.popleft().end()

    @asynccontextmanager
    async def decoding(
        self, file: IO[bytes], max_seconds: float, track: int | None = None
    ) -> AsyncIterator["DecodedAudio"]:
        """Decode an audio track of `file` until the block ends: the one that a player would choose, or number `track`.

        `file` must have a file descriptor, or create one when asked for it. Iterating over the result raises
        `AudioTooLong` for more than `max_seconds`, before the first block if the length is known by then.

        Raises:
            Overloaded: `max_files` files are being decoded, or no process can be started.
        """
        if self._running >= self._max_files:
            raise Overloaded("Too many files are being decoded.")
        self._running += 1
        try:
            process = self._take_process()
            try:
                processor_seconds = _MIN_PROCESSOR_SECONDS + int(max_seconds / _AUDIO_PER_PROCESSOR_SECOND)
                process.start(file, processor_seconds, ANY_TRACK if track is None else track)
                yield DecodedAudio(process, max_seconds, self._stall_timeout, on_started=self._refill)
            finally:
                process.end()
        finally:
            self._running -= 1

    def _take_process(self) -> "_DecoderProcess":
        while self._spares:
            process = self._spares.popleft()
            if process.alive:
                return process
            process.end()
        try:
            return _DecoderProcess()
        except OSError as error:
            raise Overloaded("No process can be started to decode the file.") from error

    def _refill(self) -> None:
        try:
            while len(self._spares) < self._wanted_spares:
                self._spares.append(_DecoderProcess())
        except OSError as error:
            logger.warning("no spare decoder can be started: %s", type(error).__name__)


class DecodedAudio:
    """Async iterator over the samples of one file in blocks of at most 10 s. A truncated file ends early.

    Little is decoded ahead of the consumer. Gaps in the timeline of the file are silent.

    Attributes:
        declared_seconds: Length of the audio by the packets of the file, which may be too low; None before the first
            block.
        track: The track that is decoded; None before the first record.
    """

    def __init__(
        self, process: "_DecoderProcess", max_seconds: float, stall_timeout: float, on_started: Callable[[], None]
    ) -> None:
        """Read from `process`, and call `on_started` when it has begun to decode."""
        self.declared_seconds: float | None = None
        self.track: AudioTrack | None = None
        self._tracks: tuple[AudioTrack, ...] = ()
        self._process = process
        self._max_seconds = max_seconds
        self._stall_timeout = stall_timeout
        self._on_started = on_started
        self._mixer = ChannelMixer(1)
        self._samples = 0
        self._silence = 0
        """Silent samples to return before the next record."""

    def __aiter__(self) -> "DecodedAudio":
        return self

    async def tracks(self) -> tuple[AudioTrack, ...]:
        """Return all audio tracks of the file. Raises `UnsupportedAudio` if it is not audio, or cannot be decoded."""
        if not self._tracks:
            self._receive_tracks(await self._record())
        return self._tracks

    async def __anext__(self) -> Samples:
        """Return the next block.

        Raises:
            UnsupportedAudio: The file is not audio, or cannot be decoded.
            AudioTooLong: The audio is longer than the limit.
        """
        while True:
            if self._silence:
                await asyncio.sleep(0)  # hours of silence take no longer to return than a block to decode
                block = np.zeros(min(self._silence, _BLOCK), np.float32)
                self._silence -= len(block)
                return block
            record = await self._record()
            kind, payload, channels = record
            if kind not in {Kind.TRACKS, Kind.LENGTH}:
                self._on_started()  # not earlier: a starting process would slow down the one that begins to decode
            match kind:
                case Kind.TRACKS:
                    self._receive_tracks(record)
                case Kind.LENGTH:
                    self.declared_seconds = float(int.from_bytes(payload))
                    self._check_length(self.declared_seconds)
                case Kind.AUDIO:
                    samples = np.frombuffer(payload, np.int16).astype(np.float32).reshape(-1, channels) / _FULL_SCALE
                    self._samples += len(samples)
                    self._check_length(self._samples / SAMPLE_RATE)
                    if self._mixer.channels != channels:
                        self._mixer = ChannelMixer(channels)
                    return self._mixer.mix(samples)
                case Kind.SILENCE:
                    self._silence = int.from_bytes(payload)
                    self._samples += self._silence
                    self._check_length(self._samples / SAMPLE_RATE)
                case Kind.END:
                    self._process.end()
                    raise StopAsyncIteration
                case _:
                    raise _refusal(record)

    def _receive_tracks(self, record: Record) -> None:
        if record.kind is not Kind.TRACKS:
            raise _refusal(record)
        try:
            self.track, self._tracks = from_json(record.payload)
        except ValueError:
            raise UnsupportedAudio(_FAILED, param="file") from None

    async def _record(self) -> Record:
        try:
            async with asyncio.timeout(self._stall_timeout):
                return await self._process.record()
        except (TimeoutError, EOFError, ConnectionError) as failure:
            logger.warning("a decoder failed: %s, exit status %d", type(failure).__name__, self._process.end())
            raise UnsupportedAudio(_FAILED, param="file") from None

    def _check_length(self, seconds: float) -> None:
        if seconds > self._max_seconds:
            raise AudioTooLong(f"The audio is longer than {self._max_seconds:g} seconds.", param="file")


def _refusal(record: Record) -> ClientError:
    """Return the error that a process sends as its last record."""
    if record.kind not in _REFUSALS:
        return UnsupportedAudio(_FAILED, param="file")
    return _REFUSALS[record.kind](record.payload.decode(errors="replace"), param="file")


class _DecoderProcess:
    """One child process, and this end of the socket to it."""

    def __init__(self) -> None:
        self._socket, child_socket = socket.socketpair()
        self._socket.setblocking(False)
        try:
            with child_socket:
                self._process = subprocess.Popen(  # noqa: S603 - nothing in the command comes from a client
                    _COMMAND,
                    stdin=child_socket.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,  # an interrupt from the terminal is for the service to handle
                )
        except OSError:
            self._socket.close()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def start(self, file: IO[bytes], processor_seconds: int, track: int) -> None:
        """Have the process decode a track of `file`, within a budget of processor time."""
        descriptor = file.fileno()
        file.flush()
        socket.send_fds(self._socket, [REQUEST.pack(processor_seconds, track)], [descriptor])

    async def record(self) -> Record:
        """Return the next record. Raises `EOFError` or `ConnectionError` if there is none, or it is malformed."""
        number, channels, size = HEADER.unpack(await self._read(HEADER.size))
        if number not in set(Kind) or channels > MAX_CHANNELS or size > BLOCK_BYTES * MAX_CHANNELS:
            raise EOFError
        if number == Kind.AUDIO and (not channels or size % (2 * channels)):
            raise EOFError
        return Record(Kind(number), await self._read(size), channels)

    async def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            received = await asyncio.get_running_loop().sock_recv(self._socket, size - len(data))
            if not received:
                raise EOFError
            data += received
        return bytes(data)

    def end(self) -> int:
        """Kill the process, which takes milliseconds, and return its exit status; may be called again."""
        self._socket.close()
        self._process.kill()
        return self._process.wait()


def _environment() -> dict[str, str]:
    """Return the environment of a process, in which this package comes before an installed one."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    paths = (_PACKAGES, environment.get("PYTHONPATH"))
    return {**environment, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
