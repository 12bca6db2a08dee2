import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)


def test_every_import_keeps_to_the_contracts() -> None:
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    outcome = run(sys.executable, "-c", lint)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_service_starts_without_importing_torch() -> None:
    service = "realtime.cli.main, realtime.app, realtime.engines.whisper.engine, realtime.engines.silero"
    program = f"import sys, {service}; print('torch' in sys.modules)"
    outcome = run(sys.executable, "-c", program)
    assert outcome.stdout == "False\n", outcome.stderr


def test_the_command_line_loads_no_engine_until_it_is_needed() -> None:
    engines = ("torch", "ctranslate2", "faster_whisper", "onnxruntime", "hibari")
    program = f"import sys, realtime.cli.main; print(sorted(sys.modules.keys() & {set(engines)!r}))"
    outcome = run(sys.executable, "-c", program)
    assert outcome.stdout == "[]\n", outcome.stderr
