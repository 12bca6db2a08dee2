from collections.abc import Iterable

from realtime.speech.endpointing import (
    JUDGED_SILENCE,
    EndOfTurn,
    Endpointing,
    LongSilence,
    Offset,
    Onset,
    Pause,
    TurnDetection,
)

WINDOW = 512
DETECTION = TurnDetection(threshold=0.5, prefix_padding=4800, silence=8000)
BY_MEANING = TurnDetection(silence=10 * WINDOW, end_of_turn=EndOfTurn(shortest=8 * WINDOW, longest=28 * WINDOW))


def follow(
    probabilities: Iterable[float], endpointing: Endpointing | None = None
) -> list[Onset | Pause | Offset | LongSilence]:
    endpointing = endpointing or Endpointing(DETECTION)
    return [found for probability in probabilities if (found := endpointing.update(probability)) is not None]


def test_speech_starts_with_the_second_window_at_the_threshold() -> None:
    endpointing = Endpointing(DETECTION)
    assert endpointing.update(0.5) is None
    assert isinstance(endpointing.update(0.5), Onset)
    assert endpointing.speaking


def test_one_loud_window_is_a_click() -> None:
    assert follow([0, 1, 0, 1, 0, 1, 0]) == []


def test_the_start_is_moved_back_by_the_prefix_padding() -> None:
    assert follow([0] * 20 + [1, 1]) == [
        Onset(start=20 * WINDOW - 4800, voiced=20 * WINDOW, lead_in=20 * WINDOW - 4800)
    ]


def test_the_start_is_not_before_the_stream() -> None:
    assert follow([0, 1, 1], Endpointing(DETECTION, position=1000)) == [
        Onset(start=1000, voiced=1000 + WINDOW, lead_in=1000)
    ]


def test_the_start_is_not_within_the_utterance_before() -> None:
    _, stop, second = follow([1, 1] + [0] * 16 + [1, 1])
    assert isinstance(stop, Offset)
    assert isinstance(second, Onset)
    assert second.start == second.voiced == stop.end


def test_the_lead_in_reaches_into_the_silence_that_ended_the_speech_before() -> None:
    for silence, lead_in in ((7, 11 * WINDOW // 2), (32, 35 * WINDOW - 4800)):
        endpointing = Endpointing(TurnDetection(silence=silence * WINDOW))
        _, stop, second = follow([1, 1] + [0] * (silence + 1) + [1, 1], endpointing)
        assert isinstance(stop, Offset)
        assert isinstance(second, Onset)
        assert second.lead_in == lead_in


def test_speech_stops_after_enough_silence_which_it_includes() -> None:
    _, stop = follow([1, 1, 1] + [0] * 16)
    assert stop == Offset(end=19 * WINDOW)


def test_the_silence_after_speech_is_reported_once() -> None:
    detection = TurnDetection(silence=10 * WINDOW, reported_silence=30 * WINDOW)
    *_, stop, reported = follow([1, 1] + [0] * 100, Endpointing(detection))
    assert (stop, reported) == (Offset(12 * WINDOW), LongSilence(32 * WINDOW))


def test_a_silence_that_speech_interrupts_is_not_reported() -> None:
    detection = TurnDetection(silence=10 * WINDOW, reported_silence=30 * WINDOW)
    found = follow(([1, 1] + [0] * 28) * 3, Endpointing(detection))
    assert [type(each) for each in found] == [Onset, Offset] * 3


def test_the_silence_before_any_speech_is_not_reported() -> None:
    assert follow([0] * 100, Endpointing(TurnDetection(reported_silence=30 * WINDOW))) == []


def test_a_pause_shorter_than_the_silence_is_part_of_the_speech() -> None:
    assert len(follow(([1] * 4 + [0] * 15) * 10)) == 1


def test_speech_that_fades_below_the_threshold_goes_on_within_the_hysteresis() -> None:
    assert len(follow([1, 1] + [0.36] * 100)) == 1


def test_what_lies_below_the_hysteresis_is_silence() -> None:
    assert len(follow([1, 1] + [0.34] * 16)) == 2


def test_a_probability_within_the_hysteresis_starts_nothing() -> None:
    assert follow([0.49] * 100) == []


def test_after_speech_a_new_onset_needs_two_windows_again() -> None:
    assert len(follow([1, 1] + [0] * 16 + [1, 0, 1, 0])) == 2


def silence_windows(finished: float | None) -> int:
    """Windows of silence after which a turn ends whose first pause is judged like this."""
    endpointing = Endpointing(BY_MEANING)
    assert isinstance(follow([1, 1], endpointing)[0], Onset)
    for windows in range(1, 100):
        match endpointing.update(0.0):
            case Pause():
                endpointing.judge(finished)
            case Offset():
                return windows
    raise AssertionError


def test_a_pause_is_to_be_judged_once_with_a_little_of_its_silence() -> None:
    endpointing = Endpointing(BY_MEANING)
    found = follow([1, 1, *[0] * 7], endpointing)
    assert found[1:] == [Pause(2 * WINDOW + JUDGED_SILENCE)]


def test_a_gap_between_words_is_not_judged() -> None:
    assert len(follow([1, 1, *[0] * 5] * 3, Endpointing(BY_MEANING))) == 1


def test_silence_alone_is_not_judged() -> None:
    assert len(follow([1, 1, *[0] * 10], Endpointing(DETECTION))) == 1


def test_the_surer_the_end_the_shorter_the_silence() -> None:
    assert [silence_windows(finished) for finished in (1.0, 0.5, 0.0)] == [8, 18, 28]


def test_a_pause_that_cannot_be_judged_ends_after_the_usual_silence() -> None:
    assert silence_windows(None) == 10


def test_each_pause_is_judged_anew() -> None:
    endpointing = Endpointing(BY_MEANING)
    follow([1, 1, *[0] * 6], endpointing)
    endpointing.judge(0.0)
    assert isinstance(follow([*[0] * 20, 1, *[0] * 6], endpointing)[0], Pause)
    endpointing.judge(1.0)
    assert [type(found) for found in follow([0] * 2, endpointing)] == [Offset]
