"""Many sessions and one recognizer as plain values: real sessions and a real scheduler, on a clock that costs nothing.

The sessions are sans-I/O cores that hear what `scripted_conversation` describes: every word says where it was spoken.
The engine answers what was said, after a time that follows from the audio, from the batch and from the speed of the
machine, which may change while the simulation runs.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.engines.whisper.windows import FRAME, TAIL_PADDING
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ClientId, LoadLevel
from realtime.scheduling.queue import Stage, Ticket
from realtime.session.commands import AppendAudio
from realtime.session.events import Input, Output, SpeechStopped, TranscriptCompleted, TranscriptExtended
from realtime.session.jobs import CancelJob, ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.session.session import Session
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.misheard_words import WITH_TIMESTAMPS, WITHOUT_TIMESTAMPS, HeardWord, as_heard
from tests.support.scripted_conversation import CONFIG, WORD_LENGTH, Microphone, loudness, recognize

WORKERS: Final = 2
FRAME_SECONDS: Final = 0.1
FRAME_LENGTH: Final = round(FRAME_SECONDS * SAMPLE_RATE)
DETECTOR_SECONDS: Final = 0.03

ESTIMATED_PARTIAL: Final = 0.2
"""Engine seconds of a partial by the estimate that the engine makes when it is loaded."""

TOKENS_PER_SECOND: Final = 3.5
"""Text tokens per second of audio that is decoded."""

CONFIRMED: Final = 0.9
"""Share of the tokens of a partial that the next one confirms, by `tests.bench.engine_costs`."""


@dataclass(frozen=True, slots=True)
class EngineCosts:
    """What the two stages take on a worker, in seconds."""

    encode: float
    encode_second: float
    """Of each second of the audio of a partial; that of finals is longer by their tail padding."""
    batch: float
    """Of a batch, beside its steps."""
    step: float
    """Of the step of a batch in which each request gets a token."""
    step_each: float
    """Of each request in such a step."""
    verify: float | None = None
    """Of each expected token that is verified instead; None if all text is written again."""
    align: float = 0.0
    align_second: float = 0.0
    """Of each request whose words get times, and of each second of its audio."""
    encode_python: float = 0.0
    decode_python: float = 0.0
    """Of each request, in Python, which is part of the above: only one thread of the process can do this at a time."""
    frame_python: float = 0.0
    """Of each frame of 100 ms of each stream."""

    def encoding(self, request: TranscriptionRequest) -> float:
        """Return the time for one request."""
        padding = TAIL_PADDING[request.final, request.under_load] - TAIL_PADDING[False, request.under_load]
        return self.encode + self.encode_second * (request.seconds + padding * FRAME / SAMPLE_RATE)

    def decoding(self, requests: Sequence[TranscriptionRequest]) -> float:
        """Return the time for a batch."""
        tokens = [TOKENS_PER_SECOND * request.seconds for request in requests]
        timed = [self.align + self.align_second * request.seconds for request in requests if request.word_times]
        steps, verifying = tokens, 0.0
        if self.verify is not None:
            known = [_verified(request) for request in requests]
            steps = [1 + max(0.0, all_ - expected) for all_, expected in zip(tokens, known, strict=True)]
            verifying = self.verify * sum(known)
        return self.batch + self.step * max(steps) + self.step_each * sum(steps) + verifying + sum(timed)


def _verified(request: TranscriptionRequest) -> float:
    """Return how many of the tokens that a request expects are confirmed."""
    return CONFIRMED * TOKENS_PER_SECOND * len(request.expected.split()) * WORD_LENGTH / SAMPLE_RATE


SLOW_THREAD: Final = EngineCosts(encode=0.00625, encode_second=0.0125, batch=0.0, step=0.009, step_each=0.003)
"""`whisper-base` on a CPU thread of a machine that is half as fast as the one of the benchmarks."""

FAST_THREAD: Final = EngineCosts(
    encode=0.006,
    encode_second=0.0045,
    batch=0.016,
    step=0.0045,
    step_each=0.001,
    align=0.005,
    align_second=0.0018,
)
"""`whisper-base` on a CPU thread of the machine of the benchmarks on a fast day, without speculative decoding, by
`tests.bench.engine_costs` with two workers."""

LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
NUMBERS: Final = str.maketrans("abcdefghij", "0123456789")
"""What the words of these users have instead of digits, and back: numbers are committed later than other words."""


@dataclass(slots=True)
class Lag:
    """How late a word was committed."""

    session: str
    spoken: float
    """When the frame in which it ends was sent; of a final, when its turn ended."""
    seconds: float


@dataclass(slots=True)
class Look:
    """The load at one moment, and whether another session would have been admitted."""

    at: float
    level: LoadLevel
    partial_interval: float | None
    admits: bool


@dataclass(eq=False, slots=True)
class RunningBatch:
    """A batch on a worker: `remaining` seconds of its time."""

    batch: list[Ticket[TranscriptionRequest]]
    began: float
    remaining: float


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
    words: dict[str, HeardWord] = field(default_factory=dict)
    """The words that partials have heard."""


class Simulation:
    """Sessions that share a recognizer; `now` is in seconds."""

    def __init__(
        self,
        speed: Callable[[float], float] = lambda _: 1.0,
        *,
        workers: int = WORKERS,
        cores: float = math.inf,
        costs: EngineCosts = SLOW_THREAD,
        mishears: bool = False,
        stagger: float = 0.37,
        pauses: bool = True,
        limited: bool = False,
        estimated_partial: float = ESTIMATED_PARTIAL,
    ) -> None:
        """Run at `speed(now)`, where 1 is the speed of the idle machine.

        With fewer `cores` than busy workers, these share them. If it `mishears`, partials have words wrong as often and
        for as long as those of Whisper, and are as sure of them; if not, it is unknown how sure they are. Users begin
        `stagger` seconds apart. Without `pauses` they speak for 20 to 60 s at a time. If `limited`, users for whom
        there is no capacity are refused.
        """
        self.now = 0.0
        self.load = Load(workers, estimated_partial)
        self.scheduler = Scheduler(self.load)
        self.lags: list[Lag] = []
        self.finals: list[Lag] = []
        """How late the transcript of each turn came after its end."""
        self.looks: list[Look] = []
        """The load at every second."""
        self.refused = 0
        self._limited = limited
        self._speed = speed
        self._cores = cores
        self._costs = costs
        self._mishears = mishears
        self._dice = random.Random(0)
        self._stagger = stagger
        self._pauses = pauses
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._owners: dict[Ticket[TranscriptionRequest], tuple[Talker, int]] = {}
        self._stopped: dict[tuple[str, str], float] = {}
        """When each turn ended whose transcript has not come, by session and item."""
        self._running: list[RunningBatch] = []
        self._progressed = 0.0
        """Until when the work of the running batches was done."""
        self._finishing = 0
        """Number of the next event at which a batch may be finished."""
        self._python_until = 0.0
        """When the interpreter is free."""
        self._idle = workers
        self._timer = 0.0

    def run(self, sessions: int, seconds: float) -> None:
        """Let this many users speak for this long, and the engine finish its work."""
        for number in range(sessions):
            self._at(self._stagger * number, partial(self._begin, number, seconds))
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
        self._progress()  # the speed may have changed
        self._expect_finish()
        cadence, admission = self.load.cadence, self.load.admission
        interval, admits = cadence.partial_interval(self.now), admission.can_admit(self.now)
        self.looks.append(Look(self.now, cadence.level(self.now), interval, admits))

    # Users.

    def _begin(self, number: int, seconds: float) -> None:
        if self._limited and not self.load.admission.can_admit(self.now):
            self.refused += 1
            return
        name, numbers = f"session {number}", itertools.count(1)
        session = Session(CONFIG, lambda prefix: f"{prefix}_{next(numbers)}")
        self.load.admission.add_session(name, self.now)
        self._begin_talking(Talker(name, session, _frames(number, seconds, pauses=self._pauses), self.now))

    def _begin_talking(self, talker: Talker) -> None:
        self._at(talker.began + FRAME_SECONDS, partial(self._hear, talker))

    def _hear(self, talker: Talker) -> None:
        """Take the frame that has ended."""
        if (frame := next(talker.frames, None)) is not None:
            self._python(self._costs.frame_python)
            self._receive(talker, AppendAudio(frame))
            talker.heard += len(frame) / 2 / SAMPLE_RATE
            self._at(talker.began + talker.heard + FRAME_SECONDS, partial(self._hear, talker))
        else:
            self.load.admission.remove_session(talker.name)

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
                    end = (int(word[1:].translate(NUMBERS)) + 1) * WORD_LENGTH
                    spoken = talker.began + math.ceil(end / FRAME_LENGTH) * FRAME_SECONDS
                    self.lags.append(Lag(talker.name, spoken, self.now - spoken))
            case SpeechStopped(item):
                self._stopped[talker.name, item] = self.now
            case TranscriptCompleted(item) if (talker.name, item) in self._stopped:
                stopped = self._stopped.pop((talker.name, item))
                self.finals.append(Lag(talker.name, stopped, self.now - stopped))

    # The engine.

    def _dispatch(self) -> None:
        while self._idle and (batch := self.scheduler.take(self.now)):
            if live := [ticket for ticket in batch if ticket.payload is not None]:
                self._progress()
                self._idle -= 1
                self._running.append(RunningBatch(live, self.now, self._seconds(live)))
                self._expect_finish()
        due = self.scheduler.due(self.now)
        if self._idle and due is not None and not self.now < self._timer <= due:
            self._timer = due
            self._at(due, self._dispatch)

    def _python(self, seconds: float) -> float:
        """Occupy the interpreter for so long; return how long it was busy with others before."""
        free = max(self._python_until, self.now)
        self._python_until = free + seconds
        return free - self.now if seconds else 0.0

    def _seconds(self, batch: list[Ticket[TranscriptionRequest]]) -> float:
        requests = [ticket.payload for ticket in batch if ticket.payload is not None]
        if batch[0].stage is Stage.ENCODE:
            return self._costs.encoding(requests[0]) + self._python(self._costs.encode_python)
        return self._costs.decoding(requests) + self._python(self._costs.decode_python * len(requests))

    @property
    def _rate(self) -> float:
        """How fast each running batch gets on."""
        return self._speed(self.now) * min(1.0, self._cores / max(1, len(self._running)))

    def _progress(self) -> None:
        """Let the running batches get on until now."""
        for running in self._running:
            running.remaining -= (self.now - self._progressed) * self._rate
        self._progressed = self.now

    def _expect_finish(self) -> None:
        """Set the time at which the next running batch is finished, as long as nothing changes."""
        self._finishing += 1
        if self._running:
            remaining = max(0.0, min(running.remaining for running in self._running))
            self._at(self.now + remaining / self._rate, partial(self._finish_due, self._finishing))

    def _finish_due(self, number: int) -> None:
        if number == self._finishing:
            self._progress()
            done = min(self._running, key=lambda running: running.remaining)
            self._running.remove(done)
            self._expect_finish()
            self._finish(done.batch, self.now - done.began)

    def _finish(self, batch: list[Ticket[TranscriptionRequest]], seconds: float) -> None:
        self._idle += 1
        self.scheduler.record_service(batch, seconds, self.now)
        for ticket in batch:
            if ticket not in self._owners or ticket.payload is None:  # it was cancelled meanwhile
                continue
            talker, number = self._owners[ticket]
            outcome = self._outcome(ticket, talker)
            if isinstance(outcome, Hypothesis):
                del talker.jobs[number], self._owners[ticket]
                self._receive(talker, Transcribed(number, outcome))
            else:
                ticket.requeue(outcome)
                self.scheduler.add(ticket, self.now)
        self._dispatch()

    def _outcome(self, ticket: Ticket[Any], talker: Talker) -> Any:
        """Return the hypothesis of a ticket that was run, or what is run of it next."""
        request: Any = ticket.payload
        if ticket.stage is Stage.ENCODE:
            return request
        heard = recognize(request.samples)
        words = [replace(word, text=word.text.translate(LETTERS)) for word in heard.words]
        if request.final:
            return replace(heard, words=tuple(words))
        if not self._mishears:
            return replace(heard, words=tuple(replace(word, probability=0.0) for word in words))
        end, hearing = len(request.samples), WITHOUT_TIMESTAMPS if request.under_load else WITH_TIMESTAMPS
        return replace(heard, words=tuple(as_heard(word, end, hearing, talker.words, self._dice) for word in words))


def _frames(seed: int, seconds: float, *, pauses: bool) -> Iterator[bytes]:
    """Yield the audio of a user in frames."""
    waiting = b""
    for audio in _turns(seed, seconds, pauses=pauses):
        waiting += audio
        while len(waiting) >= 2 * FRAME_LENGTH:
            yield waiting[: 2 * FRAME_LENGTH]
            waiting = waiting[2 * FRAME_LENGTH :]
    if waiting:
        yield waiting


def _turns(seed: int, seconds: float, *, pauses: bool) -> Iterator[bytes]:
    """Yield what a user says, with pauses within and longer ones between.

    Turns are on average as long as those of the recordings that benchmarks play, 5.0 s of speech, with 1.5 s between
    two. Every second turn has a pause of 0.45 s within; of the recordings three of five have one of 0.5 s.
    """
    dice, microphone = random.Random(seed), Microphone()
    while not pauses and microphone.position < seconds * SAMPLE_RATE:
        yield microphone.speech(dice.randint(60, 200) * WORD_LENGTH / SAMPLE_RATE)
        yield microphone.silence(1.0)
    while microphone.position < seconds * SAMPLE_RATE:
        for phrase in range(dice.randint(1, 2)):
            if phrase:
                yield microphone.silence(0.45)
            yield microphone.speech(dice.randint(6, 15) * WORD_LENGTH / SAMPLE_RATE)
        yield microphone.silence(1.5)
