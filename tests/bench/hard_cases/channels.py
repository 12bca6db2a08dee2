"""Whether a call with one speaker on each channel becomes a dialogue: `python -m tests.bench.hard_cases.channels`.

The stereo recordings are transcribed live and as uploads, as they are and with crosstalk between their channels; on the
second one the speakers talk at once. Live turns are ordered by their first words. The mix is what the same models make
of them without separate channels.
"""

import wave
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import cues
from tests.bench.hard_cases.in_process import Models
from tests.bench.scoring import word_error_rate
from tests.bench.speech_clips import SPEECH

Turns: TypeAlias = Sequence[tuple[int, str]]
"""What was said: the channel and the text of each turn or subtitle, in order."""

CALLS: Final[dict[str, Turns]] = {
    "en_call_1995_1089_stereo.wav": (
        (
            0,
            "It was the first great sorrow of his life; it was not so much the loss of the cotton itself, but the "
            "fantasy, the hopes, the dreams built around it.",
        ),
        (1, "For a full hour he had paced up and down, waiting, but he could wait no longer."),
        (0, "Mister Quilter is the apostle of the middle classes, and we are glad to welcome his gospel."),
        (1, "Stuff it into you, his belly counselled him."),
    ),
    "en_fw_stereo_diarization.wav": (
        (0, "He began a confused complaint against the wizard, who had vanished behind the curtain on the left."),
        (1, "The horizon seems extremely distant."),
    ),
}

CROSSTALK: Final = ((None, 0.0), (-20, 0.001), (-30, 0.004), (-30, 0.150), (-40, 0.004))
"""Level of the crosstalk in dB relative to the speaker, and its delay in seconds."""


def channels_of(file: str) -> NDArray[np.float32]:
    """Return the channels of a recording in 16 bits at 16 kHz, shape (channels, n)."""
    with wave.open(str(SPEECH / "audio" / file)) as reader:
        values = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(-1, reader.getnchannels())
    return (values.T / 32_768).astype(np.float32)


def with_crosstalk(channels: NDArray[np.float32], decibels: float | None, delay: float) -> NDArray[np.float32]:
    """Add to each channel of stereo what comes from the other one."""
    if decibels is None:
        return channels
    copy = np.roll(channels[::-1], round(delay * SAMPLE_RATE), axis=1)
    return (channels + copy * 10 ** (decibels / 20)).astype(np.float32)


def order_of(turns: Turns) -> list[int]:
    """Return the channels in the order in which they take turns."""
    channels = [channel for channel, _ in turns]
    return [channel for index, channel in enumerate(channels) if index == 0 or channel != channels[index - 1]]


def main() -> None:
    """Print the table."""
    models = Models()

    def live(channels: NDArray[np.float32]) -> Turns:
        turns = [turn for turn in models.live_channels(channels, "en") if turn.text]
        return [(turn.channel or 0, turn.text) for turn in sorted(turns, key=lambda turn: turn.words[0].start)]

    def upload(channels: NDArray[np.float32]) -> Turns:
        transcript = models.upload(channels, OfflineOptions(("en",), separate_channels=True))
        return [(cue.segment.channel or 0, cue.text) for cue in cues(transcript)]

    ways: dict[str, Callable[[NDArray[np.float32]], Turns]] = {"live": live, "upload": upload}
    table = Table(
        "recording", "crosstalk", *(f"{way}: {each}" for way in ways for each in ("WER %", "order right")), "mix: WER %"
    )
    for file, said in CALLS.items():
        for decibels, delay in CROSSTALK:
            channels = with_crosstalk(channels_of(file), decibels, delay)
            cells = []
            for way in ways.values():
                heard = way(channels)
                texts = [[text for of, text in each if of == channel] for channel in (0, 1) for each in (said, heard)]
                joined = [" ".join(each) for each in texts]
                cells += [
                    f"{100 * word_error_rate(joined[::2], joined[1::2]):.1f}",
                    str(order_of(heard) == order_of(said)),
                ]
            mix = models.upload(channels.mean(axis=0), OfflineOptions(("en",))).text
            cells.append(f"{100 * word_error_rate([' '.join(text for _, text in said)], [mix]):.1f}")
            name = "none" if decibels is None else f"{decibels} dB, {1000 * delay:.0f} ms"
            table.add_row(file, name, *cells)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
