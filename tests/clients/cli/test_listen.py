import argparse
import asyncio
import io
import json
import os
import signal
import sys
import types
import wave
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

import clients.backoff
import clients.cli.listen
import clients.reconnecting
from clients.cli.exit_codes import ExitCode
from clients.cli.listen import ListenOptions, add_arguments, listen, run
from tests.support.scripted_realtime_server import (
    Message,
    Peer,
    Script,
    committed,
    completed,
    delta,
    error,
    failed,
    meet,
    partial,
    started,
    stopped,
)


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """Write a tenth of a second of silence; the scripts ignore the audio."""
    path = tmp_path / "recording.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(bytes(4_800))
    return str(path)


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the colour settings of the terminal that runs the tests."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def listening(source: str | None, **changes: object) -> Callable[[str], Awaitable[int]]:
    async def client(url: str) -> int:
        options = ListenOptions(source=source, url=url, fast=True, reconnect_seconds=0)
        return await listen(replace(options, **changes))  # type: ignore[arg-type]

    return client


def answering(*messages: Message) -> Script:
    """Send messages after the first of the two final commits, then refuse the second."""

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.commit")
        await peer.send(*messages)
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    return script


def test_finished_turns_are_printed_as_lines(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    long = "Please turn the lights off in the kitchen, in the hall and in the two rooms at the end of the corridor."
    script = answering(
        started("item_1"),
        partial("item_1", "Please", " turn"),
        delta("item_1", "Please"),
        stopped("item_1"),
        committed("item_1"),
        completed("item_1", long),
        committed("item_2", "item_1"),
        completed("item_2", " Thank you."),
    )
    assert meet(script, listening(recording)) == 0
    assert capsys.readouterr() == (f"{long}\nThank you.\n", "")


def test_lines_roll_up_as_they_are_committed(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = answering(
        started("item_1"),
        delta("item_1", "Please turn the lights off"),
        delta("item_1", " in the kitchen and in"),
        stopped("item_1"),
        committed("item_1"),
        completed("item_1", "Please turn the lights off in the kitchen and in the hall."),
        started("item_2"),
        delta("item_2", "Thank"),
        failed("item_2", "The engine failed."),
    )
    meet(script, listening(recording, roll_up=32))
    assert capsys.readouterr().out == ("Please turn the lights off in\nthe kitchen and in the hall.\nThank\n")


def test_captions_are_written_as_segments_for_http_live_streaming(recording: str, tmp_path: Path) -> None:
    words = [{"word": "Thanks.", "start": 0.02, "end": 0.08, "probability": 0.9}]
    script = answering(committed("item_1"), completed("item_1", "Thanks.", words=words))
    assert meet(script, listening(recording, hls=str(tmp_path / "hls"))) == 0
    assert (tmp_path / "hls/captions_0.vtt").read_text().endswith("00:00:00.020 --> 00:00:01.020\nThanks.\n\n")
    assert "#EXT-X-ENDLIST" in (tmp_path / "hls/captions.m3u8").read_text()


def test_segments_that_cannot_be_written_are_reported(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    options = ListenOptions(source=recording, hls=str(tmp_path / "file"))
    assert asyncio.run(listen(options)) == ExitCode.FAILED
    assert capsys.readouterr().err.startswith("vivavoce listen: --hls cannot write to ")


def test_a_translation_is_asked_for(recording: str) -> None:
    async def script(peer: Peer) -> None:
        session = await peer.greet()
        assert session["audio"]["input"]["transcription"] == {"task": "translate"}
        await peer.send(completed("item_1", "Hello."))
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    assert meet(script, listening(recording, translate=True)) == 0


@pytest.mark.parametrize(
    ("unknown", "warning"),
    [
        (
            "model",
            "the server has no model no-such for captions; "
            "GET /v1/models?task=automatic-speech-recognition lists those that it has",
        ),
        (
            "language",
            "the model does not transcribe xx; GET /v1/models lists the languages of each, as codes such as de",
        ),
    ],
)
def test_a_model_or_language_that_the_server_does_not_know_is_refused(
    recording: str, capsys: pytest.CaptureFixture[str], unknown: str, warning: str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"x_substituted": [unknown]})

    assert meet(script, listening(recording, model="no-such", language="xx")) == ExitCode.REFUSED
    assert capsys.readouterr().err == f"vivavoce listen: {warning}\n"


def test_a_turn_without_words_is_no_line_and_a_recording_without_words_has_an_exit_code(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = answering(committed("item_1"), completed("item_1", ""))
    assert meet(script, listening(recording)) == ExitCode.NO_SPEECH
    assert capsys.readouterr() == ("", "vivavoce listen: there was no speech\n")


def test_a_text_that_was_suppressed_is_not_called_silence(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = answering(committed("item_1"), completed("item_1", "", suppressed=["improbable", "improbable"]))
    assert meet(script, listening(recording)) == ExitCode.NO_SPEECH
    warning = "vivavoce listen: what was said is too uncertain: its text was suppressed (improbable)\n"
    assert capsys.readouterr().err == warning


@pytest.mark.parametrize("verbose", [True, False])
def test_the_name_of_the_session_is_told_on_demand_and_after_a_failure(
    recording: str, verbose: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"id": "sess_4f2a"})
        await peer.receive("input_audio_buffer.commit")
        await peer.send(committed("item_1"), failed("item_1", "It broke."))
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    assert meet(script, listening(recording, verbose=verbose)) == ExitCode.FAILED
    named = [line for line in capsys.readouterr().err.splitlines() if "session" in line]
    wordy = "session sess_4f2a in the log and the traces of the server"
    assert named == [f"vivavoce listen: {'session sess_4f2a' if verbose else wordy}"]


def test_the_recording_arrives_whole(recording: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        sizes = [len((await peer.receive("input_audio_buffer.append"))["audio"]) for _ in range(3)]
        assert sizes == [2560, 2560, 1280]
        await peer.send(completed("item_1", "Hello."))
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    assert meet(script, listening(recording)) == 0


def test_a_transcript_that_is_late_is_waited_for(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.commit")
        await peer.send(committed("item_1"))
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))
        await peer.send(completed("item_1", "At last."))

    assert meet(script, listening(recording)) == 0
    assert capsys.readouterr().out == "At last.\n"


def test_a_turn_that_ended_before_is_not_taken_for_the_last(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = answering(
        committed("item_1"),
        completed("item_1", "The first."),
        committed("item_2", "item_1"),
        completed("item_2", "The last."),
    )
    assert meet(script, listening(recording)) == 0
    assert capsys.readouterr().out == "The first.\nThe last.\n"


def test_a_turn_that_could_not_be_transcribed_fails(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = answering(committed("item_1"), failed("item_1", "the engine broke"))
    assert meet(script, listening(recording)) == 1
    assert capsys.readouterr().err == "vivavoce listen: a turn could not be transcribed: the engine broke\n"


def test_an_error_event_fails(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert meet(answering(error("invalid_value", "too much audio")), listening(recording)) == 1
    assert "too much audio" in capsys.readouterr().err


def test_a_server_that_closes_midway_loses_turns(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.append")
        await peer.send(started("item_1"))
        await peer.connection.close(1001, "shutting down")

    assert meet(script, listening(recording)) == 1
    warnings = capsys.readouterr().err
    assert "shutting down" in warnings
    assert "1 turn was not transcribed" in warnings


def test_a_server_that_closes_in_good_order_but_too_early_fails_too(recording: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.connection.close()

    assert meet(script, listening(recording)) == 1


def test_a_server_that_never_answers_is_given_up(
    recording: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.reconnecting, "RESULT_SECONDS", 1.0)

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.commit")
        await peer.send(committed("item_1"))

    assert meet(script, listening(recording)) == 1
    warnings = capsys.readouterr().err
    assert "sent nothing for 1 s" in warnings
    assert "1 turn was not transcribed" in warnings


def test_a_server_that_says_nothing_at_all_is_given_up(
    recording: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.reconnecting, "RESULT_SECONDS", 0.1)

    async def script(peer: Peer) -> None:
        await peer.greet()

    assert meet(script, listening(recording)) == 1
    assert "sent nothing for 0.1 s" in capsys.readouterr().err


def test_a_refused_key_is_reported(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.dumps({"error": {"message": "Incorrect API key."}})
    assert meet(answering(), listening(recording), refusal=(HTTPStatus.UNAUTHORIZED, body)) == ExitCode.REFUSED
    assert capsys.readouterr() == ("", "vivavoce listen: Incorrect API key.\n")


def test_a_missing_file_is_reported_before_anything_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    assert meet(answering(), listening("missing.wav")) == ExitCode.FAILED
    assert "cannot open missing.wav" in capsys.readouterr().err


def test_json_lines_are_the_servers_own_messages(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = answering(
        partial("item_1", "Grüß", " Gott"), committed("item_1"), completed("item_1", "Grüß Gott."), {"type": "novelty"}
    )
    assert meet(script, listening(recording, as_json=True)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["type"] for line in lines] == [
        "session.created",
        "session.updated",
        "x.transcription.partial",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "novelty",
    ]
    assert "Grüß" in lines[2]


def restarted() -> Script:
    """Lose the first connection in the middle of a turn, and transcribe the turn over the second."""
    items = iter(["item_1", "item_2"])

    async def script(peer: Peer) -> None:
        item = next(items)
        await peer.greet()
        await peer.receive("input_audio_buffer.append")
        await peer.send(started(item), delta(item, "It was"))
        if item == "item_1":
            await peer.connection.close(1012, "restarting")
            return
        words = [{"word": "It", "start": 0.02, "end": 0.08, "probability": 0.9}]
        await peer.send(delta(item, " half an hour."), stopped(item), committed(item))
        await peer.send(completed(item, "It was half an hour.", words=words))
        await peer.receive("input_audio_buffer.commit")
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    return script


def test_captions_go_on_after_a_restart_of_the_server_without_losing_or_doubling_words(
    recording: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    assert meet(restarted(), listening(recording, roll_up=10, reconnect_seconds=10)) == 0
    assert capsys.readouterr() == (
        "It was\nhalf an\nhour.\n",
        "vivavoce listen: the server closed the connection (1012: restarting); connecting again\n"
        "vivavoce listen: connected again\n",
    )


def test_json_lines_go_on_after_a_restart_with_the_same_items(
    recording: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    assert meet(restarted(), listening(recording, as_json=True, reconnect_seconds=10)) == 0
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "".join(each["delta"] for each in messages if each["type"].endswith(".delta")) == "It was half an hour."
    assert {each["item_id"] for each in messages if "item_id" in each} == {"item_1"}
    assert [each["type"] for each in messages].count("input_audio_buffer.speech_started") == 1
    assert all(each["type"] for each in messages)


LOADING = (HTTPStatus.SERVICE_UNAVAILABLE, json.dumps({"error": {"message": "The models are still loading."}}))


def test_a_server_that_is_loading_is_waited_for(
    recording: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    client = listening(recording, reconnect_seconds=10)
    script = answering(committed("item_1"), completed("item_1", "Hello."))
    assert meet(script, client, refusal=LOADING, headers={"Retry-After": "0"}, refusals=1) == ExitCode.OK
    printed, warnings = capsys.readouterr()
    assert printed == "Hello.\n"
    assert warnings == "vivavoce listen: The models are still loading; waiting\nvivavoce listen: connected\n"


def test_a_server_that_is_not_ready_in_time_is_given_up(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = listening(recording, reconnect_seconds=0.01)
    assert meet(answering(), client, refusal=LOADING, headers={"Retry-After": "5"}) == ExitCode.REFUSED
    assert capsys.readouterr().err == "vivavoce listen: The models are still loading.\n"


PROGRAM = (
    "import argparse, sys; from clients.cli.listen import add_arguments, run; "
    "parser = argparse.ArgumentParser(); add_arguments(parser); sys.exit(run(parser.parse_args()))"
)


def test_a_terminated_command_prints_the_committed_text_of_the_turn_in_progress(recording: str) -> None:
    async def client(url: str) -> tuple[int | None, bytes, bytes]:
        listener = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, recording, "--url", url,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        listeners.append(listener)
        printed, warnings = await listener.communicate()
        return listener.returncode, printed, warnings

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.commit")
        await peer.send(completed("item_1", "The first."), delta("item_2", "The second"))
        await peer.connection.ping()
        await asyncio.sleep(0.2)  # the events are read in another process
        listeners[0].terminate()
        await peer.connection.wait_closed()

    listeners: list[asyncio.subprocess.Process] = []
    assert meet(script, client) == (143, b"The first.\nThe second\n", b"")


def test_the_committed_text_of_a_turn_that_was_lost_is_printed(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.commit")
        await peer.send(started("item_1"), delta("item_1", "It was half"))
        await peer.connection.close(1001, "shutting down")

    assert meet(script, listening(recording)) == 1
    assert capsys.readouterr().out == "It was half\n"


def test_a_closed_output_ends_the_command_quietly(recording: str) -> None:
    async def client(url: str) -> tuple[int | None, bytes]:
        reading, writing = os.pipe()
        os.close(reading)
        arguments = ("-c", PROGRAM, recording, "--json", "--fast", "--url", url)
        listener = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=writing, stderr=asyncio.subprocess.PIPE
        )
        os.close(writing)
        _, warnings = await listener.communicate()
        return listener.returncode, warnings

    async def script(peer: Peer) -> None:
        await peer.greet()

    assert meet(script, client) == (1, b"")


def test_text_from_a_server_cannot_control_the_terminal(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert meet(answering(completed("item_1", "\x1b[2J[bold]Hello[/]\r\n.")), listening(recording)) == 0
    assert capsys.readouterr().out == "[2J[bold]Hello[/].\n"


class TwoFrames:
    """A stand-in for sounddevice's `RawInputStream` that records two frames when it starts."""

    def __init__(self, *, callback: Callable[..., None], **_: object) -> None:
        self._callback = callback

    def start(self) -> None:
        self._callback(bytes(1_920), 960, None, None)
        self._callback(bytes(1_920), 960, None, None)

    def close(self) -> None:
        pass


def test_an_interrupt_ends_the_last_turn_of_a_microphone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("sounddevice")
    module.RawInputStream = TwoFrames  # type: ignore[attr-defined]
    module.PortAudioError = OSError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.append")
        os.kill(os.getpid(), signal.SIGINT)
        await peer.receive("input_audio_buffer.commit")
        await peer.send(committed("item_1"), completed("item_1", "Good bye."))
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    assert meet(script, listening(None)) == 0
    assert capsys.readouterr() == ("Good bye.\n", "")


def test_a_microphone_without_its_library_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert meet(answering(), listening(None)) == ExitCode.FAILED
    assert "--mic needs sounddevice: pip install sounddevice" in capsys.readouterr().err


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("arguments", [[], ["--mic", "speech.wav"]])
def test_there_is_one_source(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as wrong:
        parse(*arguments)
    assert wrong.value.code == 2


def test_arguments_become_options(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[ListenOptions] = []

    async def note(options: ListenOptions) -> int:
        heard.append(options)
        return 0

    monkeypatch.setattr(clients.cli.listen, "listen", note)
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    assert run(parse("-", "--language", "de", "--translate", "--silence-ms", "300", "--fast", "--json")) == 0
    assert run(parse("--mic", "--api-key", "given", "--url", "ws://captions.example/v1/realtime")) == 0
    assert run(parse("-", "--url", "ws://captions.example/v1/realtime")) == 0
    assert heard == [
        ListenOptions(
            "-",
            api_key="from the environment",
            language="de",
            translate=True,
            silence_ms=300,
            fast=True,
            as_json=True,
        ),
        ListenOptions(None, url="ws://captions.example/v1/realtime", api_key="given"),
        ListenOptions("-", url="ws://captions.example/v1/realtime"),
    ]


def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(bytes(1_920))))
    assert meet(answering(completed("item_1", "Hello.")), listening("-")) == 0
    assert capsys.readouterr().out == "Hello.\n"


def test_standard_input_that_is_no_audio_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Dear all, the recording is attached. " * 9)))
    assert meet(answering(), listening("-")) == ExitCode.FAILED
    assert "vivavoce listen: the source is text, not PCM16" in capsys.readouterr().err
