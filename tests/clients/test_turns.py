from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.events import Committed, Completed, Delta, Event, Failed, Partial, SpeechStarted, SpeechStopped, Word
from clients.turns import Turns, overlap

WORD_SECONDS = 0.5
PAUSE_SECONDS = 1.0


@dataclass
class Program:
    """What a program has been handed out."""

    shown: dict[str, str] = field(default_factory=dict)
    final: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    def take(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Delta(item_id=item, text=text):
                    assert item not in self.final
                    self.shown[item] = self.shown.get(item, "") + text
                case Completed(item_id=item, text=text, words=words):
                    assert item not in self.final
                    assert self.shown.get(item, "").strip() == text
                    self.final[item] = text
                    self.times += [word.start for word in words]

    def hear(self, turns: Turns, *events: Event) -> None:
        for event in events:
            self.take(turns.receive(event))

    @property
    def text(self) -> str:
        return " ".join(text for text in self.final.values() if text)


class Audio:
    """Turns of numbered words, each said twice as long as its pause, and a session of the server over it."""

    def __init__(self, lengths: list[int]) -> None:
        self.turns: list[tuple[float, list[tuple[str, float]]]] = []
        at, number = 0.5, 0
        for length in lengths:
            words = [(f" word{number + index}", at + index * WORD_SECONDS) for index in range(length)]
            self.turns.append((at, words))
            number += length
            at += length * WORD_SECONDS + PAUSE_SECONDS

    @property
    def text(self) -> str:
        return "".join(word for _, words in self.turns for word, _ in words).strip()

    def session(self, name: str, base: float, *, fast: bool = False) -> list[Event]:
        """Return the events of a session whose audio begins at `base`; deltas have one word each.

        All speech is detected before anything is transcribed if the audio is sent `fast`.
        """
        events: list[Event] = []
        for index, (start, words) in enumerate(self.turns):
            heard = [(word, at) for word, at in words if at >= base]
            if not heard:
                continue
            item, begin = f"{name}_{index}", max(start, base)
            events.append(SpeechStarted(item, round((begin - base) * 1000)))
            for word, at in heard:
                events += [Partial(item, "", word, round((at + WORD_SECONDS - base) * 1000)), Delta(item, word)]
            end = words[-1][1] + WORD_SECONDS
            timed = tuple(Word(word, at - base, at - base + WORD_SECONDS, 1.0) for word, at in heard)
            events += [
                SpeechStopped(item, round((end - base) * 1000)),
                Committed(item, None),
                Completed(item, "".join(word for word, _ in heard).strip(), timed),
            ]
        detected = (SpeechStarted, SpeechStopped, Committed)
        return sorted(events, key=lambda event: not isinstance(event, detected)) if fast else events


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    fast=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_words_are_neither_lost_nor_doubled_wherever_sessions_break_off(
    lengths: list[int], cuts: list[int], fast: bool
) -> None:
    audio, program, turns = Audio(lengths), Program(), Turns()
    for number, cut in enumerate([*cuts, 10_000]):
        base = turns.answered
        assert turns.restart(base) == 0
        for event in audio.session(f"session{number}", base, fast=fast)[:cut]:
            program.take(turns.receive(event))
    assert turns.are_complete
    program.take(turns.settle())
    assert program.text == audio.text
    assert program.times == sorted(program.times)


@given(length=st.integers(20, 60), cut=st.integers(30, 150), kept=st.floats(2.0, 8.0))
@settings(max_examples=50, deadline=None)
def test_a_long_turn_goes_on_although_its_beginning_is_no_longer_kept(length: int, cut: int, kept: float) -> None:
    audio, program, turns = Audio([length]), Program(), Turns()
    turns.restart(0.0)
    events = audio.session("session0", 0.0)[:cut]
    for event in events:
        program.take(turns.receive(event))
    reached = max(event.audio_end_ms / 1000 for event in events if isinstance(event, Partial))
    base = max(turns.answered, reached - kept)
    missing = turns.restart(base)
    assert missing == (0 if program.final else pytest.approx(max(0.0, base - 0.5)))
    for event in audio.session("session1", base):
        program.take(turns.receive(event))
    assert program.text == audio.text
    assert len(program.times) in {0, length}  # all words have times, or none, so that subtitles leave none out


def test_text_that_is_transcribed_otherwise_the_second_time_is_not_doubled() -> None:
    program, turns = Program(), Turns()
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("a", 500), Delta("a", "Please bring"), Delta("a", " the minute."))
    turns.restart(0.0)
    text = ("please, bring the minutes", " of the last", " meeting.")
    program.hear(turns, SpeechStarted("b", 480), *(Delta("b", each) for each in text), Completed("b", "".join(text)))
    assert program.final == {"a": "Please bring the minute. of the last meeting."}


