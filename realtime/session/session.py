"""A session: the conversation with one client, as a state machine without I/O.

Like the protocol cores of websockets, h11 and aioquic it takes inputs and a clock, and returns outputs in order: events
for the client and jobs for the engines. It reads no clock, never waits and makes no calls:

    receive(message, now)   a command of the client or the result of a job
    handle_timer(now)       the time that `deadline()` named has come
    request_for(job, load)  an engine is free for a `Transcribe` job: returns what to decode

`Listening` is the user's side and `Responses` the reply side. This module connects them: barge-in, and the one place
where a result whose job is no longer live is dropped.
"""

from collections.abc import Callable, Iterator
from typing import assert_never

from realtime.audio.buffer import AudioBuffer
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    Configure,
    Speak,
    WireRequest,
)
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import Waiting
from realtime.session.events import Input, Output, SpeechStarted
from realtime.session.jobs import (
    JobFailed,
    Jobs,
    SpeechSynthesized,
    SynthesisFinished,
    Transcribed,
    TurnScored,
    WindowsScored,
)
from realtime.session.listening import Listening
from realtime.session.responses import ReplyState, Responses
from realtime.speech.recognition import TranscriptionRequest


class Session:
    """The state of one conversation; see the module. Not thread-safe.

    `now` is monotonic seconds; only the pacing of responses depends on it. Turn boundaries and the order of commands
    never depend on how fast engines answer; the text can, through the load level.
    """

    def __init__(self, config: SessionConfig, new_id: Callable[[str], str], buffer: AudioBuffer | None = None) -> None:
        """Start with `config`; `new_id("item")` returns a new unique identifier that begins with `item_`.

        `buffer` is for a trace, which observes the audio that is looked at; without one the session has its own.
        """
        self._jobs = Jobs()
        self._listening = Listening(config, self._jobs, new_id, buffer)
        self._responses = Responses(config, self._jobs, new_id)

    @property
    def saturated(self) -> bool:
        """Whether to pass in no more commands until the engines have caught up; results are always welcome."""
        return self._listening.saturated

    @property
    def waiting(self) -> Waiting | None:
        """Why no transcription of the newest speech is requested; None if one is, or if there is nothing to do."""
        return self._listening.waiting

    @property
    def reply_state(self) -> ReplyState:
        """State of the reply side."""
        return self._responses.state

    def deadline(self) -> float | None:
        """Return when to call `handle_timer`, or None while nothing depends on time. It may change with any input."""
        return self._responses.deadline()

    def handle_timer(self, now: float) -> list[Output]:
        """Return what is due by `now`: audio of the response in progress. Calling it early does no harm."""
        return list(self._responses.release(now))

    def receive(self, message: Input, now: float) -> list[Output]:
        """Take one command or engine result and return what follows from it, in order.

        The result of a job that is not live, because it was cancelled or has been answered, is dropped.

        Raises:
            VoiceError: The session cannot go on, because the voice activity detector failed.

        """
        return list(self._receive(message, now))

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return the audio and options to decode for a `Transcribe` job, or None where the job is no longer live.

        A job carries no audio: the engine that is free pulls it here, and so decodes the newest, however long the job
        has waited. `load` is the load of that engine now. Until the next pull it also decides how long a segment may
        grow and how much new speech is worth a partial. Pull each job once.
        """
        return self._listening.request_for(job, load) if self._jobs.is_live(job) else None

    def _receive(self, message: Input, now: float) -> Iterator[Output]:
        match message:
            case Configure(config):
                self._responses.config = config
                yield from self._listen(message)
            case AppendAudio() | CommitAudio() | ClearAudio():
                yield from self._listen(message)
            case WireRequest():
                yield message
            case Speak():
                yield from self._responses.speak(message, now)
            case CancelResponse():
                yield from self._responses.cancel(message)
            case (
                WindowsScored() | TurnScored() | Transcribed() | SpeechSynthesized() | SynthesisFinished() | JobFailed()
            ):
                if not self._jobs.is_live(message.number):
                    return
                if self._responses.awaits(message.number):
                    assert not isinstance(message, WindowsScored | TurnScored | Transcribed)
                    yield from self._responses.receive(message, now)
                else:
                    assert not isinstance(message, SpeechSynthesized | SynthesisFinished)
                    yield from self._listen(message)
            case _:
                assert_never(message)

    def _listen(
        self,
        message: AppendAudio
        | CommitAudio
        | ClearAudio
        | Configure
        | WindowsScored
        | TurnScored
        | Transcribed
        | JobFailed,
    ) -> Iterator[Output]:
        """Pass the message to the user's side; speech that it finds may interrupt the response."""
        for output in self._listening.receive(message):
            yield output
            if isinstance(output, SpeechStarted) and output.interrupts:
                yield from self._responses.interrupt()
