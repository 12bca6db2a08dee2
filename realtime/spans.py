"""Spans of OpenTelemetry: which step of a session or a request took how long, for a collector of the operator.

They are recorded where the variables `OTEL_*` of OpenTelemetry name a receiver and the packages of the extra `otel` are
installed; elsewhere nothing of it is imported. Spans hold names, sizes and durations; never audio, text, prompts or
keys, and so no messages of exceptions, which may quote a client.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from realtime.errors import VoiceError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

logger = logging.getLogger(__name__)

RECEIVERS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables with the address of a receiver of OTLP over HTTP; see opentelemetry.io/docs/specs/otel/protocol."""

SERVICE: Final = "vivavoce"
"""Name of the service where `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` give none."""

_tracer: "Tracer | None" = None


def tracer() -> "Tracer | None":
    """Return what records spans; None where nobody receives them."""
    return _tracer


@contextmanager
def exported(environ: Mapping[str, str]) -> Iterator[None]:
    """Record spans until the block ends, and send them to the receiver that the environment names, if it names one.

    Where the packages for that are missing, log it.
    """
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if disabled or not any(environ.get(name) for name in RECEIVERS):
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning("no spans are sent: the packages of OpenTelemetry are missing (pip install -e '.[otel]')")
        yield
        return
    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    with recorded(provider):
        yield


@contextmanager
def recorded(provider: "TracerProvider") -> Iterator[None]:
    """Record spans with a provider until the block ends, and shut it down, which sends the last ones."""
    global _tracer
    _tracer = provider.get_tracer("vivavoce")
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


def span(
    name: str, attributes: Mapping[str, float | str] | None = None, *, headers: Mapping[str, str] | None = None
) -> AbstractContextManager["Span | None"]:
    """Record the block as a span of the current one, whose children are those within the block; None without a tracer.

    With `headers`, those of a request, it is the server's part of what the client traces (W3C Trace Context).
    """
    return nullcontext() if _tracer is None else _span(_tracer, name, attributes, headers)


@contextmanager
def _span(
    tracer: "Tracer", name: str, attributes: Mapping[str, float | str] | None, headers: Mapping[str, str] | None
) -> Iterator["Span"]:
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    kind = SpanKind.INTERNAL if headers is None else SpanKind.SERVER
    context = None if headers is None else extract(headers)
    with tracer.start_as_current_span(
        name, context, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as recording:
        try:
            yield recording
        except VoiceError as error:
            failed(recording, error.code)
            raise


def failed(recording: "Span", code: str) -> None:
    """Mark a span as failed, with the code of its error."""
    from opentelemetry.trace import StatusCode

    recording.set_attribute("error.type", code)
    recording.set_status(StatusCode.ERROR)
