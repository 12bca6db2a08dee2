"""The load of an engine, made by sessions that talk and by finals."""

from typing import Final

from realtime.scheduling.cost import TARGET_BATCH_SIZE
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ClientId, Priority

NOW: Final = 1000.0


def client_id(number: int, account: str = "") -> ClientId:
    return ClientId(account, f"session {number}")


def load_of(workers: int, partial_seconds: float, patience: float = 1.0) -> Load:
    """Return the load of an engine that has done nothing yet."""
    return Load(workers, partial_seconds, patience=patience)


def talk(load: Load, talkers: int, now: float, *, cost: float) -> None:
    """Record a partial of this cost for each of this many sessions, decoded in batches of the target size."""
    for number in range(talkers):
        load.record_encode(client_id(number), Priority.PARTIAL, cost / 2, now)
    for first in range(0, talkers, TARGET_BATCH_SIZE):
        batch = [
            (client_id(number), Priority.PARTIAL) for number in range(first, min(talkers, first + TARGET_BATCH_SIZE))
        ]
        load.record_decode(batch, len(batch) * cost / 2, now)


def finish(load: Load, seconds: float, now: float) -> None:
    """Record a final of this cost, decoded in a batch of the target size."""
    load.record_decode([(client_id(1), Priority.FINAL)] * TARGET_BATCH_SIZE, seconds, now)
