"""The decoding process of a live session: what it returns, how it ends, and how its failure is reported."""

import asyncio
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import ClientError, InvalidFileFormat, Overloaded, UnsupportedAudio
from realtime.media.decoder_child import DecoderChild
from realtime.media.decoder_pool import DecoderPool
from realtime.media.live_decoder import DamagedAudio, LiveDecoder
from realtime.media.records import MAX_CHUNK, MAX_LIVE_SILENCE, Kind, Record
from tests.support.decoding_processes import decoding_processes
from tests.support.realtime_service import eventually
from tests.support.recorders import cut, recorded
from tests.support.recordings import timed_file, tone, wav_file

WEBM = recorded(tone(2.0), "audio/webm")


async def decoded(decoder: LiveDecoder, data: bytes) -> tuple[float, list[ClientError]]:
    """Return the seconds of audio and the errors of a chunk."""
    parts = [part async for part in decoder.decode(data)]
    errors = [part for part in parts if isinstance(part, ClientError)]
    return sum(len(part) for part in parts if isinstance(part, bytes)) / 2 / SAMPLE_RATE, errors


Scene = Callable[[LiveDecoder], Coroutine[Any, Any, None]]


def play(scene: Scene, stall_timeout: float = 10.0) -> None:
    """Play a scene with a decoder, and check that no process is left."""

    async def played() -> None:
        decoders = DecoderPool(max_files=0, max_streams=1, stall_timeout=stall_timeout)
        decoder = LiveDecoder(decoders)
        try:
            await scene(decoder)
        finally:
            decoder.close()
            assert eventually(lambda: not decoding_processes())
            decoders.close()

    asyncio.run(played())


def test_every_chunk_returns_its_own_audio() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        results = [await decoded(decoder, chunk) for chunk in cut(WEBM, len(WEBM) // 20)]
        assert [errors for _, errors in results if errors] == []
        assert sum(seconds for seconds, _ in results) == pytest.approx(2.0, abs=0.1)
        assert all(seconds > 0 for seconds, _ in results[1:])

    play(scene)


def test_a_chunk_larger_than_the_processes_take_is_decoded() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        data = wav_file(tone(60.0))
        assert len(data) > MAX_CHUNK
        seconds, errors = await decoded(decoder, data)
        rest, _ = await decoded(decoder, b"")
        assert (seconds + rest, errors) == (60.0, [])

    play(scene)


def test_a_gap_is_returned_as_silence_in_parts() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        parts = [part async for part in decoder.decode(timed_file(tone(2.0), "matroska", "flac", [0.0, 25.0]))]
        lengths = [len(part) / 2 / SAMPLE_RATE for part in parts if isinstance(part, bytes)]
        assert max(lengths) == 10.0
        assert sum(lengths) == pytest.approx(27.0, abs=0.3)

    play(scene)


def test_a_stream_that_ends_may_be_followed_by_another() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        for _ in range(2):
            seconds, errors = await decoded(decoder, recorded(tone(2.0), "audio/aac"))
            rest, _ = await decoded(decoder, b"")
            assert seconds + rest == pytest.approx(2.0, abs=0.1)
            assert errors == []

    play(scene)


def test_a_loss_is_reported_and_the_stream_goes_on() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        chunks = cut(WEBM, 1000)
        del chunks[5]
        results = [await decoded(decoder, chunk) for chunk in chunks]
        (error,) = [error for _, errors in results for error in errors]
        assert isinstance(error, DamagedAudio)
        assert "the stream goes on" in error.message
        assert results[-1][0] > 0

    play(scene)


def test_what_is_no_media_is_reported_and_the_next_stream_is_decoded() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        _, (error,) = await decoded(decoder, b"no media at all")
        assert isinstance(error, InvalidFileFormat)
        assert "WebM" in error.message
        assert await decoded(decoder, b"no media again") == (0, [])
        assert (await decoded(decoder, WEBM))[0] > 1.8

    play(scene)


def test_a_process_that_crashes_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(decoder: LiveDecoder) -> None:
        before = decoding_processes()
        await decoded(decoder, WEBM)
        (process,) = decoding_processes() - before
        process.send_signal(signal.SIGSEGV)
        with pytest.raises(UnsupportedAudio, match="cannot be decoded"):
            await decoded(decoder, WEBM)

    play(scene)
    assert "the decoder of a live stream failed" in caplog.text


def test_a_process_that_sends_too_long_a_silence_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    records = iter([Record(Kind.SILENCE, (MAX_LIVE_SILENCE + 1).to_bytes(8)), Record(Kind.TAKEN)])

    async def sent(_: DecoderChild) -> Record:
        return next(records)

    async def scene(decoder: LiveDecoder) -> None:
        await decoded(decoder, WEBM)
        monkeypatch.setattr(DecoderChild, "record", sent)
        with pytest.raises(UnsupportedAudio, match="cannot be decoded"):
            await decoded(decoder, WEBM)

    play(scene)


def test_a_process_that_stalls_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(decoder: LiveDecoder) -> None:
        before = decoding_processes()
        await decoded(decoder, WEBM)
        (process,) = decoding_processes() - before
        process.suspend()
        with pytest.raises(UnsupportedAudio):
            await decoded(decoder, WEBM)
        process.wait(timeout=5)

    play(scene, stall_timeout=3.0)
    assert "TimeoutError" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the limits of another process")
def test_a_process_is_confined() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        before = decoding_processes()
        await decoded(decoder, WEBM)
        (process,) = decoding_processes() - before
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (0, 0)
        assert resource.prlimit(process.pid, resource.RLIMIT_DATA)[1] == 256 * 1024 * 1024
        assert resource.prlimit(process.pid, resource.RLIMIT_CPU)[1] == 3600

    play(scene)


def test_one_stream_too_many_is_refused_until_another_ends() -> None:
    async def scene(decoder: LiveDecoder) -> None:
        await decoded(decoder, WEBM)
        other = LiveDecoder(decoder._decoders)
        with pytest.raises(Overloaded):
            await decoded(other, WEBM)
        decoder.close()
        assert (await decoded(other, WEBM))[0] > 1.8
        other.close()

    play(scene)
