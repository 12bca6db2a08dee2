"""Lines that roll up."""

from hypothesis import given
from hypothesis import strategies as st

from clients.roll_up import RollUp


def test_a_line_is_finished_when_the_next_word_does_not_fit() -> None:
    lines = RollUp(16)
    assert lines.add("The garden is") == []
    assert lines.add(" full of flowers.") == ["The garden is"]
    assert lines.lines == ("The garden is", "full of flowers.")


def test_the_oldest_line_disappears() -> None:
    lines = RollUp(9, lines=2)
    assert lines.add("one two three four five") == ["one two", "three"]
    assert lines.lines == ("three", "four five")


def test_a_turn_ends_its_line() -> None:
    lines = RollUp()
    lines.add("Good morning.")
    assert lines.end_line() == ["Good morning."]
    assert lines.end_line() == []
    lines.add("How are you?")
    assert lines.lines == ("Good morning.", "How are you?")


def test_a_word_that_is_longer_than_a_line_is_cut() -> None:
    lines = RollUp(8)
    assert lines.add("incomprehensible") == ["incompre"]
    assert lines.lines == ("incompre", "hensible")


def test_wide_characters_count_twice() -> None:
    lines = RollUp(8)
    assert lines.add("我们明天上午见面") == ["我们明天"]
    assert lines.lines == ("我们明天", "上午见面")


@given(st.lists(st.text("abc, 中.", max_size=30), max_size=20), st.integers(2, 40))
def test_no_word_is_lost_and_no_line_too_long(parts: list[str], width: int) -> None:
    lines = RollUp(width)
    finished = [line for part in parts for line in lines.add(part)] + lines.end_line()
    assert all(sum(2 if each == "中" else 1 for each in line) <= width for line in finished)
    assert "".join(finished).replace(" ", "") == "".join(parts).replace(" ", "")
