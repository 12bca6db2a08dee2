"""What the bundled voice says for written English: `python -m tests.bench.hard_cases.read_aloud`.

For every written text of a table, the phonemes that hibari makes of it, alone and behind the rules of
`engines/english_text`, are compared with those of the words that a reader says. Some sentences are also spoken, and
transcribed by Whisper.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import hibari
import numpy as np
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE
from realtime.audio.resampler import Resampler
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.english_text.spoken import spoken_text
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.locate import locate
from tests.support.read_aloud import SENTENCES, Reading, is_heard, readings, without_prosody
from tests.support.recognizing import transcribe

WAYS: Final[dict[str, Callable[[str], str]]] = {"hibari alone": str, "behind the rules": spoken_text}
REPEATS: Final = 20


def main() -> None:
    """Print the table."""
    voice = hibari.Hibari("heart", threads=1)
    whisper = Whisper(locate(WHISPER_BASE, Settings(offline=True)), device="cpu", compute_type="int8", threads=1)

    def is_wrong(reading: Reading, rewrite: Callable[[str], str]) -> bool:
        said, meant = ("".join(voice.phonemize(text)) for text in (rewrite(reading.written), reading.said))
        return without_prosody(said) != without_prosody(meant)

    def is_misheard(sentence: str, rewrite: Callable[[str], str]) -> bool:
        resampler = Resampler(hibari.SAMPLE_RATE, SAMPLE_RATE)
        speech = [voice.from_phonemes(phonemes, seed=0) for phonemes in voice.phonemize(rewrite(sentence))]
        samples = np.concatenate([resampler.process(np.concatenate(speech)), resampler.flush()])
        return not is_heard(sentence, transcribe(whisper, TranscriptionRequest(samples, language="en")).text)

    by_kind = defaultdict(list)
    for reading in readings():
        by_kind[reading.kind].append(reading)
    table = Table("texts", "number", *(f"wrong: {way}" for way in WAYS))
    for kind, rows in by_kind.items():
        wrong = (sum(is_wrong(reading, rewrite) for reading in rows) for rewrite in WAYS.values())
        table.add_row(kind, str(len(rows)), *map(str, wrong))
    misheard = (sum(is_misheard(sentence, rewrite) for sentence in SENTENCES) for rewrite in WAYS.values())
    table.add_row("sentences, heard by Whisper", str(len(SENTENCES)), *map(str, misheard))
    texts = [reading.written for reading in readings()] * REPEATS
    began = time.perf_counter()
    for text in texts:
        spoken_text(text)
    seconds = (time.perf_counter() - began) / len(texts)
    Console(width=120).print(table, f"{1000 * seconds:.2f} ms for a text", sep="\n")


if __name__ == "__main__":
    main()
