import pytest

from realtime.speech.backchannel import is_backchannel


@pytest.mark.parametrize("text", ["Mhm.", "Mm-hmm.", "Yeah, yeah, right!", "Ja, genau.", "嗯。", "うん", "D'accord…"])
def test_what_listeners_say_is_a_backchannel(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "…", "No.", "Right, but wait.", "Stop", "Yes yes yes yes", "Nein", "okay Berlin"])
def test_everything_else_is_none(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", ["Ha ha ha!", "Hahaha.", "Hehehehehe", "Ha ha ha ha ha ha!", "Ahaha!", "Hihi."])
def test_laughter_is_a_backchannel(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["Ha.", "He.", "Hi!", "He has.", "Hey."])
def test_a_syllable_is_no_laughter(text: str) -> None:
    assert not is_backchannel(text)


def test_a_phrase_may_be_a_backchannel() -> None:
    assert is_backchannel("I see.")
    assert not is_backchannel("I saw.")
    assert not is_backchannel("See?")
