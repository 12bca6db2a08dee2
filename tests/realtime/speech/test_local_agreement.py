from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.certainty import CERTAIN, MIN_SPAN, Certainty
from realtime.speech.local_agreement import CUT_RANGE, Draft, LocalAgreement
from realtime.speech.transcript import Word, normalised
from realtime.speech.word_alignment import align_words


def words(text: str, probability: float = 0.0) -> tuple[Word, ...]:
    """Words as Whisper writes them, one every half second; by default how probable they are is unknown."""
    half = SAMPLE_RATE // 2
    return tuple(
        Word(f" {word}", index * half, index * half + half * 4 // 5, probability)
        for index, word in enumerate(text.split())
    )


def text(of: Sequence[Word]) -> str:
    return "".join(word.text for word in of)


def deltas(agreement: LocalAgreement, *hypotheses: str, apart: int = MIN_SPAN) -> list[str]:
    """What becomes certain when these come one after the other, so far apart."""
    return [agreement.update(words(each), apart * number) for number, each in enumerate(hypotheses, start=1)]


# Which words are committed.


def test_one_hypothesis_commits_nothing() -> None:
    agreement = LocalAgreement()
    assert agreement.update(words("the quick brown"), MIN_SPAN) == ""
    assert (text(agreement.committed), text(agreement.tentative)) == ("", " the quick brown")


def test_words_that_whisper_is_sure_of_are_committed_at_once() -> None:
    agreement = LocalAgreement()
    sure, unsure = words("the quick brown fox jumps over", 0.999), words("a lazy dog")
    assert agreement.update(sure + unsure, MIN_SPAN) == " the quick brown fox jumps over"
    assert text(agreement.tentative) == text(unsure)
    assert agreement.update(sure + words("the lazy dog"), 2 * MIN_SPAN) == ""
    assert agreement.finish(sure + words("the lazy dog.")) == " the lazy dog."


def test_words_that_stay_are_committed_once_that_is_likely_enough() -> None:
    agreement = LocalAgreement()
    said = [f"the {word} brown fox jumps over the lazy dog" for word in ("sick", *["quick"] * 4)]
    certainty = Certainty(0.95, age=2 * SAMPLE_RATE)
    shown = [agreement.update(words(each, 0.6), MIN_SPAN * place, certainty) for place, each in enumerate(said)]
    assert shown == ["", "", " the", " quick", " brown fox jumps over the lazy dog"]


def test_words_of_a_loop_are_not_committed_at_once_however_sure_whisper_is() -> None:
    agreement, loop = LocalAgreement(), words("of the more formal, of the more formal, of the more formal,", 0.999)
    assert agreement.update(loop, MIN_SPAN) == ""
    assert agreement.update(words("of the more formal writing", 0.999), 2 * MIN_SPAN).startswith(" of the more formal")
    assert agreement.finish(words("of the more formal writing.")).endswith(".")
    assert text(agreement.committed) == " of the more formal writing."


def test_nor_are_those_of_a_loop_behind_committed_words() -> None:
    agreement, start = LocalAgreement(), words("in this regard a system is established for the review", 0.999)
    agreement.update(start, MIN_SPAN)
    assert agreement.update(start + words("of the more of the more of the more", 0.999), 2 * MIN_SPAN) == ""
    assert text(agreement.committed) == text(start)


@pytest.mark.parametrize(
    ("first", "then", "final"),
    [
        ("He was cold", "He was cold-hearted and mean", "He was cold-hearted and mean."),
        ("He was cold.", "He was cold-hearted and", "He was cold-hearted and mean."),
        ("My name is S", "My name is S-M-I", "My name is S-M-I-T-H."),
        ("Cold", "Cold-hearted", "Cold-hearted and mean"),
    ],
)
def test_a_word_that_goes_on_with_a_hyphen_is_completed(first: str, then: str, final: str) -> None:
    agreement = LocalAgreement()
    shown = agreement.update(words(first, 0.999), MIN_SPAN)
    shown += agreement.update(words(then, 0.999), 2 * MIN_SPAN)
    shown += agreement.update(words(then, 0.999), 3 * MIN_SPAN)
    shown += agreement.finish(words(final))
    assert shown == text(agreement.committed) == text(words(final))


PATIENT = Certainty(1.0, age=2 * MIN_SPAN, span=2 * MIN_SPAN)


def test_a_client_that_asks_for_more_certainty_waits_for_two_hypotheses() -> None:
    agreement, sure = LocalAgreement(), words("the quick brown fox", 0.999)
    assert agreement.update(sure, MIN_SPAN, PATIENT) == ""
    assert agreement.update(sure, 3 * MIN_SPAN, PATIENT) == " the quick brown fox"


def test_what_hypotheses_that_lie_far_enough_apart_agree_on_is_committed() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, "the quick brow", "the quick brown fox") == ["", " the quick"]
    assert text(agreement.tentative) == " brown fox"


