"""Traces of sessions: what they contain, and their files."""

import dataclasses
import errno
import json
import logging
import os
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from realtime.catalogue.table import ModelEntry
from realtime.edge import connection
from realtime.session.commands import CancelResponse, Configure, Speak
from realtime.session.events import Input, Output
from realtime.session.jobs import Transcribe
from realtime.settings import Settings
from realtime.tracing import files
from realtime.tracing.files import BUFFER_BYTES, TraceFile, Traces
from realtime.tracing.replay import read, replay
from realtime.tracing.writer import ID_FIELDS, LEFT_OUT, TEXT_FIELDS
from tests.support.realtime_service import eventually, has_rested, read_to_end, realtime_service, utterance
from tests.support.scripted_conversation import Microphone, configured, hypothesis_of
from tests.support.traced_conversation import TracedConversation, speak_and_listen

COMPLETED = "conversation.item.input_audio_transcription.completed"


# What is not written down.


def test_a_trace_without_text_contains_no_text() -> None:
    secrets = ("canary", "prompt", "Dr. No")
    conversation = TracedConversation(
        configured(prompt="canary prompt", include_partials=True),
        text=False,
        held=(Transcribe,),
    )
    microphone = Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    conversation.answer(Transcribe, hypothesis_of("canary Canary, canary. 1234"))
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(1), microphone.silence(1))
    conversation.send(Speak("The canary of Dr. No.", metadata={"canary": "canary"}, request_id="canary"))
    conversation.send(CancelResponse(response_id="canary", request_id="canary"))
    conversation.send(Configure(configured(prompt="canary prompt")))
    written = "\n".join(json.dumps(line, ensure_ascii=False) for line in conversation.lines)
    written = written.replace('"prompt"', "")
    assert [secret for secret in (*secrets, "1234", "w1") if secret in written] == []


def test_the_same_word_has_the_same_placeholder_and_keeps_its_punctuation() -> None:
    conversation, microphone = TracedConversation(text=False, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    conversation.answer(Transcribe, hypothesis_of("Yes, yes. No!"))
    (answer,) = (line["receive"]["Transcribed"] for line in conversation.lines if "Transcribed" in str(line))
    first, second, third = (word["text"] for word in answer["hypothesis"]["words"])
    assert (first[-1], second[-1], third[-1]) == (",", ".", "!")
    assert first[:-1] == second[:-1] != third[:-1]
    assert (len(first), len(third)) == (len(" Yes,"), len(" No!"))


def test_placeholders_keep_what_the_core_sees_of_a_word() -> None:
    conversation, microphone = TracedConversation(text=False, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1))
    conversation.answer(Transcribe, hypothesis_of("cold cold-hearted 5 6 2024 -5"))
    (answer,) = (line["receive"]["Transcribed"] for line in conversation.lines if "Transcribed" in str(line))
    cold, compound, *numbers, minus = (word["text"].strip() for word in answer["hypothesis"]["words"])
    assert compound.startswith(f"{cold}-")
    assert len(set(numbers)) == 3
    assert all(any(map(str.isdecimal, number)) and not number.isascii() for number in numbers)
    assert minus == f"-{numbers[0]}"


SAFE = {
    "tool_choice", "source", "licence", "languages", "language", "voice",
    "encoding", "status", "reason", "suppressed", "candidates", "unspoken_language", "unspoken_languages",
}  # fmt: skip
"""Fields with text that the server has chosen, or has compared with what it knows."""


def strings(kind: Any) -> Iterator[str]:
    """The names of all fields that can hold a string, in a type and whatever it is made of."""
    if dataclasses.is_dataclass(kind) and kind is not ModelEntry:
        for name, field in typing.get_type_hints(kind).items():
            origins = [typing.get_origin(each) for each in get_args(field)]
            if str in (field, *get_args(field)) or field is bytes or dict in origins:
                yield name
            yield from strings(field)
    for each in get_args(kind):
        yield from strings(each)


def test_every_field_that_holds_a_string_is_known_to_hold_text_or_none() -> None:
    unknown = {*strings(Input), *strings(Output)} - TEXT_FIELDS - ID_FIELDS - SAFE - LEFT_OUT - {"data"}
    assert unknown == set()


# Files.


def fail(error: OSError) -> None:
    raise error


def test_every_session_of_a_server_has_a_trace_that_only_its_owner_can_read(tmp_path: Path) -> None:
    with realtime_service(trace=tmp_path / "some" / "where") as server:
        with server.session("intent=transcription&ext=partials") as client:
            client.send_audio(utterance([3, 1, 4]))
            assert client.wait_for(COMPLETED)["transcript"] == "word3 word1 word4"
        with server.session() as client:
            client.speak("Hello.")
            client.wait_for("response.done")
    first, second = (tmp_path / "some" / "where").iterdir()
    assert first.name.startswith("sess_")
    assert {path.stat().st_mode & 0o777 for path in (first, second)} == {0o600}
    assert "word3" not in first.read_text() + second.read_text()
    for path in (first, second):
        trace = read(path)
        assert trace.lines[-1]["end"] == "closed"
        assert replay(trace) is None


