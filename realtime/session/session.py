"""A session: the conversation with one client, without I/O.

Like the protocol cores of websockets, h11 and aioquic it takes inputs and a clock and returns outputs, in order:
what to tell the client and what to ask of the engines. `Listening` is the user's side, `Speaking` the reply side;
here is what concerns both: barge-in, and that an answer nobody waits for is
dropped.
"""

from collections.abc import Callable, Iterator
from typing import assert_never

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
from realtime.session.events import Input, Output, SpeechStarted
from realtime.session.jobs import JobFailed, Jobs, SpeechSynthesized, SynthesisFinished, Transcribed, WindowsScored
from realtime.session.listening import Listening
from realtime.session.responses import ReplyState, Speaking
from realtime.speech.recognition import TranscriptionRequest


class Session:
    """One conversation. `now` is monotonic seconds; it rules pacing and limits, never what is understood."""

    def __init__(self, config: SessionConfig, new_id: Callable[[str], str]) -> None:
        """`new_id("item")` makes a new unique identifier that starts with `item_`."""
        self._jobs = Jobs()
        self._listening = Listening(config, self._jobs, new_id)
        self._speaking = Speaking(config, self._jobs, new_id)

    @property
    def saturated(self) -> bool:
        """Whether the driver should take no more commands until the engines have caught up."""
        return self._listening.saturated

    @property
    def reply_state(self) -> ReplyState:
        return self._speaking.state

    def deadline(self) -> float | None:
        """When `handle_timer` has something to do, or None."""
        return self._speaking.deadline()

    def handle_timer(self, now: float) -> list[Output]:
        return list(self._speaking.release(now))

    def receive(self, message: Input, now: float) -> list[Output]:
        """Take one command or engine result. Raises `VoiceError` where the session cannot go on."""
        return list(self._receive(message, now))

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return the audio and options to decode for a `Transcribe` job, or None where the job is no longer live.

        The second entry to the session: an engine that is free pulls its request, so that it decodes the newest audio
        however long the job has waited. `load` is the load of that engine now; it decides how long a segment may grow
        and how much new speech is worth a partial until the next pull. To be called at most once for each job.
        """
        return self._listening.request_for(job, load) if self._jobs.is_live(job) else None

    def _receive(self, message: Input, now: float) -> Iterator[Output]:
        match message:
            case AppendAudio() | CommitAudio() | ClearAudio() | Configure():
                if isinstance(
                    message, Configure
                ):  # what the client asks for after it uses it, however much is unscored
                    self._speaking.config = message.config
                yield from self._listen(message)
            case WireRequest():
                yield message
            case Speak():
                yield from self._speaking.speak(message, now)
            case CancelResponse():
                yield from self._speaking.cancel(message)
            case WindowsScored() | Transcribed() | SpeechSynthesized() | SynthesisFinished() | JobFailed():
                if not self._jobs.is_live(message.number):
                    return
                if self._speaking.awaits(message.number):
                    assert not isinstance(message, WindowsScored | Transcribed)
                    yield from self._speaking.receive(message, now)
                else:
                    assert not isinstance(message, SpeechSynthesized | SynthesisFinished)
                    yield from self._listen(message)
            case _:
                assert_never(message)

    def _listen(
        self, message: AppendAudio | CommitAudio | ClearAudio | Configure | WindowsScored | Transcribed | JobFailed
    ) -> Iterator[Output]:
        for output in self._listening.receive(message):
            yield output
            if isinstance(output, SpeechStarted) and output.interrupts:
                yield from self._speaking.interrupt()
