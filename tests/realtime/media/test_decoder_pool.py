"""The decoding processes: what they decode, how they end, and how their failures are reported."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, cast

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import Overloaded, TooLarge, UnsupportedAudio
from realtime.media import decoder_child
from realtime.media.decoder_child import DecoderChild
from realtime.media.decoder_pool import DecodedAudio, DecoderPool
from realtime.media.fork_server import ForkServer
from realtime.media.records import HEADER, PID, Kind, Record
from tests.support.decoding_processes import decoding_processes, fork_servers
from tests.support.realtime_service import eventually
from tests.support.recordings import channels_file, silence, tone, understated_file, wav_file

PROJECT = Path(__file__).parents[3]
LONG = wav_file(tone(120.0))


@contextmanager
def uploaded(data: bytes) -> Iterator[IO[bytes]]:
    """Open a file as a request does: in memory up to a size, then on disk."""
    with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as file:
        file.write(data)
        file.seek(0)
        yield file


async def decoded(decoders: DecoderPool, data: bytes, max_seconds: float = 600.0) -> Samples:
    with uploaded(data) as file:
        async with decoders.decoding(file, max_seconds) as blocks:
            return np.concatenate([block async for block in blocks])


@asynccontextmanager
async def begun(decoders: DecoderPool) -> AsyncIterator[psutil.Process]:
    """Run a process that decodes a long file, of which the first block is read before the scene, the others after."""
    before = decoding_processes()
    with uploaded(LONG) as file:
        async with decoders.decoding(file, 600.0) as blocks:
            assert len(await anext(blocks)) == 10 * SAMPLE_RATE
            (process,) = decoding_processes() - before
            yield process
            async for _ in blocks:
                pass


def ended(process: psutil.Process) -> bool:
    """Whether a process has ended, though it may not have been reaped yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


@pytest.fixture
def decoders() -> Iterator[DecoderPool]:
    """Return decoders, the only ones, and check that no process is left running."""
    gc.collect()
    assert not fork_servers()
    decoders = DecoderPool(max_files=2)
    yield decoders
    assert eventually(lambda: not any(server.children() for server in fork_servers()))  # and no zombies
    decoders.close()
    assert not fork_servers()


@pytest.mark.parametrize("seconds", [1.0, 60.0], ids=["in memory", "on disk"])
def test_an_upload_is_decoded(decoders: DecoderPool, seconds: float) -> None:
    sound = tone(seconds)
    samples = asyncio.run(decoded(decoders, wav_file(sound)))
    assert samples.dtype == np.float32
    assert np.allclose(samples, sound, atol=1e-4)


def test_little_is_decoded_ahead_of_the_consumer(decoders: DecoderPool) -> None:
    async def scene() -> None:
        async with begun(decoders) as process:
            await asyncio.sleep(1.0)  # the rest would take it a fifth of that
            assert process.status() != psutil.STATUS_ZOMBIE

    asyncio.run(scene())


def test_all_files_are_decoded_by_forks_of_one_process(decoders: DecoderPool) -> None:
    async def scene() -> None:
        assert not fork_servers()
        async with begun(decoders) as one, begun(decoders) as other:
            (server,) = fork_servers()
            assert one.ppid() == other.ppid() == server.pid
            assert one != other
            assert server.num_threads() == 1  # a fork has but one
        assert fork_servers() == {server}

    asyncio.run(scene())


def test_a_server_that_died_is_replaced(decoders: DecoderPool) -> None:
    async def scene() -> None:
        await decoded(decoders, wav_file(tone(1.0)))
        (server,) = fork_servers()
        server.kill()
        server.wait(timeout=5)
        assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE
        assert fork_servers() != {server}

    asyncio.run(scene())


def test_a_server_that_hangs_is_replaced(decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with begun(decoders):
            (server,) = fork_servers()
            server.suspend()  # a file that is being decoded is decoded to its end
            monkeypatch.setattr(decoder_child, "_FORK_TIMEOUT", 0.5)
            with pytest.raises(Overloaded, match="No process"):
                await decoded(decoders, wav_file(tone(1.0)))
            monkeypatch.undo()  # the next one has to start
            assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE
            assert fork_servers() != {server}

    asyncio.run(scene())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux changes the limits of another process")
def test_a_process_that_cannot_be_forked_is_refused(decoders: DecoderPool) -> None:
    async def scene() -> None:
        await decoded(decoders, wav_file(tone(1.0)))
        (server,) = fork_servers()
        before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (0, before[1]))  # the descriptor does not arrive
        with pytest.raises(Overloaded, match="No process"):
            await decoded(decoders, wav_file(tone(1.0)))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE
        assert fork_servers() == {server}

    asyncio.run(scene())


