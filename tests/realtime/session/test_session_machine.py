"""Whatever clients and engines do, in any order and however late, a session keeps its promises.

Coverage does not count what is drawn at random here.
"""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.catalogue.names import lookup
from realtime.errors import EngineError, Overloaded, VoiceError
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.commands import (
    FRONT,
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    Configure,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ExtendSpeech,
    ItemReference,
    Rest,
    RetrieveItem,
    Speak,
    TruncateItem,
)
from realtime.session.config import Modality, SessionConfig
from realtime.session.conversation import FunctionCall, FunctionCallOutput, Item, Message, Role, TextPart
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Input,
    ItemAdded,
    ItemDeleted,
    Output,
    SessionConfigured,
    SilencePassed,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.session.generation import (
    ChatDelta,
    ChatFinished,
    ChatFinishReason,
    ChatInterrupted,
    ChatTextDelta,
    ChatToolCallDelta,
)
from realtime.session.jobs import (
    CancelJob,
    Generate,
    Generated,
    JobFailed,
    ScoreTurn,
    ScoreWindows,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
    Transcribe,
    Transcribed,
    TurnScored,
    WindowsScored,
)
from realtime.session.response_events import (
    ResponseAudioExtended,
    ResponseFinished,
    ResponseFlushed,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseTextExtended,
)
from realtime.session.session import Session
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.scripted_conversation import CONFIG, VOICE_RATE, hypothesis_of

pytestmark = pytest.mark.no_cover

SILENCE, HUM, VOICE = 0, 0x0101, 0x1010
"""16-bit samples of which both bytes are alike: an odd cut goes unnoticed by the ear, not by the decoder."""

TEXTS: Final = ("", "Yes.", "A first clause, and then a second. A whole other sentence follows! And one more.")

sounds = st.lists(
    st.tuples(
        st.sampled_from([VOICE, VOICE, VOICE, SILENCE, SILENCE, HUM]),
        st.sampled_from([1.0, 0.6, 0.3, 3.0, 25.0, 0.1, 0.03, 0.0001]),
    ),
    min_size=1,
    max_size=4,
)


