"""How likely words of partials are to stay: `python -m tests.bench.hard_cases.stability`, or with a model's name.

The beginnings of recorded English clips are decoded as partials, each longer than the one before, and all of a clip as
its final. The tables have what commits by `realtime.speech.stability` cost and bring, with partials as a lone speaker
has them and as under load: by what is asked of words, their lag without the time that decoding takes, and how many
committed words the final has otherwise. Below are the coefficients that fit these partials best, and what the
simulation of machines (`tests.support.misheard_words`) takes from them: how often words are misheard, how often they
stay so, and their log-odds.
"""

import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.speech import stability
from realtime.speech.certainty import MIN_SPAN, Certainty
from realtime.speech.local_agreement import LocalAgreement, ages_of, agreed_length
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Word, normalised
from realtime.weights.locate import locate
from realtime.wire.openai.session_update import CERTAINTIES
from tests.bench.scoring import percentile
from tests.bench.speech_clips import RATE, SpeechClip, recorded
from tests.support.misheard_words import BEFORE_END, RECENT_SECONDS
from tests.support.recognizing import transcribe
from tests.support.scripted_conversation import WORD_LENGTH

STEPS: Final = {False: 0.35, True: 0.9}
"""Seconds between the partials of a clip, by whether there is load."""

LONGEST: Final = 12.0
"""Seconds of the longest clips that are used: segments are no longer."""

PAST: Final = 0.5
"""Seconds after the end of a word from which on its log-odds are those of the word, as much as they will ever be."""

ASKED: Final = {"agreement, 0.7 s apart": Certainty(1.0, age=MIN_SPAN)} | {
    f"delay {delay}": certainty for delay, certainty in CERTAINTIES.items()
}
"""What is asked of words, by name."""


@dataclass(slots=True)
class Partials:
    """The partials of a clip, each with the end of its audio in samples, and its final."""

    clip: SpeechClip
    final: tuple[Word, ...]
    partials: list[tuple[int, tuple[Word, ...]]] = field(default_factory=list)


def decode(recognizer: Whisper, clips: Sequence[SpeechClip], *, under_load: bool) -> Iterator[Partials]:
    """Decode each clip, and its beginnings."""
    dice, step = random.Random(0), STEPS[under_load]
    for clip in track(clips, f"{'without' if under_load else 'with'} timestamps"):
        samples = soxr.resample(clip.samples, RATE, SAMPLE_RATE)
        decoded = Partials(clip, transcribe(recognizer, TranscriptionRequest(samples, language="en")).words)
        end = dice.uniform(0.5, 0.5 + step)
        while end < clip.seconds:
            heard = samples[: round(end * SAMPLE_RATE)]
            request = TranscriptionRequest(heard, language="en", final=False, under_load=under_load)
            decoded.partials.append((len(heard), transcribe(recognizer, request).words))
            end += step
        yield decoded


def plain(words: Sequence[Word]) -> list[str]:
    return [normalised(word.text) for word in words]


def commit(decoded: Partials, certainty: Certainty) -> tuple[list[float], int, int]:
    """Return the lag of each word that was said, how many differ from the final, and how many have been committed."""
    agreement = LocalAgreement()
    times: list[float] = []
    for end, words in decoded.partials:
        agreement.update(words, end, certainty, partial=True)
        times += [end / SAMPLE_RATE] * (len(agreement.committed) - len(times))
    agreement.finish(decoded.final)
    times += [decoded.clip.seconds] * (len(agreement.committed) - len(times))
    committed = plain(agreement.committed)
    said = [normalised(word.text) for word in decoded.clip.words]
    matches = SequenceMatcher(None, committed, said, autojunk=False).get_matching_blocks()
    lags = [
        times[match.a + offset] - decoded.clip.words[match.b + offset].end
        for match in matches
        for offset in range(match.size)
    ]
    changes = SequenceMatcher(None, committed, plain(decoded.final), autojunk=False).get_opcodes()
    return lags, sum(max(j - i, n - m) for tag, i, j, m, n in changes if tag != "equal"), len(committed)


