"""Every fenced block of the documents runs, or is read by what would read it."""

import json
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conformance.published import CLIENTS
from tests.docs.conftest import Workspace
from tests.support.markdown import ROOT, Block, blocks

NOT_RUN = 27
"""Blocks marked as not run. A new one is to be an exception, so this number is to be raised by hand."""

BY_CONFORMANCE = {f"make conformance runs it with {client.environment.name}" for client in CLIENTS}
"""Reasons of blocks that `make conformance` runs with published clients."""

LANGUAGES = {"bash", "html", "javascript", "json", "mermaid", "promql", "python", "text", "toml", "xml", "yaml"}
"""Others are to have a test here. Pages, diagrams, queries, output and programs for Node have no reader at hand."""


def runnable(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in blocks(*languages) if block.not_run is None]
    return pytest.mark.parametrize("block", [pytest.param(block, id=str(block)) for block in chosen])


@pytest.mark.models
@runnable("bash")
def test_commands_succeed(block: Block, workspace: Workspace) -> None:
    workspace.run("bash", "-euo", "pipefail", "-c", block.code)


@pytest.mark.models
@runnable("python")
def test_programs_run_and_print(block: Block, workspace: Workspace) -> None:
    assert workspace.run("python", "-c", block.code).strip()


@runnable("json", "toml", "yaml")
def test_data_is_well_formed(block: Block) -> None:
    readers = {"json": json.loads, "toml": tomllib.loads, "yaml": pytest.importorskip("yaml").safe_load}
    assert readers[block.language](block.code)


@runnable("xml")
def test_markup_is_well_formed(block: Block) -> None:
    assert ElementTree.fromstring(block.code).tag


@pytest.mark.parametrize("path", [*(ROOT / ".github").rglob("*.yml")], ids=lambda path: path.name)
def test_issue_forms_are_well_formed(path: Path) -> None:
    assert pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


def test_every_block_has_a_known_language() -> None:
    assert {str(block): block.language for block in blocks() if block.language not in LANGUAGES} == {}


def test_blocks_that_are_not_run_are_marked_and_counted() -> None:
    marked = [f"{block}: {block.not_run}" for block in blocks() if block.not_run not in {None, *BY_CONFORMANCE}]
    assert len(marked) == NOT_RUN, "\n".join(marked)
