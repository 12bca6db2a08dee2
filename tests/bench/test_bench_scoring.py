import pytest

from clients.events import Completed, Delta, Partial, SpeechStopped
from tests.bench.scoring import (
    Frame,
    SpokenWord,
    Standing,
    due,
    final_seconds,
    frames,
    percentile,
    plain_words,
    recognised,
    score,
    word_error_rate,
)
from tests.bench.word_times import place_words

WORDS = (
    SpokenWord("good", 0.50, 0.72, 0),
    SpokenWord("morning", 0.72, 1.10, 0),
    SpokenWord("five", 3.00, 3.35, 1),
    SpokenWord("five", 3.40, 3.80, 1),
)


def test_words_are_compared_without_case_marks_and_apostrophes() -> None:
    assert plain_words("It’s “well-known”, isn't it? 12.5 %") == ("its", "well", "known", "isnt", "it", "12", "5")


def test_a_word_is_due_when_the_chunk_with_its_end_has_been_spoken() -> None:
    assert due(0.72, 0.1) == pytest.approx(0.8)
    assert due(0.8, 0.1) == pytest.approx(0.8)


def test_the_screen_shows_committed_text_and_then_what_may_change() -> None:
    shown = frames(
        [
            (1.0, Partial("a", "", "good mourning", 0)),
            (2.0, Delta("a", "good")),
            (2.0, Partial("a", "good", "morning", 0)),
            (3.0, Completed("a", "Good morning.")),
            (4.0, Delta("b", "five")),
        ]
    )
    assert list(shown) == [
        Frame(1.0, "", "good mourning"),
        Frame(2.0, "good", ""),
        Frame(2.0, "good", "morning"),
        Frame(3.0, "Good morning.", ""),
        Frame(4.0, "Good morning. five", ""),
    ]


def test_a_word_keeps_its_time_when_words_before_it_are_rewritten() -> None:
    standing = Standing()
    standing.show(1.0, ("the", "cat", "sat"))
    standing.show(2.0, ("the", "fat", "cat", "sat", "down"))
    assert standing.since == [1.0, 2.0, 1.0, 1.0, 2.0]


def test_a_word_that_was_taken_back_counts_from_its_return() -> None:
    standing = Standing()
    for at, words in ((1.0, ("good", "morning")), (2.0, ("good",)), (3.0, ("good", "morning"))):
        standing.show(at, words)
    assert standing.since == [1.0, 3.0]


def test_wrong_missing_and_additional_words_are_not_recognised() -> None:
    spoken, shown = ("one", "two", "three", "four"), ("one", "one", "too", "four")
    assert recognised(spoken, [0.0] * 4, shown, [1.0] * 4) == {0: 0, 3: 3}


def test_a_word_on_the_screen_before_it_was_spoken_is_another_word() -> None:
    assert recognised(["five", "five"], [1.0, 3.0], ["five"], [1.2]) == {0: 0}
    assert recognised(["five"], [3.0], ["five"], [1.2]) == {}


def test_lags_count_from_the_due_chunk_to_the_text_that_stays() -> None:
    screen = [
        Frame(1.0, "", "Good"),
        Frame(1.5, "Good", "mourning"),
        Frame(2.0, "Good", "morning"),
        Frame(2.5, "Good morning.", ""),
        Frame(4.0, "Good morning. Five", "fine"),
        Frame(5.0, "Good morning. Five five.", ""),
    ]
    figures = score(WORDS, screen, 0.1)
    assert figures.transcript == "good morning five five"
    assert figures.commit_lags == pytest.approx({0: 1.5 - 0.8, 1: 2.5 - 1.1, 2: 4.0 - 3.4, 3: 5.0 - 3.8})
    assert figures.settled_lags == pytest.approx({0: 1.0 - 0.8, 1: 2.0 - 1.1, 2: 4.0 - 3.4, 3: 5.0 - 3.8})
    assert figures.first_partials == pytest.approx([1.0 - 0.5, 4.0 - 3.0])


def test_an_utterance_that_never_appears_has_no_first_partial() -> None:
    figures = score(WORDS, [Frame(4.0, "five five", "")], 0.1)
    assert figures.first_partials == pytest.approx([4.0 - 3.0])
    assert list(figures.commit_lags) == [2, 3]


def test_finals_count_from_the_news_of_the_endpoint_of_their_own_utterance() -> None:
    events = [(2.0, SpeechStopped("a", 1500)), (2.1, SpeechStopped("b", 0)), (2.25, Completed("a", "Good."))]
    assert final_seconds(events) == pytest.approx([0.25])


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.95) == 4.0
    assert percentile([], 0.5) is None


def test_errors_are_counted_over_all_texts_together() -> None:
    assert word_error_rate(["one two three", "four"], ["One, two", "four"]) == pytest.approx(1 / 4)
    assert word_error_rate([], []) == 1.0


def test_words_that_were_not_heard_lie_between_those_that_were() -> None:
    heard = [SpokenWord("one", 0.0, 0.5), SpokenWord("tree", 1.0, 1.5), SpokenWord("three", 2.0, 2.5)]
    words, matched = place_words(["one", "two", "three"], heard)
    assert words == (heard[0], SpokenWord("two", 1.0, 1.5), heard[2])
    assert matched == pytest.approx(2 / 3)
