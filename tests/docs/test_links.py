"""Relative links lead to files and headings that exist."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.markdown import DOCUMENTS, ROOT, anchors, is_relative, links


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    broken = [link for link in links(path) if is_relative(link) and not leads_somewhere(path, link)]
    assert broken == []


def leads_somewhere(path: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = path.parent / name if name else path
    if not target.exists() or not target.resolve().is_relative_to(ROOT):
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target)


def test_every_document_can_be_reached_from_the_first() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop().resolve()
        if path.is_file() and path not in reached:
            reached.add(path)
            if path.suffix == ".md":
                waiting += [path.parent / link.partition("#")[0] for link in links(path) if is_relative(link)]
    assert {path for path in DOCUMENTS if path not in reached} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_nothing_beside_the_repository(path: Path) -> None:
    assert "../shared" not in path.read_text(encoding="utf-8")


def test_the_picture_is_well_formed_and_ends_with_whole_lines() -> None:
    picture = ElementTree.parse(ROOT / "docs/captions.svg")
    frames = [group for group in picture.iter() if "show" in group.get("class", "")]
    assert len(frames) > 10
    assert "dim words may still change." in "".join(frames[-1].itertext()).replace("\xa0", " ")


def test_the_first_page_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 130
