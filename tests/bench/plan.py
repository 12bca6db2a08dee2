"""How much is measured: the whole benchmark, or a short look."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of the runs; seconds are those of the audio of each stream."""

    counts: tuple[int, ...]
    """Numbers of concurrent streams for the table of captions under load."""
    max_streams: int
    """Where the search for the capacity ends."""
    single_stream_seconds: float
    sentences: int
    turns: int
    """Turns of a conversation."""
    accuracy_seconds: float
    """Seconds of audio of all streams whose word errors are counted."""
    offered_streams: int
    """Streams that ask for a place where the service admits as many as it finds it can follow."""
    load_seconds: float
    one_stream_seconds: float
    """Seconds of the stream in a run with one stream: enough words for its percentiles."""
    utterance_seconds: tuple[float, ...]
    cost_seconds: float
    """Seconds of the stream for each length of utterance."""
    monologue_seconds: float
    stretch_seconds: float
    """Seconds of the monologue in one row of its table."""
    scripted_streams: int
    """Streams with scripted engines."""


FULL: Final = Plan(
    counts=(1, 4, 8, 12, 16),
    max_streams=128,
    single_stream_seconds=120,
    sentences=1000,
    turns=10,
    accuracy_seconds=1250,
    offered_streams=32,
    load_seconds=30,
    one_stream_seconds=60,
    utterance_seconds=(2, 5, 10, 20),
    cost_seconds=30,
    monologue_seconds=180,
    stretch_seconds=60,
    scripted_streams=200,
)
"""About 35 minutes on two CPUs."""

QUICK: Final = Plan(
    counts=(1, 4),
    max_streams=4,
    single_stream_seconds=30,
    sentences=10,
    turns=3,
    accuracy_seconds=60,
    offered_streams=6,
    load_seconds=20,
    one_stream_seconds=20,
    utterance_seconds=(2, 10),
    cost_seconds=20,
    monologue_seconds=40,
    stretch_seconds=20,
    scripted_streams=50,
)
"""About seven minutes, and figures to match."""
