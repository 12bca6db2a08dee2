"""What interrupts an answer, and what lets it go on: `python -m tests.bench.hard_cases.interruptions [FOLDER]`.

An answer of the bundled voice is played in a session with the real models, and two seconds into it the microphone hears
a sound. Of each kind of sound the table has how many there were, how many interrupted the answer, and after how many of
those the answer went on; for the latter, the time from the end of the sound, and words of the others. Engines take no
time, except for the decoding of the final transcript, which is measured.

FOLDER is that of the voices and sounds of the game Hedgewars, `Data/Sounds` in Debian's package hedgewars-data: coughs,
laughter and short phrases of actors.
"""

import argparse
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from clients.playback import decode
from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.hibari import Hibari
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.commands import AppendAudio, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import Input, Output, TranscriptCompleted
from realtime.session.jobs import (
    ScoreWindows,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
    Transcribe,
    Transcribed,
    WindowsScored,
)
from realtime.session.response_events import ResponseFinished, ResponseStarted, ResponseStatus
from realtime.session.session import Session
from tests.bench.hard_cases.in_process import PCM16, Models
from tests.bench.hard_cases.recordings import load, rows
from tests.bench.speech_clips import RATE
from tests.support.recognizing import transcribe

ANSWER: Final = (
    "The weather tomorrow will be mostly sunny, with a high of twenty one degrees. In the evening some clouds come in "
    "from the west, but it should stay dry until Thursday, when there may be rain in the north of the country."
)
NODS: Final = (
    "Mhm.",
    "Uh-huh.",
    "Mm-hmm.",
    "Hmm.",
    "Right.",
    "Yeah.",
    "Yes.",
    "Okay.",
    "I see.",
    "Oh.",
    "Ja.",
    "Ja, genau.",
    "Sure.",
    "Oui.",
    "Yeah, right.",
)
COMMANDS: Final = (
    "Stop.",
    "Wait a minute.",
    "No, tomorrow.",
    "No.",
    "Wait.",
    "Hold on.",
    "Excuse me.",
    "What?",
    "Pardon?",
    "Stop it.",
    "Cancel.",
    "That's enough.",
    "Yes, but where?",
    "Okay, stop.",
    "And on Friday?",
    "Thank you.",
)
PHRASES: Final = (
    "boring",
    "hurry",
    "leavemealone",
    "justyouwait",
    "watchthis",
    "takecover",
    "incoming",
    "stupid",
    "traitor",
    "coward",
    "nooo",
    "revenge",
    "runaway",
    "byebye",
    "comeonthen",
    "illgetyou",
    "nutter",
    "enemydown",
)
"""Names of the phrases in Hedgewars, without a number."""

ENGLISH: Final = ("British", "Classic", "Default", "HillBilly", "Mobster", "Pirate", "Russian", "Surfer")
"""Its voices that speak English without effects."""

LEVEL: Final = 0.05
"""RMS level of the loudest half second of a sound, of full scale: -26 dB."""

BEFORE: Final = 2.0
AFTER: Final = 3.0
"""Seconds of an answer before a sound, and of silence after it."""

FRAME: Final = SAMPLE_RATE // 50


@dataclass
class Heard:
    """What came of the sounds of one kind."""

    sounds: int = 0
    interrupted: int = 0
    went_on: list[float] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


