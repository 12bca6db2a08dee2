"""How early and how late turns end, by silence alone and by meaning: `python -m tests.bench.turn_ends`.

Sentences of the English recordings are turns, and whole recordings in other languages. Their pauses are of two kinds:

- *natural*: the pauses within sentences as they were read, most of them short and between clauses.
- *cut*: pauses between two words of a phrase, as of somebody who thinks. The recording is cut there, and noise as quiet
  as its own follows. How long such a pause is, and whether a turn has one, is given by `PAUSES`, with which silence
  alone has the published figures.

A false end is a pause that lasts longer than the silence that ends the turn there. The delay counts from the end of
speech by the detector, for the ends of sentences. The scores are those of the real models for the audio as a session
would send it; silences follow from them by `EndOfTurn`, so that all settings are compared on the same scores.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.engines.silero import Silero
from realtime.engines.smart_turn import SmartTurn
from realtime.speech.endpointing import (
    JUDGED_AFTER,
    JUDGED_SILENCE,
    EndOfTurn,
    Endpointing,
    Offset,
    Onset,
    TurnDetection,
)
from realtime.wire.openai.session_update import END_OF_TURN_MS
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import MIN_MATCHED, SPEECH

KINDS: Final = ("clean", "noisy", "telephone", "long")
LEFT_OUT: Final = ("audio/en_long_soak_multispeaker.ogg",)
"""Recordings that are made of others."""

SILENCES_MS: Final = (288, 400, 500, 600, 700, 800, 1000, 1200, 1600)
PAUSES: Final = ((300, 0.556), (600, 0.217), (1600, 0.05))
"""Share of turns with a pause longer than so many ms: the published false ends of silence alone (eot-bench, English).

In between, and beyond, the logarithm of the share is linear.
"""

SECONDS: Final = (2, 75)
"""Length of the recordings in other languages that are tried."""

TOLERANCE: Final = 0.35
"""Seconds between the end of a sentence by its words and by the detector."""

CUTS: Final = 150
CUT_SEARCH: Final = 960
"""Samples (60 ms) before and after the end of a word among which the quietest place is cut."""

BLIND_CUT_SEARCH: Final = 2_400
"""The same (150 ms) around any place, where the times of words are not known."""

BLIND_CUTS: Final = 3
"""Cuts of a recording whose words have no times, in its longest stretch without a pause."""

FADE: Final = 80
"""Samples (5 ms) in which the audio before a cut fades out."""

MIN_WORDS: Final = 3
"""Words before a cut."""

_SENTENCE_END: Final = re.compile(r"[.?!][\"'”’]*$")


@dataclass(frozen=True, slots=True)
class Judged:
    """A pause: the probability that the speaker has finished, and its length in ms (infinite at the end of a turn)."""

    finished: float
    length: float = np.inf


@dataclass(frozen=True, slots=True)
class Pauses:
    """The judged pauses of all turns."""

    ends: list[Judged]
    natural: list[Judged]
    cut: list[Judged]


class Judge:
    """The detector and the end-of-turn model."""

    def __init__(self) -> None:
        self._detector = Silero()
        self._model = SmartTurn()
        self._random = np.random.default_rng(0)

    def pauses(self) -> Pauses:
        """Judge the pauses of all recordings with known word times."""
        found = Pauses([], [], [])
        for row, timing in recordings():
            samples = load(row["file"])
            windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
            noise = self._noise_like(windows)
            words = [word for utterance in timing["utterances"] for word in utterance["words"]]
            ends = [*sentence_ends(timing["utterances"])]
            spans = self._spans(windows)
            start = spans[0][0]
            for (begin, end), (following, _) in zip(spans, [*spans[1:], (len(samples), 0)], strict=True):
                is_last = following == len(samples)
                is_end = any(abs(end / SAMPLE_RATE - at) < TOLERANCE for at in ends)
                if is_end or not is_last:
                    after = np.concatenate([samples[end:following], noise])[:JUDGED_SILENCE]
                    finished = self._finished(samples[start:end], after)
                    length = np.inf if is_end else (following - end) * 1000 / SAMPLE_RATE
                    (found.ends if is_end else found.natural).append(Judged(finished, length))
                spoken = [word for word in words if begin < word[1] * SAMPLE_RATE and word[2] * SAMPLE_RATE < end]
                if len(spoken) > MIN_WORDS + 1 and len(found.cut) < CUTS:
                    chosen = spoken[self._random.integers(MIN_WORDS, len(spoken) - 1) - 1]
                    head = _cut(samples, start, round(chosen[2] * SAMPLE_RATE), CUT_SEARCH)
                    found.cut.append(Judged(self._finished(head, noise[: 2 * JUDGED_SILENCE])))
                if is_end:
                    start = following
        return found

    def pauses_in_other_languages(self) -> Pauses:
        """Judge the ends, the pauses and cuts of recordings whose words have no times."""
        found = Pauses([], [], [])
        for row in rows():
            if row["lang"] in ("en", "") or not row["text"] or not SECONDS[0] <= row["seconds"] <= SECONDS[1]:
                continue
            samples = load(row["file"])
            windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
            noise, spans = self._noise_like(windows), self._spans(windows)
            start, end = spans[0][0], spans[-1][1]
            found.ends.append(Judged(self._finished(samples[start:end], noise[:JUDGED_SILENCE])))
            for (_, end), (following, _) in pairwise(spans):
                finished = self._finished(samples[start:end], samples[end : end + JUDGED_SILENCE])
                found.natural.append(Judged(finished, (following - end) * 1000 / SAMPLE_RATE))
            begin, end = max(spans, key=lambda span: span[1] - span[0])
            for at in self._random.integers((3 * begin + end) // 4, (begin + 3 * end) // 4, BLIND_CUTS):
                head = _cut(samples, start, at, BLIND_CUT_SEARCH)
                found.cut.append(Judged(self._finished(head, noise[: 2 * JUDGED_SILENCE])))
        return found

    def _spans(self, windows: NDArray[np.float32]) -> list[tuple[int, int]]:
        """Return start and end of the speech between judged pauses."""
        ((probabilities, _),) = self._detector.score([(windows, self._detector.initial_state())])
        endpointing = Endpointing(TurnDetection(silence=JUDGED_AFTER + WINDOW))
        spans, start = [], 0
        for probability in [*probabilities, *[0.0] * 10]:
            match endpointing.update(probability):
                case Onset(begin):
                    start = begin
                case Offset(end):
                    spans.append((start, end - JUDGED_AFTER - WINDOW))
        return spans

    def _finished(self, speech: Samples, silence: Samples) -> float:
        return self._model.score(np.concatenate([speech, silence]))

    def _noise_like(self, windows: NDArray[np.float32]) -> Samples:
        """Return noise of the level of the quietest windows of a recording."""
        level = np.sqrt(np.percentile(np.square(windows).mean(axis=1), 2))
        noise: Samples = (level * self._random.standard_normal(SAMPLE_RATE)).astype(np.float32)
        return noise


def recordings() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the English recordings with distinct texts, and the times of their words."""
    lines = (SPEECH / "words.jsonl").read_text(encoding="utf-8").splitlines()
    timings = {timing["file"]: timing for timing in map(json.loads, lines)}
    seen = set()
    for row in rows():
        timing = timings.get(row["file"], {"matched": 0.0})
        if (
            row["lang"] != "en"
            or row["kind"] not in KINDS
            or row["file"] in LEFT_OUT
            or timing["matched"] < MIN_MATCHED
        ):
            continue
        if (text := plain_words(row["text"])) not in seen:
            seen.add(text)
            yield row, timing


