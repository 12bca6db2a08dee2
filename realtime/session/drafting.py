"""When the draft model writes the tentative words of live speech, and in which language.

A large recognizer takes seconds for a partial. Where the settings name a draft model, a small one, it decodes the
speech in between, and its words are shown as tentative after those of the recognizer (`LocalAgreement.continued`). They
are replaced by what the recognizer writes, and confirm it where both say the same (`LocalAgreement.confirm`); they are
never committed themselves.

A draft is of the newest segment, whatever finals of earlier ones are due, and there is one at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from realtime.audio.formats import WINDOW
from realtime.catalogue.table import ModelEntry
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.config import SessionConfig
from realtime.session.decode_policy import MIN_NEW_SPEECH
from realtime.session.events import Output
from realtime.session.in_flight import InFlight
from realtime.session.jobs import Jobs, Transcribe
from realtime.session.segments import Phase, Segment
from realtime.speech.language_evidence import Probabilities
from realtime.speech.sentence_case import begins_sentence, capitalised
from realtime.speech.transcript import Hypothesis

LAST_WORDS: Final = 3 * WINDOW
"""Samples of speech (96 ms) since the last draft that are worth another one in a pause."""


class Drafting:
    """The drafts of one session."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.in_flight: InFlight | None = None

    def advance(self, segment: Segment | None, model: ModelEntry | None) -> Iterator[Output]:
        """Request a draft of `segment`, the one that grows, if it is worth one.

        `model` is None where there is no draft model for it.
        """
        if self.in_flight is not None and self.in_flight.segment.done:
            yield self._jobs.cancel(self.in_flight.number)
            self.in_flight = None
        if self.in_flight is None and segment is not None and model is not None and _is_due(segment):
            self.in_flight = InFlight(self._jobs.begin(), segment, final=False, draft=True)
            yield Transcribe(self.in_flight.number, model, Priority.PARTIAL, draft=True)

    def end(self, number: int) -> InFlight | None:
        """Return the draft in flight if it has this number, which has been answered."""
        in_flight = self.in_flight
        if in_flight is None or in_flight.number != number:
            return None
        self.in_flight = None
        self._jobs.end(number)
        return in_flight


def _is_due(segment: Segment) -> bool:
    """Whether enough speech has come since the last draft: in a pause, any that no final has heard."""
    new_speech = segment.speech_end - max(segment.drafted_until, segment.speech_start or 0)
    match segment.phase:
        case Phase.SPEAKING:
            return new_speech >= MIN_NEW_SPEECH[LoadLevel.NORMAL]
        case Phase.PAUSING | Phase.PAUSED:
            answered = segment.final is not None and segment.final.speech_end == segment.speech_end
            return new_speech >= LAST_WORDS and not answered
        case _:
            return False


def draft_model(segment: Segment, config: SessionConfig, before: Sequence[Probabilities]) -> ModelEntry | None:
    """Return the draft model for the speech of a segment, None where there is none for its language.

    That is what the recognizer has heard in it, or `before`, the newest first. A draft model of one language, which
    would write any other as if it were that, is used only where the language is known.
    """
    model = config.recognizer.draft
    if model is None or (config.translate and not model.capabilities.translation):
        return None
    if config.recognizer.multilingual:
        language = config.known_language or segment.partial_language or _likeliest(before)
    else:
        (language,) = config.recognizer.languages
    if not model.languages or language in model.languages:
        return model
    return model if language is None and model.multilingual else None


def with_capital(
    hypothesis: Hypothesis, segment: Segment, config: SessionConfig, pending: Iterable[Segment]
) -> Hypothesis:
    """Return a hypothesis of a segment that begins a sentence with a capital letter, where there is a draft model.

    `pending` are the segments of `Turns.pending`: the text of those before this one may yet change.
    """
    first = next((each for each in pending if each.turn is segment.turn), segment)
    is_first = first is segment and not segment.agreement.committed
    if config.recognizer.draft is None or not is_first or not begins_sentence(segment.turn.text):
        return hypothesis
    return replace(hypothesis, words=capitalised(hypothesis.words))


def _likeliest(languages: Sequence[Probabilities]) -> str | None:
    return max(languages[0], key=lambda code: languages[0][code], default=None) if languages else None
