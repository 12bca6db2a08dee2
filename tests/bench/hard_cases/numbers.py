"""Whether numbers are written in one way, none lost or doubled: `python -m tests.bench.hard_cases.numbers`.

What partials have committed stays, also where the final writes it in another way: "twenty" and then "20". Recordings
with numbers, and sentences with numbers, times and units of the bundled voice, are captioned live on a simulated clock,
with partials and with finals alone, which nothing was committed before.
"""

import argparse
import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from clients.events import Completed
from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.hibari import Hibari
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.weights.locate import locate
from tests.bench.hard_cases.partials import Captions
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import RATE, SpeechClip
from tests.bench.speech_tracks import lay_out
from tests.bench.under_load import GAP_SECONDS

SENTENCES: Final = (
    "The number is five five five, zero one two three, four five six seven, and it is free of charge until nine.",
    "In nineteen eighty four the town had twenty three thousand four hundred and fifty people and two schools.",
    "The train leaves at seven forty five from platform twelve, and arrives at a quarter past ten in the evening.",
    "It costs three hundred and ninety nine dollars and fifty cents, with a discount of twenty five percent.",
    "Drive for one hundred and twenty kilometers at sixty miles per hour, then turn left after two hundred meters.",
    "The answer to question one is four, to question two it is sixteen, and to question three it is twenty five.",
    "On the twenty first of March two thousand and twenty four we sold one million two hundred thousand tickets.",
    "The room is six meters long, four and a half meters wide, and two point seven meters high at the window.",
    "Flight eight one five to Boston, now boarding at gate twenty two, will depart at eleven thirty p m.",
    "She was born in eighteen fifteen, married in eighteen thirty five, and died in eighteen fifty two in London.",
    "Mix two hundred grams of flour with one hundred milliliters of milk and bake it at one hundred eighty degrees.",
    "My card number is four zero two four, zero zero seven one, two three four five, six seven eight nine.",
)

LONGEST: Final = 15.0
"""Seconds of the longest recording that is used."""

NUMBER: Final = re.compile(
    r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|\w+teen|\w+ty|hundred|thousand)\b", re.IGNORECASE
)


def clips(every: int) -> Iterator[tuple[str, SpeechClip]]:
    """Yield the recordings with two numbers or more, then the sentences."""
    known = set[tuple[str, ...]]()
    for row in rows():
        words = plain_words(row["text"])
        if row["lang"] == "en" and row["wer_ok"] and row["seconds"] <= LONGEST and words not in known:
            known.add(words)
            if len(NUMBER.findall(row["text"])) > 1:
                samples = soxr.resample(load(row["file"]), SAMPLE_RATE, RATE)
                yield row["file"].removeprefix("audio/"), SpeechClip(row["text"], samples)
    voice = Hibari()
    for number, text in enumerate(SENTENCES[::every]):
        spoken = np.concatenate(list(voice.synthesize(text, voice.voices[number % len(voice.voices)], 1.0)))
        yield f"sentence {number}", SpeechClip(text, soxr.resample(spoken, voice.sample_rate, RATE))


def digits(text: str) -> str:
    """Return the digits of a text."""
    return "".join(filter(str.isdecimal, text))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every N-th sentence")
    parser.add_argument("--texts", action="store_true", help="print the texts that differ")
    arguments = parser.parse_args()
    recognizer = Whisper(locate(WHISPER_BASE, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)
    detector = Silero()
    total = differing = lost = doubled = 0
    for name, clip in clips(arguments.every):
        track = lay_out([clip], GAP_SECONDS, seed=1)
        texts = []
        for partials in (True, False):
            captions = Captions(recognizer, detector, [track], partials=partials)
            captions.run(1, 0)
            completed = [event.text for _, event in captions.events[0] if isinstance(event, Completed)]
            texts.append(" ".join(completed))
        live, final = texts
        total += 1
        if plain_words(live) != plain_words(final):
            differing += 1
            lost += len(digits(live)) < len(digits(final))
            doubled += len(digits(live)) > len(digits(final))
            if arguments.texts:
                print(f"{name}\n  live   {live}\n  final  {final}", flush=True)
    table = Table("clips", "words differ", "fewer digits", "more digits")
    table.add_row(*map(str, (total, differing, lost, doubled)))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
