from dataclasses import replace

import pytest

from realtime.speech.recognition import DecodingOptions, Thresholds
from realtime.speech.suppression import SpeechEvidence, Suppression, resembles_silence, suppression
from realtime.speech.transcript import Hypothesis, Word


def has_speech(*probabilities: float) -> SpeechEvidence:
    evidence = SpeechEvidence()
    for probability in probabilities:
        evidence.add(probability)
    return evidence


CLEAR = has_speech(*[0.95] * 6, 0.99, 0.2)
SHORT = has_speech(*[0.95] * 5, 0.99, 0.2)
LONG = has_speech(*[0.95] * 11, 0.99, 0.2)
FAINT = has_speech(*[0.6] * 6, 0.7, 0.2)


def hypothesis_of(
    no_speech: float = 0.0,
    likelihood: float = -0.2,
    compression: float = 1.2,
    ratio: float | None = None,
    total: float | None = None,
) -> Hypothesis:
    return Hypothesis((), "en", no_speech, likelihood, compression, log_likelihood=total, log_likelihood_ratio=ratio)


def test_a_probable_hypothesis_of_speech_is_kept() -> None:
    assert suppression(hypothesis_of(), CLEAR) is None
    assert suppression(hypothesis_of(), FAINT) is None


@pytest.mark.parametrize("voice", [has_speech(), has_speech(*[0.49] * 10), has_speech(0.99, 0.99, *[0.1] * 8)])
def test_text_of_less_than_96_ms_of_speech_is_suppressed(voice: SpeechEvidence) -> None:
    assert suppression(hypothesis_of(), voice) is Suppression.NO_VOICE


def test_text_of_a_segment_of_less_than_220_ms_is_suppressed() -> None:
    voice = has_speech(*[0.99] * 6)
    voice.add(0.99, 440)
    assert suppression(hypothesis_of(), voice) is Suppression.NO_VOICE
    voice.add(0.99, 8)
    assert suppression(hypothesis_of(), voice) is None


def test_text_of_less_than_220_ms_of_sound_is_suppressed() -> None:
    assert suppression(replace(hypothesis_of(), sound=3519), CLEAR) is Suppression.NO_VOICE
    assert suppression(replace(hypothesis_of(), sound=3520), CLEAR) is None


def test_compared_text_that_is_nearly_as_likely_in_silence_is_suppressed() -> None:
    assert suppression(hypothesis_of(ratio=2.4), LONG) is Suppression.NO_SPEECH
    assert suppression(hypothesis_of(ratio=2.5), LONG) is None


def test_improbable_text_that_is_not_much_likelier_than_in_silence_is_suppressed_however_strong_the_speech() -> None:
    assert suppression(hypothesis_of(likelihood=-1.1, ratio=9.9), LONG) is Suppression.NO_SPEECH
    assert suppression(hypothesis_of(likelihood=-1.1, ratio=10.0), LONG) is None
    assert suppression(hypothesis_of(likelihood=-1.0, ratio=9.9), LONG) is None


def test_each_word_of_a_repetition_needs_evidence_of_its_own() -> None:
    barks = (Word(" Buh,", 0, 0, 0.9),) * 4
    phrase = tuple(Word(f" {text}", 0, 0, 0.9) for text in ["the", "dog", "barks", "at"])
    assert suppression(replace(hypothesis_of(ratio=13.9), words=barks), LONG) is Suppression.NO_SPEECH
    assert suppression(replace(hypothesis_of(ratio=14.0), words=barks), LONG) is None
    assert suppression(replace(hypothesis_of(ratio=13.9), words=phrase), LONG) is None


@pytest.mark.parametrize("voice", [CLEAR, SHORT, FAINT])
def test_short_or_faint_speech_asks_for_more_evidence_in_the_text(voice: SpeechEvidence) -> None:
    assert suppression(hypothesis_of(ratio=4.9), voice) is Suppression.NO_SPEECH
    assert suppression(hypothesis_of(ratio=5.0), voice) is None


def test_text_that_is_unlikely_as_a_whole_is_suppressed_in_less_than_384_ms_of_speech() -> None:
    assert suppression(hypothesis_of(ratio=9.0, total=-1.7), CLEAR) is Suppression.IMPROBABLE
    assert suppression(hypothesis_of(ratio=9.0, total=-1.6), CLEAR) is None
    assert suppression(hypothesis_of(ratio=9.0, total=-1.7), LONG) is None


def test_less_than_384_ms_of_sound_is_short_however_long_the_detector_takes_it_for() -> None:
    unlikely, little = hypothesis_of(ratio=9.0, total=-1.7), hypothesis_of(ratio=4.9)
    assert suppression(replace(unlikely, sound=6143), LONG) is Suppression.IMPROBABLE
    assert suppression(replace(unlikely, sound=6144), LONG) is None
    assert suppression(replace(little, sound=6143), LONG) is Suppression.NO_SPEECH
    assert suppression(replace(little, sound=6144), LONG) is None


