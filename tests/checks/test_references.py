# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever reads why the code does something can look it up: what it cites is in the repository.

The forms: `behaviour.md 2.4`, `behaviour.md, fact 3`, `guide_architecture, rule 7`, `recording gone_before`, D23, R01, and paths of tests.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment import ROOT

HERE = Path(ROOT)
CONTRACT = HERE / "tests" / "contract"
BEHAVIOUR = CONTRACT / "behaviour.md"
GUIDE = HERE / "docs" / "docsite" / "rst" / "guide_architecture.rst"
FOLDERS = ("plugins", "roles", "playbooks", "tests", "docs", "examples", "extensions")
EVIDENCE = r"scenarios?|vectors?|rows?|tests?|measured|source|every vector of|the sections above"


def texts() -> Iterator[tuple[str, str]]:
    """Path and text of each file that may cite something, but this one."""
    for folder in FOLDERS:
        for path in sorted((HERE / folder).rglob("*")):
            name = path.relative_to(HERE)
            if path.suffix in (".py", ".md", ".rst", ".yml") and name.parts[:2] != ("tests", "output") and path != Path(__file__):
                yield str(name), path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cited() -> dict[str, str]:
    return dict(texts())


def found(pattern: str, cited: dict[str, str]) -> list[tuple[str, str]]:
    """File and first group of each match; one match holds several where they are joined by a comma, `and` or `to`."""
    return [(name, one) for name, text in cited.items() for hit in re.findall(pattern, text) for one in re.split(r", | and | to ", hit)]


def sections() -> dict[str, str]:
    """The numbered sections of behaviour.md."""
    return dict(re.findall(r"^###? (\d+(?:\.\d+)?) .*\n((?:(?!#).*\n)*)", BEHAVIOUR.read_text(encoding="utf-8"), re.MULTILINE))


def facts() -> dict[str, str]:
    part = BEHAVIOUR.read_text(encoding="utf-8").partition("\n## Facts\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^(\d+)\. (.*\n(?: +.*\n)+)", part, re.MULTILINE))


def rules() -> dict[str, str]:
    part = GUIDE.read_text(encoding="utf-8").partition("\nThe rules\n")[2].partition("\n.. _")[0]
    return dict(re.findall(r"^(\d+)\. (.*\n(?:(?: +.*)?\n)+)", part, re.MULTILINE))


def scenarios() -> set[str]:
    return {one["name"] for path in (CONTRACT / "recordings").glob("*.json") for one in json.loads(path.read_text(encoding="utf-8"))["scenarios"]}


def cases() -> set[str]:
    """Vectors, and rows: those that a test carries, and those that are said not to be held."""
    rows = re.findall(r"\b[RASXP]\d\d\b", (CONTRACT / "test_tables.py").read_text(encoding="utf-8"))
    return {one["id"] for one in json.loads((CONTRACT / "vectors.json").read_text(encoding="utf-8"))} | set(rows)


def defined(path: Path) -> set[str]:
    """The tests of a file; none where there is no such file."""
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_a_cited_section_of_behaviour_is_there(cited: dict[str, str]) -> None:
    names = found(r"behaviour\.md (\d+(?:\.\d+)?(?:(?:, | and | to )\d+(?:\.\d+)?)*)", cited)
    assert len(names) > 60
    assert [one for one in names if one[1] not in sections()] == []


def test_what_a_version_does_is_marked_with_a_section(cited: dict[str, str]) -> None:
    """The rows of tests/simulator/versions.py leave the name of the page out."""
    table = {name: text for name, text in cited.items() if name == "tests/simulator/versions.py"}
    marks = found(r"  # (\d(?:\.\d)?(?:, \d(?:\.\d)?)*)[:,\n]", table) + found(r"  # .*, section (\d)", table)
    assert len(marks) > 20
    assert [one for one in marks if one[1] not in sections()] == []


