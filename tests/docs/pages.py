# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the documentation, as a list of their blocks of code. README.md beside this file says how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives
from docutils.parsers.rst.directives.admonitions import Note
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "docsite" / "rst"

PAGES = [ROOT / "README.md", *sorted(GUIDES.glob("*.rst"))]

REASONS = ("a container engine", "a network", "AWX", "Java and Maven", "a real cluster", "minutes")
"""What a block may need that the tests do not have."""

MARKS = {"before", "exit", "file", "fresh", "holds", "in", "left", "needs"}


class Unclear(ValueError):
    """A page from which it cannot be told what is to be run."""


@dataclass(frozen=True)
class Block:
    """A block of code: its language, the file that it is (or an empty text), its text, and what the comment above it says."""

    page: str
    line: int
    language: str
    file: str
    text: str
    marks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.page}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """The blocks of a page, in its order. Raises Unclear where a comment belongs to none, or says what nobody knows."""
    text = path.read_text(encoding="utf-8")
    found, comment = [], None
    for piece in pieces(path, text):
        if isinstance(piece, str):
            if comment is not None:
                raise Unclear(f"{path.name}: there is no block directly below the comment {comment!r}")
            comment = piece
            continue
        line, language, caption, code = piece
        marks = read_marks(path, line, comment)
        found.append(Block(path.name, line, language, marks.get("file") or caption, code, marks))
        comment = None
    if comment is not None:
        raise Unclear(f"{path.name}: there is no block below the comment {comment!r}")
    return found


def read_marks(path: Path, line: int, comment: str | None) -> dict[str, Any]:
    """What a comment says of the block below it."""
    marks = yaml.safe_load(comment) if comment else {}
    if not isinstance(marks, dict) or set(marks) - MARKS:
        raise Unclear(f"{path.name}:{line}: a mark is one of {', '.join(sorted(MARKS))}; this is {comment!r}")
    if marks.get("needs", REASONS[0]) not in REASONS:
        raise Unclear(f"{path.name}:{line}: what a block may need is one of {', '.join(REASONS)}, and not {marks['needs']!r}")
    return marks


Piece = str | tuple[int, str, str, str]
"""A comment to the tests, or a block: line, language, file, text."""


def pieces(path: Path, text: str) -> Iterator[Piece]:
    """Comments and blocks of a page."""
    return markdown_pieces(path, text) if path.suffix == ".md" else rst_pieces(path, text)


def as_mark(comment: str) -> str | None:
    """The text of a comment that is meant for the tests."""
    comment = comment.strip()
    return comment.removeprefix("test:") if comment.startswith("test:") else None


# -- Markdown ----------------------------------------------------------------------------------------------------------


def markdown_pieces(path: Path, text: str) -> Iterator[Piece]:
    for token in MarkdownIt("commonmark").parse(text):
        line = (token.map or [0])[0] + 1
        if token.type == "html_block":
            mark = as_mark(token.content.strip().removeprefix("<!--").removesuffix("-->"))
            if mark is not None:
                yield mark
        elif token.type == "fence":
            yield line, token.info.strip(), "", token.content
        elif token.type == "code_block":
            raise Unclear(f"{path.name}:{line}: a block without its language")


# -- reStructuredText --------------------------------------------------------------------------------------------------


class CodeBlock(Directive):
    """Sphinx's, of which docutils alone knows no caption."""

    has_content = True
    optional_arguments = 1
    option_spec = {name: directives.unchanged for name in ("caption", "class", "emphasize-lines", "linenos", "name")}

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content) + "\n"
        language = self.arguments[0] if self.arguments else ""
        return [nodes.literal_block(text, text, line=self.lineno, language=language, caption=self.options.get("caption", ""))]


def document(text: str) -> nodes.document:
    """A page as docutils reads it; what only Sphinx knows makes no noise."""
    for name in ("code", "code-block", "sourcecode"):
        directives.register_directive(name, CodeBlock)
    directives.register_directive("seealso", Note)
    return publish_doctree(text, settings_overrides={"report_level": 5, "halt_level": 5, "file_insertion_enabled": False})


def rst_pieces(path: Path, text: str) -> Iterator[Piece]:
    count = 0
    for node in document(text).findall(lambda node: isinstance(node, (nodes.comment, nodes.literal_block))):
        if isinstance(node, nodes.comment):
            mark = as_mark(node.astext())
            if mark is not None:
                yield mark
        elif isinstance(node.parent, nodes.system_message):
            continue  # what docutils does not understand
        elif not node.get("language"):
            raise Unclear(f"{path.name}: a block without its language: {node.astext()[:60]!r}")
        else:
            count += 1
            yield node["line"], node["language"], node["caption"], node.astext().rstrip("\n") + "\n"
    if count != len(re.findall(r"^ *\.\. (?:code|code-block|sourcecode)::", text, re.MULTILINE)):
        raise Unclear(f"{path.name}: some code stands inside a directive that is not known here")


def inline_code(path: Path) -> list[str]:
    """What stands in the sentences of a page as code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        inlines = [token.children or [] for token in MarkdownIt("commonmark").enable("table").parse(text) if token.type == "inline"]
        return [child.content for children in inlines for child in children if child.type == "code_inline"]
    return [node.astext() for node in document(text).findall(nodes.literal)]