class Conversations:
    """Sessions with the real models, in each of which one answer is played."""

    def __init__(self) -> None:
        self._models = Models()
        self._voice = Hibari()
        self._spoken: dict[str, Samples] = {}

    def say(self, text: str) -> Samples:
        """Speak a text, at 24 kHz."""
        if text not in self._spoken:
            voice = next(iter(self._voice.voices))
            self._spoken[text] = np.concatenate(list(self._voice.synthesize(text, voice, 1.0)))
        return self._spoken[text]

    def play(self, sound: Samples, heard: Heard) -> None:
        """Play an answer, and a sound at 16 kHz at the microphone."""
        numbers = count()
        config = SessionConfig(WHISPER_BASE, PCM16, transcribe=True, language="en", resume_false_interruptions=True)
        session = Session(config, lambda kind: f"{kind}_{next(numbers)}")
        before, after = (np.zeros(round(seconds * SAMPLE_RATE), np.float32) for seconds in (BEFORE, AFTER))
        noise = np.random.default_rng(0).standard_normal(len(before) + len(sound) + len(after)) * 0.0005
        audio = np.concatenate([before, sound, after]) + noise.astype(np.float32)
        decoding = 0.0
        heard.sounds += 1
        interrupted = False
        said = ""
        list(self._carry_out(session, session.receive(Speak(ANSWER), 0.0), 0.0))
        for start in range(0, len(audio), FRAME):
            now = start / SAMPLE_RATE
            frame = AppendAudio(encode(audio[start : start + FRAME], Encoding.PCM16))
            for outputs in (session.handle_timer(now), session.receive(frame, now)):
                for output in self._carry_out(session, outputs, now):
                    match output:
                        case ResponseFinished(status=ResponseStatus.CANCELLED):
                            interrupted = True
                        case ResponseStarted():
                            said = ""
                            heard.went_on.append(now + decoding - BEFORE - len(sound) / SAMPLE_RATE)
                        case TranscriptCompleted(text=text) if interrupted:
                            said = text
                        case float():
                            decoding = output
                        case _:
                            pass
        heard.interrupted += interrupted
        if said:
            heard.words.append(said)

    def _carry_out(self, session: Session, outputs: list[Output], now: float) -> Iterator[Output | float]:
        """Yield the outputs that follow, and the seconds that each final took."""
        waiting = list(outputs)
        while waiting:
            output = waiting.pop(0)
            results: list[Input] = []
            match output:
                case ScoreWindows(number, windows, state):
                    results = [WindowsScored(number, *self._models._score(windows, state))]
                case Transcribe(number, priority=Priority.FINAL):
                    began = time.process_time()
                    if request := session.request_for(number, LoadLevel.LOW):
                        results = [Transcribed(number, transcribe(self._models._whisper, request))]
                        yield time.process_time() - began
                case Synthesize(number, text):
                    results = [SpeechSynthesized(number, self.say(text), RATE), SynthesisFinished(number)]
                case _:
                    yield output
            for result in results:
                waiting += session.receive(result, now)


def levelled(sound: Samples) -> Samples:
    """Return a sound whose loudest half second has the level of speech, at most 4 s of it."""
    sound = sound[: 4 * SAMPLE_RATE]
    powers = [
        np.square(sound[start : start + SAMPLE_RATE // 2]).mean() for start in range(0, len(sound), SAMPLE_RATE // 4)
    ]
    return (sound * np.float32(LEVEL / max(1e-6, float(np.sqrt(max(powers)))))).clip(-1, 1)


def from_folder(folder: Path) -> Iterator[tuple[str, Samples]]:
    """Yield the recordings of Hedgewars with their kinds."""
    for path in sorted([*folder.glob("**/*.ogg"), *folder.glob("**/*.wav")]):
        name = re.sub(r"[\d_-]", "", path.stem.lower())
        voice = path.parent.name
        kind = {"laugh": "laughter", "poisoncough": "cough", "hmm": "hm", "poisonmoan": "moan", "uhoh": "uh-oh"}.get(
            name
        )
        if path.parent.name == "wav":
            kind = "keyboard" if path.stem.endswith("-1") and path.stem[0] in "12" else None
        elif kind is None and path.parent.parent.name == "voices" and name in PHRASES and voice in ENGLISH:
            kind = "phrase of an actor, English"
        elif kind is None and voice == "Sounds":
            kind = "sound effect"
        if kind:
            values = np.frombuffer(b"".join(decode(str(path))), "<i2").astype(np.float32) / np.float32(32_768)
            yield kind, soxr.resample(values, RATE, SAMPLE_RATE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("folder", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1, help="of each kind, use each so-manieth sound")
    arguments = parser.parse_args()
    conversations = Conversations()
    sounds: dict[str, list[Samples]] = defaultdict(list)
    for kind, texts in (("nod of the bundled voice", NODS), ("command of the bundled voice", COMMANDS)):
        sounds[kind] = [soxr.resample(conversations.say(text), RATE, SAMPLE_RATE) for text in texts]
    for row in rows():
        if row["kind"] == "noise":
            sounds["noise, music, animals"].append(load(row["file"]))
    for folder in arguments.folder:
        for kind, sound in from_folder(folder):
            sounds[kind].append(sound)
    table = Table("sound", "sounds", "interrupted", "went on", "after, p50 / max", "words")
    for kind, each in sounds.items():
        heard = Heard()
        for sound in each[:: arguments.every]:
            conversations.play(levelled(sound), heard)
        times = f"{np.median(heard.went_on):.2f} / {max(heard.went_on):.2f} s" if heard.went_on else ""
        table.add_row(
            kind,
            str(heard.sounds),
            str(heard.interrupted),
            str(len(heard.went_on)),
            times,
            "; ".join(filter(None, heard.words)),
        )
        print(kind, heard, file=sys.stderr, flush=True)
    Console(width=160).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
