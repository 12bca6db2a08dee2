"""The import rules of pyproject.toml: the code follows them, and each of them fails for a module that does not."""

import graphlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import grimp
import pytest

from realtime.cli.commands import COMMANDS

PROJECT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("realtime", "http_compat", "clients")
LINT: Final = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def contracts() -> dict[str, Any]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["name"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


LAYERS: Final = [layer.split(" | ") for layer in contracts()["Imports go down"]["layers"]]
CORE: Final = contracts()["The core does no I/O"]["source_modules"]


def violations() -> Iterator[tuple[str, str]]:
    """Yield a package or module, and what it must not import."""
    for upper, lower in pairwise(LAYERS):
        yield from ((f"realtime.{each}", f"realtime.{upper[0]}") for each in lower)  # upward
    for siblings in LAYERS:
        for one, other in pairwise(siblings):
            yield f"realtime.{one}", f"realtime.{other}"
            yield f"realtime.{other}", f"realtime.{one}"
    for package in CORE:
        yield from ((package, each) for each in ("asyncio", "time", "socket", "realtime.models.models"))
    for layer in LAYERS:
        yield from ((f"realtime.{each}", "subprocess") for each in layer)
        yield from ((f"realtime.{each}", "threading") for each in layer if each != "workers")
        yield from ((f"realtime.{each}", "http_compat.errors") for each in layer if each != "app")
    yield from (("realtime.engines", each) for each in ("asyncio", "socket", "starlette"))
    yield from (
        ("realtime.offline", each) for each in ("realtime.engines.registry", "realtime.workers.batch", "starlette")
    )
    yield from (
        ("realtime.backends", f"realtime.{each}") for each in ("session.jobs", "models.models", "workers.batch")
    )
    for each in ("session.session", "wire.dialects", "engines.registry", "app", "server", "cli.main", "edge.websocket"):
        yield "http_compat", f"realtime.{each}"
    yield from (("http_compat", each) for each in ("threading", "subprocess"))
    yield from (("clients", each) for each in ("realtime.errors", "http_compat.errors"))
    yield from (("clients.cli", each) for each in ("realtime.errors", "http_compat.errors"))


VIOLATIONS: Final = sorted(set(violations()))


def run(*command: str, directory: Path = PROJECT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=100, check=False)


def copy_packages(directory: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", directory)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Plant every violation in a copy of the packages, as a new module of each package, and check the copy once."""
    directory = tmp_path_factory.mktemp("planted")
    copy_packages(directory)
    for number, (importer, imported) in enumerate(VIOLATIONS):
        path = directory / importer.replace(".", "/")
        if path.is_dir():
            (path / f"planted_{number}.py").write_text(f"import {imported}\n")
        else:
            with path.with_suffix(".py").open("a") as module:
                module.write(f"import {imported}\n")
    outcome = run(sys.executable, "-c", LINT, directory=directory)
    assert outcome.returncode == 1, outcome.stderr
    return outcome.stdout


@pytest.mark.parametrize(("importer", "imported"), VIOLATIONS)
def test_a_module_that_breaks_a_rule_is_reported(report: str, importer: str, imported: str) -> None:
    module = f"{importer}.planted_{VIOLATIONS.index((importer, imported))}"
    name = module if (PROJECT / importer.replace(".", "/")).is_dir() else importer
    target = imported if imported.split(".")[0] in PACKAGES else imported.split(".")[0]
    assert re.search(rf"^-\s+{re.escape(name)} -> {re.escape(target)} \(", report, re.MULTILINE)


def test_a_package_without_a_layer_is_reported(tmp_path: Path) -> None:
    copy_packages(tmp_path)
    (tmp_path / "realtime/attic").mkdir()
    (tmp_path / "realtime/attic/__init__.py").touch()
    outcome = run(sys.executable, "-c", LINT, directory=tmp_path)
    assert outcome.returncode == 1
    assert "attic" in outcome.stdout


def test_every_import_keeps_to_the_contracts() -> None:
    outcome = run(sys.executable, "-c", LINT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_no_packages_import_each_other_in_a_circle(imports: grimp.ImportGraph) -> None:
    """Compare the packages of the service with each other, and the children of every package."""

    def check(names: set[str]) -> None:
        def owner(module: str) -> str | None:
            return next((name for name in names if module == name or module.startswith(f"{name}.")), None)

        edges: dict[str, set[str]] = {name: set() for name in names}
        for module in imports.modules:
            importer = owner(module)
            for imported in imports.find_modules_directly_imported_by(module) if importer else ():
                target = owner(imported)
                if importer and target and target != importer:
                    edges[importer].add(target)
        list(graphlib.TopologicalSorter(edges).static_order())

    check({*imports.find_children("realtime"), "http_compat", "clients"})
    for package in imports.modules:
        if children := imports.find_children(package):
            check(children)


def test_the_service_starts_without_importing_what_takes_memory() -> None:
    service = "realtime.cli.serving, realtime.app, realtime.engines.whisper.engine, realtime.engines.silero"
    program = f"import sys, {service}; print(sys.modules.keys() & {{'torch', 'onnx', 'opentelemetry'}})"
    outcome = run(sys.executable, "-c", program)
    assert outcome.stdout == "set()\n", outcome.stderr


def test_the_command_line_loads_no_engine_until_it_is_needed() -> None:
    engines = ("torch", "ctranslate2", "faster_whisper", "onnxruntime", "hibari")
    imported = "".join(f"import {command.module}\n" for command in COMMANDS.values())
    program = f"import sys\n{imported}print(sorted(sys.modules.keys() & {set(engines)!r}))"
    outcome = run(sys.executable, "-c", program)
    assert outcome.stdout == "[]\n", outcome.stderr


@pytest.mark.parametrize("client", ["listen", "say", "talk"])
def test_the_commands_of_clients_start_without_the_service(client: str) -> None:
    program = (
        "import sys, realtime.cli.commands as cli\n"
        f"cli.command_line([{client!r}])\n"
        "print(sys.modules.keys() >= {'clients.aio'}, 'realtime.server' in sys.modules)"
    )
    outcome = run(sys.executable, "-c", program)
    assert outcome.stdout == "True False\n", outcome.stderr
