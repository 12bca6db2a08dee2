"""The reply side of a session: from a text to paced speech.

One response at a time, in these states (`ReplyState`):

    IDLE ------> SYNTHESIZING -----------> PLAYING_OUT ------> IDLE
          Speak       all phrases synthesized       all audio sent, ResponseFinished

SYNTHESIZING lasts while phrases are left for the engine, PLAYING_OUT while finished audio waits until it is due. A
cancellation, a barge-in or a failed phrase leads to IDLE from either. Phrases are synthesized one at a time, the next
when the one before is finished and less than `MAX_BUFFERED_SECONDS` of audio wait to be sent: the memory held is that
of one phrase and those seconds.

A response takes format, voice and speed from the newest configuration the client has sent when its `Speak` arrives.
Unlike the user's side it does not wait for audio to be scored, so this does not depend on the detector either.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Final, Literal, assert_never

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
"""Seconds of unsent speech from which no further phrase is synthesized."""


class ReplyState(Enum):
    """State of the reply side; see the module."""

    IDLE = auto()
    SYNTHESIZING = auto()
    PLAYING_OUT = auto()


class _Utterance:
    """The response in progress."""

    def __init__(self, response: Response, text: str, speed: float) -> None:
        self.response = response
        self.speed = speed
        self.phrases = deque(phrases(text))
        """Phrases not yet handed to the engine."""
        self.phrase = ""
        """The phrase being synthesized, as long as none of its audio has come."""
        self.job: int | None = None
        self.rate = response.output_format.sample_rate
        # A conversation is paced; out of it, the speech is wanted as a recording, as fast as the socket takes it.
        self.playout = Playout(self.rate, paced=response.in_conversation)
        self.resampler: Resampler | None = None
        self.sent_text = ""
        self.sent_samples = 0


class Responses:
    """Speaks for one session, one response at a time; see the module."""

    def __init__(self, config: SessionConfig, jobs: Jobs, new_id: Callable[[str], str]) -> None:
        self.config = config
        """The newest configuration received; the next response begins with it."""
        self._jobs = jobs
        self._new_id = new_id
        self._utterance: _Utterance | None = None

    @property
    def state(self) -> ReplyState:
        """The state, by what is left to do."""
        if self._utterance is None:
            return ReplyState.IDLE
        return ReplyState.SYNTHESIZING if self._utterance.job or self._utterance.phrases else ReplyState.PLAYING_OUT

    def deadline(self) -> float | None:
        """Return when `release` will have more to send, or None."""
        return self._utterance.playout.deadline() if self._utterance else None

    def awaits(self, number: int) -> bool:
        """Return whether this job is the phrase being synthesized."""
        return self._utterance is not None and self._utterance.job == number

    def speak(self, command: Speak, now: float) -> Iterator[Output]:
        """Begin a response; refuse the command while another one is in progress."""
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
        """Take a result of the phrase being synthesized. A failed phrase ends the response with status FAILED."""
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
                if utterance.phrase:  # the engine made no audio of it
                    utterance.playout.add_text(utterance.phrase)
                if not utterance.phrases and utterance.resampler is not None:
                    utterance.playout.add_audio(utterance.resampler.flush())
            case JobFailed(number, error):
                self._jobs.end(number)
                utterance.job = None
                yield from self._finish(ResponseStatus.FAILED, error=error)
                return
            case _:
                assert_never(message)
        yield from self.release(now)

    def cancel(self, command: CancelResponse) -> Iterator[Output]:
        """Cancel the response for the client; refuse the command where there is none, or it names another."""
        if self._utterance is None or command.response_id not in (None, self._utterance.response.id):
            yield CommandRefused(
                code="response_cancel_not_active",
                message="Cancellation failed: no active response found",
                request_id=command.request_id,
            )
            return
        yield from self._finish(ResponseStatus.CANCELLED, reason="client_cancelled")

    def interrupt(self) -> Iterator[Output]:
        """Cancel the response because the user has begun to speak; one outside of the conversation goes on."""
        if self._utterance is not None and self._utterance.response.in_conversation:
            yield from self._finish(ResponseStatus.CANCELLED, reason="turn_detected")

    def release(self, now: float) -> Iterator[Output]:
        """Advance the response to `now`.

        Send the text and audio that are due. Then request the next phrase, if the one before is finished and less than
        `MAX_BUFFERED_SECONDS` wait to be sent; or complete the response, if nothing is left to synthesize or to send.
        """
        utterance = self._utterance
        if utterance is None:
            return
        for chunk in utterance.playout.release(now):
            if isinstance(chunk, str):
                utterance.sent_text += chunk
                yield ResponseTextExtended(utterance.response, chunk)
            else:
                data = encode(chunk, utterance.response.output_format.encoding)
                yield ResponseAudioExtended(utterance.response, data, utterance.sent_samples)
                utterance.sent_samples += len(chunk)
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
        """End the response in progress with this status.

        Cancel the phrase being synthesized, drop what was not sent, and report the text whose audio was sent at least
        in part. The next response may begin at once.
        """
        utterance, self._utterance = self._utterance, None
        assert utterance is not None
        if utterance.job is not None:
            yield self._jobs.cancel(utterance.job)
        yield ResponseFinished(utterance.response, status, utterance.sent_text, reason, error)
