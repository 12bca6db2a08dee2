"""How containers are told from raw samples."""

import pytest

from realtime.audio.formats import Encoding, Samples, encode
from realtime.audio.signatures import find_container, is_container
from tests.support.recorders import RECORDERS, recorded
from tests.support.recordings import compressed_file, silence, tone

DEMUXERS = {"audio/webm": "matroska", "audio/ogg": "ogg", "audio/aac": "aac", "audio/mpeg": "mp3", "audio/wav": "wav"}


@pytest.mark.parametrize("media_type", RECORDERS)
def test_a_stream_is_known_by_its_first_bytes(media_type: str) -> None:
    data = recorded(tone(0.5), media_type)
    assert find_container(data) == (DEMUXERS.get(media_type, "mov"), 0)
    assert is_container(data) is (media_type != "audio/aac")


def test_flac_is_known_by_its_first_bytes() -> None:
    assert find_container(compressed_file(tone(0.5), "flac", "flac")) == ("flac", 0)


def test_a_header_is_found_after_other_bytes() -> None:
    assert find_container(b"other bytes" + recorded(tone(0.5), "audio/webm")) == ("matroska", 11)


@pytest.mark.parametrize("samples", [silence(1.0), tone(1.0)], ids=["silence", "tone"])
def test_raw_samples_are_no_container(samples: Samples) -> None:
    data = encode(samples, Encoding.PCM16)
    assert not is_container(data)
    assert find_container(data) is None
