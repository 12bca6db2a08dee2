"""The documents of the repository, parsed: fenced blocks, links, tables and the anchors of headings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = (
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "clients/examples/README.md",
    ROOT / "findings/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
"""All Markdown files that the tests hold to be true."""

_NOT_RUN: Final = re.compile(r"<!-- not run: (.+?) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `not_run` is the reason given in an HTML comment right before it, if there is one."""

    path: Path
    line: int
    language: str
    code: str
    not_run: str | None = None

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of all documents in these languages, or in all of them."""
    found = [block for path in DOCUMENTS for block in _blocks(path)]
    return [block for block in found if not languages or block.language in languages]


def _blocks(path: Path) -> Iterator[Block]:
    before: str | None = None
    for token in _tokens(path):
        if token.type == "fence":
            assert token.map is not None
            yield Block(path, token.map[0] + 1, token.info.strip(), token.content, before)
        comment = _NOT_RUN.fullmatch(token.content.strip()) if token.type == "html_block" else None
        before = comment.group(1) if comment else None


def links(path: Path) -> list[str]:
    """Return the targets of all links and pictures, HTML pictures too."""
    found: list[str] = []
    for token in _inline(path):
        for name in ("href", "src"):
            target = token.attrs.get(name)
            if isinstance(target, str):
                found.append(unquote(target))
        if token.type in {"html_inline", "html_block"}:
            found += re.findall(r'(?:src|href)="([^"]+)"', token.content)
    return found


def is_relative(link: str) -> bool:
    parts = urlsplit(link)
    return not parts.scheme and not parts.netloc


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings."""
    tokens = _tokens(path)
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table_rows(path: Path) -> list[list[str]]:
    """Return the cells of the body rows of all tables, as they are written."""
    rows: list[list[str]] = []
    cells: Sequence[Token] = _tokens(path)
    in_body = False
    for token in cells:
        if token.type in {"tbody_open", "tbody_close"}:
            in_body = token.type == "tbody_open"
        elif token.type == "tr_open" and in_body:
            rows.append([])
        elif token.type == "inline" and in_body:
            rows[-1].append(token.content)
    return rows


def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def _inline(path: Path) -> Iterator[Token]:
    for token in _tokens(path):
        yield token
        yield from token.children or ()
