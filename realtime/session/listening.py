"""The user's side of a session: from audio to turns and their transcripts.

The windows of the input audio are scored by the voice activity detector, one job at a time. `TurnTaking` makes turns of
the scores, and `Captioning` transcribes these.

What a client asks for between two frames (commit, clear, configure) is *deferred* until the audio before it has been
scored and its pauses judged, so that turn boundaries and the order of commands never depend on how fast the engines
are.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, assert_never

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.scheduling.priority import LoadLevel
from realtime.session.captioning import Captioning
from realtime.session.commands import AppendAudio, ClearAudio, CommitAudio, Configure, Rest
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import Waiting
from realtime.session.events import Output
from realtime.session.input_audio import InputAudio
from realtime.session.jobs import JobFailed, Jobs, ListeningResult, Transcribed, TurnScored, WindowsScored
from realtime.session.turn_taking import TurnCommand, TurnTaking
from realtime.session.turns import Turns
from realtime.session.window_scores import WindowScores
from realtime.speech.recognition import TranscriptionRequest

WINDOWS_PER_JOB: Final = 64
"""Windows scored at a time (2 s): a client that sends faster than real time does not hold up the windows of others."""

MAX_UNSCORED: Final = 20 * SAMPLE_RATE
"""Unscored samples (20 s) beyond which the session takes no more audio."""

MAX_DEFERRED: Final = 64
"""Deferred commands beyond which the session takes no more commands."""

ListeningInput: TypeAlias = AppendAudio | Rest | TurnCommand | ListeningResult


class Listening:
    """Follows the audio of one speaker; see the module."""

    def __init__(self, config: SessionConfig, jobs: Jobs, new_id: Callable[[str], str], buffer: AudioBuffer) -> None:
        self._audio = InputAudio(config.input_format, buffer)
        self._turns = Turns(config, self._audio.buffer)
        self._scores = WindowScores(jobs)
        self._turn_taking = TurnTaking(self._turns, self._scores, jobs, new_id, self._audio.buffer)
        self._captioning = Captioning(self._turns, jobs, self._audio.buffer)
        self._deferred: list[tuple[int, TurnCommand]] = []
        """Commands with the position up to which audio is to be scored before them."""

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
        return self._turn_taking.in_turn

    # One step at a time, for several channels that proceed together; `receive` takes all steps of one.

    def take(self, message: ListeningInput) -> Iterator[Output]:
        """Take one command or engine result. Raises the error of a failed scoring job: the session cannot go on."""
        match message:
            case AppendAudio(data):
                self._audio.append(data)
            case Rest():
                self._audio.rest()
            case CommitAudio() | ClearAudio() | Configure():
                self._defer(message)
            case WindowsScored():
                self._scores.receive(message)
            case TurnScored(_, probability):
                self._turn_taking.judged(probability)
            case Transcribed():
                yield from self._captioning.transcribed(message)
            case JobFailed(number) if self._turn_taking.awaits(number):
                self._turn_taking.judged(None)
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

    def _defer(self, command: TurnCommand) -> None:
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
        return self._scores.used_until if self._scores.available and not self._turn_taking.judging else None

    @property
    def next_command(self) -> TurnCommand | None:
        """The deferred command to carry out next, if the audio before it has been scored."""
        if not self._deferred or not self._idle or self._next_end() is not None:
            return None
        return self._deferred[0][1]

    @property
    def _idle(self) -> bool:
        """Whether all scores have come and have been used."""
        return self._scores.idle and not self._turn_taking.judging

    def apply_command(self) -> Iterator[Output]:
        """Carry out `next_command`."""
        position, command = self._deferred.pop(0)
        yield from self._turn_taking.apply(command, position)

    def add_score(self) -> Iterator[Output]:
        """Use the score of `next_window`."""
        yield from self._turn_taking.add_score()

    def request(self) -> Iterator[Output]:
        """Request the next scores and the next transcription, and free the audio that is no longer needed."""
        if self._idle and (end := self._next_end()) is not None:
            yield self._scores.request(self._audio.windows(self._scores.used_until, end), end)
        yield from self._captioning.advance()
        self._audio.discard(self._captioning.earliest_needed(self._turn_taking.earliest_needed))

    def _next_end(self) -> int | None:
        """Return the end of the windows to score next; None if there are none before the next deferred command.

        Windows are scored whole, except for the last one before a commit, which is filled up with silence: the turn
        must end where the client said, and the next window begins there.
        """
        end, command = self._deferred[0] if self._deferred else (self._audio.end, None)
        whole = (end - self._scores.used_until) // WINDOW
        if whole:
            return self._scores.used_until + min(whole, WINDOWS_PER_JOB) * WINDOW
        ends_turn = isinstance(command, CommitAudio) and self._turn_taking.can_commit(command, end)
        return end if ends_turn and end > self._scores.used_until else None