def test_a_session_whose_client_sends_nothing_rests_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REST_SECONDS", 0.1)
    with (
        realtime_service(trace=tmp_path, idle_timeout_seconds=0.3) as server,
        server.session("intent=transcription") as client,
    ):
        client.send_audio(utterance([3, 1, 4]))
        assert read_to_end(client.socket) == 1001
        assert eventually(lambda: not server.sessions)
    assert has_rested(tmp_path)
    (path,) = tmp_path.iterdir()
    assert replay(read(path)) is None


def test_the_progress_of_every_transcription_is_traced(tmp_path: Path) -> None:
    with realtime_service(trace=tmp_path) as server, server.session("intent=transcription") as client:
        client.send_audio(utterance([3, 1, 4]))
        client.wait_for(COMPLETED)
    (path,) = tmp_path.iterdir()
    lines = read(path).lines
    decoded = {line["request"]["job"] for line in lines if "request" in line}
    progress = [(line["progress"]["job"], line["progress"]["is"]) for line in lines if "progress" in line]
    answered = [line["receive"]["Transcribed"]["number"] for line in lines if "Transcribed" in line.get("receive", ())]
    assert decoded
    for job in answered:
        assert [stage for number, stage in progress if number == job] == ["encoded", "decoding"]


def test_without_the_setting_nothing_is_traced() -> None:
    assert Traces(Settings()).open_session("sess_1", lambda: 0.0) is None


def test_with_the_setting_for_text_the_transcript_is_in_the_trace(tmp_path: Path) -> None:
    with realtime_service(trace=tmp_path, trace_text=True) as server, server.session("intent=transcription") as client:
        client.send_audio(utterance([3, 1, 4]))
        client.wait_for(COMPLETED)
    (path,) = tmp_path.iterdir()
    assert "word3 word1 word4" in path.read_text()


def test_a_trace_is_truncated_at_its_bound_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    file = TraceFile(path, on_failure=fail, max_bytes=20_000)
    conversation = TracedConversation(sink=file)
    speak_and_listen(conversation)
    conversation.observer.ended()
    assert 15_000 < path.stat().st_size < 20_100
    trace = read(path)
    assert trace.lines[-1]["end"] == "truncated"
    assert replay(trace) is None


def test_lines_are_on_disk_soon(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    file = TraceFile(path, on_failure=fail)
    for tenth in range(15):
        file({"t": tenth / 10, "timer": None})
    assert path.read_text().count("\n") == 11
    file.close()
    assert path.read_text().count("\n") == 15


def test_a_failing_disk_is_logged_once_and_switches_traces_off(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened = os.fdopen

    def full_disk(descriptor: int, *_: object) -> Any:
        os.close(descriptor)
        return opened(os.open("/dev/full", os.O_WRONLY), "wb", BUFFER_BYTES)

    monkeypatch.setattr(os, "fdopen", full_disk)
    with realtime_service(trace=tmp_path) as server, server.session() as one, server.session() as other:
        for client in (one, other):
            client.speak("Hello.")
            client.wait_for("response.done")
        with server.session() as third:
            third.speak("Hello.")
            third.wait_for("response.done")
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert messages == [f"traces are switched off: {os.strerror(errno.ENOSPC)}"]
    assert len([*tmp_path.iterdir()]) == 1


def test_a_directory_that_cannot_be_made_switches_traces_off(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with realtime_service(trace=tmp_path / "file" / "traces") as server:
        for _ in range(2):
            with server.session() as client:
                client.speak("Hello.")
                client.wait_for("response.done")
    assert sum("traces are switched off" in record.getMessage() for record in caplog.records) == 1


def test_the_oldest_traces_are_removed_beyond_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "MAX_TRACES", 5)
    other = tmp_path / "notes.jsonl"
    other.write_text("")
    traces = Traces(Settings(trace=tmp_path))
    for number in range(8):
        trace = traces.open_session(f"sess_{number}", lambda: 0.0)
        assert trace is not None
        trace.ended()
        os.utime(tmp_path / f"sess_{number}.jsonl", (number, number))
    assert {path.name for path in tmp_path.iterdir()} == {"notes.jsonl", *(f"sess_{n}.jsonl" for n in range(3, 8))}


def test_traces_leave_space_on_the_disk(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "MIN_FREE_BYTES", 1 << 62)
    traces = Traces(Settings(trace=tmp_path))
    for _ in range(2):
        assert traces.open_session("sess_1", lambda: 0.0) is None
    assert [record.getMessage() for record in caplog.records] == ["traces are switched off: No space left on device"]