def sentence_ends(utterances: Sequence[dict[str, Any]]) -> Iterator[float]:
    """Yield the times in seconds at which sentences end: at their marks, and at the end of a recording."""
    for utterance in utterances:
        index = 0
        for token in utterance["text"].split():
            index += len(plain_words(token))
            if _SENTENCE_END.search(token) and index:
                yield utterance["words"][index - 1][2]


def _cut(samples: Samples, start: int, at: int, search: int) -> Samples:
    """Return the audio from `start` to the quietest place around `at`, faded out."""
    around = at + np.arange(-search, search, 80)
    quietest = min(around, key=lambda at: float(np.square(samples[max(0, at - 160) : at + 160]).mean()))
    head: Samples = samples[start:quietest].copy()
    head[-FADE:] *= np.linspace(1, 0, FADE, dtype=np.float32)
    return head


def longer_than(milliseconds: float) -> float:
    """Return the share of turns that have a pause longer than this, by `PAUSES`."""
    lengths, shares = zip((0, 1.0), *PAUSES, (4000, PAUSES[-1][1] ** 2), strict=True)
    return float(np.exp(np.interp(milliseconds, lengths, np.log(shares))))


def figures(pauses: Pauses, silence_ms: Callable[[float], float]) -> list[str]:
    """Return false ends per turn with natural and cut pauses, and mean, median and 90th percentile of the delay."""
    delays = [silence_ms(end.finished) for end in pauses.ends]
    natural = sum(pause.length > silence_ms(pause.finished) for pause in pauses.natural) / len(pauses.ends)
    cut = np.mean([longer_than(silence_ms(pause.finished)) for pause in pauses.cut])
    milliseconds = [np.mean(delays), *np.percentile(delays, [50, 90])]
    return [f"{natural:.2f}", f"{100 * cut:.1f}", *(f"{each:.0f}" for each in milliseconds)]


def main() -> None:
    """Print the curves for English and for other languages."""
    judge = Judge()
    _print(judge.pauses(), "English: turn ends by")
    _print(judge.pauses_in_other_languages(), "other languages")


def _print(pauses: Pauses, title: str) -> None:
    table = Table(title, "natural: false ends per turn", "cut: false %", "delay: mean ms", "median", "p90")
    for silence in SILENCES_MS:
        table.add_row(f"silence of {silence} ms", *figures(pauses, lambda _, silence=silence: silence))  # type: ignore[misc]
    for eagerness, (shortest, longest) in END_OF_TURN_MS.items():
        table.add_row(f"meaning, {eagerness}", *figures(pauses, EndOfTurn(shortest, longest).silence))
    Console(width=120).print(table)
    counts = f"{len(pauses.ends)} ends of sentences, {len(pauses.natural)} natural and {len(pauses.cut)} cut pauses"
    Console(width=120).print(f"{counts}; probability above 0.5: {_shares(pauses)}")


def _shares(pauses: Pauses) -> str:
    kinds = {"ends": pauses.ends, "natural": pauses.natural, "cut": pauses.cut}
    return ", ".join(f"{name} {np.mean([each.finished > 0.5 for each in kind]):.2f}" for name, kind in kinds.items())


if __name__ == "__main__":
    main()
