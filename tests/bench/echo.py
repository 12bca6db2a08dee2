"""What the echo gate does with answers that come back from a loudspeaker: `python -m tests.bench.echo`.

Answers of the bundled voice come back through simulated rooms: reverberation of 0.2 to 0.6 s, delays of 50 to 450 ms,
loudspeakers that clip or have the band of a telephone, and noise. Each session has two answers. In half of the sessions
nobody speaks, and every onset is false. In the others a recorded sentence begins at random, from 1.5 s of the first
answer on, or within its first second; its onset is compared with that of the sentence alone. `none` is a headset.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.engines.hibari import Hibari
from realtime.engines.silero import Silero
from realtime.speech.echo_gate import EchoGate
from realtime.speech.endpointing import ONSET_WINDOWS
from tests.bench.hard_cases.interruptions import ANSWER
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.speech_clips import RATE, TEXTS

ECHO_DB: Final = (-10, -20, -30, -40)
"""Level of the echo, less that of the answer as it is sent."""

SPEECH_DB: Final = (0, 6, 12, 20)
"""Level of the speech, less that of the echo."""

SESSIONS: Final = 20
LEAD_SECONDS: Final = 3.0
"""Seconds that audio is sent ahead."""

CHUNK: Final = SAMPLE_RATE // 5
PAUSE: Final = 2 * SAMPLE_RATE
LATE: Final = 0.3


@dataclass(frozen=True)
class Microphone:
    """What a session hears: the answers with the positions at which they begin, the sound, and the speech alone."""

    answers: list[tuple[int, Samples]]
    sound: Samples
    speech: Samples | None


def level(samples: Samples) -> float:
    """Return the RMS level of the windows that are not silent."""
    powers = np.square(samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)).mean(axis=1)
    return float(np.sqrt(powers[powers > powers.max() / 100].mean()))


class Rooms:
    """Draws microphones."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(1)
        hibari = Hibari()
        texts = (ANSWER, " ".join(TEXTS[:3]), " ".join(TEXTS[3:6]))
        voice = next(iter(hibari.voices))
        self._answers = [
            soxr.resample(np.concatenate(list(hibari.synthesize(text, voice, 1.0))), RATE, SAMPLE_RATE)
            for text in texts
        ]
        self._speech = [load(row["file"]) for row in rows() if row["kind"] == "clean" and 1.5 < row["seconds"] < 8]

    def draw(self, echo_db: float | None, speech_db: float | None, between: tuple[float, float]) -> Microphone:
        """Draw a microphone with an echo of this level, None for none, and speech that begins in the first answer."""
        random, answers = self._random, [self._answers[index] for index in self._random.integers(3, size=2)]
        position, placed = SAMPLE_RATE, []
        for answer in answers:
            placed.append((position, answer))
            position += len(answer) + PAUSE
        sound = np.zeros(position, np.float32)
        loudness = level(answers[0]) * 10 ** ((-20 if echo_db is None else echo_db) / 20)
        if echo_db is not None:
            path, room = self._loudspeaker(), self._room()
            delay = round(random.uniform(0.05, 0.45) * SAMPLE_RATE)
            for start, answer in placed:
                echo = _convolved(path(answer), room)
                echo = echo[: len(sound) - start - delay]
                sound[start + delay : start + delay + len(echo)] += echo * loudness / level(echo)
        noise = random.standard_normal(len(sound)) * 10 ** (random.uniform(-70, -55) / 20)
        if speech_db is None:
            return Microphone(placed, (sound + noise).astype(np.float32), None)
        said = self._speech[random.integers(len(self._speech))]
        start = placed[0][0] + round(random.uniform(*between) * SAMPLE_RATE)
        speech = np.zeros_like(sound)
        speech[start : start + len(said)] = (said * loudness * 10 ** (speech_db / 20) / level(said))[
            : len(sound) - start
        ]
        return Microphone(placed, (sound + speech + noise).astype(np.float32), (speech + noise).astype(np.float32))

    def _loudspeaker(self) -> Callable[[Samples], Samples]:
        kind = self._random.integers(4)

        def play(samples: Samples) -> Samples:
            if kind == 1:
                samples = np.tanh(3 * samples / np.abs(samples).max())
            elif kind == 2:
                samples = np.clip(samples, -0.3 * np.abs(samples).max(), 0.3 * np.abs(samples).max())
            spectrum, hertz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
            lowest, highest = (300, 3400) if kind == 3 else (200, 7000)
            gain = 1 / np.sqrt((1 + (lowest / np.maximum(hertz, 1)) ** 4) * (1 + (hertz / highest) ** 4))
            return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)

        return play

    def _room(self) -> Samples:
        seconds = self._random.uniform(0.2, 0.6)
        times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tail = self._random.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
        tail *= 10 ** (self._random.uniform(-6, 3) / 20) / np.sqrt(np.square(tail).sum())
        tail[0] = 1.0
        return tail.astype(np.float32)