def features(decoded: Sequence[Partials]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a row of features for each word up to the first that changes, and whether it stays."""
    rows, stays = [], []
    for each in decoded:
        final = plain(each.final)
        for number, (end, words) in enumerate(each.partials):
            ages = ages_of(words, end, each.partials[:number])
            for index, (word, known) in enumerate(zip(plain(words), stability.features(words, ages), strict=True)):
                rows.append((1.0, *known))
                stays.append(index < len(final) and word == final[index])
                if not stays[-1]:
                    break
    return np.array(rows), np.array(stays, float)


def fit(rows: NDArray[np.float64], stays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients of a logistic regression, by Newton's method."""
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-rows @ weights))
        curvature = (rows * (expected * (1 - expected))[:, None]).T @ rows + 0.01 * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, rows.T @ (expected - stays) + 0.01 * weights)
    return weights


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A word of the final in a partial that has all words before it, and may have it wrong, or not at all."""

    clip: int
    place: int
    since: float
    """Seconds since it ended."""
    usual: float
    """Its mean log-odds in partials that end `PAST` or more after it."""
    log_odds: float | None
    """None if the partial has no further word."""
    right: bool


def occurrences(decoded: Sequence[Partials]) -> Iterator[Occurrence]:
    """Yield the words of each partial up to the first that is wrong."""
    for clip, each in enumerate(decoded):
        ends = _ends(each)
        heard, usual = list[Occurrence](), defaultdict[int, list[float]](list)
        for end, words in each.partials:
            right = agreed_length(words, each.final)
            log_odds = [own for own, *_ in stability.features(words, [])]
            for place in sorted(ends.keys() & set(range(right + 1))):
                since, own = end / SAMPLE_RATE - ends[place], (*log_odds, None)[place]
                heard.append(Occurrence(clip, place, since, 0.0, own, place < right))
                if since >= PAST and own is not None:
                    usual[place].append(own)
        for word in heard:
            if word.place in usual and word.since > -WORD_LENGTH / SAMPLE_RATE / 2:
                yield replace(word, usual=float(np.mean(usual[word.place])))


def _ends(decoded: Partials) -> dict[int, float]:
    """Return when words of the final ended, in seconds, by their places."""
    said = [normalised(word.text) for word in decoded.clip.words]
    changes = SequenceMatcher(None, plain(decoded.final), said, autojunk=False).get_opcodes()
    pairs = ((i + k, n + min(k, m - n - 1)) for tag, i, j, n, m in changes if m > n for k in range(j - i))
    return {place: decoded.clip.words[of_clip].end for place, of_clip in pairs}


def print_heard(words: Sequence[Occurrence]) -> None:
    """Print what `misheard_words` takes from partials."""
    usual = np.array([*{(word.clip, word.place): word.usual for word in words}.values()])
    print(f"log-odds {usual.mean():.2f} {usual.std():.2f}", end=", ")
    vanishing = [
        (math.exp(-(word.since + 0.1) / RECENT_SECONDS), word.usual - word.log_odds, word.since)
        for word in words
        if word.right and word.log_odds is not None
    ]
    factors, less, since = np.array(vanishing).T
    print(f"less when recent {factors @ less / (factors @ factors):.2f}", end=", ")
    print(f"noise {less[since >= PAST].std():.2f}", end=", ")
    rows = np.array([(1.0, word.usual, math.log(word.since + BEFORE_END)) for word in words])
    wrong = np.array([float(not word.right) for word in words])
    weights = fit(rows, wrong)
    print("misheard {:.2f} {:.2f} {:.2f}".format(*weights), end=", ")
    misheard = [word.log_odds for word in words if not word.right and word.log_odds is not None]
    print(f"log-odds then {np.mean(misheard):.2f} {np.std(misheard):.2f}", end=", ")
    print(f"kept {kept(words, 1 / (1 + np.exp(-rows @ weights))):.2f}")


def kept(words: Sequence[Occurrence], probable: NDArray[np.float64]) -> float:
    """Return the share of misheard words that stay wrong beyond what their probabilities explain.

    `probable` is how likely each word is to be wrong.
    """
    before = dict[tuple[int, int], int]()
    again, by_chance, if_kept = 0, 0.0, 0.0
    for number, word in enumerate(words):
        last = before.get((word.clip, word.place))
        if last is not None and not words[last].right:
            again += not word.right
            by_chance += probable[number]
            if_kept += min(1.0, probable[number] / probable[last])
        before[word.clip, word.place] = number
    return (again - by_chance) / (if_kept - by_chance)


def main() -> None:
    """Print the tables."""
    entry = lookup(sys.argv[1] if len(sys.argv) > 1 else "whisper-base")
    recognizer = Whisper(locate(entry, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)
    clips = [clip for clip in recorded().clips if clip.seconds <= LONGEST]
    decoded = {under_load: [*decode(recognizer, clips, under_load=under_load)] for under_load in (False, True)}
    table = Table("load", "committed by", "lag, median / p95 / p99", "differ", "words", title=entry.name)
    for under_load, each in decoded.items():
        for name, certainty in ASKED.items():
            lags, differ, words = zip(*(commit(clip, certainty) for clip in each), strict=True)
            late = [lag for of_clip in lags for lag in of_clip]
            shown = " / ".join(f"{percentile(late, share) or 0.0:.2f}" for share in (0.5, 0.95, 0.99))
            table.add_row("yes" if under_load else "no", name, shown, str(sum(differ)), str(sum(words)))
    Console().print(table)
    weights = fit(*features([*decoded[False], *decoded[True]]))
    print("constant {:.2f}, own log-odds {:.2f}, next log-odds {:.2f}, letters {:.2f}, age {:.2f}".format(*weights))

    for under_load, each in decoded.items():
        print("under load" if under_load else "without load", end=": ")
        print_heard([*occurrences(each)])


if __name__ == "__main__":
    main()
