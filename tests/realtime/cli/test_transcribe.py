"""The command `vivavoce transcribe`."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.cli import transcribe
from realtime.cli.main import main
from realtime.cli.transcribe import MAX_RECORDINGS
from realtime.engines.hibari import Hibari
from realtime.errors import EngineError
from realtime.speech.recognition import TranscriptionRequest
from tests.support.realtime_service import eventually
from tests.support.recordings import channels_file, silence, tracks_file, wav_file
from tests.support.scripted_engines import ScriptedEngines, ScriptedRecognizer, say_numbers

SPEECH: Final = np.concatenate([silence(1), say_numbers([1, 2]), silence(1), say_numbers([3]), silence(1)])
TEXT: Final = "word1 word2 word3\n"

Command = Callable[..., int]

full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
odd_names = pytest.mark.skipif(sys.platform == "darwin", reason="macOS allows only names in UTF-8")


@pytest.fixture
def engines() -> ScriptedEngines:
    return ScriptedEngines()


@pytest.fixture
def command(engines: ScriptedEngines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run the command with scripted engines, in a directory of its own."""
    for name in [name for name in os.environ if name.startswith("VIVAVOCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(transcribe, "InstalledEngines", lambda *_: engines)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        try:
            return main(["transcribe", *arguments])
        except SystemExit as exit_:
            return int(exit_.code or 0)

    return run


def record(name: str, samples: Samples = SPEECH) -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(wav_file(samples))
    return path


def test_a_track_can_be_chosen_and_is_named(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    Path("talk.mkv").write_bytes(tracks_file([say_numbers([7]), SPEECH], languages=["eng", "ger"], codec="flac"))
    assert command("talk.mkv", "--track", "de") == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (TEXT, "vivavoce transcribe: talk.mkv: transcribed audio track 1 (german)\n")
    assert command("talk.mkv", "--track", "2") == 1
    assert "no audio track '2'" in capsys.readouterr().err


def test_one_file_is_transcribed_to_standard_output(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    record("talk.wav")
    assert command("talk.wav") == 0
    assert capsys.readouterr() == (TEXT, "")
    assert [path.name for path in Path().iterdir()] == ["talk.wav"]


def test_a_dash_as_output_is_standard_output_for_one_file(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(record(f"{number}.wav")) for number in range(2)]
    assert command(names[0], "--output", "-") == 0
    assert capsys.readouterr() == (TEXT, "")
    assert command(*names, "--output", "-") == 2
    assert "--output - takes the transcript of one FILE" in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == names


def test_several_files_are_transcribed_next_to_each_of_them(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    record("talks/one.wav")
    record("talks/two.v2.wav")
    assert command("talks/one.wav", "talks/two.v2.wav") == 0
    assert Path("talks/one.txt").read_text() == Path("talks/two.v2.txt").read_text() == TEXT
    assert capsys.readouterr().out.split() == ["talks/one.txt", "talks/two.v2.txt"]


def test_transcripts_go_to_the_directory_of_choice_which_is_created(command: Command) -> None:
    record("talk.wav")
    assert command("talk.wav", "--output", "texts/new", "--format", "srt") == 0
    assert [path.name for path in Path("texts/new").iterdir()] == ["talk.srt"]


def test_several_files_share_one_model(command: Command, engines: ScriptedEngines) -> None:
    names = [str(record(f"{number}.wav")) for number in range(4)]
    assert command(*names) == 0
    assert sorted(engines.loaded) == sorted(engines.closed) == ["detector", "whisper-base"]


def test_four_files_are_transcribed_at_a_time(command: Command, engines: ScriptedEngines) -> None:
    all_at_once = threading.Barrier(MAX_RECORDINGS)

    class Waiting(ScriptedRecognizer):
        def encode(self, request: TranscriptionRequest) -> TranscriptionRequest:
            all_at_once.wait(timeout=60)
            return super().encode(request)

    engines.workers = MAX_RECORDINGS
    engines.recognizer_class = Waiting
    names = [str(record(f"{number}.wav")) for number in range(MAX_RECORDINGS)]
    assert command(*names) == 0
    assert [Path(f"{number}.txt").read_text() for number in range(MAX_RECORDINGS)] == [TEXT] * MAX_RECORDINGS


@pytest.mark.parametrize(("form", "beginning"), [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")])
def test_subtitles_have_times(command: Command, capsys: pytest.CaptureFixture[str], form: str, beginning: str) -> None:
    record("talk.wav")
    assert command("talk.wav", "--format", form) == 0
    assert capsys.readouterr().out.startswith(beginning)


@pytest.mark.parametrize(("name", "form"), [("text", "txt"), ("verbose_json", "json"), ("VTT", "vtt")])
def test_formats_may_have_their_names_over_http(
    command: Command, capsys: pytest.CaptureFixture[str], name: str, form: str
) -> None:
    record("talk.wav")
    assert command("talk.wav", "--format", form) == 0
    expected = capsys.readouterr().out
    assert command("talk.wav", "--format", name) == 0
    assert capsys.readouterr().out == expected
    assert command("talk.wav", "--format", name, "--output", "texts") == 0
    assert Path(f"texts/talk.{form}").read_text() == expected


@pytest.mark.parametrize(("more", "words"), [([], None), (["--word-timestamps"], ["word1", "word2", "word3"])])
def test_json_has_segments_and_words_on_demand(
    command: Command, capsys: pytest.CaptureFixture[str], more: list[str], words: list[str] | None
) -> None:
    record("talk.wav")
    assert command("talk.wav", "--format", "json", *more) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["text"], body["duration"]) == (TEXT.strip(), len(SPEECH) / 16_000)
    assert [segment["text"].strip() for segment in body["segments"]] == ["word1 word2", "word3"]
    assert (body["words"] and [word["word"] for word in body["words"]]) == words


def test_word_times_need_json(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("talk.wav", "--word-timestamps") == 2
    assert "--word-timestamps requires --format json" in capsys.readouterr().err


def test_options_reach_the_recognizer(
    command: Command, engines: ScriptedEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("talk.wav")
    requests: list[TranscriptionRequest] = []

    class Witness(ScriptedRecognizer):
        def encode(self, request: TranscriptionRequest) -> TranscriptionRequest:
            requests.append(request)
            return super().encode(request)

    monkeypatch.setattr(
        engines, "recognizer", lambda entry: Witness(engines, entry.name, Capabilities(translation=True))
    )
    assert command("talk.wav", "--language", "German", "--translate", "--prompt", "Numbers.", "--no-vad") == 0
    (request,) = requests
    assert (request.language, request.translate, request.prompt) == ("de", True, "Numbers.")
    assert len(request.samples) == len(SPEECH)


def test_standard_input_is_transcribed_to_standard_output(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(wav_file(SPEECH))))
    assert command("-") == 0
    assert capsys.readouterr().out == TEXT


def test_a_named_pipe_is_transcribed(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe.wav")
    writer = threading.Thread(target=lambda: Path("pipe.wav").write_bytes(wav_file(SPEECH)))
    writer.start()
    assert command("pipe.wav") == 0
    writer.join()
    assert capsys.readouterr().out == TEXT


def test_a_bad_file_is_reported_by_name_and_the_others_are_transcribed(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("letter.mp3").write_text("Dear Sir or Madam")
    Path("empty.mp3").touch()
    Path("folder.wav").mkdir()
    names = [str(record("one.wav")), "letter.mp3", "missing.wav", "folder.wav", "empty.mp3", str(record("two.wav"))]
    assert command(*names) == 1
    assert Path("one.txt").read_text() == Path("two.txt").read_text() == TEXT
    errors = capsys.readouterr().err.splitlines()
    assert {error.split(": ")[1] for error in errors} == {"letter.mp3", "missing.wav", "folder.wav", "empty.mp3"}
    assert all(error.startswith("vivavoce transcribe: ") for error in errors)


def test_without_a_readable_file_no_model_is_loaded(command: Command, engines: ScriptedEngines) -> None:
    assert command("missing.wav") == 1
    assert engines.loaded == []


@pytest.mark.parametrize(("more", "code", "text"), [([], 1, "mine"), (["--force"], 0, TEXT)])
def test_an_existing_transcript_is_overwritten_only_by_force(
    command: Command, capsys: pytest.CaptureFixture[str], more: list[str], code: int, text: str
) -> None:
    record("talk.wav")
    Path("talk.txt").write_text("mine")
    assert command("talk.wav", "--output", ".", *more) == code
    assert Path("talk.txt").read_text() == text
    assert ("--force" in capsys.readouterr().err) == bool(code)


def test_two_files_cannot_have_the_same_transcript(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(record("a/talk.wav")), str(record("b/talk.wav", silence(3)))]
    assert command(*names, "--output", "texts", "--force") == 1
    assert Path("texts/talk.txt").read_text() == TEXT
    assert capsys.readouterr().err.startswith("vivavoce transcribe: b/talk.wav: another file")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nobody"], "'nobody' does not exist"),
        (["--model", "whisper-base.en", "--language", "de"], "does not support the language de"),
        (["--model", "whisper-base.en", "--translate"], "does not support translation"),
    ],
)
def test_what_the_model_cannot_do_is_one_line(
    command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    record("talk.wav")
    assert command("talk.wav", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_length_of_a_recording_is_limited(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribe, "MAX_SECONDS", 2.0)
    record("talk.wav")
    assert command("talk.wav") == 1
    assert "longer than 2 seconds" in capsys.readouterr().err


def test_a_directory_that_cannot_be_created_is_named_in_the_error(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    record("talk.wav")
    Path("letter").touch()
    for output in ("letter", "letter/texts"):
        assert command("talk.wav", "--output", output) == 1
        assert capsys.readouterr().err == f"vivavoce transcribe: {output}: Not a directory\n"


def test_a_directory_that_is_not_writable_is_reported_before_a_model_is_loaded(
    command: Command, engines: ScriptedEngines, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record("talk.wav")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert command("talk.wav", "--output", "texts") == 1
    assert capsys.readouterr().err == "vivavoce transcribe: texts/talk.txt: Permission denied\n"
    assert engines.loaded == []


def test_a_directory_is_never_overwritten_by_force(
    command: Command, engines: ScriptedEngines, capsys: pytest.CaptureFixture[str]
) -> None:
    record("talk.wav")
    Path("talk.txt").mkdir()
    assert command("talk.wav", "--output", ".", "--force") == 1
    assert capsys.readouterr().err == "vivavoce transcribe: talk.txt: Is a directory\n"
    assert engines.loaded == []


def test_a_missing_recording_is_blamed_for_itself_where_its_directory_is_missing_too(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("nowhere/one.wav", str(record("two.wav"))) == 1
    assert capsys.readouterr().err == "vivavoce transcribe: nowhere/one.wav: No such file or directory\n"


@full_device
def test_a_full_disk_is_reported_with_the_path_of_the_transcript(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    record("talk.wav")
    Path("talk.txt").symlink_to("/dev/full")
    assert command("talk.wav", "--output", ".", "--force") == 1
    assert capsys.readouterr().err == "vivavoce transcribe: talk.txt: No space left on device\n"


def test_closed_standard_input_is_reported(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert command("-") == 1
    assert capsys.readouterr().err == "vivavoce transcribe: standard input: is closed\n"


def test_closed_standard_output_is_reported_before_a_model_is_loaded(
    command: Command, engines: ScriptedEngines, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record("talk.wav")
    monkeypatch.setattr(sys, "stdout", None)
    assert command("talk.wav") == 1
    assert capsys.readouterr().err == "vivavoce transcribe: standard output: is closed\n"
    assert engines.loaded == []


@odd_names
def test_a_file_name_that_is_not_utf_8_is_printed_with_escapes(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(record(os.fsdecode(b"caf\xe9.wav"))), str(record("two.wav"))]
    assert command(*names) == 0
    assert capsys.readouterr().out.split() == [r"caf\udce9.txt", "two.txt"]


@odd_names
def test_an_error_about_a_file_name_that_is_not_utf_8_does_not_stop_the_others(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(os.fsdecode(b"caf\xe9.wav"), str(record("two.wav"))) == 1
    assert capsys.readouterr() == ("two.txt\n", "vivavoce transcribe: caf\\udce9.wav: No such file or directory\n")


SLOW: Final = """
import sys
from realtime.cli import main, transcribe
from tests.support.scripted_engines import ScriptedEngines
transcribe.InstalledEngines = lambda *_: ScriptedEngines(decoding=float(sys.argv[1]))
sys.exit(main.main(["transcribe", *sys.argv[2:]]))
"""


def long_recording(tmp_path: Path, parts: int = 8) -> Path:
    path = tmp_path / "long.wav"
    path.write_bytes(wav_file(np.concatenate([np.concatenate([say_numbers([7] * 40), silence(1)])] * parts)))
    return path


def test_a_broken_pipe_ends_it_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    path = tmp_path / "talk.wav"
    path.write_bytes(wav_file(SPEECH))
    ended = subprocess.run(
        [sys.executable, "-c", SLOW, "0", str(path)], stdout=writer, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, "")


@full_device
def test_a_full_disk_is_reported_as_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(wav_file(SPEECH))
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", SLOW, "0", str(path)], stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert (ended.returncode, ended.stderr) == (1, "vivavoce transcribe: standard output: No space left on device\n")


def test_a_terminal_shows_how_much_is_done(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-c", SLOW, "0.005", str(long_recording(tmp_path))]
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environment) as process:
        os.close(slave)
        shown = b""
        while chunk := _read(master):
            shown += chunk
        assert process.stdout is not None
        assert process.stdout.read().count(b"word7") == 320
    os.close(master)
    assert process.returncode == 0
    assert b"long.wav (1/1)" in shown
    assert b"/ 0:01:50" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def test_an_interrupt_ends_it_quietly_and_keeps_what_is_done(tmp_path: Path) -> None:
    short = tmp_path / "short.wav"
    short.write_bytes(wav_file(SPEECH))
    command = [sys.executable, "-c", SLOW, "2", str(short), str(long_recording(tmp_path, parts=24))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{tmp_path / 'short.txt'}\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, errors) == (128 + signal.SIGINT, "")
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["short.txt"]


def test_an_interrupt_keeps_what_is_done_of_later_files(command: Command, engines: ScriptedEngines) -> None:
    class Interrupting(ScriptedRecognizer):
        def encode(self, request: TranscriptionRequest) -> TranscriptionRequest:
            if len(request.samples) > SPEECH.size:
                assert eventually(Path("short.txt").exists, 60)
                os.kill(os.getpid(), signal.SIGINT)
                raise EngineError("The command is being ended.")
            return super().encode(request)

    engines.workers = 2
    engines.recognizer_class = Interrupting
    names = [str(record("long.wav", say_numbers([7] * 40))), str(record("short.wav"))]
    assert command(*names) == 128 + signal.SIGINT
    assert [path.name for path in Path().glob("*.txt")] == ["short.txt"]


@pytest.mark.models
def test_speech_is_transcribed_by_the_bundled_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIVAVOCE_OFFLINE", "1")
    voice = Hibari()
    spoken = np.concatenate(list(voice.synthesize("Good morning. The train is late again.", voice.voices[0], 1.0)))
    path = tmp_path / "spoken.wav"
    path.write_bytes(wav_file(spoken, voice.sample_rate))
    assert main(["transcribe", str(path), "--language", "en"]) == 0
    said = capsys.readouterr().out.lower()
    assert "good morning" in said
    assert "train is late again" in said


def test_each_channel_can_be_a_speaker(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    other = np.concatenate([silence(5), say_numbers([4]), silence(2)])
    Path("call.wav").write_bytes(channels_file(np.resize(np.append(SPEECH, silence(9)), len(other)), other))
    assert command("call.wav", "--channels", "separate") == 0
    shown = capsys.readouterr().out
    assert [line.partition(":")[0] for line in shown.splitlines()] == ["Channel 1", "Channel 2"]
    assert "word4" in shown.splitlines()[1]
