"""Whether an interrupted answer keeps what was played: `python -m tests.bench.hard_cases.words_heard`.

Sentences of the bundled voice are cut at many places. The words kept (`SpeechTiming`) are compared with those that
faster-whisper hears in the audio before the cut, by the times that it gives the words of the whole sentence: a word was
heard if its middle was played.
"""

from collections import Counter
from typing import Final

import numpy as np
import soxr
from faster_whisper import WhisperModel

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.hibari import Hibari
from realtime.settings import Settings
from realtime.speech.phrases import PhraseChunker
from realtime.speech.speech_timing import SpeechTiming
from realtime.text_normalization.normalizer import spoken_text
from realtime.weights.locate import locate
from tests.bench.hard_cases.interruptions import ANSWER
from tests.bench.speech_clips import RATE, TEXTS

STEP_SECONDS: Final = 0.1


def main() -> None:
    directory = locate(WHISPER_BASE, Settings(offline=True))
    whisper = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)
    hibari = Hibari()
    differences: Counter[int] = Counter()
    for text in (ANSWER, *TEXTS):
        chunker, timing, parts = PhraseChunker(), SpeechTiming(RATE), []
        for phrase in filter(None, [*chunker.feed(text), *chunker.flush()]):
            spoken = spoken_text(phrase)
            timing.add_text(phrase, spoken.positions)
            for chunk in hibari.synthesize(spoken.text, next(iter(hibari.voices)), 1.0):
                timing.add_audio(chunk)
                parts.append(chunk)
        audio = soxr.resample(np.concatenate(parts), RATE, SAMPLE_RATE)
        segments, _ = whisper.transcribe(audio, language="en", beam_size=1, temperature=0.0, word_timestamps=True)
        middles = [(word.start + word.end) / 2 for segment in segments for word in segment.words or ()]
        if len(middles) != len(text.split()):
            continue
        for seconds in np.arange(STEP_SECONDS, timing.seconds, STEP_SECONDS):
            kept = len(timing.text_until(seconds).split())
            differences[kept - sum(middle <= seconds for middle in middles)] += 1
    total = differences.total()
    for difference, cuts in sorted(differences.items()):
        print(f"{difference:+d} words: {100 * cuts / total:.1f} % of {total} cuts")


if __name__ == "__main__":
    main()
