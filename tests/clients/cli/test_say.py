import argparse
import asyncio
import io
import re
import sys
import types
import wave
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest

import clients.backoff
import clients.cli.say
from clients.cli.audio_file import open_recording
from clients.cli.exit_codes import ExitCode
from clients.cli.say import SpeakOptions, add_arguments, run, speak
from tests.support.scripted_realtime_server import (
    Message,
    Peer,
    Script,
    audio,
    meet,
    response_created,
    response_done,
    response_failed,
)


def replying(*messages: Message) -> Script:
    async def script(peer: Peer) -> None:
        await peer.greet()
        request = await peer.receive("response.create")
        await peer.send(response_created(request), *messages)

    return script


async def greeting(peer: Peer) -> None:
    await peer.greet()


def saying(text: str, output: Path | None) -> Callable[[str], Awaitable[int]]:
    async def client(url: str) -> int:
        return await speak(SpeakOptions(text, output, url=url))

    return client


def test_speech_becomes_a_wav_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = replying(audio(b"\x01\x00\x02\x00"), audio(b"\x03\x00"), response_done())
    assert meet(script, saying("Hello.", tmp_path / "hello.wav")) == 0
    with wave.open(str(tmp_path / "hello.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 24_000, 3)
        assert file.readframes(3) == b"\x01\x00\x02\x00\x03\x00"
    assert (tmp_path / "hello.wav").stat().st_size == 44 + 6
    assert re.fullmatch(r"first audio after \d+ ms\n", capsys.readouterr().err)


def test_a_voice_that_the_server_does_not_have_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"audio": {"output": {"voice": "anna"}}, "x_substituted": ["voice"]})

    async def client(url: str) -> int:
        return await speak(SpeakOptions("Hello.", tmp_path / "hello.wav", voice="unknown", url=url))

    assert meet(script, client) == ExitCode.REFUSED
    refusal = "the server has no voice unknown; GET /v1/audio/voices lists those that it has"
    assert capsys.readouterr().err == f"vivavoce say: {refusal}\n"
    assert not (tmp_path / "hello.wav").exists()


def test_a_text_that_the_voice_does_not_speak_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = response_done()
    done["response"]["x_unspoken_languages"] = ["de"]
    assert meet(replying(audio(b"\x01\x00"), done), saying("Das ist neu.", tmp_path / "hello.wav")) == 0
    warning = "the text is in a language that the voice does not speak (de), and is hard to understand"
    assert capsys.readouterr().err.endswith(f"vivavoce say: {warning}\n")


def test_a_failed_response_keeps_what_was_spoken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = replying(audio(b"\x01\x00"), response_failed("engine_failed", "the voice broke"))
    assert meet(script, saying("Hello.", tmp_path / "hello.wav")) == 1
    assert "vivavoce say: the voice broke\n" in capsys.readouterr().err
    with wave.open(str(tmp_path / "hello.wav")) as file:
        assert file.getnframes() == 1


def test_a_response_without_audio_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "hello.wav"
    kept.write_bytes(b"another recording")
    assert meet(replying(response_done()), saying("Hello.", kept)) == 1
    assert "no audio" in capsys.readouterr().err
    assert kept.read_bytes() == b"another recording"


def test_a_server_that_closes_midway_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await replying(audio(b"\x01\x00"))(peer)
        await peer.connection.close(1012, "restarting")

    assert meet(script, saying("Hello.", tmp_path / "hello.wav")) == 1
    assert "restarting" in capsys.readouterr().err


def test_a_refused_connection_is_reported_and_writes_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = (HTTPStatus.SERVICE_UNAVAILABLE, '{"error": {"message": "All lines are busy."}}')
    assert meet(greeting, saying("Hello.", tmp_path / "hello.wav"), refusal=refusal) == ExitCode.REFUSED
    assert capsys.readouterr().err == "vivavoce say: All lines are busy.\n"
    assert not (tmp_path / "hello.wav").exists()


def test_a_server_that_is_loading_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    loading = (HTTPStatus.SERVICE_UNAVAILABLE, '{"error": {"message": "The models are still loading."}}')
    script = replying(audio(b"\x01\x00"), response_done())
    client = saying("Hello.", tmp_path / "hello.wav")
    assert meet(script, client, refusal=loading, headers={"Retry-After": "0"}, refusals=1) == ExitCode.OK
    assert capsys.readouterr().err.startswith("vivavoce say: The models are still loading; waiting\nfirst audio after ")


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert meet(greeting, saying("Hello.", tmp_path / "missing" / "hello.wav")) == ExitCode.FAILED
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["...", " \n", "🙂"])
def test_a_text_without_words_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert meet(greeting, saying(text, tmp_path / "hello.wav")) == ExitCode.USAGE
    assert capsys.readouterr().err == "vivavoce say: the text has nothing to speak: no letter or digit\n"


