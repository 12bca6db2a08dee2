"""The reply side of a session: from a text to paced speech.

IDLE; SYNTHESIZING while phrases of the response are still to be spoken by the engine; PLAYING_OUT while only finished
audio waits for its time. Phrases are synthesized one at a time, the next as soon as the one before is finished and less
than `AHEAD` seconds wait to be sent, so the memory held is that of one phrase and those seconds.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Final, Literal

from realtime.audio import Resampler, encode
from realtime.chunking import phrases
from realtime.errors import VoiceError
from realtime.events import (
    CancelResponse,
    CommandRefused,
    JobFailed,
    Output,
    Response,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
    SessionConfig,
    Speak,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
)
from realtime.jobs import Jobs
from realtime.playout import Playout

AHEAD: Final = 10.0
"""Seconds of finished speech with which the engine rests."""


class ReplyState(Enum):
    IDLE = auto()
    SYNTHESIZING = auto()
    PLAYING_OUT = auto()


class _Speech:
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
        self._speech: _Speech | None = None

    @property
    def state(self) -> ReplyState:
        if self._speech is None:
            return ReplyState.IDLE
        return ReplyState.SYNTHESIZING if self._speech.job or self._speech.phrases else ReplyState.PLAYING_OUT

    def deadline(self) -> float | None:
        """When `release` will have more to send."""
        return self._speech.playout.deadline() if self._speech else None

    def awaits(self, number: int) -> bool:
        """Whether this job is the phrase being synthesized."""
        return self._speech is not None and self._speech.job == number

    def speak(self, command: Speak, now: float) -> Iterator[Output]:
        """Begin a response, unless one is in progress."""
        if self._speech is not None:
            yield CommandRefused(
                code="conversation_already_has_active_response",
                message=f"Conversation already has an active response in progress: {self._speech.response.id}. "
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
        self._speech = _Speech(response, command.text, command.speed or self.config.speed)
        yield ResponseStarted(response)
        yield from self.release(now)

    def receive(self, message: SpeechSynthesized | SynthesisFinished | JobFailed, now: float) -> Iterator[Output]:
        """Take an answer of the engine."""
        speech = self._speech
        assert speech is not None
        match message:
            case SpeechSynthesized(_, samples, sample_rate):
                if speech.phrase:
                    speech.playout.add_text(speech.phrase)
                    speech.phrase = ""
                if speech.resampler is None:
                    speech.resampler = Resampler(sample_rate, speech.rate)
                speech.playout.add_audio(speech.resampler.process(samples))
            case SynthesisFinished(number):
                self._jobs.end(number)
                speech.job = None
                if speech.phrase:  # nothing in it could be spoken
                    speech.playout.add_text(speech.phrase)
                if not speech.phrases and speech.resampler is not None:
                    speech.playout.add_audio(speech.resampler.flush())
            case JobFailed(number, error):
                self._jobs.end(number)
                speech.job = None
                yield from self._finish(ResponseStatus.FAILED, error=error)
                return
        yield from self.release(now)

    def cancel(self, command: CancelResponse) -> Iterator[Output]:
        """Stop at the client's wish."""
        if self._speech is None or command.response_id not in (None, self._speech.response.id):
            yield CommandRefused(
                code="response_cancel_not_active",
                message="Cancellation failed: no active response found",
                request_id=command.request_id,
            )
            return
        yield from self._finish(ResponseStatus.CANCELLED, reason="client_cancelled")

    def interrupt(self) -> Iterator[Output]:
        """Barge-in: the user speaks over the response."""
        if self._speech is not None and self._speech.response.in_conversation:
            yield from self._finish(ResponseStatus.CANCELLED, reason="turn_detected")

    def release(self, now: float) -> Iterator[Output]:
        """Send what is due, and ask for the next phrase when little waits."""
        speech = self._speech
        if speech is None:
            return
        for piece in speech.playout.release(now):
            if isinstance(piece, str):
                speech.sent_text += piece
                yield ResponseTextExtended(speech.response, piece)
            else:
                data = encode(piece, speech.response.output_format.encoding)
                yield ResponseAudioExtended(speech.response, data, speech.sent_samples)
                speech.sent_samples += len(piece)
        if speech.job is None and speech.phrases and speech.playout.waiting < AHEAD:
            speech.phrase = speech.phrases.popleft()
            speech.job = self._jobs.begin()
            yield Synthesize(speech.job, speech.phrase, speech.response.voice, speech.speed)
        elif speech.job is None and not speech.phrases and speech.playout.deadline() is None:
            yield from self._finish(ResponseStatus.COMPLETED)

    def _finish(
        self,
        status: ResponseStatus,
        *,
        reason: Literal["turn_detected", "client_cancelled"] | None = None,
        error: VoiceError | None = None,
    ) -> Iterator[Output]:
        speech, self._speech = self._speech, None
        assert speech is not None
        if speech.job is not None:
            yield self._jobs.cancel(speech.job)
        yield ResponseFinished(speech.response, status, speech.sent_text, reason, error)
