"""The turns of the library of web pages when another session replaces a lost one, in Node."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from realtime.edge.page import DIRECTORY

NODE = shutil.which("node")
TRANSCRIPTION = "conversation.item.input_audio_transcription."
PROGRAM = """
import { createInterface } from "node:readline";
const { Transcripts } = await import(process.argv[1]);
for await (const line of createInterface({ input: process.stdin })) {
  const finals = [];
  const shown = {};
  const onPartial = ({ id, committed }) => (shown[id] = committed);
  const onFinal = ({ id, committed, start, words }) => finals.push([id, committed, start, words]);
  const transcripts = new Transcripts(onPartial, onFinal);
  for (const [base, events] of JSON.parse(line)) {
    transcripts.restart(base);
    for (const event of events) transcripts.receive(event);
  }
  console.log(JSON.stringify([finals, transcripts.answered, shown]));
}
"""
Event = dict[str, Any]

pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node")


Transcribed = tuple[list[list[Any]], float, dict[str, str]]
"""Final turns (id, text, start, words), the second before which everything is transcribed, the last text by turn."""

Follow = Callable[..., Transcribed]


@pytest.fixture(scope="module")
def follow() -> Iterator[Follow]:
    """Provide what becomes of the events of sessions, each after the second at which its audio begins."""
    command = [str(NODE), "--input-type=module", "-e", PROGRAM, str(DIRECTORY / "vivavoce/transcripts.js")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def answer(*sessions: tuple[float, list[Event]]) -> Transcribed:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps(sessions)}\n")
            process.stdin.flush()
            turns, answered, shown = json.loads(process.stdout.readline())
            return turns, answered, shown

        yield answer


def started(item: str, at_ms: int) -> Event:
    return {"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": at_ms}


def stopped(item: str, at_ms: int) -> Event:
    return {"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": at_ms}


def said(item: str, *texts: str) -> list[Event]:
    return [{"type": f"{TRANSCRIPTION}delta", "item_id": item, "delta": text} for text in texts]


def partial(item: str, at_ms: int) -> Event:
    return {"type": "x.transcription.partial", "item_id": item, "text": "", "audio_end_ms": at_ms}


def completed(item: str, text: str, *starts: float) -> Event:
    words = [{"word": each, "start": start, "end": start} for each, start in zip(text.split(), starts, strict=False)]
    return {"type": f"{TRANSCRIPTION}completed", "item_id": item, "transcript": text, "words": words}


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([" a b", " c"], [" a b", " c d"], "a b c d"),
        ([" a b"], [" a b"], "a b"),
        ([" Is that so"], [" Is that so?"], "Is that so?"),
        ([" यह सच है"], [" यह सच है।"], "यह सच है।"),
        (
            [" Please bring", " the minute."],
            [" please, bring the minutes", " of it."],
            "Please bring the minute. of it.",
        ),
        ([" no no no"], [" no no no no"], "no no no no"),
        ([" a b the"], [" a b that we should see the end"], "a b the we should see the end"),
        (["今天天气"], ["今天天", "气很好。"], "今天天气很好。"),
        ([], [" a b"], "a b"),
    ],
)
def test_a_turn_goes_on_in_the_session_that_replaces_a_lost_one(
    follow: Follow, before: list[str], after: list[str], text: str
) -> None:
    lost = (0.0, [started("one", 500), *said("one", *before)])
    second = (0.4, [started("two", 100), *said("two", *after), stopped("two", 2_000), completed("two", "".join(after))])
    turns, answered, _ = follow(lost, second)
    assert (turns, answered) == ([["one", text, 0.5, []]], 2.4)


def test_turns_that_are_one_the_second_time_keep_their_own_text_and_words(follow: Follow) -> None:
    lost = [started("one", 0), *said("one", " a b"), stopped("one", 1_000), started("two", 1_500), *said("two", " c")]
    events = [
        started("both", 0),
        *said("both", " a b c d"),
        stopped("both", 3_000),
        completed("both", "a b c d", 0, 1, 2, 3),
    ]
    turns, answered, _ = follow((0.0, lost), (0.0, events))
    assert [turn[:2] for turn in turns] == [["one", "a b"], ["two", "c d"]]
    assert [word["word"].strip() for word in turns[1][3]] == ["c", "d"]
    assert answered == 3.0


def test_a_turn_that_begins_a_little_earlier_the_second_time_keeps_all_its_words(follow: Follow) -> None:
    lost = [started("one", 500), *said("one", " a")]
    events = [started("two", 480), *said("two", " a b"), stopped("two", 2_000), completed("two", "a b", 0.49, 1)]
    [[_, text, _, words]], *_ = follow((0.0, lost), (0.0, events))
    assert (text, [word["word"].strip() for word in words]) == ("a b", ["a", "b"])


def test_a_turn_goes_on_although_its_beginning_is_no_longer_kept(follow: Follow) -> None:
    lost = [started("one", 0)]
    for number in range(1, 9):
        lost += [partial("one", 1_000 * number), *said("one", f" w{number}")]
    second = [started("two", 0), *said("two", " w6 w7 w8"), *said("two", " w9 w10")]
    whole = " ".join(f"w{number}" for number in range(1, 11))
    _, _, shown = follow((0.0, lost), (5.0, second))
    assert shown == {"one": f" {whole}"}
    end = [stopped("two", 4_000), completed("two", "w6 w7 w8 w9 w10", 0, 1, 2, 3, 4)]
    turns, *_ = follow((0.0, lost), (5.0, [*second, *end]))
    assert turns == [["one", whole, 0, []]]  # of whose words only the last have times


def test_a_turn_without_speech_the_second_time_keeps_its_text(follow: Follow) -> None:
    lost = [started("one", 0), *said("one", " a b"), stopped("one", 1_000), started("two", 1_500), *said("two", " c")]
    events = [started("other", 1_500), *said("other", " c d"), stopped("other", 3_000), completed("other", "c d")]
    turns, *_ = follow((0.0, lost), (0.0, events))
    assert [turn[:2] for turn in turns] == [["one", "a b"], ["two", "c d"]]
