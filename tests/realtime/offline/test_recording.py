"""Choosing the audio track of a recording, with a detector that takes anything loud for speech."""

import asyncio
import tempfile

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import ClientError
from realtime.media.decoder_pool import DecoderPool
from realtime.offline.recording import open_recording
from tests.support.recordings import silence, tone, tracks_file, wav_file
from tests.support.scripted_models import ScriptedDetector

SPOKEN, QUIET = tone(6.0, 440), silence(6.0)
OTHER = tone(6.0, 880)


def opened(data: bytes, track: str = "") -> tuple[int | None, int]:
    """Return the index of the chosen track, None if there is only one, and the pitch of what is decoded."""

    async def scene() -> tuple[int | None, int]:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            async with open_recording(DecoderPool(max_files=1), file, 600.0, ScriptedDetector(), track) as recording:
                samples: Samples = np.concatenate([block async for block in recording.audio])
        pitch = int(np.abs(np.fft.rfft(samples)).argmax()) * SAMPLE_RATE / len(samples)
        return recording.track.index if recording.track else None, 10 * round(pitch / 10)

    return asyncio.run(scene())


def test_a_single_track_needs_no_name() -> None:
    assert opened(wav_file(SPOKEN)) == (None, 440)
    assert opened(wav_file(SPOKEN), "0") == (None, 440)


@pytest.mark.parametrize("muxer", ["mp4", "matroska", "mpegts"])
def test_a_silent_first_track_is_passed_over(muxer: str) -> None:
    assert opened(tracks_file([QUIET, QUIET, OTHER], muxer)) == (2, 880)


def test_a_track_with_a_few_sounds_is_passed_over() -> None:
    sounds = np.concatenate([tone(0.4), silence(5.6)])
    assert opened(tracks_file([sounds, OTHER])) == (1, 880)


def test_the_first_of_two_spoken_tracks_is_taken() -> None:
    assert opened(tracks_file([SPOKEN, OTHER])) == (0, 440)


def test_the_default_of_two_spoken_tracks_is_taken() -> None:
    assert opened(tracks_file([SPOKEN, OTHER], default=1)) == (1, 880)


def test_a_default_without_speech_is_passed_over() -> None:
    assert opened(tracks_file([SPOKEN, QUIET], default=1)) == (0, 440)


def test_speech_that_begins_late_is_found() -> None:
    late = np.concatenate([silence(150.0), OTHER])
    assert opened(tracks_file([silence(156.0), late])) == (1, 880)


def test_without_any_speech_the_default_is_taken() -> None:
    assert opened(tracks_file([QUIET, QUIET], default=1))[0] == 1


@pytest.mark.parametrize("name", ["1", "en", "eng", "English", "en-US"])
def test_a_track_is_named_by_index_or_language(name: str) -> None:
    assert opened(tracks_file([SPOKEN, OTHER], languages=["ger", "eng"]), name) == (1, 880)


@pytest.mark.parametrize("name", ["2", "fr", "Klingon", "-1", "auto"])
def test_a_track_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ClientError, match=r"Its tracks: 0 \(german\), 1 \(unknown language\)") as refusal:
        opened(tracks_file([SPOKEN, OTHER], languages=["ger"]), name)
    assert refusal.value.param == "track"
