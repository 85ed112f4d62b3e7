# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""guide_troubleshooting.rst explains every message of the collection, and none that it does not print.

A message is a text in plugins/ or in the role that reads like a sentence, or that is raised. The guide quotes it as a term, whole or
from its beginning on, with `<what it is>` for what differs from case to case.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .pages import GUIDES, ROOT

GUIDE = (GUIDES / "guide_troubleshooting.rst").read_text(encoding="utf-8")
TERMS = re.findall(r"^``(.+)``\n   \S", GUIDE, re.MULTILINE)
DOCUMENTATION = ("DOCUMENTATION", "EXAMPLES", "RETURN")
VARYING = re.compile(r"%(?:\(\w+\))?[-\d.]*[sdrf]|\{\{.*?\}\}|\{%.*?%\}|\{\w*\}|<[a-z][a-z ]*>", re.DOTALL)
ENOUGH = 5  # words by which the beginning of a message is recognised


def plain(text: str) -> str:
    """A text with … for what differs, and single blanks. What differs and stands together is one."""
    text = " ".join(VARYING.sub(lambda found: " … " if found[0].startswith("{%") else "…", text).split())
    return re.sub(r"(?:\b[aA](?:\(n\))? ?)?…(?:[ /]?…)*", "…", text)


def words(text: str) -> int:
    """How many words of a language it holds: no paths, options with values, or signs."""
    return sum(1 for word in text.split() if re.fullmatch(r"[(\"']*[A-Za-z][A-Za-z_'-]*[.,:;)\"']*", word))


def is_message(text: str) -> bool:
    """Whether it reads like a sentence. What is being done ("Reading templates") stands inside others."""
    if re.match(r"[A-Z][a-z]+ing [^.:…]*$", text):
        return False
    return words(text) > ENOUGH or (words(text) >= 3 and re.search(r"^To |[.:](?: …\.?)?$", text) is not None)


def texts_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The texts among the nodes of a program."""
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def texts_of(path: Path) -> tuple[set[str], set[str]]:
    """The texts of a Python file, but for its documentation; and those of them that are raised."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id.startswith(DOCUMENTATION) for one in node.targets):
            documentation.add(id(node.value))
    raised = (inner for node in nodes if isinstance(node, ast.Raise) for inner in ast.walk(node))
    return set(texts_in(node for node in nodes if id(node) not in documentation)), set(texts_in(raised))


def said_in(content: Any, key: str = "") -> Iterator[str]:
    """The texts of a YAML file, but for names and conditions."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from said_in(value, str(name))
    elif isinstance(content, list):
        for value in content:
            yield from said_in(value, key)
    elif isinstance(content, str) and key not in ("name", "when"):
        yield content


PYTHON = [path for path in sorted((ROOT / "plugins").rglob("*.py")) if path.parent.name != "doc_fragments"]
ROLE = ROOT / "roles" / "environment_teardown"
YAML = [*sorted(ROLE.glob("tasks/*.yml")), *sorted(ROLE.glob("vars/*.yml")), *sorted((ROOT / "playbooks").glob("*.yml"))]


def everything_said() -> tuple[dict[str, str], set[str]]:
    """Each text of the collection as the guide would write it, with the file that holds it; and those of them that are messages."""
    said, messages = {}, set()
    for path in PYTHON:
        texts, raised = ({plain(text) for text in some} for some in texts_of(path))
        said.update(dict.fromkeys(texts, path.name))
        messages |= {text for text in raised if words(text) and " " in text}
    for path in YAML:
        said.update({plain(text): path.name for text in said_in(yaml.safe_load(path.read_text(encoding="utf-8")))})
    return said, messages | {text for text in said if is_message(text)}


SAID, MESSAGES = everything_said()
EXPLAINED = [plain(term) for term in TERMS]


def explains(term: str, message: str) -> bool:
    """Whether a term of the guide quotes this message, which may be a heading that a colon follows."""
    return term in (message, message + ": …") or (words(term) >= ENOUGH and message.startswith(term))


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("Workflow %s is gone.", True),
        ("It was lost: %s", True),
        ("one that begins in the middle, and has no end", True),
        ("To plan it again", True),
        ("To %s", False),
        ("Reading the list of plugins", False),
        ("DELETE /%s/_doc", False),
        ("%s %s: %s", False),
        ("opensearch_deprovision_workflow", False),
    ],
)
def test_what_reads_like_a_sentence(text: str, wanted: bool) -> None:
    assert is_message(plain(text)) == wanted


def test_there_are_messages_and_each_is_explained_once() -> None:
    assert len(MESSAGES) > 150
    assert sorted(EXPLAINED) == sorted(set(EXPLAINED))


@pytest.mark.parametrize("message", sorted(MESSAGES))
def test_the_guide_explains_the_message(message: str) -> None:
    assert any(explains(term, message) for term in EXPLAINED), f"{SAID[message]} says {message!r}: put it into guide_troubleshooting.rst"


@pytest.mark.parametrize("term", EXPLAINED)
def test_the_collection_says_what_the_guide_quotes(term: str) -> None:
    assert any(explains(term, text) for text in SAID), term