@pytest.mark.parametrize(
    ("name", "codec"),
    [("hello.mp3", "mp3"), ("hello.flac", "flac"), ("hello.opus", "opus"), ("HELLO.OGG", "opus"),
     ("hello.aac", "aac"), ("hello.m4a", "aac"), ("hello", "pcm_s16le")],
)  # fmt: skip
def test_a_file_has_the_format_that_its_name_says(name: str, codec: str, tmp_path: Path) -> None:
    second = audio((9_000 * np.sin(np.arange(24_000) / 10)).astype("<i2").tobytes())
    assert meet(replying(second, second, response_done()), saying("Hello.", tmp_path / name)) == 0
    with av.open(tmp_path / name) as file:
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
        assert file.streams.audio[0].codec_context.codec.canonical_name == codec
    assert seconds == pytest.approx(2.0, abs=0.1)


def test_opus_has_the_audio_of_a_voice_with_another_rate(tmp_path: Path) -> None:
    with open_recording(tmp_path / "hello.opus", 22_050) as write:
        write(bytes(2 * 22_050))
    with av.open(tmp_path / "hello.opus") as file:
        assert sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0)) == pytest.approx(1.0, abs=0.1)


def test_a_raw_file_has_the_samples_alone(tmp_path: Path) -> None:
    assert meet(replying(audio(b"\x01\x00"), response_done()), saying("Hello.", tmp_path / "hello.pcm")) == 0
    assert (tmp_path / "hello.pcm").read_bytes() == b"\x01\x00"


def test_the_name_of_a_session_that_failed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet({"id": "sess_4f2a"})
        await peer.send(response_created(await peer.receive("response.create")), response_failed("x", "It broke."))

    assert meet(script, saying("Hello.", tmp_path / "hello.wav")) == ExitCode.FAILED
    assert capsys.readouterr().err.splitlines() == [
        "vivavoce say: It broke.",
        "vivavoce say: session sess_4f2a in the log and the traces of the server",
    ]


def test_without_a_loudspeaker_a_file_is_needed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    # Nobody is asked: at this address, there is no server.
    assert asyncio.run(speak(SpeakOptions("Hello.", url="ws://127.0.0.1:9"))) == ExitCode.FAILED
    assert "playing needs sounddevice" in capsys.readouterr().err


class StandInSpeaker:
    """A stand-in for sounddevice's `RawOutputStream`."""

    heard: ClassVar[list[bytes | str]] = []

    def __init__(self, *, samplerate: int, channels: int, dtype: str) -> None:
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")

    def start(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.heard.append(data)

    def stop(self) -> None:
        self.heard.append("stop")

    def close(self) -> None:
        self.heard.append("close")


def test_speech_is_played_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("sounddevice")
    module.RawOutputStream = StandInSpeaker  # type: ignore[attr-defined]
    module.PortAudioError = OSError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(StandInSpeaker, "heard", [])
    assert meet(replying(audio(b"\x01\x00"), audio(b"\x02\x00"), response_done()), saying("Hello.", None)) == 0
    assert StandInSpeaker.heard == [b"\x01\x00", b"\x02\x00", "stop", "close"]


def test_arguments_become_options(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[SpeakOptions] = []

    async def note(options: SpeakOptions) -> int:
        said.append(options)
        return 0

    monkeypatch.setattr(clients.cli.say, "speak", note)
    monkeypatch.setattr("sys.stdin", io.StringIO("From a pipe."))
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert (
        run(parser.parse_args(["-", "-o", "out.wav", "--voice", "anna", "--speed", "1.2", "--api-key", "given"])) == 0
    )
    assert run(parser.parse_args(["Hello."])) == 0
    assert run(parser.parse_args(["Hello.", "--url", "ws://voice.example/"])) == 0
    assert said == [
        SpeakOptions("From a pipe.", Path("out.wav"), "anna", 1.2, api_key="given"),
        SpeakOptions("Hello.", api_key="from the environment"),
        SpeakOptions("Hello.", url="ws://voice.example/"),
    ]
