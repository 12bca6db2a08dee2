from collections.abc import Iterable

from realtime.speech.endpointing import Endpointing, Offset, Onset, TurnDetection

WINDOW = 512
DETECTION = TurnDetection(threshold=0.5, prefix_padding=4800, silence=8000)


def follow(probabilities: Iterable[float], endpointing: Endpointing | None = None) -> list[Onset | Offset]:
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
    assert follow([0] * 20 + [1, 1]) == [Onset(start=20 * WINDOW - 4800, voiced=20 * WINDOW)]


def test_the_start_is_not_before_the_stream() -> None:
    assert follow([0, 1, 1], Endpointing(DETECTION, position=1000)) == [Onset(start=1000, voiced=1000 + WINDOW)]


def test_the_start_is_not_within_the_utterance_before() -> None:
    _, stop, second = follow([1, 1] + [0] * 16 + [1, 1])
    assert isinstance(stop, Offset)
    assert second == Onset(start=stop.end, voiced=stop.end)


def test_speech_stops_after_enough_silence_which_it_includes() -> None:
    _, stop = follow([1, 1, 1] + [0] * 16)
    assert stop == Offset(end=19 * WINDOW)


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
