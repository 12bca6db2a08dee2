"""The weights of hibari's part-of-speech tagger in half of their memory."""

from array import array
from typing import Final

SEPARATOR: Final = "\0"
"""Between the names of features, in none of which it occurs."""


class PackedWeights:
    """Weights by feature and tag, which hibari looks up with `get`, in arrays.

    hibari loads them as 80,000 dictionaries of 3.7 weights each, which take 20 MB more.
    """

    def __init__(self, weights: dict[str, dict[str, float]]) -> None:
        """Take the weights over: `weights` is empty afterwards. Raises `ValueError` for more than 256 tags."""
        self._tags = [*dict.fromkeys(tag for of_feature in weights.values() for tag in of_feature)]
        numbers = {tag: number for number, tag in enumerate(self._tags)}
        self._firsts = array("I", [0])
        self._numbers = bytearray()
        self._weights = array("d")
        for of_feature in weights.values():
            self._numbers += bytes(numbers[tag] for tag in of_feature)
            self._weights.extend(of_feature.values())
            self._firsts.append(len(self._weights))
        features = SEPARATOR.join(weights)
        weights.clear()  # before the names are made anew, so that these take its memory, and the rest of it is returned
        self._places = {feature: place for place, feature in enumerate(features.split(SEPARATOR))}

    def get(self, feature: str) -> dict[str, float] | None:
        """Return the weights of a feature by tag, None without any."""
        if (place := self._places.get(feature)) is None:
            return None
        part = slice(self._firsts[place], self._firsts[place + 1])
        return dict(zip((self._tags[number] for number in self._numbers[part]), self._weights[part], strict=True))
