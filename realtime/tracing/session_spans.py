"""The spans of a session for OpenTelemetry: its turns and responses, and in them the jobs of the engines.

A `transcribe` job has the time in which its audio arrived (`frames`) and, as events of its span, when an engine took it
and what the client was sent of its result.
"""

import time
from collections.abc import Mapping, Sequence

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from realtime import spans
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio
from realtime.session.decode_policy import Waiting
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    Input,
    Output,
    SpeechStarted,
    TranscriptCompleted,
    TranscriptFailed,
)
from realtime.session.generation import ChatFinished
from realtime.session.jobs import (
    CancelJob,
    Generate,
    Generated,
    JobFailed,
    ScoreTurn,
    ScoreWindows,
    SynthesisFinished,
    Synthesize,
    Transcribe,
    Transcribed,
)
from realtime.session.response_events import ResponseFinished, ResponseStarted
from realtime.speech.recognition import TranscriptionRequest


class SessionSpans:
    """An observer that records spans below the current one. `ended` ends those that are left."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._session = get_current()
        self._turns: dict[str, Span] = {}
        self._committed: set[str] = set()
        """Those turns whose transcript is still to come."""
        self._responses: dict[str, Span] = {}
        self._jobs: dict[int, Span] = {}
        self._answered: Span | None = None
        """The job whose result the session is handling."""
        self._frames = 0
        self._frames_since = 0
        """When the first of them arrived, in nanoseconds."""

    def received(self, message: Input, now: float) -> None:  # noqa: ARG002
        match message:
            case AppendAudio():
                if not self._frames:
                    self._frames_since = time.time_ns()
                self._frames += 1
            case Transcribed() | SynthesisFinished() | Generated(delta=ChatFinished()):
                self._answered = self._jobs.pop(message.number, None)
                if self._answered is not None and isinstance(message, Transcribed):
                    self._answered.set_attribute("words", len(message.hypothesis.words))
            case JobFailed():
                self._answered = self._jobs.pop(message.number, None)
                if self._answered is not None:
                    spans.failed(self._answered, message.error.code)
            case _:
                pass

    def timer_fired(self, now: float) -> None:
        """Record nothing."""

    def requested(self, job: int, load: LoadLevel, request: TranscriptionRequest | None, now: float) -> None:  # noqa: ARG002
        recording = self._jobs.get(job)
        if recording is None or request is None:
            return
        recording.add_event("taken by an engine", {"load": load.value})
        recording.set_attributes({"final": request.final, "audio.seconds": request.seconds})
        if self._frames:
            context = set_span_in_context(recording, self._session)
            attributes = {"frames": self._frames}
            self._tracer.start_span("frames", context, attributes=attributes, start_time=self._frames_since).end()
            self._frames = 0

    def produced(self, outputs: Sequence[Output], now: float) -> None:  # noqa: ARG002
        for output in outputs:
            self._produced(output)
        if self._answered is not None:
            self._answered.end()
            self._answered = None

    def waited(self, waiting: Waiting | None, now: float) -> None:
        """Record nothing."""

    def ended(self) -> None:
        """End the spans of what was in progress when the session ended."""
        for recording in (*self._jobs.values(), *self._turns.values(), *self._responses.values()):
            recording.end()

    def _produced(self, output: Output) -> None:
        match output:
            case ScoreWindows() | ScoreTurn():
                return
            case Transcribe():
                self._begin_job(output.number, "transcribe", self._turns, {"model": output.recognizer.name})
            case Synthesize():
                self._begin_job(output.number, "synthesize", self._responses, {"characters": len(output.text)})
            case Generate():
                self._begin_job(output.number, "generate", self._responses, {"messages": len(output.request.messages)})
            case CancelJob():
                if (cancelled := self._jobs.pop(output.number, None)) is not None:
                    cancelled.add_event("cancelled")
                    cancelled.end()
            case _:
                self._sent(output)

    def _sent(self, event: Output) -> None:
        """Record an event that the client is sent."""
        if self._answered is not None:
            self._answered.add_event(type(event).__name__)
        match event:
            case SpeechStarted():
                self._begin_turn(event.item_id)
            case AudioCommitted():
                self._begin_turn(event.item_id)
                if event.transcribed:
                    self._committed.add(event.item_id)
                else:
                    self._end(self._turns, event.item_id)
            case TranscriptCompleted():
                self._end_turn(event.item_id, words=len(event.words))
            case TranscriptFailed():
                if event.item_id in self._turns:
                    spans.failed(self._turns[event.item_id], event.error.code)
                self._end_turn(event.item_id)
            case AudioCleared():
                for item_id in self._turns.keys() - self._committed:
                    self._end(self._turns, item_id)
            case ResponseStarted():
                self._responses[event.response.id] = self._tracer.start_span("response", self._session)
            case ResponseFinished():
                self._end(self._responses, event.response.id, status=event.status)
            case _:
                pass

    def _begin_turn(self, item_id: str) -> None:
        if item_id not in self._turns:
            self._turns[item_id] = self._tracer.start_span("turn", self._session)

    def _end_turn(self, item_id: str, **attributes: AttributeValue) -> None:
        self._committed.discard(item_id)
        self._end(self._turns, item_id, **attributes)

    def _begin_job(
        self, number: int, name: str, parents: Mapping[str, Span], attributes: Mapping[str, AttributeValue]
    ) -> None:
        """Begin the span of a job, as a part of the newest turn or response that is in progress."""
        parent = next(reversed([*parents.values()]), None)
        context: Context = self._session if parent is None else set_span_in_context(parent, self._session)
        self._jobs[number] = self._tracer.start_span(name, context, attributes=attributes)

    @staticmethod
    def _end(recordings: dict[str, Span], key: str, **attributes: AttributeValue) -> None:
        if (recording := recordings.pop(key, None)) is not None:
            recording.set_attributes(attributes)
            recording.end()
