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
  const onFinal = ({ id, committed, start, words }) => finals.push([id, committed, start, words]);
  const transcripts = new Transcripts(undefined, onFinal);
  for (const [base, events] of JSON.parse(line)) {
    transcripts.restart(base);
    for (const event of events) transcripts.receive(event);
  }
  console.log(JSON.stringify([finals, transcripts.answered]));
}
"""
Event = dict[str, Any]

pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node")


Finals = Callable[..., tuple[list[list[Any]], float]]


@pytest.fixture(scope="module")
def finals() -> Iterator[Finals]:
    """Provide the final turns (id, text, start, words) of sessions, and until when everything is transcribed."""
    command = [str(NODE), "--input-type=module", "-e", PROGRAM, str(DIRECTORY / "vivavoce/transcripts.js")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def follow(*sessions: tuple[float, list[Event]]) -> tuple[list[list[Any]], float]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps(sessions)}\n")
            process.stdin.flush()
            turns, answered = json.loads(process.stdout.readline())
            return turns, answered

        yield follow


def started(item: str, at_ms: int) -> Event:
    return {"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": at_ms}


def stopped(item: str, at_ms: int) -> Event:
    return {"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": at_ms}


def said(item: str, *texts: str) -> list[Event]:
    return [{"type": f"{TRANSCRIPTION}delta", "item_id": item, "delta": text} for text in texts]


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
    finals: Finals, before: list[str], after: list[str], text: str
) -> None:
    lost = (0.0, [started("one", 500), *said("one", *before)])
    second = (0.4, [started("two", 100), *said("two", *after), stopped("two", 2_000), completed("two", "".join(after))])
    assert finals(lost, second) == ([["one", text, 0.5, []]], 2.4)


def test_turns_that_are_one_the_second_time_keep_their_own_text_and_words(finals: Finals) -> None:
    lost = [started("one", 0), *said("one", " a b"), stopped("one", 1_000), started("two", 1_500), *said("two", " c")]
    events = [
        started("both", 0),
        *said("both", " a b c d"),
        stopped("both", 3_000),
        completed("both", "a b c d", 0, 1, 2, 3),
    ]
    turns, answered = finals((0.0, lost), (0.0, events))
    assert [turn[:2] for turn in turns] == [["one", "a b"], ["two", "c d"]]
    assert [word["word"].strip() for word in turns[1][3]] == ["c", "d"]
    assert answered == 3.0


def test_a_turn_that_begins_a_little_earlier_the_second_time_keeps_all_its_words(finals: Finals) -> None:
    lost = [started("one", 500), *said("one", " a")]
    events = [started("two", 480), *said("two", " a b"), stopped("two", 2_000), completed("two", "a b", 0.49, 1)]
    [[_, text, _, words]], _ = finals((0.0, lost), (0.0, events))
    assert (text, [word["word"].strip() for word in words]) == ("a b", ["a", "b"])


def test_a_turn_without_speech_the_second_time_keeps_its_text(finals: Finals) -> None:
    lost = [started("one", 0), *said("one", " a b"), stopped("one", 1_000), started("two", 1_500), *said("two", " c")]
    events = [started("other", 1_500), *said("other", " c d"), stopped("other", 3_000), completed("other", "c d")]
    turns, _ = finals((0.0, lost), (0.0, events))
    assert [turn[:2] for turn in turns] == [["one", "a b"], ["two", "c d"]]