@pytest.mark.parametrize(
    ("before", "after", "final"),
    [
        ("Is that so", "Is that so?", "Is that so?"),
        ("Is that so", "is That so", "Is that so"),
        ("Is that so.", "Is that so?", "Is that so."),
        ("Is that", "Is that, in fact, so?", "Is that, in fact, so?"),
        ("Is this", "Is that.", "Is this"),
        ("यह सच है", "यह सच है।", "यह सच है।"),
    ],
)
def test_a_mark_that_was_lost_after_its_word_comes_with_the_second_transcript(
    before: str, after: str, final: str
) -> None:
    program, turns = Program(), Turns()
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("a", 500), Delta("a", before))
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("b", 480), Delta("b", after), Completed("b", after))
    assert program.final == {"a": final}


def test_turns_have_their_times_in_the_whole_audio() -> None:
    turns = Turns()
    turns.restart(10.0)
    turns.receive(SpeechStarted("a", 500))
    turns.receive(SpeechStopped("a", 1500))
    assert turns.receive(Completed("a", "Hello.")) == [Completed("a", "Hello.", start=10.5, end=11.5)]
    turns.receive(SpeechStarted("b", 3000))
    assert turns.settle() == [Completed("b", "", start=13.0)]


def test_languages_without_spaces_are_aligned_by_characters() -> None:
    program, turns = Program(), Turns()
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("a", 500), Delta("a", "今天天气"))
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("b", 500), Delta("b", "今天天气很好"), Completed("b", "今天天气很好。"))
    assert program.shown == {"a": "今天天气很好"}


def test_turns_that_are_one_the_second_time_keep_their_own_text() -> None:
    program, turns = Program(), Turns()
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("a", 500), Delta("a", "One two."), SpeechStopped("a", 1500))
    program.hear(turns, SpeechStarted("b", 2000), Delta("b", "Three"))
    turns.restart(0.0)
    program.hear(turns, SpeechStarted("c", 500), Delta("c", "One two. Three four."), SpeechStopped("c", 4000))
    program.hear(turns, Completed("c", "One two. Three four."))
    assert program.final == {"a": "One two.", "b": "Three four."}


def test_a_turn_of_which_nothing_is_heard_the_second_time_keeps_its_text() -> None:
    turns = Turns()
    turns.restart(0.0)
    for event in (SpeechStarted("a", 500), Delta("a", "Hello."), SpeechStopped("a", 1500)):
        turns.receive(event)
    turns.restart(0.0)
    over = Completed("a", "Hello.", start=0.5, end=1.5)
    assert turns.receive(SpeechStarted("b", 3000)) == [over, SpeechStarted("b", 3000)]


def test_a_turn_that_fails_the_second_time_is_not_asked_for_again() -> None:
    turns = Turns()
    turns.restart(0.0)
    turns.receive(SpeechStarted("a", 500))
    turns.restart(0.0)
    turns.receive(SpeechStarted("b", 500))
    assert turns.receive(SpeechStopped("b", 1500)) == [SpeechStopped("a", 1500)]
    assert turns.receive(Failed("b", "engine_failed", "It broke.")) == [Failed("a", "engine_failed", "It broke.")]
    assert turns.answered == 1.5


@pytest.mark.parametrize(
    ("before", "after", "repeated"),
    [
        ("a b c", "a b c d", 3),
        ("a b c", "a x c d", 3),
        ("a b c", "x y z d", 3),
        ("a b c d", "c d e", 2),
        ("no no no", "no no no no", 3),
        ("a b the", "a b that we should see the", 3),
        ("", "a b", 0),
        ("a b c", "a b", 2),
    ],
)
def test_the_overlap_of_two_transcripts(before: str, after: str, repeated: int) -> None:
    assert overlap(before.split(), after.split()) == repeated
