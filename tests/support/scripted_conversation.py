"""A client and engines around one `Session`, as plain values: no event loop, no socket, no clock.

Every loud sample carries its own position: during the n-th stretch of `WORD_LENGTH` samples its 16-bit value is
`LOUD + n`. The detector hears speech where a window is loud; the recognizer writes `w<n>` for every stretch of which it
is given at least half. A transcript therefore says exactly which audio was decoded.

The request of a transcription is pulled when `take` is called, at the latest when the job is answered: at once, unless
transcriptions are held.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, pairwise
from typing import Final, TypeAlias, TypeVar

import numpy as np

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding, Samples
from realtime.catalogue.table import WHISPER_BASE
from realtime.errors import EngineError
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, CreateItem
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    Event,
    Input,
    Output,
    SessionConfigured,
    TranscriptCompleted,
    TranscriptExtended,
)
from realtime.session.generation import ChatDelta, ChatFinished, ChatFinishReason, ChatRequest, ChatTextDelta
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
from realtime.session.session import Session
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word

EngineJob: TypeAlias = ScoreWindows | ScoreTurn | Transcribe | Synthesize | Generate
Kind = TypeVar("Kind")

WORD_LENGTH: Final = SAMPLE_RATE * 320 // 1000
LOUD: Final = 1000
VOICE_RATE: Final = 24_000

SERVER_VAD: Final = TurnDetection(threshold=0.5, prefix_padding=4800, silence=8000)
CONFIG: Final = SessionConfig(
    WHISPER_BASE,
    input_format=AudioFormat(Encoding.PCM16, SAMPLE_RATE),
    turn_detection=SERVER_VAD,
    transcribe=True,
)


class Microphone:
    """A stream of speech and silence at 16 kHz that knows its position."""

    def __init__(self) -> None:
        self.position = 0

    def speech(self, seconds: float) -> bytes:
        return self._record(seconds, 1)

    def silence(self, seconds: float) -> bytes:
        return self._record(seconds, 0)

    def _record(self, seconds: float, gain: int) -> bytes:
        start, self.position = self.position, self.position + round(seconds * SAMPLE_RATE)
        return (gain * (LOUD + np.arange(start, self.position) // WORD_LENGTH)).astype("<i2").tobytes()


def stretches(samples: Samples) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and value of every stretch of equal loud samples."""
    values = (samples * np.float32(32_768)).astype(np.int16)
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    for start, end in pairwise(edges):
        if start < end and values[start] >= LOUD:
            yield start, end, int(values[start])


def count_loud(samples: Samples) -> "Counter[int]":
    """Count the loud samples of each value."""
    found: Counter[int] = Counter()
    for start, end, value in stretches(samples):
        found[value] += end - start
    return found


def loudness(windows: Samples) -> list[float]:
    """Return the probabilities of the scripted detector."""
    return (windows.max(axis=1) >= LOUD / 32_768).astype(float).tolist()  # type: ignore[no-any-return]


def recognize(samples: Samples) -> Hypothesis:
    """Return the hypothesis of the scripted recognizer."""
    words = tuple(
        Word(f" w{value - LOUD}", start, end, 0.7)
        for start, end, value in stretches(samples)
        if end - start >= WORD_LENGTH // 2
    )
    return Hypothesis(words, "en" if words else "")


def words_between(start: float, end: float) -> str:
    """Return the transcript of speech from `start` to `end` seconds."""
    first, last = (round(seconds * SAMPLE_RATE / WORD_LENGTH) for seconds in (start, end))
    return " ".join(f"w{index}" for index in range(first, last))


def hypothesis_of(text: str, *, average_log_probability: float = -0.2, compression_ratio: float = 1.2) -> Hypothesis:
    """Return a hypothesis of these words, whatever the audio; how probable they are is unknown."""
    words = tuple(Word(f" {word}", 0, 0, 0.0) for word in text.split())
    return Hypothesis(words, "en", 0.0, average_log_probability, compression_ratio)


def echo(request: ChatRequest) -> list[ChatDelta]:
    """Answer with the last message."""
    return [ChatTextDelta(f"You said: {request.messages[-1].text}"), ChatFinished(ChatFinishReason.STOP)]


