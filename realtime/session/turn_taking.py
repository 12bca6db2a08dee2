"""Where the turns of one speaker begin and end: by the scores of the detector, or by what the client asks for.

The scores drive `Endpointing`, which makes turns of them: `SpeechStarted` at an onset, `SpeechStopped` and
`AudioCommitted` at an offset. A commit (AudioCommitted) or a clear (AudioCleared) by the client leads from every state
of it to silence. Without turn detection the client commits by hand: a turn lasts from one commit or clear to the next.

With `TurnDetection.end_of_turn`, the end-of-turn model judges each pause after 192 ms (`ScoreTurn`), and its answer is
the silence that ends the turn, if the speaker does not go on before. No scores are used until it has answered.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, assert_never

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.session.commands import ClearAudio, CommitAudio, Configure
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Output,
    RefusalReason,
    SessionConfigured,
    SilencePassed,
    SpeechStarted,
    SpeechStopped,
)
from realtime.session.jobs import Jobs, ScoreTurn
from realtime.session.turns import LEADING_SILENCE, Turns
from realtime.session.window_scores import WindowScores
from realtime.speech.endpointing import ONSET_WINDOWS, Endpointing, LongSilence, Offset, Onset, Pause

TURN_CONTEXT: Final = 8 * SAMPLE_RATE
"""Samples (8 s) at the end of a turn by which the end-of-turn model judges it."""

TurnCommand: TypeAlias = CommitAudio | ClearAudio | Configure
"""What a client asks for that takes effect after the audio before it."""


class TurnTaking:
    """Begins and ends `turns`; see the module. Positions are those of `buffer`."""

    def __init__(
        self, turns: Turns, scores: WindowScores, jobs: Jobs, new_id: Callable[[str], str], buffer: AudioBuffer
    ) -> None:
        self._turns = turns
        self._scores = scores
        self._jobs = jobs
        self._new_id = new_id
        self._buffer = buffer
        self._judging: int | None = None
        """Number of the end-of-turn job in flight."""
        self._committed_until = 0
        """Position of the last commit, clear or change of turn detection."""
        self._turn_start = 0
        """Start of the audio of the newest turn, without the silence that nobody needs."""
        self._recent: tuple[float, ...] = ()
        """Scores of the windows that may turn out to be the beginning of speech."""
        self._endpointing = self._new_endpointing()

    @property
    def in_turn(self) -> bool:
        """Whether the detector hears the user speak, or waits to see whether they have finished."""
        return self._endpointing is not None and self._turns.current_id is not None

    @property
    def judging(self) -> bool:
        """Whether the end-of-turn model is asked about a pause: no scores may be used until it has answered."""
        return self._judging is not None

    @property
    def earliest_needed(self) -> int:
        """Start of the audio that belongs to a turn that may begin, or by which the one in progress may be judged."""
        padding = self._endpointing.detection.prefix_padding if self._endpointing else 0
        earliest = self._scores.used_until - min(padding, LEADING_SILENCE) - (ONSET_WINDOWS + 1) * WINDOW
        if self._endpointing and self._endpointing.speaking and self._endpointing.detection.end_of_turn:
            earliest = min(earliest, self._context_start)
        return earliest

    # By the detector.

    def add_score(self) -> Iterator[Output]:
        """Use the next score."""
        start, probability = self._scores.use()
        end = self._scores.used_until
        self._recent = (*self._recent, probability)[-ONSET_WINDOWS:]
        if self._endpointing is None and self._turns.current_id is None:
            self._turns.begin(self._new_id("item"), start, start)
        if self._turns.current_id is not None:
            self._turns.add_window(start, end, probability)
        is_whole = end - start == WINDOW  # a commit follows a window that is not, and ends the turn
        match self._endpointing.update(probability) if self._endpointing and is_whole else None:
            case Onset() as onset:
                yield self._start(onset)
            case Pause(at):
                self._judging = self._jobs.begin()
                yield ScoreTurn(self._judging, self._buffer.slice(self._context_start, at))
            case Offset(at):
                yield from self._stop(at)
            case LongSilence(at):
                yield SilencePassed(at)

    def _start(self, onset: Onset) -> SpeechStarted:
        """Begin a turn; no more than `LEADING_SILENCE` before the first window with speech is decoded."""
        item_id, voiced = self._new_id("item"), onset.voiced
        self._turn_start = max(onset.lead_in, voiced - LEADING_SILENCE)
        self._turns.begin(item_id, onset.start, self._turn_start)
        for offset, recent in enumerate(self._recent):
            self._turns.add_window(voiced + offset * WINDOW, voiced + (offset + 1) * WINDOW, recent)
        return SpeechStarted(item_id, onset.start, interrupts=self._turns.config.interrupt_response)

    @property
    def _context_start(self) -> int:
        """Start of the audio by which the turn in progress is judged."""
        return max(self._turn_start, self._scores.used_until - TURN_CONTEXT)

    def awaits(self, job: int) -> bool:
        """Return whether this job is one of the end-of-turn model."""
        return job == self._judging

    def judged(self, probability: float | None) -> None:
        """Take the answer of the end-of-turn model, None if it has none; the scores that waited can be used now."""
        assert self._judging is not None
        assert self._endpointing is not None
        self._jobs.end(self._judging)
        self._judging = None
        self._endpointing.judge(probability)

    def _stop(self, end: int) -> Iterator[Output]:
        """End the turn because the detector says so."""
        assert self._turns.current_id is not None
        yield SpeechStopped(self._turns.current_id, end)
        yield from self._commit(answered=self._turns.config.create_response)

    def _commit(self, *, answered: bool = False) -> Iterator[Output]:
        """End the turn in progress; it becomes an item of the conversation."""
        item_id = self._turns.current_id
        assert item_id is not None
        self._turns.end(self._scores.used_until)
        yield AudioCommitted(item_id, transcribed=self._turns.config.transcribe, answered=answered)

    # By the client.

    def can_commit(self, command: CommitAudio, position: int) -> bool:
        """Return whether the audio up to `position` that is not yet scored belongs to a turn that can end there."""
        if self._endpointing is not None:
            return self._turns.current_id is not None
        return position >= self._committed_until + command.min_samples

    def apply(self, command: TurnCommand, position: int) -> Iterator[Output]:
        """Carry out a deferred command, which followed the audio up to `position`."""
        match command:
            case Configure(config):
                yield from self._configure(config)
            case ClearAudio():
                if completed := self._turns.discard():
                    if self._endpointing:
                        yield SpeechStopped(completed.item_id, self._scores.used_until)
                    yield AudioCommitted(completed.item_id)
                    yield completed
                yield AudioCleared()
                self._restart(position)
            case CommitAudio() if self._turns.current_id is not None and self.can_commit(command, position):
                yield from self._commit()
                self._restart(position, after_speech=True)
            case CommitAudio():
                if not command.if_any:
                    yield self._refused(command, position)
            case _:
                assert_never(command)

    def _refused(self, command: CommitAudio, position: int) -> CommandRefused:
        """Return the refusal of a commit after the audio up to `position`."""
        if self._endpointing is not None or not command.min_samples:
            return CommandRefused(RefusalReason.NOTHING_TO_COMMIT, command)
        return CommandRefused(RefusalReason.TOO_LITTLE_TO_COMMIT, command, samples=position - self._committed_until)

    def _configure(self, config: SessionConfig) -> Iterator[Output]:
        """Put the configuration into effect. Where turn detection changes, the turn in progress ends before that."""
        before = self._turns.config.turn_detection
        if config.turn_detection != before and self._turns.current_id is not None:
            yield from self._stop(self._scores.used_until) if before else self._commit()
        self._turns.config = config
        if config.turn_detection != before:
            self._restart(self._scores.used_until)
        yield SessionConfigured(config)

    def _restart(self, position: int, *, after_speech: bool = False) -> None:
        """Continue at `position`, in silence; `after_speech` says that a turn ended there."""
        self._scores.used_until = self._committed_until = position
        if self._endpointing is None:
            self._scores.begin_stream()  # what the client sends after a commit need not follow what it sent before
        self._recent = ()
        self._endpointing = self._new_endpointing(after_speech=after_speech)

    def _new_endpointing(self, *, after_speech: bool = False) -> Endpointing | None:
        detection = self._turns.config.turn_detection
        if detection is None:
            return None
        return Endpointing(detection, position=self._scores.used_until, after_speech=after_speech)