def test_a_cited_fact_is_there_and_says_where(cited: dict[str, str]) -> None:
    names = found(r"behaviour\.md, facts? (\d+(?:(?:, | and | to )\d+)*)", cited)
    assert len(names) > 8
    assert [one for one in names if one[1] not in facts()] == []
    elsewhere = {name: text for name, text in cited.items() if name != "tests/contract/behaviour.md"}
    assert found(r"(?<!behaviour\.md, )\b(facts? \d+)", elsewhere) == []


def test_a_cited_rule_is_there_and_says_where(cited: dict[str, str]) -> None:
    names = found(r"guide_architecture, rules? (\d+(?:(?:, | and | to )\d+)*)", cited)
    assert len(names) > 8
    assert [one for one in names if one[1] not in rules()] == []
    assert found(r"(?<!guide_architecture, )\b(rules? \d+)", cited) == []


def test_the_rules_are_numbered_and_each_is_held_by_tests() -> None:
    assert list(rules()) == [str(number) for number in range(1, 12)]
    for number, text in rules().items():
        named = re.findall(r"``(test_\w+\.py)::(\w+)``", text)
        assert named, number
        assert [one for one in named if one[1] not in defined(HERE / "tests" / "real" / one[0])] == [], number


def test_a_cited_scenario_was_recorded(cited: dict[str, str]) -> None:
    word = r"[a-z][a-z0-9_]*"
    names = r"(%s(?:(?:, | and )%s)*)" % (word, word)
    lists = found(r"[Rr]ecordings?:? (?:\d+\.\d+\.\d+:? )?" + names, cited)
    # A word alone may be any; in parentheses it is a name.
    alone = found(r"\(recordings? (?:\d+\.\d+\.\d+:? )?" + names + r"(?=[,;:)])", cited)
    wanted = [one for one in lists if "_" in one[1]] + alone
    assert len(wanted) > 60
    assert [one for one in wanted if one[1] not in scenarios()] == []


def test_a_cited_case_is_held(cited: dict[str, str]) -> None:
    assert [one for one in found(r"\b([DRASXP]\d\d)\b", cited) if one[1] not in cases()] == []


def test_a_cited_test_is_there(cited: dict[str, str]) -> None:
    own = {name: text for name, text in cited.items() if not name.startswith("tests/checks/")}
    paths = found(r"(?<![\w/.])(tests/[\w/]+\.(?:py|md)(?:::\w+)?)", own)
    assert len(paths) > 40
    for name, path in paths:
        file, _colons, test = path.partition("::")
        assert (HERE / file).exists() and (not test or test in defined(HERE / file)), f"{name}: {path}"


def test_nothing_outside_of_the_repository_is_cited(cited: dict[str, str]) -> None:
    assert found(r"(\.\./shared/(?:design|server)|design\.md|README fact)", cited) == []


def test_each_section_and_fact_has_evidence_that_is_there() -> None:
    proper = {name: text for name, text in sections().items() if name not in ("2", "5") and not name.startswith("10")}
    stated = {f"fact {number}": text for number, text in facts().items()} | proper
    assert len(facts()) == 11 and len(sections()) > 25
    for name, text in stated.items():
        evidence = " ".join(text.partition("Evidence: ")[2].split()).rstrip(".")
        for one in filter(None, evidence.split("; ")):
            assert re.match(rf"(?:{EVIDENCE})\b", one), f"{name}: {one}"
        assert evidence, name
        for group in re.findall(r"scenarios? ([\w, ]+)", evidence):
            assert [one for one in group.split(", ") if one not in scenarios()] == [], name


def test_the_page_lists_every_row() -> None:
    """10.2 to 10.6 say of each row what it is about, and of no other."""
    listed = {row for name, text in sections().items() if name.startswith("10.") for row in re.findall(r"\b[RASXP]\d\d\b", text)}
    assert listed == {one for one in cases() if not one.startswith("D")}
