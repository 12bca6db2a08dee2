"""How the speech of the real voices sounds as a whole: loudness, joins, and the files of all formats."""

import asyncio
import io
from collections.abc import Iterator
from itertools import pairwise

import av
import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.engines.registry import InstalledEngines
from realtime.media.encoders import SPEECH_RATE, SpeechEncoder, SpeechFormat
from realtime.models.synthesizers import SynthesizerHandle, load_synthesizer
from realtime.settings import Settings
from realtime.speech.pauses import CLAUSE_PAUSE, pause_after
from realtime.speech.phrases import phrases
from tests.support.kokoro import PARTS, kokoro_directory
from tests.support.loudness import lufs

pytestmark = pytest.mark.models

VOICES = ("hibari-tts", "piper-en_US-joe-medium", "kokoro")
TEXT = (
    "Good morning, and welcome to the museum! Really? Nobody knows why, but the children say that a dragon did it.\n\n"
    "Stop! It costs $12,500.50. Please leave your bags at the desk, and follow me."
)
PHRASES = phrases(TEXT)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The event loop that the processes of a voice belong to."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module", params=VOICES)
def voice(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, runner: asyncio.Runner
) -> Iterator[SynthesizerHandle]:
    settings = Settings()
    if request.param == "kokoro":
        if not PARTS:
            pytest.skip("Kokoro is not installed: make voices")
        settings = Settings(model_paths=(f"kokoro={kokoro_directory(tmp_path_factory.mktemp('kokoro'))}",))
    handle = load_synthesizer(lookup(request.param), InstalledEngines(settings), settings)
    yield handle
    handle.close()


@pytest.fixture(scope="module")
def spoken(voice: SynthesizerHandle, runner: asyncio.Runner) -> list[Samples]:
    """Each phrase of the text."""

    async def speak(phrase: str) -> Samples:
        return np.concatenate([chunk async for chunk in voice.synthesize(phrase, voice.voices[0], 1.0)])

    return [runner.run(speak(phrase)) for phrase in PHRASES]


@pytest.mark.parametrize("with_pause", [False, True])
def test_every_phrase_is_as_loud_as_the_whole(
    voice: SynthesizerHandle, spoken: list[Samples], with_pause: bool
) -> None:
    whole = lufs(np.concatenate(spoken), voice.sample_rate)
    ends = [None if with_pause else -round(pause_after(phrase) * voice.sample_rate) for phrase in PHRASES]
    found = [lufs(samples[:end], voice.sample_rate) for samples, end in zip(spoken, ends, strict=True)]
    assert found == pytest.approx([whole] * len(found), abs=1.75)  # the words of joe are never twice the same
    assert whole == pytest.approx(-25, abs=0.5)


def test_phrases_are_joined_in_silence(spoken: list[Samples]) -> None:
    inside = max(np.abs(np.diff(samples)).max() for samples in spoken)
    steps = [abs(before[-1] - after[0]) for before, after in pairwise(spoken)]
    assert max(steps) < 0.01 < inside


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("speech_format", list(SpeechFormat))
def test_every_file_has_24_khz_and_clean_pauses(
    voice: SynthesizerHandle, spoken: list[Samples], speech_format: SpeechFormat, streaming: bool
) -> None:
    encoder = SpeechEncoder(speech_format, voice.sample_rate, streaming=streaming)
    data = b"".join([*map(encoder.encode, spoken), encoder.finish()])
    rate, samples = decoded(data, speech_format)
    assert rate == (48_000 if speech_format is SpeechFormat.OPUS else SPEECH_RATE)  # Opus decodes to that
    assert len(samples) / rate == pytest.approx(sum(map(len, spoken)) / voice.sample_rate, abs=0.1)
    sounds = np.flatnonzero(np.abs(samples) > 0.01)
    assert np.count_nonzero(np.diff(sounds) > 0.9 * CLAUSE_PAUSE * rate) >= len(PHRASES) - 1


def decoded(data: bytes, speech_format: SpeechFormat) -> tuple[int, Samples]:
    if speech_format is SpeechFormat.PCM:
        return SPEECH_RATE, np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)
    with av.open(io.BytesIO(data), "r") as file:
        rate = file.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono")
        frames = [each for frame in file.decode(audio=0) for each in resampler.resample(frame)]
        return rate, np.concatenate([frame.to_ndarray()[0] for frame in frames])
