"""The command `vivavoce trace`."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.cli.main import main
from realtime.tracing.timeline_reader import timeline
from tests.support.traced_conversation import TracedConversation, speak_and_listen


@pytest.fixture
def file(tmp_path: Path) -> Callable[[TracedConversation], Path]:
    """Write the trace of a conversation."""

    def write(conversation: TracedConversation) -> Path:
        path = tmp_path / "trace.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in [*conversation.lines, {"end": "closed"}]))
        return path

    return write


def test_the_timeline_is_printed(
    file: Callable[[TracedConversation], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    assert main(["trace", str(file(conversation))]) == 0
    printed = capsys.readouterr().out
    decode = ("partial", "queue 0.000 s", "engine 0.000 s (")
    for expected in ("Session sess_1", "Turn item_1: audio 0.", *decode, "+ 'w", "complete", "lag"):
        assert expected in printed
    assert "Response resp_" in printed
    assert "cancelled" in printed


def test_a_session_that_was_killed_within_its_first_turn_has_its_latest_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    lines = itertools.takewhile(lambda line: "TranscriptCompleted" not in line.get("output", ()), conversation.lines)
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert main(["trace", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "end: unfinished (it goes on, or the server was killed)" in printed
    header, *rows = printed[printed.index("latest words") :].splitlines()
    assert header.split()[2:] == ["ends", "at", "lag", "detection", "queue", "engine", "agreement", "cause"]
    assert rows


def test_the_timeline_is_printed_as_json(
    file: Callable[[TracedConversation], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    assert main(["trace", "--json", str(file(conversation))]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [turn["words"] for turn in printed["turns"]] == [turn.words for turn in timeline(conversation.trace).turns]
    assert printed["worst_words"][0]["cause"]


def test_a_replay_that_is_identical_exits_0(
    file: Callable[[TracedConversation], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    assert main(["trace", "--replay", str(file(conversation))]) == 0
    assert "identical" in capsys.readouterr().out


def test_a_replay_that_differs_exits_1_and_prints_the_difference(
    file: Callable[[TracedConversation], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    path = file(conversation)
    path.write_text(path.read_text().replace('"delta": " w3"', '"delta": " other"'))
    assert main(["trace", "--replay", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "differs" in printed
    assert "\n- " in printed
    assert "other" in printed.split("\n- ")[1].split("\n+ ")[0]


def test_a_file_that_cannot_be_read_or_is_no_trace_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", str(tmp_path / "nothing")]) == 1
    (tmp_path / "other").write_text("{}\n")
    assert main(["trace", str(tmp_path / "other")]) == 1
    assert capsys.readouterr().err.count("vivavoce trace: ") == 2


@pytest.mark.parametrize("option", [(), ("--replay",)])
def test_a_trace_with_a_damaged_line_is_an_error(
    file: Callable[[TracedConversation], Path], capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    conversation = TracedConversation()
    speak_and_listen(conversation)
    path = file(conversation)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], "5", *lines[6:]]) + "\n")
    assert main(["trace", *option, str(path)]) == 1
    assert "is damaged" in capsys.readouterr().err
