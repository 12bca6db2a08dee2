"""Metrics for operators: counters, gauges and latency histograms in Prometheus' text format.

Sessions are measured by the events delivered to their clients; the core has no part in it. Labels hold model names,
error codes and reasons of suppression, never anything that a client sent.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias, TypeVar, get_args

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from realtime.audio.formats import SAMPLE_RATE
from realtime.backends.client import ChatReport
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.session.events import AudioCommitted, Event, SpeechStopped, TranscriptCompleted, TranscriptFailed
from realtime.session.response_events import ResponseAudioExtended, ResponseFinished, ResponseStarted
from realtime.speech.suppression import REPORTED, Suppression

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

# Upper bounds of histogram buckets, in seconds.
COMMIT_LAG_BUCKETS: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
FINAL_LATENCY_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
FIRST_AUDIO_BUCKETS: Final = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
FIRST_TOKEN_BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)

ResumeOutcome: TypeAlias = Literal["resumed", "superseded", "refused", "too_late", "expired", "evicted"]
"""What has become of a session whose connection was lost, or of a request to resume one."""

MAX_TURNS: Final = 64
"""Turns per session that may wait for their final transcript; in sessions without transcripts none ever comes."""


class Metrics:
    """The metrics of one application, in its own registry. All methods are thread-safe."""

    def __init__(
        self,
        schedulers: Callable[[], Mapping[str, Scheduler]],
        restarts: Callable[[], Mapping[str, int]] = dict,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Measure `schedulers()`, the schedulers of the loaded recognizers by model name, at every exposition.

        Likewise `restarts()`, how many processes of each model that runs in processes have ended by themselves.
        """
        self._clock = clock
        self._registry = CollectorRegistry()
        self._registry.register(_RestartCollector(restarts))
        self._registry.register(_SchedulerCollector(schedulers, clock))
        self.sessions_open = self._gauge("sessions_open", "Sessions in progress.")
        self._sessions_admitted = self._counter("sessions_admitted", "Sessions admitted.")
        self._sessions_refused = self._counter("sessions_refused", "Sessions refused, by error code.", "reason")
        self._sessions_parked = self._gauge("sessions_parked", "Sessions without a connection that can be resumed.")
        self._resumes = self._counter(
            "resumes", "Sessions resumed or not resumed after a lost connection, by outcome.", "outcome"
        )
        for outcome in get_args(ResumeOutcome):
            self._resumes.labels(outcome)
        self.turns_completed = self._counter("turns_completed", "Turns whose final transcript was delivered.")
        self.words_committed = self._counter("words_committed", "Words in final transcripts.")
        self.words_erased = self._counter("words_erased", "Tentative words revised before they were committed.")
        self.segments_suppressed = self._counter(
            "segments_suppressed", "Segments of audio whose text was suppressed, by reason.", "reason"
        )
        for reason in REPORTED:
            self.segments_suppressed.labels(reason)
        self.commit_lag = self._histogram(
            "commit_lag_seconds", "Audio received after the end of a word when it was committed.", COMMIT_LAG_BUCKETS
        )
        self.final_latency = self._histogram(
            "final_latency_seconds", "Time from the end of a turn to its final transcript.", FINAL_LATENCY_BUCKETS
        )
        self.first_audio = self._histogram(
            "first_audio_seconds", "Time from the start of a response to its first audio.", FIRST_AUDIO_BUCKETS
        )
        self._chat_requests = self._counter("chat_requests", "Requests to the chat backend, by outcome.", "outcome")
        for outcome in ("completed", "cancelled"):
            self._chat_requests.labels(outcome)
        self._chat_retries = self._counter("chat_retries", "Requests to the chat backend that were tried twice.")
        self._chat_first_token = self._histogram(
            "chat_first_token_seconds",
            "Time from a request to the chat backend to the first text or tool call.",
            FIRST_TOKEN_BUCKETS,
        )

    def open_session(self) -> "SessionMetrics":
        """Count one admitted session, which is open until the result is closed."""
        self._sessions_admitted.inc()
        self.sessions_open.inc()
        return SessionMetrics(self, self._clock)

    def count_refusal(self, code: str) -> None:
        """Count a refused session by the `code` of the error that was reported to it."""
        self._sessions_refused.labels(code).inc()

    def set_parked(self, number: int) -> None:
        """Set how many sessions are parked."""
        self._sessions_parked.set(number)

    def count_resume(self, outcome: ResumeOutcome) -> None:
        """Count what has become of a session whose connection was lost, or of a request to resume one."""
        self._resumes.labels(outcome).inc()

    def count_chat(self, report: ChatReport) -> None:
        """Count a request to the chat backend, which has ended."""
        self._chat_requests.labels(report.outcome).inc()
        self._chat_retries.inc(report.retried)
        if report.first_token_seconds is not None:
            self._chat_first_token.observe(report.first_token_seconds)

    def count_suppressed(self, reasons: Iterable[Suppression]) -> None:
        """Count segments whose text was suppressed."""
        for reason in reasons:
            self.segments_suppressed.labels(reason).inc()

    def samples(self) -> Iterator[Sample]:
        """Yield the present value of every metric, without the times at which counters began."""
        for family in self._registry.collect():
            yield from (each for each in family.samples if not each.name.endswith("_created"))

    def exposition(self) -> bytes:
        """Return all metrics as text of `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, namespace="vivavoce", registry=self._registry)

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(name, documentation, namespace="vivavoce", registry=self._registry)

    def _histogram(self, name: str, documentation: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, documentation, namespace="vivavoce", registry=self._registry, buckets=buckets)


class _SchedulerCollector(Collector):
    """Read the figures of the schedulers when the metrics are exposed."""

    def __init__(self, schedulers: Callable[[], Mapping[str, Scheduler]], clock: Callable[[], float]) -> None:
        self._schedulers = schedulers
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        now = self._clock()
        run = _family(CounterMetricFamily, "partials_run", "Partial transcriptions run.")
        shed = _family(CounterMetricFamily, "partials_shed", "Partial transcriptions delayed or skipped under load.")
        busy = _family(GaugeMetricFamily, "engine_busy_share", "Share of time for which the engine is busy, 0 to 1.")
        seconds = CounterMetricFamily(
            "vivavoce_engine_seconds", "Seconds that the engine has worked.", labels=("model", "request", "stage")
        )
        interval = _family(
            GaugeMetricFamily,
            "partial_interval_seconds",
            "Interval of one speaker's partials; +Inf: finals only.",
        )
        for name, scheduler in self._schedulers().items():
            run.add_metric([name], scheduler.partials_run)
            shed.add_metric([name], scheduler.partials_shed)
            busy.add_metric([name], scheduler.load.busy.read(now))
            for (priority, stage), spent in scheduler.engine_seconds.items():
                seconds.add_metric([name, priority.name.lower(), stage.value], spent)
            interval.add_metric([name], scheduler.load.cadence.partial_interval(now) or math.inf)
        yield from (run, shed, busy, seconds, interval)


class _RestartCollector(Collector):
    """Read the numbers of restarts when the metrics are exposed."""

    def __init__(self, restarts: Callable[[], Mapping[str, int]]) -> None:
        self._restarts = restarts

    def collect(self) -> Iterator[Metric]:
        ended = _family(
            CounterMetricFamily, "engine_restarts", "Processes of engines that crashed, hung or were killed."
        )
        for name, restarts in self._restarts().items():
            ended.add_metric([name], restarts)
        yield ended


Family = TypeVar("Family", CounterMetricFamily, GaugeMetricFamily)


def _family(kind: Callable[..., Family], name: str, documentation: str) -> Family:
    return kind(f"vivavoce_{name}", documentation, labels=("model",))


class SessionMetrics:
    """Measure one session."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._turn_ends: dict[str, float] = {}
        self._response_starts: dict[str, float] = {}

    def close(self) -> None:
        """Count the session as open no longer."""
        self._metrics.sessions_open.dec()

    def delivered(self, event: Event) -> None:
        """Record an event that is being sent to the client."""
        match event:
            case SpeechStopped(item_id=item_id) | AudioCommitted(item_id=item_id):
                self._turn_ends.setdefault(item_id, self._clock())
                if len(self._turn_ends) > MAX_TURNS:
                    del self._turn_ends[next(iter(self._turn_ends))]
            case TranscriptCompleted():
                self._completed(event)
            case TranscriptFailed(item_id=item_id):
                self._turn_ends.pop(item_id, None)
            case ResponseStarted(response):
                self._response_starts[response.id] = self._clock()
            case ResponseAudioExtended(response) if response.id in self._response_starts:
                self._metrics.first_audio.observe(self._clock() - self._response_starts.pop(response.id))
            case ResponseFinished(response):
                self._response_starts.pop(response.id, None)
            case _:
                pass

    def _completed(self, event: TranscriptCompleted) -> None:
        metrics = self._metrics
        metrics.turns_completed.inc()
        metrics.words_committed.inc(len(event.words))
        metrics.words_erased.inc(event.erased)
        metrics.count_suppressed(event.suppressed)
        for lag in event.commit_lags:  # word ends are estimates; a negative value would reset the sum
            metrics.commit_lag.observe(max(0, lag) / SAMPLE_RATE)
        if (end := self._turn_ends.pop(event.item_id, None)) is not None:
            metrics.final_latency.observe(self._clock() - end)
