"""Restricting options to what a model supports."""

import pytest

from realtime.catalogue.names import lookup
from realtime.errors import ClientError, UnsupportedModel
from realtime.offline.options import OfflineOptions


def test_languages_the_model_does_not_know_are_dropped() -> None:
    assert OfflineOptions(("de", "yue", "fr")).for_model(lookup("whisper-base")).languages == ("de", "fr")


def test_the_only_language_of_a_model_is_the_language() -> None:
    assert OfflineOptions().for_model(lookup("whisper-base.en")).languages == ("en",)


@pytest.mark.parametrize(("languages", "param"), [(("de",), "language"), (("de", "fr"), "languages")])
def test_a_model_that_knows_none_of_the_languages_is_an_error(languages: tuple[str, ...], param: str) -> None:
    with pytest.raises(ClientError, match=r"whisper-base\.en") as refusal:
        OfflineOptions(languages).for_model(lookup("whisper-base.en"))
    assert refusal.value.param == param


def test_a_model_that_does_not_translate_is_an_error() -> None:
    with pytest.raises(UnsupportedModel, match="does not support translation"):
        OfflineOptions(translate=True).for_model(lookup("whisper-base.en"))