class Conversation:
    """A session whose engines answer at once, except for jobs of the `held` kinds, which wait for `answer`."""

    def __init__(self, config: SessionConfig = CONFIG, *, held: tuple[type[EngineJob], ...] = ()) -> None:
        numbers = count(1)
        self.buffers: list[AudioBuffer] = []
        """The buffers of the session, one for each channel."""
        self.session = Session(config, lambda prefix: f"{prefix}_{next(numbers)}", self._new_buffer)
        self.held = held
        self.now = 0.0
        self.load = LoadLevel.NORMAL
        self.finished = 1.0
        """The answer of the end-of-turn model."""
        self.chat: Callable[[ChatRequest], list[ChatDelta]] = echo
        """What the chat backend answers to a request."""
        self.outputs: list[Output] = []
        self.waiting: dict[int, EngineJob] = {}
        self.cancelled: dict[int, EngineJob] = {}
        self.requests: list[TranscriptionRequest] = []
        self._taken: dict[int, TranscriptionRequest] = {}
        self._vad_states: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None] = [None] * config.speakers
        self._by_hand = config.turn_detection is None

    def _new_buffer(self) -> AudioBuffer:
        self.buffers.append(AudioBuffer())
        return self.buffers[-1]

    # The client.

    def send(self, message: Input) -> list[Output]:
        """Send one input; return what follows from it and from the answers of the engines that are not held."""
        before = len(self.outputs)
        if isinstance(message, CreateItem):
            self._vad_states += [None] * len(message.audio)
        self._take(self.session.receive(message, self.now))
        self._answer_all()
        return self.outputs[before:]

    def hear(self, *audio: bytes, frame_seconds: float = 0.02) -> None:
        """Send audio in frames, in real time."""
        data = b"".join(audio)
        size = 2 * round(frame_seconds * SAMPLE_RATE)
        for start in range(0, len(data), size):
            self.now += frame_seconds
            self.send(AppendAudio(data[start : start + size]))

    def wait(self, seconds: float) -> None:
        """Let time pass and call the timer when it is due."""
        end = self.now + seconds
        while (deadline := self.session.deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self._take(self.session.handle_timer(self.now))
            self._answer_all()
        self.now = end

    # The engines.

    def pending(self, kind: type[Kind]) -> list[Kind]:
        """Return the jobs that wait for an answer, oldest first."""
        return [job for job in self.waiting.values() if isinstance(job, kind)]

    @property
    def finals(self) -> list[TranscriptionRequest]:
        """The requests pulled for finals."""
        return [request for request in self.requests if request.final]

    def take(self, job: Transcribe | None = None) -> TranscriptionRequest:
        """Pull the request of a transcription, or of the oldest one that waits, as a free engine does."""
        return self._take_up(job or self.pending(Transcribe)[0])

    def _take_up(self, job: Transcribe) -> TranscriptionRequest:
        if job.number not in self._taken:
            request = self.session.request_for(job.number, self.load)
            assert request is not None
            self._taken[job.number] = request
            self.requests.append(request)
        return self._taken[job.number]

    def answer(self, kind: type[EngineJob], hypothesis: Hypothesis | None = None) -> list[Output]:
        """Answer the oldest job of this kind, a transcription with `hypothesis` where it is given."""
        return self.answer_job(self._oldest(kind), hypothesis)

    def answer_job(self, job: EngineJob, hypothesis: Hypothesis | None = None) -> list[Output]:
        """Answer this job, a transcription with `hypothesis` where it is given."""
        before = len(self.outputs)
        self._answer(job, hypothesis)
        self._answer_all()
        return self.outputs[before:]

    def fail(self, kind: type[EngineJob]) -> list[Output]:
        """Fail the oldest job of this kind."""
        job = self._oldest(kind)
        del self.waiting[job.number]
        return self.send(JobFailed(job.number, EngineError("scripted")))

    def _oldest(self, kind: type[EngineJob]) -> EngineJob:
        return next(job for job in self.waiting.values() if isinstance(job, kind))

    def release(self, kind: type[EngineJob]) -> None:
        """Answer the jobs of this kind from now on."""
        self.held = tuple(held for held in self.held if held is not kind)
        self._answer_all()

    def _answer_all(self) -> None:
        while jobs := [job for job in self.waiting.values() if not isinstance(job, self.held)]:
            self._answer(jobs[0], None)

    def _answer(self, job: EngineJob, hypothesis: Hypothesis | None) -> None:
        del self.waiting[job.number]
        match job:
            case ScoreWindows(number, windows, state):
                found = next((index for index, each in enumerate(self._vad_states) if each is state), None)
                assert found is not None, "the detector's state is handed on until the client ends a turn"
                self._vad_states[found] = after = np.zeros(1, np.float32)
                results: list[Input] = [WindowsScored(number, loudness(windows), after)]
            case ScoreTurn(number):
                results = [TurnScored(number, self.finished)]
            case Transcribe(number):
                request = self._take_up(job)
                results = [Transcribed(number, hypothesis or recognize(request.samples))]
            case Synthesize(number, text):
                speech = np.full(VOICE_RATE * len(text) // 10, 0.25, np.float32)
                results = [SpeechSynthesized(number, speech, VOICE_RATE), SynthesisFinished(number)]
            case Generate(number, request):
                deltas = self.chat(request)
                results = [Generated(number, delta) for delta in deltas]
        for result in results:
            self._take(self.session.receive(result, self.now))

    def _take(self, outputs: list[Output]) -> None:
        for output in outputs:
            self.outputs.append(output)
            match output:
                case ScoreWindows() | ScoreTurn() | Transcribe() | Synthesize() | Generate():
                    self.waiting[output.number] = output
                case SessionConfigured(config):
                    self._by_hand = config.turn_detection is None
                    self._vad_states += [None] * (config.speakers - len(self._vad_states))
                case AudioCommitted() | AudioCleared() if self._by_hand:
                    self._vad_states = [None] * len(self._vad_states)
                case CancelJob(number) if number in self.waiting:
                    self.cancelled[number] = self.waiting.pop(number)
                case TranscriptCompleted(item_id, text):
                    assert self.transcript(item_id).strip() == text, "the deltas add up to the transcript"

    # What came out.

    def outputs_of(self, *kinds: type[Kind]) -> list[Kind]:
        """Return the outputs of these kinds so far."""
        return [output for output in self.outputs if isinstance(output, kinds)]

    def transcript(self, item_id: str | None = None) -> str:
        """Join the deltas so far, of one item or of all."""
        deltas = self.outputs_of(TranscriptExtended)
        return "".join(event.delta for event in deltas if item_id in (None, event.item_id))

    @property
    def events(self) -> list[Event]:
        return [output for output in self.outputs if not isinstance(output, EngineJob | CancelJob)]


def configured(**changes: object) -> SessionConfig:
    return replace(CONFIG, **changes)  # type: ignore[arg-type]
