# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/docsite/rst/guide_server.rst says is proven: each situation names tests, each surprise a recording, and all of them exist."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXT = (ROOT / "docs" / "docsite" / "rst" / "guide_server.rst").read_text(encoding="utf-8")
ENTRY = re.compile(r"^(\S.*)\n((?:   .*\n)+)", re.MULTILINE)
"""A term, and the indented lines below it."""


def entries(heading: str, following: str) -> list[tuple[str, str]]:
    """The terms of one section with what stands below each."""
    return ENTRY.findall(TEXT.partition(f"\n{heading}\n")[2].partition(f"\n{following}\n")[0])


SURPRISES = entries("Eleven things that surprise", "If you call the API by hand")
SITUATIONS = entries("Situation by situation", "What falls short")
NAMED = re.findall(r"``(test_\w+\.py)::(\w+)``", TEXT)


def defined(file: str) -> set[str]:
    """The tests of one file."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("file, name", NAMED, ids=[name for _file, name in NAMED])
def test_a_test_that_the_guide_names_exists(file: str, name: str) -> None:
    assert name in defined(file)


def test_every_situation_says_what_both_do_and_names_a_test() -> None:
    assert len(SITUATIONS) > 65
    for situation, fields in SITUATIONS:
        assert re.findall(r"^   :([^:]+):", fields, re.MULTILINE) == ["The server", "This collection", "Proof"], situation
        assert re.search(r":Proof: ``test_\w+\.py::\w+``", fields), situation


def test_every_topic_is_among_the_situations() -> None:
    topics = {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert topics == {file for file, _name in NAMED}


def test_every_surprise_names_a_scenario_that_was_recorded_or_a_measurement() -> None:
    recordings = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / "contract" / "recordings").glob("*.json")]
    recorded = {scenario["name"] for recording in recordings for scenario in recording["scenarios"]}
    assert len(SURPRISES) == 11
    for surprise, text in SURPRISES:
        found = re.search(r"Scenarios? ((?:``\w+``(?:, | and )?)+)\.", text)
        assert found or "Measured on " in text, surprise
        assert set(re.findall(r"\w+", found[1].replace(" and ", " "))) <= recorded if found else True, surprise
