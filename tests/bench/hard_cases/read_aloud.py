"""Whether written English is heard as it is meant: `python -m tests.bench.hard_cases.read_aloud [NAME=DIRECTORY ...]`.

Sixty sentences full of numbers, units and abbreviations are spoken by the service over HTTP, with Kokoro too if it has
been pulled, by hibari with its own rules alone and by Piper's joe without text normalization. `DIRECTORY` has the
speech of another synthesizer, `01.wav` to `60.wav` in the order of the table. The service transcribes all of them with
whisper-base. The transcripts are compared with what is said for the sentences, which was written by hand, both sides in
the form of Whisper's normalizer for English.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import hibari
import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.catalogue.table import KOKORO_NAME
from realtime.engines.piper import Piper
from realtime.settings import Settings
from realtime.text_normalization.normalizer import spoken_text
from realtime.weights.locate import find, locate
from tests.support.recordings import wav_file
from tests.support.round_trip import sentences, word_errors
from tests.support.running_service import running_service

JOE: Final = "piper-en_US-joe-medium"
REPEATS: Final = 20

Speak = Callable[[str], bytes]
"""Return a WAV file with the speech for a written sentence."""


def by_http(client: httpx.Client, model: str, text: str) -> bytes:
    request = {"model": model, "input": text, "response_format": "wav"}
    return client.post("/v1/audio/speech", json=request).raise_for_status().content


def without_normalization(synthesize: Callable[[str], Iterator[Samples]], sample_rate: int, text: str) -> bytes:
    return wav_file(np.concatenate([*synthesize(text)]), sample_rate)


def voices(client: httpx.Client, directories: list[str], *, kokoro: bool) -> Iterator[tuple[str, Speak]]:
    """Yield the names of what speaks, and how."""
    yield "service, hibari", partial(by_http, client, "hibari")
    yield f"service, {JOE}", partial(by_http, client, JOE)
    if kokoro:
        yield "service, Kokoro", partial(by_http, client, KOKORO_NAME)
    alone = hibari.Hibari("heart", threads=1)
    yield (
        "hibari with its own rules",
        partial(
            without_normalization,
            lambda text: (alone.from_phonemes(phonemes, seed=0) for phonemes in alone.phonemize(text)),
            hibari.SAMPLE_RATE,
        ),
    )
    joe = Piper(locate(lookup(JOE), Settings(offline=True)), "en")
    yield (
        f"{JOE} without normalization",
        partial(without_normalization, lambda text: joe.synthesize(text, joe.voices[0], 1.0), joe.sample_rate),
    )
    number = {sentence.written: f"{index:02}.wav" for index, sentence in enumerate(sentences(), 1)}
    for argument in directories:
        name, _, directory = argument.partition("=")
        yield name, lambda text, directory=Path(directory): (directory / number[text]).read_bytes()  # type: ignore[misc]


def main(directories: list[str]) -> None:
    """Print word errors by voice, and what was heard otherwise than it was meant."""
    console = Console(width=140)
    texts = [sentence.written for sentence in sentences()] * REPEATS
    began = time.process_time()
    for text in texts:
        spoken_text(text)
    console.print(f"Text normalization: {1000 * (time.process_time() - began) / len(texts):.2f} ms for a sentence")

    table = Table("voice", "sentences", "with errors", "words", "wrong", "word errors")
    kokoro = find(lookup(KOKORO_NAME), Settings()) is not None
    with (
        running_service(Path(os.devnull), preload=KOKORO_NAME if kokoro else "") as service,
        httpx.Client(base_url=f"http://{service.address}", timeout=120) as client,
    ):
        for name, speak in voices(client, directories, kokoro=kokoro):
            counts = []
            for sentence in sentences():
                answer = client.post(
                    "/v1/audio/transcriptions",
                    data={"model": "whisper-1", "language": "en"},
                    files={"file": ("speech.wav", speak(sentence.written))},
                )
                heard = answer.raise_for_status().json()["text"]
                counts.append(word_errors(sentence, heard))
                if counts[-1][0]:
                    console.print(f"{name}: {counts[-1][0]} in {sentence.written} -> {heard}", markup=False)
            wrong, words = (sum(column) for column in zip(*counts, strict=True))
            with_errors = sum(errors > 0 for errors, _ in counts)
            rate = f"{100 * wrong / words:.1f} %"
            table.add_row(name, str(len(counts)), str(with_errors), str(words), str(wrong), rate)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
