"""The metrics, read as Prometheus would read them; the clock is wound by hand."""

import math
from contextlib import closing

from prometheus_client.parser import text_string_to_metric_families

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.backends.client import ChatReport
from realtime.edge.metrics import MAX_TURNS, Metrics
from realtime.errors import EngineError
from realtime.scheduling.cadence import MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import AVERAGING_SECONDS
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ANONYMOUS, Priority
from realtime.scheduling.queue import Stage
from realtime.session.config import Modality
from realtime.session.events import (
    AudioCommitted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
)
from realtime.session.response_events import Response, ResponseAudioExtended, ResponseStarted
from realtime.speech.suppression import REPORTED, Suppression
from realtime.speech.transcript import Word

HELLO = (Word(" Hello", 1_600, 4_800, 0.9), Word(" there.", 4_800, 9_600, 0.75))
RESPONSE = Response("resp_1", True, Modality.AUDIO, AudioFormat(Encoding.PCM16, 24_000), "calm", None)
AUDIO = ResponseAudioExtended(RESPONSE, 0, "item_1", b"", 0)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def value(metrics: Metrics, name: str, **labels: str) -> float:
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }
    return samples[f"vivavoce_{name}", *sorted(labels.items())]


def test_a_session_is_open_until_it_ends_and_stays_counted() -> None:
    metrics = Metrics(dict)
    with closing(metrics.open_session()), closing(metrics.open_session()):
        assert value(metrics, "sessions_open") == 2
    assert (value(metrics, "sessions_open"), value(metrics, "sessions_admitted_total")) == (0, 2)


def test_refusals_are_counted_by_reason() -> None:
    metrics = Metrics(dict)
    for code in ("server_overloaded", "invalid_api_key", "server_overloaded"):
        metrics.count_refusal(code)
    assert value(metrics, "sessions_refused_total", reason="server_overloaded") == 2
    assert value(metrics, "sessions_refused_total", reason="invalid_api_key") == 1


def test_a_completed_transcript_is_counted_with_its_words() -> None:
    metrics = Metrics(dict)
    with closing(metrics.open_session()) as session:
        for erased in (3, 0):
            session.delivered(TranscriptCompleted("item_1", "Hello there.", HELLO, "en", 16_000, erased=erased))
    assert value(metrics, "turns_completed_total") == 2
    assert value(metrics, "words_committed_total") == 4
    assert value(metrics, "words_erased_total") == 3


def test_suppressed_segments_are_counted_by_reason_and_every_reason_is_there_from_the_start() -> None:
    metrics = Metrics(dict)
    reasons = (Suppression.REPETITION, Suppression.NO_SPEECH, Suppression.REPETITION)
    with closing(metrics.open_session()) as session:
        session.delivered(TranscriptCompleted("item_1", "", (), "en", 16_000, reasons))
    counts = {reason: value(metrics, "segments_suppressed_total", reason=reason) for reason in REPORTED}
    assert counts == {**dict.fromkeys(REPORTED, 0), Suppression.REPETITION: 2, Suppression.NO_SPEECH: 1}