def test_a_file_is_decoded_to_its_end_when_the_server_dies(decoders: DecoderPool) -> None:
    async def scene() -> None:
        async with begun(decoders):
            (server,) = fork_servers()
            server.kill()
            server.wait(timeout=5)
            assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE
        assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE

    asyncio.run(scene())


def test_a_client_that_leaves_before_the_process_is_forked_leaves_nothing(decoders: DecoderPool) -> None:
    async def scene() -> None:
        with uploaded(LONG) as file:
            async with decoders.decoding(file, 600.0):
                pass  # the server still starts
        assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE

    asyncio.run(scene())


@pytest.mark.parametrize("hung", [False, True], ids=["died", "hung"])
def test_a_process_that_stalls_is_killed_whatever_has_become_of_its_server(
    decoders: DecoderPool, hung: bool, caplog: pytest.LogCaptureFixture
) -> None:
    stalled: list[psutil.Process] = []
    decoders.stall_timeout = 3.0

    async def scene() -> None:
        async with begun(decoders) as process:
            stalled.append(process)
            (server,) = fork_servers()
            if hung:
                server.suspend()
            else:
                server.kill()
                server.wait(timeout=5)
            process.suspend()

    with pytest.raises(UnsupportedAudio):
        asyncio.run(scene())
    assert "a decoder failed: TimeoutError" in caplog.text
    try:
        assert eventually(lambda: ended(stalled[0]))
    finally:
        for server in fork_servers():
            server.resume()


@pytest.mark.parametrize("hung", [False, True], ids=["", "hung"])
def test_the_end_of_the_pool_is_that_of_its_processes(decoders: DecoderPool, hung: bool) -> None:
    async def scene() -> None:
        async with begun(decoders) as process:
            if hung:
                for each in fork_servers():
                    each.suspend()
            decoders.close()
            process.wait(timeout=5)

    with pytest.raises(UnsupportedAudio):
        asyncio.run(scene())


def test_too_long_a_file_is_refused_before_its_first_block(decoders: DecoderPool) -> None:
    async def scene() -> None:
        with uploaded(LONG) as file:
            async with decoders.decoding(file, 100.0) as blocks:
                with pytest.raises(TooLarge, match="longer than 100 seconds"):
                    await anext(blocks)

    asyncio.run(scene())


def test_a_file_with_too_short_a_declared_length_is_stopped_at_the_limit(decoders: DecoderPool) -> None:
    async def scene() -> None:
        with uploaded(understated_file(silence(60.0))) as file:
            async with decoders.decoding(file, 30.0) as blocks:
                assert [len(await anext(blocks)) for _ in range(3)] == [10 * SAMPLE_RATE] * 3
                with pytest.raises(TooLarge):
                    await anext(blocks)

    asyncio.run(scene())


