"""Word errors of uploads whose voices are on several channels or tracks: `python -m tests.bench.hard_cases.media`.

Pairs of recorded sentences are put into files as the two sides of a call, with opposite signs, and on tracks; the same
sentences in one channel are what the others are compared with.
"""

import asyncio
import io
import tempfile
import wave
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.catalogue.names import lookup
from realtime.engines.registry import InstalledEngines
from realtime.media.decoder_pool import DecoderPool
from realtime.models.detector import DetectorHandle
from realtime.models.recognizers import load_recognizer
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.recording import open_recording
from realtime.settings import Settings
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.scoring import word_error_rate
from tests.support.recordings import tracks_file, wav_file

PAIRS: Final = 3
LEVEL: Final = 0.05
"""Root mean square of every sentence."""

PAUSE: Final = np.zeros(SAMPLE_RATE // 2, np.float32)

Arrangement = Callable[[Samples, Samples], bytes]


def call(quieter: float, *, sign: float = 1.0, crosstalk: float = 0.0) -> Arrangement:
    """Put the second sentence on the other channel, `quieter` by so many dB, with `crosstalk` of the first."""

    def arrange(first: Samples, second: Samples) -> bytes:
        near = np.concatenate([PAUSE, first, PAUSE, np.zeros_like(second), PAUSE])
        far = np.concatenate([PAUSE, np.zeros_like(first), PAUSE, second, PAUSE]) * 10 ** (-quieter / 20)
        return stereo(near, sign * far + crosstalk * np.roll(near, 80))

    return arrange


def stereo(left: Samples, right: NDArray[np.floating]) -> bytes:
    """Return a WAV file with a little noise of its own in each channel."""
    noise = np.random.default_rng(0).standard_normal((2, len(left)))
    channels = np.stack([left + 10**-3 * noise[0], right + 10**-3.75 * noise[1]], axis=1)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(encode(channels.reshape(-1).astype(np.float32), Encoding.PCM16))
    return file.getvalue()


def together(first: Samples, second: Samples) -> Samples:
    return np.concatenate([PAUSE, first, PAUSE, second, PAUSE])


ARRANGEMENTS: Final[dict[str, Arrangement]] = {
    "one channel": lambda first, second: wav_file(together(first, second)),
    "opposite channels": lambda first, second: stereo(together(first, second), -together(first, second)),
    "call, equal sides": call(0),
    "call, 20 dB": call(20),
    "call, 30 dB": call(30),
    "call, 40 dB": call(40),
    "call, 30 dB, crosstalk": call(30, crosstalk=0.01),
    "second track, first silent": lambda first, second: tracks_file(
        [np.zeros_like(together(first, second)), together(first, second)], "mp4"
    ),
}


def recorded_sentences() -> Iterator[tuple[str, Samples]]:
    """Yield the text and the samples of clean English sentences of 3 to 8 s."""
    for row in rows():
        if (row["lang"], row["kind"]) == ("en", "clean") and row["wer_ok"] and 3 <= row["seconds"] <= 8:
            samples = load(row["file"])
            yield row["text"], samples * np.float32(LEVEL / np.sqrt(np.mean(samples**2)))


async def main() -> None:
    """Print the word errors of all arrangements."""
    sentences = list(islice(recorded_sentences(), 2 * PAIRS))
    pairs = list(zip(sentences[::2], sentences[1::2], strict=True))
    expected = [f"{first} {second}" for (first, _), (second, _) in pairs]
    engines, entry, settings = InstalledEngines(Settings(offline=True)), lookup("whisper-base"), Settings()
    detector = DetectorHandle(engines.detector())
    recognizer = load_recognizer(entry, engines, settings.load_limit)
    options, decoders = OfflineOptions(languages=("en",)), DecoderPool(max_files=1)

    async def transcribed(data: bytes) -> str:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            async with open_recording(decoders, file, 600.0, detector) as recording:
                return (await TranscriptionJob(recording.audio, detector, recognizer, options).whole()).text

    table = Table("arrangement", "WER %", "empty", title=f"{len(expected)} pairs of recorded sentences")
    for name, arrange in ARRANGEMENTS.items():
        texts = [await transcribed(arrange(first, second)) for (_, first), (_, second) in pairs]
        table.add_row(name, f"{100 * word_error_rate(expected, texts):.1f}", str(texts.count("")))
    Console().print(table)
    detector.close()
    recognizer.close()


if __name__ == "__main__":
    asyncio.run(main())