def test_commit_lags_are_seconds_of_audio_and_never_negative() -> None:
    metrics = Metrics(dict)
    lags = (-160, SAMPLE_RATE // 4, 3 * SAMPLE_RATE)
    with closing(metrics.open_session()) as session:
        session.delivered(TranscriptCompleted("item_1", "", HELLO, "en", 16_000, commit_lags=lags))
    assert value(metrics, "commit_lag_seconds_bucket", le="0.25") == 2
    assert value(metrics, "commit_lag_seconds_bucket", le="3.0") == 3
    assert value(metrics, "commit_lag_seconds_sum") == 3.25


def test_the_latency_of_a_final_counts_from_where_the_turn_ended() -> None:
    clock = Clock()
    metrics = Metrics(dict, clock=clock)
    with closing(metrics.open_session()) as session:
        session.delivered(SpeechStopped("item_1", 16_000))
        clock.now += 0.25
        session.delivered(AudioCommitted("item_1"))
        session.delivered(AudioCommitted("item_2"))
        session.delivered(TranscriptExtended("item_1", "Hello"))
        clock.now += 0.5
        session.delivered(TranscriptCompleted("item_1", "", (), "en", 16_000))
        session.delivered(TranscriptCompleted("item_2", "", (), "en", 16_000))
    assert value(metrics, "final_latency_seconds_bucket", le="0.5") == 1
    assert value(metrics, "final_latency_seconds_count") == 2
    assert value(metrics, "final_latency_seconds_sum") == 1.25


def test_a_turn_that_failed_has_no_latency_and_does_not_count() -> None:
    metrics = Metrics(dict)
    with closing(metrics.open_session()) as session:
        session.delivered(AudioCommitted("item_1"))
        session.delivered(TranscriptFailed("item_1", EngineError("out of memory")))
    assert (value(metrics, "final_latency_seconds_count"), value(metrics, "turns_completed_total")) == (0, 0)


def test_turn_ends_without_a_transcript_are_forgotten_beyond_max_turns() -> None:
    metrics = Metrics(dict)
    with closing(metrics.open_session()) as session:
        for number in range(MAX_TURNS + 1):
            session.delivered(AudioCommitted(f"item_{number}"))
        for number in range(MAX_TURNS + 1):
            session.delivered(TranscriptCompleted(f"item_{number}", "", (), "en", 16_000))
    assert value(metrics, "final_latency_seconds_count") == MAX_TURNS


def test_only_the_first_audio_of_a_response_is_waited_for() -> None:
    clock = Clock()
    metrics = Metrics(dict, clock=clock)
    with closing(metrics.open_session()) as session:
        for _ in range(2):
            session.delivered(ResponseStarted(RESPONSE))
            clock.now += 0.125
            session.delivered(AUDIO)
            clock.now += 1
            session.delivered(AUDIO)
    assert value(metrics, "first_audio_seconds_count") == 2
    assert value(metrics, "first_audio_seconds_sum") == 0.25


def scheduler() -> Scheduler:
    return Scheduler(Load(1, 0.1))


def test_restarts_are_exported_for_each_model_in_processes() -> None:
    metrics = Metrics(dict, lambda: {"whisper-base": 2})
    assert value(metrics, "engine_restarts_total", model="whisper-base") == 2


def test_scheduler_figures_are_exported_for_each_recognizer() -> None:
    clock, busy, idle = Clock(), scheduler(), scheduler()
    metrics = Metrics(lambda: {"busy": busy, "idle": idle}, clock=clock)
    busy.partials_run, busy.partials_shed = 5, 1
    busy.load.busy.add(AVERAGING_SECONDS / 2, clock.now)
    assert value(metrics, "partials_run_total", model="busy") == 5
    assert value(metrics, "partials_shed_total", model="busy") == 1
    assert value(metrics, "engine_busy_share", model="busy") == 0.5
    busy.engine_seconds[Priority.FINAL, Stage.DECODE] += 1.5
    assert value(metrics, "engine_seconds_total", model="busy", request="final", stage="decode") == 1.5
    assert value(metrics, "partials_run_total", model="idle") == 0
    assert value(metrics, "engine_busy_share", model="idle") == 0
    assert value(metrics, "partial_interval_seconds", model="idle") == MIN_PARTIAL_INTERVAL


def test_the_partial_interval_is_infinite_while_there_are_no_partials() -> None:
    clock, full = Clock(), scheduler()
    full.load.record_encode(ANONYMOUS, Priority.FINAL, AVERAGING_SECONDS, clock.now)
    metrics = Metrics(lambda: {"full": full}, clock=clock)
    assert value(metrics, "partial_interval_seconds", model="full") == math.inf


def test_two_applications_do_not_share_their_metrics() -> None:
    one, other = Metrics(dict), Metrics(dict)
    one.count_refusal("server_overloaded")
    with closing(one.open_session()):
        assert value(other, "sessions_open") == 0


def test_requests_to_the_chat_backend_are_counted_by_outcome_and_their_first_token_is_measured() -> None:
    metrics = Metrics(dict)
    metrics.count_chat(ChatReport("completed", 0.25, retried=True))
    metrics.count_chat(ChatReport("backend_timeout", None, retried=True))
    metrics.count_chat(ChatReport("cancelled", None, retried=False))
    for outcome in ("completed", "backend_timeout", "cancelled"):
        assert value(metrics, "chat_requests_total", outcome=outcome) == 1
    assert value(metrics, "chat_retries_total") == 2
    assert value(metrics, "chat_first_token_seconds_count") == 1
    assert value(metrics, "chat_first_token_seconds_sum") == 0.25
