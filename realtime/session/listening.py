"""The user's side of a session: from audio frames to turns.

Frames become samples at 16 kHz in one buffer; windows of it are scored by the voice activity detector, one job at a
time, and the scores drive endpointing. The user is silent or speaking, as `Endpointing` says; where the client
commits by hand, a turn lasts from one commit to the next. What a client asks in between (commit, clear, configure)
waits as a *mark* until the audio before it has been scored, so that nothing depends on how fast the engines are.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW, Decoder
from realtime.audio.resampler import Resampler
from realtime.scheduling.priority import LoadLevel
from realtime.session.captioning import Captioning
from realtime.session.commands import AppendAudio, ClearAudio, CommitAudio, Configure
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Output,
    SessionConfigured,
    SpeechStarted,
    SpeechStopped,
)
from realtime.session.jobs import JobFailed, Jobs, ScoreWindows, Transcribed, WindowsScored
from realtime.speech.endpointing import ONSET_WINDOWS, Endpointing, Offset, Onset
from realtime.speech.recognition import TranscriptionRequest

WINDOWS_PER_JOB: Final = 64
"""Two seconds: a client that sends faster than real time must not hold up the windows of others."""

MAX_UNSCORED: Final = 20 * SAMPLE_RATE
"""With more audio than this not yet scored, a session takes no more."""

DeferredCommand: TypeAlias = CommitAudio | ClearAudio | Configure


class Listening:
    """Follows the microphone of one session; see the module."""

    def __init__(self, config: SessionConfig, jobs: Jobs, new_id: Callable[[str], str]) -> None:
        self._jobs = jobs
        self._new_id = new_id
        self._buffer = AudioBuffer()
        self._captioning = Captioning(config, jobs, self._buffer)
        self._set_format(config)
        self._deferred: deque[tuple[int, DeferredCommand]] = deque()
        self._scored = 0
        self._scoring: tuple[int, int] | None = None
        self._vad_state: NDArray[np.float32] | None = None
        self._recent: deque[float] = deque(maxlen=ONSET_WINDOWS)
        self._endpointing = self._new_endpointing()

    @property
    def _config(self) -> SessionConfig:
        """The configuration in effect for the audio scored so far."""
        return self._captioning.config

    @property
    def saturated(self) -> bool:
        """Whether audio should wait: the engines are too far behind."""
        return self._buffer.end - self._scored > MAX_UNSCORED or self._captioning.saturated

    def receive(
        self, message: AppendAudio | DeferredCommand | WindowsScored | Transcribed | JobFailed
    ) -> Iterator[Output]:
        """Take one input; yield what follows from it, in order."""
        match message:
            case AppendAudio(data):
                self._buffer.append(self._resampler.process(self._decoder.decode(data)))
            case CommitAudio() | ClearAudio() | Configure():
                self._defer(message)
            case WindowsScored():
                yield from self._windows_scored(message)
            case Transcribed():
                yield from self._captioning.transcribed(message)
            case JobFailed(number, error):
                if self._scoring is not None and number == self._scoring[0]:
                    raise error  # deaf, a session cannot go on
                yield from self._captioning.failed(message)
        yield from self._advance()
        yield from self._captioning.advance()
        self._discard()

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return what to decode for a `Transcribe` job; see `Session.request_for`."""
        return self._captioning.request_for(job, load)

    # From frames to scores.

    def _set_format(self, config: SessionConfig) -> None:
        self._input_format = config.input_format
        self._decoder = Decoder(config.input_format)
        self._resampler = Resampler(config.input_format.sample_rate, SAMPLE_RATE)

    def _defer(self, command: DeferredCommand) -> None:
        """Note what is to happen when the audio sent so far has been scored."""
        changes_format = isinstance(command, Configure) and command.config.input_format != self._input_format
        if changes_format or not isinstance(command, Configure):
            self._buffer.append(self._resampler.flush())
            self._decoder = Decoder(self._input_format)
        if isinstance(command, Configure) and changes_format:
            self._set_format(command.config)
        self._deferred.append((self._buffer.end, command))

    def _advance(self) -> Iterator[Output]:
        """Apply the marks whose audio has been scored, and ask for the next scores."""
        while self._scoring is None:
            end, command = self._deferred[0] if self._deferred else (self._buffer.end, None)
            whole = (end - self._scored) // WINDOW * WINDOW
            if whole:
                yield self._score(self._scored + min(whole, WINDOWS_PER_JOB * WINDOW))
            elif isinstance(command, CommitAudio) and end > self._scored and self._can_commit:
                yield self._score(end)
            elif command is not None:
                self._deferred.popleft()
                yield from self._apply(command, end)
            else:
                return

    @property
    def _can_commit(self) -> bool:
        """Whether audio not yet scored belongs to a turn."""
        return self._endpointing is None or self._captioning.item_id is not None

    def _score(self, end: int) -> ScoreWindows:
        """Ask for the scores of the windows up to `end`; a cut window is filled with silence."""
        samples = self._buffer.slice(self._scored, end)
        windows = np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)
        number = self._jobs.begin()
        self._scoring = number, end
        return ScoreWindows(number, windows, self._vad_state)

    def _windows_scored(self, result: WindowsScored) -> Iterator[Output]:
        assert self._scoring is not None
        _, end = self._scoring
        self._scoring = None
        self._jobs.end(result.number)
        self._vad_state = result.state
        for probability in result.probabilities:
            start, self._scored = self._scored, min(self._scored + WINDOW, end)
            yield from self._hear(start, probability)

    # From scores to turns.

    def _new_endpointing(self) -> Endpointing | None:
        detection = self._config.turn_detection
        return None if detection is None else Endpointing(detection, position=self._scored)

    def _hear(self, start: int, probability: float) -> Iterator[Output]:
        """Take the score of the window from `start` to where scoring stands."""
        self._recent.append(probability)
        if self._endpointing is None and self._captioning.item_id is None:
            self._captioning.begin(self._new_id("item"), start)
        if self._captioning.item_id is not None:
            self._captioning.hear(start, self._scored, probability)
        cut = self._scored - start < WINDOW  # by a commit, which ends the turn
        match self._endpointing.update(probability) if self._endpointing and not cut else None:
            case Onset(begin, voiced):
                item_id = self._new_id("item")
                self._captioning.begin(item_id, begin)
                for offset, recent in enumerate(self._recent):
                    self._captioning.hear(voiced + offset * WINDOW, voiced + (offset + 1) * WINDOW, recent)
                yield SpeechStarted(item_id, begin, interrupts=self._config.interrupt_response)
            case Offset(end):
                yield from self._stop(end)

    def _stop(self, end: int) -> Iterator[Output]:
        """The detector says that the turn is over."""
        assert self._captioning.item_id is not None
        yield SpeechStopped(self._captioning.item_id, end)
        yield from self._commit()

    def _commit(self) -> Iterator[Output]:
        """The turn in progress becomes an item of the conversation."""
        item_id = self._captioning.item_id
        assert item_id is not None
        self._captioning.end(self._scored)
        yield AudioCommitted(item_id)

    def _apply(self, command: DeferredCommand, position: int) -> Iterator[Output]:
        """Carry out what the client asked for when it had sent the audio up to `position`."""
        match command:
            case Configure(config):
                yield from self._configure(config)
            case ClearAudio():
                if completed := self._captioning.forget():
                    if self._endpointing:
                        yield SpeechStopped(completed.item_id, self._scored)
                    yield AudioCommitted(completed.item_id)
                    yield completed
                yield AudioCleared()
                self._restart(position)
            case CommitAudio() if self._captioning.item_id is not None:
                yield from self._commit()
                self._restart(position)
            case CommitAudio(request_id):
                yield CommandRefused(
                    code="input_audio_buffer_commit_empty",
                    message="Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                    "but buffer only has 0.00ms of audio.",
                    request_id=request_id,
                )

    def _configure(self, config: SessionConfig) -> Iterator[Output]:
        before = self._config.turn_detection
        if config.turn_detection != before and self._captioning.item_id is not None:
            yield from self._stop(self._scored) if before else self._commit()
        self._captioning.config = config
        if config.turn_detection != before:
            self._restart(self._scored)
        yield SessionConfigured(config)

    def _restart(self, position: int) -> None:
        """Listen on from `position`, in silence."""
        self._scored = position
        self._recent.clear()
        self._endpointing = self._new_endpointing()

    def _discard(self) -> None:
        """Forget the audio that nobody will ask for again."""
        padding = self._config.turn_detection.prefix_padding if self._config.turn_detection else 0
        self._buffer.discard(self._captioning.earliest_needed(self._scored - padding - (ONSET_WINDOWS + 1) * WINDOW))
