"""The user's side of a session with several speakers, each on a channel of the input by themselves.

Each channel is a `Listening` with turns and transcripts of its own. All of them proceed together, window by window: the
score of a window is used when those of the other channels up to there have come, and a deferred command is carried out
when every channel has reached it. So events are in the order of the audio, whichever channel is scored first, and one
event answers a command: a commit is refused only where no channel has a turn to commit.

What is transcribed in two languages is heard by two `Listening`s, as if two speakers said the same.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle, repeat
from typing import Final

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Encoding, Samples, encode
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, ClearAudio, CommitAudio, Configure, Rest
from realtime.session.config import SOURCE_CHANNEL, SessionConfig
from realtime.session.decode_policy import Waiting
from realtime.session.events import AudioCleared, ChannelEvent, CommandRefused, Output, SessionConfigured
from realtime.session.input_audio import InputChannels
from realtime.session.jobs import (
    CancelJob,
    Jobs,
    ScoreTurn,
    ScoreWindows,
    Transcribe,
)
from realtime.session.listening import Listening, ListeningInput
from realtime.session.turn_taking import TurnCommand
from realtime.speech.recognition import TranscriptionRequest

_FORMAT: Final = AudioFormat(Encoding.PCM16, SAMPLE_RATE)
"""Format in which each `Listening` receives the samples of its channel."""


class Channels:
    """Follows the speakers of one session, whose number does not change; see the module."""

    def __init__(
        self, config: SessionConfig, jobs: Jobs, new_id: Callable[[str], str], new_buffer: Callable[[], AudioBuffer]
    ) -> None:
        self._format = config.input_format
        self._input = InputChannels(config.input_format)
        self._speakers = [
            Listening(_for_one(config, channel), jobs, new_id, new_buffer()) for channel in range(config.speakers)
        ]
        self._commands: deque[TurnCommand] = deque()
        """Commands that the channels have deferred, as the client gave them."""
        self._owners: dict[int, int] = {}
        """Channels by the numbers of their jobs in flight."""

    @property
    def saturated(self) -> bool:
        """Whether the engines are so far behind with any channel that the session should be given no more commands."""
        return any(speaker.saturated for speaker in self._speakers)

    @property
    def unfinished(self) -> bool:
        """Whether anything is in progress on a channel; see `Listening`."""
        return any(speaker.unfinished for speaker in self._speakers)

    @property
    def waiting(self) -> Waiting | None:
        """Why no transcription of the newest speech is requested, of the first channel that waits."""
        return next((speaker.waiting for speaker in self._speakers if speaker.waiting is not None), None)

    @property
    def received_until(self) -> int:
        """Position after the last sample received."""
        return self._speakers[0].received_until

    @property
    def pending_commits(self) -> int:
        """Number of commits that are still to be carried out."""
        return sum(isinstance(command, CommitAudio) for command in self._commands)

    @property
    def in_turn(self) -> bool:
        """Whether any of the speakers speaks, or may not have finished."""
        return any(speaker.in_turn for speaker in self._speakers)

    @property
    def expected_transcript(self) -> str | None:
        """None: of several speakers another one may go on, so that no answer is prepared."""
        return None

    def receive(self, message: ListeningInput) -> Iterator[Output]:
        """Take one command or engine result. Raises the error of a failed scoring job: the session cannot go on."""
        match message:
            case AppendAudio(data):
                yield from self._append(self._input.add(data))
            case Configure(config):
                if config.input_format != self._format:
                    yield from self._append(self._input.flush())
                    self._format, self._input = config.input_format, InputChannels(config.input_format)
                configs = [_for_one(config, channel) for channel in range(config.speakers)]
                yield from self._defer(message, map(Configure, configs))
            case Rest():
                yield from self._append(self._input.rest())
                for speaker in self._speakers:
                    yield from speaker.take(message)
            case CommitAudio() | ClearAudio():
                yield from self._append(self._input.flush())
                yield from self._defer(message, repeat(message))
            case _:
                channel = self._owners.pop(message.number)
                yield from self._noted(channel, self._speakers[channel].take(message))
        yield from self._advance()

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return what to decode for a live `Transcribe` job; see `Session.request_for`."""
        return self._speakers[self._owners[job]].request_for(job, load)

    def _append(self, samples: Iterable[Samples]) -> Iterator[Output]:
        for speaker, each in zip(self._speakers, cycle(samples), strict=False):
            yield from speaker.take(AppendAudio(encode(each, _FORMAT.encoding)))

    def _defer(self, command: TurnCommand, for_each: Iterable[TurnCommand]) -> Iterator[Output]:
        """Have every channel carry out a command of the client, as in `for_each`, when it has reached it."""
        self._commands.append(command)
        for speaker, own in zip(self._speakers, for_each, strict=False):
            yield from speaker.take(own)

    def _advance(self) -> Iterator[Output]:
        """Go as far as all channels have been scored. Windows need not begin at the same position in all of them."""
        while True:
            end = min(speaker.scored_until for speaker in self._speakers) + WINDOW
            windows = enumerate(speaker.next_window for speaker in self._speakers)
            ready = [(start, channel) for channel, start in windows if start is not None and start < end]
            if ready:
                _, channel = min(ready)
                yield from self._noted(channel, self._speakers[channel].add_score())
            elif all(speaker.next_command is not None for speaker in self._speakers):
                yield from self._apply_command()
            else:
                break
        for channel, speaker in enumerate(self._speakers):
            yield from self._noted(channel, speaker.request())

    def _apply_command(self) -> Iterator[Output]:
        """Carry out the next command on all channels, and answer it once."""
        command = self._commands.popleft()
        answers: list[Output] = []
        for channel, speaker in enumerate(self._speakers):
            for output in self._noted(channel, speaker.apply_command()):
                if isinstance(output, SessionConfigured | AudioCleared | CommandRefused):
                    answers.append(output)
                else:
                    yield output
        if isinstance(command, Configure):
            yield SessionConfigured(command.config)
        elif len(answers) == len(self._speakers):
            yield answers[0]

    def _noted(self, channel: int, outputs: Iterable[Output]) -> Iterator[Output]:
        """Name the channel in its events, and remember whose jobs they are."""
        for output in outputs:
            match output:
                case ScoreWindows(number) | ScoreTurn(number) | Transcribe(number):
                    self._owners[number] = channel
                case CancelJob(number):
                    del self._owners[number]
                case _:
                    pass
            yield replace(output, channel=channel) if isinstance(output, ChannelEvent | ScoreWindows) else output


def _for_one(config: SessionConfig, channel: int) -> SessionConfig:
    """Return the configuration of one channel."""
    translate = config.translate and not (config.transcribe_source and channel == SOURCE_CHANNEL)
    return replace(
        config,
        input_format=_FORMAT,
        separate_channels=False,
        transcribe_source=False,
        translate=translate,
        prepare_answers=False,
    )