def test_short_sound_that_begins_and_ends_loud_asks_for_more_likely_text() -> None:
    cut_off = replace(hypothesis_of(ratio=9.0, total=-0.8), sound=6143, sound_edges=-17.0)
    assert suppression(cut_off, CLEAR) is Suppression.IMPROBABLE
    assert suppression(replace(cut_off, log_likelihood=-0.7), CLEAR) is None
    assert suppression(replace(cut_off, sound_edges=-18.0), CLEAR) is None
    assert suppression(replace(cut_off, sound=6144), LONG) is None


def test_doubtful_text_resembles_silence_by_its_ratio_or_the_no_speech_probability() -> None:
    assert resembles_silence(hypothesis_of(ratio=2.4), Thresholds())
    assert resembles_silence(hypothesis_of(ratio=9.0, no_speech=0.61), Thresholds())
    assert not resembles_silence(hypothesis_of(ratio=2.5, no_speech=0.6), Thresholds())
    assert not resembles_silence(hypothesis_of(no_speech=0.9), Thresholds())


def test_a_text_that_compresses_too_well_is_a_repetition() -> None:
    assert suppression(hypothesis_of(compression=2.41), CLEAR) is Suppression.REPETITION
    assert suppression(hypothesis_of(compression=2.4), CLEAR) is None


def test_a_thorough_decode_keeps_a_probable_repetition_that_ends() -> None:
    thorough = DecodingOptions(thorough=True)
    assert suppression(hypothesis_of(compression=9.0), CLEAR, thorough) is None
    assert suppression(hypothesis_of(compression=9.0, likelihood=-1.1), CLEAR, thorough) is Suppression.REPETITION
    runaway = replace(hypothesis_of(compression=9.0), ended=False)
    assert suppression(runaway, CLEAR, thorough) is Suppression.REPETITION


@pytest.mark.parametrize(
    ("text", "ended", "suppressed"),
    [
        # whisper-base for a hippopotamus; its compression ratio is 2.32
        (" S.U.S. K.K.K.K.K.K.K.K.K.K.K.K.K.K.K.K.K.K.", False, True),
        (" Hahahahahahahahahahahahahahahahahahahahaha", False, True),
        (" Ha ha ha ha ha ha ha ha ha ha", True, False),
        (" It is a long way to the old railway station, ha ha ha ha ha ha ha ha", False, False),
        (" It is a long way to the old", False, False),
    ],
)
def test_a_short_loop_that_did_not_end_is_suppressed_unless_most_of_the_text_is_something_else(
    text: str, ended: bool, suppressed: bool
) -> None:
    hypothesis = replace(hypothesis_of(), words=(Word(text, 0, 0, 0.9),), ended=ended)
    assert suppression(hypothesis, CLEAR) is (Suppression.REPETITION if suppressed else None)


def test_a_high_no_speech_probability_suppresses_only_improbable_text_or_weak_speech() -> None:
    assert suppression(hypothesis_of(no_speech=0.9), CLEAR) is None
    assert suppression(hypothesis_of(no_speech=0.9), FAINT) is Suppression.NO_SPEECH
    assert suppression(hypothesis_of(no_speech=0.9, likelihood=-1.1), CLEAR) is Suppression.NO_SPEECH


def test_a_high_no_speech_probability_suppresses_a_word_of_more_than_a_second_of_speech() -> None:
    hum, digits = (Hypothesis((Word(" Hm", 0, 0, 0.9),) * count, "en", 0.9, -0.2, 1.2) for count in (1, 2))
    drawn_out = has_speech(*[0.95] * 32)
    assert suppression(hum, drawn_out) is Suppression.NO_SPEECH
    assert suppression(replace(hum, no_speech_probability=0.5), drawn_out) is None
    assert suppression(digits, drawn_out) is None
    assert suppression(hum, has_speech(*[0.95] * 31)) is None


def test_improbable_text_is_suppressed_in_weak_speech_and_very_improbable_text_always() -> None:
    assert suppression(hypothesis_of(likelihood=-1.1), LONG) is None
    assert suppression(hypothesis_of(likelihood=-1.1), FAINT) is Suppression.IMPROBABLE
    assert suppression(hypothesis_of(likelihood=-1.1), CLEAR) is None
    assert suppression(hypothesis_of(likelihood=-1.6), LONG) is Suppression.IMPROBABLE


def test_evidence_counts_voiced_windows_and_keeps_the_peak() -> None:
    voice = has_speech(0.2, 0.5, 0.8, 0.3)
    assert (voice.voiced, voice.peak) == (2, 0.8)


def test_a_lower_threshold_makes_softer_windows_voiced() -> None:
    voice = SpeechEvidence(threshold=0.3)
    assert [voice.add(probability) for probability in (0.2, 0.3, 0.5)] == [False, True, True]
