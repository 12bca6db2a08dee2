"""Descriptions of audio tracks, and their order."""

import io

import pytest

from realtime.media.decoding import survey
from realtime.media.tracks import AudioTrack, by_preference, from_json, to_json
from tests.support.recordings import tone, tracks_file, wav_file


def test_the_default_comes_first_and_a_comment_last() -> None:
    tracks = [AudioTrack(0, secondary=True, default=True), AudioTrack(1), AudioTrack(2, default=True), AudioTrack(3)]
    assert [track.index for track in by_preference(tracks)] == [2, 1, 3, 0]


def test_tracks_survive_their_way_to_the_service() -> None:
    tracks = (AudioTrack(0, "ger", "Ton", default=True), AudioTrack(1, "", "Kommentar", secondary=True))
    assert from_json(to_json(1, tracks)) == (tracks[1], tracks)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"7", b"[0, []]", b"[0, [1]]", b'[1, [{"language": "en"}]]', b"[" * 100_000, b"\xff"],
)
def test_malformed_tracks_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - those of `json` have messages of their own
        from_json(data)


def test_a_file_with_one_track_has_one() -> None:
    assert survey(io.BytesIO(wav_file(tone(1.0)))).tracks == (AudioTrack(0),)


@pytest.mark.parametrize("muxer", ["mp4", "matroska"])
def test_a_file_names_its_tracks(muxer: str) -> None:
    found = survey(io.BytesIO(tracks_file([tone(1.0)] * 3, muxer, ["ger", "eng", "fre"], default=1)))
    assert [track.language for track in found.tracks] == ["ger", "eng", "fre"]
    assert [track.default for track in found.tracks] == [False, True, False]
    assert found.chosen == 1
