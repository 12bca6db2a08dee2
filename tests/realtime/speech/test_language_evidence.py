"""The language of a stretch of speech, from its sound and the speech around it."""

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.language_evidence import MAX_PRIOR, language_changes, likeliest_language, prior_from
from realtime.speech.segmentation import Span

DOUBTFUL = {"en": 0.5, "de": 0.4}
GERMAN = {"de": 0.98, "en": 0.01}
ENGLISH = {"en": 0.98, "de": 0.01}


def seconds(*bounds: tuple[float, float]) -> list[Span]:
    return [Span(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in bounds]


def test_without_a_prior_the_likeliest_language_is_told() -> None:
    detected = likeliest_language(DOUBTFUL)
    assert detected.language == "en"
    assert detected.probability == pytest.approx(0.5 / 0.9)
    assert not detected.clear


def test_a_doubtful_stretch_is_in_the_language_of_the_speech_around_it() -> None:
    assert likeliest_language(DOUBTFUL, prior_from([[GERMAN]])).language == "de"
    assert likeliest_language(DOUBTFUL, prior_from([[], [GERMAN]])).language == "de"


def test_a_clear_stretch_overrides_the_speech_around_it() -> None:
    assert likeliest_language(GERMAN, prior_from([[ENGLISH] * 4, [ENGLISH] * 4])).language == "de"


def test_a_language_that_is_not_among_the_likeliest_is_not_impossible() -> None:
    detected = likeliest_language({"nn": 0.0002}, {"de": 2.0})
    assert detected.language == "de"


def test_a_clear_language_needs_no_longer_window() -> None:
    assert likeliest_language(GERMAN).clear


def test_the_prior_is_bounded_and_nearer_speech_counts_more() -> None:
    prior = prior_from([[GERMAN, ENGLISH, ENGLISH]])
    assert prior["de"] > prior["en"]
    assert sum(prior.values()) <= MAX_PRIOR


def test_no_speech_around_gives_no_prior() -> None:
    assert prior_from([[], []]) == {}


def test_the_language_changes_where_a_clear_stretch_differs() -> None:
    stretches = seconds((0, 3), (4, 7), (8, 10))
    parts = language_changes(stretches, [ENGLISH, GERMAN, GERMAN], "en")
    assert parts == [(0, "en"), (4 * SAMPLE_RATE, "de")]


@pytest.mark.parametrize(("bounds", "probabilities"), [((4.0, 4.5), GERMAN), ((4.0, 7.0), {"de": 0.6, "en": 0.3})])
def test_a_short_or_doubtful_stretch_goes_with_the_one_before(
    bounds: tuple[float, float], probabilities: dict[str, float]
) -> None:
    assert language_changes(seconds((0, 3), bounds), [ENGLISH, probabilities], "en") == [(0, "en")]


def test_a_doubtful_first_stretch_is_in_the_language_of_it_all() -> None:
    assert language_changes(seconds((0, 3), (4, 7)), [DOUBTFUL, ENGLISH], "de") == [(0, "de"), (4 * SAMPLE_RATE, "en")]


def test_without_probabilities_there_are_no_parts() -> None:
    assert language_changes(seconds((0, 3)), [], "en") == []
