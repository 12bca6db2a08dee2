"""Whether written English is read as it is meant: `python -m tests.bench.hard_cases.read_aloud`.

The words of text normalization are compared with those of two tables. Sentences full of numbers and abbreviations are
spoken by the bundled voice, transcribed by Whisper, and the words of both compared: as hibari reads them with its own
rules alone, and from spoken text. The transcript is normalized too, since Whisper writes numbers in digits.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

import hibari
import jiwer
import numpy as np
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.hibari import Hibari
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.text_normalization.normalizer import spoken_text
from realtime.weights.locate import locate
from tests.support.read_aloud import UNSEEN_FORMS, Reading, is_said, readings, said_words, sentences
from tests.support.recognizing import transcribe

REPEATS: Final = 20


def main() -> None:
    """Print the tables."""
    console = Console(width=120)
    by_kind: dict[tuple[str, str], list[Reading]] = defaultdict(list)
    for table, rows in (("tried", readings()), ("unseen", readings(UNSEEN_FORMS))):
        for row in rows:
            by_kind[table, row.language].append(row)
    forms = Table("forms", "language", "number", "wrong")
    for (name, language), rows in by_kind.items():
        wrong = sum(not is_said(row, spoken_text(row.written, (language,)).text) for row in rows)
        forms.add_row(name, language, str(len(rows)), str(wrong))
    console.print(forms)

    texts = sentences() * REPEATS
    began = time.perf_counter()
    for text in texts:
        spoken_text(text)
    console.print(f"{1000 * (time.perf_counter() - began) / len(texts):.2f} ms for a sentence")

    whisper = Whisper(locate(WHISPER_BASE, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)
    alone, engine = hibari.Hibari("heart", threads=1), Hibari()

    def by_own_rules(text: str) -> Iterator[Samples]:
        return (alone.from_phonemes(phonemes, seed=0) for phonemes in alone.phonemize(text))

    def from_spoken_text(text: str) -> Iterator[Samples]:
        return engine.synthesize(spoken_text(text).text, engine.voices[0], 1.0)

    ways: dict[str, Callable[[str], Iterator[Samples]]] = {
        "hibari's own rules": by_own_rules,
        "spoken text": from_spoken_text,
    }
    for way, speak in ways.items():
        wrong = words = 0
        for sentence in sentences():
            resampler = Resampler(hibari.SAMPLE_RATE, SAMPLE_RATE)
            samples = np.concatenate([resampler.process(np.concatenate([*speak(sentence)])), resampler.flush()])
            heard = transcribe(whisper, TranscriptionRequest(samples, language="en")).text
            output = jiwer.process_words(said_words(sentence), said_words(heard))
            errors = output.substitutions + output.insertions + output.deletions
            wrong, words = wrong + errors, words + len(said_words(sentence).split())
            if errors and way == "spoken text":
                console.print(f"  {sentence} -> {heard.strip()}", markup=False)
        console.print(f"{way}: {wrong} of {words} words wrong ({100 * wrong / words:.1f} %)")


if __name__ == "__main__":
    main()
