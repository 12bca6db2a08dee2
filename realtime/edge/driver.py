"""The driver: runs one session on asyncio.

One task owns the session. Commands and engine results reach it through its `Inbox`, and the time through a timeout.
Events go to `deliver` in order, and wait there while the client is slow. Each job runs in a task of its own that puts
its results into the inbox. One call into the session comes from elsewhere: the scheduler of a recognizer pulls a
request (`Session.request_for`) when an engine is free, on the same event loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Final, Generic, TypeVar, assert_never

from realtime.backends.backend import ChatBackend
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import resolve_voice
from realtime.edge.condition import Condition
from realtime.edge.playback import Playback
from realtime.edge.session_clock import SessionClock
from realtime.errors import ClientError, Overloaded, VoiceError
from realtime.models.models import Models
from realtime.models.session_recognizer import SessionRecognizer
from realtime.models.synthesizers import SynthesizerHandle
from realtime.scheduling.priority import ANONYMOUS, ClientId, Priority
from realtime.scheduling.queue import RequestProgress
from realtime.session.events import Event, Input, Output
from realtime.session.jobs import (
    CancelJob,
    EngineResult,
    Generate,
    Generated,
    Job,
    JobFailed,
    ScoreTurn,
    ScoreWindows,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
    Transcribe,
    Transcribed,
    TurnScored,
    WindowsScored,
)
from realtime.session.session import Session
from realtime.speech.echo_gate import EchoGate
from realtime.speech.style import SpeechStyle

Request = TypeVar("Request")

logger = logging.getLogger(__name__)

MAX_COMMANDS: Final = 64
"""Commands that may wait. While the lane is full the socket is not read, and TCP slows the client down."""

SETTLING_INTERVAL: Final = 0.1
"""Seconds between two looks at whether a session has settled, which also depends on the time."""

MAX_RESULTS: Final = 64
"""Results that may wait. While the lane is full, job tasks wait, and with them the engine behind a synthesis."""


LANGUAGE_SECONDS: Final = 1.0
"""Seconds that the end of a phrase waits for its language. Texts take 1 ms, but the first of a service 0.5 s.

