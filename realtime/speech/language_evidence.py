"""In which language a stretch of speech is, from its own sound and from the speech around it.

A recognizer gives each stretch a probability for every language. Those of short stretches are unreliable: cut to 1.5 s,
one recording in four is taken for another language. Somebody who spoke a language a moment ago most likely goes on in
it. So the stretches around one, earlier turns of a session or neighbouring segments of a recording, are a prior: they
add up to a number of nats to the log-probability of their languages. A stretch that is clear by itself overrides them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.segmentation import Span

Probabilities: TypeAlias = Mapping[str, float]
"""Probabilities of the likeliest languages by code; of the others next to none."""

MAX_PRIOR: Final = 2.0
"""Nats that the speech around a stretch adds to the log-probability of a language at most.

Of 195 stretches of 1, 1.5 and 2.5 s in nine languages other than English, with the language of the speaker as the
prior, 149 are identified without a prior, 166 with 1.0 and 180 with 2.0. After a turn in English, 50, 49 and 47 of the
64 that begin an utterance still are.
"""

MEMORY: Final = 0.5
"""Factor by which a stretch counts less than the one that is one place nearer."""

MIN_CONFIDENCE: Final = 0.95
"""Probability from which a language is certain.

All 91 of those stretches with more are identified; of those with 0.9 to 0.95, 23 of 26; of the others half.
"""

MIN_CLEAR: Final = 0.8
"""Probability, after the prior, from which a longer window is not worth its time.

Of the first 0.5 to 2 s of recordings, 179 cuts in English and 84 in nine other languages, 178 and 53 are identified
with 0.7 and with 0.8, 177 and 53 with 0.9; 56, 81 and 108 of them are encoded again. After a turn in another language
42, 44 and 46 of the 84 are identified, and 178, 176 and 175 of the English ones.
"""

MIN_STRETCH: Final = SAMPLE_RATE
"""Samples of a stretch between pauses, 1 s, from which its language may differ from that of its surroundings."""

MIN_CHANGE: Final = 0.6
"""Probability from which a stretch is in another language than the one before it, which is its prior.

Of 14 recordings of 6 s of English and 6 s of another language, all English stretches are taken for English and all
others for another language.
"""

_FLOOR: Final = 1e-4
"""Probability of a language that is not among the likeliest."""


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """The language of a stretch, and its probability after the prior."""

    language: str
    probability: float

    @property
    def clear(self) -> bool:
        """Whether it need not be detected again in a longer window."""
        return self.probability >= MIN_CLEAR


def likeliest_language(probabilities: Probabilities, prior: Mapping[str, float] = {}) -> DetectedLanguage:
    """Find the likeliest language of a stretch from its `probabilities` and a `prior` in nats by language."""
    languages = {*probabilities, *prior}
    weights = {each: max(probabilities.get(each, 0.0), _FLOOR) * math.exp(prior.get(each, 0.0)) for each in languages}
    language = max(weights, key=weights.__getitem__)
    return DetectedLanguage(language, weights[language] / sum(weights.values()))


def prior_from(stretches: Iterable[Sequence[Probabilities]]) -> dict[str, float]:
    """Return the prior for a stretch from those before and behind it, each side in order of growing distance."""
    total: dict[str, float] = {}
    for side in stretches:
        weight = 1.0
        for probabilities in side:
            for language, probability in probabilities.items():
                total[language] = total.get(language, 0.0) + weight * probability
            weight *= MEMORY
    whole = max(1.0, sum(total.values()))
    return {language: MAX_PRIOR * weight / whole for language, weight in total.items()}


def language_changes(
    stretches: Sequence[Span], probabilities: Sequence[Probabilities], language: str
) -> list[tuple[int, str]]:
    """Return where speech of more than one language changes: the start of each part, in samples, and its language.

    `stretches` are the speech between pauses, and `language` is the one of it all. A stretch that
    is short or doubtful is in the language of the one before it. Without `probabilities` there are no parts.
    """
    parts: list[tuple[int, str]] = []
    for stretch, each in zip(stretches, probabilities, strict=False):
        spoken = parts[-1][1] if parts else language
        detected = likeliest_language(each, {spoken: MAX_PRIOR})
        if detected.probability >= MIN_CHANGE and stretch.end - stretch.start >= MIN_STRETCH:
            spoken = detected.language
        if not parts or parts[-1][1] != spoken:
            parts.append((stretch.start, spoken))
    return parts
