import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.scheduling.priority import LoadLevel
from realtime.session.decode_policy import MIN_NEW_SPEECH, Decision, Waiting, next_request
from realtime.session.in_flight import InFlight, RequestState
from realtime.session.segments import (
    ANSWERED_FINAL_SILENCE,
    EARLY_FINAL_SILENCE,
    SHORT_SILENCE,
    FinalResult,
    Phase,
    Segment,
    Turn,
)
from realtime.speech.certainty import MIN_SPAN
from realtime.speech.suppression import MIN_SOUND, MIN_VOICED_WINDOWS, SpeechEvidence
from realtime.speech.transcript import Hypothesis, Word

SPEECH_START, SPEECH_END = SAMPLE_RATE, 3 * SAMPLE_RATE
EARLIER = SPEECH_END - 1
NOTHING = Hypothesis((), "")

SILENCE = {
    Phase.SPEAKING: (0, SHORT_SILENCE - 1),
    Phase.PAUSING: (SHORT_SILENCE, EARLY_FINAL_SILENCE - 1),
    Phase.PAUSED: (EARLY_FINAL_SILENCE, 10 * SAMPLE_RATE),
}
"""The least and the most silence in a phase."""


def segment(phase: Phase, *, silence: int | None = None, **fields: object) -> Segment:
    """A segment with speech from `SPEECH_START` to `SPEECH_END`, of which all is still to be transcribed."""
    made = Segment(Turn("item_1", 0), 0, SpeechEvidence(voiced=MIN_VOICED_WINDOWS, samples=MIN_SOUND))
    made.speech_start, made.speech_end = SPEECH_START, SPEECH_END
    made.scored_until = SPEECH_END + (SILENCE.get(phase, (0,))[0] if silence is None else silence)
    match phase:
        case Phase.SILENT:
            made.speech.voiced = MIN_VOICED_WINDOWS - 1
        case Phase.CLOSED:
            made.end = made.scored_until
        case Phase.DONE:
            made.done = True
    for name, value in fields.items():
        setattr(made, name, value)
    assert made.phase is phase
    return made


def in_flight(of: Segment, kind: str, speech_end: int = SPEECH_END) -> InFlight:
    """A transcription in flight such as "queued partial", of speech up to `speech_end`."""
    state = RequestState.QUEUED if kind.startswith("queued") else RequestState.RUNNING
    return InFlight(1, of, kind.endswith("final"), state, speech_end)


KINDS = ["queued partial", "running partial", "queued final", "running final"]


@pytest.mark.parametrize(("phase", "silence"), [(phase, edge) for phase, edges in SILENCE.items() for edge in edges])
def test_the_silence_after_speech_tells_the_phase(phase: Phase, silence: int) -> None:
    assert segment(phase, silence=silence).phase is phase


@pytest.mark.parametrize(
    ("silence", "phase"), [(ANSWERED_FINAL_SILENCE - 1, Phase.SPEAKING), (ANSWERED_FINAL_SILENCE, Phase.PAUSED)]
)
def test_a_pause_begins_sooner_where_an_answer_is_prepared(silence: int, phase: Phase) -> None:
    assert segment(phase, silence=silence, prepares_answer=True).phase is phase


@pytest.mark.parametrize("load", LoadLevel)
def test_a_partial_is_requested_for_enough_new_speech(load: LoadLevel) -> None:
    enough = SPEECH_END - MIN_NEW_SPEECH[load]
    assert next_request(segment(Phase.SPEAKING, requested_until=enough), None, load) is Decision.PARTIAL
    assert next_request(segment(Phase.SPEAKING, requested_until=enough + 1), None, load) is Waiting.NEW_SPEECH


def test_new_speech_begins_with_the_first_window_that_has_any() -> None:
    brief = segment(Phase.SPEAKING, speech_start=SPEECH_END - MIN_NEW_SPEECH[LoadLevel.NORMAL] + 1)
    assert next_request(brief, None, LoadLevel.NORMAL) is Waiting.NEW_SPEECH


