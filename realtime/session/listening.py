"""The user's side of a session: from audio to turns.

The windows of the input audio are scored by the voice activity detector, one job at a time, and the scores drive
`Endpointing`, which makes turns of them: `SpeechStarted` at an onset, `SpeechStopped` and `AudioCommitted` at an
offset. A commit (AudioCommitted) or a clear (AudioCleared) by the client leads from every state of it to silence.
Without turn detection the client commits by hand: a turn lasts from one commit or clear to the next.

With `TurnDetection.end_of_turn`, the end-of-turn model judges each pause after 192 ms (`ScoreTurn`), and its answer is
the silence that ends the turn, if the speaker does not go on before. No scores are used until it has answered.

What a client asks for between two frames (commit, clear, configure) is *deferred* until the audio before it has been
scored and its pauses judged, so that turn boundaries and the order of commands never depend on how fast the engines
are.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, assert_never

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.scheduling.priority import LoadLevel
from realtime.session.captioning import Captioning
from realtime.session.commands import AppendAudio, ClearAudio, CommitAudio, Configure
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import Waiting
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
from realtime.session.input_audio import InputAudio
from realtime.session.jobs import JobFailed, Jobs, ListeningResult, ScoreTurn, Transcribed, TurnScored, WindowsScored
from realtime.session.turns import LEADING_SILENCE, Turns
from realtime.session.window_scores import WindowScores
from realtime.speech.endpointing import ONSET_WINDOWS, Endpointing, LongSilence, Offset, Onset, Pause
from realtime.speech.recognition import TranscriptionRequest

WINDOWS_PER_JOB: Final = 64
"""Windows scored at a time (2 s): a client that sends faster than real time does not hold up the windows of others."""

MAX_UNSCORED: Final = 20 * SAMPLE_RATE
"""Unscored samples (20 s) beyond which the session takes no more audio."""

TURN_CONTEXT: Final = 8 * SAMPLE_RATE
"""Samples (8 s) at the end of a turn by which the end-of-turn model judges it."""

MAX_DEFERRED: Final = 64
"""Deferred commands beyond which the session takes no more commands."""

DeferredCommand: TypeAlias = CommitAudio | ClearAudio | Configure
ListeningInput: TypeAlias = AppendAudio | DeferredCommand | ListeningResult


class Listening:
    """Follows the audio of one speaker; see the module."""

    def __init__(self, config: SessionConfig, jobs: Jobs, new_id: Callable[[str], str], buffer: AudioBuffer) -> None:
        self._jobs = jobs
        self._new_id = new_id
        self._audio = InputAudio(config.input_format, buffer)
        self._turns = Turns(config, self._audio.buffer)
        self._captioning = Captioning(self._turns, jobs, self._audio.buffer)
        self._deferred: deque[tuple[int, DeferredCommand]] = deque()
        """Commands with the position up to which audio is to be scored before them."""
        self._scores = WindowScores(jobs)
        self._scoring_turn: int | None = None
        """Number of the end-of-turn job in flight."""
        self._committed_until = 0
        """Position of the last commit, clear or change of turn detection."""
        self._turn_start = 0
        """Start of the audio of the newest turn, without the silence that nobody needs."""
        self._recent: deque[float] = deque(maxlen=ONSET_WINDOWS)
        """Scores of the windows that may turn out to be the beginning of speech."""
        self._endpointing = self._new_endpointing()

    @property
    def saturated(self) -> bool:
        """Whether the engines are so far behind that the session should be given no more commands."""
        return (
            self._audio.end - self._scores.used_until > MAX_UNSCORED
            or len(self._deferred) > MAX_DEFERRED
            or self._turns.saturated
        )

    @property
    def unfinished(self) -> bool:
        """Whether there is a turn or a command in progress, or audio or a transcript whose outcome is not known."""
        heard = self._idle and self._next_end() is None and not self._deferred
        return not heard or bool(self._turns.pending)

    @property
    def waiting(self) -> Waiting | None:
        """Why no transcription of the newest speech is requested; None if one is, or if there is nothing to do."""
        return self._captioning.waiting

    @property
    def received_until(self) -> int:
        """Position after the last sample received."""
        return self._audio.end

    @property
    def pending_commits(self) -> int:
        """Number of commits that are still to be carried out."""
        return sum(isinstance(command, CommitAudio) for _, command in self._deferred)

    @property
    def expected_transcript(self) -> str | None:
        """The transcript of the turn in progress if the detector ends it in this pause; None if that is not known."""
        return self._captioning.expected_transcript if self.in_turn else None

    @property
    def in_turn(self) -> bool:
        """Whether the detector hears the user speak, or waits to see whether they have finished."""
        return self._endpointing is not None and self._turns.current_id is not None

    # One step at a time, for several channels that proceed together; `receive` takes all steps of one.

    def take(self, message: ListeningInput) -> Iterator[Output]:
        """Take one command or engine result. Raises the error of a failed scoring job: the session cannot go on."""
        match message:
            case AppendAudio(data):
                self._audio.append(data)
            case CommitAudio() | ClearAudio() | Configure():
                self._defer(message)
            case WindowsScored():
                self._scores.receive(message)
            case TurnScored(_, probability):
                self._turn_scored(probability)
            case Transcribed():
                yield from self._captioning.transcribed(message)
            case JobFailed(number) if number == self._scoring_turn:
                self._turn_scored(None)
            case JobFailed(number, error):
                if self._scores.awaits(number):
                    raise error
                yield from self._captioning.failed(message)
            case _:
                assert_never(message)

    def receive(self, message: ListeningInput) -> Iterator[Output]:
        """Take one command or engine result, and go as far as possible. Raises as `take`."""
        yield from self.take(message)
        while True:
            if self.next_window is not None:
                yield from self.add_score()
            elif self.next_command is not None:
                yield from self.apply_command()
            else:
                break
        yield from self.request()

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return what to decode for a `Transcribe` job; see `Session.request_for`."""
        return self._captioning.request_for(job, load)

    # From audio to scores.

    def _defer(self, command: DeferredCommand) -> None:
        """Remember what to do when the audio received so far has been scored."""
        if isinstance(command, Configure):
            self._audio.set_format(command.config.input_format)
        else:
            self._audio.flush()
        self._deferred.append((self._audio.end, command))

    @property
    def scored_until(self) -> int:
        """Position up to which the audio has been scored; the scores need not have been used."""
        return self._scores.scored_until

    @property
    def next_window(self) -> int | None:
        """Start of the next window whose score can be used; None if there is none."""
        return self._scores.used_until if self._scores.available and self._scoring_turn is None else None

    @property
    def next_command(self) -> DeferredCommand | None:
        """The deferred command to carry out next, if the audio before it has been scored."""
        if not self._deferred or not self._idle or self._next_end() is not None:
            return None
        return self._deferred[0][1]

    @property
    def _idle(self) -> bool:
        """Whether all scores have come and have been used."""
        return self._scores.idle and self._scoring_turn is None

    def apply_command(self) -> Iterator[Output]:
        """Carry out `next_command`."""
        position, command = self._deferred.popleft()
        yield from self._apply(command, position)

    def request(self) -> Iterator[Output]:
        """Request the next scores and the next transcription, and free the audio that is no longer needed."""
        if self._idle and (end := self._next_end()) is not None:
            yield self._scores.request(self._audio.windows(self._scores.used_until, end), end)
        yield from self._captioning.advance()
        self._discard_audio()

    def _next_end(self) -> int | None:
        """Return the end of the windows to score next; None if there are none before the next deferred command.

        Windows are scored whole, except for the last one before a commit, which is filled up with silence: the turn
        must end where the client said, and the next window begins there.
        """
        end, command = self._deferred[0] if self._deferred else (self._audio.end, None)
        whole = (end - self._scores.used_until) // WINDOW
        if whole:
            return self._scores.used_until + min(whole, WINDOWS_PER_JOB) * WINDOW
        ends_turn = isinstance(command, CommitAudio) and self._can_commit(command, end)
        return end if ends_turn and end > self._scores.used_until else None

    def _can_commit(self, command: CommitAudio, position: int) -> bool:
        """Return whether the audio up to `position` that is not yet scored belongs to a turn that can end there."""
        if self._endpointing is not None:
            return self._turns.current_id is not None
        return position >= self._committed_until + command.min_samples

    # From scores to turns.

    def _turn_scored(self, probability: float | None) -> None:
        """Take the answer of the end-of-turn model, None if it has none; the scores that waited can be used now."""
        assert self._scoring_turn is not None
        assert self._endpointing is not None
        self._jobs.end(self._scoring_turn)
        self._scoring_turn = None
        self._endpointing.judge(probability)

    def _new_endpointing(self, *, after_speech: bool = False) -> Endpointing | None:
        detection = self._turns.config.turn_detection
        if detection is None:
            return None
        return Endpointing(detection, position=self._scores.used_until, after_speech=after_speech)

    def add_score(self) -> Iterator[Output]:
        """Use the score of `next_window`."""
        start, probability = self._scores.use()
        end = self._scores.used_until
        self._recent.append(probability)
        if self._endpointing is None and self._turns.current_id is None:
            self._turns.begin(self._new_id("item"), start, start)
        if self._turns.current_id is not None:
            self._turns.add_window(start, end, probability)
        is_whole = end - start == WINDOW  # a commit follows a window that is not, and ends the turn
        match self._endpointing.update(probability) if self._endpointing and is_whole else None:
            case Onset() as onset:
                yield self._start(onset)
            case Pause(at):
                self._scoring_turn = self._jobs.begin()
                yield ScoreTurn(self._scoring_turn, self._audio.buffer.slice(self._context_start, at))
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

    def _apply(self, command: DeferredCommand, position: int) -> Iterator[Output]:
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
            case CommitAudio() if self._turns.current_id is not None and self._can_commit(command, position):
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
        self._recent.clear()
        self._endpointing = self._new_endpointing(after_speech=after_speech)

    def _discard_audio(self) -> None:
        """Free the audio that will not be decoded: all but that of pending segments and of a turn that may begin."""
        padding = self._endpointing.detection.prefix_padding if self._endpointing else 0
        earliest = self._scores.used_until - min(padding, LEADING_SILENCE) - (ONSET_WINDOWS + 1) * WINDOW
        if self._endpointing and self._endpointing.speaking and self._endpointing.detection.end_of_turn:
            earliest = min(earliest, self._context_start)
        self._audio.discard(self._captioning.earliest_needed(earliest))
