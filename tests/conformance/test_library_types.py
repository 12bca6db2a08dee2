"""The types of the library for web pages, as programs in TypeScript meet them."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.conftest import INSTALLED

LIBRARY: Final = Path(__file__).parents[2] / "clients/browser"
PROGRAM: Final = """
import { listen, speak, type Turn } from "vivavoce";

const show = (turn: Turn): void => console.log(turn.committed + turn.tentative, turn.words[0]?.start.toFixed(2));
const listener = await listen({ source: null, language: "en", onPartial: show, onFinal: show });
listener.send(new Int16Array(960));
await listener.stop();
const speech = await speak("Good morning.", { voice: "alba", onWords: (words) => console.log(words[0].start_ms) });
console.log(speech.firstAudioMs);
await speech.done;
"""
WRONG: Final = """
import { listen } from "vivavoce";

await listen({ language: 3, onFinal: (turn) => turn.text });
"""


@pytest.fixture(scope="module")
def package(node: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the library is installed as its package would be."""
    folder = tmp_path_factory.mktemp("program")
    shutil.copytree(LIBRARY, folder / "vivavoce")
    built = compiled(node, "--project", folder / "vivavoce")
    assert built == "", built
    (folder / "node_modules").mkdir()
    shutil.move(folder / "vivavoce", folder / "node_modules")
    return folder


def compiled(node: Path, *arguments: str | Path) -> str:
    """Return what the compiler complains about."""
    compiler = INSTALLED / "node_modules/typescript/bin/tsc"
    run = subprocess.run([node, compiler, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return run.stdout + run.stderr


def check(node: Path, folder: Path, program: str) -> str:
    path = folder / "program.mts"
    path.write_text(program, encoding="utf-8")
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]
    return compiled(node, *options, path)


def test_a_program_that_uses_the_library_well_is_accepted(node: Path, package: Path) -> None:
    assert check(node, package, PROGRAM) == ""


def test_a_program_that_does_not_is_told_why(node: Path, package: Path) -> None:
    complaints = check(node, package, WRONG)
    assert "Type 'number' is not assignable to type 'string'" in complaints
    assert "Property 'text' does not exist on type 'Turn'" in complaints
