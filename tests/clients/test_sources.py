"""What may be the audio of a caption, and what is refused, and why."""

import io
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clients.sources import (
    TEXT_BYTES,
    PcmReader,
    is_container,
    is_recording,
    is_text,
    open_recording,
    pcm_of,
    pieces_of,
)
from tests.support.recordings import compressed_file, tone, wav_file

SAMPLES = np.arange(-600, 600, dtype=np.int16)
PCM = SAMPLES.tobytes()
MP3 = compressed_file(tone(1.0), "mp3", "libmp3lame")
FORMATS = [
    ("mp3", "libmp3lame"), ("adts", "aac"), ("wav", "pcm_s16le"), ("flac", "flac"), ("ogg", "libopus"),
    ("webm", "libopus"), ("matroska", "aac"), ("mp4", "aac"), ("mov", "aac"), ("3gp", "aac"), ("aiff", "pcm_s16be"),
    ("au", "pcm_s16be"), ("caf", "pcm_s16le"), ("w64", "pcm_s16le"), ("asf", "pcm_s16le"), ("avi", "mp2"),
    ("flv", "aac"), ("wv", "wavpack"), ("tta", "tta"), ("voc", "pcm_s16le"),
]  # fmt: skip


@pytest.mark.parametrize(("muxer", "codec"), FORMATS)
def test_a_file_of_any_format_that_the_server_reads_is_told_from_samples(muxer: str, codec: str) -> None:
    data = compressed_file(tone(1.0), muxer, codec)
    assert is_container(data[:4096])
    assert is_recording(data)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
def test_frames_of_mp3_without_a_tag_are_told_from_samples(rate: int) -> None:
    data = compressed_file(tone(1.0, sample_rate=rate), "mp3", "libmp3lame", rate)
    size = int.from_bytes(bytes(each & 127 for each in data[6:10]), "big")  # of the tag, 7 bits in each byte
    tag_bytes = 10 + (size & 127 | size >> 1 & 127 << 7)
    assert is_container(data[tag_bytes : tag_bytes + 4096])
    assert not is_container(data[tag_bytes : tag_bytes + 60])  # the second frame is not there yet


@pytest.mark.parametrize("seed", range(20))
def test_samples_that_begin_as_a_frame_does_are_samples(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-3000, 3000, 4096, np.int16).tobytes()
    assert not is_container(noise)
    for beginning in (b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80", b"\0\0", b"\xff\xff\xff\xff\xff\xff\xff"):
        assert not is_container(beginning + noise)


def test_a_file_object_is_a_recording_where_one_begins_and_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "talk"
    path.write_bytes(b"??" + MP3)
    with path.open("rb") as file:
        assert not is_recording(file)
        file.seek(2)
        assert is_recording(file)
        assert file.tell() == 2
        with open_recording(file) as (opened, _):
            assert opened.read() == MP3
        assert file.tell() == 2
    assert not is_recording(io.BytesIO(PCM))
    assert is_recording(path)


@pytest.mark.parametrize(
    "samples",
    [PCM, bytearray(PCM), memoryview(PCM), array("h", PCM), SAMPLES, SAMPLES.reshape(-1, 1), SAMPLES.reshape(1, -1)],
    ids=["bytes", "bytearray", "memoryview", "array", "numpy", "column", "row"],
)
def test_samples_of_any_type_are_pcm_whole_and_in_pieces(samples: Any) -> None:
    (whole,) = pieces_of(samples)  # type: ignore[misc]
    assert whole == PCM
    assert PcmReader().read(samples) == PCM


def test_every_second_sample_of_an_array_is_pcm() -> None:
    assert pcm_of(SAMPLES[::2]) == SAMPLES[::2].copy().tobytes()


def test_a_file_object_of_samples_is_read_in_pieces_and_not_in_lines() -> None:
    pcm = b"\n" * 20_000
    pieces = list(pieces_of(io.BytesIO(pcm)))  # type: ignore[arg-type]
    assert (b"".join(pieces), len(pieces)) == (pcm, 3)  # type: ignore[arg-type]


def test_a_pipe_is_read_as_it_comes() -> None:
    class Pipe(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            buffer[:2] = b"ab"
            return 2

    pipe = io.BufferedReader(Pipe())
    assert not is_recording(pipe)
    assert next(iter(pieces_of(pipe))) == b"ab"  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a file object that can seek, not a pipe"), open_recording(pipe):
        pass


async def microphone() -> AsyncIterator[bytes]:
    yield PCM


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (5, "a source is PCM16 as bytes or samples of 16 bits, a file object, .* not int"),
        (None, "not NoneType"),
        (microphone, r"not function \(microphone is not called\)"),
        (io.StringIO("a"), r"is open for bytes \('rb'\), not for text"),
        (SAMPLES / 32768, r"samples of 16 bits, not float64; those of floats are \(samples \* 32767\)"),
        (np.stack([SAMPLES, SAMPLES], 1), "one channel, not an array of 1200 x 2"),
        (SAMPLES.astype(np.int32), "samples of 16 bits, not int32"),
    ],
)
def test_what_can_be_no_audio_is_refused_with_what_can(wrong: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        pieces_of(wrong)


@pytest.mark.parametrize(
    ("wrong", "named"), [(5, "int"), (None, "NoneType"), ([b""], "list"), (memoryview(b"a"), "memoryview")]
)
def test_a_recording_is_a_path_or_contents_or_a_file_object(wrong: Any, named: str) -> None:
    with pytest.raises(TypeError, match=f"a recording is the path of a file, .* not {named}"), open_recording(wrong):
        pass


@pytest.mark.parametrize("piece_bytes", [2, 100, 4096])
@pytest.mark.parametrize("file", [MP3, wav_file(tone(1.0))], ids=["mp3", "wav"])
def test_a_file_in_pieces_is_no_pcm(file: bytes, piece_bytes: int) -> None:
    pieces = (file[start : start + piece_bytes] for start in range(0, len(file), piece_bytes))
    with pytest.raises(ValueError, match="an encoded file in pieces, not PCM16"):
        list(map(PcmReader().read, pieces))


@pytest.mark.parametrize("piece_bytes", [10, 4096])
def test_text_is_no_pcm(piece_bytes: int) -> None:
    text = b"Dear all,\r\n\tthe recording of the meeting is attached, and so is the agenda.\r\n"
    pieces = (text[start : start + piece_bytes] for start in range(0, len(text), piece_bytes))
    with pytest.raises(ValueError, match="the source is text, not PCM16"):
        list(map(PcmReader().read, pieces))


@pytest.mark.parametrize("loudest", [3_000, 32_000])
def test_loud_audio_is_no_text(loudest: int) -> None:
    noise = np.random.default_rng(1).integers(loudest // 2, loudest, 100_000, np.int16).tobytes()
    assert not any(is_text(noise[start : start + TEXT_BYTES]) for start in range(0, len(noise) - TEXT_BYTES, 2))


@pytest.mark.parametrize(("wrong", "named"), [("a", "str"), (0.5, "float"), (np.int16(5), "int16")])
def test_a_piece_of_another_type_is_named(wrong: object, named: str) -> None:
    with pytest.raises(TypeError, match=f"yields .*16 bits, not {named}"):
        PcmReader().read(wrong)