def test_hypotheses_that_lie_closer_together_do_not_confirm_each_other() -> None:
    agreement = LocalAgreement()
    assert agreement.update(words("the fox"), 0) == ""
    assert agreement.update(words("the fox"), MIN_SPAN - 1) == ""
    assert agreement.update(words("the fox"), MIN_SPAN) == " the fox"


def test_all_hypotheses_in_between_must_agree_too() -> None:
    agreement = LocalAgreement()
    for end, said in ((0, "the fox"), (MIN_SPAN // 2, "a fox")):
        agreement.update(words(said), end)
    assert agreement.update(words("the fox"), MIN_SPAN) == ""
    assert agreement.update(words("the fox"), MIN_SPAN + MIN_SPAN // 2) == ""
    assert agreement.update(words("the fox"), 2 * MIN_SPAN) == " the fox"


BY_TURNS = (
    "fat button pieces to be ladled",
    "fat mutton pieces to be ladled",
    "fat mutton pieces to be ladled out",
)
"""Hypotheses of which one writes a word in another way, although enough has been said after it."""


def test_words_with_enough_behind_them_are_confirmed_by_the_hypothesis_before_alone() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, *BY_TURNS, apart=MIN_SPAN // 2) == ["", "", " fat mutton"]
    assert text(agreement.tentative) == " pieces to be ladled out"
    assert agreement.confirmed_until == MIN_SPAN  # not when the first one ended, which has another word


def test_a_client_that_asks_for_more_certainty_waits_for_all_hypotheses_in_between() -> None:
    agreement = LocalAgreement()
    ends = MIN_SPAN, 2 * MIN_SPAN, 3 * MIN_SPAN
    committed = [agreement.update(words(each), end, PATIENT) for each, end in zip(BY_TURNS, ends, strict=True)]
    assert committed == ["", "", " fat"]  # on which all three agree


def test_at_the_beginning_of_a_segment_the_next_hypothesis_confirms_nothing() -> None:
    assert deltas(LocalAgreement(), *BY_TURNS[1:], apart=MIN_SPAN - 1) == ["", ""]


def test_what_is_behind_a_word_is_counted_in_letters() -> None:
    """Some writings have a word for each syllable."""
    said = "a b c d e f g h i j k l m n o"
    assert deltas(LocalAgreement(), f"X {said}", *[f"Y {said}"] * 2, apart=MIN_SPAN // 2) == ["", "", " Y"]
    assert deltas(LocalAgreement(), f"X {said[:-2]}", *[f"Y {said[:-2]}"] * 2, apart=MIN_SPAN // 2) == ["", "", ""]


def test_hypotheses_older_than_need_be_have_no_say() -> None:
    assert deltas(LocalAgreement(), "a fox", "the fox", "the fox") == ["", "", " the fox"]


@pytest.mark.parametrize("probability", [0.0, 0.3])
def test_in_a_pause_the_last_hypothesis_confirms(probability: float) -> None:
    agreement = LocalAgreement()
    agreement.update(words("the fox", probability), MIN_SPAN)
    assert agreement.update(words("the fox runs", probability), MIN_SPAN + 1, pausing=True) == " the fox"


def test_a_word_is_not_committed_before_a_word_in_front_of_it_that_changed() -> None:
    assert deltas(LocalAgreement(), "a quick fox", "the quick fox") == ["", ""]


def test_case_and_marks_do_not_prevent_agreement() -> None:
    assert deltas(LocalAgreement(), "the Fox runs", "The fox, runs") == ["", " The fox, runs"]


def test_a_mark_at_the_edge_waits_for_the_next_word() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, "yes.", "yes.", "yes. No", "yes. No") == ["", " yes", "", ". No"]


def test_the_last_committed_word_takes_the_marks_of_the_newest_hypothesis() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, "yes.", "yes.", "yes, sir", "yes, sir") == ["", " yes", "", ", sir"]


def test_a_hypothesis_that_differs_within_the_committed_words_still_extends_them() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, *["one two three"] * 2, *["one too three four"] * 2) == ["", " one two three", "", " four"]
    assert text(agreement.committed) == " one two three four"


def test_where_the_newest_words_were_confirmed_is_known() -> None:
    agreement = LocalAgreement()
    agreement.update(words("one two"), 7)
    assert agreement.confirmed_until == 0
    agreement.update(words("one two"), 7 + MIN_SPAN)
    assert agreement.confirmed_until == 7


def test_tentative_words_that_are_taken_back_are_counted() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two three", "one too three four", apart=1)
    assert agreement.erased == 2
    agreement.finish(words("one too"))
    assert agreement.erased == 4


# The end.


def test_the_final_gives_out_the_rest() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two", "one two three")
    assert agreement.finish(words("one two three four.")) == " three four."
    assert (text(agreement.committed), agreement.tentative) == (" one two three four.", ())


@pytest.mark.parametrize("final", ["one too three.", "one two or three.", "won two three."])
def test_a_final_does_not_change_what_was_given_out(final: str) -> None:
    agreement = LocalAgreement()
    given_out = "".join(deltas(agreement, "one two", "one two"))
    given_out += agreement.finish(words(final))
    assert given_out == text(agreement.committed)
    assert given_out.startswith(" one two")
    assert given_out.endswith("three.")


def test_a_final_that_lacks_a_committed_word_adds_nothing() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two", "one two")
    assert agreement.finish(words("one")) == ""


def test_a_final_keeps_the_case_and_the_marks_that_were_given_out() -> None:
    agreement = LocalAgreement()
    given_out = "".join(deltas(agreement, "Hello, world", "Hello, world"))
    given_out += agreement.finish(words("hello. World again."))
    assert given_out == text(agreement.committed) == " Hello, world again."


def test_a_word_of_marks_only_does_not_swallow_the_mark_before_it() -> None:
    agreement = LocalAgreement()
    given_out = "".join(deltas(agreement, "a, -", "a, -", "a, -"))
    assert given_out + agreement.finish(words("a, - b")) == text(agreement.committed) == " a, - b"


def test_punctuation_that_was_held_back_is_returned_though_the_final_is_suppressed() -> None:
    agreement = LocalAgreement()
    given_out = "".join(deltas(agreement, "Yes. No.", "Yes. No."))
    assert given_out + agreement.finish(()) == " Yes. No."


def test_committed_words_take_the_times_they_have_in_the_final() -> None:
    agreement = LocalAgreement()
    untimed = tuple(replace(word, start=0, end=0) for word in words("one two"))
    agreement.update(untimed, 0)
    agreement.update(untimed, MIN_SPAN)
    agreement.finish(words("one two"))
    assert agreement.committed == list(words("one two"))


def test_a_committed_word_that_the_final_lacks_has_no_length() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two three", "one two three")
    agreement.finish((words("one two three")[0], words("one two three")[2]))
    one, two, three = agreement.committed
    assert one.end == two.start == two.end <= three.start
    assert two.probability == 0.0


spoken = st.lists(st.sampled_from(["a", "b", "A", "c", "a,", "b.", "c?", "-", "...", "é"]), max_size=8).map(" ".join)


@given(
    hypotheses=st.lists(
        st.tuples(
            spoken,
            st.lists(st.sampled_from([0.0, 0.5, 0.9, 0.999]), min_size=8, max_size=8),
            st.sampled_from([1, MIN_SPAN // 2, MIN_SPAN]),
            st.booleans(),
        ),
        max_size=8,
    ),
    final=spoken,
)
def test_deltas_are_append_only_and_add_up_to_all_that_is_committed(
    hypotheses: list[tuple[str, list[float], int, bool]], final: str
) -> None:
    agreement = LocalAgreement()
    given_out, end = "", 0
    for said, probabilities, new, pausing in hypotheses:
        committed = [normalised(word.text) for word in agreement.committed]
        end += new
        hypothesis = [
            replace(word, probability=probability)
            for word, probability in zip(words(said), probabilities, strict=False)
        ]
        given_out += agreement.update(hypothesis, end, pausing=pausing)
        assert [normalised(word.text) for word in agreement.committed][: len(committed)] == committed
        assert text(agreement.committed).startswith(given_out)
    assert given_out + agreement.finish(words(final)) == text(agreement.committed)


# Forgetting audio.


def committed(said: str) -> LocalAgreement:
    agreement = LocalAgreement()
    deltas(agreement, said, said)
    return agreement


def trimmed(agreement: LocalAgreement, of: Sequence[Word], before: int) -> tuple[int, int] | None:
    gap = agreement.leave_out(of, before)
    agreement.trim()
    return gap


def test_the_audio_of_words_before_a_place_is_forgotten() -> None:
    agreement, said = committed("a b c d e f"), words("a b c d e f")
    assert trimmed(agreement, said, said[3].start) == (said[2].end, said[3].start)
    assert text(agreement.untrimmed) == " d e f"
    assert text(agreement.committed) == " a b c d e f"


def test_it_is_cut_where_a_sentence_ends_rather_than_where_the_gap_is_wide() -> None:
    said = list(words("a b. c d e"))
    said[3] = replace(said[3], start=said[3].start + SAMPLE_RATE // 20)
    assert trimmed(committed("a b. c d e"), said, said[4].start) == (said[1].end, said[2].start)
    said[1] = replace(said[1], text=" b")
    assert trimmed(committed("a b. c d e"), said, said[4].start) == (said[2].end, said[3].start)


def test_no_sentence_end_is_looked_for_that_is_far_from_the_latest_place() -> None:
    said = words("a. b c d e f g h")
    before = said[7].start
    assert before - said[1].start > CUT_RANGE
    assert trimmed(committed("a. b c d e f g h"), said, before) != (said[0].end, said[1].start)


def test_where_nothing_lies_before_the_place_nothing_is_forgotten() -> None:
    agreement, said = committed("a b c"), words("a b c")
    assert trimmed(agreement, said, said[1].start - 1) is None
    assert trimmed(agreement, (), said[2].end) is None
    assert text(agreement.untrimmed) == " a b c"


def test_it_is_not_cut_between_words_that_the_hypothesis_has_otherwise() -> None:
    said = words("a b x c d")
    assert trimmed(committed("a b c d"), said, said[3].start) is None


def test_nothing_is_forgotten_by_a_hypothesis_that_has_a_repeated_sentence_once() -> None:
    agreement, said = committed("wait for me. " * 3), words("wait for me.")
    assert trimmed(agreement, said, said[2].end) is None
    assert text(agreement.untrimmed) == " wait for me." * 3


def test_after_a_cut_hypotheses_of_what_is_left_go_on_where_the_words_stopped() -> None:
    agreement, said = committed("a b c d e f"), words("a b c d e f")
    trimmed(agreement, said, said[3].start)
    rest = words("d e f g h")
    assert agreement.update(rest, 3 * MIN_SPAN) == ""
    assert agreement.update(rest, 4 * MIN_SPAN) == " g h"
    assert agreement.finish(words("d e f g h i")) == " i"
    assert text(agreement.committed) == " a b c d e f g h i"


def test_words_whose_audio_is_forgotten_keep_their_times() -> None:
    agreement, said = committed("a b c d e f"), words("a b c d e f")
    trimmed(agreement, said, said[3].start)
    later = tuple(word.shifted(SAMPLE_RATE // 10) for word in said[3:])
    agreement.finish(later)
    assert agreement.committed == [*said[:3], *later]


def test_a_hypothesis_that_begins_with_a_piece_of_a_forgotten_word_repeats_nothing() -> None:
    agreement, said = committed("a b c d e f"), words("a b c d e f")
    trimmed(agreement, said, said[3].start)
    for number in (3, 4):
        agreement.update(words("hm d e f g"), number * MIN_SPAN)
    assert text(agreement.committed) == " a b c d e f g"


def test_words_that_are_left_out_of_partials_are_still_expected_in_a_final() -> None:
    agreement, said = committed("a b c d e f"), words("a b c d e f")
    agreement.leave_out(said, said[3].start)
    assert text(agreement.untrimmed) == " a b c d e f"
    for number in (3, 4):
        agreement.update(words("d e f g h"), number * MIN_SPAN, partial=True)
    assert agreement.update(words("a b c d e f g h i"), 4 * MIN_SPAN + 1, pausing=True) == ""
    assert agreement.finish(words("a b c d e f g h i")) == " i"
    assert text(agreement.committed) == " a b c d e f g h i"


# Which words are which.


def test_committed_words_are_found_at_the_beginning_of_a_longer_hypothesis() -> None:
    def aligned(committed: str, hypothesis: str) -> tuple[list[int | None], str]:
        places, following = align_words(words(committed), words(hypothesis))
        return places, text(following)

    assert aligned("a b c", "a b c d") == ([0, 1, 2], " d")
    assert aligned("a b c", "a and b c d") == ([0, 2, 3], " d")
    assert aligned("a b c", "b c d") == ([None, 0, 1], " d")
    assert aligned("a b", "") == ([None, None], "")


@pytest.mark.parametrize(("one", "other"), [("5", "-5"), ("C", "C++"), ("क", "की"), ("का", "के"), ("10", "$10")])
def test_signs_and_vowel_marks_tell_words_apart(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(("one", "other"), [(" Hello,", "hello"), ("well-known", "wellknown"), ("it's", "its")])
def test_case_and_punctuation_do_not(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


# Drafts of a smaller model.


def test_a_draft_confirms_what_it_says_too_in_the_words_of_the_hypothesis() -> None:
    agreement = LocalAgreement()
    agreement.update(words("The quick, brow"), MIN_SPAN)
    assert agreement.confirm(Draft(words("the quick brown"), 2 * MIN_SPAN, 0)) == " The quick"
    assert text(agreement.tentative) == " brow"
    assert agreement.confirm(Draft(words("the quick brown fox"), 3 * MIN_SPAN, 0)) == ""
    assert agreement.update(words("the quick brown fox"), 4 * MIN_SPAN) == ""
    assert agreement.update(words("the quick brown fox jumps"), 5 * MIN_SPAN) == " brown fox"


def test_words_behind_those_that_a_draft_confirms_do_not_become_new() -> None:
    agreement, said = LocalAgreement(), words("the quick brown fox", 0.5)
    agreement.update(said, MIN_SPAN)
    agreement.update(said, 2 * MIN_SPAN)
    assert agreement.confirm(Draft(words("the quick"), 3 * MIN_SPAN, 0)) == " the quick"
    assert agreement.update(said, MIN_SPAN + CERTAIN.age) == " brown fox"


def test_a_draft_confirms_nothing_alone_or_too_early() -> None:
    agreement, draft = LocalAgreement(), Draft(words("the fox"), 2 * MIN_SPAN - 1, 0)
    assert agreement.confirm(draft) == ""
    agreement.update(words("the fox"), MIN_SPAN)
    assert agreement.confirm(draft) == ""
    assert agreement.confirm(draft, span=MIN_SPAN - 1) == " the fox"


def test_the_words_of_a_later_draft_follow_all_but_the_last_of_the_hypothesis() -> None:
    agreement = LocalAgreement()
    draft = Draft(words("the quick braun fox"), 2 * MIN_SPAN, 0)
    assert text(agreement.continued(draft)) == " the quick braun fox"
    agreement.update(words("The kwick brow"), MIN_SPAN)
    assert text(agreement.continued(draft)) == " The kwick braun fox"
    agreement.update(words("The quick brown fox jumps"), 3 * MIN_SPAN)
    assert text(agreement.continued(draft)) == text(agreement.tentative)


@pytest.mark.parametrize(
    ("tentative", "shown"),
    [
        ("It rained. We", " It rained. We left"),
        ("Of Dr. Who", " Of Dr. we left"),
        ("It rained... we", " It rained... we left"),
    ],
)
def test_a_draft_goes_on_with_a_capital_after_the_end_of_a_sentence(tentative: str, shown: str) -> None:
    agreement = LocalAgreement()
    agreement.update(words(tentative), MIN_SPAN)
    plain = " ".join(tentative.lower().replace(".", "").split()[:-1])
    assert text(agreement.continued(Draft(words(f"{plain} we left"), 2 * MIN_SPAN, 0))) == shown


def test_a_draft_of_audio_without_the_first_words_is_compared_with_the_others() -> None:
    agreement = LocalAgreement()
    said = words("it was the best of times")
    agreement.update(said, MIN_SPAN)
    agreement.update(said, 2 * MIN_SPAN)
    assert agreement.leave_out(said, said[4].start) is not None
    draft = Draft(words("the best of times it was"), 3 * MIN_SPAN, agreement.left_out)
    assert 0 < agreement.left_out < len(said)
    assert text(agreement.continued(draft)).endswith(" it was")
