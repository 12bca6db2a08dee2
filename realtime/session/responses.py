"""The reply side of a session: from a text to paced speech.

IDLE; SYNTHESIZING while phrases of the response are still to be spoken by the engine; PLAYING_OUT while only finished
audio waits for its time. Phrases are synthesized one at a time, the next as soon as the one before is finished and less
than `MAX_BUFFERED_SECONDS` seconds wait to be sent, so the memory held is that of one phrase and those seconds.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Final, Literal

from realtime.audio.formats import encode
from realtime.audio.resampler import Resampler
from realtime.errors import VoiceError
from realtime.session.commands import CancelResponse, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import (
    CommandRefused,
    Output,
    Response,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
)
from realtime.session.jobs import JobFailed, Jobs, SpeechSynthesized, SynthesisFinished, Synthesize
from realtime.speech.phrases import phrases
from realtime.speech.playout import Playout

MAX_BUFFERED_SECONDS: Final = 10.0
"""Seconds of finished speech with which the engine rests."""


class ReplyState(Enum):
    IDLE = auto()
    SYNTHESIZING = auto()
    PLAYING_OUT = auto()


class _Utterance:
    """One response under way."""

    def __init__(self, response: Response, text: str, speed: float) -> None:
        self.response = response
        self.speed = speed
        self.phrases = deque(phrases(text))
        self.phrase = ""
        self.job: int | None = None
        self.rate = response.output_format.sample_rate
        # A conversation is paced; out of it, the text is wanted as a recording and the socket sets the pace.
        self.playout = Playout(self.rate, paced=response.in_conversation)
        self.resampler: Resampler | None = None
        self.sent_text = ""
        self.sent_samples = 0


class Speaking:
    """Speaks for one session, one response at a time; see the module."""

    def __init__(self, config: SessionConfig, jobs: Jobs, new_id: Callable[[str], str]) -> None:
        self.config = config
        self._jobs = jobs
        self._new_id = new_id
        self._utterance: _Utterance | None = None

    @property
    def state(self) -> ReplyState:
        if self._utterance is None:
            return ReplyState.IDLE
        return ReplyState.SYNTHESIZING if self._utterance.job or self._utterance.phrases else ReplyState.PLAYING_OUT

    def deadline(self) -> float | None:
        """When `release` will have more to send."""
        return self._utterance.playout.deadline() if self._utterance else None

    def awaits(self, number: int) -> bool:
        """Whether this job is the phrase being synthesized."""
        return self._utterance is not None and self._utterance.job == number

    def speak(self, command: Speak, now: float) -> Iterator[Output]:
        """Begin a response, unless one is in progress."""
        if self._utterance is not None:
            yield CommandRefused(
                code="conversation_already_has_active_response",
                message=f"Conversation already has an active response in progress: {self._utterance.response.id}. "
                "Wait until the response is finished before creating a new one.",
                request_id=command.request_id,
            )
            return
        response = Response(
            id=self._new_id("resp"),
            item_id=self._new_id("item"),
            in_conversation=command.in_conversation,
            output_format=command.output_format or self.config.output_format,
            voice=command.voice or self.config.voice,
            metadata=command.metadata,
        )
        self._utterance = _Utterance(response, command.text, command.speed or self.config.speed)
        yield ResponseStarted(response)
        yield from self.release(now)

    def receive(self, message: SpeechSynthesized | SynthesisFinished | JobFailed, now: float) -> Iterator[Output]:
        """Take an answer of the engine."""
        utterance = self._utterance
        assert utterance is not None
        match message:
            case SpeechSynthesized(_, samples, sample_rate):
                if utterance.phrase:
                    utterance.playout.add_text(utterance.phrase)
                    utterance.phrase = ""
                if utterance.resampler is None:
                    utterance.resampler = Resampler(sample_rate, utterance.rate)
                utterance.playout.add_audio(utterance.resampler.process(samples))
            case SynthesisFinished(number):
                self._jobs.end(number)
                utterance.job = None
                if utterance.phrase:  # nothing in it could be spoken
                    utterance.playout.add_text(utterance.phrase)
                if not utterance.phrases and utterance.resampler is not None:
                    utterance.playout.add_audio(utterance.resampler.flush())
            case JobFailed(number, error):
                self._jobs.end(number)
                utterance.job = None
                yield from self._finish(ResponseStatus.FAILED, error=error)
                return
        yield from self.release(now)

    def cancel(self, command: CancelResponse) -> Iterator[Output]:
        """Stop at the client's wish."""
        if self._utterance is None or command.response_id not in (None, self._utterance.response.id):
            yield CommandRefused(
                code="response_cancel_not_active",
                message="Cancellation failed: no active response found",
                request_id=command.request_id,
            )
            return
        yield from self._finish(ResponseStatus.CANCELLED, reason="client_cancelled")

    def interrupt(self) -> Iterator[Output]:
        """Barge-in: the user speaks over the response."""
        if self._utterance is not None and self._utterance.response.in_conversation:
            yield from self._finish(ResponseStatus.CANCELLED, reason="turn_detected")

    def release(self, now: float) -> Iterator[Output]:
        """Send what is due, and ask for the next phrase when little waits."""
        utterance = self._utterance
        if utterance is None:
            return
        for piece in utterance.playout.release(now):
            if isinstance(piece, str):
                utterance.sent_text += piece
                yield ResponseTextExtended(utterance.response, piece)
            else:
                data = encode(piece, utterance.response.output_format.encoding)
                yield ResponseAudioExtended(utterance.response, data, utterance.sent_samples)
                utterance.sent_samples += len(piece)
        if utterance.job is None and utterance.phrases and utterance.playout.waiting < MAX_BUFFERED_SECONDS:
            utterance.phrase = utterance.phrases.popleft()
            utterance.job = self._jobs.begin()
            yield Synthesize(utterance.job, utterance.phrase, utterance.response.voice, utterance.speed)
        elif utterance.job is None and not utterance.phrases and utterance.playout.deadline() is None:
            yield from self._finish(ResponseStatus.COMPLETED)

    def _finish(
        self,
        status: ResponseStatus,
        *,
        reason: Literal["turn_detected", "client_cancelled"] | None = None,
        error: VoiceError | None = None,
    ) -> Iterator[Output]:
        utterance, self._utterance = self._utterance, None
        assert utterance is not None
        if utterance.job is not None:
            yield self._jobs.cancel(utterance.job)
        yield ResponseFinished(utterance.response, status, utterance.sent_text, reason, error)