def _convolved(samples: Samples, room: Samples) -> Samples:
    size = len(samples) + len(room)
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size).astype(np.float32)


def scores(detector: Silero, sound: Samples) -> list[float]:
    windows = sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW)
    ((probabilities, _),) = detector.score([(windows, detector.initial_state())])
    return probabilities


def gated(microphone: Microphone, probabilities: list[float]) -> list[float]:
    """Return the probabilities that the echo gate lets through."""
    gate = EchoGate()
    chunks = [
        (start + max(0, offset - round(LEAD_SECONDS * SAMPLE_RATE)), answer[offset : offset + CHUNK])
        for start, answer in microphone.answers
        for offset in range(0, len(answer), CHUNK)
    ]
    passed = []
    for index, probability in enumerate(probabilities):
        position = index * WINDOW
        while chunks and chunks[0][0] <= position:
            gate.play(chunks.pop(0)[1])
        passed += gate.filter(microphone.sound[None, position : position + WINDOW], [probability])
    return passed


def onsets(probabilities: list[float]) -> list[float]:
    """Return the seconds at which speech begins: after at least 0.5 s without it."""
    found, run, silent = [], 0, 16
    for index, probability in enumerate(probabilities):
        run = run + 1 if probability >= 0.5 else 0
        if run == ONSET_WINDOWS and silent >= 16:
            found.append(index * WINDOW / SAMPLE_RATE)
        silent = 0 if run >= ONSET_WINDOWS else silent + 1
    return found


def main() -> None:
    rooms, detector = Rooms(), Silero()
    table = Table("echo alone", "sessions with an onset, no gate", "with the gate", "onsets, no gate", "with the gate")
    for echo_db in ECHO_DB:
        counts: list[tuple[int, int]] = []
        for _ in range(SESSIONS):
            microphone = rooms.draw(echo_db, None, (0, 0))
            probabilities = scores(detector, microphone.sound)
            counts.append((len(onsets(probabilities)), len(onsets(gated(microphone, probabilities)))))
        before, after = zip(*counts, strict=True)
        shares = [f"{sum(map(bool, each))} of {SESSIONS}" for each in (before, after)]
        table.add_row(f"{echo_db} dB", *shares, str(sum(before)), str(sum(after)))
    Console(width=140).print(table)
    table = Table(
        "speech over the echo",
        "begins",
        "sentences",
        "later by, p50",
        "p95",
        f"> {1000 * LATE:.0f} ms or lost",
        "echo interrupted first",
    )
    for between, name in (((1.5, 7), "later"), ((0.1, 1), "first second")):
        for speech_db in (*SPEECH_DB, None):
            later, early = _delays(rooms, detector, speech_db, between)
            table.add_row(
                "no echo" if speech_db is None else f"{speech_db:+d} dB",
                name,
                str(len(later) + early),
                *(f"{1000 * value:.0f} ms" for value in np.percentile(later, [50, 95], method="lower")),
                f"{sum(value > LATE for value in later)}",
                str(early),
            )
    Console(width=140).print(table)


def _delays(
    rooms: Rooms, detector: Silero, speech_db: int | None, between: tuple[float, float]
) -> tuple[list[float], int]:
    """Return how much later speech was noticed than alone (infinite: never), and how often echo came first."""
    later: list[float] = []
    early = 0
    for index in range(SESSIONS):
        echo_db = None if speech_db is None else (-10, -25)[index % 2]
        microphone = rooms.draw(echo_db, 6 if speech_db is None else speech_db, between)
        assert microphone.speech is not None
        alone = onsets(scores(detector, microphone.speech))[0]
        found = onsets(gated(microphone, scores(detector, microphone.sound)))
        first = found[0] if found and found[0] < alone + 2 else np.inf
        if first < alone - 0.1:
            early += 1
        else:
            later.append(first - alone)
    return later, early


if __name__ == "__main__":
    main()
