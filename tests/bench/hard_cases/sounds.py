"""Whether sounds without speech have no text: `python -m tests.bench.hard_cases.sounds [FOLDER...]`.

Tones, clicks, noises, chords, calls like those of animals and glides between vowels are generated. The recordings of
each FOLDER are played too, up to 10 s of each: music, animals and desktops, as in the Debian packages
`asterisk-moh-opsound-wav`, `tuxpaint-stamps-default` and `oxygen-sounds`. Spoken ones must not be among them.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.offline.options import OfflineOptions
from tests.bench.hard_cases.in_process import Models

SECONDS: Final = 3.0
LONGEST: Final = 10 * SAMPLE_RATE
PER_FOLDER: Final = 24
"""Recordings of one folder at most, evenly spaced among its files."""

SPOKEN: Final = re.compile(r"_desc(_|\.)")
"""Spoken descriptions among the sounds of `tuxpaint-stamps-default`."""

FORMANTS: Final = {"oo": (320, 800), "ee": (280, 2250), "ah": (710, 1100), "eh": (550, 1770)}
"""First two formants, in Hz, of four vowels of a male speaker (Peterson and Barney, 1952)."""

TONES: Final = (697, 770, 852, 941, 1209, 1336, 1477)
"""Frequencies in Hz of the keys of a telephone, rows before columns."""

Sound = NDArray[np.float64]


def generated() -> Iterator[tuple[str, Samples]]:
    """Yield generated sounds, whose peak is at half of full scale."""
    for name, sound in _unscaled():
        yield name, (sound / np.abs(sound).max() / 2).astype(np.float32)


def _unscaled() -> Iterator[tuple[str, Sound]]:
    random = np.random.default_rng(0)
    count = round(SECONDS * SAMPLE_RATE)
    times = np.arange(count) / SAMPLE_RATE
    for frequency in (100, 440, 1000, 3000):
        yield f"tone of {frequency} Hz", np.sin(2 * np.pi * frequency * times)
    for first, last in ((200, 4000), (3000, 100)):
        yield f"chirp {first} to {last} Hz", np.sin(2 * np.pi * (first + (last - first) * times / SECONDS / 2) * times)
    spectrum = np.fft.rfft(random.standard_normal(count))
    for color, slope in {"white": 0.0, "pink": 0.5, "brown": 1.0, "blue": -0.5}.items():
        noise = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** slope, count)
        yield f"{color} noise", noise
        yield f"bursts of {color} noise", noise * (times % 0.5 < 0.15)
    clicks = np.zeros(count)
    clicks[:: SAMPLE_RATE // 4] = 1
    yield "clicks", np.convolve(clicks, np.exp(-np.arange(200) / 30) * np.sin(np.arange(200)))[:count]
    yield "hum", _harmonic(50 * times, 7)
    yield "ringing", (np.sin(2 * np.pi * 440 * times) + np.sin(2 * np.pi * 480 * times)) * (times % 2 < 1)
    keys = [(TONES[digit % 4], TONES[4 + digit % 3]) for digit in range(12)]
    pressed = (times / 0.25).astype(int) % len(keys)
    dialled = sum((np.sin(2 * np.pi * np.take(tone, pressed) * times) for tone in zip(*keys, strict=True)), 0 * times)
    yield "dialling", dialled * (times % 0.25 < 0.15)
    for name, notes in {"major": (262, 330, 392), "minor": (220, 262, 330)}.items():
        strings = np.sum([_harmonic(note * times, 5) for note in notes], axis=0)
        yield f"{name} chord, plucked", strings * np.exp(-(times % 0.75) * 5)
        yield f"{name} chord, bowed", strings * (1 + 0.2 * np.sin(2 * np.pi * 5 * times))
    melody = np.take((262, 294, 330, 392, 440, 523), (times / 0.3).astype(int) % 6)
    yield "melody", np.sin(2 * np.pi * np.cumsum(melody) / SAMPLE_RATE) * np.exp(-(times % 0.3) * 4)
    sweep = np.cumsum(2500 + 1200 * np.sin(2 * np.pi * 9 * times)) / SAMPLE_RATE
    yield "twitter", np.sin(2 * np.pi * sweep) * (times % 0.6 < 0.25)
    yield "bark", _voiced(times, "ah", "eh", 180 - 300 * (times % 0.8), random) * np.exp(-(times % 0.8) * 15)
    yield "meow", _voiced(times, "ee", "ah", 550 + 150 * np.sin(np.pi * times), random) * (times % 1.5 < 0.8)
    yield "cow", _voiced(times, "oo", "ah", 110 + 20 * np.sin(times), random) * (times < 1.5)
    for one, other in (("oo", "ee"), ("ah", "oo"), ("eh", "ee")):
        for milliseconds in (250, 400, 800):
            glide = times[: SAMPLE_RATE * milliseconds // 1000]
            faded = _voiced(glide, one, other, 120 - 20 * glide, random) * np.hanning(len(glide))
            yield f"glide {one} to {other}, {milliseconds} ms", np.pad(faded, SAMPLE_RATE)


def _harmonic(cycles: Sound, overtones: int) -> Sound:
    """Return a tone with overtones, from the cycles that have passed at each sample."""
    numbers = np.arange(1, overtones + 1)[:, None]
    summed: Sound = np.sum(np.sin(2 * np.pi * numbers * cycles) / numbers, axis=0)
    return summed


def _voiced(times: Sound, first: str, last: str, pitch: Sound, random: np.random.Generator) -> Sound:
    """Return a harmonic sound of this pitch in Hz whose two formants move from those of one vowel to another's."""
    phase = 2 * np.pi * np.cumsum(np.maximum(pitch, 60)) / SAMPLE_RATE
    share = times / times[-1]
    centers = [one + (other - one) * share for one, other in zip(FORMANTS[first], FORMANTS[last], strict=True)]
    sound = 0.01 * random.standard_normal(len(times))
    for overtone in range(1, 40):
        frequency = overtone * np.maximum(pitch, 60)
        gain = sum(np.exp(-(((frequency - center) / 120) ** 2)) for center in centers)
        sound += (gain + 0.02) * np.sin(overtone * phase) * (frequency < SAMPLE_RATE / 2)
    return sound


