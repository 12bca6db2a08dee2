"""The command `vivavoce`."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.frames import CloseCode
from websockets.sync.client import connect

from realtime import __version__
from realtime.catalogue.table import ENTRIES
from realtime.cli import serve
from realtime.cli.commands import COMMANDS, command_line
from realtime.cli.main import main
from realtime.cli.output import USAGE_ERROR
from realtime.settings import Settings
from tests.support.realtime_service import SILENT, read_to_end
from tests.support.scripted_process import ENVIRONMENT, service

CANARY = "canary"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - ENVIRONMENT.keys():
        monkeypatch.delenv(name)


def exit_code(*arguments: str) -> int:
    """Run the command and return its exit code."""
    try:
        return main(arguments)
    except SystemExit as exit_:
        return int(exit_.code or 0)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    assert capsys.readouterr().out == f"vivavoce {__version__}\n"


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code() == USAGE_ERROR
    assert re.search(r"^ +listen +live captions", capsys.readouterr().err, re.MULTILINE)


@pytest.mark.parametrize("arguments", [("sing",), ("serve", "--port", "many")])
def test_unknown_arguments_are_a_usage_error(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*arguments) == USAGE_ERROR
    assert "usage: vivavoce" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("serve --port 99999", "argument --port: must be a whole number from 0 to 65535, not '99999'"),
        ("serve --host 127.0.0.999 --insecure", "vivavoce serve: cannot listen on 127.0.0.999, port 8000: "),
        ("doctor --port -1", "argument --port: must be a whole number from 0 to 65535, not '-1'"),
        ("serve --fd -3", "argument --fd: must be a whole number of at least 0, not '-3'"),
        ("say Hello. --speed 9", "argument --speed: must be a number from 0.25 to 1.5, not '9'"),
        ("say Hello. --speed nan", "argument --speed: must be a number from 0.25 to 1.5, not 'nan'"),
        ("say Hello. -o hello.doc", "argument -o/--output: hello.doc has no format that can be written"),
        ("say Hello. --url http//:x", "argument --url: http//:x is no address of a server"),
        ("talk -o answer.txt", "argument -o/--output: answer.txt has no format that can be written"),
        ("talk --language xx", "argument --language: must be one language that Whisper knows"),
        ("listen a.wav --language xx", "argument --language: must be one language that Whisper knows"),
        ("listen a.wav --silence-ms -5", "argument --silence-ms: must be a whole number from 0 to 600000, not '-5'"),
        ("listen a.wav --roll-up 7", "argument --roll-up: must be a whole number of at least 8, not '7'"),
        ("listen a.wav --hls-start -1", "argument --hls-start: must be a whole number of at least 0, not '-1'"),
        ("transcribe a.wav --language xx", "argument --language: must be one language that Whisper knows"),
        ("transcribe a.wav --max-line-width -1", "must be a whole number of at least 0, not '-1'"),
        ("transcribe a.wav --max-line-count 0", "must be a whole number of at least 1, not '0'"),
        (
            "transcribe a.wav --model nobody",
            "vivavoce transcribe: The model 'nobody' does not exist. `vivavoce models` lists the known ones.",
        ),
        ("serve --model hibari-tts", "vivavoce serve: The model 'hibari-tts' is for speech, not for transcription."),
        ("voices --sample nobody", "vivavoce voices: There is no model or voice 'nobody' on this machine"),
        ("voices -o sample.doc", "argument -o/--output: sample.doc has no format that can be written"),
        ("listen a.wav --format srt", "unknown option: --format; `vivavoce listen --help` lists those that it has"),
        ("say --model nobody Hello.", "vivavoce say: error: unknown option: --model; `vivavoce say --help` lists"),
        ("serve --modle nobody", "vivavoce serve: error: unknown option: --modle (did you mean --model?)"),
        ("serve --modle=a --prot 1", "vivavoce serve: error: unknown options: --modle --prot (did you mean --model?)"),
        ("say Good morning.", "too many arguments: morning. (an argument with spaces needs quotation marks)"),
        ("models pull nobody", "vivavoce models: The model 'nobody' does not exist."),
    ],
)
def test_a_wrong_value_is_a_usage_error_of_any_command_before_it_does_anything(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments.split()) == USAGE_ERROR
    error = capsys.readouterr().err
    assert message in error
    assert error.splitlines()[-1].startswith(f"vivavoce {arguments.split()[0]}: ")


def test_all_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (("VIVAVOCE_PROT", "9000"), ("VIVAVOCE_PORT", "many"), ("VIVAVOCE_LOG_LEVEL", "loud")):
        monkeypatch.setenv(name, value)
    assert exit_code("serve") == USAGE_ERROR
    assert capsys.readouterr().err.splitlines() == [
        "vivavoce serve: unknown settings: VIVAVOCE_PROT",
        "vivavoce serve: VIVAVOCE_LOG_LEVEL must be debug, info, warning, error or critical, not loud",
        "vivavoce serve: VIVAVOCE_PORT must be a whole number, not many",
    ]


@pytest.mark.parametrize("command", ["serve", "models"])
@pytest.mark.parametrize(
    ("name", "value"), [("VIVAVOCE_PROT", "9000"), ("VIVAVOCE_PORT", "many"), ("VIVAVOCE_OFFLINE", "perhaps")]
)
def test_a_setting_that_cannot_be_is_a_usage_error_that_names_it(
    command: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert exit_code(command) == USAGE_ERROR
    error = capsys.readouterr().err
    assert name in error
    assert "Traceback" not in error


def test_a_log_level_that_is_none_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIVAVOCE_LOG_LEVEL", "chatty")
    assert exit_code("serve") == USAGE_ERROR
    assert "VIVAVOCE_LOG_LEVEL" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "voice.example"])
def test_without_a_key_the_server_listens_on_this_machine_only(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("serve", "--host", host) == USAGE_ERROR
    assert "VIVAVOCE_API_KEYS" in capsys.readouterr().err


def test_a_port_in_use_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert exit_code("serve", "--port", port) == 1
    error = capsys.readouterr().err
    assert error.startswith("vivavoce serve: ")
    assert port in error


def test_traces_that_cannot_be_written_are_a_usage_error_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("VIVAVOCE_TRACE", str(tmp_path / "file"))
    assert exit_code("serve", "--port", "0") == USAGE_ERROR
    error = capsys.readouterr().err
    assert error.startswith("vivavoce serve: VIVAVOCE_TRACE: cannot write to ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("doctor", "--quick", "--port", "0", "--json"),
        ("doctor", "--quick", "--port", "0"),
        ("models", "list"),
        ("models", "path", "whisper-base"),
        ("completion", "bash"),
    ],
)
def test_a_reader_that_leaves_ends_a_command_quietly(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "realtime.cli.main", *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_an_error_of_one_line() -> None:
    command = [sys.executable, "-m", "realtime.cli.main", "models"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, b"vivavoce models: No space left on device\n")


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", b'"caf\\u00e9 \\u4e2d \\ud83d\\ude00"'),
        ("cp1252", b'"caf\xe9 \\u4e2d \\ud83d\\ude00"'),
        ("cp437", b'"caf\x82 \\u4e2d \\ud83d\\ude00"'),
        ("utf-8", '"café 中 😀"'.encode()),
    ],
)
def test_an_output_that_lacks_characters_is_written_with_escapes_that_json_knows(encoding: str, written: bytes) -> None:
    text = '"café 中 😀"'
    program = f"import sys; from realtime.cli import models, main; models._list = lambda *_: print({text!a}) or 0; "
    command = [sys.executable, "-c", f"{program} sys.exit(main.main(['models', 'list']))"]
    environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, written), done.stderr
    assert json.loads(written.decode(encoding)) == json.loads(text)


@pytest.mark.parametrize(("encoding", "mark"), [("cp1252", "+"), ("cp437", "+"), ("utf-8", "✓")])
def test_the_marks_of_doctor_are_those_that_the_output_has(encoding: str, mark: str) -> None:
    command = [sys.executable, "-m", "realtime.cli.main", "doctor", "--quick", "--port", "0"]
    environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert f"{mark} port: " in done.stdout.decode(encoding)
    assert b"\\u" not in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example_that_can_be_parsed(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert exit_code(command, "--help") == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    (example,) = re.findall(r"example:\n  (?:eval \"\$\()?vivavoce ([^)>\n]+)", shown)
    arguments = shlex.split(example)
    assert arguments[0] == command
    command_line(arguments).parse_args(arguments)


def test_a_table_in_a_pipe_has_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("models") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(ENTRIES)


def test_eighty_columns_are_enough_for_the_list_of_models(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert exit_code("models") == 0
    listing = capsys.readouterr().out
    words = {word for entry in ENTRIES for word in (entry.name, *entry.licence.split())}
    assert [word for word in words if word not in listing] == []
    assert "…" not in listing


EXIT_CODES = pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 0)], ids=["SIGINT", "SIGTERM"]
)


@EXIT_CODES
def test_a_signal_ends_the_service_and_its_sessions_quietly(number: signal.Signals, exit_code: int) -> None:
    with service() as running:
        with connect(f"ws://127.0.0.1:{running.port}/v1/realtime", logger=SILENT) as session:
            session.recv(timeout=5)
            assert running.stop(number) == exit_code
            assert read_to_end(session) == CloseCode.SERVICE_RESTART
        assert "Traceback" not in running.log
        assert "Application shutdown complete." in running.log


@EXIT_CODES
def test_a_signal_ends_the_service_while_a_model_is_loading_that_never_will_be(
    number: signal.Signals, exit_code: int
) -> None:
    with service(engines="Held", until="startup complete") as running:
        assert running.stop(number) == exit_code
        assert "Traceback" not in running.log


def test_a_default_that_cannot_be_loaded_ends_the_service_with_a_line() -> None:
    with service(engines="Broken", until="vivavoce serve: whisper-base is broken.") as running:
        assert running.exit_code() == 1
        assert "Traceback" not in running.log


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_with_a_key_others_are_served_and_even_a_talkative_log_keeps_secrets(log_format: str) -> None:
    with service("--host", "0.0.0.0", api_keys=CANARY, log_level="debug", log_format=log_format) as running:
        headers = {"Authorization": f"Bearer {CANARY}"}
        url = f"ws://127.0.0.1:{running.port}/v1/realtime?secret={CANARY}"
        with connect(url, additional_headers=headers, logger=SILENT) as session:
            session.recv(timeout=5)
            session.send(CANARY)
            session.recv(timeout=5)
        running.stop(signal.SIGTERM)
        assert "WebSocket /v1/realtime" in running.log
        assert CANARY not in running.log


def test_a_service_under_test_never_waits_for_a_reader_of_its_log() -> None:
    with service(log_level="debug") as running:
        for _ in range(150):
            with connect(f"ws://127.0.0.1:{running.port}/v1/realtime", logger=SILENT) as session:
                session.recv(timeout=5)
        running.stop(signal.SIGTERM)
        assert len(running.log) > 65_536  # which is what a pipe holds


def test_a_json_log_has_one_object_a_line_with_the_session_where_there_is_one() -> None:
    with service(log_format="json") as running:
        with connect(f"ws://127.0.0.1:{running.port}/v1/realtime", logger=SILENT) as session:
            session_id = json.loads(session.recv(timeout=5))["session"]["id"]
        running.stop(signal.SIGTERM)
    records = [json.loads(line) for line in running.log.splitlines()]
    opened = next(record for record in records if record["message"] == "session opened")
    assert opened["session"] == session_id
    assert "session" not in next(record for record in records if record["message"].startswith("listening on "))


def test_the_port_is_open_before_the_service_is_imported() -> None:
    program = """