def timed(words: list[str], likelihood: float, word_seconds: float) -> Hypothesis:
    """An answer with word times, which may be anywhere."""
    hypothesis = hypothesis_of(" ".join(words), average_log_probability=likelihood)
    length = round(word_seconds * SAMPLE_RATE)
    return replace(
        hypothesis,
        words=tuple(
            replace(word, start=index * length, end=index * length + length * 4 // 5)
            for index, word in enumerate(hypothesis.words)
        ),
    )


hypotheses = st.builds(
    timed,
    st.lists(st.sampled_from(["one", "two", "two,", "three."]), max_size=6),
    st.sampled_from([-0.2, -0.2, -0.2, -2.0]),
    st.sampled_from([1.5, 0.3, 0.0]),
)
errors: st.SearchStrategy[VoiceError] = st.sampled_from([EngineError("scripted"), Overloaded("scripted")])
configurations = st.builds(
    replace,
    st.just(CONFIG),
    recognizer=st.sampled_from([CONFIG.recognizer, replace(CONFIG.recognizer, draft=lookup("whisper-tiny"))]),
    turn_detection=st.sampled_from(
        [
            None,
            TurnDetection(),
            TurnDetection(prefix_padding=0, silence=3200, reported_silence=16_000),
            TurnDetection(end_of_turn=EndOfTurn(shortest=4608, longest=32_000)),
        ]
    ),
    input_format=st.sampled_from(
        [
            AudioFormat(Encoding.PCM16, SAMPLE_RATE),
            AudioFormat(Encoding.PCM16, 24_000),
            AudioFormat(Encoding.MULAW, 8_000),
        ]
    ),
    transcribe=st.sampled_from([True, True, True, False]),
    interrupt_response=st.booleans(),
    decode_partials=st.sampled_from([True, True, False]),
    include_partials=st.booleans(),
    time_speech=st.booleans(),
    chat=st.booleans(),
    create_response=st.booleans(),
    resume_false_interruptions=st.booleans(),
    prepare_answers=st.booleans(),
    modality=st.sampled_from(Modality),
)
deltas: st.SearchStrategy[ChatDelta] = st.one_of(
    st.builds(ChatTextDelta, st.sampled_from(["One", " two. ", "Three, four and five. Six", " ", "…"])),
    st.builds(
        ChatToolCallDelta, st.integers(0, 2), st.just("call_1"), st.just("dim"), st.sampled_from(["", '{"a":1}'])
    ),
    st.builds(ChatFinished, st.sampled_from(ChatFinishReason)),
)
contents = st.sampled_from(
    [
        Message(Role.ASSISTANT, (TextPart("Good morning."),)),
        Message(Role.USER, (TextPart("What?"),)),
        Message(Role.USER),
        FunctionCall("call_1", "dim", "{}"),
        FunctionCallOutput("call_1", "done"),
    ]
)
item_ids = st.sampled_from(["a", "b", "c"])

EngineJob = ScoreWindows | ScoreTurn | Transcribe | Synthesize | Generate


def _kind(job: EngineJob) -> tuple[type, bool]:
    return type(job), isinstance(job, Transcribe) and job.draft


@dataclass
class Progress:
    """What has been seen of a response in progress."""

    in_conversation: bool
    sent: int = 0
    item: str | None = None
    text: str = ""
    items: list[Item] = field(default_factory=list)


class Witness:
    """Sees every output in order and knows what may come next."""

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.drafted = False
        self.numbers: set[int] = set()
        self.jobs: dict[int, EngineJob] = {}
        self.over: set[int] = set()
        self.cancelled: list[EngineJob] = []
        self.position = 0
        self.turn: str | None = None
        self.stopped: str | None = None
        self.unfinished: list[str] = []
        self.growing: set[str] = set()
        self.closed: set[str] = set()
        self.responses: dict[str, Progress] = {}
        self.items: list[str] = []
        self.deltas: dict[str, str] = {}

    def see(self, output: Output) -> None:
        assert self.stopped is None or isinstance(output, AudioCommitted), "a stop is followed by its commit"
        match output:
            case ScoreWindows() | ScoreTurn() | Transcribe() | Synthesize() | Generate():
                assert output.number not in self.numbers
                if isinstance(output, ScoreWindows | ScoreTurn):
                    waiting = [job for job in self.jobs.values() if isinstance(job, ScoreWindows | ScoreTurn)]
                    assert not waiting, "no window is scored while a pause is judged"
                if isinstance(output, ScoreTurn):
                    assert self.turn is not None, "only a pause of a turn is judged"
                    assert 0 < len(output.samples) <= 8 * SAMPLE_RATE
                alike = sum(_kind(job) == _kind(output) for job in self.jobs.values())
                most = len(self.responses) + 1 if isinstance(output, Synthesize | Generate) else 1
                assert alike < most, "one at a time; one of each response, and an answer that nobody hears yet"
                self.numbers.add(output.number)
                self.jobs[output.number] = output
            case CancelJob(number):
                self.cancelled.append(self.jobs.pop(number))
                self.over.add(number)
            case SessionConfigured(config):
                self.config = config
                self.drafted |= config.recognizer.draft is not None
            case SpeechStarted(item_id, at) | SpeechStopped(item_id, at):
                assert at >= self.position
                self.position = at
                self._see_turn(output, item_id)
            case SilencePassed(at):
                assert at >= self.position
                assert self.turn is None, "nobody speaks"
            case AudioCommitted(item_id, previous):
                self._append_item(item_id, previous)
                assert item_id in (self.stopped, self.turn) or self.config.turn_detection is None
                assert item_id not in self.closed
                self.turn = self.stopped = None
                self.growing.discard(item_id)
                if self.config.transcribe:
                    self.unfinished.append(item_id)
                else:
                    self.closed.add(item_id)
            case AudioCleared():
                self.closed |= self.growing | ({self.turn} if self.turn else set())
                self.turn = None
                self.growing = set()
            case TranscriptExtended(item_id) | TranscriptRevised(item_id):
                assert item_id not in self.closed
                if self.unfinished and not (self.drafted and isinstance(output, TranscriptRevised)):
                    assert item_id == self.unfinished[0]
                elif item_id not in self.unfinished:
                    self.growing.add(item_id)
                if isinstance(output, TranscriptExtended):
                    assert output.delta
                    self.deltas[item_id] = self.deltas.get(item_id, "") + output.delta
            case TranscriptCompleted(item_id) | TranscriptFailed(item_id):
                assert item_id == self.unfinished.pop(0)
                self.closed.add(item_id)
                if isinstance(output, TranscriptCompleted):
                    self._see_transcript(output)
            case ItemAdded(item, previous):
                assert item.id not in self.items
                assert previous is None or previous in self.items
                self.items.insert(self.items.index(previous) + 1 if previous else 0, item.id)
            case ItemDeleted(item_id):
                self.items.remove(item_id)
            case ResponseStarted(response):
                others = [each for each in self.responses.values() if each.in_conversation]
                assert not (others and response.in_conversation), "one response in the conversation at a time"
                self.responses[response.id] = Progress(response.in_conversation)
            case _:
                self._see_response(output)

    def _see_response(self, output: Output) -> None:
        match output:
            case ResponseItemAdded(response, index, item, previous):
                progress = self.responses[response.id]
                assert progress.item is None, "one item at a time"
                assert index == len(progress.items)
                progress.item, progress.text = item.id, ""
                if progress.in_conversation:
                    self._append_item(item.id, previous)
            case ResponseTextExtended(response, index, item_id, delta):
                progress = self.responses[response.id]
                assert (item_id, index) == (progress.item, len(progress.items))
                assert delta
                progress.text += delta
            case ResponseAudioExtended(response, index, item_id, data, offset):
                progress = self.responses[response.id]
                assert (item_id, index) == (progress.item, len(progress.items))
                assert offset == progress.sent
                progress.sent += len(data) // response.output_format.bytes_per_sample
            case ResponseItemFinished(response, index, item):
                progress = self.responses[response.id]
                assert (item.id, index) == (progress.item, len(progress.items))
                assert not isinstance(item.content, Message) or item.content.text == progress.text
                progress.item = None
                progress.items.append(item)
            case ResponseFinished(response, items=items):
                progress = self.responses.pop(response.id)
                assert progress.item is None
                assert list(items) == progress.items
            case ResponseFlushed(response):
                assert response.id in self.responses

    def _append_item(self, item_id: str, previous: str | None) -> None:
        assert previous == (self.items[-1] if self.items else None)
        self.items.append(item_id)

    def _see_transcript(self, completed: TranscriptCompleted) -> None:
        assert completed.text == self.deltas.get(completed.item_id, "").strip(), "the deltas add up to the transcript"
        if completed.words:
            assert "".join(word.text for word in completed.words).strip() == completed.text
        times = [time for word in completed.words for time in (word.start, word.end)]
        assert len(completed.commit_lags) <= len(completed.words)
        assert all(time >= 0 for time in times)

    def _see_turn(self, output: SpeechStarted | SpeechStopped, item_id: str) -> None:
        if isinstance(output, SpeechStarted):
            assert self.turn is None
            assert item_id not in self.closed
            self.turn = item_id
        else:
            assert self.turn == item_id
            self.turn, self.stopped = None, item_id


class SessionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        ids = count(1)
        self.config = CONFIG
        self.session = Session(self.config, lambda prefix: f"{prefix}_{next(ids)}")
        self.witness = Witness(self.config)
        self.now = 1000.0
        self.changes = 0
        self.heard = True
        self.taken: dict[int, TranscriptionRequest] = {}
        self.open = False

    def give(self, message: Input) -> list[Output]:
        outputs = self.session.receive(message, self.now)
        for output in outputs:
            self.witness.see(output)
        return outputs

    def job(self, kind: type) -> int | None:
        return next((number for number, job in self.witness.jobs.items() if isinstance(job, kind)), None)

    def end(self, kind: type) -> int:
        """The number of the job of this kind, which is over with the answer that follows."""
        number = self.job(kind)
        assert number is not None
        del self.witness.jobs[number]
        self.witness.over.add(number)
        return number

    # The client, who is not read while the session is saturated.

    @precondition(lambda self: not self.session.saturated)
    @rule(sounds=sounds, cut=st.integers(0, 100_000), scored=st.sampled_from([True, True, False]))
    def listen(self, sounds: list[tuple[int, float]], cut: int, scored: bool) -> None:
        audio = b"".join(self.sound(sample, seconds) for sample, seconds in sounds)
        self.heard = True
        self.give(AppendAudio(audio[:cut]))
        self.give(AppendAudio(audio[cut:]))
        if scored:
            self.catch_up()

    def sound(self, sample: int, seconds: float) -> bytes:
        samples = round(seconds * self.config.input_format.sample_rate)
        if self.config.input_format.encoding is Encoding.PCM16:
            return np.full(samples, sample, "<i2").tobytes()
        return {SILENCE: b"\xff", HUM: b"\xe0", VOICE: b"\x90"}[sample] * samples

    @precondition(lambda self: not self.session.saturated)
    @rule(seconds=st.sampled_from([0.6, 3.0, 40.0]), pause=st.sampled_from([0.0, 0.3, 1.0]))
    def talk(self, seconds: float, pause: float) -> None:
        self.listen([(VOICE, seconds), (SILENCE, pause)], 0, scored=True)

    @precondition(lambda self: self.heard and not self.session.saturated)
    @rule(end=st.sampled_from([CommitAudio(), CommitAudio(), ClearAudio()]))
    def end_turn(self, end: CommitAudio | ClearAudio) -> None:
        self.heard = False
        self.give(end)

    @precondition(lambda self: not self.session.saturated)
    @rule()
    def rest(self) -> None:
        self.give(Rest())

    @initialize(config=configurations)
    def begin(self, config: SessionConfig) -> None:
        self.config = config
        self.give(Configure(config))

    @precondition(lambda self: self.changes < 3 and not self.session.saturated)
    @rule(config=configurations)
    def configure(self, config: SessionConfig) -> None:
        self.changes += 1
        self.begin(config)

    @precondition(lambda self: not self.session.saturated)
    @rule(text=st.sampled_from(TEXTS), in_conversation=st.booleans(), complete=st.sampled_from([True, True, False]))
    def speak(self, text: str, in_conversation: bool, complete: bool) -> None:
        self.open |= not complete
        self.give(Speak(text, in_conversation, complete=complete))

    @precondition(lambda self: self.open and not self.session.saturated)
    @rule(text=st.sampled_from(["", "More", " of it. "]), flush=st.booleans(), complete=st.booleans())
    def extend(self, text: str, flush: bool, complete: bool) -> None:
        self.give(ExtendSpeech(text, flush, complete))

    @precondition(lambda self: not self.session.saturated)
    @rule(
        in_conversation=st.booleans(), reference=st.booleans(), content=st.none() | contents,
        text_follows=st.sampled_from([False, False, True]),
    )  # fmt: skip
    def create_response(self, in_conversation: bool, reference: bool, content: Any, text_follows: bool) -> None:
        self.open |= text_follows
        given = None if content is None else (content, *([ItemReference("a")] if reference else []))
        self.give(CreateResponse(in_conversation, given, text_follows=text_follows))

    @precondition(lambda self: self.witness.responses and not self.session.saturated)
    @rule()
    def cancel(self) -> None:
        self.give(CancelResponse())

    @precondition(lambda self: not self.session.saturated)
    @rule(content=contents, item_id=st.none() | item_ids, after=st.none() | item_ids | st.just(FRONT))
    def create_item(self, content: Any, item_id: str | None, after: str | None) -> None:
        known = set(self.witness.items)
        answers = self.give(CreateItem(content, item_id, after))
        refused = item_id in known or (after not in (None, FRONT) and after not in known)
        assert len(answers) == 1 or self.waits
        assert all(isinstance(answer, CommandRefused if refused else ItemAdded) for answer in answers)

    @precondition(lambda self: not self.session.saturated)
    @rule(data=st.data(), kind=st.sampled_from([DeleteItem, RetrieveItem, TruncateItem]))
    def change_item(self, data: st.DataObject, kind: Any) -> None:
        item_id = data.draw(st.sampled_from(["a", *self.witness.items]))
        known = item_id in self.witness.items
        answers = self.give(TruncateItem(item_id, 500) if kind is TruncateItem else kind(item_id))
        assert len(answers) == 1 or self.waits
        assert known or all(isinstance(answer, CommandRefused) for answer in answers)

    @property
    def waits(self) -> bool:
        """Whether a commit may be waiting for audio to be scored, and what follows it for the commit."""
        return self.job(ScoreWindows) is not None or self.job(ScoreTurn) is not None

    # The engines, who answer when they like.

    @precondition(lambda self: self.job(ScoreWindows))
    @rule()
    def score(self) -> None:
        number = self.job(ScoreWindows)
        job = self.witness.jobs[number or 0]
        assert isinstance(job, ScoreWindows)
        loudest = job.windows.max(axis=1) * 32_768
        probabilities = np.where(loudest > 2000, 1.0, np.where(loudest > 100, 0.4, 0.0)).tolist()
        self.give(WindowsScored(self.end(ScoreWindows), probabilities, np.zeros(1, np.float32)))

    @precondition(lambda self: self.job(ScoreTurn))
    @rule(answer=st.sampled_from([1.0, 0.5, 0.0]) | errors)
    def judge(self, answer: float | VoiceError) -> None:
        number = self.end(ScoreTurn)
        self.give(JobFailed(number, answer) if isinstance(answer, VoiceError) else TurnScored(number, answer))

    def catch_up(self) -> None:
        while self.job(ScoreWindows) or self.job(ScoreTurn):
            if self.job(ScoreWindows):
                self.score()
            else:
                self.judge(0.5)

    @precondition(lambda self: self.job(Transcribe) not in {None, *self.taken})
    @rule(load=st.sampled_from(LoadLevel))
    def take(self, load: LoadLevel = LoadLevel.NORMAL) -> None:
        """An engine is free; until then, a partial may have waited for long."""
        self._take(self.job(Transcribe) or 0, load)

    def _take(self, number: int, load: LoadLevel = LoadLevel.NORMAL) -> None:
        job = self.witness.jobs[number]
        assert isinstance(job, Transcribe)
        request = self.session.request_for(job.number, load)
        assert request is not None
        self.taken[job.number] = request
        assert request.final is (job.priority is Priority.FINAL)
        assert 0 < request.seconds <= 30
        assert request.word_times or not request.final

    @precondition(lambda self: self.job(Transcribe))
    @rule(answer=hypotheses | hypotheses | errors, newest=st.booleans())
    def transcribe(self, answer: Hypothesis | VoiceError, newest: bool = False) -> None:
        """Answer a transcription; with a draft model there may be two."""
        waiting = [number for number, job in self.witness.jobs.items() if isinstance(job, Transcribe)]
        number = waiting[-newest]
        if not isinstance(answer, Overloaded) and number not in self.taken:
            self._take(number)
        del self.witness.jobs[number]
        self.witness.over.add(number)
        self.give(JobFailed(number, answer) if isinstance(answer, VoiceError) else Transcribed(number, answer))

    @precondition(lambda self: self.withdrawn())
    @rule(data=st.data())
    def take_too_late(self, data: st.DataObject) -> None:
        """The cancellation is still on its way."""
        job = data.draw(st.sampled_from(self.withdrawn()))
        assert self.session.request_for(job.number, LoadLevel.NORMAL) is None

    def withdrawn(self) -> list[Transcribe]:
        return [job for job in self.witness.cancelled if isinstance(job, Transcribe)]

    @precondition(lambda self: self.job(Synthesize))
    @rule(seconds=st.sampled_from([0.0, 0.005, 0.3, 6.0]))
    def synthesize(self, seconds: float) -> None:
        speech = np.full(round(seconds * VOICE_RATE), 0.25, np.float32)
        self.give(SpeechSynthesized(self.job(Synthesize) or 0, speech, VOICE_RATE))

    @precondition(lambda self: self.job(Synthesize))
    @rule(error=st.none() | errors)
    def end_phrase(self, error: VoiceError | None) -> None:
        number = self.end(Synthesize)
        self.give(SynthesisFinished(number) if error is None else JobFailed(number, error))

    @precondition(lambda self: self.job(Generate))
    @rule(delta=deltas)
    def generate(self, delta: ChatDelta) -> None:
        number = self.end(Generate) if isinstance(delta, ChatFinished) else self.job(Generate)
        self.give(Generated(number or 0, delta))

    @precondition(lambda self: self.job(Generate))
    @rule()
    def break_off(self) -> None:
        self.give(JobFailed(self.end(Generate), ChatInterrupted("scripted")))

    @precondition(lambda self: self.witness.over)
    @rule(data=st.data())
    def answer_too_late(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.witness.over)))
        answers: list[Input] = [
            WindowsScored(number, [1.0], np.zeros(1, np.float32)),
            TurnScored(number, 1.0),
            Transcribed(number, hypothesis_of("late")),
            SpeechSynthesized(number, np.ones(240, np.float32), VOICE_RATE),
            SynthesisFinished(number),
            Generated(number, ChatTextDelta("late")),
            JobFailed(number, EngineError("late")),
        ]
        for answer in answers:
            assert self.give(answer) == []

    @rule(seconds=st.sampled_from([0.01, 0.2, 2.0, 30.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for output in self.session.handle_timer(self.now):
            self.witness.see(output)

    # In the end every engine answers, and the listener listens to the end.

    def teardown(self) -> None:
        if self.open:
            for _ in range(12):
                self.give(ExtendSpeech(complete=True))
        while self.witness.jobs or self.session.deadline() is not None:
            if self.job(Generate):
                self.generate(ChatFinished(ChatFinishReason.STOP))
            elif self.job(ScoreWindows) or self.job(ScoreTurn):
                self.catch_up()
            elif self.job(Transcribe):
                self.transcribe(hypothesis_of("one two"))
            elif self.job(Synthesize):
                self.end_phrase(None)
            else:
                self.pass_time(1.0)
        assert self.witness.unfinished == []
        assert self.witness.responses == {}
        assert not self.session.responding
        assert not self.session.saturated


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
