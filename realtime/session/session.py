"""A session: the conversation with one client, as a state machine without I/O.

Like the protocol cores of websockets, h11 and aioquic it takes inputs and a clock, and returns outputs in order: events
for the client and jobs for the engines. It reads no clock, never waits and makes no calls:

    receive(message, now)   a command of the client or the result of a job
    handle_timer(now)       the time that `deadline()` named has come
    request_for(job, load)  an engine is free for a `Transcribe` job: returns what to decode

`Listening` is the user's side, or `Channels` that of several users, and `Responses` the reply side. `Answering` says
what turns lead to, and `Conversation` holds what both sides have said. This module passes each input to the one that it
is for, in order. And it is the one place where a result whose job is no longer live is dropped.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import assert_never

from realtime.audio.buffer import AudioBuffer
from realtime.scheduling.priority import LoadLevel
from realtime.session.answering import Answering
from realtime.session.channels import Channels
from realtime.session.command_order import CommandOrder, ReplyCommand
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    Conclude,
    Configure,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ExtendSpeech,
    Rest,
    RetrieveItem,
    Speak,
    TruncateItem,
)
from realtime.session.config import SessionConfig
from realtime.session.conversation import Conversation
from realtime.session.decode_policy import Waiting
from realtime.session.events import (
    CommandRefused,
    Input,
    Output,
    RecordingTranscribed,
    TranscriptCompleted,
)
from realtime.session.idle_timeout import IdleTimeout
from realtime.session.interpreting import Interpreting
from realtime.session.item_audio import ItemAudio
from realtime.session.item_commands import add_item, change_item
from realtime.session.jobs import EngineResult, Jobs, ListeningResult, ResponseResult
from realtime.session.listening import Listening, ListeningInput
from realtime.session.responses import Responses
from realtime.speech.recognition import TranscriptionRequest


class Session:
    """The state of one conversation; see the module. Not thread-safe.

    `now` is monotonic seconds; only the pacing of responses depends on it. Turn boundaries and the order of commands
    never depend on how fast engines answer; the text can, through the load level.
    """

    def __init__(
        self, config: SessionConfig, new_id: Callable[[str], str], new_buffer: Callable[[], AudioBuffer] = AudioBuffer
    ) -> None:
        """Start with `config`; `new_id("item")` returns a new unique identifier that begins with `item_`.

        `new_buffer` is for a trace, which observes the audio that is looked at.
        """
        self._new_buffer = new_buffer
        self._new_id = new_id
        self._jobs = Jobs()
        self._conversation = Conversation()
        self._speakers = config.speakers
        self._listening = self._new_listening(config)
        self._order = CommandOrder()
        self._responses = Responses(config, self._conversation, self._jobs, new_id)
        self._answering = Answering(self._conversation, self._responses, new_id)
        self._idle = IdleTimeout()
        self._interpreting = Interpreting(self._responses, new_id)
        self._item_audio = ItemAudio(self._jobs, new_buffer)
        self._concluded = False

    @property
    def saturated(self) -> bool:
        """Whether to pass in no more commands until the engines have caught up; results are always welcome."""
        return self._listening.saturated or self._item_audio.saturated or self._order.saturated

    @property
    def waiting(self) -> Waiting | None:
        """Why no transcription of the newest speech is requested; None if one is, or if there is nothing to do."""
        return self._listening.waiting

    @property
    def responding(self) -> bool:
        """Whether any response is in progress, and does not wait for text of the client."""
        return self._responses.in_progress

    def settled(self, now: float) -> bool:
        """Return whether nothing is in progress at `now`: no turn, no transcript, no response, and none being played.

        A response that waits for text of the client is not in progress.
        """
        heard = not self._listening.unfinished and not self._item_audio.unfinished
        answered = not self._answering.due and not self.responding and now >= self._responses.interruptions.played_until
        return heard and answered

    def deadline(self) -> float | None:
        """Return when to call `handle_timer`, or None while nothing depends on time. It may change with any input."""
        deadlines = self._responses.deadline(), self._idle.deadline
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle_timer(self, now: float) -> list[Output]:
        """Return what is due by `now`: audio of the response in progress, or the answer to a silence.

        Calling it early does no harm.
        """
        outputs = list(self._responses.release(now))
        if self._idle.deadline is not None and self._idle.deadline <= now:
            outputs += self._answering.answer_silence(self._listening.received_until, now)
        return self._follow(outputs, now)

    def receive(self, message: Input, now: float) -> list[Output]:
        """Take one command or engine result and return what follows from it, in order.

        The result of a job that is not live, because it was cancelled or has been answered, is dropped.

        Raises:
            VoiceError: The session cannot go on, because the voice activity detector failed.

        """
        return self._follow(list(self._receive(message, now)), now)

    def _follow(self, outputs: list[Output], now: float) -> list[Output]:
        """Return what is reported, and after each output what follows from it."""
        config, silent_from = self._responses.config, max(now, self._responses.interruptions.played_until)
        followed: list[Output] = []
        waiting = deque(outputs)
        while waiting:
            output = waiting.popleft()
            followed.append(output)
            self._idle.follow(output, config.idle_timeout, silent_from)
            if config.speak_transcripts:
                waiting.extendleft(reversed(list(self._interpreting.follow(output, now))))
        return followed

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return the audio and options to decode for a `Transcribe` job, or None where the job is no longer live.

        A job carries no audio: the engine that is free pulls it here, and so decodes the newest, however long the job
        has waited. `load` is the load of that engine now. Until the next pull it also decides how long a segment may
        grow and how much new speech is worth a partial. Pull each job once.
        """
        if not self._jobs.is_live(job):
            return None
        return (self._item_audio if self._item_audio.awaits(job) else self._listening).request_for(job, load)

    def _receive(self, message: Input, now: float) -> Iterator[Output]:
        match message:
            case Configure(config):
                self._responses.config = config
                if config.speakers != self._speakers:
                    self._speakers = config.speakers
                    self._listening = self._new_listening(config)
                yield from self._listen(message, now)
            case AppendAudio() if self._concluded:
                pass
            case Conclude():
                yield from self._receive(CommitAudio(if_any=True), now)
                self._concluded = True
                yield from self._responses.conclude(now)
            case AppendAudio() | CommitAudio() | ClearAudio() | Rest():
                if isinstance(message, CommitAudio):
                    self._order.committed()
                yield from self._listen(message, now)
            case (
                CreateItem()
                | DeleteItem()
                | RetrieveItem()
                | TruncateItem()
                | CreateResponse()
                | Speak()
                | ExtendSpeech()
                | CancelResponse()
            ):
                if not self._order.holds(message, self._listening.pending_commits):
                    yield from self._carry_out(message, now)
            case _:
                if self._jobs.is_live(message.number):
                    yield from self._take_result(message, now)

    def _take_result(self, result: EngineResult, now: float) -> Iterator[Output]:
        """Pass the result of a live job to the one who awaits it."""
        if self._responses.awaits(result.number):
            assert isinstance(result, ResponseResult)
            yield from self._responses.receive(result, now)
            return
        assert isinstance(result, ListeningResult)
        if self._item_audio.awaits(result.number):
            yield from self._transcribe_item(self._item_audio.receive(result))
        else:
            yield from self._listen(result, now)

    def _carry_out(self, command: ReplyCommand, now: float) -> Iterator[Output]:
        match command:
            case CreateItem():
                yield from self._create_item(command)
            case DeleteItem() | RetrieveItem() | TruncateItem():
                if isinstance(command, TruncateItem) and command.item_id in self._conversation:
                    self._responses.interruptions.truncate(command.item_id, command.audio_end_ms / 1000)
                yield change_item(command, self._conversation)
                if isinstance(command, DeleteItem) and self._item_audio.is_transcribing(command.item_id):
                    yield from self._item_audio.discard(command.item_id)
                    yield from self._responses.turn_transcribed(command.item_id)
            case CreateResponse():
                yield from self._responses.create(command, now)
            case Speak():
                yield from self._responses.speak(command, now)
            case ExtendSpeech():
                yield from self._responses.extend(command, now)
            case CancelResponse():
                yield from self._responses.cancel(command, now, speaking=self._listening.in_turn)
            case _:
                assert_never(command)

    def _new_listening(self, config: SessionConfig) -> Listening | Channels:
        """Return the user's side, of one or of several speakers."""
        if config.speakers == 1:
            return Listening(config, self._jobs, self._new_id, self._new_buffer())
        return Channels(config, self._jobs, self._new_id, self._new_buffer)

    def _listen(self, message: ListeningInput, now: float) -> Iterator[Output]:
        """Pass the message to the user's side, and let the conversation follow what it reports."""
        for output in self._listening.receive(message):
            yield from self._answering.follow(output, now, in_turn=self._listening.in_turn)
        for command in self._order.released(self._listening.pending_commits):
            yield from self._carry_out(command, now)
        expected = self._listening.expected_transcript if self._responses.prepares_answers else None
        yield from self._responses.prepare(expected)

    def _create_item(self, command: CreateItem) -> Iterator[Output]:
        """Add the client's item, or refuse it. Responses wait for the transcripts of its recordings."""
        item_id = command.item_id or self._new_id("item")
        output = add_item(command, item_id, self._conversation)
        yield output
        if isinstance(output, CommandRefused):
            return
        self._responses.item_created(item_id)
        if command.audio:
            self._responses.turn_committed(item_id)
            yield from self._transcribe_item(self._item_audio.add(item_id, command.audio, self._responses.config))

    def _transcribe_item(self, outputs: Iterator[Output]) -> Iterator[Output]:
        """Keep the transcripts of recordings, and go on where all those of an item were waited for."""
        for output in outputs:
            yield output
            if isinstance(output, RecordingTranscribed):
                item_id, transcript = output.item_id, output.transcript
                if isinstance(transcript, TranscriptCompleted):
                    self._conversation.set_transcript(item_id, transcript.text, output.part)
                if not self._item_audio.is_transcribing(item_id):
                    yield from self._responses.turn_transcribed(item_id)