import importlib.abc, os, socket, sys
from realtime.cli.main import main

class Client(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "realtime.app":
            socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()
            print("connected", flush=True)
            os._exit(0)

sys.meta_path.insert(0, Client())
main(["serve", "--port", sys.argv[1]])
"""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = str(unused.getsockname()[1])
    command = [sys.executable, "-c", program, port]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
    assert done.stdout.startswith(b"connected"), done.stderr


def test_what_opens_the_port_is_imported_without_the_service() -> None:
    program = "import sys, realtime.cli.serve; print(sys.modules.keys() & {'numpy', 'starlette', 'uvicorn', 'av'})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)
    assert done.stdout == b"set()\n", done.stderr


def test_a_descriptor_that_is_no_listening_socket_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        assert exit_code("serve", "--fd", str(unused.fileno())) == 2
    assert "this is no listening TCP socket" in capsys.readouterr().err


def test_several_sockets_of_systemd_for_one_purpose_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "passed_sockets", lambda: [("ipv4", 3), ("ipv6", 4)])
    assert exit_code("serve") == 2
    assert "systemd has passed too many sockets" in capsys.readouterr().err


@pytest.mark.parametrize(("address", "is_open"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_an_inherited_socket_for_wyoming_clients_is_open_if_its_address_is(address: str, is_open: bool) -> None:
    with socket.create_server((address, 0)) as listener:
        settings = serve.at_inherited(Settings(), {"--wyoming-fd": listener})
        assert settings.wyoming_address == (address, listener.getsockname()[1])
        assert settings.wyoming_is_open == is_open


def test_without_a_key_others_are_served_only_on_demand() -> None:
    with service("--host", "0.0.0.0", "--insecure") as running:
        assert running.port