def recorded(folder: Path) -> Iterator[tuple[str, Samples]]:
    """Yield recorded sounds of a folder."""
    files = [file for file in sorted(folder.rglob("*.*")) if file.suffix in {".wav", ".ogg", ".oga", ".mp3", ".flac"}]
    sounds = [file for file in files if not SPOKEN.search(file.name)]
    for file in sounds[:: -(-len(sounds) // PER_FOLDER)]:
        yield f"{folder.name}/{file.name}", decode_audio(str(file), sampling_rate=SAMPLE_RATE)[:LONGEST]


def main() -> None:
    """Print the sounds that have a text, and how many there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    models = Models()
    ways: dict[str, Callable[[Samples], str]] = {
        "server VAD": lambda sound: " ".join(turn.text for turn in models.live(sound)).strip(),
        "by hand": lambda sound: " ".join(turn.text for turn in models.live(sound, manual=True)).strip(),
        "upload": lambda sound: models.upload(sound, OfflineOptions()).text,
        "vad_filter=false": lambda sound: models.upload(sound, OfflineOptions(vad_filter=False)).text,
    }
    table = Table("sound", *ways)
    silent = dict.fromkeys(ways, 0)
    sounds = [*generated(), *(each for folder in parser.parse_args().folders for each in recorded(folder))]
    for name, sound in sounds:
        texts = {way: transcribe(sound) for way, transcribe in ways.items()}
        for way, text in texts.items():
            silent[way] += not text
        if any(texts.values()):
            table.add_row(name, *texts.values())
    table.add_row(f"silent of {len(sounds)}", *map(str, silent.values()))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