What identifies languages is loaded for it then, and the client has the audio of the phrase to play meanwhile.
"""


class Inbox(Generic[Request]):
    """Two bounded lanes into a session; results go before commands."""

    def __init__(self) -> None:
        self._commands: list[Request] = []
        self._results: list[EngineResult] = []
        self._changed = Condition()
        self._taken = Condition()

    async def put(self, command: Request) -> None:
        """Add a command; wait while there is no room."""
        while len(self._commands) >= MAX_COMMANDS:
            await self._taken.wait()
        self._commands.append(command)
        self._changed.notify_all()

    async def put_result(self, result: EngineResult) -> None:
        """Add a result; wait while there is no room."""
        while len(self._results) >= MAX_RESULTS:
            await self._taken.wait()
        self._results.append(result)
        self._changed.notify_all()

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._commands and not self._results

    async def get(self, *, commands: bool) -> Request | EngineResult:
        """Wait for the next result, or the next command if `commands` is true."""
        while not self._results and not (commands and self._commands):
            await self._changed.wait()
        self._taken.notify_all()
        return self._results.pop(0) if self._results else self._commands.pop(0)


class Driver:
    """Runs `session` against `models` until it is cancelled."""

    _unspoken_languages: frozenset[str] = frozenset()

    def __init__(
        self,
        session: Session,
        models: Models,
        recognizer: SessionRecognizer,
        deliver: Callable[[Event], Awaitable[None]],
        *,
        chat: ChatBackend | None = None,
        client_id: ClientId = ANONYMOUS,
        clock: SessionClock | None = None,
        on_progress: Callable[[int, RequestProgress], None] | None = None,
        echo_gate: bool = False,
    ) -> None:
        """Prepare to run; with `echo_gate`, echo does not count as speech.

        `on_progress` is called with the number and the progress of running `Transcribe` jobs, for traces.
        """
        self.inbox: Inbox[Input] = Inbox()
        self._session = session
        self._models = models
        self._recognizer = recognizer
        self._deliver = deliver
        self._chat = chat
        self._client_id = client_id
        self._clock = clock or SessionClock()
        self._waiting: asyncio.Timeout | None = None
        """The wait for the next input, while there is one."""
        self._on_progress = on_progress
        self._echo_gate = EchoGate() if echo_gate else None
        self._playback = None if self._echo_gate is None else Playback(self._echo_gate)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._advanced = Condition()
        """Notified after every step of the session."""
        self._speaker: ModelEntry | None = None
        """The model that speaks a phrase of uncertain language, as the last phrase or turn has shown."""

    @property
    def responding(self) -> bool:
        """Whether any response is in progress, and does not wait for text of the client."""
        return self._session.responding

    @property
    def paused(self) -> bool:
        """Whether the time of the session stands still, because it is parked."""
        return self._clock.paused

    def pause(self) -> None:
        """Stop the time of the session: speech is sent no further ahead, and no timer fires."""
        self._clock.pause()

    def resume(self) -> None:
        """Let the time of the session go on."""
        paused = self._clock.paused
        self._clock.resume()
        if paused and self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())  # to wait for the deadline again

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Serve until cancelled, with the jobs in tasks of `group`; it must be cancelled with these.

        Raises `VoiceError` where the session cannot go on.
        """
        while True:
            for output in await self._next():
                await self._carry_out(output, group)
            self._advanced.notify_all()

    async def settled(self) -> None:
        """Wait until nothing waits for the session and nothing is in progress in it; see `Session.settled`."""
        while not (self.inbox.empty and self._session.settled(self._clock())):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLING_INTERVAL):
                    await self._advanced.wait()

    async def _next(self) -> list[Output]:
        """Wait for the next input or deadline; return the outputs that follow from it."""
        deadline = None if self._clock.paused else self._session.deadline()
        if deadline is None and not self._clock.paused:  # there is nothing to resume, and a timeout costs time
            message = await self.inbox.get(commands=not self._session.saturated)
            return self._session.receive(message, self._clock())
        timeout = None if deadline is None else max(0.0, deadline - self._clock())
        try:
            async with asyncio.timeout(timeout) as self._waiting:
                message = await self.inbox.get(commands=not self._session.saturated)
        except TimeoutError:
            now = self._clock()
            return [] if deadline is None or now < deadline else self._session.handle_timer(now)
        finally:
            self._waiting = None
        return self._session.receive(message, self._clock())

    async def _carry_out(self, output: Output, group: asyncio.TaskGroup) -> None:
        match output:
            case ScoreWindows() | ScoreTurn() | Transcribe() | Synthesize() | Generate():
                task = group.create_task(self._work(output))
                self._tasks[output.number] = task
                task.add_done_callback(lambda _: self._tasks.pop(output.number))
            case CancelJob(number):
                if number in self._tasks:
                    self._tasks[number].cancel()
            case _:
                if self._playback is not None:
                    self._playback.sent(output)
                await self._deliver(output)

    async def _work(self, job: Job) -> None:
        """Carry out one job and put its results into the inbox."""
        try:
            match job:
                case ScoreWindows(number, windows, state, channel):
                    probabilities, after = await self._models.detector.score(windows, state)
                    if self._echo_gate is not None and channel is not None:
                        probabilities = self._echo_gate.filter(windows, probabilities, channel)
                    await self.inbox.put_result(WindowsScored(number, probabilities, after))
                case ScoreTurn(number, samples):
                    probability = await self._models.score_turn(samples)
                    await self.inbox.put_result(TurnScored(number, probability))
                case Transcribe(number, entry, priority, draft):
                    recognizer = self._recognizer.draft if draft else await self._recognizer.use(entry)
                    hypothesis = await recognizer.transcribe_newest(
                        lambda load: self._session.request_for(number, load),
                        priority,
                        self._client_id,
                        None if self._on_progress is None else partial(self._on_progress, number),
                    )
                    if priority is Priority.FINAL and hypothesis.words:
                        # An answer of a few words is likelier in the language of the user than in that of the last one.
                        self._speaker = self._models.speaker_of(hypothesis.language) or self._speaker
                    await self.inbox.put_result(Transcribed(number, hypothesis))
                case Synthesize():
                    await self._synthesize(job)
                case Generate(number, request):
                    assert self._chat is not None  # else `SessionConfig.chat` is false
                    async with self._chat.stream(request) as deltas:
                        async for delta in deltas:
                            await self.inbox.put_result(Generated(number, delta))
                case CancelJob():
                    raise AssertionError("carried out at once")
                case _:
                    assert_never(job)
        except VoiceError as error:
            if not isinstance(error, ClientError | Overloaded):
                logger.error("job %d failed: %s", job.number, error.message)  # noqa: TRY400 - it has its cause
            await self.inbox.put_result(JobFailed(job.number, error))

    async def _synthesize(self, job: Synthesize) -> None:
        asked = self._models.voice_names.owner(job.voice)
        if job.clip:  # which the default model speaks, in every language; others need not clone voices
            entry = self._models.defaults[Task.SPEECH]
        else:
            entry = await self._models.speaker(job.text, asked, self._speaker)
        self._speaker = entry
        async with self._models.lease_synthesizer(entry) as synthesizer:
            voice = await self._voice(job, synthesizer, asked)
            spoken = synthesizer.spoken_text(job.text, voice)
            style = SpeechStyle(clip=job.clip, seconds_ahead=job.seconds_ahead)
            async with aclosing(synthesizer.synthesize(spoken, voice, job.speed, style)) as chunks:
                async for samples in chunks:
                    await self.inbox.put_result(
                        SpeechSynthesized(job.number, samples, synthesizer.sample_rate, spoken.positions)
                    )
        checking = asyncio.create_task(self._unspoken_language(job.text, entry))
        try:
            await asyncio.wait([checking], timeout=LANGUAGE_SECONDS)
            await self.inbox.put_result(SynthesisFinished(job.number, checking.result() if checking.done() else ""))
            await checking
        finally:
            checking.cancel()

    async def _voice(self, job: Synthesize, synthesizer: SynthesizerHandle, asked: ModelEntry) -> str:
        """Return the voice for a phrase. Raises `UnknownVoice` if the model that the client has asked for has none."""
        if synthesizer.name == asked.name:
            return resolve_voice(job.voice, synthesizer.voices)  # a phrase may be too short to show its language
        language = await self._models.language_for(job.text, synthesizer.entry)
        found = (synthesizer.choose_voice(name, job.text, language) for name in (job.voice, ""))
        return next(filter(None, found), synthesizer.voices[0])

    async def _unspoken_language(self, text: str, entry: ModelEntry) -> str:
        """Return the language of a text that the voice does not speak, and log each such language of the session once.

        Empty if the voice speaks it.
        """
        language = await self._models.unspoken_language(text, entry)
        if language is not None and language not in self._unspoken_languages:
            self._unspoken_languages |= {language}
            logger.warning("the text is in %s, which %s does not speak", language, entry.name)
        return language or ""
