"""Samples of any width become samples of 16 bits."""

import pytest

from realtime.errors import UnsupportedAudio
from realtime.wire.wyoming.pcm import PcmConverter

VALUES = [0, 1, -1, 300, -300, 32_767, -32_768]


def converted(data: bytes, width: int) -> list[int]:
    return list(memoryview(PcmConverter(width).convert(data)).cast("h"))


def test_samples_of_two_bytes_pass_unchanged() -> None:
    assert PcmConverter().convert(b"\1\2\3") == b"\1\2\3"


@pytest.mark.parametrize("width", [3, 4])
def test_wider_samples_keep_their_upper_bytes(width: int) -> None:
    wide = b"".join((value << 8 * (width - 2)).to_bytes(width, "little", signed=True) for value in VALUES)
    assert converted(wide, width) == VALUES


def test_samples_of_one_byte_are_signed() -> None:
    assert converted(b"\x00\x01\x7f\x80\xff", 1) == [0, 256, 127 * 256, -32_768, -256]


def test_audio_may_be_cut_at_any_byte() -> None:
    audio = bytes(range(240))
    converter = PcmConverter(3)
    pieces = [converter.convert(audio[start : start + 7]) for start in range(0, len(audio), 7)]
    assert b"".join(pieces) == PcmConverter(3).convert(audio)


@pytest.mark.parametrize("width", [0, 5, -2, 10**30])
def test_other_samples_are_refused(width: int) -> None:
    with pytest.raises(UnsupportedAudio):
        PcmConverter(width)
