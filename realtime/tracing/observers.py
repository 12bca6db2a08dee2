"""Observers of a session, for logs and traces: the core itself does no I/O.

An `ObservedSession` reports every call and its outcome to its observers. `SessionLog` is the observer that writes DEBUG
records; traces are in `realtime.tracing.writer`.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.priority import LoadLevel
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import Waiting
from realtime.session.events import (
    AudioCommitted,
    CommandRefused,
    Input,
    Output,
    SessionConfigured,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptFailed,
)
from realtime.session.generation import ChatFinished
from realtime.session.jobs import (
    CancelJob,
    Generate,
    Generated,
    JobFailed,
    SynthesisFinished,
    Synthesize,
    Transcribe,
    Transcribed,
)
from realtime.session.response_events import ResponseFinished, ResponseStarted
from realtime.session.session import Session
from realtime.speech.recognition import TranscriptionRequest

logger = logging.getLogger(__name__)


class Observer(Protocol):
    """Receives the calls of one session in order, with times of the session's clock."""

    def received(self, message: Input, now: float) -> None:
        """Handle an input, before the session does."""

    def timer_fired(self, now: float) -> None:
        """Handle a call of `handle_timer`, before the session does."""

    def requested(self, job: int, load: LoadLevel, request: TranscriptionRequest | None, now: float) -> None:
        """Handle the result of `request_for`."""

    def produced(self, outputs: Sequence[Output], now: float) -> None:
        """Handle the outputs of an input or the timer."""

    def waited(self, waiting: Waiting | None, now: float) -> None:
        """Handle a change of `Session.waiting`, after the outputs of the input that led to it."""

    def ended(self) -> None:
        """Handle the end of the session, whatever is in progress."""


class ObservedSession(Session):
    """A session that reports to observers."""

    def __init__(
        self,
        config: SessionConfig,
        new_id: Callable[[str], str],
        observers: Sequence[Observer],
        clock: Callable[[], float],
        new_buffer: Callable[[], AudioBuffer] = AudioBuffer,
    ) -> None:
        super().__init__(config, new_id, new_buffer)
        self._observers = observers
        self._clock = clock
        self._waiting: Waiting | None = None

    def receive(self, message: Input, now: float) -> list[Output]:
        for observer in self._observers:
            observer.received(message, now)
        return self._shown(super().receive(message, now), now)

    def handle_timer(self, now: float) -> list[Output]:
        for observer in self._observers:
            observer.timer_fired(now)
        return self._shown(super().handle_timer(now), now)

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        request = super().request_for(job, load)
        for observer in self._observers:
            observer.requested(job, load, request, self._clock())
        return request

    def _shown(self, outputs: list[Output], now: float) -> list[Output]:
        for observer in self._observers:
            observer.produced(outputs, now)
            if self.waiting is not self._waiting:
                observer.waited(self.waiting, now)
        self._waiting = self.waiting
        return outputs


class SessionLog:
    """Write DEBUG records of turns, jobs and responses: ids, sizes and durations, never text or audio."""

    def __init__(self, session_id: str) -> None:
        # A request may be pulled while another session's task runs, so the current session is not always this one.
        self._session = {"session": session_id}
        self._load = LoadLevel.NORMAL
        self._asked: dict[int, float] = {}

    def received(self, message: Input, now: float) -> None:
        match message:
            case Transcribed():
                self._answered(message.number, f"answered with {len(message.hypothesis.words)} words", now)
            case SynthesisFinished():
                self._answered(message.number, "spoken", now)
            case Generated(delta=ChatFinished()):
                self._answered(message.number, "generated", now)
            case JobFailed():
                self._answered(message.number, f"failed ({message.error.code})", now)
            case _:
                pass

    def timer_fired(self, now: float) -> None:
        """Write nothing."""

    def requested(self, job: int, load: LoadLevel, request: TranscriptionRequest | None, now: float) -> None:
        if load is not self._load:
            self._load = load
            self._write("load is %s", load.value)
        if request is not None:
            kind = "final" if request.final else "partial"
            waited = now - self._asked.get(job, now)
            self._write("job %d decodes a %s of %.2f s, queued for %.3f s", job, kind, request.seconds, waited)

    def produced(self, outputs: Sequence[Output], now: float) -> None:
        for output in outputs:
            self._produced(output, now)

    def waited(self, waiting: Waiting | None, now: float) -> None:
        """Write nothing: it changes several times a second."""

    def ended(self) -> None:
        """Write nothing."""

    def _produced(self, output: Output, now: float) -> None:
        match output:
            case SessionConfigured():
                config = output.config
                audio, turns = config.input_format, "server" if config.turn_detection else "client"
                self._write(
                    "configured: %s, %s at %d Hz, turns ended by the %s", config.recognizer.name, audio.encoding,
                    audio.sample_rate, turns
                )  # fmt: skip
            case SpeechStarted():
                self._write("turn %s started at %.2f s", output.item_id, output.at / SAMPLE_RATE)
            case SpeechStopped():
                self._write("turn %s stopped at %.2f s", output.item_id, output.at / SAMPLE_RATE)
            case AudioCommitted():
                self._write("turn %s committed", output.item_id)
            case TranscriptCompleted():
                reasons = ", ".join(output.suppressed) or "none"
                self._write("turn %s transcribed: %d words, suppressed: %s", output.item_id, len(output.words), reasons)
            case TranscriptFailed():
                self._write("turn %s failed: %s", output.item_id, output.error.code)
            case ResponseStarted():
                self._write("response %s started", output.response.id)
            case ResponseFinished():
                self._write("response %s %s: %d items sent", output.response.id, output.status, len(output.items))
            case CommandRefused():
                self._write("command refused: %s", output.reason)
            case Transcribe():
                self._asked[output.number] = now
                self._write(
                    "job %d asked: %s with %s", output.number, output.priority.name.lower(), output.recognizer.name
                )
            case Generate():
                self._asked[output.number] = now
                self._write("job %d asked: answer %d messages", output.number, len(output.request.messages))
            case Synthesize():
                self._asked[output.number] = now
                self._write("job %d asked: speak %d characters", output.number, len(output.text))
            case CancelJob():
                self._answered(output.number, "cancelled", now)
            case _:
                pass

    def _answered(self, job: int, outcome: str, now: float) -> None:
        if (asked := self._asked.pop(job, None)) is not None:  # the detector's jobs are too many to log
            self._write("job %d %s after %.3f s", job, outcome, now - asked)

    def _write(self, message: str, *values: object) -> None:
        logger.debug(message, *values, extra=self._session)
