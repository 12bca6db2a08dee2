from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.engines.hibari import Hibari
from realtime.errors import EngineError

pytestmark = pytest.mark.models

TEXT = "The weather will be fine until the evening. Some clouds may come in later!"


@pytest.fixture(scope="module")
def hibari() -> Hibari:
    return Hibari()


def spoken(hibari: Hibari, text: str, speed: float = 1.0) -> Samples:
    return np.concatenate([np.empty(0, np.float32), *hibari.synthesize(text, hibari.voices[0], speed)])


def test_the_voice_in_the_wheel_is_the_default(hibari: Hibari) -> None:
    assert hibari.voices[0] == "heart"


def test_speech_comes_in_short_chunks_and_the_first_is_shorter(hibari: Hibari) -> None:
    chunks = list(hibari.synthesize("Good morning.", "heart", 1.0))
    assert {chunk.dtype for chunk in chunks} == {np.dtype(np.float32)}
    assert [len(chunk) for chunk in chunks[:3]] == [960, 2_400, 2_400]
    assert all(0 < len(chunk) <= 2_400 for chunk in chunks)
    assert 0.05 < np.abs(np.concatenate(chunks)).max() <= 1


def test_sentences_follow_each_other(hibari: Hibari) -> None:
    first, second = TEXT.split(". ")
    np.testing.assert_array_equal(
        spoken(hibari, TEXT), np.concatenate([spoken(hibari, first + "."), spoken(hibari, second)])
    )


@pytest.mark.parametrize(("speed", "share"), [(0.25, 4.0), (0.5, 2.0), (2.0, 0.5), (4.0, 0.45)])
def test_speed_changes_the_length(hibari: Hibari, speed: float, share: float) -> None:
    assert len(spoken(hibari, TEXT, speed)) == pytest.approx(share * len(spoken(hibari, TEXT)), rel=0.2)


@pytest.mark.parametrize("text", ["", " \n ", "...", "?!", "—", "👍", "👩‍👩‍👧 🎉", "東京", "\u200b"])
def test_text_with_nothing_to_pronounce_gives_no_chunks(hibari: Hibari, text: str) -> None:
    assert list(hibari.synthesize(text, "heart", 1.0)) == []


@pytest.mark.parametrize("text", ["1" * 40, "\u247c", "1" * 5_000])
def test_text_hibari_cannot_read_is_an_engine_error(hibari: Hibari, text: str) -> None:
    with pytest.raises(EngineError, match="cannot read"):
        list(hibari.synthesize(text, "heart", 1.0))


def test_letters_that_hibari_cannot_read_are_reported(hibari: Hibari, caplog: pytest.LogCaptureFixture) -> None:
    assert len(spoken(hibari, "The café in 東京 is open.")) > 0
    assert [record.getMessage() for record in caplog.records] == [
        "hibari cannot read 2 of the 23 characters of a phrase"
    ]


def test_a_text_is_spoken_as_a_reader_would_read_it(hibari: Hibari) -> None:
    np.testing.assert_array_equal(spoken(hibari, "That is $12.5."), spoken(hibari, "That is $12.50."))


def test_two_threads_may_synthesize_at_once(hibari: Hibari) -> None:
    texts = [TEXT, "Zorblax quintuplified the frobnicator.", "Dr. Smith paid $9.99 on 3 March."] * 3
    alone = [spoken(hibari, text) for text in texts]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda text: spoken(hibari, text), texts))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
