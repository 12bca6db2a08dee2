"""Audio that has ended processes."""

from realtime.workers.poison import MAX_REMEMBERED, PoisonedAudio
from tests.support.scripted_engines import say_numbers


def test_audio_that_begins_like_what_is_remembered_counts_as_the_same() -> None:
    poison = PoisonedAudio()
    poison.add(say_numbers([1, 2]))
    assert poison.begins(say_numbers([1, 2]))
    assert poison.begins(say_numbers([1, 2, 3]))
    assert not poison.begins(say_numbers([1]))
    assert not poison.begins(say_numbers([2, 1, 2]))


def test_empty_audio_is_not_remembered() -> None:
    poison = PoisonedAudio()
    poison.add(say_numbers([]))
    assert not poison.begins(say_numbers([1]))


def test_only_the_last_pieces_are_remembered() -> None:
    poison = PoisonedAudio()
    for number in range(MAX_REMEMBERED + 1):
        poison.add(say_numbers([number]))
    assert not poison.begins(say_numbers([0]))
    assert poison.begins(say_numbers([1]))
