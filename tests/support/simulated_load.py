"""Many sessions and one recognizer as plain values: real sessions and a real scheduler, on a clock that costs nothing.

The sessions are sans-I/O cores that hear what `scripted_conversation` describes: every word says where it was spoken.
The engine answers what was said, after a time that follows from the audio, from the batch and from the speed of the
machine, which may change while the simulation runs.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ClientId, LoadLevel
from realtime.scheduling.queue import Stage, Ticket
from realtime.session.commands import AppendAudio
from realtime.session.events import Input, Output, TranscriptExtended
from realtime.session.jobs import CancelJob, ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.session.session import Session
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.scripted_conversation import CONFIG, WORD_LENGTH, Microphone, loudness, recognize

WORKERS: Final = 2
FRAME_SECONDS: Final = 0.1
DETECTOR_SECONDS: Final = 0.03

ENCODE_SECONDS: Final = 0.0125
DECODE_SECONDS: Final = 0.0105
"""Engine seconds per second of audio of an encoding, and of one more decode in a batch: whisper-base on a CPU thread.

A batch has a fixed cost of three decodes.
"""

ESTIMATED_PARTIAL: Final = 0.2
"""Engine seconds of a partial that the engine measures when it is loaded."""


@dataclass(slots=True)
class Lag:
    """How late a word was committed."""

    session: str
    spoken: float
    """Time of its end."""
    seconds: float


@dataclass(slots=True)
class Look:
    """The load at one moment, and whether another session would have been admitted."""

    at: float
    level: LoadLevel
    partial_interval: float | None
    admits: bool


@dataclass(eq=False, slots=True)
class Talker:
    """A session whose user speaks in turns of several seconds."""

    name: str
    session: Session
    frames: Iterator[bytes]
    began: float
    heard: float = 0.0
    """Seconds of audio sent so far."""
    jobs: dict[int, Ticket[TranscriptionRequest]] = field(default_factory=dict)


class Simulation:
    """Sessions that share a recognizer with `WORKERS` workers; `now` is in seconds."""

    def __init__(self, speed: Callable[[float], float] = lambda _: 1.0, *, pauses: bool = True) -> None:
        """Run at `speed(now)`, where 1 is the speed of the idle machine.

        Without `pauses` users speak for 20 to 60 s at a time.
        """
        self.now = 0.0
        self.load = Load(WORKERS, ESTIMATED_PARTIAL)
        self.scheduler = Scheduler(self.load)
        self.lags: list[Lag] = []
        self.looks: list[Look] = []
        """The load at every second."""
        self._speed = speed
        self._pauses = pauses
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._owners: dict[Ticket[TranscriptionRequest], tuple[Talker, int]] = {}
        self._idle = WORKERS
        self._timer = 0.0

    def run(self, sessions: int, seconds: float) -> None:
        """Let this many users speak for this long, and the engine finish its work."""
        for number in range(sessions):
            self._at(0.37 * number, partial(self._begin, number, seconds))
        for second in range(round(seconds)):
            self._at(second, self._look)
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()

    def lags_between(self, start: float, end: float) -> list[float]:
        """Return the lags of the words spoken in this time, in ascending order."""
        return sorted(lag.seconds for lag in self.lags if start <= lag.spoken < end)

    def _at(self, moment: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(moment, self.now), next(self._numbers), event))

    def _look(self) -> None:
        cadence, admission = self.load.cadence, self.load.admission
        interval, admits = cadence.partial_interval(self.now), admission.can_admit(self.now)
        self.looks.append(Look(self.now, cadence.level(self.now), interval, admits))

    # Users.

    def _begin(self, number: int, seconds: float) -> None:
        name, numbers = f"session {number}", itertools.count(1)
        session = Session(CONFIG, lambda prefix: f"{prefix}_{next(numbers)}")
        self.load.admission.add_session(name, self.now)
        self._hear(Talker(name, session, _frames(number, seconds, pauses=self._pauses), self.now))

    def _hear(self, talker: Talker) -> None:
        if (frame := next(talker.frames, None)) is not None:
            self._receive(talker, AppendAudio(frame))
            talker.heard += len(frame) / 2 / SAMPLE_RATE
            self._at(talker.began + talker.heard, partial(self._hear, talker))

    def _receive(self, talker: Talker, message: Input) -> None:
        for output in talker.session.receive(message, self.now):
            self._act(talker, output)

    def _act(self, talker: Talker, output: Output) -> None:
        match output:
            case ScoreWindows(number, windows, _):
                scored = WindowsScored(number, loudness(windows), windows[0])
                self._at(self.now + DETECTOR_SECONDS, partial(self._receive, talker, scored))
            case Transcribe(number, _, priority):
                request = partial(talker.session.request_for, number)
                ticket = Ticket(request, priority, ClientId("", talker.name))
                talker.jobs[number] = ticket
                self._owners[ticket] = talker, number
                self.scheduler.add(ticket, self.now)
                self._dispatch()
            case CancelJob(number):
                ticket = talker.jobs.pop(number)
                del self._owners[ticket]
                self.scheduler.cancel(ticket, self.now)
                self._dispatch()
            case TranscriptExtended(_, delta):
                for word in delta.split():
                    spoken = talker.began + (int(word[1:]) + 1) * WORD_LENGTH / SAMPLE_RATE
                    self.lags.append(Lag(talker.name, spoken, self.now - spoken))

    # The engine.

    def _dispatch(self) -> None:
        while self._idle and (batch := self.scheduler.take(self.now)):
            if live := [ticket for ticket in batch if ticket.payload is not None]:
                self._idle -= 1
                seconds = self._seconds(live) / self._speed(self.now)
                self._at(self.now + seconds, partial(self._finish, live, seconds))
        due = self.scheduler.due(self.now)
        if self._idle and due is not None and not self.now < self._timer <= due:
            self._timer = due
            self._at(due, self._dispatch)

    def _seconds(self, batch: list[Ticket[TranscriptionRequest]]) -> float:
        audio = [ticket.payload.seconds for ticket in batch if ticket.payload is not None]
        if batch[0].stage is Stage.ENCODE:
            return ENCODE_SECONDS * (audio[0] + 0.5)
        return DECODE_SECONDS * (3 * max(audio) + sum(audio))

    def _finish(self, batch: list[Ticket[TranscriptionRequest]], seconds: float) -> None:
        self._idle += 1
        self.scheduler.record_service(batch, seconds, self.now)
        for ticket in batch:
            if ticket not in self._owners or ticket.payload is None:  # it was cancelled meanwhile
                continue
            talker, number = self._owners[ticket]
            outcome = self._outcome(ticket)
            if isinstance(outcome, Hypothesis):
                del talker.jobs[number], self._owners[ticket]
                self._receive(talker, Transcribed(number, outcome))
            else:
                ticket.requeue(outcome)
                self.scheduler.add(ticket, self.now)
        self._dispatch()

    def _outcome(self, ticket: Ticket[Any]) -> Any:
        """Return the hypothesis of a ticket that was run, or what is run of it next."""
        request: Any = ticket.payload
        return request if ticket.stage is Stage.ENCODE else recognize(request.samples)


def _frames(seed: int, seconds: float, *, pauses: bool) -> Iterator[bytes]:
    """Yield the audio of a user who speaks 3 to 12 s at a time, with short pauses within and longer ones between."""
    dice, microphone = random.Random(seed), Microphone()
    while not pauses and microphone.position < seconds * SAMPLE_RATE:
        yield from _cut(microphone.speech(dice.randint(60, 200) * WORD_LENGTH / SAMPLE_RATE))
        yield from _cut(microphone.silence(1.0))
    while microphone.position < seconds * SAMPLE_RATE:
        for phrase in range(dice.randint(1, 3)):
            pause = microphone.silence(0.35) if phrase else b""
            audio = pause + microphone.speech(dice.randint(9, 13) * WORD_LENGTH / SAMPLE_RATE)
            yield from _cut(audio)
        yield from _cut(microphone.silence(1.0))


def _cut(audio: bytes) -> Iterator[bytes]:
    size = 2 * round(FRAME_SECONDS * SAMPLE_RATE)
    return (audio[start : start + size] for start in range(0, len(audio), size))
