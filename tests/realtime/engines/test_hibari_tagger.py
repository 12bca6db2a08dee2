"""The weights of hibari's tagger, packed."""

from hibari.g2p import G2P

from realtime.engines.hibari import load_reader
from realtime.engines.hibari_tagger import PackedWeights

TEXT = "I read the record that they live to record, and have read about the lives of 23 people who live in 1984."


def test_features_have_the_weights_that_they_had() -> None:
    weights = G2P().tagger.weights
    expected = {feature: dict(of_feature) for feature, of_feature in weights.items()}
    packed = PackedWeights(weights)
    assert weights == {}
    assert {feature: packed.get(feature) for feature in expected} == expected
    assert packed.get("w=no such word") is None


def test_words_are_read_as_without_it() -> None:
    assert load_reader(british=False)(TEXT) == G2P()(TEXT)
