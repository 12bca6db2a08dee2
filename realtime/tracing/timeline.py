"""The timeline of a traced session: turns, transcriptions, responses, and the causes of late words."""

from dataclasses import dataclass, field
from typing import Final

WORST_WORDS: Final = 10
"""Number of words in the summary of late words."""

UNFINISHED: Final = "unfinished"
"""The end of what has none in the trace."""


@dataclass(slots=True)
class Decode:
    """One transcription job. Times are seconds since the session began, positions samples at 16 kHz."""

    job: int
    kind: str
    """`partial`, `final` or `draft`."""
    requested: float
    """When the session requested it."""
    pulled: float | None = None
    """When an engine was free; until then the job waited in the queue."""
    start: int = 0
    end: int = 0
    load: str = ""
    done: float | None = None
    outcome: str = UNFINISHED
    """`answered`, `cancelled`, an error code, or `unfinished`."""
    encode_seconds: float = 0.0
    batch_seconds: float = 0.0
    """Time of the encoded request in the queue, until there was a batch to decode it with."""
    decode_seconds: float = 0.0
    ended_processes: int = 0
    """Processes of the engine that ended while they had the request."""
    words: int = 0
    suppressed: str = ""
    """Reason for which its text is suppressed, by the rules of `realtime.speech.suppression`; empty if it is not."""

    @property
    def queue_seconds(self) -> float:
        """Time from the request until an engine was free."""
        return (self.pulled if self.pulled is not None else self.done or self.requested) - self.requested

    @property
    def engine_seconds(self) -> float:
        """Time in the engine: encoding, waiting for a batch, and decoding."""
        return self.done - self.pulled if self.done is not None and self.pulled is not None else 0.0


@dataclass(slots=True)
class Delta:
    """Committed text; `text` is None in a trace without text."""

    at: float
    characters: int
    text: str | None
    audio: int
    """End of the audio that had been received."""


@dataclass(slots=True)
class LateWord:
    """A committed word and what it waited for, in seconds; the parts add up to `lag`.

    Of a turn that is not complete it is the text that was committed together, and `end` where it ends at the latest.
    """

    item_id: str
    text: str
    end: int
    """Position of its end in the audio."""
    lag: float
    """From the arrival of its last sample until it was committed."""
    detection: float
    """Until the first decode that covers it was requested: voice activity detection and the decode policy."""
    queue: float
    """Until engines were free for that decode and for those after it, up to the one that committed the word."""
    engine: float
    """Until these were answered."""
    agreement: float
    """Between them: until there was enough new speech for the next."""
    waiting: str
    """Why that decode was not requested earlier (`Waiting`), for most of `detection`; empty if nothing kept it."""

    @property
    def cause(self) -> str:
        """The longest of the four parts."""
        return max(("detection", "queue", "engine", "agreement"), key=lambda name: getattr(self, name))


@dataclass(slots=True)
class Turn:
    """A turn of the user."""

    item_id: str
    started: float
    start: int
    stopped: float | None = None
    end: int | None = None
    completed: float | None = None
    words: int = 0
    erased: int = 0
    suppressed: list[str] = field(default_factory=list)
    error: str = ""
    decodes: list[Decode] = field(default_factory=list)
    deltas: list[Delta] = field(default_factory=list)
    pauses: list[tuple[float, float | None]] = field(default_factory=list)
    """When each pause was judged, and the probability that the speaker had finished; None without an answer."""
    late_words: list[LateWord] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    """Seconds from its start to its transcript in which no decode was requested, by the reason (`Waiting`)."""

    @property
    def own_decodes(self) -> list[Decode]:
        """The decodes of the session's own recognizer, one after the other."""
        return [each for each in self.decodes if each.kind != "draft"]

    @property
    def final_latency(self) -> float | None:
        """Time from the end of the turn to its complete transcript."""
        if self.completed is None or self.stopped is None:
            return None
        return self.completed - self.stopped


@dataclass(slots=True)
class Reply:
    """A spoken response."""

    response_id: str
    started: float
    first_audio: float | None = None
    finished: float | None = None
    status: str = UNFINISHED
    error: str = ""
    """Code of the error with which it failed."""
    phrases: int = 0


@dataclass(slots=True)
class Timeline:
    """The timeline of a session."""

    session: str
    version: str
    started: str
    seconds: float = 0.0
    audio_seconds: float = 0.0
    end: str = UNFINISHED
    turns: list[Turn] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    loads: list[tuple[float, str]] = field(default_factory=list)
    """Time and new level of every change of load."""
    refused: list[tuple[float, str]] = field(default_factory=list)
    """Time and reason of every refused command, but for commits after the last turn, as clients end their audio."""

    @property
    def worst_words(self) -> list[LateWord]:
        """The words with the longest lag, the worst first."""
        words = [word for turn in self.turns for word in turn.late_words]
        return sorted(words, key=lambda word: -word.lag)[:WORST_WORDS]
