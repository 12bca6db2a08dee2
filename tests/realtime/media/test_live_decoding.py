"""Live streams in every container, decoded chunk by chunk, whole and with losses."""

import random

import pytest

from realtime.media.live_decoding import decode_live
from realtime.media.records import Kind, Record
from tests.support.recorders import RECORDERS, cut, decoded, recorded
from tests.support.recordings import compressed_file, film, timed_file, tone, wav_file

SECONDS = 3.0
STREAMS = {media_type: recorded(tone(SECONDS), media_type) for media_type in RECORDERS}
WITH_TIMES = ["audio/webm", "audio/ogg", "audio/mp4", "audio/mp4;codecs=opus"]


@pytest.mark.parametrize("size", [1, 7, 997, 1_000_000])
@pytest.mark.parametrize("media_type", RECORDERS)
def test_a_stream_is_decoded_however_it_is_cut(media_type: str, size: int) -> None:
    result = decoded(cut(STREAMS[media_type], size))
    assert result.sound == pytest.approx(SECONDS, abs=0.09)
    assert (result.silence, result.others) == (0, [])


@pytest.mark.parametrize("media_type", RECORDERS.keys() - {"audio/wav"})  # of which FFmpeg wants 2 s first
def test_audio_is_decoded_with_the_chunk_that_completes_it(media_type: str) -> None:
    chunks = cut(STREAMS[media_type], len(STREAMS[media_type]) // 30)  # 100 ms each
    samples, waiting = 0, iter(chunks)
    behind: list[float] = []

    def take(record: Record) -> None:
        nonlocal samples
        if record.kind is Kind.AUDIO:
            samples += len(record.payload) // 2
        elif record.kind is Kind.TAKEN:
            behind.append(SECONDS * (len(behind) + 1) / len(chunks) - samples / 16_000)

    decode_live(lambda: next(waiting, b""), take)
    assert max(behind[3:-1]) < 0.35  # the duration of two fragments or pages, and their uneven sizes


def samples_before_the_end(chunks: list[bytes]) -> float:
    """Return the seconds of sound that the chunks yield by themselves, without the end of the stream."""
    samples, waiting = 0, iter(chunks)
    counted: list[int] = []

    def receive() -> bytes:
        chunk = next(waiting, b"")
        if not chunk:
            counted.append(samples)
        return chunk

    def take(record: Record) -> None:
        nonlocal samples
        assert record.kind in {Kind.AUDIO, Kind.TAKEN}
        samples += len(record.payload) // 2 if record.kind is Kind.AUDIO else 0

    decode_live(receive, take)
    return counted[0] / 16_000


@pytest.mark.parametrize("size", [1, 997, 1_000_000])
@pytest.mark.parametrize("seconds", [0.3, 3.0])
def test_a_wav_file_is_decoded_whole_with_its_last_chunk(seconds: float, size: int) -> None:
    chunks = cut(wav_file(tone(seconds)), size)
    assert samples_before_the_end(chunks) == pytest.approx(seconds, abs=0.001)
    assert samples_before_the_end(chunks + chunks) == pytest.approx(2 * seconds, abs=0.002)


def test_the_size_of_a_wav_file_may_be_that_of_its_samples_or_unknown_and_metadata_may_follow() -> None:
    data = wav_file(tone(0.3))
    size = len(data) - 44
    of_samples = data[:4] + size.to_bytes(4, "little") + data[8:]
    assert samples_before_the_end([of_samples]) == pytest.approx(0.3, abs=0.001)
    tagged = data[:4] + (size + 36 + 12).to_bytes(4, "little") + data[8:] + b"LIST\x04\0\0\0INFO"
    assert samples_before_the_end([tagged, data]) == pytest.approx(0.6, abs=0.002)
    for unknown in (0, 0xFFFF_FFFF):
        endless = data[:4] + unknown.to_bytes(4, "little") + data[8:40] + unknown.to_bytes(4, "little") + data[44:]
        result = decoded([endless, data[44:]])
        assert result.sound == pytest.approx(0.6, abs=0.002)
        assert result.others == []


@pytest.mark.parametrize("lost", [5, 11, 17])
@pytest.mark.parametrize("media_type", WITH_TIMES)
def test_a_lost_chunk_costs_little_more_than_itself_and_leaves_silence(media_type: str, lost: int) -> None:
    chunks = cut(STREAMS[media_type], len(STREAMS[media_type]) // 30)
    result = decoded(chunks[:lost] + chunks[lost + 1 :])
    assert SECONDS - 0.5 < result.sound < SECONDS
    assert result.sound + result.silence == pytest.approx(SECONDS, abs=0.15)
    assert {record.kind for record in result.others} <= {Kind.DAMAGED}


@pytest.mark.parametrize("media_type", ["audio/webm", "audio/mp4"])
def test_bytes_skipped_after_a_loss_are_reported_once(media_type: str) -> None:
    data = STREAMS[media_type]
    middle = len(data) // 2
    result = decoded(cut(data[:middle] + data[middle + 300 :], 1000))
    assert [record.kind for record in result.others] == [Kind.DAMAGED]
    assert 0 < int.from_bytes(result.others[0].payload) < 5000


@pytest.mark.parametrize("media_type", RECORDERS)
def test_a_recorder_that_is_restarted_begins_another_container(media_type: str) -> None:
    """Some pages restart the recorder for every chunk, so that each is a file."""
    result = decoded([recorded(tone(1.0), media_type) for _ in range(3)])
    assert result.sound == pytest.approx(3.0, abs=0.25)
    assert (result.silence, result.others) == (0, [])


@pytest.mark.parametrize("media_type", ["audio/webm", "audio/ogg", "audio/mp4"])
def test_damage_at_the_end_of_a_container_is_reported_when_another_one_begins(media_type: str) -> None:
    data, damage = STREAMS[media_type], bytes(range(256)) * 80
    result = decoded([data[: len(data) // 2], damage, data])
    assert {record.kind for record in result.others} == {Kind.DAMAGED}
    skipped = sum(int.from_bytes(record.payload) for record in result.others)
    assert skipped == pytest.approx(len(damage), rel=0.1)  # some of it completes a page or a fragment
    assert result.sound == pytest.approx(1.5 * SECONDS, abs=0.3)


def test_a_stream_may_change_its_container() -> None:
    result = decoded([STREAMS[media_type] for media_type in WITH_TIMES])
    assert result.sound == pytest.approx(len(WITH_TIMES) * SECONDS, abs=0.3)


def test_a_pause_in_the_timestamps_is_silent_and_bounded() -> None:
    for pause, silent in ((5.0, 5.0), (600.0, 60.0)):
        result = decoded([timed_file(tone(2.0), "matroska", "flac", [0.0, pause])])
        assert result.silence == pytest.approx(silent, abs=0.2)


def test_what_is_no_container_is_refused_once() -> None:
    result = decoded(cut(bytes(range(256)) * 40, 1000))
    assert [record.kind for record in result.others] == [Kind.INVALID_FORMAT]
    assert result.sound == 0


def test_a_stream_without_its_beginning_is_refused_and_the_next_one_is_decoded() -> None:
    chunks = cut(STREAMS["audio/webm"], 1000)
    result = decoded([*chunks[1:], *chunks])
    assert [record.kind for record in result.others] == [Kind.INVALID_FORMAT]
    assert result.sound == pytest.approx(SECONDS, abs=0.1)


def test_a_film_without_sound_is_refused_and_the_next_stream_is_decoded() -> None:
    result = decoded([*cut(film(muxer="matroska"), 500), STREAMS["audio/webm"]])
    assert [record.kind for record in result.others] == [Kind.NO_AUDIO]
    assert result.sound == pytest.approx(SECONDS, abs=0.1)


def test_an_mp4_file_that_ends_with_its_index_is_refused() -> None:
    result = decoded(cut(compressed_file(tone(2.0), "mp4", "aac"), 1000))
    assert [record.kind for record in result.others] == [Kind.UNSUPPORTED]
    assert b"fragmented" in result.others[0].payload


def test_the_sound_of_a_film_is_decoded() -> None:
    result = decoded(cut(film(tone(2.0), "matroska"), 1000))
    assert result.sound == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("media_type", RECORDERS)
def test_a_damaged_stream_never_stops_the_next_one(media_type: str) -> None:
    data, chance = STREAMS[media_type], random.Random(media_type)
    for _ in range(15):
        chunks = []
        for chunk in cut(data, chance.choice([200, 1000, 5000])):
            damaged = bytearray(chunk)
            match chance.randrange(8):
                case 0:
                    del damaged[chance.randrange(len(damaged)) :]
                case 1:
                    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
                case 2:
                    damaged[:] = chance.randbytes(len(damaged))
                case 3:
                    damaged *= 2
            chunks.append(bytes(damaged))
        result = decoded([chunk for chunk in chunks if chunk] + [b"\0" * 5000, STREAMS["audio/webm"]])
        assert result.sound >= SECONDS - 0.1