def test_a_decoder_that_crashes_fails_its_own_file_only(
    decoders: DecoderPool, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        with pytest.raises(UnsupportedAudio, match="cannot be decoded") as refusal:
            async with begun(decoders) as neighbour, begun(decoders) as process:
                process.send_signal(signal.SIGSEGV)
        assert refusal.value.param == "file"
        neighbour.wait(timeout=5)
        assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE

    asyncio.run(scene())
    assert "a decoder failed: EOFError" in caplog.text


def test_the_neighbour_of_a_decoder_that_crashes_goes_on(decoders: DecoderPool) -> None:
    async def scene() -> None:
        async with begun(decoders):
            with pytest.raises(UnsupportedAudio):
                async with begun(decoders) as process:
                    process.kill()

    asyncio.run(scene())


def test_a_decoder_that_stalls_is_killed(decoders: DecoderPool, caplog: pytest.LogCaptureFixture) -> None:
    decoders.stall_timeout = 3.0

    async def scene() -> None:
        with pytest.raises(UnsupportedAudio, match="cannot be decoded"):
            async with begun(decoders) as process:
                process.suspend()
        process.wait(timeout=5)

    asyncio.run(scene())
    assert "a decoder failed: TimeoutError" in caplog.text


def test_a_decoder_ends_with_its_request(decoders: DecoderPool) -> None:
    async def scene() -> None:
        started: asyncio.Future[psutil.Process] = asyncio.get_running_loop().create_future()

        async def request() -> None:
            async with begun(decoders) as process:
                started.set_result(process)
                await asyncio.Event().wait()

        task = asyncio.create_task(request())
        process = await started
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        process.wait(timeout=5)

    asyncio.run(scene())


ORPHANED = """
import asyncio, os, psutil, signal, sys
from realtime.media.decoder_pool import DecoderPool

async def decode():
    with open(sys.argv[1], "rb") as file:
        async with DecoderPool(max_files=1).decoding(file, 600.0) as blocks:
            await anext(blocks)
            print(*(each.pid for each in psutil.Process().children(recursive=True)), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(decode())
"""


def test_a_decoder_ends_with_its_service(tmp_path: Path) -> None:
    upload = tmp_path / "long.wav"
    upload.write_bytes(LONG)
    command = [sys.executable, "-c", ORPHANED, str(upload)]
    service = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert service.returncode == -signal.SIGKILL
    assert service.stderr == ""
    server, decoder = map(int, service.stdout.split())
    for process in (server, decoder):
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(process).wait(timeout=5)


def test_one_file_too_many_is_refused_until_later(decoders: DecoderPool) -> None:
    async def scene() -> None:
        async with begun(decoders), begun(decoders):
            with pytest.raises(Overloaded):
                await decoded(decoders, wav_file(tone(1.0)))
        assert len(await decoded(decoders, wav_file(tone(1.0)))) == SAMPLE_RATE

    asyncio.run(scene())


def test_a_failure_to_start_a_process_releases_its_slot(decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", refuse)
        for _ in range(3):
            with pytest.raises(Overloaded, match="No process"):
                asyncio.run(decoded(decoders, wav_file(tone(1.0))))
    assert len(asyncio.run(decoded(decoders, wav_file(tone(1.0))))) == SAMPLE_RATE


def test_a_decoder_does_not_inherit_the_secrets_of_the_service(
    decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVAVOCE_API_KEYS", "secret")

    async def scene() -> None:
        async with begun(decoders) as process:
            assert "PATH" in process.environ()
            assert "VIVAVOCE_API_KEYS" not in process.environ()
            assert process.num_fds() < 8

    asyncio.run(scene())


def test_decoders_do_not_receive_interrupts_from_the_terminal(decoders: DecoderPool) -> None:
    async def scene() -> None:
        async with begun(decoders) as process:
            assert os.getpgid(process.pid) == process.ppid()

    asyncio.run(scene())


def test_channels_are_decoded_by_themselves(decoders: DecoderPool) -> None:
    async def scene(data: bytes) -> Samples:
        with uploaded(data) as file:
            async with decoders.decoding(file, 600.0) as audio:
                return np.concatenate([block async for block in audio.separate()], axis=1)

    left, right = tone(12.0), silence(12.0)
    separate = asyncio.run(scene(channels_file(left, right)))
    assert separate.shape == (2, 12 * SAMPLE_RATE)
    assert np.allclose(separate, np.stack([left, right]), atol=1e-4)


class Decoded:
    """A process that has decoded these records."""

    def __init__(self, *records: Record) -> None:
        self._records = iter(records)

    async def record(self) -> Record:
        return next(self._records)

    def end(self) -> None:
        pass


@pytest.mark.parametrize("kind", [Kind.LENGTH, Kind.SILENCE, Kind.DAMAGED])
def test_a_number_that_is_too_large_is_a_malformed_record(kind: Kind) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    server = SimpleNamespace(fork=lambda: (0, ours), end=lambda number, pid: None)
    child = DecoderChild(cast("ForkServer", server))
    theirs.sendall(PID.pack(1) + HEADER.pack(kind, 0, 200) + b"\xff" * 200)
    with theirs, pytest.raises(EOFError):
        asyncio.run(child.record())
    child.end()


def separated(*records: Record) -> list[NDArray[np.float32]]:
    """Return the blocks of a recording with these records."""
    process = cast("DecoderChild", Decoded(*records, Record(Kind.END)))

    async def scene() -> list[NDArray[np.float32]]:
        audio = DecodedAudio(process, 600.0, 10.0)
        return [block async for block in audio.separate()]

    return asyncio.run(scene())


def silent(samples: int) -> Record:
    return Record(Kind.SILENCE, samples.to_bytes(8))


def sound(channels: int, samples: int = 100) -> Record:
    return Record(Kind.AUDIO, np.arange(channels * samples, dtype=np.int16).tobytes(), channels)


def test_silence_before_the_first_audio_has_its_channels() -> None:
    assert [block.shape for block in separated(silent(200_000), sound(2))] == [(2, 160_000), (2, 40_000), (2, 100)]


def test_a_recording_of_silence_has_one_channel() -> None:
    assert [block.shape for block in separated(silent(100))] == [(1, 100)]


def test_the_number_of_channels_stays_where_that_of_the_recording_changes() -> None:
    first, second = separated(sound(2), sound(4))
    assert first.shape == second.shape == (2, 100)
    assert np.array_equal(second[0], second[1])