@pytest.mark.parametrize(("span", "least"), [(MIN_SPAN, MIN_SPAN // 2), (3 * MIN_SPAN, MIN_SPAN // 2), (1, 4000)])
def test_once_words_are_committed_every_other_partial_can_confirm_another(span: int, least: int) -> None:
    begun = segment(Phase.SPEAKING, requested_until=SPEECH_END - least)
    for end in (0, MIN_SPAN):
        begun.agreement.update((Word(" yes", 0, 0, 0.9),), end)
    assert next_request(begun, None, LoadLevel.NORMAL, span) is Decision.PARTIAL
    begun.requested_until += 1
    assert next_request(begun, None, LoadLevel.NORMAL, span) is Waiting.NEW_SPEECH


@pytest.mark.parametrize("phase", [Phase.SPEAKING, Phase.PAUSING])
def test_where_only_finals_are_wanted_nothing_is_requested_before_a_pause(phase: Phase) -> None:
    subject = segment(phase)
    for flying, expected in (
        (None, Waiting.SPEAKING),
        (in_flight(subject, "queued final"), Decision.CANCEL),
        (in_flight(subject, "running final"), Waiting.SPEAKING),
    ):
        assert next_request(subject, flying, LoadLevel.NORMAL, partials=False) is expected
    assert next_request(segment(Phase.PAUSED), None, LoadLevel.NORMAL, partials=False) is Decision.FINAL


@pytest.mark.parametrize(
    ("phase", "why"),
    [(Phase.SILENT, Waiting.NO_SPEECH), (Phase.PAUSING, Waiting.PAUSE), (Phase.DONE, Waiting.DONE)],
)
def test_nothing_is_requested_before_speech_in_a_pause_too_short_and_afterwards(phase: Phase, why: Waiting) -> None:
    assert next_request(segment(phase), None, LoadLevel.NORMAL) is why


@pytest.mark.parametrize(
    ("phase", "kind", "expected"),
    [
        (Phase.SILENT, "queued partial", Waiting.NO_SPEECH),
        (Phase.SILENT, "running partial", Waiting.NO_SPEECH),
        (Phase.SILENT, "queued final", Waiting.NO_SPEECH),
        (Phase.SILENT, "running final", Waiting.NO_SPEECH),
        (Phase.SPEAKING, "queued partial", Waiting.IN_FLIGHT),
        (Phase.SPEAKING, "running partial", Waiting.IN_FLIGHT),
        (Phase.SPEAKING, "queued final", Waiting.IN_FLIGHT),
        (Phase.SPEAKING, "running final", Waiting.IN_FLIGHT),
        (Phase.PAUSING, "queued partial", Decision.CANCEL),
        (Phase.PAUSING, "running partial", Waiting.IN_FLIGHT),
        (Phase.PAUSING, "queued final", Waiting.IN_FLIGHT),
        (Phase.PAUSING, "running final", Waiting.IN_FLIGHT),
        (Phase.PAUSED, "queued partial", Decision.FINAL),
        (Phase.PAUSED, "running partial", Waiting.IN_FLIGHT),
        (Phase.PAUSED, "queued final", Waiting.IN_FLIGHT),
        (Phase.PAUSED, "running final", Waiting.IN_FLIGHT),
        (Phase.CLOSED, "queued partial", Decision.FINAL),
        (Phase.CLOSED, "running partial", Decision.FINAL),
        (Phase.CLOSED, "queued final", Waiting.IN_FLIGHT),
        (Phase.CLOSED, "running final", Waiting.IN_FLIGHT),
        (Phase.DONE, "queued partial", Waiting.DONE),
        (Phase.DONE, "running partial", Waiting.DONE),
        (Phase.DONE, "queued final", Waiting.DONE),
        (Phase.DONE, "running final", Waiting.DONE),
    ],
)
def test_what_is_in_flight_for_all_the_speech_decides_what_is_requested(
    phase: Phase, kind: str, expected: Decision | Waiting
) -> None:
    subject = segment(phase)
    assert next_request(subject, in_flight(subject, kind), LoadLevel.NORMAL) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("queued partial", Decision.FINAL),
        ("running partial", Decision.FINAL),
        ("queued final", Waiting.IN_FLIGHT),
        ("running final", Waiting.IN_FLIGHT),
    ],
)
def test_a_final_for_which_an_answer_waits_does_not_wait_for_a_partial(kind: str, expected: Decision | Waiting) -> None:
    subject = segment(Phase.PAUSED, prepares_answer=True)
    assert next_request(subject, in_flight(subject, kind), LoadLevel.NORMAL) is expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.CLOSED])
def test_a_final_replaces_what_is_in_flight_for_less_speech(phase: Phase, kind: str) -> None:
    subject = segment(phase)
    assert next_request(subject, in_flight(subject, kind, EARLIER), LoadLevel.NORMAL) is Decision.FINAL


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.CLOSED])
def test_a_final_replaces_what_is_in_flight_for_another_segment(phase: Phase, kind: str) -> None:
    other = segment(Phase.DONE)
    assert next_request(segment(phase), in_flight(other, kind), LoadLevel.NORMAL) is Decision.FINAL


@pytest.mark.parametrize("hypothesis", [NOTHING, None], ids=["answered", "failed"])
def test_in_a_pause_one_final_is_enough_whether_it_was_answered_or_failed(hypothesis: Hypothesis | None) -> None:
    decided = segment(Phase.PAUSED, final=FinalResult(SPEECH_END, hypothesis))
    assert next_request(decided, None, LoadLevel.NORMAL) is Waiting.ANSWERED


def test_in_the_next_pause_the_final_of_the_one_before_is_not_enough() -> None:
    resumed = segment(Phase.PAUSED, final=FinalResult(EARLIER, NOTHING))
    assert next_request(resumed, None, LoadLevel.NORMAL) is Decision.FINAL


def test_a_closed_segment_needs_a_final() -> None:
    assert next_request(segment(Phase.CLOSED), None, LoadLevel.NORMAL) is Decision.FINAL


def test_a_final_that_failed_in_the_pause_is_repeated_when_the_segment_is_closed() -> None:
    failed = segment(Phase.CLOSED, final=FinalResult(SPEECH_END, None))
    assert next_request(failed, None, LoadLevel.NORMAL) is Decision.FINAL
