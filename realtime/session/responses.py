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
from realtime.errors import UnreadableText, VoiceError
from realtime.session.commands import CancelResponse, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import (
    CommandRefused,
    Output,
    RefusalReason,
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


class _ActiveResponse:
    """The response in progress."""

    def __init__(self, response: Response, text: str, speed: float) -> None:
        self.response = response
        self.speed = speed
        self.phrases = deque(phrases(text))
        """Phrases not yet handed to the engine."""
        self.phrase = ""
        """The phrase being synthesized, as long as none of its audio has come."""
        self.unread = ""
        """The phrases so far, as long as they have letters or digits of which the engine made no audio at all."""
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
        self._active: _ActiveResponse | None = None

    @property
    def state(self) -> ReplyState:
        """The state, by what is left to do."""
        if self._active is None:
            return ReplyState.IDLE
        return ReplyState.SYNTHESIZING if self._active.job or self._active.phrases else ReplyState.PLAYING_OUT

    def deadline(self) -> float | None:
        """Return when `release` will have more to send, or None."""
        return self._active.playout.deadline() if self._active else None

    def awaits(self, number: int) -> bool:
        """Return whether this job is the phrase being synthesized."""
        return self._active is not None and self._active.job == number

    def speak(self, command: Speak, now: float) -> Iterator[Output]:
        """Begin a response; refuse the command while another one is in progress."""
        if self._active is not None:
            yield CommandRefused(
                RefusalReason.RESPONSE_IN_PROGRESS, command.request_id, response_id=self._active.response.id
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
        self._active = _ActiveResponse(response, command.text, command.speed or self.config.speed)
        yield ResponseStarted(response)
        yield from self.release(now)

    def receive(self, message: SpeechSynthesized | SynthesisFinished | JobFailed, now: float) -> Iterator[Output]:
        """Take a result of the phrase being synthesized. A failed phrase ends the response with status FAILED."""
        active = self._active
        assert active is not None
        match message:
            case SpeechSynthesized(_, samples, sample_rate):
                if active.phrase:
                    active.playout.add_text(active.unread + active.phrase)
                    active.unread = active.phrase = ""
                if active.resampler is None:
                    active.resampler = Resampler(sample_rate, active.rate)
                active.playout.add_audio(active.resampler.process(samples))
            case SynthesisFinished(number):
                self._jobs.end(number)
                active.job = None
                active.unread += active.phrase  # the engine made no audio of it
                if active.unread and (active.resampler is not None or not any(map(str.isalnum, active.unread))):
                    active.playout.add_text(active.unread)
                    active.unread = ""
                if not active.phrases and active.resampler is not None:
                    active.playout.add_audio(active.resampler.flush())
            case JobFailed(number, error):
                self._jobs.end(number)
                active.job = None
                yield from self._finish(ResponseStatus.FAILED, error=error)
                return
            case _:
                assert_never(message)
        yield from self.release(now)

    def cancel(self, command: CancelResponse) -> Iterator[Output]:
        """Cancel the response for the client; refuse the command where there is none, or it names another."""
        if self._active is None or command.response_id not in (None, self._active.response.id):
            yield CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, command.request_id)
            return
        yield from self._finish(ResponseStatus.CANCELLED, reason="client_cancelled")

    def interrupt(self) -> Iterator[Output]:
        """Cancel the response because the user has begun to speak; one outside of the conversation goes on."""
        if self._active is not None and self._active.response.in_conversation:
            yield from self._finish(ResponseStatus.CANCELLED, reason="turn_detected")

    def release(self, now: float) -> Iterator[Output]:
        """Advance the response to `now`.

        Send the text and audio that are due. Then request the next phrase, if the one before is finished and less than
        `MAX_BUFFERED_SECONDS` wait to be sent; or complete the response, if nothing is left to synthesize or to send.
        A response of which the engine made no audio at all has failed, unless its text has no letters and no digits.
        """
        active = self._active
        if active is None:
            return
        for chunk in active.playout.release(now):
            if isinstance(chunk, str):
                active.sent_text += chunk
                yield ResponseTextExtended(active.response, chunk)
            else:
                data = encode(chunk, active.response.output_format.encoding)
                yield ResponseAudioExtended(active.response, data, active.sent_samples)
                active.sent_samples += len(chunk)
        if active.job is None and active.phrases and active.playout.waiting < MAX_BUFFERED_SECONDS:
            active.phrase = active.phrases.popleft()
            active.job = self._jobs.begin()
            yield Synthesize(active.job, active.phrase, active.response.voice, active.speed)
        elif active.job is None and not active.phrases and active.playout.deadline() is None:
            if active.unread:
                yield from self._finish(ResponseStatus.FAILED, error=UnreadableText())
            else:
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
        active, self._active = self._active, None
        assert active is not None
        if active.job is not None:
            yield self._jobs.cancel(active.job)
        yield ResponseFinished(active.response, status, active.sent_text, reason, error)
