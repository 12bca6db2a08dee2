"""The load of one engine: every encoding and every batch of decodes is recorded here, and counted by all that need it.

`cost` says what a partial costs, `cadence` how often partials are affordable, `admission` how many sessions are. The
load itself keeps how busy the engine is and how much of its time each client received.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT, AdmissionControl
from realtime.scheduling.cadence import Cadence
from realtime.scheduling.cost import AVERAGING_SECONDS, USUAL_SECONDS, DecayingRate, PartialCost, normalized
from realtime.scheduling.priority import ClientId, Priority

UPLOAD_SHARE: Final = 0.1
"""Share of the engine's time that uploads get above the level NORMAL."""


class Load:
    """The load of an engine with `workers` threads."""

    def __init__(
        self,
        workers: int,
        estimated_partial_seconds: float,
        load_limit: float = DEFAULT_LOAD_LIMIT,
        *,
        patience: float = 1.0,
    ) -> None:
        """Begin with an estimate of what one partial costs, which measurements replace.

        `patience` is that of `Cadence`.
        """
        self.workers = workers
        self.cost = PartialCost(estimated_partial_seconds)
        self.cadence = Cadence(workers, self.cost, patience)
        self.admission = AdmissionControl(workers, self.cost, self.cadence, load_limit)
        self.busy = DecayingRate()
        """Share of the engine's time that is used, 0 to 1."""
        self._decodes = DecayingRate()
        self._batches = DecayingRate()
        self._uploads = DecayingRate()
        self._service_received: dict[str, DecayingRate] = {}
        """By account and session, those that received nothing for the longest time first."""

    def record_encode(
        self,
        client_id: ClientId,
        priority: Priority,
        seconds: float,
        now: float,
        audio_seconds: float = USUAL_SECONDS,
    ) -> None:
        """Count the encoding of one request with so much audio, which took `seconds`."""
        if priority is Priority.PARTIAL:
            self.cadence.record_partial(client_id.session, now)
            self.cost.record_encode(seconds, audio_seconds)
        self._record(client_id, priority, seconds, seconds, now)

    def record_decode(self, batch: Sequence[tuple[ClientId, Priority]], seconds: float, now: float) -> None:
        """Count the decoding of these requests, which took `seconds` together."""
        self._decodes.add(len(batch), now)
        self._batches.add(1, now)
        each = seconds / len(batch)
        normalized_each = normalized(each, len(batch))
        for client_id, priority in batch:
            if priority is Priority.PARTIAL:
                self.cost.record_decode(normalized_each)
            self._record(client_id, priority, each, normalized_each, now)

    def mean_batch(self, now: float) -> float:
        """Return how many requests were decoded together of late; 0 before the first."""
        batches = self._batches.read(now)
        return self._decodes.read(now) / batches if batches else 0.0

    def _record(
        self, client_id: ClientId, priority: Priority, seconds: float, normalized_seconds: float, now: float
    ) -> None:
        self.busy.add(seconds / self.workers, now)
        for name in client_id:
            rate = self._service_received.pop(name, None) or DecayingRate()
            rate.add(seconds, now)
            self._service_received[name] = rate
        match priority:
            case Priority.UPLOAD:
                self._uploads.add(seconds, now)
            case Priority.FINAL:
                self.cadence.record_final(normalized_seconds, now)
                self.admission.record_final(client_id.session, normalized_seconds, now)
            case Priority.PARTIAL:
                interval = self.cadence.partial_interval(now) or self.cadence.max_interval
                self.admission.record_partial(client_id.session, normalized_seconds, interval, now)
            case _:
                assert_never(priority)
        while now - (oldest := next(iter(self._service_received.items())))[1].at > 4 * AVERAGING_SECONDS:
            del self._service_received[oldest[0]]

    def service_received(self, client_id: ClientId, now: float) -> tuple[float, float]:
        """Return the engine seconds per second that the account, and the session, received recently (15 s average)."""
        account, session = (self._service_received.get(name, DecayingRate()).read(now) for name in client_id)
        return account, session

    def admits_uploads(self, now: float) -> bool:
        """Whether uploads may use the engine while no live request is due."""
        return not self.cadence.level(now).is_high or self._uploads.read(now) < UPLOAD_SHARE * self.workers
