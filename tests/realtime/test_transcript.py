from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.transcript import LocalAgreement, Word, continuation, normalised


def words(text: str) -> tuple[Word, ...]:
    """Words as Whisper writes them: the space in front, the marks behind."""
    return tuple(Word(f" {word}", 0, 0, 1.0) for word in text.split())


def deltas(agreement: LocalAgreement, *hypotheses: str) -> list[str]:
    return [agreement.update(words(text)) for text in hypotheses]


def text(of: Sequence[Word]) -> str:
    return "".join(word.text for word in of)


def test_one_hypothesis_commits_nothing() -> None:
    agreement = LocalAgreement()
    assert agreement.update(words("the quick brown")) == ""
    assert (text(agreement.committed), text(agreement.tentative)) == ("", " the quick brown")


def test_what_two_hypotheses_in_a_row_agree_on_is_committed() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, "the quick brow", "the quick brown fox") == ["", " the quick"]
    assert text(agreement.tentative) == " brown fox"


def test_a_word_is_not_committed_before_a_word_in_front_of_it_that_changed() -> None:
    assert deltas(LocalAgreement(), "a quick fox", "the quick fox") == ["", ""]


def test_agreement_with_the_hypothesis_before_last_is_none() -> None:
    assert deltas(LocalAgreement(), "the fox", "a fox", "the fox") == ["", "", ""]


def test_case_and_marks_do_not_prevent_agreement() -> None:
    assert deltas(LocalAgreement(), "the Fox runs", "The fox, runs") == ["", " The fox, runs"]


def test_a_mark_at_the_edge_waits_for_the_next_word() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, "yes.", "yes.", "yes. No", "yes. No") == ["", " yes", "", ". No"]


def test_a_hypothesis_that_differs_within_the_committed_words_still_extends_them() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two three", "one two three")
    assert deltas(agreement, "one too three four", "one too three four") == ["", " four"]
    assert text(agreement.committed) == " one two three four"


def test_the_final_gives_out_the_rest() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two", "one two three")
    completion = agreement.finish(words("one two three four."))
    assert (completion.text, completion.delta) == (" one two three four.", " three four.")
    assert not completion.corrected
    assert agreement.tentative == ()


def test_a_final_that_changes_a_committed_word_is_marked_as_corrected_and_its_delta_is_what_comes_after() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two", "one two")
    completion = agreement.finish(words("one too three."))
    assert completion.corrected
    assert (completion.text, completion.delta) == (" one too three.", " three.")


def test_a_final_that_lacks_a_committed_word_is_marked_as_corrected() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two", "one two")
    assert agreement.finish(words("one")).corrected


def test_a_final_keeps_the_case_and_the_marks_that_were_given_out() -> None:
    agreement = LocalAgreement()
    given_out = "".join(deltas(agreement, "Hello, world", "Hello, world"))
    completion = agreement.finish(words("hello. World again."))
    assert not completion.corrected
    assert completion.text == " Hello, world again."
    assert given_out + completion.delta == completion.text


def test_the_words_of_a_completion_spell_its_text() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "Yes. No", "Yes. No")
    completion = agreement.finish(words("yes no!"))
    assert text(completion.words) == completion.text == " Yes. No!"


def spelled(of: Sequence[Word]) -> list[str]:
    """The words without case and marks."""
    return [normalised(word.text) for word in of]


spoken = st.lists(st.sampled_from(["a", "b", "A", "c", "a,", "b.", "c?", "-", "...", "é"]), max_size=8).map(" ".join)


@given(hypotheses=st.lists(spoken, max_size=8), final=spoken)
def test_deltas_are_append_only_and_add_up_to_the_final_text_unless_it_was_corrected(
    hypotheses: list[str], final: str
) -> None:
    agreement = LocalAgreement()
    given_out = ""
    for each in hypotheses:
        committed = spelled(agreement.committed)
        given_out += agreement.update(words(each))
        assert spelled(agreement.committed)[: len(committed)] == committed
        assert text(agreement.committed).startswith(given_out)
    completion = agreement.finish(words(final))
    assert spelled(completion.words) == spelled(words(final))
    assert text(completion.words) == completion.text
    if completion.corrected:
        assert completion.text == text(words(final))
        assert completion.text.endswith(completion.delta)
    else:
        assert given_out + completion.delta == completion.text


def test_the_last_committed_word_takes_the_marks_of_the_newest_hypothesis() -> None:
    agreement = LocalAgreement()
    assert deltas(agreement, "yes.", "yes.", "yes, sir", "yes, sir") == ["", " yes", "", ", sir"]


def test_words_given_out_beyond_a_cut_are_not_given_out_again() -> None:
    agreement = LocalAgreement()
    given_out = "".join(deltas(agreement, "one, two, three four", "one, two, three four"))
    completion, rest = agreement.split(words("one two."))
    assert (completion.text, completion.delta, completion.corrected) == (" one, two,", "", False)
    assert deltas(rest, "three four five", "three four five six") == ["", " five"]
    last = rest.finish(words("three four five six."))
    assert given_out + " five" + last.delta == completion.text + last.text == " one, two, three four five six."


def test_where_nothing_was_given_out_beyond_a_cut_the_rest_begins_anew() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two three", "one two")
    completion, rest = agreement.split(words("one two three."))
    assert (completion.text, completion.delta) == (" one two three.", " three.")
    assert deltas(rest, "four five", "four five") == ["", " four five"]


def test_a_final_before_a_cut_that_changes_a_word_is_marked_as_corrected() -> None:
    agreement = LocalAgreement()
    deltas(agreement, "one two three four", "one two three four")
    completion, rest = agreement.split(words("one too three"))
    assert (completion.text, completion.delta, completion.corrected) == (" one too three", "", True)
    assert deltas(rest, "four five", "four five") == ["", " five"]


def test_continuation_finds_the_end_of_the_committed_words_in_a_longer_hypothesis() -> None:
    assert continuation(words("one two three"), words("one two three four")) == 3
    assert continuation(words("one two three"), words("one and two three four")) == 4
    assert continuation(words("one two three"), words("two three four")) == 2
    assert continuation(words("one two"), words("")) == 0


@pytest.mark.parametrize(("one", "other"), [("5", "-5"), ("C", "C++"), ("क", "की"), ("का", "के"), ("10", "$10")])
def test_signs_and_vowel_marks_tell_words_apart(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(("one", "other"), [(" Hello,", "hello"), ("well-known", "wellknown"), ("it's", "its")])
def test_case_and_punctuation_do_not(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
