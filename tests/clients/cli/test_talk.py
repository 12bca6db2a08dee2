"""`vivavoce talk` with the whole service, its engines and its chat backend scripted."""

import asyncio
import os
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.cli.audio_file import AudioFile
from clients.cli.dialogue import open_dialogue
from clients.cli.exit_codes import ExitCode
from clients.cli.talk import TalkOptions, talk
from clients.events import Completed, Delta, Event, Interrupted, Partial, ResponseDone, ResponseText
from realtime.audio.formats import Encoding, encode
from realtime.backends.scripted_server import scripted_app
from tests.support.cutting_proxy import cutting_proxy
from tests.support.http_service import listening
from tests.support.markdown import ROOT
from tests.support.realtime_service import RealtimeService, realtime_service, utterance
from tests.support.scripted_realtime_server import Peer, meet
from tests.support.terminal import running

RATE = 24_000


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    with listening(scripted_app()) as backend, realtime_service(chat_base_url=backend) as service:
        yield service


def write(path: Path, pcm: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        file.writeframes(pcm)
    return path


@pytest.fixture
def question(tmp_path: Path) -> Path:
    return write(tmp_path / "question.wav", encode(utterance([1, 2]), Encoding.PCM16))


def talking(**options: object) -> int:
    async def run() -> int:
        async with asyncio.timeout(30):
            return await talk(TalkOptions(**options))  # type: ignore[arg-type]

    return asyncio.run(run())


def test_both_sides_are_printed_and_the_answer_is_in_the_file(
    service: RealtimeService, question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = tmp_path / "answer.wav"
    assert talking(source=str(question), output=answer, url=service.url) == ExitCode.OK
    assert capsys.readouterr() == ("You: word1 word2\nAnswer: You said: word1 word2\n", "")
    with wave.open(str(answer)) as file:
        assert file.getnframes() > RATE


def test_a_conversation_that_is_resumed_forgets_nothing(
    service: RealtimeService, question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> int:
        async with asyncio.timeout(30), cutting_proxy(service.port, 20_000) as proxy:
            return await talk(TalkOptions(source=str(question), output=tmp_path / "answer.wav", url=proxy.url))

    assert asyncio.run(run()) == ExitCode.OK
    printed, warnings = capsys.readouterr()
    assert printed == "You: word1 word2\nAnswer: You said: word1 word2\n"
    assert warnings == (
        "vivavoce talk: the server closed the connection (1006: connection lost); connecting again\n"
        "vivavoce talk: connected again\n"
    )


def test_a_voice_that_the_server_does_not_have_is_refused(
    question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"id": "sess_4f2a", "audio": {"output": {"voice": "anna"}}, "x_substituted": ["voice"]})
        await peer.connection.close()

    async def client(url: str) -> int:
        return await talk(TalkOptions(source=str(question), output=tmp_path / "answer.wav", voice="nobody", url=url))

    assert meet(script, client) == ExitCode.REFUSED
    refusal = "the server has no voice nobody; GET /v1/audio/voices lists those that it has"
    assert capsys.readouterr().err == f"vivavoce talk: {refusal}\n"


def test_a_file_without_speech_has_an_exit_code(
    service: RealtimeService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = write(tmp_path / "silence.wav", bytes(RATE))
    assert talking(source=str(silence), output=tmp_path / "answer.wav", url=service.url) == ExitCode.NO_SPEECH
    speechless, session = capsys.readouterr().err.splitlines()
    assert speechless == "vivavoce talk: there was no speech"
    assert session.startswith("vivavoce talk: session sess_")


def test_a_server_without_a_chat_model_is_named_with_what_to_set(
    question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with realtime_service() as service:
        code = talking(source=str(question), output=tmp_path / "answer.wav", url=service.url)
    assert code == ExitCode.REFUSED
    warnings = capsys.readouterr().err
    assert "the server has no chat model" in warnings
    assert "VIVAVOCE_CHAT_BASE_URL" in warnings


def test_the_answers_do_not_replace_what_is_said(question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = question.read_bytes()
    assert talking(source=str(question), output=question, url="ws://127.0.0.1:1") == ExitCode.USAGE
    assert "the answers need another file" in capsys.readouterr().err
    assert question.read_bytes() == recording


def test_a_file_that_cannot_be_written_is_reported(
    service: RealtimeService, question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert talking(source=str(question), output=tmp_path, url=service.url) == ExitCode.FAILED
    assert f"cannot write {tmp_path}: Is a directory" in capsys.readouterr().err


def test_an_address_without_a_server_has_an_exit_code(question: Path, tmp_path: Path) -> None:
    output = tmp_path / "answer.wav"
    assert talking(source=str(question), output=output, url="ws://127.0.0.1:1") == ExitCode.NO_SERVER


def test_on_a_terminal_a_microphone_talks_until_ctrl_c(service: RealtimeService, tmp_path: Path) -> None:
    talk = tmp_path / "talk.pcm"
    talk.write_bytes(encode(utterance([1, 2]), Encoding.PCM16) + bytes(6 * RATE))
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests/support/sound"), os.environ.get("PYTHONPATH", "")])

    async def run() -> int:
        async with (
            asyncio.timeout(30),
            running("talk", "--url", service.url, PYTHONPATH=path, TALK=str(talk), TALK_ON="1") as (terminal, process),
        ):
            modes = terminal.modes
            await terminal.until(lambda: terminal.lines == ["You: word1 word2", "Answer: You said: word1 word2"])
            assert terminal.cursor_hidden
            terminal.press("\x03")
            await terminal.until(lambda: not terminal.cursor_hidden)
            assert terminal.modes == modes
            await terminal.ended.wait()
            assert b"Traceback" not in terminal.output
            return await process.wait()

    assert asyncio.run(run()) == 0


def shown(*events: Event) -> None:
    async def show() -> None:
        with open_dialogue() as dialogue:
            for event in events:
                dialogue.show(event)

    asyncio.run(show())


def test_of_an_interrupted_answer_what_was_heard_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    shown(
        Completed("item_1", "Tell me a story."),
        ResponseText("resp_1", "item_2", "Once upon a time "),
        ResponseText("resp_1", "item_2", "there was a king."),
        Interrupted("resp_1", "Once upon a time ", 1.2),
        ResponseDone("resp_1", "cancelled"),
        Completed("item_3", "Stop."),
    )
    lines = ["You: Tell me a story.", "Answer: Once upon a time … (interrupted)", "You: Stop."]
    assert capsys.readouterr().out.splitlines() == lines


def test_an_answer_that_is_interrupted_while_its_end_is_played_is_not_printed_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown(
        ResponseText("resp_1", "item_2", "Yes."),
        ResponseDone("resp_1", "completed"),
        Interrupted("resp_1", "Yes.", 0.2),
    )
    assert capsys.readouterr().out.splitlines() == ["Answer: Yes.", "(interrupted)"]


def test_what_was_said_is_printed_where_the_conversation_breaks_off(capsys: pytest.CaptureFixture[str]) -> None:
    shown(
        Delta("item_1", "It was half"),
        Partial("item_1", "It was half", " said", 900),
        ResponseText("resp_1", "item_2", "Half of"),
    )
    assert capsys.readouterr().out.splitlines() == ["You: It was half", "Answer: Half of"]


def test_a_file_takes_what_would_have_been_heard() -> None:
    written = bytearray()
    now = 0.0
    file = AudioFile(written.extend, lambda: now)
    file.play(b"\x01\x00" * RATE)
    now = 0.25
    assert file.played_seconds == 0.25
    file.stop()
    now = 5.0
    file.play(b"\x02\x00" * RATE)
    now = 7.0
    assert file.played_seconds == 1.25
    assert bytes(written) == b"\x01\x00" * (RATE // 4) + b"\x02\x00" * RATE
