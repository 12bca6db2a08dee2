"""Turns and segments: a turn of the user, and the parts of its audio that are decoded as one.

A segment knows which part of its audio is worth decoding. A segment that has grown too long is cut in two (`cut`), or
forgets the audio of words that are committed (`trim`). Positions are samples at 16 kHz since the session began.

The phases of a segment (`Phase`):

             speech             96 ms of silence           288 ms of silence
    SILENT ----------> SPEAKING -----------------> PAUSING -----------------> PAUSED
                        ^    ^       speech           |                          |
                        |    +------------------------+          speech          |
                        +--------------------------------------------------------+

    any of these ---- the turn ends, or the segment is cut ----> CLOSED ---- final used or failed ----> DONE
    any of these ---- the client clears the turn, or no transcript is wanted any more ----> DONE
"""

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from realtime.audio.buffer import QUIET_SPAN, AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.errors import VoiceError
from realtime.scheduling.priority import LoadLevel
from realtime.session.config import SessionConfig
from realtime.session.events import TranscriptCompleted
from realtime.speech.endpointing import HYSTERESIS
from realtime.speech.local_agreement import Draft, LocalAgreement, agreed_length
from realtime.speech.recognition import LEAD_IN
from realtime.speech.suppression import REPORTED, SpeechEvidence, Suppression
from realtime.speech.transcript import Hypothesis, Word
from realtime.speech.voice import VoiceActivity

SHORT_SILENCE: Final = 3 * WINDOW
"""Samples without speech (96 ms) after which a pause may have begun."""

EARLY_FINAL_SILENCE: Final = 9 * WINDOW
"""Samples without speech (288 ms) that count as a pause, in which the final is requested before the turn has ended."""

ANSWERED_FINAL_SILENCE: Final = 2 * WINDOW
"""The same (64 ms) for a turn whose answer is prepared in the pause.

The answer and its first phrase follow the final, which takes 0.2 s on an idle machine. Word errors of 7 minutes of
clean, noisy and telephone English are the same, 100 of 1018, with a final after 64 and after 288 ms; there are 200
finals instead of 115.
"""

LEAD_OUT: Final = SAMPLE_RATE * 200 // 1000
"""Samples decoded after the last window with speech (200 ms)."""

COMMITTED_CONTEXT: Final = {
    LoadLevel.LOW: 5 * SAMPLE_RATE,
    LoadLevel.NORMAL: 5 * SAMPLE_RATE // 2,
    LoadLevel.BUSY: 3 * SAMPLE_RATE // 2,
    LoadLevel.CRITICAL: 3 * SAMPLE_RATE // 2,
}
"""Samples, by load, before the first tentative word that partials still decode: committed words as context.

Of 183 words of one reader, 11 are wrong with 2.5 s, as with all of the segment, and 15 with 1.5 s. Of 2,848 words of
other recordings, 141 are wrong with 2.5 s, and 132 with 5 s; with twelve speakers, who share the engine, as many.
"""

LONG_WORD: Final = SAMPLE_RATE
"""Samples (1 s) that no word lasts, but for long numbers in figures."""


class Phase(Enum):
    """How far a segment has come."""

    SILENT = auto()
    """No speech yet."""
    SPEAKING = auto()
    """The last window with speech is less than `SHORT_SILENCE` ago."""
    PAUSING = auto()
    """It is less than `EARLY_FINAL_SILENCE` ago, or `ANSWERED_FINAL_SILENCE` if an answer is prepared."""
    PAUSED = auto()
    """It is longer ago than that."""
    CLOSED = auto()
    """The end is fixed; the final is due."""
    DONE = auto()
    """The final was used or failed, or no transcript of the turn is wanted."""


