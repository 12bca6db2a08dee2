"""Spans of OpenTelemetry, recorded in memory and by a receiver of OTLP on this machine."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")  # the extra `otel`
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from websockets.exceptions import InvalidStatus

from realtime import spans
from realtime.session.events import AudioCleared, AudioCommitted, Event, SpeechStarted, TranscriptCompleted
from realtime.tracing.session_spans import SessionSpans
from tests.support.realtime_service import TIMEOUT, RealtimeService, eventually, realtime_service, utterance
from tests.support.recordings import wav_file
from tests.support.scripted_engines import say_numbers

UPLOAD = "POST /v1/audio/transcriptions"
COMPLETED = "conversation.item.input_audio_transcription.completed"
TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
TRACEPARENT = {"traceparent": f"00-{TRACE:032x}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service() as server:
        yield server


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with spans.recorded(provider):
        yield exporter


def by_name(exporter: InMemorySpanExporter, *awaited: str) -> dict[str, ReadableSpan]:
    """Return the last span of each name, as soon as there are some of the awaited names."""

    def recorded() -> dict[str, ReadableSpan]:
        return {each.name: each for each in exporter.get_finished_spans()}

    assert eventually(lambda: {*awaited} <= recorded().keys())
    return recorded()


def parents(exporter: InMemorySpanExporter) -> dict[str, str]:
    """Return the name of what each span is a part of, by its own name; those of the client have none here."""
    recorded = exporter.get_finished_spans()
    names = {each.context.span_id: each.name for each in recorded}
    return {each.name: names.get(each.parent.span_id, "client") for each in recorded if each.parent is not None}


def transcribe(server: RealtimeService) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{server.port}/v1/audio/transcriptions",
        data={"model": "whisper-1", "prompt": "secret"},
        files={"file": wav_file(say_numbers([1, 2, 3]))},
        headers=TRACEPARENT,
        timeout=TIMEOUT,
    )
    assert "word3" in answer.text


def test_a_session_is_recorded_from_its_handshake_to_the_events_of_a_decode(
    server: RealtimeService, exporter: InMemorySpanExporter
) -> None:
    with server.session("intent=transcription", additional_headers=TRACEPARENT) as client:
        client.send_audio(utterance([1, 2, 3]))
        client.wait_for(COMPLETED)
    recorded = by_name(exporter, "session")
    assert parents(exporter) == {
        "session": "client", "handshake": "session", "turn": "session", "transcribe": "turn", "frames": "transcribe",
    }  # fmt: skip
    assert {each.context.trace_id for each in recorded.values()} == {TRACE}
    events = [event.name for each in exporter.get_finished_spans() for event in each.events]
    assert {"taken by an engine", "TranscriptExtended", "TranscriptCompleted"} <= set(events)


def test_a_turn_lasts_until_its_transcript_its_commit_without_one_or_the_end_of_its_audio(
    exporter: InMemorySpanExporter,
) -> None:
    tracer = spans.tracer()
    assert tracer is not None
    recording = SessionSpans(tracer)

    def turns_after(*events: Event) -> int:
        recording.produced(events, 0.0)
        return len(exporter.get_finished_spans())

    assert turns_after(AudioCommitted("untranscribed", transcribed=False)) == 1
    assert turns_after(AudioCommitted("committed"), SpeechStarted("begun", 0), AudioCleared()) == 2
    assert turns_after(TranscriptCompleted("committed", "", words=(), language="", samples=0)) == 3


def test_a_reply_is_recorded_with_the_jobs_of_its_voice(
    server: RealtimeService, exporter: InMemorySpanExporter
) -> None:
    with server.session() as client:
        client.speak("A secret.")
        client.wait_for("response.done")
    recorded = by_name(exporter, "session")
    assert parents(exporter)["synthesize"] == "response"
    assert dict(recorded["response"].attributes or {}) == {"status": "completed"}


def test_an_upload_is_recorded_with_its_segments(server: RealtimeService, exporter: InMemorySpanExporter) -> None:
    transcribe(server)
    recorded = by_name(exporter, UPLOAD)
    assert parents(exporter)["segment"] == UPLOAD
    assert dict(recorded[UPLOAD].attributes or {}) == {"http.response.status_code": 200}


def test_a_refused_session_is_recorded_with_the_code_of_its_error(exporter: InMemorySpanExporter) -> None:
    with (
        realtime_service(max_sessions=0) as server,
        pytest.raises(InvalidStatus),
        server.session(),
    ):
        pass
    assert dict(by_name(exporter, "session")["handshake"].attributes or {}) == {"error.type": "server_overloaded"}


def test_spans_hold_nothing_of_what_was_said_or_asked(server: RealtimeService, exporter: InMemorySpanExporter) -> None:
    transcribe(server)
    with server.session("intent=transcription&prompt=secret") as client:
        client.send_audio(utterance([1, 2, 3]))
        client.wait_for(COMPLETED)
    with server.session() as client:
        client.speak("A secret.")
        client.wait_for("response.done")
    by_name(exporter, UPLOAD, "session", "turn", "response")
    everything = "".join(each.to_json() for each in exporter.get_finished_spans())
    assert "transcribe" in everything
    assert "secret" not in everything
    assert "word" not in everything.replace('"words"', "")


class Receiver(http.server.ThreadingHTTPServer):
    """A receiver of OTLP over HTTP; `received` are the names of the service and the span of each span."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.received: list[tuple[str, str]] = []


class Requests(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        for resource in body.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.server.received += [(names["service.name"], each.name) for each in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


@pytest.mark.parametrize(("named", "service"), [({}, "vivavoce"), ({"OTEL_SERVICE_NAME": "captions"}, "captions")])
def test_spans_are_sent_to_the_receiver_that_the_environment_names(
    named: dict[str, str], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}", **named}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with realtime_service() as server, server.session():
            pass
        assert eventually(lambda: (service, "session") in receiver.received)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_recorded_where_nobody_receives_it(environ: dict[str, str]) -> None:
    with spans.exported(environ), spans.span("HTTP") as recording:
        assert (spans.tracer(), recording) == (None, None)