@dataclass(slots=True)
class Turn:
    """One turn of the user, with what the finished segments of it have contributed to the transcript."""

    id: str
    """Identifier of the conversation item that the turn becomes."""
    start: int
    end: int = 0
    text: str = ""
    """All text committed so far, of unfinished segments too."""
    words: tuple[Word, ...] = ()
    commit_lags: tuple[int, ...] = ()
    erased: int = 0
    language: str = ""
    suppressed: tuple[Suppression, ...] = ()
    error: VoiceError | None = None
    """Why the final of a segment failed; the transcript of the whole turn has failed then."""

    def completed(self) -> TranscriptCompleted:
        """Return the event that reports the final transcript."""
        return TranscriptCompleted(
            item_id=self.id,
            text=self.text.strip(),
            words=self.words,
            language=self.language,
            samples=self.end - self.start,
            suppressed=self.suppressed,
            commit_lags=self.commit_lags,
            erased=self.erased,
        )


@dataclass(frozen=True, slots=True)
class FinalResult:
    """The answer to a final: of the speech up to `speech_end`, and None where the decode failed."""

    speech_end: int
    hypothesis: Hypothesis | None


@dataclass(slots=True)
class Segment:
    """Audio of a turn that is decoded as one. `start` moves on as words are committed and their audio is trimmed."""

    turn: Turn
    start: int
    speech: SpeechEvidence
    end: int | None = None
    """Set when the segment is closed."""
    ends_turn: bool = False
    """Whether the segment is closed and the last of its turn."""
    done: bool = False
    config: SessionConfig | None = None
    """The configuration in effect when the segment was closed."""
    speech_start: int | None = None
    """Start of the first window with speech."""
    speech_end: int = 0
    """End of the last window with speech."""
    scored_until: int = 0
    """End of the last window added."""
    partial_start: int | None = None
    """Start of the audio that partials decode; None as long as that is all of the segment."""
    requested_until: int = 0
    """Value of `speech_end` at the last request."""
    partial_language: str | None = None
    """Language of the last partial in which it was certain, or after which partials became shorter: later partials are
    decoded in it without detection."""
    final: FinalResult | None = None
    draft: Draft | None = None
    """The newest hypothesis of the draft model."""
    draft_language: str | None = None
    """Language of the last draft in which it was certain."""
    drafted_until: int = 0
    """Value of `speech_end` at the last request to the draft model."""
    shown: tuple[Word, ...] = ()
    """With a draft, the words committed and tentative so far."""
    erased: int = 0
    """With drafts, the number of tentative words that were changed or removed."""
    prepares_answer: bool = False
    """Whether an answer is prepared in its pauses, so that the final is wanted as soon as one begins."""
    agreement: LocalAgreement = field(default_factory=LocalAgreement)
    voice: VoiceActivity = field(init=False)
    """Where the detector found voice."""
    committed_at: list[int] = field(default_factory=list)
    """For each committed word, how much of the session's audio had been received when it was committed."""

    def __post_init__(self) -> None:
        self.voice = VoiceActivity(self.speech.threshold)

    @property
    def phase(self) -> Phase:
        """The phase by the windows added so far."""
        if self.done:
            return Phase.DONE
        if self.end is not None:
            return Phase.CLOSED
        if not self.speech.has_speech:
            return Phase.SILENT
        if self.silence >= (ANSWERED_FINAL_SILENCE if self.prepares_answer else EARLY_FINAL_SILENCE):
            return Phase.PAUSED
        return Phase.SPEAKING if self.silence < SHORT_SILENCE else Phase.PAUSING

    @property
    def silence(self) -> int:
        """Samples since the last window with speech."""
        return self.scored_until - self.speech_end

    @property
    def is_open(self) -> bool:
        """Whether the segment still grows."""
        return not self.done and self.end is None

    @property
    def tentative(self) -> tuple[Word, ...]:
        """The words that are not committed, of the newest hypothesis and of a draft of later audio."""
        return self.agreement.tentative if self.draft is None else self.agreement.continued(self.draft)

    @property
    def new_speech(self) -> int:
        """Samples with speech since the last request."""
        return 0 if self.speech_start is None else self.speech_end - max(self.requested_until, self.speech_start)

    def add_window(self, start: int, end: int, probability: float) -> None:
        """Add the window from `start` to `end` with its speech probability."""
        self.scored_until = end
        voiced = self.speech.add(probability, end - start)
        self.voice.add(start, end, probability)
        if voiced and self.speech_start is None:
            self.speech_start = start
        # Speech trails off: windows that keep a turn open are worth decoding too.
        if voiced or (self.speech_start is not None and probability >= self.speech.threshold - HYSTERESIS):
            self.speech_end = end

    def decode_range(self) -> tuple[int, int]:
        """Return start and end of the audio of a final: the speech with `LEAD_IN` before and `LEAD_OUT` after it."""
        first = self.start if self.speech_start is None else max(self.start, self.speech_start - LEAD_IN)
        end = self.scored_until if self.end is None else self.end
        return first, max(first, min(end, self.speech_end + LEAD_OUT))

    @property
    def missing_lead_in(self) -> int:
        """Samples of `LEAD_IN` that a turn lacks because it begins with speech; 0 for a segment that continues one."""
        if self.speech_start is None or self.start != self.turn.start:
            return 0
        return max(0, LEAD_IN - (self.speech_start - self.start))

    def cut(self, at: int) -> "Segment":
        """End the segment at `at` and return the one that continues the turn from there."""
        rest = Segment(self.turn, at, SpeechEvidence(self.speech.threshold), scored_until=self.scored_until)
        if self.speech_end > at:  # in the middle of speech
            rest.speech, rest.voice = replace(self.speech), self.voice.since(at)
            rest.speech_start, rest.speech_end, self.speech_end = at, self.speech_end, at
            self.end = at
        else:  # a final that was requested in this pause decodes as much of it
            self.end = max(at, min(self.scored_until, self.speech_end + LEAD_OUT))
        return rest

    def shorten_partials(self, hypothesis: Hypothesis, end: int, buffer: AudioBuffer, load: LoadLevel) -> None:
        """Let partials decode no more of the committed words than `COMMITTED_CONTEXT` before the first tentative one.

        `hypothesis` is the newest partial, with word times, of audio up to `end`. Nothing changes where no word
        boundary allows it, nor where a word lasts for `LONG_WORD`: words may be missing beside it.
        """
        if any(word.end - word.start >= LONG_WORD for word in hypothesis.words):
            return
        tentative = self.agreement.tentative
        first = hypothesis.words[-len(tentative)].start if tentative else end
        if (gap := self.agreement.leave_out(hypothesis.words, first - COMMITTED_CONTEXT[load])) is not None:
            earliest = self.start if self.partial_start is None else self.partial_start
            self.partial_start = buffer.quietest(max(earliest, gap[0] - QUIET_SPAN), gap[1] + QUIET_SPAN)
            self.partial_language = hypothesis.language or None  # shorter audio shows it less clearly

    def trim(self) -> None:
        """Forget the audio that partials no longer decode."""
        if self.partial_start is not None:
            self.start, self.partial_start = self.partial_start, None
            self.voice = self.voice.since(self.start)
            self.agreement.trim()

    def finish(self, hypothesis: Hypothesis, why: Suppression | None) -> None:
        """Hand the committed words to the turn; `why` says for what reason the text of the final was suppressed."""
        self.done = True
        turn, agreement = self.turn, self.agreement
        turn.words += tuple(agreement.committed)
        turn.commit_lags += tuple(
            at - word.end
            for at, word in zip(self.committed_at, agreement.committed, strict=True)
            if word.end > word.start
        )
        self.note_erased()
        turn.erased += agreement.erased if self.draft is None else self.erased
        if agreement.committed:
            turn.language = hypothesis.language or turn.language
        if why in REPORTED:
            turn.suppressed += (why,)

    def note_committed(self, position: int) -> None:
        """Record that the words committed since the last call were committed when audio up to `position` had come."""
        self.committed_at += [position] * (len(self.agreement.committed) - len(self.committed_at))

    def note_erased(self) -> None:
        """Count the words of `shown` that are others now."""
        if self.draft is not None:
            before, self.shown = self.shown, (*self.agreement.committed, *self.tentative)
            self.erased += len(before) - agreed_length(before, self.shown)
